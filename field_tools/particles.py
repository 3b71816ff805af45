# SPDX-License-Identifier: GPL-3.0-or-later
"""Between particles and grids: density, and velocities by PIC and APIC.

Particles give their quantities to the eight samples around them with trilinear weights (Particle
in Cell, F. Harlow 1964). APIC (C. Jiang et al., "The Affine Particle-In-Cell Method", 2015) also
carries each particle's velocity gradient there and back, so rotation and shear are not lost.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .grid import FloatArray, Grid, count_text, cubic_voxel_size, lattice_over
from .memory import require_memory
from .neighbours import checked_points
from .parallel import CHUNK
from .staggered import StaggeredGrid

Floats = NDArray[np.float64]
_BATCH = 16 * CHUNK


@dataclass(frozen=True, eq=False)
class ParticleVelocities:
    """What particles take from a grid.

    Attributes:
        velocity: (n, 3) world lengths per unit of time.
        gradient: (n, 3, 3), row i the gradient of component i.
    """

    velocity: Floats
    gradient: Floats


def particle_density(
    points: ArrayLike, voxel_size: float, mass: ArrayLike = 1.0, *, padding: int = 1
) -> Grid:
    """Mass per volume of particles, trilinear.

    Args:
        points: (n, 3) world positions.
        voxel_size: side of a voxel in world units; centres lie on its multiples.
        mass: of all particles, or (n,) of each.
        padding: voxels added on every side.

    Returns:
        A float32 grid whose sum times the voxels' volume is the particles' whole mass.

    Raises:
        StagewrightError: ``points-shape``, ``points-empty``, ``not-finite``, ``voxel-size``,
            ``grid-too-fine`` or ``out-of-memory``.
    """
    positions = checked_points(points, "Particles")
    size = cubic_voxel_size(voxel_size)
    masses = _per_particle(mass, len(positions), "mass")
    low, high = (edge.astype(np.float64) for edge in (positions.min(axis=0), positions.max(axis=0)))
    first, shape = lattice_over(low, high, size, max(padding, 0))
    require_memory(8 * math.prod(shape), f"A grid of {count_text(shape)}")
    local = positions / size - first
    total = _deposit(local, shape, [masses])[0]
    total *= size**-3
    x, y, z = (first * size).tolist()
    return Grid(total.reshape(shape).astype(np.float32), size, (x, y, z))


def particles_to_staggered(
    points: ArrayLike,
    velocities: ArrayLike,
    cells: Grid,
    *,
    mass: ArrayLike = 1.0,
    gradient: ArrayLike | None = None,
) -> tuple[StaggeredGrid, StaggeredGrid]:
    """The velocity of particles on the faces of cells: PIC, or APIC with their gradients.

    Args:
        points: (n, 3) world positions; those outside give to the nearest faces.
        velocities: (n, 3).
        cells: any grid on the cells' lattice; its values are not read.
        mass: of all particles, or (n,) of each.
        gradient: (n, 3, 3) velocity gradients, as in `ParticleVelocities`.

    Returns:
        The velocity, mean over the particles around each face and 0 where there is none; and the
        mass that each face got.

    Raises:
        StagewrightError: ``points-shape``, ``points-empty`` or ``not-finite``.
    """
    positions = checked_points(points, "Particles").astype(np.float64)
    moving = checked_points(velocities, "Velocities").astype(np.float64)
    count = len(positions)
    slopes = None if gradient is None else np.asarray(gradient, np.float64)
    if len(moving) != count or (slopes is not None and slopes.shape != (count, 3, 3)):
        raise StagewrightError(
            "points-shape",
            f"{count} particles have {len(moving)} velocities and gradients of shape "
            f"{None if slopes is None else slopes.shape}.",
            "Give one velocity, and one 3 x 3 gradient or none, for each particle.",
        )
    masses = _per_particle(mass, count, "mass")
    faces, amounts = [], []
    for axis, grid in enumerate(_face_cells(cells).face_grids()):
        local = grid.world_to_index(positions)
        slope = None if slopes is None else slopes[:, axis] * cells.voxel_size
        weight, momentum = _deposit(
            local, grid.shape, [masses, masses * moving[:, axis]], slope, masses
        )
        velocity = np.divide(momentum, weight, out=np.zeros_like(weight), where=weight > 0)
        faces.append(velocity.reshape(grid.shape).astype(cells.dtype))
        amounts.append(weight.reshape(grid.shape).astype(cells.dtype))
    empty = _face_cells(cells)
    return empty.with_components(*faces), empty.with_components(*amounts)


def staggered_to_particles(velocity: StaggeredGrid, points: ArrayLike) -> ParticleVelocities:
    """Velocities and their gradients at particles, trilinear; beyond the grid those of its rim.

    Raises:
        StagewrightError: ``points-shape``, ``points-empty`` or ``not-finite``.
    """
    positions = checked_points(points, "Particles").astype(np.float64)
    values = np.zeros((len(positions), 3))
    slopes = np.zeros((len(positions), 3, 3))
    for axis, grid in enumerate(velocity.face_grids()):
        flat = np.ascontiguousarray(grid.values).reshape(-1)
        for part in _parts(len(positions)):
            local = grid.world_to_index(positions[part])
            for index, weight, slope, _ in _corners(local, grid.shape):
                value = flat[index]
                values[part, axis] += weight * value
                slopes[part, axis] += slope * value[:, None]
    slopes /= velocity.voxel_size
    return ParticleVelocities(values, slopes)


def _face_cells(cells: Grid) -> StaggeredGrid:
    """Faces of the cells whose values, one number that is not read, take no memory."""
    nothing = np.zeros(1, cells.dtype)
    shapes = [[n + (k == axis) for k, n in enumerate(cells.shape)] for axis in range(3)]
    x, y, z = (np.broadcast_to(nothing, shape) for shape in shapes)
    return StaggeredGrid(x, y, z, cells.voxel_size, cells.origin)


def _per_particle(value: ArrayLike, count: int, what: str) -> Floats:
    array = np.asarray(value, np.float64)
    if array.shape not in ((), (count,)) or not np.isfinite(array).all():
        raise StagewrightError(
            "points-shape",
            f"The {what} is finite and of shape () or ({count},), not {array.shape}.",
            "Give one number, or one for each particle.",
        )
    return np.broadcast_to(array, count)


def _parts(count: int) -> list[slice]:
    return [slice(start, start + _BATCH) for start in range(0, count, _BATCH)]


def _corners(local: Floats, shape: tuple[int, ...]) -> Any:
    """The eight samples around points: flat index, weight, its slope (n, 3), offset (n, 3)."""
    limit = np.array(shape) - 1
    position = np.clip(local, 0, limit)
    cell = np.minimum(position.astype(np.int64), np.maximum(limit - 1, 0))
    rest = position - cell
    for corner in itertools.product((0, 1), repeat=3):
        side = np.array(corner)
        index = np.ravel_multi_index(tuple(np.minimum(cell + side, limit).T), shape)
        factors = np.where(side, rest, 1 - rest)
        weight = factors.prod(axis=1)
        signs = 2 * side - 1
        slope = np.stack(
            [signs[k] * factors[:, (k + 1) % 3] * factors[:, (k + 2) % 3] for k in range(3)], axis=1
        )
        yield index, weight, slope, cell + side - local


def _deposit(
    local: Floats,
    shape: tuple[int, ...],
    quantities: list[Floats],
    slope: FloatArray | None = None,
    masses: Floats | None = None,
) -> list[Floats]:
    """Sums over the particles around each sample; the last quantity grows by mass times slope."""
    size = math.prod(shape)
    totals = [np.zeros(size) for _ in quantities]
    for part in _parts(len(local)):
        for index, weight, _, offset in _corners(local[part], shape):
            for number, (total, quantity) in enumerate(zip(totals, quantities, strict=True)):
                value = quantity[part]
                if slope is not None and masses is not None and number == len(totals) - 1:
                    value = value + masses[part] * (slope[part] * offset).sum(axis=1)
                total += np.bincount(index, weight * value, size)
    return totals
