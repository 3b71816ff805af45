# SPDX-License-Identifier: GPL-3.0-or-later
"""Level sets that move: fifth-order advection in a tracked band, and extension velocities.

Upwind differences are WENO5 (G. Jiang and D. Peng, "Weighted ENO Schemes for Hamilton-Jacobi
Equations", 2000), time steps Runge-Kutta of third order, total variation diminishing (C. Shu and
S. Osher 1988). Only a band around the surface moves; it is made distances again, and follows,
before the surface can leave it (D. Peng et al., "A PDE-Based Fast Local Level Set Method", 1999).
"""

from __future__ import annotations

import math
from collections.abc import Callable

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
from .parallel import for_each_chunk
from .renormalize import closest_points, renormalize
from .sampling import sample
from .stencils import components

HALO = 3
"""Voxels that WENO5 looks at on each side."""
BAND = 8.0
"""Half width, in voxels, of the band that moves."""
RESTORE = 4.0
"""Voxels that the surface may move before the band follows it."""
KEPT = 0.3
"""Voxels by which a value may differ from the distance before it is made one again."""
_CFL = 0.5

Indices = NDArray[np.intp]


def advect_level_set(
    grid: Grid, velocity: Grid | Callable[[float], Grid], time: float, half_width: float = 3.0
) -> Grid:
    """The level set after it has been carried along for a time.

    Args:
        grid: a level set, negative inside.
        velocity: vector field on the same lattice, world lengths per unit of time; or a function
            that gives it at a time, from 0 on.
        time: 0 or above; it is cut into steps in which nothing moves further than half a voxel.
        half_width: voxels of distances on each side of the surface in what comes out.

    Returns:
        Signed distances in a band.

    Raises:
        StagewrightError: ``advection-time``, ``no-zero-level`` once nothing is left, and what
            `renormalize` and the grids' checks refuse.
    """
    require_scalar(grid)

    def at(moment: float) -> list[FloatArray]:
        flow = velocity(moment) if callable(velocity) else velocity
        require_vector(flow)
        require_same_lattice(grid, flow)
        require_finite(flow.values, "The velocity")
        return [part.reshape(-1) for part in components(flow.values)]

    if callable(velocity):
        return _evolve(grid, at, time, half_width)
    steady = at(0.0)
    return _evolve(grid, lambda moment: steady, time, half_width)


def advect_along_normal(
    grid: Grid, speed: Grid | float, time: float, half_width: float = 3.0
) -> Grid:
    """The level set after it has grown along its normal for a time (burned, melted, eroded).

    Args:
        grid: a level set, negative inside.
        speed: world lengths per unit of time, above 0 outwards: a number or a scalar field on the
            same lattice.
        time: 0 or above.
        half_width: voxels of distances on each side of the surface in what comes out.

    Raises:
        StagewrightError: as `advect_level_set`.
    """
    require_scalar(grid)
    if isinstance(speed, Grid):
        require_scalar(speed)
        require_same_lattice(grid, speed)
        require_finite(speed.values, "The speed")
        rates = np.ascontiguousarray(speed.values).reshape(-1)
    else:
        rates = np.full(1, speed, grid.dtype).repeat(grid.values.size)
    return _evolve(grid, lambda moment: [rates], time, half_width)


def extend(values: Grid, level_set: Grid, half_width: float = 3.0) -> Grid:
    """A field continued off a surface: each voxel of a band takes the value at its closest point.

    So speeds known on the surface alone can move a level set without distorting it
    (D. Adalsteinsson and J. Sethian, "The Fast Construction of Extension Velocities", 1999); here
    from closest points, so the order is that of cubic sampling.

    Args:
        values: scalar or vector field; only what lies within two voxels of the surface is read.
        level_set: negative inside, on the same lattice.
        half_width: width of the band on each side, in voxels.

    Returns:
        The values, constant along the normals in the band; beyond it as they were.

    Raises:
        StagewrightError: ``grid-mismatch``, ``not-finite`` and what `renormalize` refuses.
    """
    require_same_lattice(values, level_set)
    band = closest_points(level_set, half_width)
    index = np.stack(np.unravel_index(band.voxels, level_set.shape), axis=1) + band.points.T
    sampled = sample(values, values.index_to_world(index), method="cubic")
    require_finite(sampled, "The field at the surface")
    result = values.values.copy()
    result.reshape(-1, *result.shape[3:])[band.voxels] = sampled
    return values.with_values(result)


_Motion = Callable[[float], list[FloatArray]]


def _evolve(grid: Grid, motion: _Motion, time: float, half_width: float) -> Grid:
    """Move a level set by velocities (3 flat arrays) or a normal speed (1 flat array)."""
    require_scalar(grid)
    if not (np.isfinite(time) and time >= 0):
        raise StagewrightError(
            "advection-time", f"A time of {time!r} cannot be followed.", "Give 0 or above."
        )
    done = 0.0
    while done < time:
        band = _Band(_restored(grid))
        moved = 0.0
        while done < time and moved < RESTORE:
            step, way = _step(band, motion, done, time)
            band.step(motion, done, step)
            done = time if time - done - step < 1e-12 * time else done + step
            moved += way
        grid = band.grid()
    return renormalize(grid, half_width)


def _restored(grid: Grid) -> Grid:
    """Distances in the band; what still is one stays as it is, for all that is made again moves."""
    distances = renormalize(grid, BAND)
    off = np.abs(distances.values - grid.values)
    np.copyto(distances.values, grid.values, where=off < KEPT * grid.voxel_size)
    return distances


def _step(band: _Band, motion: _Motion, now: float, end: float) -> tuple[float, float]:
    """A step in which nothing moves too far at its beginning or its end, and how far it moves."""
    step, fastest = end - now, band.fastest(motion(now))
    while True:
        if fastest * step > _CFL:  # Equal steps, as few as may be.
            step /= math.ceil(fastest * step / _CFL - 1e-9)
        later = band.fastest(motion(now + step))
        if later * step <= 1.1 * _CFL:
            return step, max(fastest, later) * step
        step, fastest = step / 2, max(fastest, later / 2)


class _Band:
    """The voxels that move, in a copy of the field with a rim that continues it."""

    def __init__(self, grid: Grid) -> None:
        self._lattice = grid
        self._padded = np.pad(grid.values, HALO, mode="edge")
        limit = grid.dtype.type(BAND * grid.voxel_size)
        self._inner = np.flatnonzero(np.abs(grid.values) < limit)
        index = np.unravel_index(self._inner, grid.shape)
        shape = self._padded.shape
        self._at = np.ravel_multi_index([part + HALO for part in index], shape)
        self._strides = (shape[1] * shape[2], shape[2], 1)
        # Beyond the lattice the field goes on straight.
        self._extrapolate()

    def grid(self) -> Grid:
        """The field as it is now."""
        inner = (slice(HALO, -HALO),) * 3
        return self._lattice.with_values(np.ascontiguousarray(self._padded[inner]))

    def fastest(self, speeds: list[FloatArray]) -> float:
        """Voxels per unit of time: the sum over the axes bounds the step in three dimensions."""
        total = sum(np.abs(part[self._inner]) for part in speeds)
        factor = 1.0 if len(speeds) == 3 else math.sqrt(3)
        return factor * float(np.max(total)) / self._lattice.voxel_size

    def step(self, motion: _Motion, now: float, step: float) -> None:
        """One Runge-Kutta step of third order."""
        flat = self._padded.reshape(-1)
        start = flat[self._at]
        for moment, old, new in ((0.0, 0.0, 1.0), (1.0, 0.75, 0.25), (0.5, 1 / 3, 2 / 3)):
            rates = [part[self._inner] for part in motion(now + moment * step)]
            change = self._change(rates)
            change *= step
            flat[self._at] = old * start + new * (flat[self._at] - change)
            self._extrapolate()

    def _extrapolate(self) -> None:
        for axis in range(3):
            lines = np.moveaxis(self._padded, axis, 0)
            for low, first, second in (
                (slice(0, HALO), HALO, HALO + 1),
                (slice(-HALO, None), -HALO - 1, -HALO - 2),
            ):
                slope = lines[first] - lines[second]
                away = range(HALO, 0, -1) if first > 0 else range(1, HALO + 1)
                for row, distance in zip(lines[low], away, strict=True):
                    row[...] = lines[first] + distance * slope

    def _change(self, rates: list[FloatArray]) -> FloatArray:
        """What the equation takes from each voxel per unit of time."""
        result = np.empty(len(self._at), self._padded.dtype)
        flat = self._padded.reshape(-1)
        inverse = self._padded.dtype.type(1 / self._lattice.voxel_size)

        def work(part: slice) -> None:
            at = self._at[part]
            total = np.zeros(len(at), flat.dtype)
            for axis, stride in enumerate(self._strides):
                taps = [flat[at + step * stride] for step in range(-3, 4)]
                steps = [(b - a) * inverse for a, b in zip(taps[:-1], taps[1:], strict=True)]
                if len(rates) == 3:
                    rate = rates[axis][part]
                    ahead = rate < 0
                    slopes = [np.where(ahead, steps[5 - k], steps[k]) for k in range(5)]
                    total += rate * weno5(slopes)
                else:
                    behind, forward = weno5(steps[:5]), weno5(steps[:0:-1])
                    total += _godunov(behind, forward, rates[0][part])
            result[part] = total if len(rates) == 3 else rates[0][part] * np.sqrt(total)

        for_each_chunk(len(self._at), work)
        return result


def weno5(steps: list[FloatArray]) -> FloatArray:
    """The one-sided derivative from five differences in the order of the wind."""
    a, b, c, d, e = steps
    rough = (
        13 / 12 * (a - 2 * b + c) ** 2 + 0.25 * (a - 4 * b + 3 * c) ** 2,
        13 / 12 * (b - 2 * c + d) ** 2 + 0.25 * (b - d) ** 2,
        13 / 12 * (c - 2 * d + e) ** 2 + 0.25 * (3 * c - 4 * d + e) ** 2,
    )
    # Differences of distances are about 1: the guard against 0 / 0 is relative to that.
    weights = [
        share / (1e-6 + part) ** 2 for share, part in zip((0.1, 0.6, 0.3), rough, strict=True)
    ]
    parts = (
        (2 * a - 7 * b + 11 * c) / 6,
        (-b + 5 * c + 2 * d) / 6,
        (2 * c + 5 * d - e) / 6,
    )
    total = weights[0] + weights[1] + weights[2]
    result: FloatArray = sum(w * p for w, p in zip(weights, parts, strict=True)) / total
    return result


def _godunov(behind: FloatArray, forward: FloatArray, rate: FloatArray) -> FloatArray:
    """The square of one derivative, from the side the front comes from."""
    outwards = np.maximum(np.maximum(behind, 0), -np.minimum(forward, 0))
    inwards = np.maximum(-np.minimum(behind, 0), np.maximum(forward, 0))
    chosen = np.where(rate > 0, outwards, inwards)
    return chosen * chosen
