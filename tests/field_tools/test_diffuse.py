# SPDX-License-Identifier: GPL-3.0-or-later
"""Implicit diffusion: exact decay of modes, the heat kernel, a dense solver, conservation."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.diffuse import diffuse
from stagewright.field_tools.grid import Grid
from stagewright.jobs.errors import StagewrightError


def mode(counts: tuple[int, int, int], waves: tuple[int, int, int]) -> np.ndarray:
    """A cosine that has no slope at the domain's faces."""
    lines = [
        np.cos(np.pi * wave * (np.arange(count) + 0.5) / count)
        for count, wave in zip(counts, waves, strict=True)
    ]
    return lines[0][:, None, None] * lines[1][:, None] * lines[2]


@pytest.mark.parametrize("waves", [(1, 0, 0), (0, 3, 0), (2, 1, 4)])
def test_modes_decay_by_exactly_the_factor_of_the_scheme(waves: tuple[int, int, int]) -> None:
    counts, size, amount, steps = (12, 9, 17), 0.5, 0.8, 3
    field = mode(counts, waves)
    factor = 1.0
    for count, wave in zip(counts, waves, strict=True):
        eigenvalue = (2 - 2 * np.cos(np.pi * wave / count)) / size**2
        factor /= (1 + amount / steps * eigenvalue) ** steps
    result = diffuse(Grid(field, size), amount, steps).values
    np.testing.assert_allclose(result, factor * field, atol=1e-13)


def test_more_steps_approach_the_heat_flow_with_first_order() -> None:
    counts, size, amount = (32, 4, 4), 0.25, 0.3
    field = mode(counts, (3, 0, 0))
    eigenvalue = (2 - 2 * np.cos(np.pi * 3 / 32)) / size**2
    exact = np.exp(-amount * eigenvalue) * field
    errors = [
        np.abs(diffuse(Grid(field, size), amount, steps).values - exact).max() for steps in (8, 16)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1, abs=0.1)


def test_a_point_spreads_with_the_variance_of_the_heat_kernel() -> None:
    size, amount = 0.5, 2.0
    field = np.zeros((61, 61, 61))
    field[30, 30, 30] = 1
    result = diffuse(Grid(field, size), amount, steps=5).values
    place = (np.arange(61) - 30) * size
    for axis in range(3):
        line = np.moveaxis(result, axis, 0).sum(axis=(1, 2))
        assert line @ place**2 == pytest.approx(2 * amount, rel=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_sums_and_ranges_are_kept_for_any_amount(seed: int) -> None:
    random = np.random.default_rng(seed)
    dtype = (np.float32, np.float64)[seed % 2]
    shape = tuple(random.integers(1, 20, 3)) + ((3,) if seed > 1 else ())
    field = random.uniform(-1, 2, shape).astype(dtype)
    result = diffuse(Grid(field, 0.3), float(10 ** random.uniform(-3, 3)), 2).values
    assert result.dtype == dtype
    np.testing.assert_allclose(
        result.sum(axis=(0, 1, 2), dtype=float),
        field.sum(axis=(0, 1, 2), dtype=float),
        rtol=1e-3 if dtype == np.float32 else 1e-9,
        atol=1e-3,
    )
    assert result.min() >= field.min() - 1e-5 and result.max() <= field.max() + 1e-5


def test_lines_are_solved_as_a_dense_solver_does() -> None:
    field = np.random.default_rng(7).normal(size=(9, 1, 1))
    coupling = 0.7
    matrix = np.eye(9) * (1 + 2 * coupling)
    matrix[0, 0] = matrix[8, 8] = 1 + coupling
    matrix -= coupling * (np.eye(9, k=1) + np.eye(9, k=-1))
    expected = np.linalg.solve(matrix, field[:, 0, 0])
    result = diffuse(Grid(field), coupling, steps=1).values[:, 0, 0]
    np.testing.assert_allclose(result, expected, atol=1e-13)


def test_no_amount_changes_nothing_and_out_receives_the_answer() -> None:
    grid = Grid(np.random.default_rng(8).normal(size=(6, 7, 8)))
    np.testing.assert_allclose(diffuse(grid, 0.0).values, grid.values, atol=1e-15)
    out = np.empty((6, 7, 8), order="F")
    assert diffuse(grid, 0.5, out=out).values is out
    np.testing.assert_array_equal(out, diffuse(grid, 0.5).values)


def test_bad_arguments_are_refused_by_name() -> None:
    grid = Grid(np.zeros((3, 3, 3)))
    broken = Grid(np.full((3, 3, 3), np.inf))
    for code, arguments in (
        ("diffusion-amount", (grid, -1.0)),
        ("diffusion-amount", (grid, float("nan"))),
        ("diffusion-amount", (grid, 1.0, 0)),
        ("not-finite", (broken, 1.0)),
    ):
        with pytest.raises(StagewrightError) as error:
            diffuse(*arguments)
        assert error.value.code == code
