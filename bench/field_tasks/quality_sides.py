# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside, and exact distances, of whole and damaged meshes: the side that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_sides import ball, torus

Mesh = tuple[Any, Any]
N = 96
"""Voxels along a side of the box around every mesh."""


def two_balls() -> Mesh:
    """Two balls apart from each other."""
    vertices, faces = ball(24, 0.2)
    moved = np.concatenate([vertices + 0.18, vertices * 0.8 - 0.2])
    return moved.astype(np.float32), np.concatenate([faces, faces + len(vertices)])


def cube() -> Mesh:
    """A cube, cut finely, with its edges sharp."""
    vertices, faces = ball(32, 1.0)
    return (vertices / np.abs(vertices).max(axis=1, keepdims=True) * 0.3).astype(np.float32), faces


SHAPES: dict[str, Callable[[], Mesh]] = {
    "torus": lambda: torus(144, 55),
    "bumpy ball": lambda: ball(32, 0.4),
    "ellipsoid": lambda: (ball(32, 0.4)[0] * np.float32([1, 0.7, 0.5]), ball(32, 0.4)[1]),
    "cube": cube,
    "thin torus": lambda: (torus(200, 40)[0] * np.float32([1, 1, 0.6]), torus(200, 40)[1]),
    "two balls": two_balls,
}
SHIFT = np.float32([0.06, 0.05, -0.04])


def turned(mesh: Mesh) -> Mesh:
    """Off the axes and the lattice."""
    turn = np.linalg.qr(np.array([[1.0, 0.4, -0.3], [-0.5, 1.0, 0.2], [0.1, -0.4, 1.0]]))[0]
    turn *= np.sign(np.linalg.det(turn))
    return (mesh[0] @ turn.T + [0.0031, -0.0017, 0.0023]).astype(np.float32), mesh[1]


def hole(vertices: Any, faces: Any, seed: int) -> Mesh:
    """The triangles nearest to a random one removed, 3 % of the area: over edges too."""
    a, b, c = (vertices[faces[:, k]].astype(float) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    center = (a + b + c) / 3
    at = np.random.default_rng(seed).integers(len(faces))
    order = np.argsort(np.linalg.norm(center - center[at], axis=1))
    gone = np.cumsum(area[order]) <= 0.03 * area.sum()
    return vertices, faces[np.sort(order[~gone])]


def damaged(mesh: Mesh, damage: str, seed: int) -> Mesh:
    """The mesh after a damage."""
    vertices, faces = mesh
    some = np.random.default_rng(seed).random(len(faces)) < 0.02
    if damage == "2 % removed":
        return vertices, faces[~some]
    if damage == "2 % flipped":
        return vertices, np.where(some[:, None], faces[:, ::-1], faces)
    if damage == "one hole of 3 %":
        return hole(vertices, faces, seed)
    if damage == "self-intersection":
        return np.concatenate([vertices, vertices + SHIFT]), np.concatenate(
            [faces, faces + len(vertices)]
        )
    if damage == "duplicated faces":
        return vertices, np.concatenate([faces, faces[some]])
    return mesh


DAMAGES = (
    "2 % removed",
    "2 % flipped",
    "one hole of 3 %",
    "self-intersection",
    "duplicated faces",
)


def prepare(side: str, case: dict[str, Any]) -> tuple[Any, Any, str]:
    """Inside of every voxel, or the exact band."""
    mesh = turned(SHAPES[case["mesh"]]())
    if case["task"] == "mesh-to-sdf-exact":
        from stagewright.field_tools.mesh_sdf import mesh_to_sdf

        def band_answer(band: Any) -> dict[str, Any]:
            at = band.indices * band.voxel_size + np.array(band.origin)
            arrays = {"points": at, "distances": band.distances}
            return {**arrays, "vertices": mesh[0], "faces": mesh[1]}

        return lambda: mesh_to_sdf(*mesh, case["voxel"], exact=True), band_answer, side
    from stagewright.field_tools.sign import inside_voxels
    from stagewright.field_tools.triangles import TriangleMesh

    def inside(vertices: Any, faces: Any, method: str) -> Any:
        points = np.ascontiguousarray((vertices * N + N / 2).T, np.float32)
        corners = np.ascontiguousarray(faces.T, np.int32)
        keys = np.arange(N**3)
        return inside_voxels(TriangleMesh(points, corners), keys, (N,) * 3, method)

    truth = inside(*mesh, "columns")
    if case["damage"] == "self-intersection":
        truth |= inside(mesh[0] + SHIFT, mesh[1], "columns")
    bad = damaged(mesh, case["damage"], case["seed"])

    def answer(result: Any) -> dict[str, Any]:
        return {"wrong": (result != truth).reshape(N, N, N), "inside": int(truth.sum())}

    return lambda: inside(*bad, "auto"), answer, side
