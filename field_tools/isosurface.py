# SPDX-License-Identifier: GPL-3.0-or-later
"""Field to geometry: dual surfaces that are manifold by construction.

Every cell between eight voxel centres gets one vertex for each component of the surface in it, and
every crossed grid edge one quad between the four cells around it (see `dual_tables`). A vertex lies
at the mean of its crossings (surface nets, S. Gibson 1998) or at the least squares point of its
crossings' tangent planes, which keeps sharp edges (dual contouring, T. Ju et al. 2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .closest import voxel_points
from .crossed_cells import (
    crossed_edges,
    inside_bits,
    mixed_cells,
    no_surface,
    require_cells,
    require_finite_crossings,
)
from .dual_tables import dual_tables
from .grid import Grid
from .parallel import CHUNK, chunks, for_each_chunk
from .quadric import CYCLE, Meetings, least_squares_points, tangent_planes

_ONE, _COUNTS = 1 << 24, 32
"""A whole edge in fixed point, and the first bit of the counts that share its integer."""
_PARTS = 4
"""Ranges of vertices that threads share out."""


@dataclass(frozen=True, eq=False)
class QuadMesh:
    """A mesh of quads.

    Attributes:
        vertices: (n, 3) float32 world positions.
        quads: (m, 4) int32, counter-clockwise seen from outside (the larger values).
    """

    vertices: NDArray[np.float32]
    quads: NDArray[np.int32]

    def triangles(self) -> NDArray[np.int32]:
        """The quads cut along their first diagonal: (2 m, 3)."""
        return self.quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def isosurface(grid: Grid, level: float = 0.0, *, sharp: bool = False) -> QuadMesh:
    """The surface where a field takes the value ``level``.

    Closed wherever it stays off the grid's outermost voxels, with an open rim where it does not.
    Every edge has two faces (one at the rim) and every vertex one fan of faces.

    Args:
        grid: scalar field, inside below ``level``.
        level: value on the surface.
        sharp: put vertices on edges and corners of the surface (dual contouring) instead of
            the mean of the crossings (surface nets).

    Raises:
        StagewrightError: ``grid-shape`` (a vector grid, or fewer than 2 voxels along an axis),
            ``no-surface`` when every voxel lies on one side, ``not-finite`` where the surface
            meets NaN or infinity.
    """
    require_cells(grid)
    values = np.ascontiguousarray(grid.values)
    inside = inside_bits(values, level)
    edges = [crossed_edges(inside, axis, grid.shape) for axis in range(3)]
    cells, cases = mixed_cells(inside, grid.shape)
    if len(cells) == 0:
        raise no_surface(values, level)
    cases = _without_pinches(cells, cases, grid.shape)
    count = dual_tables().components[cases]
    start = np.cumsum(count, dtype=np.int32) - count
    total = int(start[-1]) + int(count[-1])
    # Dense, but touched at the cells alone.
    first_vertex, case_at = np.empty(values.size, np.int32), np.empty(values.size, np.int16)
    first_vertex[cells], case_at[cells] = start, cases
    meetings = [
        _meetings(values, level, edges[axis], axis, first_vertex, case_at) for axis in range(3)
    ]
    for meeting in meetings:
        require_finite_crossings(meeting.fraction)
    mean, used = _mean_crossings(meetings, total)
    if sharp:
        planes = [
            tangent_planes(values, level, edges[axis], axis, meetings[axis].fraction)
            for axis in range(3)
        ]
        mean = least_squares_points(meetings, planes, mean)
    owners = cells if total == len(cells) else np.repeat(cells, count)
    vertices = _in_world(grid, owners, mean)
    quads = np.concatenate([_quads(meeting) for meeting in meetings])
    if not used.all():  # Cells at the rim, whose crossed edges all have less than four cells.
        index = np.cumsum(used, dtype=np.int32) - np.int32(1)
        vertices, quads = vertices[used], index[quads]
    return QuadMesh(vertices, quads)


def _without_pinches(
    cells: NDArray[np.int64], cases: NDArray[np.int16], shape: tuple[int, int, int]
) -> NDArray[np.int16]:
    """The cases, 256 higher where two cells pinch the face between them."""
    pinched = dual_tables().pinched_face
    here = np.flatnonzero(pinched[cases] >= 0)
    face = pinched[cases[here]].astype(np.int64)
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    beyond = cells[here] + np.where(face & 1, 1, -1) * strides[face >> 1]
    there = np.minimum(np.searchsorted(cells, beyond), len(cells) - 1)
    # Past the grid's rim the flat index wraps round, to a cell that meets another face.
    both = (cells[there] == beyond) & (pinched[cases[there]] == (face ^ 1))
    coordinate = cells[here] // strides[face >> 1] % np.array(shape)[face >> 1]
    both &= np.where(face & 1, coordinate < np.array(shape)[face >> 1] - 2, coordinate > 0)
    result = cases.copy()
    result[here[both]] += 256
    return result


def _meetings(
    values: NDArray[Any],
    level: float,
    edges: NDArray[np.int64],
    axis: int,
    first_vertex: NDArray[np.int32],
    case_at: NDArray[np.int16],
) -> Meetings:
    """Where the edges along an axis are crossed, and the vertices of the four cells around."""
    _, ny, nz = values.shape
    strides = (ny * nz, nz, 1)
    flat = values.reshape(-1)
    table = dual_tables().component_of_edge.reshape(-1)
    vertices = np.empty((4, len(edges)), np.int32)
    fraction = np.empty(len(edges), np.float32)
    falling = np.empty(len(edges), bool)

    def meet(part: slice) -> None:
        edge = edges[part]
        low, high = flat.take(edge), flat.take(edge + strides[axis])
        np.greater_equal(low, level, out=falling[part])
        with np.errstate(invalid="ignore"):
            fraction[part] = (level - low) / (high - low)
        for turn, (p, q) in enumerate(CYCLE):
            cell = edge - (p * strides[(axis + 1) % 3] + q * strides[(axis + 2) % 3])
            entry = case_at.take(cell).astype(np.int64)
            entry *= 12
            entry += 4 * axis + p + 2 * q
            np.add(first_vertex.take(cell), table.take(entry), out=vertices[turn, part])

    for_each_chunk(len(edges), meet)
    return Meetings(axis, vertices, fraction, falling)


def _mean_crossings(
    meetings: list[Meetings], total: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Mean crossing (3, total) of every vertex within its cell, and which vertices have any."""
    # One packed integer sums fractions, in fixed point, and counts: the cell's edges lie at 0 or 1
    # across their axis, so those at 1 along each axis are counted, and all.
    sums = np.zeros((3, total), np.int64)
    fixed = [(meeting.fraction * np.float32(_ONE)).astype(np.int32) for meeting in meetings]
    length = max(1, -(-total // _PARTS))

    def add(part: slice) -> None:
        for task in range(part.start, part.stop):
            axis, number = divmod(task, _PARTS)
            packed = sums[axis]
            bounds = [number * length, (number + 1) * length]
            for vertex, (p, q) in zip(meetings[axis].vertices, CYCLE, strict=True):
                ones = 1 + (p << 5 * ((axis + 1) % 3 + 1)) + (q << 5 * ((axis + 2) % 3 + 1))
                # Along one axis and side vertices rise with the edges: threads share them out.
                start, stop = np.searchsorted(vertex, bounds)
                for piece in chunks(int(start), int(stop), CHUNK):
                    value = fixed[axis][piece].astype(np.int64)
                    value += ones << _COUNTS
                    np.add.at(packed, vertex[piece].astype(np.intp), value)

    for_each_chunk(3 * _PARTS, add, length=1)
    mean = np.empty((3, total), np.float32)
    used = np.empty(total, bool)

    def unpack(part: slice) -> None:
        packed = sums[:, part]
        counts = (packed >> _COUNTS).sum(axis=0).astype(np.int32)
        amount = counts & 31
        np.greater(amount, 0, out=used[part])
        inverse = 1 / np.maximum(amount, 1).astype(np.float32)
        for axis in range(3):
            along = (packed[axis] & ((1 << _COUNTS) - 1)).astype(np.float32)
            along *= np.float32(1 / _ONE)
            along += counts >> 5 * (axis + 1) & 31
            np.multiply(along, inverse, out=mean[axis, part])

    for_each_chunk(total, unpack)
    return mean, used


def _in_world(
    grid: Grid, cells: NDArray[np.int64], local: NDArray[np.float32]
) -> NDArray[np.float32]:
    """World positions (n, 3) of places (3, n) within cells."""
    result = np.empty((len(cells), 3), np.float32)

    def place(part: slice) -> None:
        points = voxel_points(cells[part], grid.shape)
        points += local[:, part]
        points *= np.float32(grid.voxel_size)
        for axis in range(3):
            np.add(points[axis], np.float32(grid.origin[axis]), out=result[part, axis])

    for_each_chunk(len(cells), place)
    return result


def _quads(meeting: Meetings) -> NDArray[np.int32]:
    """The quads (e, 4) around an axis' edges, turned so that they face the larger values."""
    quads = np.empty((meeting.vertices.shape[1], 4), np.int32)
    quads[:, 0], quads[:, 2] = meeting.vertices[0], meeting.vertices[2]
    quads[:, 1] = np.where(meeting.falling, meeting.vertices[3], meeting.vertices[1])
    quads[:, 3] = np.where(meeting.falling, meeting.vertices[1], meeting.vertices[3])
    return quads
