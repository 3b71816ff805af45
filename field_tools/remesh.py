# SPDX-License-Identifier: GPL-3.0-or-later
"""Remeshing through a field: its quads put onto the old mesh, with all that this one knows.

A field rounds what is finer than its voxels. The old mesh is still there, so each vertex of the new
one goes to the old surface, and where an edge sharper than an angle crosses the vertex's cell, onto
that edge; where such edges meet or end, onto the corner. The cells that an edge crosses share
faces, so the new mesh has edges all along the old one.
"""

from __future__ import annotations

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
    at_vertices = source.closest(mesh.vertices)
    at_faces = source.closest(mesh.vertices[mesh.quads].mean(axis=1))
    carried: list[NDArray[Any]] = []
    for attribute in attributes:
        values = attribute.values
        if attribute.domain == "POINT":
            carried.append(vertex_values(source, at_vertices, values))
        elif attribute.domain == "FACE":
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
    """Vertices whose cells a sharp edge crosses, and the places on it nearest to them."""
    edges = sharp_edges(source, angle)
    samples = _samples(source.vertices, edges, field.voxel_size / _FINE)
    ends, uses = np.unique(edges, return_counts=True)
    tips = source.vertices[ends[(uses != 2) | _bends(source.vertices, edges, ends, angle)]]
    points = np.concatenate([samples, tips])
    is_tip = np.arange(len(points)) >= len(samples)
    keys, sample_keys = _cells(rough.vertices, field), _cells(points, field)
    order = np.argsort(keys, kind="stable")
    found = np.searchsorted(keys[order], sample_keys)
    found = np.minimum(found, len(keys) - 1)
    vertex = order[found]
    # A cell of two vertices has two sheets: which one has the edge is not told.
    twice = np.append(keys[order][1:] == keys[order][:-1], False)
    hit = (keys[vertex] == sample_keys) & ~twice[found]
    vertex, points, is_tip = vertex[hit], points[hit], is_tip[hit]
    away = np.linalg.norm(points - rough.vertices[vertex], axis=1)
    best = np.lexsort((away, ~is_tip, vertex))
    first = np.ones(len(best), bool)
    first[1:] = vertex[best][1:] != vertex[best][:-1]
    return vertex[best[first]], points[best[first]]


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


def _cells(points: NDArray[Any], field: Grid) -> NDArray[np.int64]:
    """The number of the cell between voxel centres that each point is in."""
    index = np.floor(field.world_to_index(points)).astype(np.int64)
    index = np.clip(index, 0, np.array(field.shape) - 1)
    return np.ravel_multi_index(tuple(index.T), field.shape)
