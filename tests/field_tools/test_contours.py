# SPDX-License-Identifier: GPL-3.0-or-later
"""Slices and lines of fields."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.advect import streamlines
from stagewright.field_tools.contours import (
    curve_offsets,
    iso_lines,
    polylines,
    sample_along,
    slice_iso_lines,
    slice_values,
)
from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.primitives import sampled, sphere
from stagewright.jobs.errors import StagewrightError

LATTICE = grid_over((-1,) * 3, (1, 1.2, 1.4), 0.05)
BALL = sampled(lambda p: sphere(p, 0.7), LATTICE)


@pytest.mark.parametrize("axis", range(3))
def test_a_slice_through_a_ball_has_one_circle_the_right_way_round(axis: int) -> None:
    (line,) = slice_iso_lines(BALL, axis, 0.31)
    assert np.array_equal(line[0], line[-1])
    assert np.all(line[:, axis] == 0.31)
    assert np.abs(np.linalg.norm(line, axis=1) - 0.7).max() < 0.03 * 0.05
    a, b = (line[:, k] for k in range(3) if k != axis)
    area = 0.5 * float((a[:-1] * b[1:] - a[1:] * b[:-1]).sum())
    assert np.isclose(area, np.pi * (0.7**2 - 0.31**2), rtol=0.01)  # Inside lies left.


def test_lines_end_at_the_border_and_vertices_lie_on_the_level() -> None:
    field = np.add.outer(np.arange(6.0), np.arange(5.0))
    (line,) = iso_lines(field, 3.3, 0.5, (1.0, 2.0))
    local = (line - [1, 2]) / 0.5
    np.testing.assert_allclose(local.sum(axis=1), 3.3)
    assert {0.0} <= {float(local[0].min()), float(local[-1].min())}
    assert not np.array_equal(line[0], line[-1])


def test_every_crossing_of_random_values_lies_on_one_line() -> None:
    field = np.random.default_rng(1).normal(size=(30, 40))
    lines = iso_lines(field, 0.1)
    inside = field < 0.1
    crossed = (inside[1:] != inside[:-1]).sum() + (inside[:, 1:] != inside[:, :-1]).sum()
    points = sum(len(line) - np.array_equal(line[0], line[-1]) for line in lines)
    assert points == crossed
    for line in lines:
        assert np.abs(np.diff(line, axis=0)).max() <= 1
        if not np.array_equal(line[0], line[-1]):
            for end in (line[0], line[-1]):
                assert np.any(end == 0) or end[0] == 29 or end[1] == 39


def test_a_saddle_follows_the_mean() -> None:
    apart = iso_lines(np.array([[-1.0, 2.0], [2.0, -1.0]]))
    together = iso_lines(np.array([[-2.0, 1.0], [1.0, -2.0]]))
    assert len(apart) == len(together) == 2
    # Apart, each line cuts off an inside corner at (0, 0) or (1, 1); together, an outside one.
    assert {tuple(np.rint(line.mean(axis=0))) for line in apart} == {(0, 0), (1, 1)}
    assert {tuple(np.rint(line.mean(axis=0))) for line in together} == {(0, 1), (1, 0)}


def test_slices_are_linear_between_planes_and_hold_at_the_rim() -> None:
    values = np.random.default_rng(2).normal(size=(4, 5, 6))
    grid = Grid(values, 0.5, (1.0, 1.0, 1.0))
    np.testing.assert_allclose(
        slice_values(grid, 1, 1.0 + 0.5 * 2.25), 0.75 * values[:, 2] + 0.25 * values[:, 3]
    )
    assert np.array_equal(slice_values(grid, 0, 99.0), values[-1])
    assert np.array_equal(slice_values(grid, 2, -99.0), values[..., 0])


def test_streamlines_lose_their_dead_ends_and_take_colours() -> None:
    still = np.zeros((*LATTICE.shape, 3), np.float32)
    still[..., 0] = 1.0
    lines = streamlines(LATTICE.with_values(still), np.array([[0.9, 0, 0], [-0.5, 0, 0]]), 0.5, 10)
    short, whole = polylines(lines)
    assert len(short) == 3 and len(whole) == 11
    assert polylines(np.zeros((2, 5, 3))) == []
    assert curve_offsets([short, whole]).tolist() == [0, 3, 14]
    colours = sample_along(BALL, [short, whole])
    np.testing.assert_allclose(colours[1], np.abs(whole[:, 0]) - 0.7, atol=0.03)
    assert sample_along(BALL, []) == []


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: slice_values(BALL, 3, 0.0), "bad-slice"),
        (lambda: slice_values(BALL, 0, np.nan), "bad-slice"),
        (lambda: iso_lines(np.zeros((3, 3, 3))), "image-shape"),
        (lambda: iso_lines(np.zeros((1, 3))), "image-shape"),
        (lambda: iso_lines(np.full((3, 3), np.nan)), "not-finite"),
    ],
)
def test_what_has_no_lines_is_refused_by_name(call, code: str) -> None:  # noqa: ANN001
    with pytest.raises(StagewrightError) as caught:
        call()
    assert caught.value.code == code
