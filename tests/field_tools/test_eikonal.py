# SPDX-License-Identifier: GPL-3.0-or-later
"""Travel times against closed forms, and against shortest paths where there are walls."""

from __future__ import annotations

import heapq
import itertools

import numpy as np
import pytest

from stagewright.field_tools import eikonal
from stagewright.field_tools.eikonal import travel_time
from stagewright.field_tools.grid import Grid
from stagewright.jobs.errors import StagewrightError

from .shapes import cube_grid, sample, sphere


def shortest_paths(open_: np.ndarray, starts: dict[tuple[int, ...], float]) -> np.ndarray:
    """Dijkstra over 26 neighbours, in voxels: never shorter than the true way round walls."""
    times = np.full(open_.shape, np.inf)
    queue = [(time, place) for place, time in starts.items()]
    for time, place in queue:
        times[place] = time
    heapq.heapify(queue)
    while queue:
        time, place = heapq.heappop(queue)
        if time > times[place]:
            continue
        for step in itertools.product((-1, 0, 1), repeat=3):
            other = tuple(p + s for p, s in zip(place, step, strict=True))
            if all(0 <= o < n for o, n in zip(other, open_.shape, strict=True)) and open_[other]:
                later = time + float(np.linalg.norm(step))
                if later < times[other]:
                    times[other] = later
                    heapq.heappush(queue, (later, other))
    return times


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_speed_gives_distance_over_speed_on_both_sides(dtype: type) -> None:
    grid = cube_grid(48, dtype)
    field = sample(lambda x, y, z: sphere(0.4)(x - 0.1, y + 0.05, z), grid)
    result = travel_time(field, 2.0)
    assert result.dtype == dtype
    error = np.abs(result.values - np.abs(field.values) / 2) * 2 / grid.voxel_size
    outside = field.values > 0
    assert error[outside].max() < 0.1 and error[outside].mean() < 0.04
    assert error.max() < 0.5  # at the centre, where the fronts meet


def linear_speed(grid: Grid) -> tuple[Grid, Grid, np.ndarray]:
    """Source, speed and exact times around a point in a medium of linear speed."""
    slope, start = np.array((0.3, 0.4, 0.5)), np.array((-0.4, -0.3, -0.2))
    x, y, z = grid.centers()
    speed = 1.3 + slope[0] * x + slope[1] * y + slope[2] * z
    square = (x - start[0]) ** 2 + (y - start[1]) ** 2 + (z - start[2]) ** 2
    at_start = 1.3 + slope @ start
    exact = np.arccosh(1 + slope @ slope * square / (2 * at_start * speed)) / np.linalg.norm(slope)
    return grid.with_values(exact - 0.25), grid.with_values(speed), exact - 0.25


def test_linear_speed_follows_the_closed_form_and_converges() -> None:
    errors = []
    for count in (25, 49):
        grid = cube_grid(count)
        source, speed, exact = linear_speed(grid)
        outside = exact > 0
        errors.append(np.abs(travel_time(source, speed).values - exact)[outside].mean())
    assert np.log2(errors[0] / errors[1]) > 1.4
    assert errors[1] < 0.04 * (2 / 48)


def test_a_fast_layer_sends_head_waves_into_the_slow_one() -> None:
    grid = cube_grid(48)
    x, _, z = grid.centers()
    way = x + 0.9 + 0 * grid.values
    speed = np.where(z < 0, 1.0, 10.0) + 0 * grid.values
    head = way / 10 + np.abs(z) * np.sqrt(1 - 0.01)
    exact = np.where(z < 0, np.minimum(way, head), way / 10)
    times = travel_time(grid.with_values(way), grid.with_values(speed)).values
    error = np.abs(times - exact)[way > 0] / grid.voxel_size
    assert error.max() < 0.3 and error.mean() < 0.02


def test_walls_are_gone_around() -> None:
    shape = (16, 15, 6)
    speed = np.ones(shape)
    speed[5, :12], speed[10, 3:] = 0, 0
    source = np.broadcast_to(np.arange(16.0)[:, None, None] - 0.5, shape).copy()
    times = travel_time(Grid(source), Grid(speed)).values
    starts = {(0, j, k): 0.5 for j in range(15) for k in range(6)}
    starts |= {(1, j, k): 0.5 for j in range(15) for k in range(6)}
    paths = shortest_paths(speed > 0, starts)
    np.testing.assert_array_equal(np.isinf(times), np.isinf(paths))
    reached = np.isfinite(paths)
    # Ways over 26 neighbours are longer than straight ones by up to 13 %, never shorter.
    assert np.all(times[reached] < paths[reached] + 0.7)
    assert np.all(times[reached] > paths[reached] / 1.13 - 0.7)
    assert times[15, 7, 3] > 20  # 14.5 without walls


def test_what_is_walled_off_is_never_reached() -> None:
    speed = np.ones((12, 8, 8))
    speed[6] = 0
    source = np.broadcast_to(np.arange(12.0)[:, None, None] - 2.5, speed.shape).copy()
    times = travel_time(Grid(source), Grid(speed)).values
    assert np.all(np.isinf(times[6:])) and np.all(np.isfinite(times[:6]))


@pytest.mark.parametrize("seed", range(5))
def test_rough_speeds_end_and_bound_the_slope(seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(3, 16, 3))
    speed = 10.0 ** random.uniform(-1, 1, shape)
    source = random.normal(size=shape)
    times = travel_time(Grid(source, 0.5), Grid(speed, 0.5)).values
    assert np.all(np.isfinite(times)) and np.all(times >= 0)
    # A neighbour on the same side is at most one crossing later; seeds may keep 0.3 more.
    for axis in range(3):
        same = np.diff(np.sign(source), axis=axis) == 0
        late = np.diff(times, axis=axis)
        slow = np.moveaxis(0.5 / speed, axis, 0)
        bound = np.moveaxis(slow, 0, axis)
        after = np.take(bound, range(1, shape[axis]), axis)
        before = np.take(bound, range(shape[axis] - 1), axis)
        assert np.all((late <= 1.31 * after + 1e-6)[same])
        assert np.all((-late <= 1.31 * before + 1e-6)[same])


def test_the_size_of_the_groups_hardly_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = cube_grid(17)
    source, speed, _ = linear_speed(grid)
    grouped = travel_time(source, speed).values
    monkeypatch.setattr(eikonal, "GROUP", 0.01)
    one_by_one = travel_time(source, speed).values
    assert np.abs(grouped - one_by_one).max() < 0.1 * grid.voxel_size


def test_bad_inputs_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    field = sample(sphere(0.5), cube_grid(9))
    broken = field.values.copy()
    broken[1, 2, 3] = np.nan
    cases = [
        ("no-zero-level", field.with_values(np.ones((9, 9, 9))), 1.0),
        ("not-finite", field.with_values(broken), 1.0),
        ("not-finite", field, field.with_values(broken)),
        ("negative-speed", field, -1.0),
        ("negative-speed", field, float("nan")),
        ("negative-speed", field, field.with_values(field.values - 9)),
        ("grid-mismatch", field, Grid(np.ones((9, 9, 8)))),
        ("grid-shape", field, field.with_values(np.ones((9, 9, 9, 3)))),
        ("grid-too-thin", Grid(np.zeros((2, 9, 9))), 1.0),
    ]
    for code, source, speed in cases:
        with pytest.raises(StagewrightError) as error:
            travel_time(source, speed)
        assert error.value.code == code
    monkeypatch.setattr(eikonal, "_BYTES_PER_VOXEL", 10**13)
    with pytest.raises(StagewrightError) as error:
        travel_time(field)
    assert error.value.code == "out-of-memory"
