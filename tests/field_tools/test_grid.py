# SPDX-License-Identifier: GPL-3.0-or-later
"""The grid's convention, and everything it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.grid import (
    Grid,
    grid_over,
    require_finite,
    require_same_lattice,
    require_scalar,
    require_vector,
)
from stagewright.jobs.errors import StagewrightError


def test_samples_lie_at_index_coordinates() -> None:
    grid = Grid(np.zeros((3, 4, 5), np.float32), 0.5, (1.0, 2.0, 3.0))
    np.testing.assert_array_equal(grid.index_to_world((0, 0, 0)), (1, 2, 3))
    np.testing.assert_array_equal(grid.index_to_world([(2, 3, 4)]), [(2, 3.5, 5)])
    x, y, z = grid.centers()
    corner = (x[-1, 0, 0], y[0, -1, 0], z[0, 0, -1])
    np.testing.assert_array_equal(corner, grid.index_to_world((2, 3, 4)))


def test_index_and_world_are_inverse() -> None:
    grid = Grid(np.zeros((3, 4, 5)), 0.37, (-1.2, 0.4, 9.0))
    points = np.random.default_rng(1).normal(size=(50, 3))
    np.testing.assert_allclose(grid.index_to_world(grid.world_to_index(points)), points, atol=1e-13)


def test_grid_over_covers_the_box_and_lies_on_multiples_of_the_voxel_size() -> None:
    grid = grid_over((-1.03, 0.2, 0.0), (1.0, 0.71, 0.0), 0.1, padding=2, fill=4.0)
    first = np.asarray(grid.origin)
    last = grid.index_to_world(np.asarray(grid.shape) - 1)
    np.testing.assert_allclose(first / 0.1, np.round(first / 0.1), atol=1e-9)
    assert np.all(first <= np.array((-1.03, 0.2, 0.0)) - 0.2 + 1e-9)
    assert np.all(last >= np.array((1.0, 0.71, 0.0)) + 0.2 - 1e-9)
    assert np.all(grid.values == 4)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((np.zeros((2, 2, 2), np.int32),), "grid-dtype"),
        ((np.zeros((2, 2, 2), np.float16),), "grid-dtype"),
        (([[[1.0]]],), "grid-dtype"),
        ((np.zeros((2, 2)),), "grid-shape"),
        ((np.zeros((2, 2, 2, 2)),), "grid-shape"),
        ((np.zeros((2, 0, 2)),), "grid-empty"),
        ((np.zeros((2, 2, 2)), 0.0), "voxel-size"),
        ((np.zeros((2, 2, 2)), np.nan), "voxel-size"),
        ((np.zeros((2, 2, 2)), (1.0, 1.0)), "voxel-size"),
        ((np.zeros((2, 2, 2)), (1.0, 1.0, 2.0)), "anisotropic-voxels"),
        ((np.zeros((2, 2, 2)), 1.0, (0.0, np.inf, 0.0)), "grid-origin"),
        ((np.zeros((2, 2, 2)), 1.0, (0.0, 0.0)), "grid-origin"),
    ],
)
def test_a_bad_grid_is_refused_by_name(arguments: tuple[object, ...], code: str) -> None:
    with pytest.raises(StagewrightError) as error:
        Grid(*arguments)  # type: ignore[arg-type]
    assert error.value.code == code
    assert error.value.cure


def test_an_absurd_resolution_is_refused_with_its_estimate_before_allocation() -> None:
    with pytest.raises(StagewrightError) as error:
        grid_over((0, 0, 0), (1, 1, 1), 1e-6)
    assert error.value.code == "out-of-memory"
    assert error.value.details["needed"] == 1000001**3 * 4


def test_an_empty_box_is_refused() -> None:
    with pytest.raises(StagewrightError) as error:
        grid_over((0, 1, 0), (1, 0, 1), 0.1)
    assert error.value.code == "grid-origin"


def test_mismatched_lattices_are_refused_by_what_differs() -> None:
    grid = Grid(np.zeros((2, 2, 2)))
    for other, word in (
        (Grid(np.zeros((2, 2, 3))), "2 x 2 x 3"),
        (Grid(np.zeros((2, 2, 2)), 2.0), "voxel sizes"),
        (Grid(np.zeros((2, 2, 2)), 1.0, (0.5, 0.0, 0.0)), "origins"),
    ):
        with pytest.raises(StagewrightError, match=word):
            require_same_lattice(grid, grid, other)
    require_same_lattice(grid, Grid(np.ones((2, 2, 2), np.float32)))


def test_scalar_vector_and_finite_are_told_apart() -> None:
    scalar, vector = Grid(np.zeros((2, 2, 2))), Grid(np.zeros((2, 2, 2, 3)))
    require_scalar(scalar)
    require_vector(vector)
    with pytest.raises(StagewrightError):
        require_scalar(vector)
    with pytest.raises(StagewrightError):
        require_vector(scalar)
    values = np.zeros((2, 3, 4))
    require_finite(values)
    values[1, 2, 3] = np.nan
    with pytest.raises(StagewrightError, match=r"\(1, 2, 3\)"):
        require_finite(values)
    values[0, 0, 1] = -np.inf
    with pytest.raises(StagewrightError, match=r"2 values.*\(0, 0, 1\)"):
        require_finite(values)
