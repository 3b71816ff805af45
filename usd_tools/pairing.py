# SPDX-License-Identifier: GPL-3.0-or-later
"""Pair equal shapes of two sets by where they stand.

A shape may stand in many places; each place is one instance, and is paired alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# Above this many candidate pairs the rest is paired in the order of positions
# instead of by distance: so many shapes out of place are a loss either way.
_GREATEST_MATRIX = 4_000_000
# Points that are placed at once; bounds the memory.
_GREATEST_BLOCK = 1_000_000
# The size of a cell in tolerances, and its offset in cells. Equal shapes that
# a border parts are within one cell of a later round.
_ROUNDS = ((2.0, 0.0), (2.0, 0.5), (16.0, 0.25), (16.0, 0.75), (64.0, 0.0), (64.0, 0.5))
_SEED = 20170101
_RANK = np.uint64(0x9E3779B97F4A7C15)

Pairs = NDArray[np.int64]


class Shape(Protocol):
    """A mesh and where it stands; both kinds of record have these."""

    @property
    def points(self) -> NDArray[np.float64]:
        """(n, 3), in its own space."""

    @property
    def matrices(self) -> NDArray[np.float64]:
        """(k, 4, 4) for row vectors, to the world."""


class Places:
    """The instances of some shapes, one after the other.

    Args:
        shapes: all with the same number of points, greater than 0.

    Attributes:
        shapes: as given.
        owner: (m,) index of the shape of each instance.
        matrices: (m, 4, 4), of each instance.
        features: (m, 9), in the world: centroid, first and last point.
        within: (m,) index of each instance among those of its shape.
    """

    def __init__(self, shapes: Sequence[Shape]) -> None:
        counts = [len(shape.matrices) for shape in shapes]
        self.shapes = shapes
        self.owner = np.repeat(np.arange(len(shapes)), counts)
        self.within = np.concatenate([np.arange(count) for count in counts] or [np.zeros(0, int)])
        self.matrices = np.concatenate([np.zeros((0, 4, 4)), *(s.matrices for s in shapes)])
        self.features = np.empty((len(self.owner), 9))
        start = 0
        for shape, count in zip(shapes, counts, strict=True):
            local = np.stack([shape.points.mean(axis=0), shape.points[0], shape.points[-1]])
            world = local @ shape.matrices[:, :3, :3] + shape.matrices[:, 3:, :3]
            self.features[start : start + count] = world.reshape(count, 9)
            start += count

    def __len__(self) -> int:
        return len(self.owner)


def distances(ours: Places, theirs: Places, pairs: Pairs) -> NDArray[np.float64]:
    """(p,) greatest distance between the points of each pair.

    Where both shapes have the same points, it is that of the corners of their
    bounds, which is no less.
    """
    found = np.empty(len(pairs))
    owners = ours.owner[pairs[:, 0]] * max(len(theirs.shapes), 1) + theirs.owner[pairs[:, 1]]
    for key in np.unique(owners):
        chosen = np.flatnonzero(owners == key)
        a, b = divmod(int(key), max(len(theirs.shapes), 1))
        left, right = ours.shapes[a].points, theirs.shapes[b].points
        if len(left) > 8 and len(chosen) > 1 and np.array_equal(left, right):
            left = right = corners(left)
        step = max(1, _GREATEST_BLOCK // len(left))
        for start in range(0, len(chosen), step):
            block = chosen[start : start + step]
            gap = _placed(left, ours.matrices[pairs[block, 0]])
            gap -= _placed(right, theirs.matrices[pairs[block, 1]])
            found[block] = np.sqrt(np.max((gap**2).sum(axis=2), axis=1))
    return found


def corners(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(8, 3) corners of the bounds of (n, 3) ``points``."""
    ends = np.stack([points.min(axis=0), points.max(axis=0)])
    picks = np.indices((2, 2, 2)).reshape(3, 8).T
    return ends[picks, np.arange(3)]


def _placed(points: NDArray[np.float64], matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ matrices[:, :3, :3] + matrices[:, 3:, :3]


def pair_equal(ours: Places, theirs: Places, tolerances: NDArray[np.float64]) -> Pairs:
    """Pair the instances whose points agree, each used once.

    They are joined on a hash of their features, in cells that change from round
    to round, and then compared point by point.

    Args:
        ours: instances.
        theirs: instances of shapes with as many points.
        tolerances: (m,) greatest distance of equal points, for each of ``theirs``.

    Returns:
        (p, 2) indices.
    """
    left, right = np.arange(len(ours)), np.arange(len(theirs))
    done = [np.zeros((0, 2), np.int64)]
    finite = tolerances[np.isfinite(tolerances)]
    unit = float(np.max(finite)) if len(finite) else 0.0
    for size, offset in _ROUNDS:
        if not len(left) or not len(right) or not unit > 0.0:
            break
        joined = _join(
            _hashes(ours.features[left] / (size * unit) + offset),
            _hashes(theirs.features[right] / (size * unit) + offset),
        )
        pairs = np.stack([left[joined[:, 0]], right[joined[:, 1]]], axis=1)
        equal = distances(ours, theirs, pairs) <= tolerances[pairs[:, 1]]
        done.append(pairs[equal])
        left = np.setdiff1d(left, pairs[equal, 0])
        right = np.setdiff1d(right, pairs[equal, 1])
    return np.concatenate(done)


def _hashes(cells: NDArray[np.float64]) -> NDArray[np.uint64]:
    """(m,) hashes of the cells that (m, 9) positions lie in."""
    factors = np.random.default_rng(_SEED).integers(2**63, size=cells.shape[1], dtype=np.uint64)
    whole = np.nan_to_num(np.floor(cells), nan=0.0, posinf=0.0, neginf=0.0)
    return ((whole.astype(np.int64).view(np.uint64)) * (factors | np.uint64(1))).sum(axis=1)


def _join(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> Pairs:
    """Index pairs of equal values; of values that repeat, the first with the first, and so on."""
    left, right = _counted(left), _counted(right)
    _, i, j = np.intersect1d(left, right, assume_unique=True, return_indices=True)
    return np.stack([i, j], axis=1).astype(np.int64)


def _counted(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hashes of ``values`` that tell apart how often each has come before."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ranks = np.empty(len(values), np.uint64)
    ranks[order] = np.arange(len(order)) - np.searchsorted(ordered, ordered, side="left")
    return values + ranks * _RANK


def pair_nearest(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Pairs:
    """Pair instances greedily by rising distance of their features, each used once.

    Args:
        ours: (m, 9) features.
        theirs: (n, 9) features.

    Returns:
        (min(m, n), 2) indices.
    """
    return np.array(list(_greedy(ours, theirs)), np.int64).reshape(-1, 2)


def _greedy(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    if not len(ours) or not len(theirs):
        return
    if len(ours) * len(theirs) > _GREATEST_MATRIX:
        orders = (np.lexsort(ours.T[::-1]), np.lexsort(theirs.T[::-1]))
        yield from zip(*(order.tolist() for order in orders), strict=False)
        return
    squares = sum((ours[:, None, k] - theirs[None, :, k]) ** 2 for k in range(ours.shape[1]))
    used_ours, used_theirs = set[int](), set[int]()
    for flat in np.argsort(squares, axis=None, kind="stable").tolist():
        i, j = divmod(flat, len(theirs))
        if i not in used_ours and j not in used_theirs:
            yield i, j
            used_ours.add(i)
            used_theirs.add(j)
            if len(used_ours) == min(len(ours), len(theirs)):
                return
