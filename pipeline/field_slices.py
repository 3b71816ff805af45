# SPDX-License-Identifier: GPL-3.0-or-later
"""Slices through fields, as pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..field_tools.contours import slice_iso_lines, slice_values
from ..field_tools.grid import Grid
from ..field_tools.views import colours
from ..jobs.errors import StagewrightError
from ..texture_lab.images import encoded


def slice_picture(
    grid: Grid, axis: int, position: float | None, lines: int, size: int
) -> tuple[NDArray[np.uint8], float]:
    """A slice in colours (see `views.colours`), sRGB, black where it is no number.

    Args:
        grid: a scalar field; of vectors their lengths are shown.
        axis: 0, 1 or 2, which the slice lies across.
        position: world coordinate along the axis; the middle when None.
        lines: iso-lines besides that of zero, which is darker.
        size: longer side of the picture in pixels; values between voxels are linear.

    Returns:
        Pixels (rows, columns, 3), the second axis up, and the position.

    Raises:
        StagewrightError: ``bad-slice`` beyond the field.
    """
    if grid.is_vector:
        grid = grid.with_values(np.linalg.norm(grid.values, axis=3))
    position = slice_place(grid, axis, position)
    values = slice_values(grid, axis, position)
    zoom = max(size - 1, 1) / max(max(values.shape) - 1, 1)
    pixels = _coloured(_zoomed(values, zoom))
    _draw(pixels, grid, axis, position, lines, zoom)
    return np.ascontiguousarray(pixels.transpose(1, 0, 2)[::-1]), position


def slice_place(grid: Grid, axis: int, position: float | None) -> float:
    """Where a slice lies along an axis, the middle when None.

    Raises:
        StagewrightError: ``bad-slice`` beyond the field.
    """
    half = grid.voxel_size / 2
    low = grid.origin[axis]
    high = low + (grid.shape[axis] - 1) * grid.voxel_size
    if position is None:
        return (low + high) / 2
    if not low - half <= position <= high + half:
        raise StagewrightError(
            "bad-slice",
            f"There is no field at {'xyz'[axis]} = {position:g}.",
            f"Give a position from {low:g} to {high:g}.",
        )
    return position


def _coloured(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """(u, v) values as (u, v, 3)."""
    finite = np.isfinite(values)
    known = np.where(finite, values, 0.0)
    light = colours(known.ravel(), float(np.abs(known).max()))[:, :3]
    rgb = 255.0 * encoded(light).reshape(*values.shape, 3)
    rgb[~finite] = 0.0
    return np.round(rgb).astype(np.uint8)


def _zoomed(values: NDArray[np.floating[Any]], zoom: float) -> NDArray[np.floating[Any]]:
    """Samples (u, v) at ``zoom`` pixels a step, linear in between."""
    for axis in (0, 1):
        count = values.shape[axis]
        place = np.linspace(0, count - 1, round((count - 1) * zoom) + 1)
        low = np.minimum(place.astype(int), max(count - 2, 0))
        high, rest = np.minimum(low + 1, count - 1), place - low
        rest = rest.reshape((-1, 1) if axis == 0 else (1, -1))
        values = (1 - rest) * values.take(low, axis) + rest * values.take(high, axis)
    return values


def _draw(
    pixels: NDArray[np.uint8], grid: Grid, axis: int, position: float, count: int, zoom: float
) -> None:
    """Draw iso-lines, that of zero darker than the others."""
    values = slice_values(grid, axis, position)
    finite = values[np.isfinite(values)]
    if min(values.shape) < 2 or not finite.size:
        return
    low, high = float(np.min(finite)), float(np.max(finite))
    levels = np.linspace(low, high, count + 2)[1:-1].tolist() if high > low else []
    drawn = np.zeros(pixels.shape[:2], np.int8)
    others = [a for a in range(3) if a != axis]
    dense = int(2 * zoom) + 2  # points on a step, so that no pixel is passed over
    steps = np.linspace(0.0, 1.0, dense, endpoint=False)[:, None, None]
    for level in (*levels, *([0.0] if low < 0 < high else [])):
        for line in slice_iso_lines(grid, axis, position, level):
            points = (line[:-1] + steps * (line[1:] - line[:-1])).reshape(-1, 3)
            index = np.rint(zoom * grid.world_to_index(points)[:, others]).astype(int)
            drawn[tuple(index.T)] = 2 if level == 0.0 else 1
    pixels[drawn == 1] //= 2
    pixels[drawn == 2] = 0
