# SPDX-License-Identifier: GPL-3.0-or-later
"""The cells between eight voxels that a surface passes, and the grid's edges that it crosses.

The voxels inside are single bits, 64 along z to a word, so that most of a grid is looked at 64
voxels at a time. Cells and edges are named by the flat index of their first voxel; cases are those
of `dual_tables`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import Grid, require_scalar
from .parallel import for_each_chunk

Words = NDArray[np.uint64]


def require_cells(grid: Grid) -> None:
    """Refuse what has no cells between eight voxels (``grid-shape``)."""
    require_scalar(grid)
    if min(grid.shape) < 2:
        raise StagewrightError(
            "grid-shape",
            f"A surface needs at least 2 voxels along each axis, not {grid.shape}.",
            "Give a larger grid.",
        )


def no_surface(values: NDArray[Any], level: float) -> StagewrightError:
    """The error of a grid that lies on one side of the level (``no-surface``)."""
    low, high = float(np.min(values)), float(np.max(values))
    return StagewrightError(
        "no-surface",
        f"The grid has values {low:g} to {high:g} and no surface at {level:g}.",
        "Give a level between these values.",
    )


def require_finite_crossings(places: NDArray[np.float32]) -> None:
    """Refuse a surface through NaN or infinity (``not-finite``)."""
    if not np.isfinite(places.sum()):
        raise StagewrightError(
            "not-finite",
            "The surface meets voxels that are NaN or infinite.",
            "Replace them with numbers first.",
        )


def inside_bits(values: NDArray[Any], level: float) -> Words:
    """One bit per voxel, 64 along z to a word: (nx, ny, words)."""
    nx, ny, nz = values.shape
    words = -(-nz // 64)
    bits = np.zeros((nx, ny, words * 8), np.uint8)

    def pack(part: slice) -> None:
        packed = np.packbits(values[part] < level, axis=2, bitorder="little")
        bits[part, :, : packed.shape[2]] = packed

    for_each_chunk(nx, pack, length=max(1, (1 << 18) // (ny * nz)))
    return bits.view("<u8")


def _next_z(bits: Words) -> Words:
    """The bits of the next voxel along z."""
    result = bits >> np.uint64(1)
    result[:, :, :-1] |= bits[:, :, 1:] << np.uint64(63)
    return result


def _places(bits: Words, shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Ascending flat indices of the set bits of words over (nx, ny)."""
    octets = bits.view(np.uint8).reshape(-1)
    some = np.flatnonzero(octets != 0)  # Much faster on flags than on numbers.
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


def crossed_edges(
    inside: Words, axis: int, shape: tuple[int, int, int], *, rim: bool = False
) -> NDArray[np.int64]:
    """Flat indices of the lower ends of crossed edges along ``axis`` with four cells around.

    With ``rim`` also of those within the outermost planes, which have fewer cells.
    """
    nx, ny, nz = shape
    crossed = np.zeros_like(inside)
    if axis == 0:
        np.bitwise_xor(inside[1:], inside[:-1], out=crossed[:-1])
    elif axis == 1:
        np.bitwise_xor(inside[:, 1:], inside[:, :-1], out=crossed[:, :-1])
    else:
        np.bitwise_xor(inside, _next_z(inside), out=crossed)
    # Edges within the outermost planes have less than four cells around them.
    if axis != 0 and not rim:
        crossed[[0, -1]] = 0
    if axis != 1 and not rim:
        crossed[:, [0, -1]] = 0
    first, stop = (0, nz - 1) if axis == 2 else (0, nz) if rim else (1, nz - 1)
    crossed &= _z_range(shape, first, stop)
    return _places(crossed, shape)


def mixed_cells(
    inside: Words, shape: tuple[int, int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
    """Cells the surface passes through (flat index of their first corner) and their cases."""
    some, every = inside[:-1] | inside[1:], inside[:-1] & inside[1:]
    some, every = some[:, :-1] | some[:, 1:], every[:, :-1] & every[:, 1:]
    mixed = np.zeros_like(inside)
    mixed[:-1, :-1] = (some | _next_z(some)) & ~(every & _next_z(every))
    mixed &= _z_range(shape, 0, shape[2] - 1)
    cells = _places(mixed, shape)
    # Corners along z are neighbouring bits: four pairs of bits give the case.
    width = inside.shape[2] * 64
    octets = np.append(inside.view(np.uint8).reshape(-1), np.uint8(0)).astype(np.uint16)
    pairs = octets[:-1] | octets[1:] << np.uint16(8)
    cases = np.empty(len(cells), np.int16)

    def gather(part: slice) -> None:
        cell = cells[part]
        bit = cell + cell // shape[2] * (width - shape[2])
        case = np.zeros(len(cell), np.uint16)
        for corner in range(4):
            at = bit + ((corner & 1) * shape[1] + (corner >> 1)) * width
            pair = pairs.take(at >> 3)
            pair >>= (at & 7).astype(np.uint16)
            case |= (pair & np.uint16(1)) << np.uint16(corner)
            case |= (pair & np.uint16(2)) << np.uint16(corner + 3)
        cases[part] = case

    for_each_chunk(len(cells), gather)
    return cells, cases
