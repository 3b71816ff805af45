# SPDX-License-Identifier: GPL-3.0-or-later
"""Surface components of a cell for dual surfaces that are manifold by construction.

Corner ``c`` of a cell lies at (c & 1, c >> 1 & 1, c >> 2); a case is the 8-bit number of the
corners that are inside. Edge ``4 * a + p + 2 * q`` runs along axis a at offset p along the next
axis and q along the one after.

On each face the crossed edges are joined by segments; where all four edges of a face are crossed
(the ambiguous face) the segments cut off the two inside corners. The rule looks at the face alone,
so both cells of a face agree, and the segments of a cell form closed cycles: each is a component
and gets a vertex (G. Nielson, "Dual Marching Cubes", 2004). One flaw remains: if both segments of
an ambiguous face belong to one cycle in BOTH cells, the two vertices would share two edges. Cells
with such a cycle have no second ambiguous face, so there the face takes the opposite rule, in both
cells, which gives each two cycles (R. Wenger, "Isosurfaces", 2013, section 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

NOT_CROSSED = 255


@dataclass(frozen=True, eq=False)
class DualTables:
    """Lookup tables by case.

    Attributes:
        components: (512,) uint8 number of components; cases 256 and on take the opposite rule.
        component_of_edge: (512, 12) uint8, `NOT_CROSSED` for edges without a crossing.
        pinched_face: (256,) int8, the face ``2 * axis + side`` whose two segments lie in one
            cycle, or -1.
    """

    components: NDArray[np.uint8]
    component_of_edge: NDArray[np.uint8]
    pinched_face: NDArray[np.int8]


@cache
def dual_tables() -> DualTables:
    """The tables, built once."""
    components = np.zeros(512, np.uint8)
    component_of_edge = np.full((512, 12), NOT_CROSSED, np.uint8)
    pinched = np.full(256, -1, np.int8)
    for case in range(256):
        groups, ambiguous = _cycles(case, opposite=False)
        shared = [
            face
            for face, (one, other) in ambiguous.items()
            if groups[next(iter(one))] == groups[next(iter(other))]
        ]
        if shared:
            pinched[case] = shared[0]
        for offset, opposite in ((0, False), (256, bool(shared))):
            groups, _ = _cycles(case, opposite)
            components[case + offset] = len(set(groups.values()))
            for edge, group in groups.items():
                component_of_edge[case + offset, edge] = group
    return DualTables(components, component_of_edge, pinched)


def edge_corners(edge: int) -> tuple[int, int]:
    """The two corners of an edge of a cell, lower one first."""
    axis, p, q = edge // 4, edge & 1, edge >> 1 & 1
    start = p << (axis + 1) % 3 | q << (axis + 2) % 3
    return start, start | 1 << axis


Segment = frozenset[int]


def _cycles(case: int, opposite: bool) -> tuple[dict[int, int], dict[int, tuple[Segment, Segment]]]:
    """Group of each crossed edge, and the two segments of each ambiguous face."""
    inside = [case >> corner & 1 == 1 for corner in range(8)]
    crossed = [e for e in range(12) if inside[edge_corners(e)[0]] != inside[edge_corners(e)[1]]]
    root = {edge: edge for edge in crossed}
    ambiguous: dict[int, tuple[Segment, Segment]] = {}
    for axis in range(3):
        for side in (0, 1):
            corners = {c for c in range(8) if (c >> axis & 1) == side}
            edges = [e for e in crossed if set(edge_corners(e)) <= corners]
            segments = [frozenset(edges)] if len(edges) == 2 else []
            if len(edges) == 4:
                cut_off = [c for c in sorted(corners) if inside[c] != opposite]
                one, other = (frozenset(e for e in edges if c in edge_corners(e)) for c in cut_off)
                segments = [one, other]
                ambiguous[2 * axis + side] = (one, other)
            for segment in segments:
                first, second = segment
                old, new = root[second], root[first]
                root = {edge: new if group == old else group for edge, group in root.items()}
    number = {group: k for k, group in enumerate(sorted(set(root.values())))}
    return {edge: number[group] for edge, group in root.items()}, ambiguous
