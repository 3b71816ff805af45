# SPDX-License-Identifier: GPL-3.0-or-later
"""Sampling between voxels: exact for polynomials, orders of convergence, brute force, the rim."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from stagewright.field_tools.grid import Grid
from stagewright.field_tools.sampling import sample
from stagewright.jobs.errors import StagewrightError

from .shapes import cube_grid
from .shapes import sample as fill


def brute_force_linear(grid: Grid, point: np.ndarray) -> np.ndarray:
    index = np.clip(grid.world_to_index(point), 0, np.array(grid.shape) - 1)
    low = np.minimum(np.floor(index).astype(int), np.maximum(np.array(grid.shape) - 2, 0))
    total = np.zeros(grid.values.shape[3:])
    for corner in itertools.product((0, 1), repeat=3):
        place = np.minimum(low + corner, np.array(grid.shape) - 1)
        weight = np.prod(np.where(corner, index - low, 1 - (index - low)))
        total = total + weight * grid.values[tuple(place)]
    return total


@pytest.mark.parametrize("seed", range(8))
def test_linear_equals_a_brute_force_sum_over_corners(seed: int) -> None:
    random = np.random.default_rng(seed)
    dtype = (np.float32, np.float64)[seed % 2]
    shape = tuple(random.integers(1, 9, 3)) + ((3,) if seed % 3 == 0 else ())
    grid = Grid(random.normal(size=shape).astype(dtype), 0.4, (1.0, -2.0, 0.5))
    points = grid.index_to_world(random.uniform(-2, 10, (200, 3)))
    expected = np.array([brute_force_linear(grid, point) for point in points])
    result = sample(grid, points)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, atol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_samples_themselves_come_back(method: str) -> None:
    grid = Grid(np.random.default_rng(1).normal(size=(5, 4, 6)), 0.3, (2.0, 1.0, 0.0))
    indices = np.array(list(np.ndindex(5, 4, 6)))
    result = sample(grid, grid.index_to_world(indices), method)
    np.testing.assert_allclose(result, grid.values.ravel(), atol=1e-12)


def test_cubic_is_exact_for_quadratics_away_from_the_rim() -> None:
    grid = cube_grid(12)

    def quadratic(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return (x * x - x + 1) * (2 * y * y + y) + z * z * y - 3 * x * z

    points = np.random.default_rng(2).uniform(-0.8, 0.8, (300, 3))
    result = sample(fill(quadratic, grid), points, "cubic")
    np.testing.assert_allclose(result, quadratic(*points.T), atol=1e-12)


@pytest.mark.parametrize(("method", "order"), [("linear", 2), ("cubic", 3)])
def test_the_error_falls_with_the_stated_order(method: str, order: int) -> None:
    def wave(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.sin(3 * x + y) * np.cos(2 * z - y)

    points = np.random.default_rng(3).uniform(-0.7, 0.7, (4000, 3))

    def error(count: int) -> float:
        return np.abs(sample(fill(wave, cube_grid(count)), points, method) - wave(*points.T)).mean()

    assert np.log2(error(17) / error(33)) > order - 0.2


def test_points_outside_take_the_nearest_value_on_the_rim() -> None:
    grid = Grid(np.random.default_rng(4).normal(size=(3, 4, 5)))
    for method in ("linear", "cubic"):
        far = sample(grid, np.array([[-9.0, 1.0, 2.0], [99.0, 99.0, 99.0]]), method)
        np.testing.assert_allclose(far, [grid.values[0, 1, 2], grid.values[2, 3, 4]], atol=1e-12)


def test_no_points_give_no_values() -> None:
    assert sample(Grid(np.ones((2, 2, 2))), np.empty((0, 3))).shape == (0,)
    assert sample(Grid(np.ones((2, 2, 2, 3))), np.empty((0, 3))).shape == (0, 3)


def test_bad_points_and_methods_are_refused() -> None:
    grid = Grid(np.ones((2, 2, 2)))
    for points, method, code in (
        (np.zeros((4, 2)), "linear", "points-shape"),
        (np.zeros((4, 3), int), "linear", "points-shape"),
        (np.full((4, 3), np.nan), "linear", "not-finite"),
        (np.full((4, 3), np.inf), "linear", "not-finite"),
        (np.zeros((4, 3)), "nearest", "sampling-method"),
    ):
        with pytest.raises(StagewrightError) as error:
            sample(grid, points, method)  # type: ignore[arg-type]
        assert error.value.code == code
