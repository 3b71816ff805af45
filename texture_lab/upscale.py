# SPDX-License-Identifier: GPL-3.0-or-later
"""Larger images that are, made small again, the ones they came from.

A cubic start (R. Keys, 1981) is sharpened by what it lacks when it is made small again (M. Irani
and S. Peleg, "Improving Resolution by Image Registration", 1991: iterative back-projection), and
smoothed along edges alone in between, so that they become sharp without becoming jagged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.events import Job, Progress

Array = NDArray[np.float32]

_ROUNDS = 6
_ALONG = 0.35
"""Part of each pixel that its neighbours along an edge have at an ideal edge."""


def upscale(image: Array, factor: int, *, wraps: bool = False) -> Job[Array]:
    """An image ``factor`` times as large, whose boxes of pixels have the means of the old ones.

    Args:
        image: (rows, columns, channels), 0 to 1.
        factor: a power of two.
        wraps: whether the image repeats.

    Returns:
        (rows * factor, columns * factor, channels) float32, 0 to 1.
    """
    doublings = factor.bit_length() - 1
    for number in range(doublings):
        yield Progress("upscale.double", number / doublings, f"Doubling {image.shape[1]} columns")
        image = _doubled(image, wraps)
    return np.clip(image, 0, 1)


def _doubled(small: Array, wraps: bool) -> Array:
    mode: Any = "wrap" if wraps else "edge"
    large = _cubic(small, mode)
    for _ in range(_ROUNDS):
        large = _along_edges(large, mode)
        large += _cubic(small - halved(large), mode)
    lacking = small - halved(large)
    return large + lacking.repeat(2, 0).repeat(2, 1)


def halved(large: Array) -> Array:
    """Means of boxes of two by two pixels."""
    rows, columns = large.shape[0] // 2, large.shape[1] // 2
    return large.reshape(rows, 2, columns, 2, -1).mean((1, 3), dtype=np.float32)


def _cubic(small: Array, mode: Any) -> Array:
    """Twice as large by Keys' cubic convolution, pixels centred in their boxes."""
    for axis in (0, 1):
        pad = [(0, 0)] * 3
        pad[axis] = (2, 2)
        wide = np.pad(small, pad, mode=mode)
        length = small.shape[axis]

        def at(shift: int, wide: Array = wide, length: int = length, axis: int = axis) -> Array:
            return wide.take(range(2 + shift, 2 + shift + length), axis)

        # A quarter of a pixel before and after each centre.
        near, far, beyond, behind = _KEYS
        before = near * at(0) + far * at(-1) + beyond * at(-2) + behind * at(1)
        after = near * at(0) + far * at(1) + beyond * at(2) + behind * at(-1)
        shape = [*small.shape]
        shape[axis] *= 2
        small = np.stack([before, after], axis + 1).reshape(shape)
    return small


def _keys(distance: float) -> np.float32:
    """The weight of a pixel at that distance."""
    d = abs(distance)
    if d < 1:
        return np.float32(1.5 * d**3 - 2.5 * d**2 + 1)
    return np.float32(-0.5 * d**3 + 2.5 * d**2 - 4 * d + 2)


_KEYS = tuple(_keys(distance) for distance in (0.25, 0.75, 1.75, 1.25))


def _along_edges(image: Array, mode: Any) -> Array:
    """Each pixel mixed with its neighbours along the edge it is on, as far as it is on one."""
    gray = np.pad(image.mean(2), 1, mode=mode)
    across = (gray[1:-1, 2:] - gray[1:-1, :-2]) / 2
    down = (gray[2:, 1:-1] - gray[:-2, 1:-1]) / 2
    # The structure tensor tells edges from textures (W. Förstner and E. Gülch, 1987).
    products = np.square(across), np.square(down), across * down
    xx, yy, xy = (_blurred(each.astype(np.float32), mode) for each in products)
    apart = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    edge = (apart / (xx + yy + np.float32(1e-6))) ** 2
    angle = np.arctan2(2 * xy, xx - yy) / 2 + np.float32(np.pi / 2)
    dx, dy = np.cos(angle)[:, :, None], np.sin(angle)[:, :, None]
    total = np.zeros_like(image)
    wide = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode=mode)
    rows, columns = image.shape[:2]
    for step in (-1, 1):
        x, y = step * dx, step * dy
        left, top = np.floor(x), np.floor(y)
        fx, fy = x - left, y - top
        for oy in (-1, 0, 1):
            for ox in (-1, 0, 1):
                weight = np.where(left == ox, 1 - fx, 0) + np.where(left + 1 == ox, fx, 0)
                weight *= np.where(top == oy, 1 - fy, 0) + np.where(top + 1 == oy, fy, 0)
                total += weight * wide[1 + oy : 1 + oy + rows, 1 + ox : 1 + ox + columns]
    part = (np.float32(_ALONG) * edge)[:, :, None]
    return image + part * (total / 2 - image)


def _blurred(field: Array, mode: Any) -> Array:
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (2, 2)
        wide = np.pad(field, pad, mode=mode)
        length = field.shape[axis]
        field = sum(  # type: ignore[assignment]
            np.float32(weight / 16) * wide.take(range(shift, shift + length), axis)
            for shift, weight in enumerate((1, 4, 6, 4, 1))
        )
    return field
