# SPDX-License-Identifier: GPL-3.0-or-later
"""Narrow bands: the voxels near a surface alone, in the order of memory.

A band holds every voxel nearer to the surface than its width, so two voxels that follow each other
along z with a gap between them lie on the same side, and so does the gap: the sign of every voxel
outside the band is known without storing it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import Grid, count_text
from .memory import require_memory

WIDEST = 1000.0
"""Largest half width of a band, in voxels."""


@dataclass(frozen=True, eq=False)
class NarrowBand:
    """A signed distance field near its surface.

    Attributes:
        keys: (b,) int64, ascending: flat C-order index of each voxel in ``shape``.
        distances: (b,) float32, world units, negative inside.
        shape: voxels along x, y and z.
        voxel_size: side of a voxel in world units.
        origin: world position of the centre of voxel (0, 0, 0).
        width: world distance at which the band ends, on both sides.
    """

    keys: NDArray[np.int64]
    distances: NDArray[np.float32]
    shape: tuple[int, int, int]
    voxel_size: float
    origin: tuple[float, float, float]
    width: float

    @property
    def indices(self) -> NDArray[np.int32]:
        """Voxel indices of the band, shape (b, 3)."""
        return np.stack(np.unravel_index(self.keys, self.shape), axis=1).astype(np.int32)

    def to_grid(self) -> Grid:
        """The band in a dense grid, ``width`` outside and ``-width`` inside elsewhere.

        Raises:
            StagewrightError: ``out-of-memory`` (nothing was allocated).
        """
        require_memory(4 * math.prod(self.shape), f"A grid of {count_text(self.shape)}")
        values = np.full(math.prod(self.shape), self.width, np.float32)
        for start, stop in self.inner_runs():
            values[start:stop] = -self.width
        values[self.keys] = self.distances
        return Grid(values.reshape(self.shape), self.voxel_size, self.origin)

    def inner_runs(self) -> NDArray[np.int64]:
        """Runs of voxels inside but not in the band: (r, 2) flat start and stop."""
        keys, inside = self.keys, self.distances < 0
        gap = (keys[1:] - keys[:-1] > 1) & inside[:-1] & inside[1:]
        gap &= keys[1:] // self.shape[2] == keys[:-1] // self.shape[2]
        where = np.flatnonzero(gap)
        return np.stack([keys[where] + 1, keys[where + 1]], axis=1)


def dense(field: NarrowBand | Grid) -> Grid:
    """A field as a dense grid.

    Raises:
        StagewrightError: ``out-of-memory`` (nothing was allocated).
    """
    return field.to_grid() if isinstance(field, NarrowBand) else field


def require_half_width(half_width: float) -> None:
    """Refuse bands that do not hold the surface, or are none (``half-width``)."""
    if not 1 <= half_width <= WIDEST:
        raise StagewrightError(
            "half-width",
            f"A band of {half_width!r} voxels on each side cannot be made.",
            f"Give 1 to {WIDEST:g} voxels; 3 is usual.",
        )
