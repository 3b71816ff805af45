# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a field between its voxels: linear and cubic interpolation at any points.

Points outside the grid take the value of the nearest point on its surface of voxel centres.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import FloatArray, Grid, require_scalar
from .parallel import for_each_chunk
from .stencils import components, flat_strides

Indices = NDArray[np.intp]
Vector = Sequence[FloatArray]


def sample(
    grid: Grid, points: NDArray[np.floating[Any]], method: Literal["linear", "cubic"] = "linear"
) -> FloatArray:
    """Interpolate a field at world positions.

    Args:
        grid: scalar or vector field.
        points: float32 or float64, shape (n, 3), world positions.
        method: ``linear`` (trilinear) or ``cubic`` (Catmull-Rom, passes through the samples,
            may overshoot; at the grid's rim samples repeat).

    Returns:
        Values of the grid's dtype, shape (n,) or (n, 3).

    Raises:
        StagewrightError: ``points-shape``, ``not-finite``, or ``sampling-method``.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype.kind != "f":
        raise StagewrightError(
            "points-shape",
            f"Points are floats of shape (n, 3), not {points.dtype} of shape {points.shape}.",
            "Give one row of x, y and z for each point.",
        )
    if method not in _METHODS:
        raise StagewrightError(
            "sampling-method",
            f"There is no sampling method {method!r}.",
            f"Use one of {', '.join(_METHODS)}.",
        )
    if len(points) and not np.isfinite(np.min(points) + np.max(points)):
        raise StagewrightError(
            "not-finite", "Some points are NaN or infinite.", "Remove those points first."
        )
    parts = components(grid.values) if grid.is_vector else [np.ascontiguousarray(grid.values)]
    flat_parts = [part.ravel() for part in parts]
    result = np.empty((len(parts), len(points)), grid.dtype)
    interpolate = _METHODS[method]

    def work(piece: slice) -> None:
        cells, fractions = _cells(grid, points[piece])
        for flat, out in zip(flat_parts, result, strict=True):
            out[piece] = interpolate(flat, grid.shape, cells, fractions)

    for_each_chunk(len(points), work)
    return result.T if grid.is_vector else result[0]


def sample_range(grid: Grid, points: NDArray[np.floating[Any]]) -> tuple[FloatArray, FloatArray]:
    """The least and the greatest of the 8 samples around each point.

    Args:
        grid: scalar field.
        points: float32 or float64, shape (n, 3), finite world positions.

    Returns:
        Two arrays of shape (n,), of the grid's dtype.
    """
    require_scalar(grid)
    flat = np.ascontiguousarray(grid.values).ravel()
    low, high = np.empty((2, len(points)), grid.dtype)
    strides = flat_strides(grid.shape)

    def work(piece: slice) -> None:
        cells, _ = _cells(grid, points[piece])
        corner = sum(cell * stride for cell, stride in zip(cells, strides, strict=True))
        low[piece] = high[piece] = flat[corner]
        for steps in itertools.product((0, 1), repeat=3):
            if all(step < count for step, count in zip(steps, grid.shape, strict=True)):
                values = flat[corner + int(np.dot(steps, strides))]
                np.minimum(low[piece], values, out=low[piece])
                np.maximum(high[piece], values, out=high[piece])

    for_each_chunk(len(points), work)
    return low, high


def _cells(grid: Grid, points: FloatArray) -> tuple[list[Indices], list[FloatArray]]:
    """Index of the least corner of each point's cell, and where in the cell it lies, by axis."""
    cells, fractions = [], []
    for axis, count in enumerate(grid.shape):
        # float32 points stay float32: their rounding is theirs already.
        position = (points[:, axis] - points.dtype.type(grid.origin[axis])) / points.dtype.type(
            grid.voxel_size
        )
        np.clip(position, 0, count - 1, out=position)
        cell = position.astype(np.int32)
        np.minimum(cell, max(count - 2, 0), out=cell)
        position -= cell
        cells.append(cell.astype(np.intp))
        fractions.append(position.astype(grid.dtype, copy=False))
    return cells, fractions


def _linear(
    flat: FloatArray, shape: Sequence[int], cells: Sequence[Indices], fractions: Vector
) -> FloatArray:
    strides = flat_strides(shape)
    corner = cells[0] * strides[0] + cells[1] * strides[1] + cells[2]
    steps = [stride if count > 1 else 0 for stride, count in zip(strides, shape, strict=True)]
    values = [
        _blend(flat[corner + start], flat[corner + (start + steps[2])], fractions[2])
        for start in (0, steps[1], steps[0], steps[0] + steps[1])
    ]
    near = _blend(values[0], values[1], fractions[1])
    return _blend(near, _blend(values[2], values[3], fractions[1]), fractions[0])


def _blend(low: FloatArray, high: FloatArray, fraction: FloatArray) -> FloatArray:
    """Linear interpolation, written into ``high``."""
    high -= low
    high *= fraction
    high += low
    return high


def _cubic(
    flat: FloatArray, shape: Sequence[int], cells: Sequence[Indices], fractions: Vector
) -> FloatArray:
    offsets = [
        [np.clip(cell + tap, 0, count - 1) * stride for tap in (-1, 0, 1, 2)]
        for cell, count, stride in zip(cells, shape, flat_strides(shape), strict=True)
    ]
    weights = [_catmull_rom(fraction) for fraction in fractions]
    total = np.zeros_like(fractions[0])
    for x_tap, x_weight in zip(offsets[0], weights[0], strict=True):
        for y_tap, y_weight in zip(offsets[1], weights[1], strict=True):
            line, start = np.zeros_like(total), x_tap + y_tap
            for z_tap, z_weight in zip(offsets[2], weights[2], strict=True):
                line += z_weight * flat[start + z_tap]
            total += x_weight * y_weight * line
    return total


def _catmull_rom(t: FloatArray) -> list[FloatArray]:
    """Weights of the samples at -1, 0, 1 and 2 for a point at ``t`` between 0 and 1."""
    half = t.dtype.type(0.5)
    return [
        half * t * ((2 - t) * t - 1),
        half * (t * t * (3 * t - 5) + 2),
        half * t * ((4 - 3 * t) * t + 1),
        half * t * t * (t - 1),
    ]


_METHODS = {"linear": _linear, "cubic": _cubic}
