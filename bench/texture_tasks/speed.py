# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds from a request to six PNGs on disk, to a preview, and to a cancel's effect."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stagewright.jobs.drive import drain
from stagewright.jobs.warm import Order, WarmChild
from stagewright.texture_lab.families import FAMILIES
from stagewright.texture_lab.picture import PREVIEW_SIZE
from stagewright.texture_lab.request import TextureRequest


def warm(quick: bool) -> Iterator[dict[str, Any]]:
    """The slowest family in a child that stays, from order to result: the best of three."""
    size = 256 if quick else 1024
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        child = WarmChild(Path(folder) / "child")
        for name, family in FAMILIES.items():
            tries = []
            for _ in range(1 if quick else 3):
                start = time.perf_counter()
                drain(child.run(_order(family.words[0], size, folder)), _quiet)
                tries.append(time.perf_counter() - start)
            times[name] = min(tries)
        child.close()
    slowest = max(times, key=lambda name: times[name])
    middle = sorted(times.values())[len(times) // 2]
    yield _row("make-1k-warm-s", size, times[slowest], 2.0, f"{slowest}; median {middle:.2f} s")


def cancelled(quick: bool) -> Iterator[dict[str, Any]]:
    """From a cancel in the midst of a large set until the child takes another order: the worst."""
    size = 1024 if quick else 4096
    times = []
    with tempfile.TemporaryDirectory() as folder:
        child = WarmChild(Path(folder) / "child")
        for delay in (0.2, 1.0, 2.0):
            job = child.run(_order("wet mossy bricks", size, folder))
            start = time.perf_counter()
            while time.perf_counter() < start + delay:
                next(job)
                time.sleep(0.02)
            start = time.perf_counter()
            with contextlib.suppress(KeyboardInterrupt):
                job.throw(KeyboardInterrupt())
                while True:
                    next(job)
                    time.sleep(0.02)
            times.append(time.perf_counter() - start)
        child.close()
    note = f"told in {', '.join(f'{each:.2f}' for each in times)} s"
    yield _row("cancel-s", size, max(times), 1.0, note)


def preview(quick: bool) -> Iterator[dict[str, Any]]:
    """A preview of the slowest family, from order to picture: the best of three."""
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        child = WarmChild(Path(folder) / "child")
        for name, family in FAMILIES.items():
            request = TextureRequest(family.words[0], PREVIEW_SIZE, 7).to_json()
            arguments = {"requests": [request], "files": [str(Path(folder) / "seen.npy")]}
            tries = []
            for _ in range(1 if quick else 3):
                start = time.perf_counter()
                drain(child.run(Order("texture_lab.tasks:draw_previews", arguments)), _quiet)
                tries.append(time.perf_counter() - start)
            times[name] = min(tries)
        child.close()
    slowest = max(times, key=lambda name: times[name])
    yield _row("preview-s", PREVIEW_SIZE, times[slowest], 0.25, slowest)


def cold(quick: bool) -> Iterator[dict[str, Any]]:
    """The command, from its start to its end."""
    size = 256 if quick else 1024
    code = "import sys; from stagewright.pipeline.cli import main; sys.exit(main(sys.argv[1:]))"
    with tempfile.TemporaryDirectory() as folder:
        words = ["texture", "make", "fallen leaves", "--size", str(size), "-o", folder]
        tries = []
        for _ in range(1 if quick else 3):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True)
            tries.append(time.perf_counter() - start)
    yield _row("make-1k-cold-s", size, min(tries), 3.5, "leaves")


def _order(prompt: str, size: int, folder: str) -> Order:
    request = TextureRequest(prompt, size, 7).to_json()
    arguments = {"request": request, "folder": folder, "name": "made", "force": True}
    return Order("texture_lab.tasks:make_set", arguments)


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


TASKS = {
    "make-1k-warm-s": warm,
    "make-1k-cold-s": cold,
    "cancel-s": cancelled,
    "preview-s": preview,
}
