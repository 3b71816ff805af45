# SPDX-License-Identifier: GPL-3.0-or-later
"""Tubes around curves against dense sampling and exact solids."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools import primitives
from stagewright.field_tools.band import NarrowBand
from stagewright.field_tools.curves_sdf import curves_to_sdf
from stagewright.jobs.errors import StagewrightError


def world(band: NarrowBand) -> np.ndarray:
    return band.indices * band.voxel_size + np.array(band.origin)


def spheres_along(at: np.ndarray, points: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """The union of many spheres along the segments."""
    t = np.linspace(0, 1, 2001)[:, None]
    best = np.full(len(at), np.inf)
    for a, b, ra, rb in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True):
        centers, sizes = a + t * (b - a), ra + t[:, 0] * (rb - ra)
        away = np.linalg.norm(at[:, None] - centers[None, ::4], axis=2) - sizes[None, ::4]
        best = np.minimum(best, away.min(axis=1))
    return best


def test_one_segment_is_a_capsule() -> None:
    start, end = np.array([0.1, 0.2, 0.3]), np.array([0.9, -0.4, 0.6])
    band = curves_to_sdf(np.stack([start, end]), 0.15, 0.04)
    truth = primitives.capsule(world(band), start, end, 0.15)
    assert np.abs(band.distances - truth).max() < 1e-5
    lattice = band.to_grid()
    everywhere = primitives.sampled(
        lambda p: np.clip(primitives.capsule(p, start, end, 0.15), -0.12, 0.12), lattice
    )
    assert np.abs(lattice.values - everywhere.values).max() < 1e-5


def test_tapering_curves_are_the_union_of_the_spheres_along_them() -> None:
    random = np.random.default_rng(1)
    points, radii = random.uniform(-1, 1, (6, 3)), random.uniform(0.05, 0.3, 6)
    band = curves_to_sdf(points, radii, 0.06)
    chosen = random.choice(len(band.keys), 1500, replace=False)
    outside = chosen[band.distances[chosen] > 0]
    truth = spheres_along(world(band)[outside], points, radii)
    assert np.abs(band.distances[outside] - truth).max() < 2e-4
    inside = chosen[band.distances[chosen] < 0]
    assert np.all(spheres_along(world(band)[inside], points, radii) < 1e-4)


def test_a_sphere_that_holds_the_other_end_is_a_sphere() -> None:
    points = np.array([[0.0, 0, 0], [0.1, 0, 0]])
    band = curves_to_sdf(points, [0.5, 0.2], 0.05)
    assert np.abs(band.distances - primitives.sphere(world(band), 0.5)).max() < 1e-5


def test_offsets_part_curves_and_cyclic_ones_close() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 2], [1, 0, 2], [3, 3, 3]])
    band = curves_to_sdf(points, 0.1, 0.05, offsets=[0, 3, 5, 6], cyclic=True)
    at = world(band)
    segments = [(0, 1), (1, 2), (2, 0), (3, 4)]
    truth = np.minimum.reduce(
        [primitives.capsule(at, points[a], points[b], 0.1) for a, b in segments]
        + [primitives.sphere(at, 0.1, points[5])]
    )
    assert np.abs(band.distances - truth).max() < 1e-5


@pytest.mark.parametrize(
    ("points", "options", "code"),
    [
        (np.zeros((0, 3)), {}, "points-empty"),
        (np.zeros((3, 2)), {}, "points-shape"),
        (np.full((2, 3), np.inf), {}, "not-finite"),
        (np.zeros((2, 3)), {"radius": -1.0}, "bad-size"),
        (np.zeros((2, 3)), {"offsets": [0, 1]}, "curve-offsets"),
        (np.zeros((2, 3)), {"offsets": [0, 2, 2]}, "curve-offsets"),
        (np.array([[0, 0, 0], [1, 1, 1]]), {"voxel_size": 1e-5}, "out-of-memory"),
        (np.zeros((2, 3)), {"half_width": 0.1}, "half-width"),
    ],
)
def test_bad_curves_are_refused_by_name(points, options, code) -> None:  # noqa: ANN001
    with pytest.raises(StagewrightError) as caught:
        curves_to_sdf(points, **{"radius": 0.1, "voxel_size": 0.1, **options})
    assert caught.value.code == code
