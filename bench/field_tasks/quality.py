# SPDX-License-Identifier: GPL-3.0-or-later
"""Benches of right and wrong: signs of damaged meshes, exact distances. No times, no peers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from quality_sides import DAMAGES, SHAPES
from sides import Row, Side

SIDES = "field_tasks/quality_sides"


def sign(quick: bool) -> Iterator[Row]:
    """Wrong voxels of damaged meshes, by shape and damage; the worst of several damages."""
    side = Side(SIDES, "ours")
    try:
        for mesh in list(SHAPES)[:2] if quick else SHAPES:
            for damage in DAMAGES:
                seeds = range(1 if quick or damage == "self-intersection" else 4)
                share, longest = 0.0, 0
                for seed in seeds:
                    case = {"task": "sign", "mesh": mesh, "damage": damage, "seed": seed}
                    answer = _ask(side, case)
                    share = max(share, float(answer["wrong"].sum() / answer["inside"]))
                    longest = max(longest, longest_component(answer["wrong"]))
                size = f"{mesh}, {damage}"
                row = {"task": "sign", "size": size, "note": f"worst of {len(seeds)}"}
                yield {**row, "value": 100 * share, "baseline": 1.0, "unit": "% of the interior"}
                yield {**row, "value": longest, "baseline": 5, "unit": "voxels in a row"}
    finally:
        side.close()


def mesh_to_sdf_exact(quick: bool) -> Iterator[Row]:
    """Exact bands against brute force in 64 bits."""
    side = Side(SIDES, "ours")
    try:
        for mesh in SHAPES:
            voxel = 1 / 64 if quick else 1 / 128
            answer = _ask(side, {"task": "mesh-to-sdf-exact", "mesh": mesh, "voxel": voxel})
            count = 200 if quick else 1500
            some = np.random.default_rng(0).choice(len(answer["points"]), count, replace=False)
            truth = brute_distances(answer["points"][some], answer["vertices"], answer["faces"])
            error = np.abs(np.abs(answer["distances"][some]) - truth).max() / voxel
            yield {
                "task": "mesh-to-sdf-exact",
                "size": f"{mesh} {round(1 / voxel)}",
                "value": float(error),
                "baseline": 1e-3,
                "unit": "voxels, greatest error",
                "note": f"{count} voxels of {len(answer['points'])} by brute force",
            }
    finally:
        side.close()


TASKS = {"sign": sign, "mesh-to-sdf-exact": mesh_to_sdf_exact}


def longest_component(wrong: Any) -> int:
    """Greatest extent along an axis of the components that hang together by faces."""
    label = np.where(wrong, np.arange(wrong.size).reshape(wrong.shape), -1)
    while True:  # Every voxel takes the greatest label beside it.
        spread = label.copy()
        for axis in range(3):
            one, other = np.moveaxis(spread, axis, 0), np.moveaxis(label, axis, 0)
            np.maximum(one[1:], other[:-1], out=one[1:])
            np.maximum(one[:-1], other[1:], out=one[:-1])
        spread[~wrong] = -1
        if np.array_equal(spread, label):
            break
        label = spread
    places, labels = np.argwhere(wrong), label[wrong]
    return max((int(np.ptp(places[labels == k], axis=0).max()) + 1 for k in set(labels)), default=0)


def brute_distances(points: Any, vertices: Any, faces: Any) -> Any:
    """Least distances of points to all triangles: to planes with the foot inside, to sides."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    best = np.empty(len(points))
    for number, p in enumerate(np.asarray(points, np.float64)):
        inside = length > 0
        sides = []
        for start, end in ((a, b), (b, c), (c, a)):
            way = end - start
            inside &= np.einsum("ij,ij->i", np.cross(way, p - start), normal) >= 0
            t = np.einsum("ij,ij->i", p - start, way) / np.einsum("ij,ij->i", way, way)
            sides.append(np.linalg.norm(p - start - np.clip(t, 0, 1)[:, None] * way, axis=1))
        plane = np.abs(np.einsum("ij,ij->i", p - a, normal)) / np.where(length > 0, length, 1)
        best[number] = np.where(inside, plane, np.minimum.reduce(sides)).min()
    return best


def _ask(side: Side, case: dict[str, Any]) -> Any:
    side.ask(do="prepare", case=case)
    side.ask(do="run")
    with tempfile.TemporaryDirectory() as folder:
        return side.answer(folder)
