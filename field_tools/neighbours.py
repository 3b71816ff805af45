# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of points that lie within a radius of each other, by cells of that radius."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError

Indices = NDArray[np.int64]

PAIRS = 1 << 21
"""Candidate pairs looked at together."""


def checked_points(points: ArrayLike, what: str = "Points") -> NDArray[np.floating[Any]]:
    """Points as a float array of shape (n, 3).

    Raises:
        StagewrightError: ``points-shape``, ``points-empty`` or ``not-finite``.
    """
    array = np.asarray(points)
    if array.ndim != 2 or array.shape[1] != 3 or array.dtype.kind not in "fiu":
        raise StagewrightError(
            "points-shape",
            f"{what} are numbers of shape (n, 3), not {array.dtype} of shape {array.shape}.",
            "Give one row of x, y and z for each.",
        )
    if len(array) == 0:
        raise StagewrightError("points-empty", f"{what}: there are none.", "Give at least one.")
    if not np.isfinite(array).all():
        raise StagewrightError(
            "not-finite", f"{what}: some are NaN or infinite.", "Remove those first."
        )
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def neighbour_pairs(
    points: NDArray[np.floating[Any]], radius: float
) -> Iterator[tuple[Indices, Indices]]:
    """All ordered pairs of points nearer than ``radius``, each point with itself too.

    Args:
        points: (n, 3), finite.
        radius: above 0, in the points' units.

    Yields:
        batches of numbers ``i`` and ``j``, (k,) each; all pairs of one ``i`` lie in one batch.
    """
    low = points.min(axis=0)
    cells = np.floor((points - low) / radius).astype(np.int64) + 1
    counts = cells.max(axis=0) + 2
    stride = np.array((counts[1] * counts[2], counts[2], 1))
    keys = cells @ stride
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    # A row of three cells along z is one run of the ordered points.
    rows = [np.dot(stride, (dx, dy, 0)) for dx, dy in itertools.product((-1, 0, 1), repeat=2)]
    starts = np.stack([np.searchsorted(ordered, ordered + row - 1, "left") for row in rows])
    stops = np.stack([np.searchsorted(ordered, ordered + row + 1, "right") for row in rows])
    amount = stops - starts
    ends = np.cumsum(amount.sum(axis=0))
    place = points[order]
    square = radius * radius
    first = 0
    while first < len(points):
        base = ends[first - 1] if first else 0
        stop = max(int(np.searchsorted(ends, base + PAIRS, "right")), first + 1)
        here = np.repeat(np.arange(first, stop), amount[:, first:stop].sum(axis=0))
        counts_of = amount[:, first:stop].T.reshape(-1)
        begin = starts[:, first:stop].T.reshape(-1) - (np.cumsum(counts_of) - counts_of)
        there = np.arange(len(here)) + np.repeat(begin, counts_of)
        difference = place[here] - place[there]
        near = np.einsum("ij,ij->i", difference, difference) < square
        yield order[here[near]], order[there[near]]
        first = stop
