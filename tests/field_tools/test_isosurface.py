# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces of fields: manifold everywhere, on the surface, sharp where it is sharp."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools import primitives
from stagewright.field_tools.dual_tables import dual_tables
from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.isosurface import QuadMesh, isosurface
from stagewright.jobs.errors import StagewrightError

from . import manifold


def assert_closed_manifold(mesh: QuadMesh) -> None:
    manifold.assert_closed_manifold(mesh.quads, len(mesh.vertices))


def padded(signs: np.ndarray) -> Grid:
    return Grid(np.pad(signs.astype(np.float32), 1, constant_values=1.0))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_random_signs_give_a_manifold(seed: int, share: float) -> None:
    signs = np.where(np.random.default_rng(seed).random((12, 13, 14)) < share, -1, 1)
    assert_closed_manifold(isosurface(padded(signs)))


@pytest.mark.parametrize("axis", range(3))
def test_all_cases_in_pairs_across_each_face_give_manifolds(axis: int) -> None:
    # 2 x 2 x 3 corners hold every pair of cases that can meet: 4096 islands in one grid.
    bits = (np.arange(4096)[:, None] >> np.arange(12) & 1).reshape(16, 16, 16, 3, 2, 2)
    blocks = np.ones((16, 16, 16, 5, 4, 4))
    blocks[..., 1:4, 1:3, 1:3] = 1 - 2 * bits
    signs = blocks.transpose(0, 3, 1, 4, 2, 5).reshape(80, 64, 64)
    signs = np.moveaxis(signs, 0, axis)
    assert_closed_manifold(isosurface(padded(signs)))


def checkerboard() -> np.ndarray:
    return 1 - 2 * (np.indices((7, 7, 7)).sum(axis=0) % 2)


def thin_sheet() -> np.ndarray:
    signs = np.ones((9, 9, 9))
    signs[4, 1:8, 1:8] = -1
    signs[1:8, 4, 2:5] = -1
    return signs


def touching_boxes() -> np.ndarray:
    signs = np.ones((10, 10, 10))
    signs[1:5, 1:5, 1:5] = -1
    signs[5:9, 5:9, 5:9] = -1  # Corner to corner with the first.
    signs[5:9, 1:5, 5:9] = -1  # Edge to edge.
    return signs


def touching_hollows() -> np.ndarray:
    return -touching_boxes()[1:-1, 1:-1, 1:-1]


@pytest.mark.parametrize("signs", [checkerboard, thin_sheet, touching_boxes, touching_hollows])
@pytest.mark.parametrize("sharp", [False, True])
def test_hard_signs_give_manifolds(signs, sharp: bool) -> None:  # noqa: ANN001
    assert_closed_manifold(isosurface(padded(signs()), sharp=sharp))


def test_a_pinched_cell_has_one_ambiguous_face_and_two_components_by_the_opposite_rule() -> None:
    tables = dual_tables()
    pinched = np.flatnonzero(tables.pinched_face >= 0)
    assert len(pinched) > 0
    assert np.all(tables.components[pinched] == 1)
    assert np.all(tables.components[pinched + 256] == 2)


def ball_grid(n: int = 40) -> Grid:
    lattice = grid_over((-1, -1, -1), (1, 1, 1), 2 / n)
    return primitives.sampled(lambda p: primitives.sphere(p, 0.7, (0.01, 0.02, 0.03)), lattice)


@pytest.mark.parametrize("sharp", [False, True])
def test_sphere_is_closed_round_and_faces_outwards(sharp: bool) -> None:
    mesh = isosurface(ball_grid(), sharp=sharp)
    assert_closed_manifold(mesh)
    local = mesh.vertices - np.array([0.01, 0.02, 0.03])
    assert np.abs(np.linalg.norm(local, axis=1) - 0.7).max() < 0.1 * 0.05
    assert len(mesh.vertices) - len(mesh.quads) == 2  # Euler: V - E + F, with E = 2 F.
    a, b, c = (local[mesh.triangles()[:, k]] for k in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    assert np.isclose(volume, 4 / 3 * np.pi * 0.7**3, rtol=0.01)


def test_sharp_vertices_lie_on_the_edges_of_a_turned_box() -> None:
    turn = primitives.rotation_about([1, 2, 3], 0.7)

    def box(points: np.ndarray) -> np.ndarray:
        return primitives.box(points, [0.5, 0.6, 0.7])

    size = 1 / 32
    grid = primitives.sampled(primitives.moved(box, turn), grid_over((-1.2,) * 3, (1.2,) * 3, size))
    local_edges = np.array([[0.5, 0.6, z] for z in np.linspace(-0.6, 0.6, 40)]) @ turn.T

    def edge_gaps(mesh: QuadMesh) -> np.ndarray:
        away = np.linalg.norm(local_edges[:, None] - mesh.vertices[None], axis=2)
        nearest = mesh.vertices[away.argmin(axis=1)]
        local = nearest @ turn
        return np.hypot(local[:, 0] - 0.5, local[:, 1] - 0.6) / size

    sharp, smooth = isosurface(grid, sharp=True), isosurface(grid)
    assert_closed_manifold(sharp)
    assert edge_gaps(sharp).mean() < 0.1
    assert edge_gaps(sharp).max() < 0.35
    assert edge_gaps(smooth).mean() > 0.3
    error = np.abs(primitives.moved(box, turn)(sharp.vertices)) / size
    assert error.max() < 0.3
    assert error.mean() < 0.003


@pytest.mark.parametrize("unit", [1e-5, 1e-3, 1.0, 1e5])
def test_sharp_edges_do_not_depend_on_the_unit_of_length(unit: float) -> None:
    lattice = grid_over((-unit,) * 3, (unit,) * 3, 0.05 * unit)
    half = np.array([0.71, 0.66, 0.61])
    grid = primitives.sampled(lambda points: primitives.box(points, half * unit), lattice)
    mesh = isosurface(grid, sharp=True)
    error = np.abs(primitives.box(mesh.vertices / unit, half)) / 0.05
    assert error.max() < 0.2
    assert error.mean() < 0.02


def test_sharp_vertices_are_numbers_where_a_carved_solid_is_level() -> None:
    half, hollow, bore, size = 0.66, 0.78, 0.3, 0.02
    ends = ([2, 0, 0], [0, 2, 0], [0, 0, 2])

    def carved(points: np.ndarray) -> np.ndarray:
        bores = [primitives.capsule(points, np.negative(end), end, bore) for end in ends]
        return np.max(
            [
                primitives.box(points, [half] * 3),
                -primitives.sphere(points, hollow),
                *np.negative(bores),
            ],
            axis=0,
        )

    mesh = isosurface(primitives.sampled(carved, grid_over((-1,) * 3, (1,) * 3, size)), sharp=True)
    assert_closed_manifold(mesh)
    assert np.abs(carved(mesh.vertices)).max() < 0.9 * size


def test_level_and_placement_move_the_surface() -> None:
    grid = ball_grid()
    mesh = isosurface(grid, 0.1)
    local = mesh.vertices - np.array([0.01, 0.02, 0.03])
    assert np.abs(np.linalg.norm(local, axis=1) - 0.8).max() < 0.1 * 0.05


def test_odd_sizes_and_long_axes_agree_with_their_transpose() -> None:
    values = np.random.default_rng(7).normal(size=(5, 9, 131)).astype(np.float32)
    grid = Grid(np.pad(values, 1, constant_values=1.0))
    mesh = isosurface(grid)
    assert_closed_manifold(mesh)
    other = isosurface(Grid(np.ascontiguousarray(grid.values.transpose(2, 0, 1))))
    one = np.sort(mesh.vertices.round(4).view("f4,f4,f4").ravel())
    two = np.sort(
        np.ascontiguousarray(other.vertices[:, [1, 2, 0]].round(4)).view("f4,f4,f4").ravel()
    )
    assert np.array_equal(one, two)


def test_a_surface_that_leaves_the_grid_has_a_rim_and_no_stray_vertices() -> None:
    values = np.broadcast_to(np.linspace(-1.1, 1, 8, dtype=np.float32), (6, 7, 8)).copy()
    mesh = isosurface(Grid(values))
    assert len(mesh.quads) == 4 * 5
    assert np.array_equal(np.unique(mesh.quads), np.arange(len(mesh.vertices)))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.ones((4, 4, 4), np.float32), "no-surface"),
        (np.ones((1, 4, 4), np.float32), "grid-shape"),
        (np.ones((4, 4, 4, 3), np.float32), "grid-shape"),
    ],
)
def test_grids_without_a_surface_are_refused_by_name(values, code) -> None:  # noqa: ANN001
    with pytest.raises(StagewrightError) as caught:
        isosurface(Grid(values))
    assert caught.value.code == code


def test_nan_at_the_surface_is_refused() -> None:
    values = ball_grid().values.copy()
    values[np.unravel_index(np.abs(values).argmin(), values.shape)] = np.nan
    with pytest.raises(StagewrightError) as caught:
        isosurface(Grid(values))
    assert caught.value.code == "not-finite"
