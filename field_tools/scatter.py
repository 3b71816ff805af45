# SPDX-License-Identifier: GPL-3.0-or-later
"""Points on and in what a field encloses, evenly spread, and thinned to a least distance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .grid import Grid, require_scalar
from .marching_cubes import marching_cubes
from .memory import require_memory
from .neighbours import checked_points, neighbour_pairs
from .operators import gradient
from .sampling import sample

Floats = NDArray[np.float64]

CROWD = 8.0
"""Candidates for each point that a Poisson-disk pattern keeps, about."""
PACKED_DISKS, PACKED_BALLS = 0.70, 0.75
"""Points of a maximal pattern per square and cube of the distance, about."""


def surface_points(
    grid: Grid, distance: float, *, level: float = 0.0, seed: int = 0
) -> tuple[Floats, Floats]:
    """A Poisson-disk pattern on a level set: no two points nearer than a distance, no large gaps.

    Args:
        grid: scalar field, inside below ``level``; at least 4 voxels along each axis.
        distance: least distance of two points (through space), world units above 0.
        level: value on the surface.
        seed: other seeds give other patterns.

    Returns:
        World positions (n, 3) on the surface, and unit normals (n, 3), outwards.

    Raises:
        StagewrightError: ``bad-size``, ``no-surface``, ``grid-shape``, ``grid-too-thin``,
            ``not-finite`` or ``out-of-memory``.
    """
    require_scalar(grid)
    _require_distance(distance)
    surface = marching_cubes(grid, level)
    a, b, c = (surface.vertices[surface.triangles[:, k]].astype(np.float64) for k in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    count = math.ceil(CROWD * PACKED_DISKS * float(area.sum()) / distance**2) + 1
    require_memory(200 * count, f"{count} candidates")
    random = np.random.default_rng(seed)
    chosen = np.searchsorted(np.cumsum(area), random.random(count) * area.sum())
    chosen = np.minimum(chosen, len(area) - 1)
    root, v = np.sqrt(random.random(count)), random.random(count)
    weights = np.stack([1 - root, root * (1 - v), root * v], axis=1)
    points = np.einsum("ni,nik->nk", weights, np.stack([a[chosen], b[chosen], c[chosen]], axis=1))
    places, normals = _onto_level(grid, gradient(grid), points, level)
    keep = poisson_disk(places, distance, seed=seed)
    return places[keep], normals[keep]


def volume_points(
    grid: Grid, distance: float, *, level: float = 0.0, seed: int = 0, jittered: bool = False
) -> Floats:
    """Points inside a level set: a Poisson-disk pattern, or one jittered point per cell.

    Args:
        grid: scalar field, inside below ``level``.
        distance: least distance of two points, or the side of a cell; world units above 0.
        level: value on the surface.
        seed: other seeds give other patterns.
        jittered: one point at random in each cell of side ``distance``: faster, and less even; what
            fluid solvers start from.

    Returns:
        World positions (n, 3); none where nothing is inside.

    Raises:
        StagewrightError: ``bad-size``, ``grid-shape`` or ``out-of-memory``.
    """
    require_scalar(grid)
    _require_distance(distance)
    inside = np.argwhere(grid.values < level)
    if len(inside) == 0:
        return np.empty((0, 3))
    # Half a voxel beyond the outermost voxels inside, the field may still be inside.
    low = grid.index_to_world(inside.min(axis=0) - 1)
    high = grid.index_to_world(inside.max(axis=0) + 1)
    cell = distance if jittered else distance / np.cbrt(CROWD * PACKED_BALLS)
    counts = np.ceil((high - low) / cell).astype(np.int64)
    require_memory(100 * math.prod(counts.tolist()), f"{math.prod(counts.tolist())} candidates")
    random = np.random.default_rng(seed)
    parts = []
    for plane in range(int(counts[0])):  # A plane of cells at a time: most lie outside.
        y, z = np.meshgrid(np.arange(counts[1]), np.arange(counts[2]), indexing="ij")
        index = np.stack([np.full(y.size, plane), y.reshape(-1), z.reshape(-1)], axis=1)
        points = low + (index + random.random(index.shape)) * cell
        parts.append(points[sample(grid, points) < level])
    points = np.concatenate(parts)
    if jittered or len(points) == 0:
        return points
    return points[poisson_disk(points, distance, seed=seed)]


def poisson_disk(points: ArrayLike, distance: float, *, seed: int = 0) -> NDArray[np.int64]:
    """A largest choice of points of which no two are nearer than a distance.

    Points get random ranks; in each round those that rank before all their neighbours stay, and
    their neighbours go (M. Luby 1986): dart throwing, but all at once.

    Args:
        points: (n, 3) world positions.
        distance: world units above 0.
        seed: other seeds give other choices.

    Returns:
        The numbers of the points kept, ascending. Every other point has one of them nearer than
        the distance.

    Raises:
        StagewrightError: ``bad-size``, ``points-shape``, ``points-empty`` or ``not-finite``.
    """
    _require_distance(distance)
    places = checked_points(points)
    rank = np.random.default_rng(seed).permutation(len(places))
    open_ = np.arange(len(places))
    kept = []
    while len(open_):
        own = rank[open_]
        least = own.copy()
        pairs = []
        for one, other in neighbour_pairs(places[open_], distance):
            # Only pairs of a lower rank beside a higher one matter, once.
            lower = own[one] < own[other]
            pairs.append((one[lower], other[lower]))
        for one, other in pairs:
            np.minimum.at(least, other, own[one])
        stays = least == own
        gone = stays.copy()
        for one, other in pairs:
            gone[other[stays[one]]] = True
        kept.append(open_[stays])
        open_ = open_[~gone]
    return np.sort(np.concatenate(kept))


def _onto_level(grid: Grid, slope: Grid, points: Floats, level: float) -> tuple[Floats, Floats]:
    """Points moved onto the level set (Newton's method along the gradient), and unit normals."""
    normals = np.zeros_like(points)
    for _ in range(3):
        ahead = sample(slope, points).astype(np.float64)
        square = np.maximum(np.einsum("ij,ij->i", ahead, ahead), 1e-30)
        step = (sample(grid, points) - level) / square
        # Never far: beyond a voxel the field says nothing about this part of the surface.
        length = np.abs(step) * np.sqrt(square)
        step *= np.minimum(1, grid.voxel_size / np.maximum(length, 1e-30))
        points = points - step[:, None] * ahead
        normals = ahead / np.sqrt(square)[:, None]
    return points, normals


def _require_distance(distance: Any) -> None:
    if not (np.isfinite(distance) and distance > 0):
        raise StagewrightError(
            "bad-size", f"The distance {distance!r} is no length above 0.", "Give a finite length."
        )
