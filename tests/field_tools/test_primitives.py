# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact SDFs against points sampled on the surfaces they claim."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools import primitives
from stagewright.field_tools.grid import grid_over
from stagewright.jobs.errors import StagewrightError

POINTS = np.random.default_rng(3).uniform(-2, 2, (60, 3))


def nearest(samples: np.ndarray) -> np.ndarray:
    squares = ((POINTS[:, None, :] - samples[None]) ** 2).sum(axis=2)
    return np.sqrt(squares.min(axis=1))


def sphere_samples() -> tuple[np.ndarray, object]:
    rng = np.random.default_rng(3)
    u = rng.normal(size=(40000, 3))
    return u / np.linalg.norm(u, axis=1, keepdims=True) * 0.8, lambda p: primitives.sphere(p, 0.8)


def box_samples() -> tuple[np.ndarray, object]:
    rng = np.random.default_rng(3)
    u = rng.uniform(-1, 1, (40000, 3))
    side = rng.integers(0, 3, len(u))
    u[np.arange(len(u)), side] = np.sign(u[np.arange(len(u)), side])
    half = np.array([0.5, 0.8, 1.1])
    return u * half, lambda p: primitives.box(p, half)


def torus_samples() -> tuple[np.ndarray, object]:
    rng = np.random.default_rng(3)
    u, v = rng.uniform(0, 2 * np.pi, (2, 60000))
    ring = 1.0 + 0.4 * np.cos(v)
    points = np.stack([ring * np.cos(u), ring * np.sin(u), 0.4 * np.sin(v)], axis=1)
    return points, lambda p: primitives.torus(p, 1.0, 0.4)


def cylinder_samples() -> tuple[np.ndarray, object]:
    rng = np.random.default_rng(3)
    angle, height = rng.uniform(0, 2 * np.pi, 30000), rng.uniform(-1, 1, 30000)
    side = np.stack([0.5 * np.cos(angle), 0.5 * np.sin(angle), 0.9 * height], axis=1)
    radius = 0.5 * np.sqrt(rng.uniform(0, 1, 30000))
    caps = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0.9 * np.sign(height)], axis=1)
    return np.concatenate([side, caps]), lambda p: primitives.cylinder(p, 0.5, 0.9)


def capsule_samples() -> tuple[np.ndarray, object]:
    rng = np.random.default_rng(3)
    ball, _ = sphere_samples()
    start, end = np.array([-0.5, 0.2, 0.1]), np.array([0.7, -0.3, 0.4])
    axis = (end - start) / np.linalg.norm(end - start)
    ball = ball / 0.8 * 0.3
    along = ball @ axis
    side = ball - along[:, None] * axis
    side *= 0.3 / np.linalg.norm(side, axis=1, keepdims=True)
    side += start + rng.uniform(0, 1, (len(side), 1)) * (end - start)
    ends = ball + np.where(along[:, None] < 0, start, end)
    return np.concatenate([side, ends]), lambda p: primitives.capsule(p, start, end, 0.3)


@pytest.mark.parametrize(
    "samples", [sphere_samples, box_samples, torus_samples, cylinder_samples, capsule_samples]
)
def test_distance_is_that_to_the_nearest_surface_point(samples) -> None:  # noqa: ANN001
    surface, function = samples()
    assert np.abs(function(surface)).max() < 1e-12
    distance = np.abs(function(POINTS))
    truth = nearest(surface)
    assert np.all(truth >= distance - 1e-12)
    assert np.abs(truth - distance).max() < 0.03
    center = np.array([1.0, 0, 0]) if samples is torus_samples else np.array([0.1, 0, 0.1])
    assert function(center) < 0 < function(np.array([3.0, 3, 3]))


def test_moved_solid_has_the_distances_of_the_moved_points() -> None:
    turn = primitives.rotation_about([1, 2, 3], 0.7)
    assert np.allclose(turn @ np.array([1, 2, 3]), [1, 2, 3])
    shift = np.array([0.1, -0.2, 0.3])

    def box(points: np.ndarray) -> np.ndarray:
        return primitives.box(points, [0.5, 0.8, 1.1])

    moved = primitives.moved(box, turn, shift)
    assert np.allclose(moved(POINTS @ turn.T + shift), box(POINTS), atol=1e-12)


def test_plane_measures_along_its_normal() -> None:
    assert np.isclose(primitives.plane([0.0, 0, 5], [0, 0, 2], 4.0), 3.0)


def test_sampling_puts_values_at_voxel_centres() -> None:
    grid = primitives.sampled(
        lambda p: primitives.sphere(p, 0.5), grid_over((-1, -1, -1), (1, 1, 1), 0.25)
    )
    assert grid.values[4, 4, 4] == np.float32(-0.5)
    assert np.isclose(grid.values[0, 4, 4], 0.5)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: primitives.sphere([0, 0, 0], -1.0), "bad-size"),
        (lambda: primitives.box([0, 0, 0], [1, 0, 1]), "bad-size"),
        (lambda: primitives.plane([0, 0, 0], [0, 0, 0]), "bad-size"),
        (lambda: primitives.moved(lambda p: p, 2 * np.eye(3)), "not-a-rotation"),
    ],
)
def test_refusals_are_named(call, code) -> None:  # noqa: ANN001
    with pytest.raises(StagewrightError) as caught:
        call()
    assert caught.value.code == code
