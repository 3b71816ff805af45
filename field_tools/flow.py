# SPDX-License-Identifier: GPL-3.0-or-later
"""What flows do: path lines through velocities that change with time, and vorticity confinement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .advect import trace
from .grid import Grid, require_same_lattice, require_vector
from .operators import curl, gradient
from .sampling import sample

_EVEN = 1e-3
"""Part by which vorticity has to change over a voxel to have a direction."""


def path_lines(
    velocities: Sequence[Grid],
    times: Sequence[float],
    seeds: NDArray[np.floating[Any]],
    steps: int = 8,
) -> NDArray[np.floating[Any]]:
    """The paths of particles through a flow that is known at several times (a cached simulation).

    Between two times velocities are interpolated linearly; Runge-Kutta of third order (A. Ralston
    1962). Outside the grid velocities are those of its rim.

    Args:
        velocities: vector fields on one lattice, world lengths per unit of time.
        times: when each holds, rising; at least two.
        seeds: float32 or float64, shape (n, 3), world positions at the first time.
        steps: equal steps between two times.

    Returns:
        World positions, shape (n, len(times), 3), of the seeds' dtype.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-mismatch``, ``points-shape``, ``not-finite`` or
            ``advection-time``.
    """
    clock = np.asarray(times, np.float64)
    rising = len(clock) > 1 and bool(np.isfinite(clock).all() and (np.diff(clock) > 0).all())
    if not rising or len(clock) != len(velocities) or steps < 1:
        raise StagewrightError(
            "advection-time",
            f"{len(velocities)} velocities at times {list(times)} in {steps} steps make no flow.",
            "Give one rising time for each velocity, two at least, and one step or more.",
        )
    for field in velocities:
        require_vector(field)
    require_same_lattice(*velocities)
    line = [np.asarray(seeds)]
    trace(velocities[0], line[0], 0.0)  # Refuses seeds that are no points.
    for number, (before, after) in enumerate(zip(velocities[:-1], velocities[1:], strict=True)):
        here, step = line[-1], (clock[number + 1] - clock[number]) / steps
        for part in range(steps):

            def moving(
                points: NDArray[np.floating[Any]],
                share: float,
                part: int = part,
                before: Grid = before,
                after: Grid = after,
            ) -> NDArray[np.floating[Any]]:
                late = (part + share) / steps
                return (1 - late) * sample(before, points) + late * sample(after, points)

            first = moving(here, 0)
            second = moving(here + step / 2 * first, 1 / 2)
            third = moving(here + step * 3 / 4 * second, 3 / 4)
            ahead = here + step / 9 * (2 * first + 3 * second + 4 * third)
            here = ahead.astype(here.dtype, copy=False)
        line.append(here)
    return np.stack(line, axis=1)


def confinement(velocity: Grid, strength: float = 0.3) -> Grid:
    """The force that keeps whirls alive which a coarse grid would smear out.

    J. Steinhoff and D. Underhill 1994, as in R. Fedkiw, J. Stam and H. Jensen, "Visual Simulation
    of Smoke" (2001): strength times voxel size times N x vorticity, N the direction towards
    stronger vorticity.

    Args:
        velocity: vector field, at least 4 voxels along each axis.
        strength: 0 does nothing, 0.1 to 0.5 is usual.

    Returns:
        Acceleration: add it times the time step to the velocity.

    Raises:
        StagewrightError: ``grid-shape`` or ``grid-too-thin``.
    """
    whirl = curl(velocity)
    size = np.linalg.norm(whirl.values, axis=-1)
    towards = gradient(velocity.with_values(np.ascontiguousarray(size))).values
    steep = np.linalg.norm(towards, axis=-1)
    # Where a whirl is as strong all round, as in rigid motion, rounding has no say.
    steep += _EVEN / velocity.voxel_size * size + np.finfo(velocity.dtype).tiny
    force = np.cross(towards / steep[..., None], whirl.values)
    force *= velocity.dtype.type(strength * velocity.voxel_size)
    return velocity.with_values(force.astype(velocity.dtype, copy=False))
