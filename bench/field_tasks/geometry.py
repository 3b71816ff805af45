# SPDX-License-Identifier: GPL-3.0-or-later
"""Benches of geometry to fields and back, beside OpenVDB, scikit-image and Blender's nodes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from sides import Row, Side, Verdict, compare

SIDES = "field_tasks/geometry_sides"


def mesh_to_sdf(quick: bool) -> Iterator[Row]:
    """Mesh to signed distance beside OpenVDB, on the same voxels, against the exact distance."""
    meshes = ("torus 1M", "torus 250k", "ball 250k", "torus 16k")
    for mesh in meshes[-1:] if quick else meshes:
        for n in (128,) if quick else (128, 256):
            case = {"task": "mesh-to-sdf", "mesh": mesh, "n": n, "voxel": 0.96 / n}
            exact = _exact_answer(case)

            def judge(one: Any, other: Any, exact: Any = exact) -> Verdict:
                return _distances_agree(one, other, exact)

            yield from compare(SIDES, case, f"{mesh} {n}", "openvdb", judge, 3 if quick else 5)


def isosurface(quick: bool) -> Iterator[Row]:
    """Surfaces beside OpenVDB's quads and scikit-image's marching cubes."""
    for n in (128,) if quick else (128, 256):
        for name in ("sphere", "gyroid", "noise"):
            for peer in ("openvdb", "scikit-image"):
                case = {"task": "isosurface", "field": name, "n": n}
                size = f"{name} {n}^3"
                yield from compare(SIDES, case, size, peer, _areas_agree, 3 if quick else 5)


def points_to_sdf(quick: bool) -> Iterator[Row]:
    """Particles to SDF beside Blender's node, stored as the same grid."""
    count = 100_000 if quick else 1_000_000
    for radius in (1.5,) if quick else (1.5, 2.0):
        case = {
            "task": "points-to-sdf",
            "count": count,
            "radius": radius,
            "voxel": 1 / 145,
        }
        size = f"{count} particles of {radius} voxels"
        yield from compare(SIDES, case, size, "blender", _bands_agree, 3 if quick else 5)


def memory(quick: bool) -> Iterator[Row]:
    """Peak memory of a band at 512^3 above the loaded mesh, each in a fresh process."""
    n = 256 if quick else 512
    # The ball's mesh fills the box.
    for mesh in ("torus 16k",) if quick else ("torus 1M", "ball 250k"):
        side = Side(SIDES, "ours")
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


def _keyed(answer: Any) -> tuple[np.ndarray, np.ndarray]:
    indices, values = answer["indices"].astype(np.int64), answer["values"]
    key = ((indices[:, 0] + 4096) * 8192 + indices[:, 1] + 4096) * 8192 + indices[:, 2] + 4096
    order = np.argsort(key)
    return key[order], values[order]


def _exact_answer(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    side = Side(SIDES, "ours")
    try:
        side.ask(do="prepare", case={**case, "task": "mesh-to-sdf-exact"})
        side.ask(do="run")
        with tempfile.TemporaryDirectory() as folder:
            return _keyed(side.answer(folder))
    finally:
        side.close()


def _distances_agree(
    one: Any,
    other: Any,
    exact: tuple[np.ndarray, np.ndarray],
) -> Verdict:
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
    return Verdict(
        good,
        f"error in voxels on {len(common)} voxels, ours / peer: mean {mean:.1e} / {peer_mean:.1e}, "
        f"p99.9 {high:.1e} / {peer_high:.1e}",
    )


def _areas_agree(one: Any, other: Any) -> Verdict:
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
    return Verdict(gap < 0.02, f"areas differ by {gap:.2%}; {counts}")


def _bands_agree(one: Any, other: Any) -> Verdict:
    (key, ours), (peer_key, theirs) = _keyed(one), _keyed(other)
    common = np.intersect1d(key, peer_key)
    error = np.abs(
        ours[np.searchsorted(key, common)] - theirs[np.searchsorted(peer_key, common)]
    ).max()
    # The band's last thousandth may fall to either side by rounding.
    ours_inner, theirs_inner = key[np.abs(ours) < 0.998], peer_key[np.abs(theirs) < 0.998]
    share = len(np.intersect1d(ours_inner, theirs_inner)) / max(len(ours_inner), len(theirs_inner))
    return Verdict(
        bool(share > 0.999 and error < 1e-3),
        f"{share:.2%} of voxels in both, differing by at most {error:.1e} voxels",
    )
