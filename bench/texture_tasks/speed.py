# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds from a request to six PNGs on disk."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stagewright.jobs.drive import drain
from stagewright.texture_lab.families import FAMILIES
from stagewright.texture_lab.make import make
from stagewright.texture_lab.request import TextureRequest


def warm(quick: bool) -> Iterator[dict[str, Any]]:
    """The slowest family, the modules loaded: the best of three."""
    size = 256 if quick else 1024
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, family in FAMILIES.items():
            tries = []
            for _ in range(1 if quick else 3):
                start = time.perf_counter()
                drain(make(TextureRequest(family.words[0], size, 7), Path(folder)), _quiet)
                tries.append(time.perf_counter() - start)
            times[name] = min(tries)
    slowest = max(times, key=lambda name: times[name])
    middle = sorted(times.values())[len(times) // 2]
    yield _row("make-1k-warm-s", size, times[slowest], 2.0, f"{slowest}; median {middle:.2f} s")


def cold(quick: bool) -> Iterator[dict[str, Any]]:
    """The command, from its start to its end."""
    size = 256 if quick else 1024
    code = "import sys; from stagewright.pipeline.cli import main; sys.exit(main(sys.argv[1:]))"
    with tempfile.TemporaryDirectory() as folder:
        words = ["texture", "make", "terrazzo", "--size", str(size), "-o", folder]
        tries = []
        for _ in range(1 if quick else 3):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True)
            tries.append(time.perf_counter() - start)
    yield _row("make-1k-cold-s", size, min(tries), 3.5, "terrazzo")


def _quiet(event: object) -> None:
    """Nobody reads the progress."""


def _row(task: str, size: int, seconds: float, aim: float, note: str) -> dict[str, Any]:
    return {
        "task": task,
        "size": f"{size}^2",
        "value": seconds,
        "baseline": aim,
        "unit": "s",
        "agree": seconds <= aim,
        "note": note,
    }


TASKS = {"make-1k-warm-s": warm, "make-1k-cold-s": cold}
