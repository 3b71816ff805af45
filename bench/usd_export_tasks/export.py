# SPDX-License-Identifier: GPL-3.0-or-later
"""Time, size of file and memory of an export, beside Blender's own exporter."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rows import Row
from sides import Side, Verdict, compare

SIDES = "usd_export_tasks/export_sides"
PARTS = ("read", "write values", "write tables")
SCENE = "axes in the scene"


def objects(quick: bool) -> Iterator[Row]:
    """Many small objects side by side."""
    for count in (500,) if quick else (1000, 2000, 4000, 8000):
        for materials in (False, True):
            size = f"{count}{', materials' if materials else ''}"
            case = {"task": "objects", "scene": "objects", "count": count, "materials": materials}
            yield from _measured(case, size, quick)


def objects_grouped(quick: bool) -> Iterator[Row]:
    """Many small objects under 80 parents."""
    for count in (500,) if quick else (1000, 2000, 4000, 8000):
        case = {"task": "objects-grouped", "scene": "objects", "count": count, "grouped": True}
        yield from _measured(case, f"{count}", quick)


def instances(quick: bool) -> Iterator[Row]:
    """Instances on points; Blender's exporter is right for prototypes that are objects alone."""
    count = 10_000 if quick else 200_000
    case = {"task": "instances", "scene": "instances", "count": count, "made": False}
    yield from _measured(case, f"{count} of an object", quick)
    yield from _measured({**case, "made": True}, f"{count} made by nodes", quick)


def mesh(quick: bool) -> Iterator[Row]:
    """One mesh with everything on it."""
    for polygons in (100_000,) if quick else (1_000_000, 5_000_000):
        case = {"task": "mesh", "scene": "mesh", "polygons": polygons}
        yield from _measured(case, f"{polygons} polygons", quick)


def deforming_mesh(quick: bool) -> Iterator[Row]:
    """A mesh that changes in every frame."""
    frames, polygons = (10, 10_000) if quick else (100, 40_000)
    case = {
        "task": "deforming-mesh",
        "scene": "deforming-mesh",
        "polygons": polygons,
        "frames": frames,
    }
    yield from _measured(case, f"{polygons} polygons, {frames} frames", quick)


TASKS = {
    "objects": objects,
    "objects-grouped": objects_grouped,
    "instances": instances,
    "mesh": mesh,
    "deforming-mesh": deforming_mesh,
}


def _measured(case: dict[str, Any], size: str, quick: bool) -> Iterator[Row]:
    """Rows of time and file size, then of memory."""
    yield from compare(SIDES, case, size, "native", _judge, 3 if quick else 7)
    growth = [_growth(side, case) for side in ("ours", "native")]
    yield {
        "task": case["task"],
        "size": f"{size}, memory",
        "peer": "native",
        "value": round(growth[0] / 1e6, 1),
        "baseline": round(growth[1] / 1e6, 1),
        "unit": "MB above the scene",
    }


def _growth(name: str, case: dict[str, Any]) -> int:
    """Peak memory of one export above the loaded scene, in a fresh process."""
    side = Side(SIDES, name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            side.ask(do="prepare", case={**case, "scratch": str(Path(folder) / "x")})
            before = side.ask(do="forget-peak")["bytes"]
            side.ask(do="run")
            return int(side.ask(do="peak")["bytes"] - before)
    finally:
        side.close()


def _judge(ours: Any, native: Any) -> Verdict:
    """Whether both files hold the same values."""
    worst = {}
    for name in sorted(native.keys() - {"bytes", SCENE}):
        one, other = ours.get(name, native[name][:0]), native[name]
        if one.shape != other.shape:
            return Verdict(False, f"{name}: {one.shape}, {other.shape}")
        worst[name] = float(np.abs(one.astype(np.float64) - other).max(initial=0))
    note = ""
    if SCENE in ours:
        # Blender turns instances by way of Euler angles, which blur where two of them turn about
        # one axis, and keeps half precision: both are held against the scene itself.
        off = [
            np.abs(side["axes"] - side[SCENE]) / np.abs(side[SCENE]).max()
            for side in (ours, native)
        ]
        greatest, middle = [float(each.max()) for each in off], float(np.median(off[1]))
        worst |= {"axes": greatest[0], "native's axes": middle}
        note = f"axes off the scene's by {greatest[0]:.0e}, native's by {greatest[1]:.0e}"
    scale = np.abs(native["places" if "places" in native else "points"]).max()
    allowed = {
        "points": 1e-6 * scale,
        "places": 1e-6 * scale,
        "axes": 1e-5,
        "native's axes": 1e-3,
        "normals": 1e-5,
    }
    wrong = [name for name, error in worst.items() if error > allowed.get(name, 1e-6)]
    total = sum(float(ours[part]) for part in PARTS)
    qualities = [(part, float(ours[part]), total, "s of our first run") for part in PARTS]
    size = (float(ours["bytes"]) / 1e6, float(native["bytes"]) / 1e6)
    return Verdict(
        not wrong,
        f"differs: {', '.join(f'{n} by {worst[n]:.2g}' for n in wrong)}" if wrong else note,
        [("file", *size, "MB"), *qualities],
    )
