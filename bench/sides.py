# SPDX-License-Identifier: GPL-3.0-or-later
"""Ours and a peer in processes of their own, in turns; answers are judged before times are told.

A peer that lives in another Python is found by an environment variable (see `PYTHON`).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]
WORKER = Path(__file__).with_name("worker.py")
PYTHON = {
    "openvdb": "STAGEWRIGHT_BENCH_BPY",
    "blender": "STAGEWRIGHT_BENCH_BPY",
    "scikit-image": "STAGEWRIGHT_BENCH_SKIMAGE",
}
"""Environment variables with the interpreters of peers; this interpreter where one is not set."""


@dataclass(frozen=True)
class Verdict:
    """What a judge says of both sides' answers.

    Attributes:
        agree: they answer the same question, ours at least as well.
        note: how near they are.
        qualities: what, ours, the peer's and the unit of further figures.
    """

    agree: bool
    note: str = ""
    qualities: list[tuple[str, float, float, str]] = field(default_factory=list)


Judge = Callable[[Any, Any], Verdict]


class Side:
    """A worker process that prepares once and runs many times."""

    def __init__(self, tasks: str, name: str) -> None:
        """Start the worker of the side ``name`` of the module ``tasks``."""
        python = os.environ.get(PYTHON.get(name, ""), sys.executable)
        self.process = subprocess.Popen(
            [python, str(WORKER), tasks, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("A bench process ended; its error is above.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def answer(self, folder: str) -> Any:
        """The arrays that the last run gave, by name."""
        path = str(Path(folder) / "answer.npz")
        self.ask(do="save", path=path)
        with np.load(path) as arrays:
            return dict(arrays)

    def close(self) -> None:
        """End the worker."""
        self.process.communicate()


def compare(
    tasks: str, case: Row, size: str, peer: str, judge: Judge, runs: int, *, wall_only: bool = False
) -> Iterator[Row]:
    """Rows of quality and of time: the ratio is the worse of wall and CPU unless ``wall_only``."""
    row: Row = {"task": case["task"], "size": size, "peer": peer}
    sides = [Side(tasks, "ours"), Side(tasks, peer)]
    try:
        with tempfile.TemporaryDirectory() as folder:
            case = {**case, "scratch": str(Path(folder) / "peer.vdb")}
            ready = [side.ask(do="prepare", case=case) for side in sides]
            absent = next((reply["absent"] for reply in ready if "absent" in reply), None)
            if absent:
                yield {**row, "note": f"absent: {absent}"}
                return
            answers = []
            for side in sides:
                side.ask(do="run")
                answers.append(side.answer(folder))
            verdict = judge(*answers)
            turns = [[side.ask(do="run") for side in sides] for _ in range(runs)]
    finally:
        for side in sides:
            side.close()
    wall, cpu = (
        [statistics.median(turn[number][clock] for turn in turns) for number in (0, 1)]
        for clock in ("wall", "cpu")
    )
    spread = "/".join(
        f"{min(turn[number]['wall'] for turn in turns) * 1e3:.0f}-"
        f"{max(turn[number]['wall'] for turn in turns) * 1e3:.0f}"
        for number in (0, 1)
    )
    ratios = wall[0] / wall[1], cpu[0] / cpu[1]
    for what, ours, baseline, unit in verdict.qualities:
        text = {"size": f"{size}, {what}", "value": ours, "baseline": baseline, "unit": unit}
        yield {**row, **text}
    notes = [
        f"wall {ratios[0]:.2f}, CPU {ratios[1]:.2f}",
        f"{spread} ms of {runs}",
        f"ours on {ready[0]['threads']} threads, {ready[1]['version']}",
        *([verdict.note] if verdict.note else []),
    ]
    yield {
        **row,
        "ours_s": wall[0],
        "peer_s": wall[1],
        "ratio": ratios[0] if wall_only else max(ratios),
        "agree": verdict.agree,
        "note": "; ".join(notes),
    }
