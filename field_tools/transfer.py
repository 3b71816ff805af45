# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes from one mesh to another: what lies at the closest point of the source's surface.

For remeshing through a field: the new mesh lies near the old one, but shares nothing with it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .closest import descend, nearest_triangles
from .neighbours import checked_points
from .parallel import for_each_chunk
from .triangles import (
    IntArray,
    TriangleMesh,
    closest_on_triangles,
    edge_neighbours,
    validated_mesh,
)

Floats = NDArray[np.float64]

CELLS = 96
"""Voxels along the longest side of the lattice that is looked at first."""
JUMP = 3.0
"""A corner's value may lie this many times further from its face's than the source stretches."""
_REACH = 2.0


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Closest points on a mesh.

    Attributes:
        triangles: (n,) int64, numbers of the source's triangles.
        weights: (n, 3) float64 barycentric coordinates within them.
        distances: (n,) float64, world units.
    """

    triangles: NDArray[np.int64]
    weights: Floats
    distances: Floats


class SourceMesh:
    """A mesh to take attributes from.

    Args:
        vertices: (n, 3) world positions.
        triangles: (m, 3) vertex indices; none may repeat a vertex.

    Raises:
        StagewrightError: ``mesh-indices`` for a triangle that repeats a vertex, and what
            `validated_mesh` refuses.
    """

    def __init__(self, vertices: ArrayLike, triangles: ArrayLike) -> None:
        points, corners = validated_mesh(vertices, triangles)
        if len(corners) != len(np.asarray(triangles)):
            raise StagewrightError(
                "mesh-indices",
                f"{len(np.asarray(triangles)) - len(corners)} triangles repeat a vertex, so their "
                "attributes lie nowhere.",
                "Leave those triangles out, with their attributes.",
            )
        self.vertices = points.astype(np.float64)
        self.triangles = corners
        self.neighbours: IntArray = edge_neighbours(
            np.ascontiguousarray(corners.T), len(self.vertices)
        )

    def closest(self, points: ArrayLike) -> SurfacePoints:
        """The closest point of the surface to each point (n, 3).

        Found by a walk over the mesh from the closest triangles of the voxels around the point, so
        close to the surface it is exact but for ties of parts that nearly touch.

        Raises:
            StagewrightError: ``points-shape``, ``points-empty`` or ``not-finite``.
        """
        targets = checked_points(points).astype(np.float64)
        found = np.full(len(targets), -1)
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        size = max(float(np.max(high - low)), 1e-30) / CELLS
        missing = np.arange(len(targets))
        while len(missing):
            found[missing] = self._search(targets[missing], size)
            missing = np.flatnonzero(found < 0)
            size *= 4  # What lies further away is looked for on a coarser lattice.
        return self._at(targets, found)

    def _search(self, targets: Floats, size: float) -> NDArray[np.int64]:
        """Closest triangles of the targets near the surface, -1 for the others."""
        pad = _REACH + 2
        first = self.vertices.min(axis=0) / size - pad
        local = np.ascontiguousarray((self.vertices / size - first).T)
        counts = (np.ceil(local.max(axis=1)) + pad).astype(int)
        shape = (int(counts[0]), int(counts[1]), int(counts[2]))
        corners = np.ascontiguousarray(self.triangles.T)
        mesh = TriangleMesh(local.astype(np.float32), corners)
        near = nearest_triangles(mesh, self.neighbours, shape, _REACH)
        exact = TriangleMesh(local, corners)
        result = np.full(len(targets), -1)

        def look(part: slice) -> None:
            points = targets[part] / size - first
            cell = np.floor(points).astype(np.int64)
            least = np.full(len(points), np.inf)
            for step in itertools.product((0, 1), repeat=3):
                voxel = cell + np.array(step)
                within = ((voxel >= 0) & (voxel < counts)).all(axis=1)
                key = np.ravel_multi_index(tuple(np.where(within[:, None], voxel, 0).T), shape)
                place = np.minimum(np.searchsorted(near.keys, key), len(near.keys) - 1)
                some = np.flatnonzero(within & (near.keys[place] == key))
                start = near.triangles[place[some]]
                there = np.ascontiguousarray(points[some].T)
                square, triangle, _ = descend(exact, self.neighbours, there, start)
                better = square < least[some]
                chosen = some[better]
                least[chosen] = square[better]
                result[part.start + chosen] = triangle[better]

        for_each_chunk(len(targets), look)
        return result

    def _at(self, targets: Floats, triangles: NDArray[np.int64]) -> SurfacePoints:
        a, b, c = (
            np.ascontiguousarray(self.vertices[self.triangles[triangles, k]].T) for k in range(3)
        )
        points = np.ascontiguousarray(targets.T)
        square, _, difference = closest_on_triangles(points, a, b, c)
        weights = barycentric(points + difference, a, b, c)
        weights = np.maximum(weights, 0)
        weights /= weights.sum(axis=1, keepdims=True)
        return SurfacePoints(triangles, weights, np.sqrt(square))


def barycentric(points: Floats, a: Floats, b: Floats, c: Floats) -> Floats:
    """Barycentric coordinates (n, 3) of the projections of points (3, n) on triangles' planes."""
    ab, ac, ap = b - a, c - a, points - a

    def dot(u: Floats, v: Floats) -> Floats:
        return np.einsum("kn,kn->n", u, v)

    bb, cc, bc = dot(ab, ab), dot(ac, ac), dot(ab, ac)
    on_b, on_c = dot(ap, ab), dot(ap, ac)
    area = bb * cc - bc * bc
    flat = area <= 1e-14 * bb * cc  # A needle: its first side stands for it.
    safe = np.where(flat, 1, area)
    v = np.where(flat, on_b / np.maximum(bb, 1e-300), (cc * on_b - bc * on_c) / safe)
    w = np.where(flat, 0, (bb * on_c - bc * on_b) / safe)
    return np.stack([1 - v - w, v, w], axis=1)


def vertex_values(source: SourceMesh, at: SurfacePoints, values: ArrayLike) -> NDArray[Any]:
    """Values of the source's vertices (n,) or (n, k), interpolated at points on its surface."""
    given = np.asarray(values)
    _require_rows(given, len(source.vertices), "vertices")
    corners = given[source.triangles[at.triangles]]
    return np.einsum("ij,ij...->i...", at.weights, corners.astype(np.float64, copy=False))


def face_values(source: SourceMesh, at: SurfacePoints, values: ArrayLike) -> NDArray[Any]:
    """Values of the source's triangles (m,) or (m, k), such as material indices, as they are."""
    given = np.asarray(values)
    _require_rows(given, len(source.triangles), "triangles")
    result: NDArray[Any] = given[at.triangles]
    return result


def corner_values(
    source: SourceMesh, values: ArrayLike, vertices: ArrayLike, faces: ArrayLike
) -> Floats:
    """Values of the source's corners, such as UVs, at the corners of another mesh's faces.

    A face takes all its corners from the island under its middle: where a corner's closest point
    lies on another island, or beyond a seam of the same one, the map of the triangle under the
    face's middle goes on to the corner. So no face is smeared across a seam; the seam itself moves
    to the new mesh's edges.

    Args:
        source: the mesh that has the values.
        values: (m, 3, k) at the corners of its triangles.
        vertices: (p, 3) world positions of the other mesh.
        faces: (f, c) its faces, of c corners each.

    Returns:
        (f, c, k) float64.

    Raises:
        StagewrightError: ``attribute-shape`` and what `SourceMesh.closest` refuses.
    """
    given, corners = np.asarray(values, np.float64), np.asarray(faces)
    if given.ndim != 3 or given.shape[:2] != source.triangles.shape:
        raise StagewrightError(
            "attribute-shape",
            f"Corner values of {len(source.triangles)} triangles have shape (m, 3, k), not "
            f"{given.shape}.",
            "Give one row for each corner.",
        )
    positions = checked_points(vertices).astype(np.float64)
    middle = positions[corners].mean(axis=1)
    islands = uv_islands(source, given)
    at_corner, at_face = source.closest(positions), source.closest(middle)
    own = given[at_face.triangles]
    at_middle = np.einsum("fi,fik->fk", at_face.weights, own)
    a, b, c = (source.vertices[source.triangles[at_face.triangles, k]].T for k in range(3))
    stretch = _stretch(own, a, b, c)
    result = np.empty((*corners.shape, given.shape[2]))
    for k in range(corners.shape[1]):
        vertex = corners[:, k]
        there = given[at_corner.triangles[vertex]]
        value = np.einsum("fi,fik->fk", at_corner.weights[vertex], there)
        way = np.linalg.norm(positions[vertex] - middle, axis=1)
        far = np.linalg.norm(value - at_middle, axis=1) > JUMP * stretch * way
        across = islands[at_corner.triangles[vertex]] != islands[at_face.triangles]
        onward = barycentric(np.ascontiguousarray(positions[vertex].T), a, b, c)
        beyond = np.einsum("fi,fik->fk", onward, own)
        result[:, k] = np.where((far | across)[:, None], beyond, value)
    return result


def uv_islands(source: SourceMesh, values: Floats) -> NDArray[np.int64]:
    """The island (the least of its triangles' numbers) of each triangle.

    Triangles belong together where they share an edge and their values at both its ends.
    """
    count = len(source.triangles)
    number = np.arange(count)
    links = []
    for k in range(3):
        beyond = source.neighbours[k].astype(np.int64)
        same = beyond != number
        for corner in (k, (k + 1) % 3):
            vertex = source.triangles[:, corner]
            there = source.triangles[beyond] == vertex[:, None]
            value = values[beyond, there.argmax(axis=1)]
            same &= there.any(axis=1)
            same &= np.isclose(value, values[:, corner], rtol=0, atol=1e-6).all(axis=1)
        links.append(np.stack([number[same], beyond[same]]))
    one, other = np.concatenate(links, axis=1)
    label = number.copy()
    while True:  # Every round the least label spreads, and then jumps to its own label's label.
        new = label.copy()
        np.minimum.at(new, one, label[other])
        np.minimum.at(new, other, label[one])
        np.minimum.at(new, label, new.copy())
        new = new[new]
        if np.array_equal(new, label):
            return label
        label = new


def _stretch(values: Floats, a: Floats, b: Floats, c: Floats) -> Floats:
    """Greatest change of the values along a triangle's sides, per world length."""
    result = np.zeros(len(values))
    for (i, p), (j, q) in itertools.combinations(enumerate((a, b, c)), 2):
        change = np.linalg.norm(values[:, j] - values[:, i], axis=1)
        length = np.linalg.norm(q - p, axis=0)
        np.maximum(result, change / np.maximum(length, 1e-300), out=result)
    return result


def _require_rows(values: NDArray[Any], count: int, what: str) -> None:
    if values.ndim < 1 or len(values) != count:
        raise StagewrightError(
            "attribute-shape",
            f"The source has {count} {what}, but the attribute has shape {values.shape}.",
            f"Give one row for each of the {what}.",
        )
