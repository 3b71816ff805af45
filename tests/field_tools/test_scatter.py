# SPDX-License-Identifier: GPL-3.0-or-later
"""Points scattered on and in level sets."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.primitives import box, sampled, sphere, torus
from stagewright.field_tools.scatter import poisson_disk, surface_points, volume_points
from stagewright.jobs.errors import StagewrightError

LATTICE = grid_over((-1,) * 3, (1,) * 3, 0.05)
TORUS = sampled(lambda p: torus(p, 0.6, 0.25), LATTICE)


def nearest(points: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    away = np.linalg.norm(points[:, None] - (points if others is None else others)[None], axis=2)
    if others is None:
        np.fill_diagonal(away, np.inf)
    return away.min(axis=1)


def test_a_choice_is_apart_maximal_and_repeatable() -> None:
    points = np.random.default_rng(1).random((1500, 3))
    kept = poisson_disk(points, 0.12)
    assert np.all(np.diff(kept) > 0)
    assert nearest(points[kept]).min() >= 0.12
    assert nearest(points, points[kept]).max() < 0.12
    assert np.array_equal(kept, poisson_disk(points, 0.12))
    assert not np.array_equal(kept, poisson_disk(points, 0.12, seed=1))


def test_surface_points_lie_on_the_surface_apart_and_without_gaps() -> None:
    points, normals = surface_points(TORUS, 0.1)
    assert np.abs(torus(points, 0.6, 0.25)).max() < 0.05 * 0.05
    assert nearest(points).min() >= 0.1
    step = 1e-5
    slope = [
        (torus(points + step * e, 0.6, 0.25) - torus(points - step * e, 0.6, 0.25)) / (2 * step)
        for e in np.eye(3)
    ]
    assert np.einsum("ij,ji->i", normals, np.array(slope)).min() > 0.98
    u, v = np.random.default_rng(2).random((2, 800)) * 2 * np.pi
    ring = 0.6 + 0.25 * np.cos(v)
    anywhere = np.stack([ring * np.cos(u), ring * np.sin(u), 0.25 * np.sin(v)], axis=1)
    gaps = nearest(anywhere, points)
    assert np.percentile(gaps, 98) < 0.1
    assert gaps.max() < 0.13


def test_volume_points_lie_inside_apart_and_without_gaps() -> None:
    solid = sampled(lambda p: box(p, (0.5, 0.4, 0.3)), LATTICE)
    points = volume_points(solid, 0.12)
    assert box(points, (0.5, 0.4, 0.3)).max() < 0.2 * 0.05
    assert nearest(points).min() >= 0.12
    anywhere = np.random.default_rng(3).uniform((-0.5, -0.4, -0.3), (0.5, 0.4, 0.3), (800, 3))
    assert np.percentile(nearest(anywhere, points), 99) < 0.13


def test_jittered_points_fill_cells_evenly() -> None:
    ball = sampled(lambda p: sphere(p, 0.7), LATTICE)
    points = volume_points(ball, 0.1, jittered=True)
    assert np.isclose(len(points), 4 / 3 * np.pi * 0.7**3 / 0.1**3, rtol=0.05)
    assert np.linalg.norm(points, axis=1).max() < 0.71
    assert np.linalg.norm(points.mean(axis=0)) < 0.03


def test_what_cannot_be_scattered_on_is_refused_or_empty() -> None:
    empty = Grid(np.ones((5, 5, 5)))
    assert volume_points(empty, 0.1).shape == (0, 3)
    cases = [
        (lambda: surface_points(empty, 0.1), "no-surface"),
        (lambda: surface_points(TORUS, 0.0), "bad-size"),
        (lambda: surface_points(TORUS, 1e-7), "out-of-memory"),
        (lambda: volume_points(TORUS, np.nan), "bad-size"),
        (lambda: volume_points(TORUS, 1e-6), "out-of-memory"),
        (lambda: poisson_disk(np.zeros((0, 3)), 0.1), "points-empty"),
    ]
    for call, code in cases:
        with pytest.raises(StagewrightError) as caught:
            call()
        assert caught.value.code == code
