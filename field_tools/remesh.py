# SPDX-License-Identifier: GPL-3.0-or-later
"""Remeshing through a field: its quads put onto the old mesh, with all that this one knows.

A field rounds what is finer than its voxels. The old mesh is still there, so each vertex of the new
one goes to the old surface, and where an edge sharper than an angle crosses the vertex's cell, onto
that edge; where such edges meet or end, onto the corner. The cells that an edge crosses share
faces, so the new mesh has edges all along the old one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .grid import Grid
from .isosurface import QuadMesh, isosurface
from .transfer import SourceMesh, corner_values, face_values, vertex_values

_FINE = 8
"""Samples of an edge per voxel."""
Domain = Literal["POINT", "CORNER", "FACE"]


@dataclass(frozen=True, eq=False)
class Attribute:
    """Values of a triangle mesh.

    Attributes:
        domain: whose they are, in Blender's words.
        values: ``POINT`` (n,) or (n, k); ``CORNER`` (m, 3, k), at the corners of the triangles;
            ``FACE`` (m,) or (m, k), one for each triangle.
    """

    domain: Domain
    values: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Remeshed:
    """A new mesh.

    Attributes:
        mesh: its vertices and quads.
        values: for each attribute (p,) or (p, k), (f, 4, k), or (f,) or (f, k), as its domain is.
    """

    mesh: QuadMesh
    values: list[NDArray[Any]]


def remesh(
    vertices: ArrayLike,
    triangles: ArrayLike,
    field: Grid,
    attributes: Sequence[Attribute] = (),
    *,
    angle: float | None = None,
) -> Remeshed:
    """A mesh of quads, about a voxel wide, on the surface of another.

    Args:
        vertices: (n, 3) positions.
        triangles: (m, 3) vertex indices; what repeats a vertex is left out.
        field: signed distances to the mesh.
        attributes: values of the mesh, which are carried over: vertices' values are interpolated,
            faces take those under their middle as they are, and corners those of the island under
            the middle of their face, so that UV maps are not smeared across seams.
        angle: edges between triangles that turn by more than this many radians are kept; none
            unless given.

    Raises:
        StagewrightError: what `SourceMesh`, `isosurface` and `transfer` refuse.
    """
    a, b, c = np.asarray(triangles).T
    proper = (a != b) & (b != c) & (c != a)
    source = SourceMesh(vertices, np.asarray(triangles)[proper])
    rough = isosurface(field)
    places = rough.vertices.astype(np.float64)
    near = source.closest(places)
    # A hole that the field has closed has no surface to go to.
    reached = near.distances < field.voxel_size
    corners = source.vertices[source.triangles[near.triangles[reached]]]
    places[reached] = np.einsum("ni,nik->nk", near.weights[reached], corners)
    if angle is not None:
        chosen, there = _on_edges(source, rough, field, angle)
        places[chosen] = there
    mesh = QuadMesh(places.astype(np.float32), rough.quads)
    return Remeshed(mesh, _carry(source, mesh, proper, attributes))


def _carry(
    source: SourceMesh, mesh: QuadMesh, proper: NDArray[np.bool_], attributes: Sequence[Attribute]
) -> list[NDArray[Any]]:
    """The attributes' values on the new mesh."""
    if not attributes:
        return []
    domains = {attribute.domain for attribute in attributes}
    # Asked only where needed: it takes most of the time.
    at_vertices = source.closest(mesh.vertices) if "POINT" in domains else None
    middles = mesh.vertices[mesh.quads].mean(axis=1)
    at_faces = source.closest(middles) if "FACE" in domains else None
    carried: list[NDArray[Any]] = []
    for attribute in attributes:
        values = attribute.values
        if at_vertices is not None and attribute.domain == "POINT":
            carried.append(vertex_values(source, at_vertices, values))
        elif at_faces is not None and attribute.domain == "FACE":
            carried.append(face_values(source, at_faces, values[proper]))
        else:
            carried.append(corner_values(source, values[proper], mesh.vertices, mesh.quads))
    return carried


def sharp_edges(source: SourceMesh, angle: float) -> NDArray[np.int64]:
    """Vertex pairs (e, 2) of the edges where triangles turn by more than an angle in radians."""
    a, b, c = (source.vertices[source.triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    number = np.arange(len(normals))
    found = []
    for k in range(3):
        beyond = source.neighbours[k]
        turn = np.einsum("ni,ni->n", normals, normals[beyond])
        keep = (turn < np.cos(angle)) & (number < beyond)
        found.append(source.triangles[keep][:, [k, (k + 1) % 3]])
    return np.concatenate(found).astype(np.int64)


def _on_edges(
    source: SourceMesh, rough: QuadMesh, field: Grid, angle: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Vertices that a sharp edge passes, and the places on it nearest to them.

    A corner takes the nearest vertex of its cell and those around. Each cell that an edge crosses
    then gives its vertex; where it has none (an edge may cut a cell between the voxels), the
    nearest vertex of the cells around that has no place yet.
    """
    edges = sharp_edges(source, angle)
    ends, uses = np.unique(edges, return_counts=True)
    tips = source.vertices[ends[(uses != 2) | _bends(source.vertices, edges, ends, angle)]]
    along = _samples(source.vertices, edges, field.voxel_size / _FINE)
    places = np.full(rough.vertices.shape, np.nan)
    around = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    cells = _Cells(rough.vertices, field)
    for points, steps in ((tips, around), (along, np.zeros((1, 3), int)), (along, around)):
        free = np.isnan(places[:, 0])
        if steps is around and points is along:
            points = points[~cells.hold(points, ~free)]
        vertex, point = cells.nearest(points, steps, free)
        places[vertex] = points[point]
    chosen = np.flatnonzero(~np.isnan(places[:, 0]))
    return chosen, places[chosen]


class _Cells:
    """The cells between voxel centres, and the one vertex of each.

    Cells of two vertices have two sheets; which of them has an edge is not told, so they are
    left out.
    """

    def __init__(self, vertices: NDArray[np.float32], field: Grid) -> None:
        self._field, self._vertices = field, vertices.astype(np.float64)
        keys = self._keys(self._index(vertices))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        same = keys[1:] == keys[:-1]
        single = ~(np.append(same, False) | np.append(False, same))
        self._sorted, self._owner = keys[single], order[single]

    def hold(self, points: NDArray[np.float64], wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether the cell of each point has a vertex, a wanted one."""
        vertex, found = self._look_up(self._index(points))
        return found & wanted[vertex]

    def nearest(
        self, points: NDArray[np.float64], steps: NDArray[np.int64], free: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each cell of points the nearest free vertex in the cells ``steps`` away.

        Returns:
            Numbers of vertices, each once, and of the points they are nearest to.
        """
        index = self._index(points)
        owner = self._keys(index)
        pairs = []
        for step in steps:
            vertex, found = self._look_up(index + step)
            point = np.flatnonzero(found & free[vertex])
            pairs.append(np.stack([vertex[point], point]))
        vertex, point = np.concatenate(pairs, axis=1)
        away = np.linalg.norm(points[point] - self._vertices[vertex], axis=1)
        near = away < 1.5 * self._field.voxel_size
        vertex, point, away = vertex[near], point[near], away[near]
        best = _first_of(owner[point], away)
        vertex, point, away = vertex[best], point[best], away[best]
        best = _first_of(vertex, away)
        return vertex[best], point[best]

    def _look_up(self, index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        keys = self._keys(index)
        place = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return self._owner[place], self._sorted[place] == keys

    def _index(self, points: NDArray[Any]) -> NDArray[np.int64]:
        return np.floor(self._field.world_to_index(points)).astype(np.int64)

    def _keys(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        inside = np.clip(index, 0, np.array(self._field.shape) - 1)
        return np.ravel_multi_index(tuple(inside.T), self._field.shape)


def _first_of(groups: NDArray[np.int64], order: NDArray[np.float64]) -> NDArray[np.int64]:
    """The least of each group by an order."""
    best = np.lexsort((order, groups))
    first = np.ones(len(best), bool)
    first[1:] = groups[best][1:] != groups[best][:-1]
    return best[first]


def _samples(
    vertices: NDArray[np.float64], edges: NDArray[np.int64], spacing: float
) -> NDArray[np.float64]:
    """Points along edges, no further apart than a spacing, their ends included."""
    start, end = vertices[edges[:, 0]], vertices[edges[:, 1]]
    parts = np.maximum(np.ceil(np.linalg.norm(end - start, axis=1) / spacing), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(edges)), parts + 1)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(parts + 1) - parts - 1, parts + 1)
    share = (step / parts[owner])[:, None]
    return start[owner] * (1 - share) + end[owner] * share


def _bends(
    vertices: NDArray[np.float64],
    edges: NDArray[np.int64],
    ends: NDArray[np.int64],
    angle: float,
) -> NDArray[np.bool_]:
    """Whether two sharp edges meet at each end and turn there by more than the angle."""
    place = np.searchsorted(ends, edges)
    along = vertices[edges[:, 1]] - vertices[edges[:, 0]]
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-300)
    away = np.zeros((len(ends), 3))
    np.add.at(away, place[:, 0], along)
    np.add.at(away, place[:, 1], -along)
    # Two unit vectors that go straight on add up to nothing.
    bent: NDArray[np.bool_] = np.linalg.norm(away, axis=1) > 2 * np.sin(angle / 2)
    return bent
