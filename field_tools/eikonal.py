# SPDX-License-Identifier: GPL-3.0-or-later
"""Travel time of a front: the Eikonal equation |grad T| F = 1 with speed F varying in space.

Second-order upwind differences as in Sethian's fast marching, but voxels are accepted in groups:
all those whose time lies within a part of their own crossing time of the earliest one (after Kim,
"An O(N) level set method for Eikonal equations", 2001). A voxel that a later group would still
lower is put back on the front, so grouping does not decide the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import (
    FloatArray,
    Grid,
    count_text,
    require_finite,
    require_same_lattice,
    require_scalar,
)
from .memory import require_memory
from .renormalize import closest_points
from .stencils import flat_strides

Indices = NDArray[np.intp]

RIM = 2
"""Second-order differences read two voxels outwards; the rim is never reached."""

GROUP = 1.0
"""Part of a voxel's crossing time within which voxels are accepted together."""

SEED_WIDTH = 2.0
"""Voxels on each side of the source whose times come from distances."""

_SEED_SAMPLES = 5
# In crossing times: what has been accepted is not lowered by less than this.
_TOLERANCE = 2e-5
_SEED_MARGIN = 0.3
_BYTES_PER_VOXEL = 40


def travel_time(source: Grid, speed: Grid | float = 1.0) -> Grid:
    """The time a front needs from the zero level of ``source`` to each voxel, on both sides of it.

    Args:
        source: scalar field whose zero level is where the front starts, negative on one side; at
            least 3 voxels along each axis.
        speed: world lengths per unit of time: one number, or a scalar grid on the same lattice.
            Where it is 0 the front does not pass.

    Returns:
        Times, 0 or above; infinite where the front never arrives.

    Raises:
        StagewrightError: ``no-zero-level``, ``not-finite``, ``negative-speed``, ``grid-mismatch``,
            ``grid-shape``, ``grid-too-thin`` or ``out-of-memory``.
    """
    slowness = _crossing_times(source, speed)
    seeds, arrivals = _seeds(source, slowness)
    inner = (slice(RIM, -RIM),) * 3
    inside = np.zeros(slowness.shape, bool)
    inside[inner] = source.values < 0
    strides = flat_strides(slowness.shape)
    result = np.empty(source.shape, source.dtype)
    # A shortest way starts at its last visit to the zero level, so the sides are independent; and
    # differences must not reach across the level, where times have a kink.
    for side in (inside, ~inside):
        here = side.ravel()[seeds]
        blocked = np.where(side, slowness, np.float32(np.inf)).ravel()
        times = _march(blocked, strides, seeds[here], arrivals[here]).reshape(side.shape)
        np.copyto(result, times[inner], where=side[inner])
    return source.with_values(result)


def _crossing_times(source: Grid, speed: Grid | float) -> FloatArray:
    """Time to cross each voxel, with a rim that is never crossed; the inputs are validated."""
    require_scalar(source)
    if min(source.shape) < 3:
        raise StagewrightError(
            "grid-too-thin",
            f"Travel times need 3 voxels along each axis, not {count_text(source.shape)}.",
            "Use a finer or a larger grid.",
        )
    require_memory(
        source.values.size * _BYTES_PER_VOXEL,
        f"The travel time on a grid of {count_text(source.shape)}",
    )
    require_finite(source.values, "The source")
    if isinstance(speed, Grid):
        require_scalar(speed)
        require_same_lattice(source, speed)
        require_finite(speed.values, "The speed")
    values = speed.values if isinstance(speed, Grid) else np.float64(speed)
    if not (np.min(values) >= 0 and np.isfinite(np.max(values))):
        raise StagewrightError(
            "negative-speed",
            f"The speed has a value of {np.min(values):g}.",
            "Give finite speeds of 0 or above.",
        )
    slowness = np.full([count + 2 * RIM for count in source.shape], np.inf, np.float32)
    inner = (slice(RIM, -RIM),) * 3
    with np.errstate(divide="ignore"):
        slowness[inner] = source.voxel_size / values
    return slowness


def _seeds(source: Grid, slowness: FloatArray) -> tuple[Indices, FloatArray]:
    """Flat indices (in the array with a rim) and times of the voxels near the zero level.

    Distances are exact to second order there, so the march starts with second-order differences;
    the slowness is averaged along the straight way, and blocked ways are left to the march.
    """
    band = closest_points(source, SEED_WIDTH)
    voxels = np.stack(np.unravel_index(band.voxels, source.shape)) + RIM
    mean = np.zeros(len(band.voxels), np.float32)
    for part in np.linspace(0, 1, _SEED_SAMPLES, dtype=np.float32):
        places = np.rint(voxels + part * band.points).astype(np.intp)
        mean += slowness[tuple(places)] / _SEED_SAMPLES
    passable = np.isfinite(mean)
    flat: Indices = np.ravel_multi_index(tuple(voxels), slowness.shape)
    return flat[passable], (band.distance * mean)[passable]


def _march(
    slowness: FloatArray, strides: Sequence[int], start: Indices, arrival: FloatArray
) -> FloatArray:
    """Advance the front from ``start`` until every voxel it can reach has its time.

    Args:
        slowness: flat, the time to cross each voxel.
        strides: between neighbours along x, y and z.
        start: flat indices of the seeds.
        arrival: times of the seeds.

    Returns:
        Flat times, infinite where the front never arrives.
    """
    # Only accepted voxels have times; what the front would bring is tentative.
    times = np.full(len(slowness), np.inf, np.float32)
    tentative = times.copy()
    tentative[start] = arrival
    seeded = np.zeros(len(times), bool)
    seeded[start] = True
    trial = seeded.copy()  # on the front
    ticket = np.empty(len(times), np.int32)  # tells duplicates in a list of voxels apart
    front = start
    while len(front):
        accepted = arrival <= np.min(arrival) + GROUP * slowness[front]
        group, reached = front[accepted], arrival[accepted]
        times[group], trial[group] = reached, False
        touched = []
        for stride in strides:
            for neighbours in (group - stride, group + stride):
                touched.append(neighbours[times[neighbours] > reached])
        later = np.concatenate(touched)
        numbers = np.arange(len(later), dtype=np.int32)
        ticket[later] = numbers
        voxels = later[(ticket[later] == numbers) & (slowness[later] < np.inf)]
        crossing = slowness[voxels]
        arrivals = _arrival(times, voxels, strides, crossing)
        # Voxels that only saw the front come follow their neighbours either way; what has been
        # accepted may only get earlier, and seeds only by what a shorter way explains.
        kept = seeded[voxels]
        margin = np.where(kept, np.float32(_SEED_MARGIN), np.float32(_TOLERANCE)) * crossing
        follows = np.isinf(times[voxels]) & ~kept
        changed = follows | (arrivals < tentative[voxels] - margin)
        voxels = voxels[changed]
        tentative[voxels] = arrivals[changed]
        fresh = voxels[~trial[voxels]]
        trial[fresh] = True
        front = np.concatenate([front[~accepted], fresh])
        arrival = tentative[front]
    return times


def _arrival(
    times: FloatArray, voxels: Indices, strides: Sequence[int], crossing: FloatArray
) -> FloatArray:
    """Upwind solution of the Eikonal equation at voxels, from their accepted neighbours.

    Along each axis the earlier neighbour counts, to second order where the voxel behind it is
    accepted and not later: weight 3/2 and the extrapolated time, instead of 1 and its own.
    """
    bases, weights = [], []
    arrival = np.full(len(voxels), np.inf, np.float32)
    for stride in strides:
        behind, ahead = times[voxels - stride], times[voxels + stride]
        near = np.minimum(behind, ahead)
        far = times[voxels + np.where(behind < ahead, -2 * stride, 2 * stride)]
        second = (far <= near) & (far < np.inf)
        with np.errstate(invalid="ignore"):  # infinity - infinity, which is not chosen
            near += np.where(second, (near - far) * np.float32(1 / 3), 0)
        weight = np.where(second, np.float32(1.5), np.float32(1))
        np.minimum(arrival, near + crossing / weight, out=arrival)
        bases.append(near)
        weights.append(weight)
    square = crossing * crossing
    late, step = np.empty_like(arrival), np.empty_like(arrival)
    # sum of (weight * max(T - base, 0))² grows convexly with T: Newton's method comes down to
    # the solution from above, from the solution that uses one axis alone. Where all axes count
    # alike, which is worst, three steps leave 3e-5 of the way across a voxel.
    for _ in range(3):
        total, slope = -square, np.zeros_like(arrival)
        for base, weight in zip(bases, weights, strict=True):
            np.subtract(arrival, base, out=late)
            np.maximum(late, 0, out=late)
            late *= weight
            np.multiply(late, weight, out=step)
            slope += step
            late *= late
            total += late
        total /= slope
        total *= np.float32(0.5)
        arrival -= total
    return arrival
