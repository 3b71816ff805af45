# SPDX-License-Identifier: GPL-3.0-or-later
"""Knots of NURBS curves, by the modes that Blender makes them in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Blender's values of the attribute `knots_mode`.
NORMAL, ENDPOINT, BEZIER, ENDPOINT_BEZIER, CUSTOM = range(5)


def is_valid(points: int, order: int, mode: int, *, cyclic: bool) -> bool:
    """Whether Blender makes a curve of these; else it shows the control points' polygon."""
    if points < order or order < 2 or mode == CUSTOM:
        return False
    if mode == BEZIER and points <= order:
        return False
    return mode not in (BEZIER, ENDPOINT_BEZIER) or not cyclic or points % (order - 1) == 0


def knots(points: int, order: int, mode: int, *, cyclic: bool) -> NDArray[np.float64]:
    """The knots of one curve.

    A knot is worth the number of steps before it: the first comes after a head,
    the others after each span, which a Bézier curve repeats its inner knots in.
    A closed curve goes round.

    Args:
        points: how many control points, those that close it not counted.
        order: degree + 1.
        mode: Blender's way to make knots.
        cyclic: whether the curve is closed by repeating ``order - 1`` points.

    Returns:
        (points + order,) or, closed, (points + 2 * order - 1,), ascending.
    """
    span = order - 1 if mode in (BEZIER, ENDPOINT_BEZIER) else 1
    clamped = mode in (ENDPOINT, ENDPOINT_BEZIER)
    head = order if clamped else min(2, span) if mode == BEZIER else 1
    number = np.arange(points + (1 if cyclic else order))
    steps = np.maximum(0, (number - head) // span + 1).astype(np.float64)
    if not cyclic:
        if clamped:
            steps[points:] = steps[points]
        return steps
    if clamped:  # the first knot stands alone: nothing of a closed curve is clamped to it
        steps[1:] += 1
    steps, period = steps[:-1], steps[-1]
    again = np.arange(2 * order - 1)
    rounds, begin = np.divmod(again, points)
    return np.concatenate([steps, period * (rounds + 1) + steps[begin]])
