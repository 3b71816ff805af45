# SPDX-License-Identifier: GPL-3.0-or-later
"""A field on another lattice: other voxels, another place, turned or scaled."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..jobs.errors import StagewrightError
from .grid import FloatArray, Grid, count_text, grid_over
from .memory import require_memory
from .parallel import CHUNK
from .sampling import sample

_SLAB_POINTS = 8 * CHUNK


def resample(
    grid: Grid,
    onto: Grid,
    method: Literal["linear", "cubic"] = "linear",
    transform: ArrayLike | None = None,
    outside: float | None = None,
) -> Grid:
    """The field's values at the voxels of another lattice.

    Args:
        grid: scalar or vector field.
        onto: any grid on the lattice wanted; its values are not read. For voxels more than twice
            as large `diffuse` the field first, or details alias.
        method: as in `sampling.sample`.
        transform: 4 x 4 matrix that takes the field's world to the new one (an object's
            ``matrix_world``), invertible; column vectors. Values are carried as they are: lengths
            and directions within them are not turned or scaled.
        outside: value where the field has no voxels; its rim's value unless given.

    Returns:
        A field of the grid's dtype.

    Raises:
        StagewrightError: ``bad-transform``, ``sampling-method`` or ``out-of-memory``.
    """
    back = _inverse(transform)
    shape = (*onto.shape, *grid.values.shape[3:])
    size = int(np.prod(shape)) * grid.dtype.itemsize
    require_memory(size, f"A grid of {count_text(onto.shape)}")
    values = np.empty(shape, grid.dtype)
    x, y, z = (part.reshape(-1) for part in onto.centers())
    planes = max(1, _SLAB_POINTS // (len(y) * len(z)))
    for start in range(0, len(x), planes):
        part = slice(start, start + planes)
        parts = np.meshgrid(x[part], y, z, indexing="ij")
        points = np.stack([axis.reshape(-1) for axis in parts], axis=1)
        points = points @ back[:3, :3].T + back[:3, 3]
        sampled = sample(grid, points, method)
        if outside is not None:
            index = grid.world_to_index(points)
            # Half a voxel beyond the centres of the outermost ones a field still holds.
            beyond = (index < -0.5) | (index > np.array(grid.shape) - 0.5)
            sampled[beyond.any(axis=1)] = outside
        values[part] = sampled.reshape(values[part].shape)
    return onto.with_values(values)


def resample_to(
    grid: Grid, voxel_size: float, method: Literal["linear", "cubic"] = "linear"
) -> Grid:
    """The field over the same box with another voxel size, centres on multiples of it.

    Raises:
        StagewrightError: ``voxel-size``, ``grid-too-fine``, ``out-of-memory`` or
            ``sampling-method``.
    """
    far: FloatArray = grid.index_to_world(np.array(grid.shape) - 1)
    lattice = grid_over(grid.origin, far.tolist(), voxel_size, dtype=grid.dtype.type)
    return resample(grid, lattice, method)


def _inverse(transform: ArrayLike | None) -> np.ndarray[Any, np.dtype[np.float64]]:
    matrix = np.eye(4) if transform is None else np.asarray(transform, np.float64)
    good = matrix.shape == (4, 4) and bool(np.isfinite(matrix).all())
    if good:
        scale = float(np.abs(matrix[:3, :3]).max())
        good = abs(float(np.linalg.det(matrix[:3, :3]))) > 1e-12 * scale**3
        good = good and np.allclose(matrix[3], (0, 0, 0, 1))
    if not good:
        raise StagewrightError(
            "bad-transform",
            "The transform is no invertible 4 x 4 matrix of a place, a turn and a scale.",
            "Give an object's world matrix with no scale of 0.",
        )
    inverse: np.ndarray[Any, np.dtype[np.float64]] = np.linalg.inv(matrix)
    return inverse
