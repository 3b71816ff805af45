# SPDX-License-Identifier: GPL-3.0-or-later
"""Remeshing: the new mesh lies on the old one, edges and corners included."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stagewright.field_tools.mesh_sdf import mesh_to_sdf
from stagewright.field_tools.remesh import Attribute, Remeshed, remesh, sharp_edges
from stagewright.field_tools.transfer import SourceMesh

CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
TRIANGLES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
     [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
)  # fmt: skip
ANGLE = 0.5


def turn(seed: int) -> NDArray[np.float64]:
    """A random rotation matrix."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q if np.linalg.det(q) > 0 else q[:, ::-1]


def made(rotation: NDArray[np.float64], size: float = 0.1, angle: float | None = ANGLE) -> Remeshed:
    vertices = CORNERS @ rotation.T
    field = mesh_to_sdf(vertices, TRIANGLES, size).to_grid()
    height = Attribute("POINT", CORNERS[:, 2])
    top = Attribute("FACE", (CORNERS[TRIANGLES][:, :, 2] == 1).all(axis=1))
    flat = Attribute("CORNER", CORNERS[TRIANGLES][:, :, :2])
    return remesh(vertices, TRIANGLES, field, [height, top, flat], angle=angle)


@pytest.mark.parametrize("seed", range(4))
def test_the_mesh_lies_on_the_box_and_has_its_corners(seed: int) -> None:
    rotation = turn(seed)
    mesh = made(rotation).mesh
    places = mesh.vertices @ rotation  # In the box's own space.
    assert np.abs(np.abs(places).max(axis=1) - 1).max() < 1e-5
    gap = np.linalg.norm(places[:, None] - CORNERS[None], axis=2).min(axis=0)
    assert gap.max() < 1e-5


@pytest.mark.parametrize("seed", range(4))
def test_its_edges_follow_the_box_s(seed: int) -> None:
    rotation = turn(seed)
    kept, lost = (made(rotation, angle=angle).mesh for angle in (ANGLE, None))
    along = [
        (np.abs(np.abs(mesh.vertices @ rotation) - 1) < 1e-5).sum(axis=1) >= 2
        for mesh in (kept, lost)
    ]
    # 12 edges of 20 voxels, each crossing more cells than voxels when tilted.
    assert along[0].sum() > 12 * 20 > 40 * along[1].sum()


def test_it_is_closed_and_nothing_is_turned_inside_out() -> None:
    mesh = made(turn(1)).mesh
    ends = np.sort(np.stack([mesh.quads, np.roll(mesh.quads, -1, axis=1)], axis=2), axis=2)
    _, uses = np.unique(ends.reshape(-1, 2), axis=0, return_counts=True)
    assert (uses == 2).all()
    a, b, c, d = (mesh.vertices[mesh.quads[:, k]].astype(float) for k in range(4))
    areas = np.cross(c - a, d - b)
    middles = (a + b + c + d) / 4
    assert (np.einsum("ni,ni->n", areas, middles) > 0).mean() > 0.995
    volume = np.einsum("ni,ni->", np.cross(a, b), c) + np.einsum("ni,ni->", np.cross(a, c), d)
    assert volume / 6 == pytest.approx(8, abs=0.02)


def test_values_are_those_of_the_place() -> None:
    rotation = turn(2)
    result = made(rotation)
    places = result.mesh.vertices @ rotation
    height, top, flat = result.values
    assert np.abs(height - places[:, 2]).max() < 1e-4
    middles = places[result.mesh.quads].mean(axis=1)
    clear = np.abs(middles[:, 2]) < 0.95
    assert not top[clear].any() and top[middles[:, 2] > 0.999].all()
    corners = places[result.mesh.quads][:, :, :2]
    inside = (np.abs(middles) < 0.85).sum(axis=1) == 2
    assert np.abs(flat - corners)[inside].max() < 1e-3


def test_sharp_edges_of_a_box_are_its_twelve() -> None:
    source = SourceMesh(CORNERS, TRIANGLES)
    edges = sharp_edges(source, ANGLE)
    lengths = np.linalg.norm(CORNERS[edges[:, 0]] - CORNERS[edges[:, 1]], axis=1)
    assert len(edges) == 12 and np.allclose(lengths, 2)
    assert len(sharp_edges(source, 2.0)) == 0


def test_triangles_that_repeat_a_vertex_are_left_out_with_their_values() -> None:
    triangles = np.concatenate([[[0, 0, 1]], TRIANGLES])
    field = mesh_to_sdf(CORNERS, TRIANGLES, 0.13).to_grid()
    numbers = Attribute("FACE", np.arange(-1, 12))
    (values,) = remesh(CORNERS, triangles, field, [numbers]).values
    assert set(values.tolist()) == set(range(12))
