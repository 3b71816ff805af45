# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles to density, velocity and smooth surfaces, and how much of a voxel is filled."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.anisotropic import anisotropic_kernels, points_to_anisotropic_sdf
from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.isosurface import isosurface
from stagewright.field_tools.neighbours import neighbour_pairs
from stagewright.field_tools.occupancy import occupancy
from stagewright.field_tools.particles import (
    particle_density,
    particles_to_staggered,
    staggered_to_particles,
)
from stagewright.field_tools.points_sdf import points_to_sdf
from stagewright.field_tools.primitives import box, moved, rotation_about, sampled, sphere
from stagewright.field_tools.sampling import sample
from stagewright.jobs.errors import StagewrightError


def lattice_points(shape: tuple[int, int, int], spacing: float, jitter: float) -> np.ndarray:
    points = np.stack(np.indices(shape).reshape(3, -1), axis=1) * spacing
    return points + np.random.default_rng(1).normal(size=points.shape) * jitter * spacing


def test_pairs_are_those_of_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stagewright.field_tools.neighbours.PAIRS", 500)
    points = np.random.default_rng(2).normal(size=(300, 3)) * [2, 1, 0.5]
    found = np.concatenate([np.stack(batch, 1) for batch in neighbour_pairs(points, 0.4)])
    away = np.linalg.norm(points[:, None] - points[None], axis=2)
    truth = np.argwhere(away < 0.4)
    order = np.lexsort((found[:, 1], found[:, 0]))
    assert np.array_equal(found[order], truth)


def test_density_keeps_mass_and_the_centre_of_mass() -> None:
    random = np.random.default_rng(3)
    points, mass = random.normal(size=(2000, 3)), random.uniform(0.5, 2, 2000)
    grid = particle_density(points, 0.2, mass)
    weights = grid.values.astype(np.float64) * 0.2**3
    assert np.isclose(weights.sum(), mass.sum(), rtol=1e-5)
    x, y, z = grid.centers()
    center = [float((weights * part).sum()) for part in (x, y, z)]
    np.testing.assert_allclose(center, (points * mass[:, None]).sum(axis=0), atol=1e-2)


def affine(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    matrix = np.array([[0.3, -1.0, 0.2], [0.9, 0.1, -0.4], [0.0, 0.7, -0.4]])
    return points @ matrix.T + [0.5, -0.2, 0.1], np.broadcast_to(matrix, (len(points), 3, 3))


def test_affine_flow_survives_apic_exactly_and_pic_does_not() -> None:
    points = np.random.default_rng(4).uniform(0.3, 1.7, (4000, 3))
    velocity, gradient = affine(points)
    cells = Grid(np.zeros((20, 20, 20)), 0.1, (0.05, 0.05, 0.05))
    flow, mass = particles_to_staggered(points, velocity, cells, gradient=gradient)
    assert np.isclose(mass.x.sum(), len(points))
    for axis, (grid, weight) in enumerate(zip(flow.face_grids(), mass.components, strict=True)):
        x, y, z = grid.centers()
        at = np.stack([np.broadcast_to(p, grid.shape) for p in (x, y, z)], axis=-1)
        truth = affine(at.reshape(-1, 3))[0][:, axis].reshape(grid.shape)
        np.testing.assert_allclose(grid.values[weight > 0], truth[weight > 0], atol=1e-10)
    inner = points[np.all((points > 0.5) & (points < 1.5), axis=1)]
    back = staggered_to_particles(flow, inner)
    truth, slope = affine(inner)
    np.testing.assert_allclose(back.velocity, truth, atol=1e-10)
    np.testing.assert_allclose(back.gradient, slope, atol=1e-9)
    pic, _ = particles_to_staggered(points, velocity, cells)
    assert np.abs(pic.sample(inner) - truth).max() > 1e-3


def test_pic_keeps_momentum_and_gives_nothing_where_there_is_nobody() -> None:
    random = np.random.default_rng(5)
    points, velocity = random.uniform(0.5, 1.0, (500, 3)), random.normal(size=(500, 3))
    mass = random.uniform(1, 3, 500)
    flow, weight = particles_to_staggered(
        points, velocity, Grid(np.zeros((20, 20, 20)), 0.1), mass=mass
    )
    for axis, (part, amount) in enumerate(zip(flow.components, weight.components, strict=True)):
        assert np.isclose((part * amount).sum(), (mass * velocity[:, axis]).sum())
        assert np.all(part[amount == 0] == 0)


@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_occupancy_of_a_box_is_its_volume_in_every_voxel(turn: float) -> None:
    half = (0.52, 0.4, 0.31)
    solid = moved(lambda p: box(p, half), rotation_about((1, 2, 0.5), turn))
    lattice = grid_over((-1,) * 3, (1,) * 3, 0.05, dtype=np.float64)
    filled = occupancy(sampled(solid, lattice))
    assert np.isclose(filled.values.sum() * 0.05**3, 8 * np.prod(half), rtol=1e-2)
    offsets = (np.arange(8) + 0.5) / 8 - 0.5
    fine = np.stack(np.meshgrid(offsets, offsets, offsets, indexing="ij"), -1).reshape(-1, 3) * 0.05
    # Away from edges, where the plane is the surface.
    at = lattice.index_to_world(np.argwhere(np.abs(filled.values - 0.5) < 0.45))
    local = np.abs(at @ rotation_about((1, 2, 0.5), turn)) - half
    face = np.sort(local, axis=1)[:, 1] < -0.1
    truth = (solid(at[face][:, None] + fine) < 0).mean(axis=1)
    mine = sample(filled, at[face])
    assert face.sum() > 100
    assert np.abs(mine - truth).max() < 0.06


def test_occupancy_of_a_ball_converges_to_its_volume_with_second_order() -> None:
    errors = []
    for size in (0.1, 0.05):
        grid = sampled(lambda p: sphere(p, 0.7), grid_over((-1,) * 3, (1,) * 3, size))
        volume = float(occupancy(grid).values.sum(dtype=np.float64)) * size**3
        errors.append(abs(volume / (4 / 3 * np.pi * 0.7**3) - 1))
    assert errors[0] < 6e-3
    assert errors[1] < 0.3 * errors[0]


def test_kernels_lie_flat_in_a_sheet_and_round_in_a_block() -> None:
    sheet = lattice_points((24, 24, 3), 0.1, 0.05)
    kernels = anisotropic_kernels(sheet, 0.4)
    middle = np.linalg.norm(sheet - sheet.mean(axis=0), axis=1) < 0.5
    lengths = np.linalg.inv(kernels.shapes[middle])
    values, axes = np.linalg.eigh(lengths)
    assert np.all(values[:, 0] * 1.5 < values[:, 1])
    assert np.all(np.abs(axes[:, 2, 0]) > 0.95)
    block = lattice_points((12, 12, 12), 0.1, 0.05)
    inner = np.linalg.norm(block - 0.55, axis=1) < 0.15
    round_lengths = np.linalg.eigvalsh(np.linalg.inv(anisotropic_kernels(block, 0.4).shapes[inner]))
    assert np.all(round_lengths[:, 2] < 1.25 * round_lengths[:, 0])


def test_a_jittered_block_gets_a_flatter_surface_than_from_spheres() -> None:
    points = lattice_points((16, 16, 16), 0.1, 0.2)
    smooth = isosurface(points_to_anisotropic_sdf(points, 0.4, 0.05)).vertices
    spheres = isosurface(points_to_sdf(points, 0.08, 0.05).to_grid()).vertices

    def top(vertices: np.ndarray) -> np.ndarray:
        inner = np.all((vertices[:, :2] > 0.5) & (vertices[:, :2] < 1.0), axis=1)
        return vertices[inner & (vertices[:, 2] > 0.9), 2]

    assert top(smooth).std() < 0.5 * top(spheres).std()
    assert abs(top(smooth).mean() - 1.5) < 0.1


def test_the_density_deep_inside_is_one() -> None:
    points = lattice_points((14, 14, 14), 0.1, 0.0)
    grid = points_to_anisotropic_sdf(points, 0.4, 0.05)
    inside = sample(grid, np.random.default_rng(6).uniform(0.5, 0.8, (50, 3)))
    np.testing.assert_allclose(0.5 - inside / 0.4, 1, atol=0.12)


def test_bad_particles_are_refused_by_name() -> None:
    cells = Grid(np.zeros((4, 4, 4)))
    ones = np.ones((3, 3))
    cases = [
        (lambda: anisotropic_kernels(np.ones((3, 2)), 1.0), "points-shape"),
        (lambda: anisotropic_kernels(np.ones((0, 3)), 1.0), "points-empty"),
        (lambda: anisotropic_kernels(np.full((2, 3), np.nan), 1.0), "not-finite"),
        (lambda: anisotropic_kernels(ones, 0.0), "bad-size"),
        (lambda: points_to_anisotropic_sdf(ones, 1.0, 0.1, level=1.5), "bad-level"),
        (lambda: particle_density([[0, 0, 0], [1, 1, 1]], 1e-5), "out-of-memory"),
        (lambda: particle_density(ones, 0.1, np.ones(2)), "points-shape"),
        (lambda: particles_to_staggered(ones, np.ones((2, 3)), cells), "points-shape"),
    ]
    for call, code in cases:
        with pytest.raises(StagewrightError) as caught:
            call()
        assert caught.value.code == code
