# SPDX-License-Identifier: GPL-3.0-or-later
"""Adaptive surfaces: large triangles where a surface is flat, small ones where it bends.

Edges are collapsed as long as no vertex leaves the planes of the triangles it stands for by more
than a tolerance (quadric error, M. Garland and P. Heckbert 1997). In each round the collapses are
chosen so far apart that none touches another's triangles, so numpy does them all at once, and the
link condition (T. Dey et al. 1999) keeps the mesh manifold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .marching_cubes import TriangleSurface
from .triangles import validated_mesh

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDS = 200
STEEP = 0.5
"""Least cosine between a triangle's normals before and after."""
_ENOUGH = 0.002
"""Part of the edges that a round has to collapse for another to follow."""


def simplify(vertices: ArrayLike, triangles: ArrayLike, tolerance: float) -> TriangleSurface:
    """The mesh with fewer triangles, within a distance of the planes of those it had.

    Vertices on an open rim stay where they are.

    Args:
        vertices: (n, 3) world positions.
        triangles: (m, 3) vertex indices of a manifold mesh, as isosurfaces are.
        tolerance: world units, above 0; half a voxel keeps the shape of a field's surface.

    Raises:
        StagewrightError: ``bad-size``, and what `validated_mesh` refuses.
    """
    positions, faces = validated_mesh(vertices, triangles)
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise StagewrightError(
            "bad-size", f"The tolerance {tolerance!r} is no length above 0.", "Give half a voxel."
        )
    points, corners = positions.astype(np.float64), faces.astype(np.int64)
    quadrics = _quadrics(points, corners)
    random = np.random.default_rng(0)  # Seeded: one mesh, one answer.
    for _ in range(ROUNDS):
        edges, fixed = _edges(corners, len(points))
        before = len(corners)
        points, corners, quadrics = _collapse(
            points, corners, quadrics, edges, fixed, tolerance, random
        )
        if before - len(corners) <= _ENOUGH * before:
            break
    used = np.unique(corners)
    index = np.zeros(len(points), np.int32)
    index[used] = np.arange(len(used), dtype=np.int32)
    return TriangleSurface(points[used].astype(np.float32), index[corners])


def _quadrics(points: Floats, corners: Ints) -> Floats:
    """(n, 4, 4) sums of the squared distances to the planes of each vertex' triangles."""
    normal = _normals(points, corners)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0)
    height = -np.einsum("ij,ij->i", normal, points[corners[:, 0]])
    plane = np.concatenate([normal, height[:, None]], axis=1)
    quadrics = np.zeros((len(points), 4, 4))
    for i in range(4):
        for j in range(i, 4):
            value = plane[:, i] * plane[:, j]
            total = sum(np.bincount(corners[:, k], value, len(points)) for k in range(3))
            quadrics[:, i, j] = quadrics[:, j, i] = total
    return quadrics


def _edges(corners: Ints, count: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Unique edges (e, 2), and which vertices lie on a rim or an edge of many triangles."""
    start, end = corners.reshape(-1), np.roll(corners, -1, axis=1).reshape(-1)
    key, amount = np.unique(
        np.minimum(start, end) * count + np.maximum(start, end), return_counts=True
    )
    edges = np.stack([key // count, key % count], axis=1)
    fixed = np.zeros(count, bool)
    fixed[edges[amount != 2]] = True
    return edges, fixed


def _collapse(
    points: Floats,
    corners: Ints,
    quadrics: Floats,
    edges: Ints,
    fixed: NDArray[np.bool_],
    tolerance: float,
    random: np.random.Generator,
) -> tuple[Floats, Ints, Floats]:
    """One round of collapses that do not touch each other."""
    count = len(points)
    # Every plane is summed at each of its three corners.
    place, error = _best_places(points, quadrics, edges)
    able = np.flatnonzero((error < 3 * tolerance**2) & ~fixed[edges].any(axis=1))
    # Small errors and short edges first, in few classes: within one chance decides, for in the
    # order of errors alone hardly any two edges would be the first in their neighbourhoods.
    length = np.linalg.norm(points[edges[able, 0]] - points[edges[able, 1]], axis=1)
    cost = np.floor(4 * error[able] / (3 * tolerance**2))
    cost += np.floor(np.log2(np.maximum(length, 1e-3 * tolerance)))
    able = able[np.lexsort((random.permutation(len(able)), cost))]
    able = able[_linked(edges, able, count)]
    rank = np.full(len(edges), len(edges))
    rank[able] = np.arange(len(able))
    for _ in range(3):  # A collapse that would turn a triangle over makes room for others.
        chosen = _apart(edges, rank, count)
        turned = _turned(points, corners, edges, chosen, place)
        if not turned.any():
            break
        rank[chosen[turned]] = len(edges)
    chosen = chosen[~turned]
    keep, gone = edges[chosen, 0], edges[chosen, 1]
    points, quadrics = points.copy(), quadrics.copy()
    points[keep] = place[chosen]
    quadrics[keep] += quadrics[gone]
    new = np.arange(count)
    new[gone] = keep
    corners = new[corners]
    proper = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    return points, corners[proper], quadrics


def _best_places(points: Floats, quadrics: Floats, edges: Ints) -> tuple[Floats, Floats]:
    """Where each edge's vertices meet best, and the error there."""
    total = quadrics[edges[:, 0]] + quadrics[edges[:, 1]]
    a, b = points[edges[:, 0]], points[edges[:, 1]]
    middle = (a + b) / 2
    # The minimum of the quadric; a pull to the middle decides where planes leave a way open.
    matrix = total[:, :3, :3] + 1e-3 * np.eye(3)
    right = 1e-3 * middle - total[:, :3, 3]
    best = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
    far = ((best - middle) ** 2).sum(axis=1) > ((b - a) ** 2).sum(axis=1)
    best = np.where(far[:, None], middle, best)
    spot = np.concatenate([best, np.ones((len(best), 1))], axis=1)
    error = np.einsum("ei,eij,ej->e", spot, total, spot)
    return best, np.maximum(error, 0)


def _linked(edges: Ints, able: Ints, count: int) -> NDArray[np.bool_]:
    """Which edges' vertices have just two neighbours in common (the link condition)."""
    start = np.concatenate([edges[:, 0], edges[:, 1]])
    end = np.concatenate([edges[:, 1], edges[:, 0]])
    order = np.lexsort((end, start))
    start, end = start[order], end[order]
    first = np.searchsorted(start, np.arange(count + 1))
    a, b = edges[able].T
    amount = first[a + 1] - first[a]
    owner = np.repeat(np.arange(len(able)), amount)
    at = np.arange(len(owner)) - np.repeat(np.cumsum(amount) - amount, amount) + first[a][owner]
    key = start * count + end
    wanted = b[owner] * count + end[at]
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    common = np.bincount(owner, key[place] == wanted, len(able))
    return common == 2


def _apart(edges: Ints, rank: Ints, count: int) -> Ints:
    """Edges of lowest rank among all that touch their neighbourhoods."""
    least = np.full(count, len(edges))
    np.minimum.at(least, edges.reshape(-1), np.repeat(rank, 2))
    around = least.copy()
    np.minimum.at(around, edges[:, 0], least[edges[:, 1]])
    np.minimum.at(around, edges[:, 1], least[edges[:, 0]])
    lowest = (rank <= around[edges[:, 0]]) & (rank <= around[edges[:, 1]])
    return np.flatnonzero(lowest & (rank < len(edges)))


def _turned(
    points: Floats, corners: Ints, edges: Ints, chosen: Ints, place: Floats
) -> NDArray[np.bool_]:
    """Which chosen edges would turn a triangle that stays by too much."""
    owner = np.full(len(points), -1)
    owner[edges[chosen].reshape(-1)] = np.repeat(np.arange(len(chosen)), 2)
    moved = points.copy()
    for k in range(2):
        moved[edges[chosen, k]] = place[chosen]
    of = owner[corners]
    touched = np.flatnonzero((of >= 0).any(axis=1))
    stays = (of[touched] >= 0).sum(axis=1) == 1
    touched = touched[stays]
    before, after = _normals(points, corners[touched]), _normals(moved, corners[touched])
    product = np.einsum("ij,ij->i", before, after)
    sizes = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    bad = product <= STEEP * sizes
    result = np.zeros(len(chosen), bool)
    result[of[touched[bad]].max(axis=1)] = True
    return result


def _normals(points: Floats, corners: Ints) -> Floats:
    a, b, c = (points[corners[:, k]] for k in range(3))
    return np.cross(b - a, c - a)
