# SPDX-License-Identifier: GPL-3.0-or-later
"""Booleans against exact distances and their laws; offset, shell and morph against closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stagewright.field_tools.csg import difference, intersection, morph, offset, shell, union
from stagewright.field_tools.grid import Grid
from stagewright.jobs.errors import StagewrightError

from .shapes import cube_grid, sample, sphere


def random_pair(seed: int) -> tuple[Grid, Grid]:
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 30, 3))
    dtype = (np.float32, np.float64)[seed % 2]
    return tuple(Grid(random.normal(size=shape).astype(dtype), 0.5) for _ in range(2))


def negative(grid: Grid) -> Grid:
    return grid.with_values(-grid.values)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("radius", [0.0, 0.7])
def test_booleans_obey_their_laws(seed: int, radius: float) -> None:
    a, b = random_pair(seed)
    joined = union(a, b, radius).values
    np.testing.assert_array_equal(joined, union(b, a, radius).values)
    np.testing.assert_array_equal(joined, -intersection(negative(a), negative(b), radius).values)
    np.testing.assert_array_equal(
        difference(a, b, radius).values, intersection(a, negative(b), radius).values
    )
    assert joined.dtype == a.dtype
    inside_one = (a.values < 0) | (b.values < 0)
    if not radius:
        np.testing.assert_array_equal(joined < 0, inside_one)
        np.testing.assert_array_equal(union(a, a).values, a.values)
    else:
        assert np.all(joined[inside_one] < 0)


def test_the_union_of_apart_spheres_is_exact_outside() -> None:
    grid = cube_grid(24)
    left = sample(lambda x, y, z: sphere(0.3)(x - 0.5, y, z), grid)
    right = sample(lambda x, y, z: sphere(0.2)(x + 0.5, y, z), grid)
    points = grid.index_to_world(np.array(list(np.ndindex(24, 24, 24))))
    surface = np.random.default_rng(0).normal(size=(4000, 3))
    surface /= np.linalg.norm(surface, axis=1, keepdims=True)
    samples = np.concatenate([0.3 * surface + (0.5, 0, 0), 0.2 * surface - (0.5, 0, 0)])
    chosen = np.random.default_rng(1).choice(len(points), 300, replace=False)
    joined = union(left, right).values.ravel()[chosen]
    brute = np.linalg.norm(points[chosen, None] - samples, axis=2).min(axis=1)
    np.testing.assert_allclose(np.abs(joined), brute, atol=0.01)


def test_the_smooth_union_is_local_deepest_on_the_seam_and_without_a_kink() -> None:
    line = np.linspace(-1, 1, 2001)
    a = Grid(np.broadcast_to(line[:, None, None], (2001, 1, 1)).copy())
    b = Grid(-a.values)
    soft = union(a, b, 0.4).values[:, 0, 0]
    hard = union(a, b).values[:, 0, 0]
    apart = np.abs(2 * line) >= 0.4
    np.testing.assert_array_equal(soft[apart], hard[apart])
    assert soft[1000] == pytest.approx(-0.1)
    assert np.all(soft <= hard) and (hard - soft).max() == pytest.approx(0.1)
    slope = np.diff(soft) / np.diff(line)
    assert np.abs(np.diff(slope)).max() < 0.02  # the hard union's jumps by 2


def test_offset_shell_and_morph_of_spheres_are_spheres() -> None:
    grid = cube_grid(20)
    ball = sample(sphere(0.5), grid)
    np.testing.assert_allclose(offset(ball, 0.2).values, sample(sphere(0.7), grid).values)
    np.testing.assert_allclose(offset(ball, -0.2).values, sample(sphere(0.3), grid).values)
    wall = shell(ball, 0.2).values
    hollow = difference(sample(sphere(0.6), grid), sample(sphere(0.4), grid)).values
    np.testing.assert_allclose(wall, hollow, atol=1e-12)
    between = morph(ball, sample(sphere(0.9), grid), 0.25).values
    np.testing.assert_allclose(between, sample(sphere(0.6), grid).values)


def test_out_buffers_receive_the_answer() -> None:
    a, b = (sample(sphere(radius), cube_grid(9)) for radius in (0.5, 0.7))
    for order in ("C", "F"):
        out = np.empty(a.shape, order=order)
        assert union(a, b, 0.1, out=out).values is out
        np.testing.assert_array_equal(out, union(a, b, 0.1).values)


def test_bad_arguments_are_refused_by_name() -> None:
    a = sample(sphere(0.5), cube_grid(5))
    shifted = Grid(a.values, a.voxel_size, (0.0, 0.0, 0.0))
    cases: list[tuple[str, Callable[[], object]]] = [
        ("grid-mismatch", lambda: union(a, shifted)),
        ("grid-shape", lambda: union(a, a.with_values(np.zeros((5, 5, 5, 3))))),
        ("blend-radius", lambda: union(a, a, -1.0)),
        ("blend-radius", lambda: difference(a, a, float("nan"))),
        ("shell-thickness", lambda: shell(a, 0.0)),
        ("offset-distance", lambda: offset(a, float("inf"))),
        ("morph-amount", lambda: morph(a, a, float("nan"))),
        ("out-buffer", lambda: union(a, a, out=a.values)),
    ]
    for code, call in cases:
        with pytest.raises(StagewrightError) as error:
            call()
        assert error.value.code == code
