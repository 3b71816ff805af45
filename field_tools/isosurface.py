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

from ..jobs.errors import StagewrightError
from .chunks import for_each_chunk
from .dual_tables import dual_tables
from .grid import Grid, require_scalar
from .quadric import least_squares_points

Words = NDArray[np.uint64]
BEND = 1e-4
"""Squared bending, relative to the slope's square, below which a field counts as straight."""
CYCLE = ((0, 0), (1, 0), (1, 1), (0, 1))
"""Offsets of the four cells around an edge, counter-clockwise about its axis."""


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
    require_scalar(grid)
    if min(grid.shape) < 2:
        raise StagewrightError(
            "grid-shape",
            f"A surface needs at least 2 voxels along each axis, not {grid.shape}.",
            "Give a larger grid.",
        )
    values = np.ascontiguousarray(grid.values)
    inside = _inside_bits(values, level)
    edges = [_crossed_edges(inside, axis, grid.shape) for axis in range(3)]
    cells, cases = _cells(inside, grid.shape)
    if len(cells) == 0:
        low, high = float(values.min()), float(values.max())
        raise StagewrightError(
            "no-surface",
            f"The grid has values {low:g} to {high:g} and no surface at {level:g}.",
            "Give a level between these values.",
        )
    tables = dual_tables()
    cases = _without_pinches(cells, cases, grid.shape)
    count = tables.components[cases]
    start = np.cumsum(count, dtype=np.int32) - count
    place = np.empty(values.size, np.int32)  # Touched at the cells alone.
    place[cells] = np.arange(len(cells), dtype=np.int32)
    quads, crossings = [], []
    for axis in range(3):
        quad, crossing = _quads(values, level, edges[axis], axis, place, start, cases)
        quads.append(quad)
        crossings.append(crossing)
    corners = np.concatenate(quads)
    total = int(start[-1]) + int(count[-1])
    points = np.concatenate(crossings, axis=1)
    mean = _sums(corners, points, total)
    if sharp:
        planes = np.concatenate(
            [
                _tangent_planes(values, level, edges[axis], axis, crossings[axis][axis])
                for axis in range(3)
            ],
            axis=1,
        )
        box = _cell_of_vertex(cells, count, grid.shape)
        mean = least_squares_points(corners, points, planes, mean, box)
    vertices = np.empty((total, 3), np.float32)
    for axis in range(3):
        vertices[:, axis] = mean[axis] * grid.voxel_size + grid.origin[axis]
    if not np.isfinite(vertices).all():
        raise StagewrightError(
            "not-finite",
            "The surface meets voxels that are NaN or infinite.",
            "Replace them with numbers first.",
        )
    return _without_rim_strays(vertices, corners)


def _inside_bits(values: NDArray[Any], level: float) -> Words:
    """One bit per voxel, 64 along z to a word: (nx, ny, words)."""
    nx, ny, nz = values.shape
    words = -(-nz // 64)
    bits = np.zeros((nx, ny, words * 8), np.uint8)

    def pack(part: slice) -> None:
        packed = np.packbits(values[part] < level, axis=2, bitorder="little")
        bits[part, :, : packed.shape[2]] = packed

    for_each_chunk(nx, pack, chunk=max(1, (1 << 18) // (ny * nz)))
    return bits.view("<u8")


def _next_z(bits: Words) -> Words:
    """The bits of the next voxel along z."""
    result = bits >> np.uint64(1)
    result[:, :, :-1] |= bits[:, :, 1:] << np.uint64(63)
    return result


def _places(bits: Words, shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Ascending flat indices of the set bits of words over (nx, ny)."""
    octets = bits.view(np.uint8).reshape(-1)
    some = np.flatnonzero(octets)
    ones = np.flatnonzero(np.unpackbits(octets[some], bitorder="little").view(bool))
    octet = some[ones >> 3]
    width = bits.shape[2] * 8
    row = octet // width
    return row * shape[2] + (octet - row * width) * 8 + (ones & 7)


def _z_range(shape: tuple[int, int, int], first: int, stop: int) -> Words:
    """Words with the bits first..stop - 1 set."""
    words = -(-shape[2] // 64)
    octets = np.zeros(words * 64, np.uint8)
    octets[first:stop] = 1
    return np.packbits(octets, bitorder="little").view("<u8")


def _crossed_edges(
    inside: Words, axis: int, shape: tuple[int, int, int]
) -> NDArray[np.int64]:
    """Flat indices of the lower ends of crossed edges along ``axis`` with four cells around."""
    nx, ny, nz = shape
    crossed = np.zeros_like(inside)
    if axis == 0:
        np.bitwise_xor(inside[1:], inside[:-1], out=crossed[:-1])
    elif axis == 1:
        np.bitwise_xor(inside[:, 1:], inside[:, :-1], out=crossed[:, :-1])
    else:
        np.bitwise_xor(inside, _next_z(inside), out=crossed)
    # Edges within the outermost planes have less than four cells around them.
    if axis != 0:
        crossed[[0, -1]] = 0
    if axis != 1:
        crossed[:, [0, -1]] = 0
    crossed &= _z_range(shape, 0, nz - 1) if axis == 2 else _z_range(shape, 1, nz - 1)
    return _places(crossed, shape)


def _cells(
    inside: Words, shape: tuple[int, int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
    """Cells the surface passes through (flat index of their first corner) and their cases."""
    some, every = inside[:-1] | inside[1:], inside[:-1] & inside[1:]
    some, every = some[:, :-1] | some[:, 1:], every[:, :-1] & every[:, 1:]
    mixed = np.zeros_like(inside)
    mixed[:-1, :-1] = (some | _next_z(some)) & ~(every & _next_z(every))
    mixed &= _z_range(shape, 0, shape[2] - 1)
    cells = _places(mixed, shape)
    # Corners along z are neighbouring bits: four words of two bits give the case.
    width = inside.shape[2] * 64
    row = cells // shape[2]
    bit = row * width + (cells - row * shape[2])
    octets = np.append(inside.view(np.uint8).reshape(-1), np.uint8(0))
    cases = np.zeros(len(cells), np.int16)
    for corner in range(4):
        at = bit + ((corner & 1) * shape[1] + (corner >> 1)) * width
        octet = at >> 3
        pair = octets.take(octet).astype(np.uint16)
        pair |= octets.take(octet + 1).astype(np.uint16) << np.uint16(8)
        pair >>= (at & 7).astype(np.uint16)
        cases |= ((pair & 1) << corner).astype(np.int16)
        cases |= ((pair >> 1 & 1) << (corner + 4)).astype(np.int16)
    return cells, cases


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


def _quads(
    values: NDArray[Any],
    level: float,
    edges: NDArray[np.int64],
    axis: int,
    place: NDArray[np.int32],
    start: NDArray[np.int32],
    cases: NDArray[np.int16],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Quads (e, 4) and crossing points (3, e), in voxel units, of the edges along an axis."""
    _, ny, nz = values.shape
    strides = (ny * nz, nz, 1)
    flat = values.reshape(-1)
    table = dual_tables().component_of_edge.reshape(-1)
    quads = np.empty((len(edges), 4), np.int32)
    points = np.empty((3, len(edges)), np.float32)

    def build(part: slice) -> None:
        edge = edges[part]
        low, high = flat.take(edge), flat.take(edge + strides[axis])
        row = edge // nz
        plane = row // ny
        points[0, part], points[1, part] = plane, row - plane * ny
        points[2, part] = edge - row * nz
        with np.errstate(invalid="ignore"):
            points[axis, part] += ((level - low) / (high - low)).astype(np.float32)
        falling = low >= level
        for turn, (p, q) in enumerate(CYCLE):
            cell = place.take(edge - (p * strides[(axis + 1) % 3] + q * strides[(axis + 2) % 3]))
            entry = cases.take(cell).astype(np.int32)
            entry *= 12
            entry += 4 * axis + p + 2 * q
            quads[part, turn] = start.take(cell) + table.take(entry)
        reverse = np.flatnonzero(falling) + part.start
        quads[reverse, 1], quads[reverse, 3] = quads[reverse, 3], quads[reverse, 1]

    for_each_chunk(len(edges), build)
    return quads, points


def _sums(
    corners: NDArray[np.int32], points: NDArray[np.float32], total: int
) -> NDArray[np.float64]:
    """Mean crossing (3, total) of every vertex."""
    mean = np.zeros((3, total))
    amount = np.zeros(total)
    flat = corners.reshape(-1)
    amount = np.maximum(np.bincount(flat, minlength=total), 1)
    for axis in range(3):
        mean[axis] = np.bincount(flat, np.repeat(points[axis], 4), total)
    mean /= amount
    return mean


def _tangent_planes(
    values: NDArray[Any],
    level: float,
    edges: NDArray[np.int64],
    axis: int,
    along: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Unit normals and the field's planes' distances (4, e) at crossings.

    The slope at either end is taken on the side on which the field bends less (ENO), so that a
    crossing beside a sharp edge feels its own face alone, and the end with less bending counts more.
    """
    shape = values.shape
    flat = values.reshape(-1)
    result = np.empty((4, len(edges)), np.float32)

    def slopes(part: slice) -> None:
        edge = edges[part]
        strides = (shape[1] * shape[2], shape[2], 1)
        fraction = along[part] - np.floor(along[part])
        normal = np.zeros((3, len(edge)), np.float32)
        height = np.zeros(len(edge), np.float32)
        for end, weight, step_on in (
            (edge, 1 - fraction, fraction),
            (edge + strides[axis], fraction, fraction - 1),
        ):
            gradient = np.empty((3, len(edge)), np.float32)
            bends = np.zeros(len(edge), np.float32)
            for k in range(3):
                at = end // strides[k] % shape[k]
                window = [
                    flat.take(end + (np.clip(at + step, 0, shape[k] - 1) - at) * strides[k])
                    for step in (-2, -1, 0, 1, 2)
                ]
                back, forward = window[2] - window[1], window[3] - window[2]
                bend_back = np.abs(back - (window[1] - window[0]))
                bend_forward = np.abs(forward - (window[4] - window[3]))
                bend = np.abs(forward - back)
                slope = np.where(bend_back < bend_forward, back, forward)
                least = np.minimum(bend_back, bend_forward)
                gradient[k] = np.where(bend <= least, 0.5 * (back + forward), slope)
                bends += np.square(np.minimum(bend, least))
            # The end at which the field bends less speaks louder (as in WENO schemes).
            weight = weight / np.square(bends + BEND * (gradient**2).sum(axis=0))
            normal += gradient * weight
            height += (flat.take(end) - level + gradient[axis] * step_on) * weight
        length = np.sqrt((normal * normal).sum(axis=0))
        length = np.maximum(length, np.finfo(np.float32).tiny)
        result[:3, part], result[3, part] = normal / length, height / length

    for_each_chunk(len(edges), slopes)
    return result


def _cell_of_vertex(
    cells: NDArray[np.int64], count: NDArray[np.uint8], shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    cell = np.repeat(cells, count)
    return np.stack(np.unravel_index(cell, shape)).astype(np.float64)


def _without_rim_strays(
    vertices: NDArray[np.float32], corners: NDArray[np.int32]
) -> QuadMesh:
    """Drop the vertices of rim cells that no quad uses."""
    used = np.zeros(len(vertices), bool)
    used[corners.reshape(-1)] = True
    if used.all():
        return QuadMesh(vertices, corners)
    index = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return QuadMesh(vertices[used], index[corners])
