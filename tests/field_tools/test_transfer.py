# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes carried to a remeshed surface."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.isosurface import isosurface
from stagewright.field_tools.mesh_sdf import mesh_to_sdf
from stagewright.field_tools.transfer import (
    SourceMesh,
    corner_values,
    face_values,
    uv_islands,
    vertex_values,
)
from stagewright.jobs.errors import StagewrightError

from . import mesh_shapes as shapes

TORUS = shapes.turned(shapes.torus(48, 20))


@pytest.mark.parametrize("spread", [0.02, 0.2, 3.0])
def test_closest_points_are_those_of_brute_force(spread: float) -> None:
    source = SourceMesh(*TORUS)
    random = np.random.default_rng(1)
    points = TORUS[0][random.integers(0, len(TORUS[0]), 300)]
    points = points + random.normal(size=(300, 3)) * spread
    at = source.closest(points)
    truth = shapes.brute_distance(points, *TORUS)
    assert np.all(at.distances > truth - 1e-9)
    # A walk may end on a part that is only nearer than all around it.
    assert (at.distances < truth + 1e-6).mean() > 0.95
    assert np.abs(at.distances - truth).max() < 0.02 * max(spread, 0.1)
    place = np.einsum("ni,nij->nj", at.weights, TORUS[0][TORUS[1][at.triangles]])
    np.testing.assert_allclose(np.linalg.norm(place - points, axis=1), at.distances, atol=1e-9)


def remeshed() -> tuple[np.ndarray, np.ndarray]:
    mesh = isosurface(mesh_to_sdf(*TORUS, 0.02).to_grid())
    return mesh.vertices, mesh.quads


def test_linear_values_of_vertices_survive_a_remesh() -> None:
    source = SourceMesh(*TORUS)
    vertices, _ = remeshed()
    values = TORUS[0] @ np.array([[1.0, 0.5], [2, -1], [0, 3]])
    got = vertex_values(source, source.closest(vertices), values)
    np.testing.assert_allclose(got, vertices @ np.array([[1.0, 0.5], [2, -1], [0, 3]]), atol=0.01)


def test_material_indices_come_from_below_the_middle_of_a_face() -> None:
    source = SourceMesh(*TORUS)
    vertices, quads = remeshed()
    middle = TORUS[0][TORUS[1]].mean(axis=1)
    index = ((middle[:, 0] > 0) + 2 * (middle[:, 1] > 0)).astype(np.int32)
    at = vertices[quads].mean(axis=1)
    got = face_values(source, source.closest(at), index)
    assert got.dtype == np.int32
    truth = (at[:, 0] > 0) + 2 * (at[:, 1] > 0)
    clear = np.abs(at[:, :2]).min(axis=1) > 0.03
    assert np.array_equal(got[clear], truth[clear])


def unwrapped() -> tuple[shapes.Mesh, np.ndarray]:
    """A torus with one island that meets itself at u = 0 and v = 0, and its corner UVs."""
    nu, nv = 48, 20
    vertices, faces = shapes.torus(nu, nv)
    u, v = faces // nv, faces % nv
    # Faces over a seam have corners of both ends: the lower ones belong to the next turn.
    u = np.where((u == 0) & (u.max(axis=1, keepdims=True) == nu - 1), nu, u)
    v = np.where((v == 0) & (v.max(axis=1, keepdims=True) == nv - 1), nv, v)
    return (vertices, faces), np.stack([u / nu, v / nv], axis=-1)


def test_uvs_are_not_smeared_across_a_seam_of_one_island() -> None:
    mesh, uv = unwrapped()
    source = SourceMesh(*mesh)
    assert len(np.unique(uv_islands(source, uv))) == 1
    surface = isosurface(mesh_to_sdf(*mesh, 0.02).to_grid())
    vertices, quads = surface.vertices, surface.quads
    got = corner_values(source, uv, vertices, quads)
    size = np.ptp(got, axis=1)
    assert size[:, 0].max() < 0.06 and size[:, 1].max() < 0.12
    angle = np.arctan2(vertices[:, 1], vertices[:, 0]) / (2 * np.pi) % 1
    away = np.abs(got[..., 0] - angle[quads] + 0.5) % 1 - 0.5
    assert np.abs(away).max() < 0.01
    # Smearing is what plain interpolation does.
    at = source.closest(vertices)
    plain = np.einsum("ni,nik->nk", at.weights, uv[at.triangles])[quads]
    assert np.ptp(plain, axis=1).max() > 0.9


def test_corners_keep_to_the_island_under_their_face() -> None:
    vertices, faces = shapes.refined(*shapes.cube(0.3), 3)
    normal = np.cross(vertices[faces[:, 1]] - vertices[faces[:, 0]],
                      vertices[faces[:, 2]] - vertices[faces[:, 0]])  # fmt: skip
    side = np.abs(normal).argmax(axis=1) * 2 + (normal.sum(axis=1) > 0)
    axes = np.array([[1, 2], [1, 2], [0, 2], [0, 2], [0, 1], [0, 1]])[side]
    corner = vertices[faces]
    uv = np.take_along_axis(corner, axes[:, None, :].repeat(3, 1), axis=2) + side[:, None, None]
    source = SourceMesh(vertices, faces)
    assert len(np.unique(uv_islands(source, uv))) == 6
    surface = isosurface(mesh_to_sdf(vertices, faces, 0.03).to_grid(), sharp=True)
    got = corner_values(source, uv, surface.vertices, surface.quads)
    # Each island lies around its own number: no face has corners of two.
    assert np.ptp(got, axis=1).max() < 0.1


def test_attributes_that_do_not_fit_are_refused_by_name() -> None:
    source = SourceMesh(*TORUS)
    at = source.closest(TORUS[0][:4])
    cases = [
        (lambda: vertex_values(source, at, np.zeros(3)), "attribute-shape"),
        (lambda: face_values(source, at, np.zeros(3)), "attribute-shape"),
        (lambda: corner_values(source, np.zeros((3, 3, 2)), *TORUS), "attribute-shape"),
        (lambda: source.closest(np.zeros((0, 3))), "points-empty"),
        (lambda: SourceMesh(np.eye(3), [[0, 1, 1], [0, 1, 2]]), "mesh-indices"),
        (lambda: SourceMesh(np.full((3, 3), np.nan), [[0, 1, 2]]), "not-finite"),
    ]
    for call, code in cases:
        with pytest.raises(StagewrightError) as caught:
            call()
        assert caught.value.code == code
