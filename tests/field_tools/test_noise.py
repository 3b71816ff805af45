# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise: smooth, repeatable, and flows of it without divergence."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.grid import Grid
from stagewright.field_tools.noise import curl_noise, noise
from stagewright.field_tools.operators import divergence, gradient, normalize
from stagewright.field_tools.primitives import sampled, sphere
from stagewright.jobs.errors import StagewrightError


def lattice(n: int, dtype: type = np.float64) -> Grid:
    return Grid(np.zeros((n, n + 1, n + 2), dtype), 2 / n, (-1.0, -1.0, -1.0))


def test_noise_is_smooth_zero_on_its_lattice_and_depends_on_the_seed_alone() -> None:
    one, again, other = (noise(lattice(64), 0.25, seed=s).values for s in (3, 3, 4))
    assert np.array_equal(one, again)
    assert np.abs(one - other).max() > 0.3
    assert np.abs(one[::8, ::8, ::8]).max() < 1e-12  # Every 8th voxel is a lattice point.
    assert 0.6 < np.abs(one).max() < 1.3 and abs(one.mean()) < 0.05
    assert np.abs(np.diff(one, axis=0)).max() < 0.5
    fine = noise(lattice(64), 0.25, octaves=2, seed=3).values
    assert 0.1 < np.abs(fine - one).max() < 0.7


def test_noise_continues_where_the_next_grid_begins() -> None:
    whole = noise(lattice(32), 0.3).values
    part = Grid(np.zeros((10, 33, 34)), 2 / 32, (-1 + 12 * 2 / 32, -1.0, -1.0))
    np.testing.assert_allclose(noise(part, 0.3).values, whole[12:22], atol=1e-12)


def test_the_hash_spreads_evenly_over_the_directions() -> None:
    from stagewright.field_tools.noise import _hash

    x, y, z = np.indices((40, 40, 40)) - 20
    counts = np.bincount(_hash([x, y, z], 5).ravel(), minlength=12)
    assert counts.min() > 0.95 * 40**3 / 12
    assert counts.max() < 1.05 * 40**3 / 12


def test_curl_noise_has_no_divergence_and_is_not_still() -> None:
    flow = curl_noise(lattice(40), 0.5, octaves=2)
    inner = (slice(2, -2),) * 3
    assert np.abs(divergence(flow).values[inner]).max() < 1e-10
    assert np.linalg.norm(flow.values, axis=-1).mean() > 0.3


def test_nothing_flows_through_a_solid() -> None:
    solid = sampled(lambda p: sphere(p, 0.5), lattice(64))
    free, around = curl_noise(lattice(64), 0.4), curl_noise(lattice(64), 0.4, around=solid)
    normal = normalize(gradient(solid)).values
    near = np.abs(solid.values) < 0.02

    def through(flow: Grid) -> float:
        return float(np.abs(np.einsum("xyzi,xyzi->xyz", flow.values, normal))[near].mean())

    assert through(around) < 0.1 * through(free)
    assert np.abs(divergence(around).values[2:-2, 2:-2, 2:-2]).max() < 1e-10


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan])
def test_scales_that_are_none_are_refused(scale: float) -> None:
    for call in (noise, curl_noise):
        with pytest.raises(StagewrightError) as caught:
            call(lattice(8), scale)
        assert caught.value.code == "noise-scale"
