# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles of marching cubes for the 256 cases, made from the rule of ambiguous faces.

Corners and edges are numbered as in `dual_tables`. On each face the crossed edges are joined by
segments; where all four are crossed the two inside corners are cut off, which looks at the face
alone, so both cells of a face agree and no holes arise (G. Nielson and B. Hamann 1991). A cell's
segments form cycles, each cut into triangles. A diagonal within a face could meet the same diagonal
of the cell beyond, which would give an edge four triangles, so cuts without one are chosen.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from .dual_tables import edge_corners

MOST_TRIANGLES = 5

Triangle = tuple[int, int, int]


@cache
def marching_tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Number of triangles (256,) and their edges (256, 5, 3), counter-clockwise from outside."""
    counts = np.zeros(256, np.uint8)
    edges = np.zeros((256, MOST_TRIANGLES, 3), np.uint8)
    for case in range(256):
        triangles = [t for cycle in _cycles(case) for t in _cut(cycle)[1]]
        counts[case] = len(triangles)
        for number, triangle in enumerate(triangles):
            edges[case, number] = triangle
    return counts, edges


def _cycles(case: int) -> list[list[int]]:
    """The directed cycles of a case's crossed edges."""
    following: dict[int, int] = {}
    for axis in range(3):
        for side in (0, 1):
            ring = _ring(axis, side)
            inside = [case >> corner & 1 == 1 for corner in ring]
            # Round the face as seen from outside the cell, every segment leads from where the
            # ring comes in to where it goes out again: inside corners lie on one hand.
            ways_in = [k for k in range(4) if not inside[k] and inside[(k + 1) % 4]]
            for start in ways_in:
                end = start + 1
                while inside[(end + 1) % 4]:
                    end += 1
                one, other = (
                    _edge(ring[start], ring[(start + 1) % 4]),
                    _edge(ring[end % 4], ring[(end + 1) % 4]),
                )
                following[one] = other
    cycles = []
    while following:
        start, at = next(iter(following.items()))
        cycle = [start]
        del following[start]
        while at != start:
            cycle.append(at)
            at = following.pop(at)
        cycles.append(cycle)
    return cycles


def _ring(axis: int, side: int) -> list[int]:
    """A face's corners, counter-clockwise seen from outside the cell."""
    u, v = 1 << (axis + 1) % 3, 1 << (axis + 2) % 3
    ring = [corner | side << axis for corner in (0, u, u | v, v)]
    return ring if side else ring[::-1]


def _edge(one: int, other: int) -> int:
    return next(e for e in range(12) if set(edge_corners(e)) == {one, other})


def _cut(cycle: list[int]) -> tuple[int, list[Triangle]]:
    """The triangles of a polygon with the fewest diagonals within a face, and how many those are.

    The polygon's last side belongs to one triangle; every choice of its third corner leaves a
    polygon on either side of it.
    """
    if len(cycle) < 3:
        return 0, []
    first, last = cycle[0], cycle[-1]
    options = []
    for third in range(1, len(cycle) - 1):
        left, right = _cut(cycle[: third + 1]), _cut(cycle[third:])
        cost = left[0] + right[0]
        cost += third > 1 and _share_face(first, cycle[third])
        cost += third < len(cycle) - 2 and _share_face(cycle[third], last)
        options.append((cost, [(first, cycle[third], last), *left[1], *right[1]]))
    return min(options, key=lambda option: option[0])


def _share_face(one: int, other: int) -> bool:
    corners = {*edge_corners(one), *edge_corners(other)}
    return any(len({c >> axis & 1 for c in corners}) == 1 for axis in range(3))
