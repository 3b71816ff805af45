# SPDX-License-Identifier: GPL-3.0-or-later
"""How well a tile repeats, in numbers.

Three faults give a tile away: a seam that is harder or softer than the lines within, a band that
lost its detail to blending, and a mirror image along the border, the cheap way out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating[Any]]

BAND = 8
"""Pixels of a band whose detail is measured."""
_REACH = 32
"""Pixels on each side of a line that are compared with their mirror image."""
_PLACES = ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))
PERCENTILES = (2.0, 98.0)
WEAKEST, MIRROR = 0.95, 0.05


@dataclass(frozen=True)
class TilingReport:
    """What :func:`measure` found; the worse of both directions counts.

    Attributes:
        seam_percentiles: of the differences across the seam among those of all lines
            within, between columns and between rows.
        weakest_band: detail of the tile's weakest band of 8 pixels, over that of the
            source's weakest.
        mirror_excess: greatest likeness to a mirror image along any line, above the
            source's.
    """

    seam_percentiles: tuple[float, float]
    weakest_band: float
    mirror_excess: float

    @property
    def is_seamless(self) -> bool:
        """Whether all three are as of a tile that was never cut."""
        low, high = PERCENTILES
        seams = all(low <= value <= high for value in self.seam_percentiles)
        return seams and self.weakest_band >= WEAKEST and self.mirror_excess <= MIRROR

    @property
    def fault(self) -> float:
        """How far it is from that; 0 where it is."""
        low, high = PERCENTILES
        seams = sum(max(low - value, value - high, 0.0) for value in self.seam_percentiles)
        return seams + 100 * max(WEAKEST - self.weakest_band, self.mirror_excess - MIRROR, 0.0)


def measure(tile: Image, source: Image) -> TilingReport:
    """Measure a tile beside the image that it was made of.

    Args:
        tile: (rows, columns) or (rows, columns, channels), at least 64 each way.
        source: the same number of channels. Where it is larger, parts of the tile's size are
            looked at: extremes of fewer pixels are greater.
    """
    tile, source = _grey(tile), _grey(source)
    windows = list(_windows(source, tile.shape))
    ways = [(tile, windows), (tile.T, [window.T for window in windows])]
    first, second = (_seam_percentile(own) for own, _ in ways)
    return TilingReport(
        seam_percentiles=(first, second),
        weakest_band=min(
            _weakest(own, wraps=True) / min(_weakest(each, wraps=False) for each in others)
            for own, others in ways
        ),
        mirror_excess=max(
            _mirror(own, wraps=True) - max(_mirror(each, wraps=False) for each in others)
            for own, others in ways
        ),
    )


def _grey(image: Image) -> Image:
    values = np.asarray(image, np.float64)
    return values.mean(axis=2) if values.ndim == 3 else values


def _windows(source: Image, shape: tuple[int, ...]) -> Iterator[Image]:
    """Parts of the source of a shape: at its corners and in its middle."""
    rows, columns = (min(own, there) for own, there in zip(shape, source.shape, strict=True))
    free = source.shape[0] - rows, source.shape[1] - columns
    starts = {(int(free[0] * a), int(free[1] * b)) for a, b in _PLACES}
    for row, column in sorted(starts):
        yield source[row : row + rows, column : column + columns]


def _seam_percentile(tile: Image) -> float:
    """Share of lines within that differ less from the one before than the seam does."""
    steps = np.abs(tile - np.roll(tile, 1, axis=1)).mean(axis=0)
    return float(100.0 * (steps[1:] < steps[0]).mean())


def _weakest(image: Image, *, wraps: bool) -> float:
    """Detail of the weakest band of columns: the mean size of differences within it."""
    across = np.abs(np.roll(image, -1, axis=1) - image).mean(axis=0)
    along = np.abs(np.roll(image, -1, axis=0) - image)[:-1].mean(axis=0)
    detail = across + along
    if wraps:
        detail = np.concatenate([detail, detail[: BAND - 1]])
    else:
        detail = detail[:-1]  # the last difference is that across the border
    bands = np.convolve(detail, np.full(BAND, 1 / BAND), "valid")
    return max(float(bands.min()), 1e-12)


def _mirror(image: Image, *, wraps: bool) -> float:
    """Greatest correlation of what lies left of a line with the mirror image of what lies right."""
    reach = min(_REACH, image.shape[1] // 4)
    if wraps:
        image = np.concatenate([image[:, -reach:], image, image[:, :reach]], axis=1)
    best = -1.0
    for line in range(reach, image.shape[1] - reach + 1):
        left, right = image[:, line - reach : line][:, ::-1], image[:, line : line + reach]
        best = max(best, _correlation(left, right))
    return best


def _correlation(a: Image, b: Image) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size > 0 else 0.0
