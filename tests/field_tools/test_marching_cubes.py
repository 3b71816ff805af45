# SPDX-License-Identifier: GPL-3.0-or-later
"""Marching cubes and simplified surfaces: manifold, in place, and the right way round."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools import primitives
from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.isosurface import isosurface
from stagewright.field_tools.marching_cubes import TriangleSurface, marching_cubes
from stagewright.field_tools.primitives import box, sampled, sphere
from stagewright.field_tools.simplify import simplify
from stagewright.jobs.errors import StagewrightError

from .manifold import assert_closed_manifold


def check(surface: TriangleSurface) -> None:
    assert_closed_manifold(surface.triangles, len(surface.vertices))


def volume(surface: TriangleSurface) -> float:
    a, b, c = (surface.vertices[surface.triangles[:, k]].astype(np.float64) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def padded(signs: np.ndarray) -> Grid:
    return Grid(np.pad(signs.astype(np.float32), 1, constant_values=1.0))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_random_signs_give_a_manifold(share: float) -> None:
    signs = np.where(np.random.default_rng(1).random((12, 13, 14)) < share, -1, 1)
    check(marching_cubes(padded(signs)))


@pytest.mark.parametrize("axis", range(3))
def test_all_cases_in_pairs_across_each_face_give_manifolds(axis: int) -> None:
    bits = (np.arange(4096)[:, None] >> np.arange(12) & 1).reshape(16, 16, 16, 3, 2, 2)
    blocks = np.ones((16, 16, 16, 5, 4, 4))
    blocks[..., 1:4, 1:3, 1:3] = 1 - 2 * bits
    signs = blocks.transpose(0, 3, 1, 4, 2, 5).reshape(80, 64, 64)
    check(marching_cubes(padded(np.moveaxis(signs, 0, axis))))


def test_a_sphere_is_round_closed_and_faces_outwards() -> None:
    lattice = grid_over((-1,) * 3, (1,) * 3, 0.1)
    surface = marching_cubes(sampled(lambda p: sphere(p, 0.7, (0.01, 0.02, 0.03)), lattice))
    check(surface)
    away = np.linalg.norm(surface.vertices - [0.01, 0.02, 0.03], axis=1)
    assert np.abs(away - 0.7).max() < 0.02 * 0.1
    assert np.isclose(volume(surface), 4 / 3 * np.pi * 0.7**3, rtol=0.02)
    assert len(surface.vertices) * 2 - len(surface.triangles) == 4


def test_vertices_lie_where_the_field_is_linearly_at_its_level() -> None:
    values = np.random.default_rng(2).normal(size=(6, 7, 8)).astype(np.float32)
    surface = marching_cubes(Grid(values, 0.5, (1.0, 2.0, 3.0)), 0.2)
    local = (surface.vertices - [1, 2, 3]) / 0.5
    axis = np.abs(local - np.rint(local)).argmax(axis=1)
    low = np.rint(local).astype(int)
    each = np.arange(len(local))
    low[each, axis] = np.floor(local[each, axis])
    high = np.minimum(low + np.eye(3, dtype=int)[axis], [5, 6, 7])
    t = (local - low)[each, axis]
    at = (1 - t) * values[tuple(low.T)] + t * values[tuple(high.T)]
    inner = (t > 1e-3) & (t < 1 - 1e-3)
    assert np.abs(at - 0.2)[inner].max() < 1e-4
    assert inner.sum() > 100


def test_it_ends_where_the_grid_does() -> None:
    values = np.broadcast_to(np.linspace(-1.1, 1, 8, dtype=np.float32), (6, 7, 8)).copy()
    surface = marching_cubes(Grid(values))
    assert len(surface.vertices) == 6 * 7
    assert len(surface.triangles) == 2 * 5 * 6
    assert np.ptp(surface.vertices[:, 2]) == 0


def test_a_box_keeps_its_shape_in_few_triangles() -> None:
    turn = primitives.rotation_about([1, 2, 3], 0.4)
    solid = primitives.moved(lambda p: box(p, (0.5, 0.6, 0.4)), turn)
    mesh = isosurface(sampled(solid, grid_over((-1,) * 3, (1,) * 3, 0.05)), sharp=True)
    surface = simplify(mesh.vertices, mesh.triangles(), 0.02)
    check(surface)
    assert len(surface.triangles) < 0.1 * 2 * len(mesh.quads)
    before = TriangleSurface(mesh.vertices, mesh.triangles())
    assert np.isclose(volume(surface), volume(before), rtol=0.01)
    assert np.abs(solid(surface.vertices)).max() < 0.03


def test_a_smaller_tolerance_keeps_more_of_a_sphere() -> None:
    grid = sampled(lambda p: sphere(p, 0.7), grid_over((-1,) * 3, (1,) * 3, 0.05))
    surface = marching_cubes(grid)
    counts = []
    for tolerance in (0.002, 0.02):
        simple = simplify(surface.vertices, surface.triangles, tolerance)
        check(simple)
        a, b, c = (simple.vertices[simple.triangles[:, k]] for k in range(3))
        for at in ((a + b + c) / 3, simple.vertices):
            assert np.abs(np.linalg.norm(at, axis=1) - 0.7).max() < 2 * tolerance + 0.003
        counts.append(len(simple.triangles))
    assert 1.5 * counts[1] < counts[0] < 0.6 * len(surface.triangles)


def test_an_open_rim_stays() -> None:
    values = np.broadcast_to(np.linspace(-1.1, 1, 8, dtype=np.float32), (9, 9, 8)).copy()
    surface = marching_cubes(Grid(values))
    simple = simplify(surface.vertices, surface.triangles, 0.1)
    assert len(simple.triangles) < len(surface.triangles) / 2

    def rim(s: TriangleSurface) -> set[tuple[float, ...]]:
        edge = (s.vertices[:, :2] == 0) | (s.vertices[:, :2] == 8)
        return set(map(tuple, s.vertices[edge.any(axis=1)].tolist()))

    assert rim(simple) == rim(surface)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: marching_cubes(Grid(np.ones((3, 3, 3)))), "no-surface"),
        (lambda: marching_cubes(Grid(np.ones((1, 3, 3)))), "grid-shape"),
        (lambda: simplify(np.eye(3), [[0, 1, 2]], 0.0), "bad-size"),
        (lambda: simplify(np.zeros((0, 3)), np.zeros((0, 3), int), 1.0), "mesh-empty"),
    ],
)
def test_what_has_no_surface_is_refused_by_name(call, code: str) -> None:  # noqa: ANN001
    with pytest.raises(StagewrightError) as caught:
        call()
    assert caught.value.code == code
