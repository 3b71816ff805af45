# SPDX-License-Identifier: GPL-3.0-or-later
"""Benches on whole grids: operators, renormalise, travel time, sampling.

Each side runs in a process of its own (ours with every peer blocked), the two taking turns; their
answers are compared before a time is printed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lattice_cases as cases
import numpy as np

Row = dict[str, Any]
Quality = tuple[str, float, float, str]
"""What, ours, the peer's, unit."""
Judge = Callable[[Any, Any], tuple[bool, list[Quality]]]
WORKER = Path(__file__).with_name("lattice_worker.py")
PACKAGES = {"scikit-fmm": "scikit-fmm", "scipy": "scipy", "copy": "numpy"}


class Side:
    """A worker process that prepares once and runs many times."""

    def __init__(self, name: str) -> None:
        """Start the worker of the side ``name``."""
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), name],
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


def compare(
    case: dict[str, Any], size: str, peer: str, judge: Judge, *, wall_only: bool = False
) -> Iterator[Row]:
    """Rows of quality and of time: ours and a peer in turns, after their answers are judged."""
    row: Row = {"task": case["task"], "size": size, "peer": peer}
    with tempfile.TemporaryDirectory() as folder:
        sides = [Side("ours"), Side(peer)]
        try:
            absent = [side.ask(case=case).get("absent") for side in sides]
            if any(absent):
                yield {**row, "note": f"absent: {absent[0] or absent[1]}"}
                return
            answers = []
            for number, side in enumerate(sides):
                side.ask()
                path = Path(folder) / f"{number}.npy"
                side.ask(save=str(path))
                answers.append(np.load(path))
            agree, qualities = judge(*answers)
            turns = [[side.ask() for side in sides] for _ in range(case["runs"])]
        finally:
            for side in sides:
                side.process.communicate()
    wall, cpu = (
        [statistics.median(turn[side][clock] for turn in turns) for side in (0, 1)]
        for clock in ("wall", "cpu")
    )
    spread = "/".join(
        f"{min(t[s]['wall'] for t in turns) * 1e3:.0f}-{max(t[s]['wall'] for t in turns) * 1e3:.0f}"
        for s in (0, 1)
    )
    ratios = wall[0] / wall[1], cpu[0] / cpu[1]
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for what, ours, baseline, unit in qualities:
        text = {"size": f"{size}, {what}", "value": ours, "baseline": baseline, "unit": unit}
        yield {**row, **text, "note": f"{ours:.2g} against {baseline:.2g} {unit}"}
    yield {
        **row,
        "ours_s": wall[0],
        "peer_s": wall[1],
        "ratio": ratios[0] if wall_only else max(ratios),
        "agree": agree,
        "note": f"wall {ratios[0]:.2f}, CPU {ratios[1]:.2f}; {spread} ms; ours on "
        f"{threads} threads, {PACKAGES[peer]} {importlib.metadata.version(PACKAGES[peer])} on 1",
    }


def norms(ours: Any, peer: Any, unit: str) -> list[Quality]:  # noqa: ANN401
    """Largest and mean errors; NaN is not judged."""
    return [
        ("L_inf", float(np.nanmax(ours)), float(np.nanmax(peer)), unit),
        ("L1", float(np.nanmean(ours)), float(np.nanmean(peer)), unit),
    ]


def operators(task: str) -> Callable[[bool], Iterator[Row]]:
    """An operator into a buffer, beside a copy of the grid on one thread; wall alone is judged."""

    def bench(quick: bool) -> Iterator[Row]:
        n = 128 if quick else 256
        x, y, z = cases.axes(n)
        radius = np.sqrt(x * x + y * y + z * z)
        judged = radius > n / 8

        def judge(ours: Any, _: Any) -> tuple[bool, list[Quality]]:  # noqa: ANN401
            if task == "gradient":
                exact = np.stack(np.broadcast_arrays(x / radius, y / radius, z / radius), -1)
                error = np.abs(ours - exact)[judged].max()
            else:
                factor = 2 if task == "laplacian" else 1
                error = np.abs(ours * radius - factor)[judged].max()
            return bool(error < 40 / n), []

        case = {"task": task, "n": n, "runs": 7 if quick else 11}
        yield from compare(case, f"{n}^3 float32", "copy", judge, wall_only=True)

    return bench


def renormalize(quick: bool) -> Iterator[Row]:
    """Distorted level sets and masks, beside the narrow band of scikit-fmm."""
    n = 64 if quick else 256
    for shape in ("sphere", "torus", "box"):
        exact = cases.exact_distance(shape, n)
        near = np.abs(exact) < 3
        for kind in ("exact", "smooth", "x0.2-x5", "mask"):

            def judge(
                ours: Any,  # noqa: ANN401
                peer: Any,  # noqa: ANN401
                exact: Any = exact,  # noqa: ANN401
                near: Any = near,  # noqa: ANN401
            ) -> tuple[bool, list[Quality]]:
                errors = [np.abs(answer - exact)[near] for answer in (ours, peer)]
                return bool(np.abs(ours - peer)[near].max() < 2), norms(*errors, "h")

            case = {"task": "renormalize", "n": n, "shape": shape, "kind": kind, "runs": 5}
            size = f"{n}^3 {shape} {kind}"
            yield from compare(case, size, "scikit-fmm", judge)


def travel_time(quick: bool) -> Iterator[Row]:
    """Fronts through media of varying speed, beside scikit-fmm of order 2."""
    n = 48 if quick else 128
    for name in ("constant", "linear", "layered 10:1", "maze"):
        exact = cases.front(name, n)[2]

        def judge(
            ours: Any,  # noqa: ANN401
            peer: Any,  # noqa: ANN401
            exact: Any = exact,  # noqa: ANN401
        ) -> tuple[bool, list[Quality]]:
            unit = (n - 1) / 2
            both = np.isfinite(ours) & np.isfinite(peer)
            same = bool(np.all(np.isfinite(ours) == np.isfinite(peer)))
            agree = same and bool(np.abs(ours[both] - peer[both]).max() * unit < 2)
            if exact is None:
                return agree, []
            return agree, norms(*(np.abs(answer - exact) * unit for answer in (ours, peer)), "h/F")

        case = {"task": "travel-time", "n": n, "front": name, "runs": 5}
        yield from compare(case, f"{n}^3 {name}", "scikit-fmm", judge)


def sample(quick: bool) -> Iterator[Row]:
    """Two million random points, linear, beside map_coordinates."""
    n = 128 if quick else 256

    def judge(ours: Any, peer: Any) -> tuple[bool, list[Quality]]:  # noqa: ANN401
        return bool(np.abs(ours - peer).max() < 1e-4), []

    case = {"task": "sample", "n": n, "runs": 5}
    yield from compare(case, f"2M points in {n}^3", "scipy", judge)


TASKS: dict[str, Callable[[bool], Iterator[Row]]] = {
    **{name: operators(name) for name in ("laplacian", "gradient", "mean-curvature")},
    "renormalize": renormalize,
    "travel-time": travel_time,
    "sample": sample,
}
