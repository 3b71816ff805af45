# SPDX-License-Identifier: GPL-3.0-or-later
"""Local quadratic models of a level set, and closest points on them by Newton's method.

Beside every voxel that the interface passes, the field is a quadratic whose coefficients come from
differences of radius one, all in voxel units with the voxel as origin. Where the field has a kink
(an edge, a corner, a sheet) central differences mix both sides, so the model is a plane from the
differences towards the interface. The method is that of Chopp, "Some improvements of the fast
marching method" (2001), with quadratics for his bicubics.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .grid import FloatArray

Indices = NDArray[np.signedinteger]
Vector = Sequence[FloatArray]

KINK = 0.35
"""Second difference over first above which a voxel has a kink beside it."""

_PAIRS = ((0, 1), (0, 2), (1, 2))
_NO_CROSSING = 9.0
_SMALL = 1e-12


@dataclass(frozen=True)
class Quadratics:
    """Models of n voxels and the closest point of each model's zero set to its voxel.

    Args:
        voxels: shape (3, n), index coordinates of the voxels.
        model: float32, shape (10, n): value, gradient (x, y, z), second derivatives (xx, yy, zz,
            xy, xz, yz), scaled so that the gradient is about 1.
        foot: float32, shape (3, n), closest points relative to the voxels.
        flat: bool, shape (n,), True where the model holds at its foot alone.
    """

    voxels: Indices
    model: FloatArray
    foot: FloatArray
    flat: NDArray[np.bool_]


def interface_voxels(inside: NDArray[np.bool_]) -> Indices:
    """Flat indices, ascending, of the voxels with a face neighbour on the other side."""
    marked = np.zeros(inside.shape, bool)
    for axis in range(3):
        sides, marks = np.moveaxis(inside, axis, 0), np.moveaxis(marked, axis, 0)
        crossed = sides[1:] ^ sides[:-1]
        marks[1:] |= crossed
        marks[:-1] |= crossed
    return np.flatnonzero(marked)


def fit_quadratics(values: FloatArray, voxels: Indices) -> Quadratics:
    """Fit the models of interface voxels and find their foot points.

    Args:
        values: C-contiguous, shape (nx, ny, nz), at least 3 voxels along each axis; the interface
            is where it is zero.
        voxels: flat indices of voxels, each with a face neighbour of the other sign.
    """
    flat, coordinates = values.ravel(), np.stack(np.unravel_index(voxels, values.shape))
    center = flat[voxels]
    ahead, behind, wide = [], [], []  # steps to the neighbours, clipped at the domain's faces
    forward, backward = [], []
    for axis, stride in enumerate(np.array(values.strides) // values.itemsize):
        first, last = coordinates[axis] == 0, coordinates[axis] == values.shape[axis] - 1
        ahead.append(np.where(last, 0, stride))
        behind.append(np.where(first, 0, -stride))
        wide.append(2 - first - last)
        step_up = flat[voxels + ahead[axis]] - center
        step_down = center - flat[voxels + behind[axis]]
        # Beyond the domain the field goes on straight.
        forward.append(np.where(last, step_down, step_up))
        backward.append(np.where(first, step_up, step_down))
    mixed = []
    for a, b in _PAIRS:
        twist = flat[voxels + (ahead[a] + ahead[b])] + flat[voxels + (behind[a] + behind[b])]
        twist -= flat[voxels + (ahead[a] + behind[b])] + flat[voxels + (behind[a] + ahead[b])]
        mixed.append(twist / (wide[a] * wide[b]))
    largest = functools.reduce(np.maximum, [np.abs(step) for step in (*forward, *backward)])
    scaled = [(part / largest).astype(np.float32) for part in (center, *forward, *backward, *mixed)]
    model, kinked = _choose_model(scaled[0], scaled[1:4], scaled[4:7], scaled[7:])
    foot, failed = _foot_points(model, scaled[1:4], scaled[4:7])
    return Quadratics(coordinates, model, foot, kinked | failed)


def newton(model: FloatArray, target: Vector, start: Vector, steps: int) -> list[FloatArray]:
    """Points of the models' zero sets closest to ``target``.

    Each step projects the target onto the tangent plane of the level set through the last point.

    Args:
        model: shape (10, n).
        target: three arrays of shape (n,), relative to the models' voxels.
        start: three arrays of shape (n,), near the zero sets.
        steps: number of steps; the error shrinks by distance times curvature in each.
    """
    point = list(start)
    for _ in range(steps):
        value, slope = _evaluate(model, point)
        ahead = sum(
            s * (p - t) for s, p, t in zip(slope, point, target, strict=True)
        )  # along the slope, from target to point
        step = (ahead - value) / _dot(slope, slope)
        point = [t + step * s for t, s in zip(target, slope, strict=True)]
    return point


def _choose_model(
    center: FloatArray, forward: Vector, backward: Vector, mixed: Vector
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """The quadratic, or the plane towards the interface where the field has a kink."""
    second = [f - b for f, b in zip(forward, backward, strict=True)]
    central = [(f + b) / 2 for f, b in zip(forward, backward, strict=True)]
    sign = np.where(center < 0, np.float32(-1), np.float32(1))
    # The neighbour ahead is center + forward, the one behind center - backward.
    upwind = [np.where(sign * (f + b) < 0, f, b) for f, b in zip(forward, backward, strict=True)]
    slope = np.sqrt(np.maximum(_dot(central, central), _dot(upwind, upwind)))
    bend = functools.reduce(np.maximum, [np.abs(part) for part in (*second, *mixed)])
    kinked = bend > KINK * slope
    gradient = [np.where(kinked, u, c) for u, c in zip(upwind, central, strict=True)]
    curved = [np.where(kinked, np.float32(0), part) for part in (*second, *mixed)]
    return np.stack([center, *gradient, *curved]), kinked


def _foot_points(
    model: FloatArray, forward: Vector, backward: Vector
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """The models' closest points, checked against where the axes cross the interface."""
    origin = [np.zeros_like(model[0])] * 3
    point = newton(model, origin, origin, steps=4)
    value, slope = _evaluate(model, point)
    crossing, nearest = _plane_of_crossings(model[0], forward, backward)
    # No point is closer than the closest one, crossings of the axes included.
    length = np.sqrt(_dot(point, point))
    missed = np.abs(value) > 0.05 * np.sqrt(_dot(slope, slope))
    failed = ~(length <= 1.05 * nearest + 1e-3) | missed
    return np.where(failed, crossing, np.stack(point)), failed


def _plane_of_crossings(
    center: FloatArray, forward: Vector, backward: Vector
) -> tuple[FloatArray, FloatArray]:
    """Foot points on the planes through the crossings of the axes, and the nearest crossings."""
    nearest = np.full_like(center, _NO_CROSSING)
    normal = []
    for up, down in zip(forward, backward, strict=True):
        ahead, behind = _crossing(center, up), _crossing(center, -down)
        crossing = np.minimum(ahead, behind)
        nearest = np.minimum(nearest, crossing)
        inverse = np.where(crossing < _NO_CROSSING, 1 / np.maximum(crossing, 1e-6), 0)
        normal.append(np.where(ahead <= behind, inverse, -inverse))
    return np.stack(normal) / _dot(normal, normal), nearest


def _crossing(center: FloatArray, step: FloatArray) -> FloatArray:
    """Voxels to the zero between a voxel and its neighbour, `_NO_CROSSING` where there is none."""
    crossed = (center < 0) != (center + step < 0)
    return np.divide(-center, step, out=np.full_like(center, _NO_CROSSING), where=crossed)


def _evaluate(model: FloatArray, point: Vector) -> tuple[FloatArray, list[FloatArray]]:
    """Value and gradient of the models at points."""
    value, gx, gy, gz, xx, yy, zz, xy, xz, yz = model
    x, y, z = point
    bend = (xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z)
    half = np.float32(0.5)
    value = value + x * (gx + half * bend[0])
    value += y * (gy + half * bend[1])
    value += z * (gz + half * bend[2])
    return value, [gx + bend[0], gy + bend[1], gz + bend[2]]


def _dot(a: Vector, b: Vector) -> FloatArray:
    """Scalar product, kept away from zero so that it may be divided by."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + np.float32(_SMALL)
