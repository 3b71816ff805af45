# SPDX-License-Identifier: GPL-3.0-or-later
"""Level sets that move, against exact motions."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.grid import Grid
from stagewright.field_tools.level_set import advect_along_normal, advect_level_set, extend, weno5
from stagewright.jobs.errors import StagewrightError

from . import shapes


def ball(n: int, radius: float, center: tuple[float, float, float] = (0, 0, 0)) -> Grid:
    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        a, b, c = center
        return np.sqrt((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) - radius

    return shapes.sample(distance, shapes.cube_grid(n))


def turning(n: int) -> Grid:
    grid = shapes.cube_grid(n)
    x, y, z = np.broadcast_arrays(*grid.centers())
    return grid.with_values(np.stack([-y, x, 0 * z], axis=-1))


def error(result: Grid, truth: Grid) -> float:
    near = np.abs(truth.values) < 1.5 * truth.voxel_size
    return float(np.abs(result.values - truth.values)[near].max() / truth.voxel_size)


def test_weno_is_of_fifth_order_and_of_one_side_at_a_jump() -> None:
    errors = []
    for n in (20, 40):
        h = 2 / n
        x = np.linspace(-1, 1, n + 1)
        steps = [(np.sin(x + (k + 1) * h) - np.sin(x + k * h)) / h for k in range(-3, 2)]
        errors.append(np.abs(weno5(steps) - np.cos(x)).max())
    assert errors[1] < errors[0] / 20
    kink = [np.array([v]) for v in (1.0, 1.0, 1.0, -1.0, -1.0)]
    assert abs(weno5(kink)[0] - 1) < 1e-3


@pytest.mark.parametrize("n", [25, 33])
def test_a_sphere_off_the_axis_comes_back_after_a_whole_turn(n: int) -> None:
    start = ball(n, 0.3, (0.45, 0.0, 0.05))
    result = advect_level_set(start, turning(n), 2 * np.pi)
    assert error(result, start) < {25: 0.12, 33: 0.1}[n]


def test_a_flow_that_changes_with_time_is_followed() -> None:
    still = shapes.cube_grid(41)
    along = np.zeros((*still.shape, 3))

    def flow(at: float) -> Grid:
        along[..., 0] = 2 * at  # x = t²
        return still.with_values(along)

    result = advect_level_set(ball(41, 0.3, (-0.3, 0, 0)), flow, 0.7)
    assert error(result, ball(41, 0.3, (-0.3 + 0.49, 0, 0))) < 0.25


@pytest.mark.parametrize(("speed", "radius"), [(1.0, 0.7), (-1.0, 0.3)])
def test_a_sphere_grows_and_shrinks_along_its_normal(speed: float, radius: float) -> None:
    result = advect_along_normal(ball(49, 0.5), speed, 0.2)
    assert error(result, ball(49, radius)) < 0.03


def test_a_speed_field_moves_each_side_by_its_own() -> None:
    grid = ball(49, 0.5)
    x, _, _ = np.broadcast_arrays(*grid.centers())
    result = advect_along_normal(grid, grid.with_values(np.where(x > 0, 0.5, 0.0)), 0.4)
    middle = result.values[:, 24, 24]
    right = np.interp(0.0, middle[24:], result.centers()[0][24:, 0, 0])
    left = np.interp(0.0, middle[24::-1], -result.centers()[0][24::-1, 0, 0])
    assert abs(right - 0.7) < 0.02 * grid.voxel_size + 1e-3
    assert abs(left - 0.5) < 0.1 * grid.voxel_size


def test_a_sphere_that_leaves_the_grid_leaves_nothing_behind() -> None:
    grid = ball(33, 0.3, (0.6, 0, 0))
    along = np.zeros((*grid.shape, 3))
    along[..., 0] = 1.0
    result = advect_level_set(grid, grid.with_values(along), 0.4)
    assert error(result, ball(33, 0.3, (1.0, 0, 0))) < 0.3
    with pytest.raises(StagewrightError) as caught:
        advect_level_set(grid, grid.with_values(along), 2.0)
    assert caught.value.code == "no-zero-level"


def test_no_time_and_no_motion_change_no_distance() -> None:
    grid = ball(33, 0.5)
    for result in (
        advect_level_set(grid, turning(33), 0.0),
        advect_along_normal(grid, 0.0, 1.0),
    ):
        assert error(result, grid) < 0.01


def test_extension_is_constant_along_normals_and_exact_on_the_surface() -> None:
    errors = []
    for n in (33, 65):
        grid = ball(n, 0.5)
        x, y, z = np.broadcast_arrays(*grid.centers())
        speed = grid.with_values(np.sin(3 * x) + y * z)
        result = extend(speed, grid)
        length = np.maximum(np.sqrt(x * x + y * y + z * z), 1e-9)
        foot = [0.5 * part / length for part in (x, y, z)]
        truth = np.sin(3 * foot[0]) + foot[1] * foot[2]
        near = np.abs(grid.values) < 2.9 * grid.voxel_size
        errors.append(np.abs(result.values - truth)[near].max())
        assert np.array_equal(result.values[~near & (grid.values > 0.3)],
                              speed.values[~near & (grid.values > 0.3)])  # fmt: skip
    assert errors[0] < 6e-3
    assert errors[1] < 0.3 * errors[0]


def test_vectors_are_extended_too() -> None:
    grid = ball(33, 0.5)
    result = extend(turning(33), grid)
    assert result.is_vector
    near = np.abs(grid.values) < 2 * grid.voxel_size
    lengths = np.linalg.norm(result.values, axis=-1)
    assert lengths[near].max() < 0.51


def test_motions_that_make_no_sense_are_refused_by_name() -> None:
    grid = ball(17, 0.5)
    other = Grid(np.zeros((17, 17, 18, 3)), grid.voxel_size, grid.origin)
    cases = [
        (lambda: advect_level_set(grid, turning(17), -1.0), "advection-time"),
        (lambda: advect_level_set(grid, other, 1.0), "grid-mismatch"),
        (lambda: advect_level_set(grid, grid, 1.0), "grid-shape"),
        (lambda: advect_along_normal(grid, turning(17), 1.0), "grid-shape"),
        (lambda: extend(other, grid), "grid-mismatch"),
        (lambda: advect_level_set(grid.with_values(np.ones(grid.shape)), turning(17), 1.0),
         "no-zero-level"),
    ]  # fmt: skip
    for call, code in cases:
        with pytest.raises(StagewrightError) as caught:
            call()
        assert caught.value.code == code
