# SPDX-License-Identifier: GPL-3.0-or-later
"""Marching cubes: triangles with vertices where the surface crosses the grid's edges.

W. Lorensen and H. Cline 1987, with the tables of `marching_tables`, which leave no holes and no
edge of more than two triangles. Vertices lie on the field's linear zero to rounding, which dual
surfaces (`isosurface`) do not; those make fewer and better faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .crossed_cells import (
    crossed_edges,
    inside_bits,
    mixed_cells,
    no_surface,
    require_cells,
    require_finite_crossings,
)
from .grid import Grid
from .marching_tables import MOST_TRIANGLES, marching_tables
from .parallel import for_each_chunk


@dataclass(frozen=True, eq=False)
class TriangleSurface:
    """A mesh of triangles in world units.

    Attributes:
        vertices: (n, 3) float32 world positions.
        triangles: (m, 3) int32, counter-clockwise seen from outside (the larger values).
    """

    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]


def marching_cubes(grid: Grid, level: float = 0.0) -> TriangleSurface:
    """The surface where a field takes the value ``level``, in triangles.

    It ends where the grid does; every other edge has two triangles and every vertex one fan.

    Args:
        grid: scalar field, inside below ``level``.
        level: value on the surface.

    Raises:
        StagewrightError: ``grid-shape``, ``no-surface`` or ``not-finite``, as `isosurface`.
    """
    require_cells(grid)
    values = np.ascontiguousarray(grid.values)
    inside = inside_bits(values, level)
    cells, cases = mixed_cells(inside, grid.shape)
    if len(cells) == 0:
        raise no_surface(values, level)
    edges = [crossed_edges(inside, axis, grid.shape, rim=True) for axis in range(3)]
    vertices = np.empty((sum(map(len, edges)), 3), np.float32)
    # Dense, but touched at the crossed edges alone.
    numbers = [np.empty(values.size, np.int32) for _ in edges]
    first = 0
    for axis, edge in enumerate(edges):
        stop = first + len(edge)
        numbers[axis][edge] = np.arange(first, stop, dtype=np.int32)
        _cross(grid, values, level, edge, axis, vertices[first:stop])
        first = stop
    require_finite_crossings(vertices)
    return TriangleSurface(vertices, _triangles(cells, cases, numbers, grid.shape))


def _cross(
    grid: Grid,
    values: NDArray[np.floating],
    level: float,
    edges: NDArray[np.int64],
    axis: int,
    out: NDArray[np.float32],
) -> None:
    """World positions of the crossings of edges along an axis."""
    flat = values.reshape(-1)
    strides = (grid.shape[1] * grid.shape[2], grid.shape[2], 1)

    def work(part: slice) -> None:
        edge = edges[part]
        low, high = flat.take(edge), flat.take(edge + strides[axis])
        with np.errstate(invalid="ignore"):
            fraction = (level - low) / (high - low)
        for k, place in enumerate(np.unravel_index(edge, grid.shape)):
            local = place + fraction if k == axis else place
            out[part, k] = local * grid.voxel_size + grid.origin[k]

    for_each_chunk(len(edges), work)


def _triangles(
    cells: NDArray[np.int64],
    cases: NDArray[np.int16],
    numbers: list[NDArray[np.int32]],
    shape: tuple[int, int, int],
) -> NDArray[np.int32]:
    """The cells' triangles, in the order of the cells."""
    counts, table = marching_tables()
    strides = (shape[1] * shape[2], shape[2], 1)
    amount = counts[cases].astype(np.int64)
    stop = np.cumsum(amount)
    start = stop - amount
    triangles = np.empty((int(stop[-1]), 3), np.int32)
    # Where each of the twelve edges starts, as a step from the cell.
    step = [
        (e & 1) * strides[(e // 4 + 1) % 3] + (e >> 1 & 1) * strides[(e // 4 + 2) % 3]
        for e in range(12)
    ]
    steps = np.array(step)

    def work(part: slice) -> None:
        for number in range(MOST_TRIANGLES):
            some = np.flatnonzero(amount[part] > number) + part.start
            edge = table[cases[some], number].astype(np.int64)
            place = cells[some, None] + steps[edge]
            vertex = np.empty(edge.shape, np.int32)
            for axis in range(3):
                along = edge >> 2 == axis
                vertex[along] = numbers[axis].take(place[along])
            triangles[start[some] + number] = vertex

    for_each_chunk(len(cells), work)
    return triangles
