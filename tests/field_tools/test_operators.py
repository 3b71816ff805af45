# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators and curvatures: analytic fields, orders of convergence at the faces too, identities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stagewright.field_tools import parallel
from stagewright.field_tools.curvature import gaussian_curvature, mean_curvature
from stagewright.field_tools.grid import Grid
from stagewright.field_tools.operators import curl, divergence, gradient, laplacian, normalize
from stagewright.jobs import threads
from stagewright.jobs.errors import StagewrightError

from .shapes import cube_grid, sample, sphere, torus


def wave(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.sin(2 * x + y) * np.cos(1.5 * z - x)


def wave_gradient(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    a, b = 2 * x + y, 1.5 * z - x
    return np.stack(
        np.broadcast_arrays(
            2 * np.cos(a) * np.cos(b) + np.sin(a) * np.sin(b),
            np.cos(a) * np.cos(b),
            -1.5 * np.sin(a) * np.sin(b),
        ),
        axis=-1,
    )


def wave_laplacian(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    a, b = 2 * x + y, 1.5 * z - x
    return -(4 + 1 + 1 + 2.25) * np.sin(a) * np.cos(b) + 4 * np.cos(a) * np.sin(b)


def swirl(grid: Grid) -> Grid:
    x, y, z = grid.centers()
    parts = np.broadcast_arrays(np.sin(y * z), np.cos(x + z), x * np.exp(y))
    return grid.with_values(np.stack(parts, axis=-1).astype(grid.dtype))


def swirl_curl(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.stack(
        np.broadcast_arrays(
            x * np.exp(y) + np.sin(x + z),
            y * np.cos(y * z) - np.exp(y),
            -np.sin(x + z) - z * np.cos(y * z),
        ),
        axis=-1,
    )


def order_of(error: Callable[[int], float], coarse: int = 17, fine: int = 33) -> float:
    return float(np.log2(error(coarse) / error(fine)))


def test_gradient_is_second_order_up_to_the_faces() -> None:
    def error(count: int) -> float:
        grid = cube_grid(count)
        return np.abs(gradient(sample(wave, grid)).values - wave_gradient(*grid.centers())).max()

    assert order_of(error) > 1.8
    assert error(33) < 0.03


def test_laplacian_is_second_order_up_to_the_faces() -> None:
    def error(count: int) -> float:
        grid = cube_grid(count)
        return np.abs(laplacian(sample(wave, grid)).values - wave_laplacian(*grid.centers())).max()

    assert order_of(error) > 1.7
    assert error(33) < 0.3


def test_curl_and_divergence_are_second_order_up_to_the_faces() -> None:
    def curl_error(count: int) -> float:
        grid = cube_grid(count)
        return np.abs(curl(swirl(grid)).values - swirl_curl(*grid.centers())).max()

    def divergence_error(count: int) -> float:
        grid = cube_grid(count)
        x, y, z = grid.centers()
        field = np.stack(np.broadcast_arrays(np.sin(2 * x) * y, y**3 * z, np.exp(z) * x), axis=-1)
        exact = 2 * np.cos(2 * x) * y + 3 * y**2 * z + np.exp(z) * x
        return np.abs(divergence(grid.with_values(field)).values - exact).max()

    assert order_of(curl_error) > 1.8
    assert order_of(divergence_error) > 1.8
    assert curl_error(33) < 0.02 and divergence_error(33) < 0.05


def test_quadratics_are_differentiated_exactly_everywhere() -> None:
    grid = Grid(np.zeros((5, 9, 4)), 0.25, (1.0, -2.0, 0.5))

    def quadratic(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return 3 * x * x - 2 * y * y + z * z + x * y - 4 * y * z + 2 * x - 7

    x, y, z = grid.centers()
    field = sample(quadratic, grid)
    exact = np.stack(np.broadcast_arrays(6 * x + y + 2, x - 4 * y - 4 * z, 2 * z - 4 * y), -1)
    np.testing.assert_allclose(gradient(field).values, exact, atol=1e-11)
    np.testing.assert_allclose(laplacian(field).values, 4.0, atol=1e-10)


def test_divergence_of_curl_and_curl_of_gradient_vanish_inside() -> None:
    grid = Grid(np.random.default_rng(2).normal(size=(9, 8, 10, 3)), 0.5)
    inside = (slice(2, -2),) * 3
    np.testing.assert_allclose(divergence(curl(grid)).values[inside], 0, atol=1e-12)
    scalar = Grid(grid.values[..., 0].copy(), 0.5)
    np.testing.assert_allclose(curl(gradient(scalar)).values[inside], 0, atol=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_any_shape_and_dtype_agrees_with_numpys_gradient(seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(4, 40, 3))
    dtype = (np.float32, np.float64)[seed % 2]
    size = float(random.uniform(0.1, 2))
    values = random.normal(size=shape).astype(dtype)
    if seed % 3 == 0:
        values = np.asfortranarray(values)
    exact = np.gradient(values.astype(np.float64), size, edge_order=2)
    result = gradient(Grid(values, size)).values
    assert result.dtype == dtype
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    for axis in range(3):
        np.testing.assert_allclose(result[..., axis], exact[axis], atol=tolerance / size)
    flux = np.stack([values, 2 * values, -values], axis=-1)
    expected = exact[0] + 2 * exact[1] - exact[2]
    np.testing.assert_allclose(
        divergence(Grid(flux, size)).values, expected, atol=4 * tolerance / size
    )


def test_chunks_much_smaller_than_a_plane_give_the_same_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.random.default_rng(5).normal(size=(11, 17, 13)).astype(np.float32)
    grid = Grid(values, 0.3)
    whole = [operator(grid).values for operator in (gradient, laplacian, mean_curvature)]
    monkeypatch.setattr(parallel, "CHUNK_BYTES", 256)
    monkeypatch.setattr(threads, "thread_count", lambda: 3)
    pieces = [operator(grid).values for operator in (gradient, laplacian, mean_curvature)]
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(one, other)


def test_mean_curvature_of_spheres_converges_up_to_the_faces() -> None:
    def error(count: int) -> float:
        grid = cube_grid(count)
        x, y, z = grid.centers()
        radius = np.sqrt(x * x + y * y + z * z)
        curved = mean_curvature(sample(sphere(0.5), grid)).values
        return np.abs(curved - 1 / np.maximum(radius, 1e-9))[radius > 0.5].max()

    assert order_of(error, 49, 97) > 1.8
    assert error(65) < 0.02


def test_curvatures_of_a_torus_match_the_closed_form() -> None:
    grid = cube_grid(97)
    x, y, z = grid.centers()
    ring = np.hypot(x, y)
    tube = np.hypot(ring - 0.6, z)
    near = np.abs(tube - 0.2) < 0.06
    along = (ring - 0.6) / tube / np.maximum(ring, 1e-9)  # the principal curvature around the axis
    field = sample(torus(0.6, 0.2), grid)
    np.testing.assert_allclose(
        mean_curvature(field).values[near], ((along + 1 / tube) / 2)[near], atol=0.08
    )
    np.testing.assert_allclose(
        gaussian_curvature(field).values[near], (along / tube)[near], atol=0.4
    )


def test_gaussian_curvature_converges_up_to_the_faces() -> None:
    def error(count: int) -> float:
        grid = cube_grid(count)
        x, y, z = grid.centers()
        radius = np.sqrt(x * x + y * y + z * z)
        curved = gaussian_curvature(sample(sphere(0.5), grid)).values
        return np.abs(curved - 1 / np.maximum(radius, 1e-9) ** 2)[radius > 0.5].max()

    assert order_of(error, 49, 97) > 1.8


def test_curvature_does_not_depend_on_how_fast_the_field_grows() -> None:
    grid = cube_grid(40)
    field = sample(lambda x, y, z: x * x + y * y + z * z - 0.25, grid)
    x, y, z = grid.centers()
    radius = np.sqrt(x * x + y * y + z * z)
    away = radius > 0.2
    np.testing.assert_allclose(mean_curvature(field).values[away], (1 / radius)[away], rtol=1e-9)
    np.testing.assert_allclose(
        gaussian_curvature(field).values[away], (1 / radius**2)[away], rtol=1e-9
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_field_has_zero_curvature(dtype: type) -> None:
    grid = Grid(np.full((6, 6, 6), 3, dtype))
    assert np.all(mean_curvature(grid).values == 0)
    assert np.all(gaussian_curvature(grid).values == 0)


def test_normalize_gives_unit_vectors_of_any_scale_and_leaves_zero() -> None:
    random = np.random.default_rng(3)
    vectors = random.normal(size=(5, 6, 7, 3)).astype(np.float32)
    vectors[0] *= 1e-30
    vectors[1] *= 1e30
    vectors[2, 0, 0] = 0
    units = normalize(Grid(vectors)).values
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    np.testing.assert_allclose(units, wide / np.where(lengths > 0, lengths, 1), atol=3e-7)


@pytest.mark.parametrize("layout", ["components", "interleaved", "fortran"])
def test_out_buffers_of_any_layout_receive_the_answer(layout: str) -> None:
    grid = sample(wave, cube_grid(9, np.float32))
    expected = gradient(grid).values
    out = {
        "components": np.moveaxis(np.empty((3, 9, 9, 9), np.float32), 0, 3),
        "interleaved": np.empty((9, 9, 9, 3), np.float32),
        "fortran": np.empty((9, 9, 9, 3), np.float32, order="F"),
    }[layout]
    assert gradient(grid, out=out).values is out
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(
        curl(grid.with_values(expected), out=out).values, curl(grid.with_values(expected)).values
    )
    flat_out = np.empty((9, 9, 9), np.float32, order="F" if layout == "fortran" else "C")
    for operator in (laplacian, mean_curvature, gaussian_curvature):
        operator(grid, out=flat_out)
        np.testing.assert_array_equal(flat_out, operator(grid).values)
    units = expected.copy(order="C")
    normalize(grid.with_values(units), out=units)
    np.testing.assert_array_equal(units, normalize(grid.with_values(expected)).values)


def test_bad_arguments_are_refused_by_name() -> None:
    grid = Grid(np.zeros((5, 5, 5)))
    cases: list[tuple[str, Callable[[], object]]] = [
        ("grid-too-thin", lambda: gradient(Grid(np.zeros((5, 3, 5))))),
        ("grid-too-thin", lambda: curl(Grid(np.zeros((5, 3, 5, 3))))),
        ("grid-shape", lambda: laplacian(Grid(np.zeros((5, 5, 5, 3))))),
        ("grid-shape", lambda: divergence(grid)),
        ("out-buffer", lambda: laplacian(grid, out=np.zeros((5, 5, 5), np.float32))),
        ("out-buffer", lambda: laplacian(grid, out=np.zeros((5, 5, 4)))),
        ("out-buffer", lambda: laplacian(grid, out=grid.values)),
    ]
    for code, call in cases:
        with pytest.raises(StagewrightError) as error:
            call()
        assert error.value.code == code
