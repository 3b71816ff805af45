# SPDX-License-Identifier: GPL-3.0-or-later
"""Transport: exact shifts, rotations, orders of convergence, bounds."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.advect import advect, streamlines, trace
from stagewright.field_tools.grid import Grid
from stagewright.field_tools.sampling import sample_range
from stagewright.jobs.errors import StagewrightError

from .shapes import cube_grid, sample


def rotation(grid: Grid) -> Grid:
    """One turn about z in a time of 2 pi."""
    x, y, _ = grid.centers()
    zero = np.zeros(grid.shape)
    return grid.with_values(np.stack([zero - y, zero + x, zero], axis=-1).astype(grid.dtype))


def blob(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.exp(-12 * ((x - 0.4) ** 2 + y**2 + z**2))


def turned_error(count: int, scheme: str) -> float:
    """Mean error after a quarter turn in steps of about a voxel."""
    size = 2 / (count - 1)
    grid = Grid(np.zeros((count, count, 4)), size, (-1.0, -1.0, -1.5 * size))
    velocity, field, steps = rotation(grid), sample(blob, grid), count // 2
    for _ in range(steps):
        field = advect(field, velocity, np.pi / 2 / steps, scheme)
    exact = sample(lambda x, y, z: blob(y, -x, z), grid).values
    return float(np.abs(field.values - exact).mean())


def test_maccormack_converges_with_second_order_and_beats_semi_lagrangian() -> None:
    coarse, fine = turned_error(20, "maccormack"), turned_error(40, "maccormack")
    assert np.log2(coarse / fine) > 1.6
    assert fine < turned_error(40, "semi-lagrangian") / 3


@pytest.mark.parametrize("scheme", ["maccormack", "semi-lagrangian"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_shift_by_whole_voxels_is_exact(scheme: str, dtype: type) -> None:
    grid = Grid(np.random.default_rng(0).normal(size=(9, 8, 7)).astype(dtype), 0.5)
    flow = np.broadcast_to(np.array((0.5, -1.0, 0.0), dtype), (9, 8, 7, 3)).copy()
    result = advect(grid, grid.with_values(flow), 1.0, scheme).values
    assert result.dtype == dtype
    np.testing.assert_allclose(result[1:, :-2], grid.values[:-1, 2:], atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_no_value_arises_that_was_not_there(seed: int) -> None:
    random = np.random.default_rng(seed)
    grid = Grid(random.normal(size=(8, 9, 10)))
    velocity = Grid(random.normal(size=(8, 9, 10, 3)) * 4)
    result = advect(grid, velocity, 0.7).values
    assert result.min() >= grid.values.min() - 1e-12
    assert result.max() <= grid.values.max() + 1e-12


def test_traced_points_turn_on_circles_with_third_order() -> None:
    velocity = rotation(cube_grid(8))
    start = np.array([[0.5, 0.0, 0.2], [0.0, -0.3, 0.0]])
    exact = np.array([[0.0, 0.5, 0.2], [0.3, 0.0, 0.0]])
    errors = [np.abs(trace(velocity, start, np.pi / 2, steps) - exact).max() for steps in (8, 16)]
    assert np.log2(errors[0] / errors[1]) > 2.8
    there = trace(velocity, start, 1.0, 64)
    np.testing.assert_allclose(trace(velocity, there, -1.0, 64), start, atol=1e-6)


def test_streamlines_are_circles_of_the_given_length_and_stop_at_the_rim() -> None:
    velocity = rotation(cube_grid(8))
    lines = streamlines(velocity, np.array([[0.5, 0.0, 0.0]]), np.pi, steps=40)
    assert lines.shape == (1, 41, 3)
    np.testing.assert_allclose(np.linalg.norm(lines[0], axis=1), 0.5, atol=1e-4)
    np.testing.assert_allclose(lines[0, -1], (0.5, 0, 0), atol=1e-3)
    straight = Grid(np.broadcast_to((2.0, 0.0, 0.0), (4, 4, 4, 3)).copy())
    stopped = streamlines(straight, np.array([[0.5, 1.0, 1.0]]), 10.0, steps=10)[0]
    np.testing.assert_allclose(stopped[:, 0], [0.5, 1.5, 2.5] + [2.5] * 8)
    resting = streamlines(Grid(np.zeros((4, 4, 4, 3))), np.ones((1, 3)), 5.0, steps=3)
    np.testing.assert_array_equal(resting, np.ones((1, 4, 3)))


def test_the_range_around_points_is_that_of_their_cells_corners() -> None:
    random = np.random.default_rng(4)
    grid = Grid(random.normal(size=(5, 6, 1)))
    points = random.uniform((0, 0, 0), (4, 5, 0), (100, 3))
    low, high = sample_range(grid, points)
    for point, least, greatest in zip(points, low, high, strict=True):
        i, j = int(point[0]), int(point[1])
        cell = grid.values[i : i + 2, j : j + 2]
        assert (least, greatest) == (cell.min(), cell.max())


def test_bad_arguments_are_refused_by_name() -> None:
    scalar, vector = Grid(np.zeros((4, 4, 4))), Grid(np.zeros((4, 4, 4, 3)))
    cases = [
        ("grid-shape", lambda: advect(scalar, scalar, 1.0)),
        ("grid-shape", lambda: advect(vector, vector, 1.0)),
        ("grid-mismatch", lambda: advect(scalar, Grid(np.zeros((4, 4, 5, 3))), 1.0)),
        ("not-finite", lambda: advect(scalar, Grid(np.full((4, 4, 4, 3), np.nan)), 1.0)),
        ("advection-time", lambda: advect(scalar, vector, float("inf"))),
        ("advection-time", lambda: trace(vector, np.zeros((1, 3)), 1.0, 0)),
        ("advection-scheme", lambda: advect(scalar, vector, 1.0, "upwind")),
    ]
    for code, call in cases:
        with pytest.raises(StagewrightError) as error:
            call()
        assert error.value.code == code
