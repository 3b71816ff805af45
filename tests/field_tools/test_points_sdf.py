# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles to signed distance against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools import points_sdf
from stagewright.field_tools.points_sdf import points_to_sdf, points_to_smooth_sdf
from stagewright.jobs.errors import StagewrightError


def brute_union(at: np.ndarray, points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    away = np.linalg.norm(at[:, None] - points[None], axis=2)
    return (away - np.broadcast_to(radius, len(points))).min(axis=1)


def positions(indices: np.ndarray, size: float, origin: tuple[float, float, float]) -> np.ndarray:
    return indices * size + np.array(origin)


@pytest.mark.parametrize("radius", [0.04, 0.09, np.random.default_rng(11).uniform(0.02, 0.15, 400)])
@pytest.mark.parametrize("half_width", [1.0, 3.0])
def test_union_of_spheres_is_exact_at_every_voxel(radius, half_width: float) -> None:  # noqa: ANN001
    points = np.random.default_rng(11).uniform(-0.5, 0.5, (400, 3)) * [1, 0.6, 0.3]
    band = points_to_sdf(points, radius, 0.05, half_width=half_width)
    grid = band.to_grid()
    at = positions(np.argwhere(np.ones(grid.shape)), 0.05, grid.origin)
    truth = np.clip(brute_union(at, points, radius), -band.width, band.width)
    assert np.abs(grid.values.reshape(-1) - truth).max() < 1e-3 * 0.05


def test_many_particles_in_one_voxel_and_thin_slabs_are_exact() -> None:
    points = np.random.default_rng(11).normal(size=(300, 3)) * 0.004 + np.repeat(
        [[0, 0, 0], [1.5, 0, 0]], 150, axis=0
    )
    band = points_to_sdf(points, 0.07, 0.02)
    truth = brute_union(positions(band.indices, 0.02, band.origin), points, np.array(0.07))
    assert np.abs(band.distances - truth).max() < 1e-3 * 0.02
    assert np.all(np.diff(band.keys) > 0)


def test_slabs_give_what_one_piece_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(11).uniform(-0.2, 0.2, (60, 3))
    whole, smooth = points_to_sdf(points, 0.05, 0.05), points_to_smooth_sdf(points, 0.05, 0.05)
    monkeypatch.setattr(points_sdf, "SLAB", 1)
    cut = points_to_sdf(points, 0.05, 0.05)
    assert np.array_equal(whole.keys, cut.keys)
    assert np.array_equal(whole.distances, cut.distances)
    cut_smooth = points_to_smooth_sdf(points, 0.05, 0.05)
    assert np.abs(smooth.values - cut_smooth.values).max() < 1e-5


def test_smooth_surface_matches_the_weighted_mean_of_all_particles() -> None:
    points = np.random.default_rng(11).uniform(-0.3, 0.3, (200, 3))
    grid = points_to_smooth_sdf(points, 0.05, 0.04, kernel_radius=0.15)
    at = positions(np.argwhere(np.ones(grid.shape)), 0.04, grid.origin)
    picked = np.random.default_rng(11).choice(len(at), 3000, replace=False)
    difference = points[None] - at[picked][:, None]
    weight = np.maximum(1 - (difference**2).sum(axis=2) / 0.15**2, 0) ** 3
    total = weight.sum(axis=1)
    mean = np.einsum("ij,ijk->ik", weight, difference) / np.maximum(total, 1e-12)[:, None]
    truth = np.where(total > 1e-4, np.linalg.norm(mean, axis=1) - 0.05, np.nan)
    ours = grid.values.reshape(-1)[picked]
    sure = ~np.isnan(truth)
    assert sure.sum() > 500
    assert np.abs(ours - truth)[sure].max() < 1e-3 * 0.04
    assert np.allclose(ours[total == 0], 0.15)


def test_smooth_surface_of_a_filled_ball_is_smoother_than_the_union() -> None:
    lattice = np.argwhere(np.ones((15, 15, 15))) / 14.0 - 0.5
    points = lattice[np.linalg.norm(lattice, axis=1) < 0.4]
    smooth = points_to_smooth_sdf(points, 0.04, 0.03, kernel_radius=0.16)
    union = points_to_sdf(points, 0.04, 0.03).to_grid()
    line = np.array([[x, 0.0, 0.0] for x in np.linspace(-0.2, 0.2, 40)]) + [0, 0.036, 0.036]
    for grid, flat in ((smooth, True), (union, False)):
        index = np.rint(grid.world_to_index(line)).astype(int)
        assert np.all(grid.values[tuple(index.T)] < 0) == flat


@pytest.mark.parametrize(
    ("points", "radius", "size", "code"),
    [
        (np.zeros((0, 3)), 0.1, 0.1, "points-empty"),
        (np.zeros((3, 2)), 0.1, 0.1, "points-shape"),
        (np.zeros((3, 3)), np.ones(2), 0.1, "points-shape"),
        (np.full((3, 3), np.nan), 0.1, 0.1, "not-finite"),
        (np.zeros((3, 3)), 0.0, 0.1, "bad-size"),
        (np.zeros((3, 3)), 0.1, -1.0, "voxel-size"),
        (np.eye(3), 0.1, 1e-7, "grid-too-fine"),
        (np.eye(3), 0.1, 1e-300, "grid-too-fine"),
    ],
)
def test_bad_particles_are_refused_by_name(points, radius, size, code) -> None:  # noqa: ANN001
    with pytest.raises(StagewrightError) as caught:
        points_to_sdf(points, radius, size)
    assert caught.value.code == code
