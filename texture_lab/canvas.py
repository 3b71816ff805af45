# SPDX-License-Identifier: GPL-3.0-or-later
"""One square tile to draw on: coordinates, and noises that repeat at its borders.

The noises are sums of waves with whole numbers of periods across the tile, with random
phases and a power law of frequency: they repeat exactly, and a larger picture shows the
same pattern with more of its waves. (R. F. Voss, "Random Fractal Forgeries", 1985.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]  # float32 throughout
Index = NDArray[np.int32]

_HIGHEST = 256


@dataclass(frozen=True)
class Canvas:
    """A tile of ``size`` by ``size`` pixels; ``seed`` chooses among its variations."""

    size: int
    seed: int

    @cached_property
    def x(self) -> Field:
        """float32 (size, size): centres of pixels, 0 to 1 to the right."""
        row = (np.arange(self.size, dtype=np.float32) + np.float32(0.5)) / np.float32(self.size)
        return np.broadcast_to(row, (self.size, self.size))

    @cached_property
    def y(self) -> Field:
        """float32 (size, size): centres of pixels, 0 to 1 downwards."""
        return self.x.T

    def random(self, key: int) -> np.random.Generator:
        """Random numbers that depend on the seed and a key alone."""
        return np.random.default_rng([self.seed, key])

    def noise(
        self,
        key: int,
        scale: float,
        *,
        detail: float = _HIGHEST,
        falloff: float = 1.0,
        stretch: tuple[float, float] = (1.0, 1.0),
    ) -> Field:
        """Fractal noise with mean 0 and standard deviation 1.

        Args:
            key: another key is another noise.
            scale: its largest features: how many of them fit across the tile.
            detail: its smallest, likewise.
            falloff: how fast the amplitude falls with frequency: 0 is harsh, 1 has
                equal energy in all octaves, 2 is soft.
            stretch: how many times longer the features are along x and y.

        Returns:
            float32 (size, size).
        """
        top = _HIGHEST
        kx = np.arange(top + 1, dtype=np.float32)
        ky = np.concatenate([np.arange(top), np.arange(-top, 0)]).astype(np.float32)
        frequency = np.hypot(kx * stretch[0], (ky * stretch[1])[:, None])
        inside = (frequency >= 0.75 * scale) & (frequency <= max(detail, 1.5 * scale))
        amplitude = np.where(inside, np.maximum(frequency, 1) ** -(falloff + 1), 0)
        waves = self.random(key).standard_normal((2, 2 * top, top + 1), np.float32)
        spectrum = (waves[0] + 1j * waves[1]) * amplitude
        field = self._drawn(spectrum.astype(np.complex64))
        energy = (amplitude[:, 1:] ** 2).sum() * 4 + (amplitude[:, 0] ** 2).sum() * 2
        return field / np.float32(max(energy, 1e-30) ** 0.5)

    def _drawn(self, spectrum: NDArray[np.complex64]) -> Field:
        """The sum of the waves at all pixels; those too fine for the pixels are left out."""
        half = min(self.size // 2, spectrum.shape[1] - 1)
        full = np.zeros((self.size, self.size // 2 + 1), np.complex64)
        full[:half, :half] = spectrum[:half, :half]
        full[-half:, :half] = spectrum[-half:, :half]
        full[0, 0] = 0
        full[-half, :] = 0
        return np.fft.irfft2(full, (self.size, self.size), norm="forward").astype(np.float32)

    def lookup(self, field: Field, x: Field, y: Field) -> Field:
        """A field of this tile at other places, bilinear, across its borders."""
        size = self.size
        column, row = x * size - np.float32(0.5), y * size - np.float32(0.5)
        left, top = np.floor(column), np.floor(row)
        across, down = column - left, row - top
        i, j = left.astype(np.int32) % size, top.astype(np.int32) % size
        i1, j1 = (i + 1) % size, (j + 1) % size
        flat = field.ravel()
        upper = flat[j * size + i] * (1 - across) + flat[j * size + i1] * across
        lower = flat[j1 * size + i] * (1 - across) + flat[j1 * size + i1] * across
        return upper * (1 - down) + lower * down

    def per_cell(self, key: int, cell: Index, count: int) -> Field:
        """A random number, 0 to 1, for every cell of a layout of ``count`` cells."""
        return self.random(key).random(count, np.float32)[cell]


def smoothstep(low: float, high: float, field: Field) -> Field:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Field | float, b: Field | float, t: Field) -> Field:
    """From ``a`` to ``b`` by ``t``, 0 to 1; colours have a last axis more than ``t``."""
    if max(np.ndim(a), np.ndim(b)) == 3 or (np.ndim(b) == 1 and np.ndim(t) == 2):
        t = t[..., None]
    return a + (b - a) * t
