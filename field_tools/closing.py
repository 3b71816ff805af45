# SPDX-License-Identifier: GPL-3.0-or-later
"""Close a damaged mesh for the question of what lies inside.

The triangles are taken as an integer chain. Its boundary, every directed edge with what is missing
to balance it, falls into cycles, and a patch over each makes the chain closed: a hole is covered, a
flipped triangle is balanced by two right ones, a duplicated one is taken back. A patch over a large
hole continues the surface around it by a polynomial height field, so that the inside bulges as the
surface did instead of ending at a flat lid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .triangles import TriangleMesh

LOOP = 8
"""Cycles of at least this many edges get a smooth patch, shorter ones a fan."""
RINGS = 12
"""Most rings of vertices around a hole that are looked at."""
LAYERS = 12
"""Most concentric strips of a smooth patch."""


def closed_chain(mesh: TriangleMesh) -> TriangleMesh:
    """The mesh, vertices at one position joined, with patches that close its boundary."""
    points, corners = _welded(mesh)
    new_points: list[NDArray[np.floating]] = []
    new_corners: list[NDArray[np.int32]] = []
    count = points.shape[1]
    for cycle in _boundary_cycles(corners, count):
        if len(cycle) == 3:
            new_corners.append(cycle[:, None])
            continue
        if len(cycle) < LOOP:
            patch = points[:, cycle].mean(axis=1, keepdims=True)
        else:
            patch = _smooth_patch(points, corners, cycle)
        new_points.append(patch)
        new_corners.append(_strips(cycle, patch.shape[1], count))
        count += patch.shape[1]
    return TriangleMesh(
        np.concatenate([points, *new_points], axis=1, dtype=points.dtype),
        np.concatenate([corners, *new_corners], axis=1, dtype=np.int32),
    )


def _welded(mesh: TriangleMesh) -> tuple[NDArray[np.floating], NDArray[np.int32]]:
    order = np.lexsort(mesh.points)
    ordered = mesh.points[:, order]
    new = np.ones(len(order), bool)
    new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    index = np.empty(len(order), np.int32)
    index[order] = np.cumsum(new) - 1
    corners = index[mesh.corners]
    proper = (corners != np.roll(corners, 1, axis=0)).all(axis=0)
    return ordered[:, new], corners[:, proper]


def _boundary_cycles(corners: NDArray[np.int32], vertex_count: int) -> list[NDArray[np.int32]]:
    """Simple cycles of directed edges that balance the triangles' own."""
    start, end = corners.reshape(-1), np.roll(corners, -1, axis=0).reshape(-1)
    low, high = np.minimum(start, end).astype(np.int64), np.maximum(start, end)
    key = np.sort((low * vertex_count + high) * 2 + (start < end))
    edge = key >> 1
    first = np.flatnonzero(np.diff(edge, prepend=-1))
    excess = np.add.reduceat(2 * (key & 1) - 1, first)
    missing = excess != 0
    edge, excess = edge[first][missing], excess[missing]
    low, high = edge // vertex_count, edge % vertex_count
    start, end = np.where(excess > 0, high, low), np.where(excess > 0, low, high)
    start, end = np.repeat(start, np.abs(excess)), np.repeat(end, np.abs(excess))
    following: dict[int, list[int]] = {}
    for a, b in zip(start.tolist(), end.tolist(), strict=True):
        following.setdefault(a, []).append(b)
    cycles = []
    # As many edges enter a vertex as leave it, so a walk only ends where it meets itself.
    for seed in list(following):
        path, place = [seed], {seed: 0}
        while following.get(path[-1]):
            vertex = following[path[-1]].pop()
            if vertex not in place:
                place[vertex] = len(path)
                path.append(vertex)
                continue
            cycle = path[place[vertex] :]
            if len(cycle) > 2:
                cycles.append(np.array(cycle, np.int32))
            for gone in path[place[vertex] + 1 :]:
                del place[gone]
            path = path[: place[vertex] + 1]
    return cycles


def _smooth_patch(
    points: NDArray[np.floating], corners: NDArray[np.int32], cycle: NDArray[np.int32]
) -> NDArray[np.floating]:
    """Points of concentric copies of the rim, outermost first, and the centre."""
    rim = points[:, cycle].astype(np.float64)
    center = rim.mean(axis=1, keepdims=True)
    normal = np.cross(rim - center, np.roll(rim, -1, axis=1) - center, axis=0).sum(axis=1)
    length = float(np.linalg.norm(normal))
    layers = int(np.clip(len(cycle) // 8, 1, LAYERS))
    scales = np.repeat(np.arange(layers - 1, 0, -1) / layers, len(cycle))
    flat = center + (np.tile(rim, max(layers - 1, 0)) - center) * scales
    if length < 1e-12:
        return np.concatenate([flat, center], axis=1)
    normal /= length
    side = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    side /= np.linalg.norm(side)
    frame = np.stack([side, np.cross(normal, side), normal])
    local_rim = frame @ (rim - center)
    radius = float(np.hypot(*local_rim[:2]).max())
    around = frame @ (points[:, _rings(points, corners, cycle, radius)] - center)
    around /= radius
    degree = 4 if around.shape[1] >= 60 else 2
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]

    def terms(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.stack([x**i * y**j for i, j in powers], axis=1)

    fit, *_ = np.linalg.lstsq(terms(around[0], around[1]), around[2], rcond=1e-4)
    local_rim /= radius
    rest = local_rim[2] - terms(local_rim[0], local_rim[1]) @ fit
    inner = np.concatenate([np.tile(local_rim, layers - 1) * scales, np.zeros((3, 1))], axis=1)
    # The rim keeps its own height; what the polynomial misses there fades towards the centre.
    inner[2] = terms(inner[0], inner[1]) @ fit
    inner[2, :-1] += np.tile(rest, layers - 1) * scales
    inner[2] = np.clip(inner[2], -1.5, 1.5)
    result: NDArray[np.floating] = frame.T @ (inner * radius) + center
    return result


def _rings(
    points: NDArray[np.floating],
    corners: NDArray[np.int32],
    cycle: NDArray[np.int32],
    radius: float,
) -> NDArray[np.int64]:
    """Vertices around a hole, ring by ring to about half its radius away."""
    near = np.zeros(points.shape[1], bool)
    near[cycle] = True
    edge = points[:, cycle] - points[:, np.roll(cycle, 1)]
    step = float(np.sqrt((edge * edge).sum(axis=0)).mean())
    for _ in range(int(np.clip(0.5 * radius / max(step, 1e-12), 2, RINGS))):
        touched = near[corners].any(axis=0)
        near[corners[:, touched]] = True
    return np.flatnonzero(near)


def _strips(cycle: NDArray[np.int32], patch: int, first: int) -> NDArray[np.int32]:
    """Triangles (3, t) between the rim, its concentric copies and the centre point."""
    size = len(cycle)
    rings = [cycle, *(first + np.arange(patch - 1, dtype=np.int32).reshape(-1, size))]
    parts = []
    for outer, inner in zip(rings[:-1], rings[1:], strict=True):
        following, inner_following = np.roll(outer, -1), np.roll(inner, -1)
        parts.append(np.stack([outer, following, inner_following]))
        parts.append(np.stack([outer, inner_following, inner]))
    last = rings[-1]
    center = np.full(size, first + patch - 1, np.int32)
    parts.append(np.stack([last, np.roll(last, -1), center]))
    return np.concatenate(parts, axis=1).astype(np.int32)
