# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounded, filleted, displaced and smoothed solids against exact ones."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.csg import union
from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.noise import noise
from stagewright.field_tools.occupancy import occupancy
from stagewright.field_tools.primitives import box, sampled, sphere
from stagewright.field_tools.reshape import (
    displace,
    fillet,
    image_heights,
    mean_curvature_flow,
    round_edges,
    smooth,
)
from stagewright.field_tools.sampling import sample
from stagewright.jobs.errors import StagewrightError

SIZE = 0.04
LATTICE = grid_over((-1,) * 3, (1,) * 3, SIZE)


def ball(radius: float) -> Grid:
    return sampled(lambda p: sphere(p, radius), LATTICE)


def radius_of(grid: Grid) -> np.ndarray:
    """Radii of the zero level along random rays."""
    random = np.random.default_rng(1).normal(size=(100, 3))
    rays = random / np.linalg.norm(random, axis=1, keepdims=True)
    at = np.linspace(0.05, 0.95, 400)
    values = sample(grid, (rays[:, None] * at[None, :, None]).reshape(-1, 3)).reshape(100, -1)
    first = (values > 0).argmax(axis=1)
    low, high = (values[np.arange(100), first + step] for step in (-1, 0))
    return at[first] - (at[1] - at[0]) * high / (high - low)


def near(grid: Grid) -> np.ndarray:
    return np.abs(grid.values) < 1.5 * SIZE


def test_a_box_with_rounded_edges_is_the_rounded_box() -> None:
    half, radius = np.array([0.6, 0.5, 0.55]), 0.2
    result = round_edges(sampled(lambda p: box(p, half), LATTICE), radius)
    exact = sampled(lambda p: box(p, half - radius) - radius, LATTICE)
    error = np.abs(result.values - exact.values)[near(exact)]
    assert error.max() < 0.9 * SIZE
    assert error.mean() < 0.25 * SIZE


def test_a_filleted_step_has_the_arc_in_its_corner_and_keeps_its_faces() -> None:
    def step(points: np.ndarray) -> np.ndarray:
        return np.minimum(
            box(points, (2, 2, 0.3), (0, 0, -0.5)), box(points, (0.4, 2, 2), (-0.6, 0, 0))
        )

    result = fillet(sampled(step, LATTICE), 0.3)
    # The concave edge lies along y at x = z = -0.2; the arc's centre at 0.1, 0.1.
    x, _, z = (np.broadcast_to(part, LATTICE.shape) for part in LATTICE.centers())
    arc = (x > -0.2) & (z > -0.2) & (x < 0.1) & (z < 0.1)
    exact = 0.3 - np.hypot(x - 0.1, z - 0.1)
    inner = np.zeros_like(arc)
    inner[:, 12:-12] = True
    judged = arc & inner & (np.abs(exact) < 1.5 * SIZE) & (exact > -0.29)
    assert judged.sum() > 100
    assert np.abs(result.values - exact)[judged].max() < 0.4 * SIZE


def test_displacement_by_a_constant_is_an_offset_and_by_noise_follows_it() -> None:
    flat = LATTICE.with_values(np.full(LATTICE.shape, 0.1, np.float32))
    assert np.abs(radius_of(displace(ball(0.6), flat)) - 0.7).max() < 0.02 * SIZE
    bumps = noise(LATTICE, 0.5)
    low = LATTICE.with_values(0.05 * bumps.values)
    result = displace(ball(0.6), low)
    at = np.array([[0.6, 0, 0], [0, -0.6, 0], [0.35, 0.35, 0.34]])
    np.testing.assert_allclose(sample(result, at), -sample(low, at), atol=0.6 * SIZE)


def test_an_image_is_stretched_over_the_box_along_its_axis() -> None:
    picture = np.linspace(0, 1, 64)[:, None] * np.ones((1, 32))
    for axis in range(3):
        heights = image_heights(LATTICE, picture, axis, height=0.5)
        lines = np.moveaxis(heights.values, axis, 2)
        assert np.array_equal(lines[..., 0], lines[..., -1])
        assert np.ptp(lines[:, :, 0], axis=1).max() < 1e-6
        middle = lines[2:-2, 0, 0]
        truth = 0.5 * ((np.arange(lines.shape[0]) + 0.5) / lines.shape[0] * 64 - 0.5)[2:-2] / 63
        np.testing.assert_allclose(middle, truth, atol=1e-5)


def test_an_image_may_lie_over_a_part_of_the_lattice() -> None:
    picture = np.array([[0.0, 0.0], [1.0, 1.0]])
    box = (-0.5, -0.5, -0.5), (0.5, 0.5, 0.5)
    heights = image_heights(LATTICE, picture, 2, 1.0, box)
    x = np.broadcast_to(LATTICE.centers()[0], LATTICE.shape)
    # Pixel centres lie at -0.25 and 0.25; beyond them it goes on as at the border.
    np.testing.assert_allclose(heights.values, np.clip(0.5 + 2 * x, 0, 1), atol=1e-5)


@pytest.mark.parametrize("time", [0.01, 0.04])
def test_a_sphere_shrinks_by_its_curvature(time: float) -> None:
    radius = radius_of(mean_curvature_flow(ball(0.7), time))
    truth = np.sqrt(0.7**2 - 4 * time)
    assert np.abs(radius - truth).max() < 0.1 * (0.7 - truth)
    assert np.ptp(radius) < 0.1 * SIZE


def test_smoothing_takes_noise_away_and_keeps_the_volume() -> None:
    rough = displace(ball(0.6), LATTICE.with_values(0.04 * noise(LATTICE, 0.15).values))
    soft = smooth(rough, 0.12)
    assert radius_of(soft).std() < 0.35 * radius_of(rough).std()
    volume, before = (float(occupancy(g).values.sum(dtype=np.float64)) for g in (soft, rough))
    assert abs(volume / before - 1) < 1e-3
    loose = smooth(rough, 0.12, keep_volume=False)
    assert float(occupancy(loose).values.sum(dtype=np.float64)) < volume


def test_what_vanishes_or_makes_no_sense_is_refused_by_name() -> None:
    cases = [
        (lambda: mean_curvature_flow(ball(0.2), 0.1), "no-zero-level"),
        (lambda: round_edges(ball(0.2), 0.3), "no-zero-level"),
        (lambda: round_edges(ball(0.2), -1.0), "fillet-radius"),
        (lambda: mean_curvature_flow(ball(0.2), np.nan), "flow-time"),
        (lambda: smooth(ball(0.2), -1), "smooth-width"),
        (lambda: image_heights(LATTICE, np.zeros((3, 3, 3))), "image-shape"),
        (lambda: displace(ball(0.5), union(ball(0.5), ball(0.5)).with_values(
            np.zeros((*LATTICE.shape, 3), np.float32))), "grid-shape"),
    ]  # fmt: skip
    for call, code in cases:
        with pytest.raises(StagewrightError) as caught:
            call()
        assert caught.value.code == code
