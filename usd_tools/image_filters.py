# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters along one axis of a picture, for those that judge pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_BLOCK = 128


def correlate(plane: Plane, weights: NDArray[np.float64], axis: int) -> Plane:
    """Sums of neighbours along one axis, times ``weights``; the border goes on beyond the edge.

    Blocks of the plane are multiplied with a banded matrix: more products than the sums
    have, but the matrix product makes them ten times as fast.

    Args:
        plane: float32 (rows, columns).
        weights: an odd number of them; the middle one is the pixel's own.
        axis: 0 down the columns, 1 along the rows.

    Returns:
        float32 (rows, columns).
    """
    radius = len(weights) // 2
    margins = [(0, 0), (0, 0)]
    margins[axis] = (radius, radius)
    padded = np.pad(plane, margins, mode="edge")
    size = plane.shape[axis]
    block = min(_BLOCK, size)
    band = np.zeros((block, block + 2 * radius), np.float32)
    for shift, weight in enumerate(weights):
        band[np.arange(block), np.arange(block) + shift] = weight
    result = np.empty(plane.shape, np.float32)
    for start in range(0, size, block):
        stop = min(start + block, size)
        piece = band[: stop - start, : stop - start + 2 * radius]
        if axis == 0:
            result[start:stop] = piece @ padded[start : stop + 2 * radius]
        else:
            result[:, start:stop] = padded[:, start : stop + 2 * radius] @ piece.T
    return result


def gaussian(sigma: float, radius: int) -> NDArray[np.float64]:
    """Values of the bell curve of ``sigma`` pixels at -radius … radius, 1 in the middle."""
    offsets = np.arange(-radius, radius + 1)
    values: NDArray[np.float64] = np.exp(-(offsets**2) / (2 * sigma**2))
    return values
