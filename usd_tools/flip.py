# SPDX-License-Identifier: GPL-3.0-or-later
"""LDR-FLIP: how much two pictures differ to somebody who flips between them.

Written from P. Andersson, J. Nilsson, T. Akenine-Möller, M. Oskarsson, K. Åström and
M. Fairchild, "FLIP: A Difference Evaluator for Alternating Images", Proceedings of the
ACM on Computer Graphics and Interactive Techniques 3(2), 2020; section numbers are its.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .colour import decoded
from .image_filters import Plane, correlate, gaussian

Picture = NDArray[np.float32]

PIXELS_PER_DEGREE = 0.7 * 3840 / 0.7 * math.pi / 180
"""A monitor of 3840 pixels on 0.7 m, seen from 0.7 m (section 3)."""

# Linear sRGB to CIE XYZ under D65, from the chromaticities of BT.709 and their white.
_PRIMARIES = np.array([[0.64, 0.33, 0.03], [0.30, 0.60, 0.10], [0.15, 0.06, 0.79]]).T
_WHITE = np.array([0.3127, 0.3290, 0.3583]) / 0.3290
_TO_XYZ = _PRIMARIES * np.linalg.solve(_PRIMARIES, _WHITE)
# XYZ over white to the opponent space YCxCz, and back, without its offset (section 4.1).
_TO_OPPONENT = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], float)
_RGB_TO_OPPONENT = _TO_OPPONENT @ (_TO_XYZ / _WHITE[:, None])
_OPPONENT_TO_RGB = np.linalg.inv(_RGB_TO_OPPONENT)

# Contrast sensitivity of the three channels: sums of a * sqrt(pi / b) * exp(-(pi * x)² / b),
# x in degrees (table 1).
_SENSITIVITY = (((1.0, 0.0047),), ((1.0, 0.0053),), ((34.1, 0.04), (13.5, 0.025)))

_EXPONENT = 0.7  # of colour differences (4.1.4)
_KNEE, _KNEE_VALUE = 0.4, 0.95  # where large differences begin, and what that is told as
_FEATURE_WIDTH = 0.082  # degrees (4.2)
_FEATURE_EXPONENT = 0.5
_DELTA = 6 / 29  # of CIELAB


def flip_map(
    reference: Picture, test: Picture, pixels_per_degree: float = PIXELS_PER_DEGREE
) -> Plane:
    """The difference at each pixel, 0 (none) to 1.

    Args:
        reference: (rows, columns, 3) float32, sRGB as displayed, 0 to 1.
        test: another of the same shape.
        pixels_per_degree: how near the viewer is to the screen.

    Returns:
        float32 (rows, columns).
    """
    opponents = [_opponent(picture) for picture in (reference, test)]
    colour = _colour_difference(opponents[0], opponents[1], pixels_per_degree)
    lightness = [(planes[0] + 16) / 116 for planes in opponents]
    feature = _feature_difference(lightness[0], lightness[1], pixels_per_degree)
    return np.asarray(colour ** (1 - feature), np.float32)


def _opponent(picture: Picture) -> Picture:
    """YCxCz, (3, rows, columns)."""
    linear = decoded(np.clip(picture, 0.0, 1.0))
    planes = np.tensordot(_RGB_TO_OPPONENT.astype(np.float32), linear, ((1,), (2,)))
    planes[0] -= 16
    return np.asarray(planes, np.float32)


def _colour_difference(first: Picture, second: Picture, pixels_per_degree: float) -> Plane:
    seen = [_perceived(planes, pixels_per_degree) for planes in (first, second)]
    difference = _hyab(seen[0], seen[1]) ** np.float32(_EXPONENT)
    # The greatest that two colours of sRGB may have: green beside blue.
    corners = _lab_of(np.eye(3, dtype=np.float32)[:, 1:, None])
    greatest = float(_hyab(corners[:, 0], corners[:, 1])[0]) ** _EXPONENT
    knee = _KNEE * greatest
    return np.where(
        difference < knee,
        difference * np.float32(_KNEE_VALUE / knee),
        _KNEE_VALUE + (difference - knee) * np.float32((1 - _KNEE_VALUE) / (greatest - knee)),
    ).astype(np.float32)


def _perceived(planes: Picture, pixels_per_degree: float) -> Picture:
    """What is left of a picture at this distance, in Hunt-adjusted CIELAB."""
    widest = max(b for channel in _SENSITIVITY for _, b in channel)
    radius = math.ceil(3 * math.sqrt(widest / (2 * math.pi**2)) * pixels_per_degree)
    blurred = np.empty_like(planes)
    for plane, channel, result in zip(planes, _SENSITIVITY, blurred, strict=True):
        bells = [
            gaussian(math.sqrt(b / (2 * math.pi**2)) * pixels_per_degree, radius)
            for _, b in channel
        ]
        shares = [
            a * math.sqrt(math.pi / b) * bell.sum() ** 2
            for (a, b), bell in zip(channel, bells, strict=True)
        ]
        result[:] = 0
        for share, bell in zip(shares, bells, strict=True):
            weights = bell / bell.sum()
            result += share / sum(shares) * correlate(correlate(plane, weights, 1), weights, 0)
    blurred[0] += 16
    rgb = np.tensordot(_OPPONENT_TO_RGB.astype(np.float32), blurred, 1)
    return _lab_of(np.clip(rgb, 0.0, 1.0))


def _lab_of(rgb: Picture) -> Picture:
    """Hunt-adjusted CIELAB of linear sRGB; both (3, …)."""
    relative = np.tensordot((_TO_XYZ / _WHITE[:, None]).astype(np.float32), rgb, 1)
    x, y, z = np.where(
        relative > _DELTA**3, np.cbrt(relative), relative / (3 * _DELTA**2) + 4 / 29
    ).astype(np.float32)
    lightness = 116 * y - 16
    return np.stack((lightness, 0.01 * lightness * 500 * (x - y), 0.01 * lightness * 200 * (y - z)))


def _hyab(first: Picture, second: Picture) -> Plane:
    """City-block in lightness, Euclidean in hue and chroma; (…) of two (3, …)."""
    difference = first - second
    return np.asarray(np.abs(difference[0]) + np.hypot(difference[1], difference[2]), np.float32)


def _feature_difference(first: Plane, second: Plane, pixels_per_degree: float) -> Plane:
    """How much edges and points differ, 0 to 1 (4.2)."""
    sigma = 0.5 * _FEATURE_WIDTH * pixels_per_degree
    radius = math.ceil(3 * sigma)
    offsets = np.arange(-radius, radius + 1)
    bell = gaussian(sigma, radius)
    edge = _balanced(-offsets * bell)
    point = _balanced((offsets**2 / sigma**2 - 1) * bell)
    smooth = bell / bell.sum()
    found = []
    for plane in (first, second):
        rows = correlate(plane, smooth, 1)
        columns = correlate(plane, smooth, 0)
        found.append(
            [np.hypot(correlate(columns, w, 1), correlate(rows, w, 0)) for w in (edge, point)]
        )
    greater = np.maximum(*(np.abs(a - b) for a, b in zip(*found, strict=True)))
    # Two responses at right angles: their greatest length is the square root of 2.
    return np.asarray(np.clip(greater / math.sqrt(2), 0, 1) ** _FEATURE_EXPONENT, np.float32)


def _balanced(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights scaled so that the positive ones sum to 1 and the negative ones to -1."""
    below, above = weights < 0, weights > 0
    return np.where(below, weights / -weights[below].sum(), weights / weights[above].sum())
