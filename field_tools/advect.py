# SPDX-License-Identifier: GPL-3.0-or-later
"""Transport by a velocity field: paths of points, streamlines, and fields carried along.

Velocities are sampled linearly; outside the grid they are those of its rim.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import (
    FloatArray,
    Grid,
    require_finite,
    require_same_lattice,
    require_scalar,
    require_vector,
)
from .sampling import sample, sample_range
from .stencils import prepare_out

Scheme = Literal["semi-lagrangian", "maccormack"]

_SLAB_POINTS = 1 << 20


def trace(
    velocity: Grid, points: NDArray[np.floating[Any]], time: float, steps: int = 1
) -> NDArray[np.floating[Any]]:
    """Where points are after a time in a steady velocity field (Runge-Kutta of third order).

    Args:
        velocity: vector field, world lengths per unit of time.
        points: float32 or float64, shape (n, 3), world positions.
        time: negative goes back.
        steps: equal steps.

    Returns:
        World positions, shape (n, 3), of the points' dtype.

    Raises:
        StagewrightError: ``grid-shape``, ``points-shape``, ``not-finite`` or ``advection-time``.
    """
    require_vector(velocity)
    step = _time_step(time, steps)
    for _ in range(steps):
        # Ralston's scheme: weights 2/9, 3/9, 4/9 at 0, 1/2 and 3/4 of the step.
        first = sample(velocity, points)
        second = sample(velocity, points + (step / 2) * first)
        third = sample(velocity, points + (step * 3 / 4) * second)
        moved = points + (step / 9) * (2 * first + 3 * second + 4 * third)
        points = moved.astype(points.dtype, copy=False)
    return points


def streamlines(
    velocity: Grid, seeds: NDArray[np.floating[Any]], length: float, steps: int = 64
) -> NDArray[np.floating[Any]]:
    """Lines along the velocity's direction, of even steps (Runge-Kutta of fourth order).

    Args:
        velocity: vector field.
        seeds: float32 or float64, shape (n, 3), world positions where lines start.
        length: world length of a whole line; negative runs against the velocity.
        steps: segments of a line.

    Returns:
        World positions, shape (n, steps + 1, 3), of the seeds' dtype. A line that leaves the grid
        or comes to rest stays where it was.

    Raises:
        StagewrightError: ``grid-shape``, ``points-shape``, ``not-finite`` or ``advection-time``.
    """
    require_vector(velocity)
    step = _time_step(length, steps)
    lower = np.array(velocity.origin)
    upper = velocity.index_to_world(np.array(velocity.shape) - 1)

    def direction(points: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        vectors = sample(velocity, points).astype(np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)

    lines = [np.asarray(seeds)]
    for _ in range(steps):
        here = lines[-1]
        first = direction(here)
        second = direction(here + step / 2 * first)
        third = direction(here + step / 2 * second)
        fourth = direction(here + step * third)
        ahead = here + step / 6 * (first + 2 * second + 2 * third + fourth)
        inside = np.all((ahead >= lower) & (ahead <= upper), axis=1, keepdims=True)
        lines.append(np.where(inside, ahead, here).astype(here.dtype))
    return np.stack(lines, axis=1)


def advect(
    grid: Grid,
    velocity: Grid,
    time: float,
    scheme: Scheme = "maccormack",
    out: FloatArray | None = None,
) -> Grid:
    """The field after it has been carried along for a time.

    Semi-Lagrangian advection (Stam 1999) follows each voxel back and samples there: stable for any
    time, of first order. MacCormack (Selle et al. 2008) corrects it by the error of going there
    and back, kept between the samples around the place it came from: of second order, and no
    value arises that was not there.

    Args:
        grid: scalar field.
        velocity: vector field on the same lattice, world lengths per unit of time.
        time: one step; what flows in has the value of the grid's rim.
        scheme: ``maccormack`` or ``semi-lagrangian``.
        out: array of shape (nx, ny, nz) and the grid's dtype to write.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-mismatch``, ``not-finite``, ``advection-time``,
            ``advection-scheme`` or ``out-buffer``.
    """
    require_scalar(grid)
    require_vector(velocity)
    require_same_lattice(grid, velocity)
    require_finite(grid.values)
    require_finite(velocity.values, "The velocity")
    _time_step(time, 1)
    if scheme not in ("maccormack", "semi-lagrangian"):
        raise StagewrightError(
            "advection-scheme",
            f"There is no advection scheme {scheme!r}.",
            "Use maccormack or semi-lagrangian.",
        )
    result = prepare_out(out, grid.shape, grid.dtype, grid.values, velocity.values)
    came_from_inside = _carry(grid, velocity, -time, result)
    if scheme == "maccormack":
        back = np.empty(grid.shape, grid.dtype)
        went_inside = _carry(grid.with_values(result), velocity, time, back)
        np.subtract(grid.values, back, out=back)
        back *= 0.5
        back += result
        for slab in _slabs(grid):
            points = trace(velocity, _centers(grid, slab), -time)
            low, high = sample_range(grid, points)
            corrected = back[slab]
            shape = corrected.shape
            np.clip(corrected, low.reshape(shape), high.reshape(shape), out=corrected)
        # A way across the rim is no way there and back: nothing to correct by.
        np.copyto(result, back, where=came_from_inside & went_inside)
    return grid.with_values(result)


def _carry(grid: Grid, velocity: Grid, time: float, out: FloatArray) -> NDArray[np.bool_]:
    """Write the field as sampled where each voxel is after ``time``; tell where that is inside."""
    inside = np.empty(grid.shape, bool)
    rounding = 1e-3  # of a voxel
    for slab in _slabs(grid):
        points = trace(velocity, _centers(grid, slab), time)
        out[slab] = sample(grid, points).reshape(out[slab].shape)
        index = grid.world_to_index(points)
        within = (index >= -rounding) & (index <= np.array(grid.shape) - 1 + rounding)
        inside[slab] = within.all(axis=1).reshape(inside[slab].shape)
    return inside


def _slabs(grid: Grid) -> list[slice]:
    """Ranges of x whose voxels' positions fit in a bounded buffer."""
    nx, ny, nz = grid.shape
    width = max(1, _SLAB_POINTS // (ny * nz))
    return [slice(start, min(start + width, nx)) for start in range(0, nx, width)]


def _centers(grid: Grid, slab: slice) -> NDArray[np.floating[Any]]:
    """World positions of the slab's voxels, shape (n, 3), of the grid's dtype."""
    x, y, z = grid.centers()
    parts = np.broadcast_arrays(x[slab], y, z)
    return np.stack([part.ravel() for part in parts], axis=1).astype(grid.dtype)


def _time_step(time: float, steps: int) -> float:
    if not np.isfinite(time) or steps < 1:
        raise StagewrightError(
            "advection-time",
            f"A way of {time:g} in {steps} steps cannot be followed.",
            "Give a finite number and at least one step.",
        )
    return time / steps
