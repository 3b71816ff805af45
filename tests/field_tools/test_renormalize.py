# SPDX-License-Identifier: GPL-3.0-or-later
"""RenormalizeSDF against exact distances, from smooth and wild distortions and from masks."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools import primitives
from stagewright.field_tools import renormalize as module
from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.renormalize import closest_points, renormalize
from stagewright.jobs.errors import StagewrightError

from .shapes import Field, cube_grid, rotated_box, sample, sphere, torus

SPHERE, TORUS, BOX = sphere(0.6), torus(0.55, 0.24), rotated_box((0.5, 0.35, 0.6))


def distorted(field: Field) -> Field:
    """The field times a smooth factor between 0.2 and 5."""

    def wild(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        wave = np.sin(4 * x) * np.cos(3 * y) * 0.6 + np.sin(5 * z) * 0.4
        return field(x, y, z) * 5.0**wave

    return wild


def errors(field: Field, source: Field, count: int, dtype: type = np.float32) -> np.ndarray:
    """Errors in voxels within 3 voxels of the interface."""
    grid = cube_grid(count, dtype)
    exact = sample(field, cube_grid(count)).values
    result = renormalize(sample(source, grid), half_width=4).values
    assert result.dtype == dtype
    return np.abs(result - exact)[np.abs(exact) < 3 * grid.voxel_size] / grid.voxel_size


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("field", [SPHERE, TORUS], ids=["sphere", "torus"])
def test_smooth_shapes_are_found_to_a_small_part_of_a_voxel(field: Field, dtype: type) -> None:
    error = errors(field, field, 64, dtype)
    assert error.max() < 0.02 and error.mean() < 0.001


@pytest.mark.parametrize("field", [SPHERE, TORUS], ids=["sphere", "torus"])
def test_wild_distortion_is_undone_and_the_error_falls_faster_than_the_voxel(field: Field) -> None:
    coarse, fine = (errors(field, distorted(field), count) for count in (48, 96))
    assert fine.max() < 0.2 and fine.mean() < 0.006
    assert fine.mean() < coarse.mean() / 1.6  # in voxels: second order at least in length


def test_a_rotated_box_keeps_its_faces_exact_and_its_edges_within_a_voxel() -> None:
    for source in (BOX, distorted(BOX)):
        error = errors(BOX, source, 96)
        assert error.max() < 0.9 and np.median(error) < 0.005


@pytest.mark.parametrize("field", [SPHERE, TORUS], ids=["sphere", "torus"])
def test_a_mask_gives_a_smooth_distance(field: Field) -> None:
    def mask(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.where(field(x, y, z) < 0, -1.0, 1.0)

    error = errors(field, mask, 96)
    assert error.max() < 0.5 and error.mean() < 0.12


def test_a_mask_of_zero_and_one_is_read_at_one_half() -> None:
    grid = cube_grid(24)
    inside = sample(SPHERE, grid).values < 0
    signed = renormalize(grid.with_values(np.where(inside, -1.0, 1.0)))
    counted = renormalize(grid.with_values(np.where(inside, 0.0, 1.0)), iso=0.5)
    np.testing.assert_array_equal(signed.values, counted.values)


@pytest.mark.parametrize("seed", range(6))
def test_signs_are_kept_whatever_the_field(seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(3, 20, 3))
    values = random.normal(size=shape)
    if seed % 2:
        values = np.sign(values)
    result = renormalize(Grid(values, 0.1), half_width=2).values
    np.testing.assert_array_equal(result < 0, values < 0)
    assert np.abs(result).max() <= 0.2 + 1e-12
    assert np.all(np.isfinite(result))


@pytest.mark.parametrize("seed", range(3))
def test_planes_in_any_direction_are_exact(seed: int) -> None:
    random = np.random.default_rng(seed)
    normal = random.normal(size=3)
    normal /= np.linalg.norm(normal)
    grid = Grid(np.zeros((14, 18, 11)), 0.25, tuple(random.normal(size=3)))

    def plane(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        middle = grid.index_to_world((7, 9, 5))
        return (
            normal[0] * (x - middle[0]) + normal[1] * (y - middle[1]) + normal[2] * (z - middle[2])
        )

    exact = sample(plane, grid).values
    result = renormalize(grid.with_values(7 * exact), half_width=3).values
    band = np.abs(exact) < 2.5 * grid.voxel_size
    # Near the rim the closest point may lie outside the domain, where the field says nothing.
    inner = (slice(3, -3),) * 3
    np.testing.assert_allclose(result[inner][band[inner]], exact[inner][band[inner]], atol=1e-6)
    assert np.abs(result - exact)[band].max() < 0.6 * grid.voxel_size


def test_renormalizing_again_changes_almost_nothing() -> None:
    once = renormalize(sample(distorted(TORUS), cube_grid(64)), half_width=4)
    twice = renormalize(once, half_width=3)
    near = np.abs(twice.values) < 2.5 * once.voxel_size
    change = np.abs(once.values - twice.values)[near] / once.voxel_size
    assert change.mean() < 0.005 and change.max() < 0.25


def test_the_answer_does_not_depend_on_the_scale_of_the_field() -> None:
    field = sample(distorted(SPHERE), cube_grid(32))
    plain = renormalize(field).values
    for factor in (1e-30, 1e30):
        scaled = renormalize(field.with_values(field.values * factor)).values
        np.testing.assert_allclose(scaled, plain, atol=1e-6)


def test_float32_extremes_do_not_overflow() -> None:
    field = sample(SPHERE, cube_grid(32, np.float32))
    plain = renormalize(field).values
    for factor in (1e-36, 1e36):
        scaled = renormalize(field.with_values(field.values * np.float32(factor))).values
        np.testing.assert_allclose(scaled, plain, atol=1e-4)


def test_closest_points_lie_on_the_sphere() -> None:
    grid = sample(SPHERE, cube_grid(64))
    band = closest_points(grid, half_width=3)
    voxels = np.stack(np.unravel_index(band.voxels, grid.shape))
    world = grid.index_to_world((voxels + band.points).T)
    near = band.distance < 3
    assert np.abs(np.linalg.norm(world, axis=1) - 0.6)[near].max() < 0.01 * grid.voxel_size
    inside = np.abs(grid.values.ravel()) < 3 * grid.voxel_size
    assert set(np.flatnonzero(inside)) <= set(band.voxels)


def test_values_exactly_on_the_level_count_as_outside_at_distance_zero() -> None:
    values = np.broadcast_to(np.arange(-4.0, 5.0)[:, None, None], (9, 5, 5)).copy()
    np.testing.assert_allclose(renormalize(Grid(values)).values[1:-1], values[1:-1], atol=1e-6)


def test_bad_inputs_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    field = sample(SPHERE, cube_grid(12))
    broken = field.values.copy()
    broken[3, 4, 5] = np.nan
    cases = [
        ("no-zero-level", field.with_values(np.ones((12, 12, 12))), 3.0),
        ("no-zero-level", field.with_values(-np.ones((12, 12, 12))), 3.0),
        ("not-finite", field.with_values(broken), 3.0),
        ("grid-shape", Grid(np.zeros((5, 5, 5, 3))), 3.0),
        ("grid-too-thin", Grid(np.zeros((5, 2, 5))), 3.0),
        ("half-width", field, 0.5),
        ("half-width", field, float("nan")),
    ]
    for code, grid, half_width in cases:
        with pytest.raises(StagewrightError) as error:
            renormalize(grid, half_width)
        assert error.value.code == code
    monkeypatch.setattr(module, "_BYTES_PER_VOXEL", 10**13)
    with pytest.raises(StagewrightError) as error:
        renormalize(field)
    assert error.value.code == "out-of-memory"


@pytest.mark.parametrize("half_width", [3.0, 4.0, 5.0, 8.0])
def test_wide_bands_are_exact_but_for_single_voxels(half_width: float) -> None:
    lattice = grid_over((-1.4, -1.4, -1.4), (1.4, 1.4, 1.4), 0.05)
    exact = primitives.sampled(
        lambda points: primitives.sphere(points - (0.07, 0, 0), 1.0), lattice
    )
    made = renormalize(exact, half_width).values
    near = np.abs(exact.values) < half_width * 0.05
    off = np.abs(made - exact.values)[near] / 0.05
    assert off.max() < 0.25 and off.mean() < 1e-3
