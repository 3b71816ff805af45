# SPDX-License-Identifier: GPL-3.0-or-later
"""Smooth fluid surfaces from particles with anisotropic kernels.

J. Yu and G. Turk, "Reconstructing Surfaces of Particle-Based Fluids Using Anisotropic Kernels"
(2010): each particle's kernel is stretched along the sheet or strand that its neighbours form, so
flat surfaces become flat and thin ones stay whole, where spheres leave bumps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .grid import Grid, count_text, cubic_voxel_size, lattice_over
from .memory import require_memory
from .neighbours import checked_points, neighbour_pairs
from .parallel import for_each_chunk

Floats = NDArray[np.float64]

SMOOTHING = 0.9
"""How far a particle moves to the weighted mean of its neighbours (the paper's lambda)."""
STRETCH = 4.0
"""Greatest ratio of a kernel's axes (the paper's k_r)."""
FEW = 25
"""Neighbours below which a kernel stays a small sphere (the paper's N_eps)."""
LONELY = 0.5
"""Size of such a sphere, of the kernel radius (the paper's k_n)."""
_PAIRS = 1 << 21


@dataclass(frozen=True, eq=False)
class Kernels:
    """Anisotropic kernels of particles.

    Attributes:
        centers: (n, 3) smoothed positions, world units.
        shapes: (n, 3, 3) symmetric matrices that take an offset to kernel radii.
        volumes: (n,) the share of space that each particle stands for, world units cubed.
    """

    centers: Floats
    shapes: Floats
    volumes: Floats


def anisotropic_kernels(points: ArrayLike, kernel_radius: float) -> Kernels:
    """The kernels of particles, from the weighted covariance of their neighbours.

    Args:
        points: (n, 3) world positions.
        kernel_radius: reach of an undistorted kernel, about 4 times the particles' spacing;
            neighbours are those within it.

    Raises:
        StagewrightError: ``points-shape``, ``points-empty``, ``not-finite`` or ``bad-size``.
    """
    positions = checked_points(points, "Particles").astype(np.float64)
    if not (np.isfinite(kernel_radius) and kernel_radius > 0):
        raise StagewrightError(
            "bad-size",
            f"The kernel radius {kernel_radius!r} is not a length above 0.",
            "Give about four times the distance between particles.",
        )
    count = len(positions)
    total, number, near_mass = np.zeros(count), np.zeros(count), np.zeros(count)
    mean = np.zeros((count, 3))
    second = np.zeros((count, 6))
    pairs = [(a, b) for a in range(3) for b in range(a, 3)]
    for i, j in neighbour_pairs(positions, kernel_radius):
        # Relative to the particle itself, so that nothing cancels far from the origin.
        offset = positions[j] - positions[i]
        distance = np.sqrt(np.einsum("ij,ij->i", offset, offset)) / kernel_radius
        weight = 1 - distance**3
        total += np.bincount(i, weight, count)
        number += np.bincount(i, minlength=count)
        near_mass += np.bincount(i, _cubic_spline(2 * distance), count)
        for axis in range(3):
            mean[:, axis] += np.bincount(i, weight * offset[:, axis], count)
        for column, (a, b) in enumerate(pairs):
            second[:, column] += np.bincount(i, weight * offset[:, a] * offset[:, b], count)
    mean /= total[:, None]
    covariance = np.empty((count, 3, 3))
    for column, (a, b) in enumerate(pairs):
        value = second[:, column] / total - mean[:, a] * mean[:, b]
        covariance[:, a, b] = covariance[:, b, a] = value
    centers = positions + SMOOTHING * mean
    shapes = _shapes(covariance, number, kernel_radius)
    # The kernel reaches half its support of 2: unit mass over the support's volume.
    volumes = (kernel_radius / 2) ** 3 / near_mass
    return Kernels(centers, shapes, volumes)


def points_to_anisotropic_sdf(
    points: ArrayLike,
    kernel_radius: float,
    voxel_size: float,
    *,
    level: float = 0.5,
) -> Grid:
    """The surface of a fluid of particles, as a scalar field, negative inside.

    The field is ``level`` minus the density that the kernels add up to (1 deep inside), times the
    kernel radius: a level set and no distance; `renormalize` makes it one.

    Args:
        points: (n, 3) world positions.
        kernel_radius: reach of an undistorted kernel, about 4 times the particles' spacing.
        voxel_size: side of a voxel in world units; centres lie on its multiples.
        level: density on the surface, above 0 and below 1.

    Raises:
        StagewrightError: as `anisotropic_kernels`, ``voxel-size``, ``grid-too-fine`` or
            ``out-of-memory``.
    """
    size = cubic_voxel_size(voxel_size)
    if not 0 < level < 1:
        raise StagewrightError(
            "bad-level", f"The level {level!r} is no density on a surface.", "Give 0.5, or near it."
        )
    kernels = anisotropic_kernels(points, kernel_radius)
    # An ellipsoid reaches along an axis as far as the inverse matrix's row is long.
    reach = np.linalg.norm(np.linalg.inv(kernels.shapes), axis=2)
    low, high = (kernels.centers - reach).min(axis=0), (kernels.centers + reach).max(axis=0)
    first, shape = lattice_over(low, high, size, 1)
    require_memory(8 * math.prod(shape), f"A grid of {count_text(shape)}")
    centers = kernels.centers / size - first
    density = _splat(centers, kernels.shapes * size, kernels.volumes / size**3, reach / size, shape)
    np.subtract(level, density, out=density)
    density *= kernel_radius
    x, y, z = (first * size).tolist()
    return Grid(density.astype(np.float32), size, (x, y, z))


def _shapes(covariance: Floats, number: Floats, kernel_radius: float) -> Floats:
    """Kernel matrices: inverse square roots of the covariances, with bounded axes.

    The paper scales with a constant k_s so that full neighbourhoods have covariances of about the
    unit matrix; here the axes keep the volume of the undistorted kernel instead, so nothing has to
    be tuned to the particles' spacing.
    """
    values, axes = np.linalg.eigh(covariance)
    lengths = np.sqrt(np.maximum(values, 0))
    longest = np.maximum(lengths.max(axis=1, keepdims=True), 1e-12 * kernel_radius)
    lengths = np.maximum(lengths, longest / STRETCH)
    lengths /= np.cbrt(lengths.prod(axis=1, keepdims=True))
    few = number < FEW
    lengths[few] = LONELY
    inverse = 1 / (lengths * kernel_radius)
    return np.einsum("nij,nj,nkj->nik", axes, inverse, axes)


def _cubic_spline(q: Floats) -> Floats:
    """M4 spline of support 2 and unit mass in three dimensions (J. Monaghan 1992)."""
    near, far = 1 - 1.5 * q**2 + 0.75 * q**3, 0.25 * np.maximum(2 - q, 0) ** 3
    return np.where(q < 1, near, far) / np.pi


def _splat(
    centers: Floats, shapes: Floats, volumes: Floats, reach: Floats, shape: tuple[int, int, int]
) -> Floats:
    """Sum of the kernels at the voxels of a lattice, everything in voxels but the volumes."""
    size = math.prod(shape)
    flat = np.zeros(size)
    first = np.maximum(np.ceil(centers - reach), 0).astype(np.int64)
    last = np.minimum(np.floor(centers + reach), np.array(shape) - 1).astype(np.int64)
    extent = np.maximum(last - first + 1, 0)
    amount = extent.prod(axis=1)
    # Kernels of a particle are normalised by its own matrix; 8: radii to the spline's support.
    scale = volumes * 8 * np.abs(np.linalg.det(shapes))
    ends = np.cumsum(amount)
    cuts = [0]
    while cuts[-1] < len(centers):
        base = ends[cuts[-1] - 1] if cuts[-1] else 0
        cuts.append(max(int(np.searchsorted(ends, base + _PAIRS, "right")), cuts[-1] + 1))
    results: list[tuple[NDArray[np.int64], Floats] | None] = [None] * (len(cuts) - 1)

    def work(part: slice) -> None:
        for batch in range(part.start, part.stop):
            box = slice(cuts[batch], cuts[batch + 1])
            count = amount[box]
            which = np.repeat(np.arange(box.start, box.stop), count)
            rest = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
            z = rest % extent[which, 2]
            y = rest // extent[which, 2] % extent[which, 1]
            x = rest // (extent[which, 2] * extent[which, 1])
            voxel = first[which] + np.stack([x, y, z], axis=1)
            radii = np.einsum("nij,nj->ni", shapes[which], voxel - centers[which])
            q = 2 * np.sqrt(np.einsum("ij,ij->i", radii, radii))
            near = np.flatnonzero(q < 2)
            key = np.ravel_multi_index(tuple(voxel[near].T), shape)
            results[batch] = key, scale[which[near]] * _cubic_spline(q[near])

    step = 8
    for start in range(0, len(results), step):
        stop = min(start + step, len(results))

        def some(part: slice, start: int = start) -> None:
            work(slice(part.start + start, part.stop + start))

        for_each_chunk(stop - start, some, length=1)
        for batch in range(start, stop):
            # In the order of the particles, whichever thread was first.
            key, value = results[batch] or (np.empty(0, np.int64), np.empty(0))
            np.add.at(flat, key, value)
            results[batch] = None
    return flat.reshape(shape)
