# SPDX-License-Identifier: GPL-3.0-or-later
"""Staggered grids and the projection on them."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.grid import Grid
from stagewright.field_tools.projection import project
from stagewright.field_tools.staggered import StaggeredGrid, staggered
from stagewright.jobs.errors import StagewrightError

SHAPE = (13, 10, 16)


def random_flow(dtype: type = np.float64, seed: int = 1) -> StaggeredGrid:
    random = np.random.default_rng(seed)
    nx, ny, nz = SHAPE
    shapes = ((nx + 1, ny, nz), (nx, ny + 1, nz), (nx, ny, nz + 1))
    return StaggeredGrid(*(random.normal(size=s).astype(dtype) for s in shapes), 0.1, (1, 2, 3))


def test_a_linear_velocity_survives_the_way_to_the_faces_and_back() -> None:
    x, y, z = Grid(np.zeros(SHAPE), 0.1, (1, 2, 3)).centers()
    values = np.stack(np.broadcast_arrays(2 * x - y, 3 * y + z, x - 4 * z), axis=-1)
    flow = staggered(Grid(values, 0.1, (1, 2, 3)))
    inner = (slice(1, -1),) * 3
    np.testing.assert_allclose(flow.to_centers().values[inner], values[inner], atol=1e-12)
    np.testing.assert_allclose(flow.divergence().values[inner], 2 + 3 - 4, atol=1e-12)
    points = np.random.default_rng(2).uniform((1.2, 2.2, 3.2), (2.0, 2.7, 4.2), (50, 3))
    px, py, pz = points.T
    truth = np.stack([2 * px - py, 3 * py + pz, px - 4 * pz], axis=1)
    np.testing.assert_allclose(flow.sample(points), truth, atol=1e-12)


@pytest.mark.parametrize("walls", ["closed", "open"])
@pytest.mark.parametrize(("dtype", "rest"), [(np.float64, 1e-11), (np.float32, 1e-4)])
def test_what_is_left_has_no_divergence(walls, dtype: type, rest: float) -> None:  # noqa: ANN001
    flow, potential = project(random_flow(dtype), walls)
    assert np.abs(flow.divergence().values).max() < rest
    assert flow.x.dtype == dtype and potential.dtype == dtype
    if walls == "closed":
        for axis, part in enumerate(flow.components):
            assert np.all(np.moveaxis(part, axis, 0)[[0, -1]] == 0)
        assert abs(potential.values.mean()) < 1e-6


@pytest.mark.parametrize("walls", ["closed", "open"])
def test_the_parts_are_orthogonal_and_projecting_again_changes_nothing(walls) -> None:  # noqa: ANN001
    given = random_flow()
    if walls == "closed":
        for axis, part in enumerate(given.components):
            np.moveaxis(part, axis, 0)[[0, -1]] = 0
    flow, _ = project(given, walls)
    again, potential = project(flow, walls)
    # Faces on the domain's rim count half: half of their cell lies outside.
    product = 0.0
    for axis, (one, other, twice) in enumerate(
        zip(given.components, flow.components, again.components, strict=True)
    ):
        np.testing.assert_allclose(other, twice, atol=1e-12)
        weight = np.ones(one.shape)
        np.moveaxis(weight, axis, 0)[[0, -1]] = 0.5
        product += float((weight * (one - other) * other).sum())
    assert abs(product) < 1e-10
    assert np.abs(potential.values).max() < 1e-12


def test_the_potential_is_that_of_the_manufactured_solution() -> None:
    errors = []
    for n in (16, 32):
        h = 1 / n
        at = (np.arange(n) + 0.5) * h
        face = np.arange(n + 1) * h
        cos, sin = np.cos(np.pi * at), np.sin(np.pi * face)
        # The gradient of cos(pi x) cos(pi y) cos(pi z) alone: nothing is left.
        x = -np.pi * sin[:, None, None] * cos[None, :, None] * cos[None, None, :]
        parts = (x, x.transpose(1, 0, 2).copy(), x.transpose(1, 2, 0).copy())
        flow, potential = project(StaggeredGrid(*parts, h, (h / 2,) * 3))
        truth = cos[:, None, None] * cos[None, :, None] * cos[None, None, :]
        errors.append(np.abs(potential.values - truth).max())
        assert max(np.abs(part).max() for part in flow.components) < 1e-9
    assert errors[1] < 0.3 * errors[0]


def test_components_that_do_not_fit_are_refused() -> None:
    with pytest.raises(StagewrightError) as caught:
        StaggeredGrid(np.zeros((4, 4, 4)), np.zeros((4, 5, 4)), np.zeros((4, 4, 5)))
    assert caught.value.code == "grid-mismatch"
    with pytest.raises(StagewrightError) as caught:
        project(random_flow(), "leaky")  # type: ignore[arg-type]
    assert caught.value.code == "projection-walls"
    broken = random_flow()
    broken.x[2, 2, 2] = np.nan
    with pytest.raises(StagewrightError) as caught:
        project(broken)
    assert caught.value.code == "not-finite"
