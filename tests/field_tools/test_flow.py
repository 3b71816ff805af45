# SPDX-License-Identifier: GPL-3.0-or-later
"""Path lines, vorticity confinement and resampling."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.flow import confinement, path_lines
from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.primitives import rotation_about
from stagewright.field_tools.resample import resample, resample_to
from stagewright.jobs.errors import StagewrightError

from . import shapes


def turning(rate: float) -> Grid:
    grid = shapes.cube_grid(21)
    x, y, z = np.broadcast_arrays(*grid.centers())
    return grid.with_values(np.stack([-rate * y, rate * x, 0 * z], axis=-1))


def test_paths_through_a_spinning_up_flow_converge_with_third_order() -> None:
    # The rate grows as t, so the angle is t²/2.
    times = np.linspace(0, 2, 5)
    flows = [turning(t) for t in times]
    seeds = np.array([[0.5, 0, 0.1], [0, -0.4, 0]])
    errors = []
    for steps in (2, 4, 8):
        lines = path_lines(flows, times, seeds, steps)
        assert lines.shape == (2, 5, 3)
        angle = times**2 / 2
        truth = np.stack([0.5 * np.cos(angle), 0.5 * np.sin(angle), np.full(5, 0.1)], axis=1)
        errors.append(np.abs(lines[0] - truth).max())
    assert errors[1] < errors[0] / 6
    assert errors[2] < errors[1] / 6


def test_confinement_pulls_a_vortex_round_and_vanishes_in_rigid_motion() -> None:
    grid = shapes.cube_grid(41)
    x, y, z = np.broadcast_arrays(*grid.centers())
    spin = np.exp(-(x * x + y * y) / 0.05)
    flow = grid.with_values(np.stack([-y * spin, x * spin, 0 * z], axis=-1))
    force = confinement(flow, 0.5).values
    ring = (np.abs(np.hypot(x, y) - 0.2) < 0.05) & (np.abs(z) < 0.5)
    along = (force[..., 0] * -y + force[..., 1] * x)[ring]
    assert np.all(along > 0)
    assert np.abs(confinement(turning(1.0)).values).max() < 1e-10
    np.testing.assert_allclose(confinement(flow, 1.0).values, 2 * force)


def linear(grid: Grid) -> Grid:
    x, y, z = np.broadcast_arrays(*grid.centers())
    return grid.with_values(2 * x - y + 3 * z + 1)


def test_linear_fields_survive_resampling() -> None:
    grid = linear(grid_over((-1,) * 3, (1,) * 3, 0.1, dtype=np.float64))
    for size in (0.07, 0.23):
        other = resample_to(grid, size)
        inner = other.with_values(other.values)
        x, y, z = np.broadcast_arrays(*other.centers())
        within = np.maximum(np.maximum(np.abs(x), np.abs(y)), np.abs(z)) <= 1
        truth = 2 * x - y + 3 * z + 1
        np.testing.assert_allclose(inner.values[within], truth[within], atol=1e-9)


def test_a_turned_and_scaled_field_lies_where_its_matrix_puts_it() -> None:
    grid = grid_over((-1,) * 3, (1,) * 3, 0.05, dtype=np.float64)
    x, y, z = np.broadcast_arrays(*grid.centers())
    field = grid.with_values(np.sin(2 * x) * np.cos(y) + z)
    matrix = np.eye(4)
    matrix[:3, :3] = 1.5 * rotation_about((1, 2, 3), 0.5)
    matrix[:3, 3] = (0.3, -0.2, 0.4)
    other = grid_over((-2,) * 3, (2,) * 3, 0.1, dtype=np.float64)
    got = resample(field, other, "cubic", matrix, outside=7.0)
    points = np.stack(np.broadcast_arrays(*other.centers()), axis=-1)
    local = (points - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T
    inner = np.all(np.abs(local) < 0.9, axis=-1)
    truth = np.sin(2 * local[..., 0]) * np.cos(local[..., 1]) + local[..., 2]
    np.testing.assert_allclose(got.values[inner], truth[inner], atol=2e-4)
    beyond = np.any(np.abs(local) > 1.03, axis=-1)
    assert np.all(got.values[beyond] == 7.0)


def test_vectors_are_resampled_by_component() -> None:
    flow = turning(1.0)
    got = resample(flow, grid_over((-0.5,) * 3, (0.5,) * 3, 0.125))
    assert got.is_vector
    x, y, _ = np.broadcast_arrays(*got.centers())
    np.testing.assert_allclose(got.values[..., 0], -y, atol=1e-6)
    np.testing.assert_allclose(got.values[..., 1], x, atol=1e-6)


def test_flows_and_transforms_that_are_none_are_refused() -> None:
    flow, seeds = turning(1.0), np.zeros((1, 3))
    flat = np.diag([1.0, 1.0, 0.0, 1.0])
    cases = [
        (lambda: path_lines([flow], [0.0], seeds), "advection-time"),
        (lambda: path_lines([flow, flow], [1.0, 1.0], seeds), "advection-time"),
        (lambda: path_lines([flow, flow], [0.0, np.nan], seeds), "advection-time"),
        (lambda: path_lines([flow, linear(shapes.cube_grid(21))], [0, 1], seeds), "grid-shape"),
        (lambda: path_lines([flow, flow], [0, 1], np.zeros((1, 2))), "points-shape"),
        (lambda: resample(flow, flow, transform=flat), "bad-transform"),
        (lambda: resample(flow, flow, transform=np.eye(3)), "bad-transform"),
        (lambda: resample_to(flow, 1e-4), "out-of-memory"),
        (lambda: confinement(linear(shapes.cube_grid(9))), "grid-shape"),
    ]
    for call, code in cases:
        with pytest.raises(StagewrightError) as caught:
            call()
        assert caught.value.code == code
