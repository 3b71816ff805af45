# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pictures of the same thing: what differs, as pictures and as figures."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .colour import encoded
from .flip import Picture, flip_map
from .image_filters import Plane, correlate, gaussian

# Structural similarity as its paper has it: window, and what keeps quotients finite.
_WINDOW_SIGMA, _WINDOW_RADIUS = 1.5, 5
_STEADY = (0.01**2, 0.03**2)

# Dark to bright without a step that is brighter than the next, as perceptually uniform
# colour maps have it: black, violet, red, orange, pale yellow.
_RAMP = np.array(
    [
        (0, 0, 4),
        (28, 16, 68),
        (79, 18, 123),
        (129, 37, 129),
        (181, 54, 122),
        (229, 80, 100),
        (251, 135, 97),
        (254, 194, 135),
        (252, 253, 191),
    ],
    np.float32,
) / np.float32(255)


@dataclass(frozen=True)
class Figures:
    """How much two pictures differ.

    Attributes:
        flip: mean of the FLIP map, 0 (none) to 1.
        flip_greatest: the greatest of it.
        psnr: peak signal to noise in decibels; None for equal pictures, whose is infinite.
        ssim: mean structural similarity of the channels, 1 for equal pictures.
        greatest: greatest difference of a channel, 0 to 1.
    """

    flip: float
    flip_greatest: float
    psnr: float | None
    ssim: float
    greatest: float

    def to_json(self) -> dict[str, float | None]:
        """Plain JSON data."""
        return asdict(self)


def displayed(light: Picture, exposure: float = 0.0) -> tuple[Picture, float]:
    """Scene-linear light as a display shows it: exposed, cut off at white, sRGB.

    Args:
        light: float32, any shape.
        exposure: stops.

    Returns:
        sRGB, 0 to 1, and the part of the pixels (of the last axis) that are cut off.
    """
    exposed = light * np.float32(2.0**exposure)
    return encoded(exposed), float((exposed > 1).any(axis=-1).mean())


def compare(first: Picture, second: Picture) -> tuple[Figures, Plane]:
    """Judge how much two pictures differ.

    Args:
        first: (rows, columns, 3) float32, sRGB as displayed, 0 to 1.
        second: another.

    Returns:
        The figures, and the FLIP map.

    Raises:
        StagewrightError: ``sizes-differ``.
    """
    if first.shape != second.shape:
        sizes = " and ".join(f"{p.shape[1]} x {p.shape[0]}" for p in (first, second))
        raise StagewrightError(
            "sizes-differ",
            f"Pictures of {sizes} pixels cannot be compared.",
            "Render both at the same size.",
        )
    flip = flip_map(first, second)
    figures = Figures(
        flip=float(flip.mean(dtype=np.float64)),
        flip_greatest=float(np.max(flip)),
        psnr=psnr(first, second),
        ssim=ssim(first, second),
        greatest=float(np.max(np.abs(first - second))),
    )
    return figures, flip


def compare_task(first: str, second: str, flip: str) -> Job[dict[str, Any]]:
    """:func:`compare` with files, for a child process.

    Args:
        first: path of an .npy file.
        second: that of another.
        flip: path of the .npy file to write, the FLIP map.

    Returns:
        The figures.
    """
    yield Progress("compare.judge", 0.1, "Comparing the pictures")
    figures, found = compare(np.load(first), np.load(second))
    np.save(Path(flip), found)
    return figures.to_json()


def psnr(first: Picture, second: Picture) -> float | None:
    """Peak signal to noise ratio in decibels, the peak being 1; None when nothing differs."""
    error = float(np.square(first - second, dtype=np.float64).mean())
    return -10 * math.log10(error) if error else None


def ssim(first: Picture, second: Picture) -> float:
    """Mean structural similarity over the channels, at most 1.

    Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image Quality Assessment: From
    Error Visibility to Structural Similarity", IEEE Transactions on Image Processing 13(4),
    2004: a Gaussian window of 11 x 11 with sigma 1.5, where all of it lies within the picture
    (pictures smaller than that go on beyond their edges).
    """
    bell = gaussian(_WINDOW_SIGMA, _WINDOW_RADIUS)
    weights = bell / bell.sum()

    def mean(plane: Plane) -> NDArray[np.float64]:
        smooth = correlate(correlate(plane, weights, 1), weights, 0)
        for axis in (0, 1):
            if smooth.shape[axis] > 2 * _WINDOW_RADIUS:
                inner = [slice(None), slice(None)]
                inner[axis] = slice(_WINDOW_RADIUS, -_WINDOW_RADIUS)
                smooth = smooth[tuple(inner)]
        return smooth.astype(np.float64)

    values = []
    for a, b in zip(np.moveaxis(first, -1, 0), np.moveaxis(second, -1, 0), strict=True):
        # Around one half, so that single precision loses nothing in the squares.
        x, y = a - np.float32(0.5), b - np.float32(0.5)
        mx, my = mean(x), mean(y)
        xx, yy, xy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
        mx, my = mx + 0.5, my + 0.5
        alike = (2 * mx * my + _STEADY[0]) * (2 * xy + _STEADY[1])
        values.append(alike / ((mx**2 + my**2 + _STEADY[0]) * (xx + yy + _STEADY[1])))
    return float(np.mean(values))


def difference(first: Picture, second: Picture, gain: float = 1.0) -> Picture:
    """How much each channel differs, times ``gain``, cut off at 1."""
    return np.minimum(np.abs(first - second) * np.float32(gain), 1.0).astype(np.float32)


def heat(values: Plane) -> Picture:
    """Values of 0 to 1 as colours from black to pale yellow, (rows, columns, 3)."""
    levels = np.linspace(0, 1, len(_RAMP))
    channels = [np.interp(values, levels, _RAMP[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def wiped(first: Picture, second: Picture, position: float) -> Picture:
    """The left part of ``first`` beside the right part of ``second``; a white line between.

    Args:
        first: (rows, columns, 3) float32.
        second: another of the same shape.
        position: where the one ends, 0 to 1 of the width.
    """
    columns = first.shape[1]
    edge = round(position * columns)
    result = second.copy()
    result[:, :edge] = first[:, :edge]
    if 0 < edge < columns:
        result[:, edge] = 1
    return result


def side_by_side(first: Picture, second: Picture) -> Picture:
    """Both pictures, the first on the left."""
    return np.concatenate((first, second), axis=1)
