# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of two dimensions: pictures as grids of one voxel along z, and operators in their plane.

Columns run along x and rows down from the greatest y, as a picture is seen. The lower left corner
of the lower left pixel is the world's origin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import Grid, cubic_voxel_size
from .stencils import MINIMUM_VOXELS

_LAYERS = (MINIMUM_VOXELS + 1) // 2
"""Copies on each side that stand for a field which is the same all along z."""


def grid_of_picture(pixels: NDArray[np.floating[Any]], pixel_size: float = 1.0) -> Grid:
    """A picture as a field.

    Args:
        pixels: (rows, columns) or, for a field of vectors, (rows, columns, 3); the first row on
            top; float32 or float64.
        pixel_size: side of a pixel in world units.

    Returns:
        A grid of (columns, rows, 1) voxels.

    Raises:
        StagewrightError: ``image-shape`` and what `Grid` refuses.
    """
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise StagewrightError(
            "image-shape",
            f"A picture has shape (rows, columns) or (rows, columns, 3), not {pixels.shape}.",
            "Take one channel of it, or three.",
        )
    size = cubic_voxel_size(pixel_size)
    upright = np.swapaxes(pixels[::-1], 0, 1)
    return Grid(np.ascontiguousarray(upright[:, :, None]), size, (size / 2, size / 2, 0.0))


def picture_of_grid(grid: Grid) -> NDArray[np.floating[Any]]:
    """The other way round: (rows, columns) or (rows, columns, 3), the first row on top.

    Raises:
        StagewrightError: ``not-flat`` for more than one voxel along z.
    """
    if grid.shape[2] != 1:
        raise StagewrightError(
            "not-flat",
            f"A field of {grid.shape[2]} voxels along z is no picture.",
            "Take a slice of it: stagewright field slice --values.",
        )
    return np.ascontiguousarray(np.swapaxes(grid.values[:, :, 0], 0, 1)[::-1])


def is_flat(grid: Grid) -> bool:
    """Whether a field is of two dimensions: one voxel along z."""
    return grid.shape[2] == 1


def in_plane(grid: Grid, function: Callable[[Grid], Grid]) -> Grid:
    """An operator of three dimensions on a field of two: the field is the same all along z.

    Slopes along z are 0. The mean curvature is half of that of a picture's iso-lines, as the
    other principal curvature of the upright walls through them is 0.

    Raises:
        StagewrightError: what the function refuses.
    """
    pad = [(0, 0), (0, 0), (_LAYERS, _LAYERS), *[(0, 0)] * (grid.values.ndim - 3)]
    x, y, z = grid.origin
    thick = Grid(
        np.pad(grid.values, pad, mode="edge"),
        grid.voxel_size,
        (x, y, z - _LAYERS * grid.voxel_size),
    )
    made = function(thick)
    middle = np.ascontiguousarray(made.values[:, :, _LAYERS : _LAYERS + 1])
    return grid.with_values(middle)
