# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as fields of two dimensions, and operators in their plane."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.diffuse import diffuse
from stagewright.field_tools.grid import Grid
from stagewright.field_tools.kernels import KERNELS
from stagewright.field_tools.pictures import grid_of_picture, in_plane, is_flat, picture_of_grid
from stagewright.field_tools.renormalize import renormalize
from stagewright.jobs.errors import StagewrightError


@pytest.mark.parametrize("shape", [(5, 8), (5, 8, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_picture_comes_back(shape: tuple[int, ...], dtype: type) -> None:
    pixels = np.random.default_rng(1).normal(size=shape).astype(dtype)
    grid = grid_of_picture(pixels, 0.5)
    assert grid.shape == (8, 5, 1) and is_flat(grid)
    # The pixel at the lower left has its centre half a pixel from the origin.
    assert grid.index_to_world((0, 0, 0)).tolist() == [0.25, 0.25, 0]
    assert np.array_equal(grid.values[0, 0, 0], pixels[-1, 0])
    back = picture_of_grid(grid)
    assert back.dtype == dtype and np.array_equal(back, pixels)


def plane(function: object) -> tuple[Grid, np.ndarray, np.ndarray]:
    """A function of x and y on 40 x 30 pixels of 0.1."""
    blank = grid_of_picture(np.zeros((30, 40)), 0.1)
    x, y, _ = blank.centers()
    values = np.broadcast_to(function(x, y), blank.shape)  # type: ignore[operator]
    return blank.with_values(np.ascontiguousarray(values)), x, y


def test_operators_are_those_of_two_dimensions() -> None:
    field, x, y = plane(lambda x, y: x**2 + 3 * x * y)
    slope = in_plane(field, KERNELS["gradient"].function).values
    np.testing.assert_allclose(slope[..., 0], 2 * x + 3 * y, atol=1e-9)
    np.testing.assert_allclose(slope[..., 1], 3 * x + 0 * y, atol=1e-9)
    assert (slope[..., 2] == 0).all()
    bend = in_plane(field, KERNELS["laplacian"].function).values
    np.testing.assert_allclose(bend, 2, atol=1e-7)


def test_a_discs_rim_has_half_of_its_curvature() -> None:
    disc, _, _ = plane(lambda x, y: np.hypot(x - 2, y - 1.5) - 1)
    bend = in_plane(disc, KERNELS["mean-curvature"].function).values
    rim = np.abs(disc.values) < 0.05
    assert np.abs(bend[rim] - 0.5).max() < 0.03


def test_a_mask_becomes_distances_to_its_outline() -> None:
    disc, _, _ = plane(lambda x, y: np.hypot(x - 2, y - 1.5) - 1)
    steep = disc.with_values(disc.values**3 + disc.values / 3)
    again = in_plane(steep, renormalize)
    near = np.abs(disc.values) < 0.2
    assert np.abs(again.values - disc.values)[near].max() < 0.01


def test_heat_flows_within_the_picture_alone() -> None:
    spot, x, y = plane(lambda x, y: np.exp(-((x - 2) ** 2 + (y - 1.5) ** 2) / 0.1))
    soft = diffuse(spot, 0.05, steps=64)
    assert soft.values.sum() == pytest.approx(spot.values.sum())
    # A Gaussian of variance 0.05 spreads to one of 0.15, in two dimensions.
    exact = np.exp(-((x - 2) ** 2 + (y - 1.5) ** 2) / 0.3) / 3
    assert np.abs(soft.values - exact).max() < 0.01


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(StagewrightError, match="rows, columns"):
        grid_of_picture(np.zeros((4, 4, 2)))
    with pytest.raises(StagewrightError, match="no picture"):
        picture_of_grid(Grid(np.zeros((4, 4, 2))))
