# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact signed distance functions of simple solids.

Every function takes points, shape (..., 3), in world units and returns float64 distances of shape
(...): negative inside, and everywhere the true distance to the surface, not a bound. Formulas:
I. Quilez, "Distance functions" (iquilezles.org/articles/distfunctions).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .grid import Grid

Distances = NDArray[np.float64]
DistanceFunction = Callable[[NDArray[np.float64]], Distances]


def sphere(points: ArrayLike, radius: float, center: ArrayLike = (0.0, 0.0, 0.0)) -> Distances:
    """Signed distance to a sphere."""
    return _length(_relative(points, center)) - _positive(radius, "radius")


def box(points: ArrayLike, half_size: ArrayLike, center: ArrayLike = (0.0, 0.0, 0.0)) -> Distances:
    """Signed distance to an axis-aligned box of half extents ``half_size`` (3 lengths)."""
    sides = np.asarray(half_size, np.float64)
    for side in sides:
        _positive(float(side), "half size")
    outward = np.abs(_relative(points, center)) - sides
    return _length(np.maximum(outward, 0.0)) + np.minimum(outward.max(axis=-1), 0.0)


def torus(
    points: ArrayLike, major: float, minor: float, center: ArrayLike = (0.0, 0.0, 0.0)
) -> Distances:
    """Signed distance to a torus about z: ``major`` to the tube's axis, ``minor`` its radius."""
    local = _relative(points, center)
    ring = np.hypot(local[..., 0], local[..., 1]) - _positive(major, "major radius")
    return np.hypot(ring, local[..., 2]) - _positive(minor, "minor radius")


def capsule(points: ArrayLike, start: ArrayLike, end: ArrayLike, radius: float) -> Distances:
    """Signed distance to all points within ``radius`` of the segment ``start``..``end``."""
    local = _relative(points, start)
    axis = np.asarray(end, np.float64) - np.asarray(start, np.float64)
    along = np.clip(local @ axis / max(float(axis @ axis), np.finfo(float).tiny), 0.0, 1.0)
    return _length(local - along[..., None] * axis) - _positive(radius, "radius")


def cylinder(
    points: ArrayLike, radius: float, half_height: float, center: ArrayLike = (0.0, 0.0, 0.0)
) -> Distances:
    """Signed distance to a capped cylinder about z."""
    local = _relative(points, center)
    outward = np.stack(
        [
            np.hypot(local[..., 0], local[..., 1]) - _positive(radius, "radius"),
            np.abs(local[..., 2]) - _positive(half_height, "half height"),
        ],
        axis=-1,
    )
    return _length(np.maximum(outward, 0.0)) + np.minimum(outward.max(axis=-1), 0.0)


def plane(points: ArrayLike, normal: ArrayLike, offset: float = 0.0) -> Distances:
    """Signed distance to the plane ``normal . p = offset``, ``normal`` of any length above 0."""
    direction = np.asarray(normal, np.float64)
    length = _positive(float(np.linalg.norm(direction)), "normal's length")
    return (np.asarray(points, np.float64) @ direction - offset) / length


def moved(
    function: DistanceFunction, rotation: ArrayLike, translation: ArrayLike = (0.0, 0.0, 0.0)
) -> DistanceFunction:
    """The solid of ``function`` after a rotation about the world's origin, then a translation.

    Args:
        function: exact signed distance of points.
        rotation: orthonormal 3 x 3 matrix that multiplies column vectors.
        translation: 3 world lengths.

    Raises:
        StagewrightError: ``not-a-rotation``: scale and shear would break the distances.
    """
    matrix = np.asarray(rotation, np.float64)
    if matrix.shape != (3, 3) or not np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-6):
        raise StagewrightError(
            "not-a-rotation",
            "The matrix does not keep lengths, so distances would be wrong after it.",
            "Give an orthonormal 3 x 3 matrix, and scale the solid's own sizes instead.",
        )
    return lambda points: function(_relative(points, translation) @ matrix)


def rotation_about(axis: ArrayLike, angle: float) -> NDArray[np.float64]:
    """The 3 x 3 matrix of a turn by ``angle`` radians about ``axis`` (Rodrigues' formula)."""
    direction = np.asarray(axis, np.float64)
    x, y, z = direction / _positive(float(np.linalg.norm(direction)), "axis' length")
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def sampled(function: DistanceFunction, lattice: Grid) -> Grid:
    """A signed distance function sampled at the voxel centres of ``lattice``."""
    values = np.empty(lattice.shape, lattice.dtype)
    x, y, z = lattice.centers()
    points = np.empty((*lattice.shape[1:], 3))
    points[..., 1], points[..., 2] = y[0], z[0]
    for index, value in enumerate(x.ravel()):
        points[..., 0] = value
        values[index] = function(points)
    return lattice.with_values(values)


def _relative(points: ArrayLike, center: ArrayLike) -> NDArray[np.float64]:
    difference: NDArray[np.float64] = np.asarray(points, np.float64) - np.asarray(
        center, np.float64
    )
    return difference


def _length(vectors: NDArray[np.float64]) -> Distances:
    squares: Distances = np.einsum("...i,...i->...", vectors, vectors)
    return np.sqrt(squares)


def _positive(value: float, name: str) -> float:
    if not (np.isfinite(value) and value > 0):
        raise StagewrightError(
            "bad-size", f"The {name} {value!r} is not a length above 0.", "Give a finite length."
        )
    return value
