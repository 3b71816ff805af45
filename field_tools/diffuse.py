# SPDX-License-Identifier: GPL-3.0-or-later
"""Heat diffusion, implicit: stable for any amount, and nothing flows through the domain's faces.

Each step is backward Euler, split by axis (locally one-dimensional; Yanenko 1971): three sets of
tridiagonal systems, solved by Thomas' algorithm for all lines of voxels at once. First order in
the amount of a step, second order in space; sums and the range of values are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..jobs.errors import StagewrightError
from ..jobs.threads import share
from .grid import FloatArray, Grid, count_text, require_finite
from .memory import require_memory
from .stencils import prepare_out

_BLOCK_BYTES = 1 << 20


def diffuse(grid: Grid, amount: float, steps: int = 4, out: FloatArray | None = None) -> Grid:
    """The field after heat has flowed for a time.

    Args:
        grid: scalar field, or vector field (each component by itself).
        amount: diffusivity times time, in world length squared, 0 or above: a point spreads to a
            Gaussian of variance 2 * amount along each axis.
        steps: equal implicit steps; more are nearer to the exact heat flow.
        out: array of the grid's shape and dtype to write.

    Raises:
        StagewrightError: ``diffusion-amount``, ``not-finite``, ``out-buffer`` or
            ``out-of-memory``.
    """
    if not (np.isfinite(amount) and amount >= 0 and steps >= 1):
        raise StagewrightError(
            "diffusion-amount",
            f"An amount of {amount:g} in {steps} steps cannot be diffused.",
            "Give a finite amount of 0 or above, and at least one step.",
        )
    if out is None:
        require_memory(grid.values.nbytes, f"Diffusing a grid of {count_text(grid.shape)}")
    require_finite(grid.values)
    result = prepare_out(out, grid.values.shape, grid.dtype, grid.values)
    np.copyto(result, grid.values)
    coupling = amount / (steps * grid.voxel_size**2)
    parts = [result[..., axis] for axis in range(3)] if grid.is_vector else [result]
    for part in parts:
        for _ in range(steps):
            for axis in range(3):
                _solve_lines(part, axis, coupling)
    return grid.with_values(result)


def _solve_lines(values: FloatArray, axis: int, coupling: float) -> None:
    """Solve (1 - coupling * second difference) x = values along one axis, in place."""
    count = values.shape[axis]
    if count == 1:
        return
    inverse = _pivots(count, coupling)
    factors = [values.dtype.type(number) for number in inverse]
    carry = [values.dtype.type(coupling * number) for number in inverse]
    # Lines first, and a block of them at a time: the recurrence runs over contiguous planes that
    # stay in the cache, whichever axis it runs along.
    lines = np.moveaxis(values, axis, 0)
    width = max(1, _BLOCK_BYTES // (count * lines.shape[2] * values.itemsize))

    def work(shared: Iterable[int]) -> None:
        for start in shared:
            block = np.ascontiguousarray(lines[:, start : start + width])
            scratch = np.empty_like(block[0])
            block[0] *= factors[0]
            for i in range(1, count):
                np.multiply(block[i - 1], coupling, out=scratch)
                block[i] += scratch
                block[i] *= factors[i]
            for i in range(count - 2, -1, -1):
                np.multiply(block[i + 1], carry[i], out=scratch)
                block[i] += scratch
            lines[:, start : start + width] = block

    share(range(0, lines.shape[1], width), work)


def _pivots(count: int, coupling: float) -> list[float]:
    """Inverse pivots of the tridiagonal matrix (-c, 1 + 2c, -c); 1 + c at its ends."""
    inverse = [1 / (1 + coupling)]
    for i in range(1, count):
        diagonal = 1 + coupling * (1 if i == count - 1 else 2)
        inverse.append(1 / (diagonal - coupling**2 * inverse[-1]))
    return inverse
