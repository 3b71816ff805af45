# SPDX-License-Identifier: GPL-3.0-or-later
"""Block-sparse fields: cubes of 8 or 16 voxels a side, stored only where the field says something.

A table of 32-bit numbers tells for each block of the lattice where it lies in one contiguous pool,
or that it is uniform: `OUTSIDE`, all ``background``, or `INSIDE`, all ``-background`` as within the
band of a level set. Beyond the lattice the field is ``background`` everywhere. (The idea of
OpenVDB's leaf nodes, K. Museth 2013, with one flat level, as numpy likes it.)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .band import NarrowBand
from .grid import FloatArray, Grid, count_text, require_scalar
from .kernels import Kernel
from .memory import require_memory
from .parallel import for_each_chunk

OUTSIDE, INSIDE = -1, -2
BLOCK_SIDES = (8, 16)
_BATCH_VOXELS = 1 << 19

IntArray = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class BlockGrid:
    """A field in blocks.

    Attributes:
        table: (bx, by, bz) int32: place in the pool, `OUTSIDE` or `INSIDE`.
        pool: (n, b, b, b) or (n, b, b, b, 3), float32 or float64; b is 8 or 16.
        background: value of blocks outside; ``-background`` inside.
        shape: voxels along x, y and z; the last blocks may reach further.
        voxel_size: side of a voxel in world units.
        origin: world position of the centre of voxel (0, 0, 0).
    """

    table: IntArray
    pool: FloatArray
    background: float
    shape: tuple[int, int, int]
    voxel_size: float = 1.0
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def side(self) -> int:
        """Voxels along a block's edge."""
        return int(self.pool.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of the pool and the table."""
        return self.pool.nbytes + self.table.nbytes

    @property
    def stored(self) -> IntArray:
        """(n, 3) block coordinates in the order of the pool."""
        where = np.argwhere(self.table >= 0)
        order = np.empty(len(where), np.int64)
        order[self.table[tuple(where.T)]] = np.arange(len(where))
        return where[order].astype(np.int32)

    def to_grid(self) -> Grid:
        """The field in a dense grid.

        Raises:
            StagewrightError: ``out-of-memory`` (nothing was allocated).
        """
        vector = self.pool.shape[4:]
        size = int(np.prod(self.shape)) * self.pool.itemsize * (3 if vector else 1)
        require_memory(size, f"A grid of {count_text(self.shape)}")
        values = np.empty((*self.shape, *vector), self.pool.dtype)
        b, (_, ny, nz) = self.side, self.shape
        for first, numbers in enumerate(self.table):
            blocks = np.full((*numbers.shape, b, b, b, *vector), self.background, self.pool.dtype)
            blocks[numbers == INSIDE] = -self.background
            blocks[numbers >= 0] = self.pool[numbers[numbers >= 0]]
            slab = np.moveaxis(blocks, (2, 3, 4), (0, 2, 4))  # voxels beside their blocks
            slab = slab.reshape(b, numbers.shape[0] * b, numbers.shape[1] * b, *vector)
            part = values[b * first : b * first + b]
            part[:] = slab[: len(part), :ny, :nz]
        return Grid(values, self.voxel_size, self.origin)

    def values_at(self, indices: ArrayLike) -> FloatArray:
        """Values (k,) or (k, 3) at voxel indices (k, 3), inside the lattice or beyond it."""
        index = np.asarray(indices, np.int64)
        b = self.side
        block = index // b
        within = ((block >= 0) & (block < np.array(self.table.shape))).all(axis=1)
        number = np.full(len(index), OUTSIDE, np.int64)
        number[within] = self.table[tuple(block[within].T)]
        rest = index - block * b
        stored = number >= 0
        result = np.full((len(index), *self.pool.shape[4:]), self.background, self.pool.dtype)
        result[number == INSIDE] = -self.background
        result[stored] = self.pool[(number[stored], *rest[stored].T)]
        return result

    def sample(self, points: ArrayLike) -> FloatArray:
        """Trilinear interpolation at world positions (k, 3): values (k,) or (k, 3)."""
        position = (np.asarray(points, np.float64) - self.origin) / self.voxel_size
        cell = np.floor(position).astype(np.int64)
        rest = (position - cell).astype(self.pool.dtype)
        total = np.zeros((len(cell), *self.pool.shape[4:]), self.pool.dtype)
        for corner in itertools.product((0, 1), repeat=3):
            weight = np.prod(np.where(np.array(corner), rest, 1 - rest), axis=1)
            values = self.values_at(cell + np.array(corner))
            total += values * weight.reshape(-1, *[1] * (values.ndim - 1))
        return total

    def with_halo(self, numbers: NDArray[np.integer[Any]], halo: int) -> FloatArray:
        """Stored blocks with a halo from all 26 neighbours.

        Args:
            numbers: (k,) places in the pool.
            halo: voxels on each side, 0 to the block's side.

        Returns:
            (k, b + 2 halo, b + 2 halo, b + 2 halo), or the same with vectors.
        """
        if not 0 <= halo <= self.side:
            raise StagewrightError(
                "halo-width",
                f"A halo of {halo} voxels does not fit blocks of {self.side}.",
                "Use larger blocks or a smaller halo.",
            )
        b, wide = self.side, self.side + 2 * halo
        result = np.empty((len(numbers), wide, wide, wide, *self.pool.shape[4:]), self.pool.dtype)
        padded = np.pad(self.table, 1, constant_values=OUTSIDE)
        home = self.stored[numbers] + 1
        # Target and source of the part that a neighbour at -1, 0 or 1 along an axis brings.
        target = {-1: slice(0, halo), 0: slice(halo, halo + b), 1: slice(halo + b, wide)}
        source = {-1: slice(b - halo, b), 0: slice(0, b), 1: slice(0, halo)}
        for step in itertools.product((-1, 0, 1), repeat=3):
            if halo == 0 and any(step):
                continue
            there = padded[tuple((home + np.array(step)).T)]
            part = result[(slice(None), *(target[s] for s in step))]
            where = np.flatnonzero(there >= 0)
            piece = self.pool[(slice(None), *(source[s] for s in step))]
            part[where] = piece[there[where]]
            part[there == OUTSIDE] = self.background
            part[there == INSIDE] = -self.background
        return result

    def apply(self, kernel: Kernel, background: float = 0.0, **params: Any) -> BlockGrid:
        """The kernel's answer in every stored block; ``background`` elsewhere, inside too.

        Raises:
            StagewrightError: ``halo-width`` or what the kernel refuses.
        """
        b, halo = self.side, kernel.halo
        shape = kernel.result_shape((b, b, b, *self.pool.shape[4:]))
        pool = np.empty((len(self.pool), *shape), self.pool.dtype)
        wide = b + 2 * halo
        inner = (slice(None), *[slice(halo, halo + b)] * 3)

        def work(part: slice) -> None:
            blocks = self.with_halo(np.arange(part.start, part.stop), halo)
            # Blocks one behind the other along x make one array: no voxel that is kept sees past
            # its own block's halo.
            row = kernel(blocks.reshape(-1, *blocks.shape[2:]), self.voxel_size, **params)
            pool[part] = row.reshape(len(blocks), wide, *row.shape[1:])[inner]

        for_each_chunk(len(pool), work, length=max(1, _BATCH_VOXELS // wide**3))
        table = np.where(self.table == INSIDE, OUTSIDE, self.table).astype(np.int32)
        return replace(self, table=table, pool=pool, background=background)


def blocks_of_band(band: NarrowBand, side: int = 8) -> BlockGrid:
    """A narrow band in blocks; nothing dense is made.

    Args:
        band: signed distances near a surface.
        side: 8 or 16 voxels.

    Raises:
        StagewrightError: ``block-side`` or ``out-of-memory``.
    """
    table = _empty_table(band.shape, side)
    x, y, z = np.unravel_index(band.keys, band.shape)
    block = np.ravel_multi_index((x // side, y // side, z // side), table.shape)
    used, number = np.unique(block, return_inverse=True)
    require_memory(4 * len(used) * side**3, f"A pool of {len(used)} blocks")
    flat = table.reshape(-1)
    flat[used] = np.arange(len(used), dtype=np.int32)
    pool = np.full((len(used), side, side, side), band.width, np.float32)
    _fill_inside(band, table, pool)
    pool[number.reshape(-1), x % side, y % side, z % side] = band.distances
    return BlockGrid(table, pool, band.width, band.shape, band.voxel_size, band.origin)


def _fill_inside(band: NarrowBand, table: IntArray, pool: FloatArray) -> None:
    """Write the runs that lie inside but not in the band, to the table where no block is stored."""
    side = pool.shape[1]
    runs = band.inner_runs()
    i, j, start = np.unravel_index(runs[:, 0], band.shape)
    stop = start + runs[:, 1] - runs[:, 0]
    # Each run is cut at the borders of blocks along z.
    count = (stop - 1) // side - start // side + 1
    owner = np.repeat(np.arange(len(runs)), count)
    block = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    block += start[owner] // side
    low = np.maximum(start[owner], block * side)
    high = np.minimum(stop[owner], (block + 1) * side)
    place = (i[owner] // side, j[owner] // side, block)
    number = table[place]
    # A run through a block without band voxels: all of it lies inside.
    table[tuple(part[number < 0] for part in place)] = INSIDE
    some = np.flatnonzero(number >= 0)
    length = (high - low)[some]
    piece = np.repeat(some, length)
    z = np.arange(len(piece)) - np.repeat(np.cumsum(length) - length, length) + low[piece]
    row = owner[piece]
    pool[number[piece], i[row] % side, j[row] % side, z - block[piece] * side] = -band.width


def blocks_of_grid(grid: Grid, background: float, side: int = 8) -> BlockGrid:
    """A dense field in blocks: those with a value other than plus or minus the background.

    Args:
        grid: scalar or vector field.
        background: value outside; a scalar field may be ``-background`` inside.
        side: 8 or 16 voxels.

    Raises:
        StagewrightError: ``block-side``.
    """
    table = _empty_table(grid.shape, side)
    values = grid.values
    where: list[FloatArray] = []
    for bx, by, bz in itertools.product(*(range(n) for n in table.shape)):
        block = values[tuple(slice(side * p, side * p + side) for p in (bx, by, bz))]
        if np.all(block == background):
            continue
        if not grid.is_vector and np.all(block == -background):
            table[bx, by, bz] = INSIDE
        else:
            table[bx, by, bz] = len(where)
            where.append(block)
    pool = np.full((len(where), side, side, side, *values.shape[3:]), background, grid.dtype)
    for target, block in zip(pool, where, strict=True):
        target[tuple(slice(0, n) for n in block.shape[:3])] = block
    return BlockGrid(table, pool, background, grid.shape, grid.voxel_size, grid.origin)


def combine(a: BlockGrid, b: BlockGrid, function: Callable[..., FloatArray]) -> BlockGrid:
    """A pointwise function of two level sets of one background, block by block.

    Hard booleans are ``np.minimum`` (union), ``np.maximum`` (intersection) and
    ``lambda a, b: np.maximum(a, -b)`` (difference). Where both are uniform the function has to
    give plus or minus the background too.

    Raises:
        StagewrightError: ``grid-mismatch`` when lattices, block sides or backgrounds differ.
    """
    same = a.table.shape == b.table.shape and a.pool.shape[1:] == b.pool.shape[1:]
    same &= a.shape == b.shape and a.background == b.background and a.voxel_size == b.voxel_size
    if not same or not np.allclose(a.origin, b.origin, rtol=0, atol=1e-4 * a.voxel_size):
        raise StagewrightError(
            "grid-mismatch",
            f"Block grids of {count_text(a.shape)} and {count_text(b.shape)} do not share a "
            "lattice, a block side and a background.",
            "Make both over one box with one voxel size and half width.",
        )
    uniform = np.array([-a.background, a.background])  # at INSIDE and OUTSIDE, counted from the end
    table = np.full(a.table.shape, OUTSIDE, np.int32)
    stored = (a.table >= 0) | (b.table >= 0)
    one, other = uniform[np.minimum(a.table, -1)], uniform[np.minimum(b.table, -1)]
    table[function(one, other) < 0] = INSIDE
    where = np.flatnonzero(stored)
    table.reshape(-1)[where] = np.arange(len(where))
    pool = np.empty((len(where), *a.pool.shape[1:]), a.pool.dtype)

    def work(part: slice) -> None:
        blocks = []
        for grid in (a, b):
            numbers = grid.table.reshape(-1)[where[part]]
            values = np.empty((len(numbers), *grid.pool.shape[1:]), grid.pool.dtype)
            values[numbers == OUTSIDE], values[numbers == INSIDE] = (
                grid.background,
                -grid.background,
            )
            values[numbers >= 0] = grid.pool[numbers[numbers >= 0]]
            blocks.append(values)
        pool[part] = function(*blocks)

    for_each_chunk(len(where), work, length=max(1, _BATCH_VOXELS // a.side**3))
    return replace(a, table=table, pool=pool)


def band_of_blocks(blocks: BlockGrid) -> NarrowBand:
    """The voxels of a level set that are nearer than its background.

    Raises:
        StagewrightError: ``grid-shape`` for a vector field.
    """
    require_scalar(Grid(blocks.pool[0] if len(blocks.pool) else np.zeros((1, 1, 1))))
    b = blocks.side
    number, x, y, z = np.nonzero(np.abs(blocks.pool) < blocks.background)
    index = blocks.stored[number] * b + np.stack([x, y, z], axis=1)
    values = blocks.pool[number, x, y, z]
    within = (index < np.array(blocks.shape)).all(axis=1)
    keys = np.ravel_multi_index(tuple(index[within].T), blocks.shape)
    order = np.argsort(keys)
    return NarrowBand(
        keys[order],
        values[within][order].astype(np.float32, copy=False),
        blocks.shape,
        blocks.voxel_size,
        blocks.origin,
        blocks.background,
    )


def _empty_table(shape: tuple[int, int, int], side: int) -> IntArray:
    if side not in BLOCK_SIDES:
        raise StagewrightError(
            "block-side", f"Blocks of {side} voxels are not made.", "Use 8 or 16 voxels a side."
        )
    blocks = [-(-count // side) for count in shape]
    require_memory(4 * int(np.prod(blocks)), f"The table of {count_text(shape)}")
    return np.full(blocks, OUTSIDE, np.int32)
