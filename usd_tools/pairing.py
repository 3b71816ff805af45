# SPDX-License-Identifier: GPL-3.0-or-later
"""Pair equal shapes of two sets by where they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Above this many candidate pairs the rest is paired in the order of positions
# instead of by distance: so many shapes out of place are a loss either way.
_GREATEST_MATRIX = 4_000_000


def pair_nearest(
    first: Sequence[NDArray[np.float64]],
    second: Sequence[NDArray[np.float64]],
    tolerance: float,
) -> list[tuple[int, int]]:
    """Pair the shapes of two sets, nearest first, each used once.

    Shapes that lie within ``tolerance`` of each other are found through a hash
    of their position; what is left is paired greedily by rising distance of
    centroid, first and last point.

    Args:
        first: shapes of (n, 3) points, all with the same n > 0.
        second: the same.
        tolerance: greatest distance between points that count as equal.

    Returns:
        Index pairs, as many as the smaller set holds, ascending.
    """
    if not first or not second:
        return []
    if len(first) == len(second) == 1:
        return [(0, 0)]
    ours, theirs = _features(first), _features(second)
    pairs = _equal_pairs(first, second, ours, theirs, tolerance)
    rest_ours = sorted(set(range(len(first))) - {i for i, _ in pairs})
    rest_theirs = sorted(set(range(len(second))) - {j for _, j in pairs})
    pairs += [
        (rest_ours[i], rest_theirs[j])
        for i, j in _greedy_pairs(ours[rest_ours], theirs[rest_theirs])
    ]
    return sorted(pairs)


def _features(shapes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Where each shape is, (n, 9): its centroid, its first and its last point."""
    return np.array([np.concatenate([p.mean(axis=0), p[0], p[-1]]) for p in shapes])


def _equal_pairs(
    first: Sequence[NDArray[np.float64]],
    second: Sequence[NDArray[np.float64]],
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    tolerance: float,
) -> list[tuple[int, int]]:
    """Pairs that share a cell of the hash and are equal within ``tolerance``."""
    cell = 64 * tolerance  # equal shapes seldom lie across the border of a cell
    waiting: dict[bytes, list[int]] = defaultdict(list)
    for j, key in enumerate(np.rint(theirs / cell).astype(np.int64)):
        waiting[key.tobytes()].append(j)
    pairs = []
    for i, key in enumerate(np.rint(ours / cell).astype(np.int64)):
        candidates = waiting.get(key.tobytes(), [])
        for j in candidates:
            if np.abs(first[i] - second[j]).max() <= tolerance:
                pairs.append((i, j))
                candidates.remove(j)
                break
    return pairs


def _greedy_pairs(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> list[tuple[int, int]]:
    if not len(ours) or not len(theirs):
        return []
    if len(ours) * len(theirs) > _GREATEST_MATRIX:
        orders = (np.lexsort(ours.T[::-1]), np.lexsort(theirs.T[::-1]))
        return list(zip(*(order.tolist() for order in orders), strict=False))
    squares = sum((ours[:, None, k] - theirs[None, :, k]) ** 2 for k in range(ours.shape[1]))
    pairs: list[tuple[int, int]] = []
    used_ours, used_theirs = set[int](), set[int]()
    for flat in np.argsort(squares, axis=None, kind="stable").tolist():
        i, j = divmod(flat, len(theirs))
        if i not in used_ours and j not in used_theirs:
            pairs.append((i, j))
            used_ours.add(i)
            used_theirs.add(j)
            if len(pairs) == min(len(ours), len(theirs)):
                break
    return pairs
