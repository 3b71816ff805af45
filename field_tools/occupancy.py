# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of each voxel a solid fills, from its signed distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .grid import FloatArray, Grid, require_scalar
from .operators import gradient, normalize
from .parallel import for_each_chunk
from .stencils import components, prepare_out


def occupancy(grid: Grid, out: FloatArray | None = None) -> Grid:
    """The filled part, 0 to 1, of each voxel's cube.

    The surface within a voxel is taken as the plane at the voxel's distance and along its gradient;
    the volume that a plane cuts off a cube is exact (R. Scardovelli and S. Zaleski 2000), so sums
    converge with second order. Use it as a density, or to measure volumes: the sum times the
    voxel's volume is the solid's.

    Args:
        grid: signed distances, negative inside, at least 4 voxels along each axis.
        out: array of shape (nx, ny, nz) and the grid's dtype to write.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-too-thin`` or ``out-buffer``.
    """
    require_scalar(grid)
    result = prepare_out(out, grid.shape, grid.dtype, grid.values)
    normals = [part.reshape(-1) for part in components(normalize(gradient(grid)).values)]
    distance = np.ascontiguousarray(grid.values).reshape(-1)
    filled = np.empty(distance.size, grid.dtype)

    def fill(part: slice) -> None:
        parts = [np.abs(normal[part]).astype(np.float64) for normal in normals]
        filled[part] = _cut_cube(parts, -distance[part].astype(np.float64) / grid.voxel_size)

    for_each_chunk(distance.size, fill)
    result[...] = filled.reshape(grid.shape)
    return grid.with_values(result)


def _cut_cube(normal: Sequence[FloatArray], depth: FloatArray) -> FloatArray:
    """The part of a unit cube on the inner side of a plane ``depth`` beyond its centre.

    Args:
        normal: three arrays (n,), components of unit normals, none negative.
        depth: (n,), positive where the centre lies inside.
    """
    total = normal[0] + normal[1] + normal[2]
    flat = total == 0  # No gradient: all in or all out.
    # Floors keep cubes of tiny components apart from 0 / 0; the answer changes by their size.
    small = 1e-4
    a, b, c = (np.maximum(part, small) for part in normal)
    height = depth + (a + b + c) / 2  # of the plane above the cube's lowest corner, along it
    height = np.clip(height, 0, a + b + c)

    def cube(value: FloatArray) -> FloatArray:
        positive = np.maximum(value, 0)
        return positive * positive * positive

    # Inclusion and exclusion of the tetrahedra beyond the cube's corners.
    volume = cube(height) - cube(height - a) - cube(height - b) - cube(height - c)
    volume += cube(height - a - b) + cube(height - a - c) + cube(height - b - c)
    volume = np.clip(volume / (6 * a * b * c), 0, 1)
    return np.where(flat, depth > 0, volume)
