# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact signed distances and grids to sample them on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stagewright.field_tools.grid import Grid

Field = Callable[..., np.ndarray]


def cube_grid(count: int, dtype: type = np.float64) -> Grid:
    """A zero grid of count³ voxels over the world cube -1..1, faces included."""
    size = 2.0 / (count - 1)
    return Grid(np.zeros((count,) * 3, dtype), size, (-1.0, -1.0, -1.0))


def sample(field: Field, grid: Grid) -> Grid:
    """The field's values at the voxel centres."""
    x, y, z = grid.centers()
    values = np.broadcast_to(field(x, y, z), grid.shape)
    return grid.with_values(np.ascontiguousarray(values, grid.dtype))


def sphere(radius: float) -> Field:
    return lambda x, y, z: np.sqrt(x * x + y * y + z * z) - radius


def torus(major: float, minor: float) -> Field:
    return lambda x, y, z: np.hypot(np.hypot(x, y) - major, z) - minor


ROTATION = np.linalg.qr(np.array([[1.0, 0.4, -0.3], [-0.5, 1.0, 0.2], [0.1, -0.4, 1.0]]))[0]


def rotated_box(half: tuple[float, float, float]) -> Field:
    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        a, b, c = (abs(row[0] * x + row[1] * y + row[2] * z) for row in ROTATION)
        p, q, r = a - half[0], b - half[1], c - half[2]
        outside = np.sqrt(np.maximum(p, 0) ** 2 + np.maximum(q, 0) ** 2 + np.maximum(r, 0) ** 2)
        return outside + np.minimum(np.maximum(np.maximum(p, q), r), 0)

    return distance
