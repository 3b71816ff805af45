# SPDX-License-Identifier: GPL-3.0-or-later
"""Benches of geometry to fields and back, beside OpenVDB, scikit-image and Blender's nodes.

Each side runs in a process of its own (ours with every peer blocked), the two taking turns; their
answers are compared before a time is printed. Peers that live in another Python are found by
``STAGEWRIGHT_BENCH_BPY`` and ``STAGEWRIGHT_BENCH_SKIMAGE`` (interpreters; this one unless set).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]
WORKER = Path(__file__).with_name("geometry_worker.py")
PYTHON = {
    "ours": sys.executable,
    "openvdb": os.environ.get("STAGEWRIGHT_BENCH_BPY", sys.executable),
    "blender": os.environ.get("STAGEWRIGHT_BENCH_BPY", sys.executable),
    "skimage": os.environ.get("STAGEWRIGHT_BENCH_SKIMAGE", sys.executable),
}
THREADS = {"openvdb": "all threads", "blender": "all threads", "skimage": "1 thread"}


class Side:
    """A worker process that prepares once and runs many times."""

    def __init__(self, name: str) -> None:
        """Start the worker of the side ``name``."""
        self.process = subprocess.Popen(
            [PYTHON[name], str(WORKER), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **command: Any) -> dict[str, Any]:  # noqa: ANN401
        """Send a command and wait for its answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The bench process {self.process.args} ended.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the worker."""
        self.process.communicate()


def compare(
    case: dict[str, Any], peer: str, agree: Callable[[Any, Any], tuple[bool, str]], runs: int
) -> Row:
    """Time ours and a peer in turns, after their answers are compared."""
    size = f"{case.get('mesh', case.get('field', 'particles'))} {case.get('n', case.get('count'))}"
    row: Row = {"task": case["task"], "size": size, "peer": peer}
    with tempfile.TemporaryDirectory() as folder:
        case = {**case, "scratch": str(Path(folder) / "peer.vdb")}
        sides = [Side("ours"), Side(peer)]
        try:
            for side in sides:
                absent = side.ask(do="prepare", case=case).get("absent")
                if absent:
                    return {**row, "note": f"absent: {absent}"}
                side.ask(do="run")
            answers = []
            for number, side in enumerate(sides):
                path = str(Path(folder) / f"{number}.npz")
                side.ask(do="save", path=path)
                answers.append(np.load(path))
            good, note = agree(*answers)
            times = [[side.ask(do="run") for side in sides] for _ in range(runs)]
        finally:
            for side in sides:
                side.close()
    wall = [statistics.median(turn[k]["wall"] for turn in times) for k in (0, 1)]
    cpu = [statistics.median(turn[k]["cpu"] for turn in times) for k in (0, 1)]
    spread = [
        (max(t[k]["wall"] for t in times) - min(t[k]["wall"] for t in times)) / wall[k]
        for k in (0, 1)
    ]
    return {
        **row,
        "ours_s": round(wall[0], 4),
        "peer_s": round(wall[1], 4),
        "ratio": round(max(wall[0] / wall[1], cpu[0] / cpu[1]), 3),
        "agree": good,
        "note": f"wall {wall[0] / wall[1]:.2f}, CPU {cpu[0] / cpu[1]:.2f}; peer on "
        f"{THREADS[peer]}; spread {spread[0]:.0%}/{spread[1]:.0%}; {note}",
    }


def mesh_to_sdf(quick: bool) -> Iterator[Row]:
    """Mesh to signed distance beside OpenVDB, on the same voxels, against the exact distance."""
    for mesh in ("torus 1M", "torus 250k", "ball 250k", "torus 16k"):
        for n in (128,) if quick else (128, 256):
            case = {"task": "mesh-to-sdf", "mesh": mesh, "n": n, "voxel": 0.96 / n}
            exact = _exact_answer(case)
            yield compare(
                case,
                "openvdb",
                lambda a, b, exact=exact: _distances_agree(a, b, exact),
                3 if quick else 5,
            )


def isosurface(quick: bool) -> Iterator[Row]:
    """Surfaces beside OpenVDB's quads and scikit-image's marching cubes."""
    for n in (128,) if quick else (128, 256):
        for name in ("sphere", "gyroid", "noise"):
            for peer in ("openvdb", "skimage"):
                case = {"task": "isosurface", "field": name, "n": n}
                yield compare(case, peer, _areas_agree, 3 if quick else 5)


def points_to_sdf(quick: bool) -> Iterator[Row]:
    """A million particles to SDF beside Blender's node, stored as the same grid."""
    for radius in (1.5,) if quick else (1.5, 2.0):
        case = {
            "task": "points-to-sdf",
            "count": 1_000_000,
            "radius": radius,
            "voxel": 1 / 145,
        }
        row = compare(case, "blender", _bands_agree, 3 if quick else 5)
        yield {**row, "size": f"{row['size']} radius {radius} voxels"}


def memory(quick: bool) -> Iterator[Row]:
    """Peak memory of a band at 512^3 above the loaded mesh, each in a fresh process."""
    n = 256 if quick else 512
    for mesh in ("torus 1M", "ball 250k"):
        # The ball's mesh fills the box.
        side = Side("ours")
        try:
            side.ask(
                do="prepare",
                case={"task": "mesh-to-sdf", "mesh": mesh, "n": n, "voxel": 0.96 / n},
            )
            before = side.ask(do="peak")["bytes"]
            side.ask(do="run")
            peak = side.ask(do="peak")["bytes"]
        finally:
            side.close()
        yield {
            "task": "memory",
            "size": f"{mesh} {n}",
            "value": round((peak - before) / 1e9, 3),
            "baseline": 0.3,
            "unit": "GB above the loaded mesh",
        }


TASKS = {
    "mesh-to-sdf": mesh_to_sdf,
    "isosurface": isosurface,
    "points-to-sdf": points_to_sdf,
    "memory": memory,
}


def _keyed(answer: Any) -> tuple[np.ndarray, np.ndarray]:  # noqa: ANN401
    indices, values = answer["indices"].astype(np.int64), answer["values"]
    key = ((indices[:, 0] + 4096) * 8192 + indices[:, 1] + 4096) * 8192 + indices[:, 2] + 4096
    order = np.argsort(key)
    return key[order], values[order]


def _exact_answer(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    side = Side("ours")
    try:
        side.ask(do="prepare", case={**case, "task": "mesh-to-sdf-exact"})
        side.ask(do="run")
        with tempfile.TemporaryDirectory() as folder:
            side.ask(do="save", path=str(Path(folder) / "exact.npz"))
            return _keyed(np.load(str(Path(folder) / "exact.npz")))
    finally:
        side.close()


def _distances_agree(
    one: Any,  # noqa: ANN401
    other: Any,  # noqa: ANN401
    exact: tuple[np.ndarray, np.ndarray],
) -> tuple[bool, str]:
    """Errors of both on the voxels that all three hold."""
    (key, ours), (peer_key, theirs) = _keyed(one), _keyed(other)
    common = np.intersect1d(np.intersect1d(key, peer_key), exact[0])
    truth = exact[1][np.searchsorted(exact[0], common)]
    errors = [
        np.abs(values[np.searchsorted(keys, common)] - truth)
        for keys, values in ((key, ours), (peer_key, theirs))
    ]
    figures = [(e.mean(), np.percentile(e, 99.9)) for e in errors]
    good = bool(
        len(common) > 0.97 * len(exact[0])
        and figures[0][0] <= figures[1][0]
        and figures[0][1] <= figures[1][1]
    )
    (mean, high), (peer_mean, peer_high) = figures
    return good, (
        f"error in voxels on {len(common)} voxels, ours / peer: mean {mean:.1e} / {peer_mean:.1e}, "
        f"p99.9 {high:.1e} / {peer_high:.1e}"
    )


def _areas_agree(one: Any, other: Any) -> tuple[bool, str]:  # noqa: ANN401
    areas = []
    for answer in (one, other):
        vertices, faces = answer["vertices"].astype(np.float64), answer["faces"]
        area = 0.0
        for start in range(1, faces.shape[1] - 1):
            a, b, c = (vertices[faces[:, k]] for k in (0, start, start + 1))
            area += 0.5 * float(np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1)).sum())
        areas.append(area)
    gap = abs(areas[0] - areas[1]) / areas[1]
    counts = f"{len(one['faces'])} and {len(other['faces'])} faces"
    return gap < 0.02, f"areas differ by {gap:.2%}; {counts}"


def _bands_agree(one: Any, other: Any) -> tuple[bool, str]:  # noqa: ANN401
    (key, ours), (peer_key, theirs) = _keyed(one), _keyed(other)
    common = np.intersect1d(key, peer_key)
    error = np.abs(
        ours[np.searchsorted(key, common)] - theirs[np.searchsorted(peer_key, common)]
    ).max()
    # The band's last thousandth may fall to either side by rounding.
    ours_inner, theirs_inner = key[np.abs(ours) < 0.998], peer_key[np.abs(theirs) < 0.998]
    share = len(np.intersect1d(ours_inner, theirs_inner)) / max(len(ours_inner), len(theirs_inner))
    return bool(share > 0.999 and error < 1e-3), (
        f"{share:.2%} of voxels in both, differing by at most {error:.1e} voxels"
    )
