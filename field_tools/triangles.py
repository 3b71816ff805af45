# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangle meshes as plain arrays: validation, closest points on triangles, adjacency.

Inner arrays are "structure of arrays": coordinates (3, n), corners (3, m), so that every numpy
pass reads contiguous memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .grid import FloatArray

IntArray = NDArray[np.int32]

INSIDE = 3
"""Feature code of a closest point in a triangle's interior; 0-2 edges (from corner k to k+1),
4-6 corners."""


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """Triangles in voxel units.

    Attributes:
        points: shape (3, n), float32 or float64.
        corners: shape (3, m) int32, indices into points; no corner index repeats in a triangle.
    """

    points: FloatArray
    corners: IntArray

    @property
    def count(self) -> int:
        """Number of triangles."""
        return int(self.corners.shape[1])

    def corner_points(self, triangles: NDArray[Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The three corners, each (3, k), of triangles (k,)."""
        a, b, c = (self.points.take(self.corners[k].take(triangles), axis=1) for k in range(3))
        return a, b, c


def validated_mesh(
    vertices: ArrayLike, faces: ArrayLike
) -> tuple[NDArray[np.floating[Any]], NDArray[np.int32]]:
    """Check a mesh and drop triangles that repeat a vertex index.

    Returns:
        vertices (n, 3) of their own float type and faces (m, 3) int32, both copied only if needed.

    Raises:
        StagewrightError: ``mesh-shape``, ``mesh-empty``, ``not-finite`` or ``mesh-indices``.
    """
    points, triangles = np.asarray(vertices), np.asarray(faces)
    if points.ndim != 2 or points.shape[1] != 3 or triangles.ndim != 2 or triangles.shape[1] != 3:
        raise StagewrightError(
            "mesh-shape",
            f"A mesh has vertices (n, 3) and faces (m, 3), not {points.shape} and "
            f"{triangles.shape}.",
            "Triangulate the mesh, and give plain arrays.",
        )
    if len(points) == 0 or len(triangles) == 0:
        raise StagewrightError(
            "mesh-empty",
            f"The mesh has {len(points)} vertices and {len(triangles)} triangles: no surface.",
            "Give a mesh with at least one triangle.",
        )
    if not np.issubdtype(points.dtype, np.floating):
        points = points.astype(np.float64)
    if not np.isfinite(points.sum()) and not np.isfinite(points).all():
        bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
        raise StagewrightError(
            "not-finite",
            f"The mesh has {len(bad)} vertices with NaN or infinite coordinates, the first is "
            f"vertex {bad[0]}.",
            "Remove or repair those vertices first.",
        )
    if not np.issubdtype(triangles.dtype, np.integer):
        raise StagewrightError(
            "mesh-indices",
            f"Face indices are whole numbers, not {triangles.dtype}.",
            "Give an integer array.",
        )
    if triangles.min() < 0 or triangles.max() >= len(points):
        raise StagewrightError(
            "mesh-indices",
            f"Faces name vertices {triangles.min()} to {triangles.max()}, but the mesh has "
            f"vertices 0 to {len(points) - 1}.",
            "Rebuild the faces.",
        )
    triangles = triangles.astype(np.int32, copy=False)
    a, b, c = triangles.T
    repeated = (a == b) | (b == c) | (c == a)
    if repeated.any():
        triangles = triangles[~repeated]
        if len(triangles) == 0:
            raise StagewrightError(
                "mesh-empty",
                "Every triangle of the mesh repeats a vertex: there is no surface.",
                "Give a mesh with at least one proper triangle.",
            )
    return points, triangles


def closest_on_triangles(
    points: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray
) -> tuple[FloatArray, NDArray[np.int8], FloatArray]:
    """The closest point of each triangle to each point, pairwise.

    The squared distance is a quadratic form over the triangle's two edge vectors; its minimum is
    the unconstrained one if that lies inside, else the least of the three edges' minima. The
    distance itself is taken from the difference of points, so nothing cancels near zero.

    Args:
        points: (3, k).
        a: first corners (3, k); ``b`` and ``c`` the other two.
        b: second corners.
        c: third corners.

    Returns:
        squared distances (k,), feature codes (k,) (see `INSIDE`), closest points minus points
        (3, k).
    """
    tiny = np.finfo(points.dtype).tiny
    ab, ac, ap = b - a, c - a, points - a
    aa, cc, ac_ab = _dot(ab, ab), _dot(ac, ac), _dot(ab, ac)
    d1, d2 = _dot(ab, ap), _dot(ac, ap)
    bb = np.maximum(aa - 2 * ac_ab + cc, tiny)
    # Parameters of the minimum on each edge, each from its first corner to its second.
    on_ab = np.clip(d1 / np.maximum(aa, tiny), 0, 1)
    on_bc = np.clip((d2 - d1 + aa - ac_ab) / bb, 0, 1)
    on_ac = np.clip(d2 / np.maximum(cc, tiny), 0, 1)
    rest = 1 - on_bc
    value_ab = on_ab * (on_ab * aa - 2 * d1)
    value_ac = on_ac * (on_ac * cc - 2 * d2)
    value_bc = rest * (rest * aa - 2 * d1) + on_bc * (on_bc * cc - 2 * d2)
    value_bc += 2 * rest * on_bc * ac_ab
    code = np.zeros(d1.shape, np.int8)
    s, t, parameter = on_ab, np.zeros_like(on_ab), on_ab
    second = (value_bc < value_ab) & (value_bc <= value_ac)
    third = (value_ac < value_ab) & (value_ac < value_bc)
    code[second], code[third] = 1, 2
    s = np.where(second, rest, np.where(third, 0, s))
    t = np.where(second, on_bc, np.where(third, on_ac, t))
    parameter = np.where(second, on_bc, np.where(third, 1 - on_ac, parameter))
    at_start, at_end = parameter <= 0, parameter >= 1
    code = np.where(at_start, code + np.int8(4), code)
    code = np.where(at_end, np.where(code == 2, np.int8(4), code + np.int8(5)), code)
    det = aa * cc - ac_ab * ac_ab
    inner_s, inner_t = cc * d1 - ac_ab * d2, aa * d2 - ac_ab * d1
    # A needle's determinant is rounding alone: its edges are then the whole triangle.
    inside = (inner_s >= 0) & (inner_t >= 0) & (inner_s + inner_t <= det) & (det > 1e-6 * aa * cc)
    inverse = 1 / np.where(inside, det, 1)
    s, t = np.where(inside, inner_s * inverse, s), np.where(inside, inner_t * inverse, t)
    code = np.where(inside, np.int8(INSIDE), code)
    difference: FloatArray = s * ab + t * ac - ap
    return _dot(difference, difference), code, difference


def edge_neighbours(corners: IntArray, vertex_count: int) -> IntArray:
    """The triangle across each edge.

    Triangles around one edge form a ring in no particular order, so edges with more than two
    triangles are walked round; at an open edge a triangle is its own neighbour.

    Args:
        corners: (3, m) vertex indices.
        vertex_count: number of vertices.

    Returns:
        (3, m) int32; row k belongs to the edge from corner k to corner k + 1.
    """
    count = corners.shape[1]
    vertex_bits, half_edge_bits = vertex_count.bit_length(), (3 * count).bit_length()
    key = np.empty((3, count), np.uint64)
    for k in range(3):
        start, end = corners[k], corners[(k + 1) % 3]
        np.minimum(start, end, out=key[k], casting="unsafe")
        key[k] <<= np.uint64(vertex_bits)
        key[k] |= np.maximum(start, end).astype(np.uint64)
    flat = key.reshape(-1)
    if 2 * vertex_bits + half_edge_bits <= 64:
        # Sorting packed numbers is many times faster than argsort.
        flat <<= np.uint64(half_edge_bits)
        flat |= np.arange(3 * count, dtype=np.uint64)
        flat.sort()
        order = (flat & np.uint64((1 << half_edge_bits) - 1)).astype(np.int32)
        flat >>= np.uint64(half_edge_bits)
    else:
        order = np.argsort(flat, kind="stable").astype(np.int32)
        flat = flat[order]
    following = np.empty_like(order)
    following[:-1] = order[1:]
    last = np.empty(len(flat), bool)
    np.not_equal(flat[1:], flat[:-1], out=last[:-1])
    last[-1] = True
    ends = np.flatnonzero(last)
    following[ends] = order[np.concatenate([[0], ends[:-1] + 1])]
    neighbours = np.empty(3 * count, np.int32)
    neighbours[order] = following % np.int32(count)
    return neighbours.reshape(3, count)


def _dot(u: FloatArray, v: FloatArray) -> FloatArray:
    result: FloatArray = u[0] * v[0]
    result += u[1] * v[1]
    result += u[2] * v[2]
    return result
