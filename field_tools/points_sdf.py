# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles to signed distance: the union of spheres, and the smoother surface of Zhu and Bridson.

Particles are sorted into voxels and taken in rounds of at most one per voxel: within a round no
two write to the same voxel, so the numpy passes need no atomic minimum, and they walk through
memory in order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .band import NarrowBand, require_half_width
from .grid import Grid, count_text, cubic_voxel_size, lattice_over
from .memory import require_memory
from .parallel import CHUNK, for_each_chunk

SLAB = 1 << 19
"""Voxels of the slab of planes that a thread works on."""


@dataclass(frozen=True, eq=False)
class _Particles:
    """Particles in the order of their voxels.

    Attributes:
        cells: (3, n) int32 nearest voxels.
        rest: (3, n) float32 positions relative to them, in voxels.
        radii: (n,) float32 in voxels.
        shape: voxels along x, y, z.
        first: (3,) index of voxel (0, 0, 0) on the world's lattice.
        size: voxel size.
    """

    cells: NDArray[np.int32]
    rest: NDArray[np.float32]
    radii: NDArray[np.float32]
    shape: tuple[int, int, int]
    first: NDArray[np.float64]
    size: float

    @property
    def origin(self) -> tuple[float, float, float]:
        """World position of voxel (0, 0, 0)."""
        x, y, z = (self.first * self.size).tolist()
        return x, y, z


def points_to_sdf(
    points: ArrayLike, radius: ArrayLike, voxel_size: float, *, half_width: float = 3.0
) -> NarrowBand:
    """Signed distance to the union of spheres around particles.

    Outside it is the distance to the nearest sphere, exactly; inside it is the least of the
    spheres' own (the bound that CSG unions give, as OpenVDB's particlesToLevelSet).

    Args:
        points: (n, 3) world positions.
        radius: of all spheres, or (n,) of each, world units above 0.
        voxel_size: side of a voxel in world units; centres lie on its multiples.
        half_width: width of the band on each side, in voxels, 1 to 1000.

    Raises:
        StagewrightError: ``points-shape``, ``points-empty``, ``not-finite``, ``bad-size``,
            ``half-width``, ``voxel-size``, ``grid-too-fine`` or ``out-of-memory``.
    """
    require_half_width(half_width)
    particles = _sorted_particles(points, radius, voxel_size, half_width)
    nx, ny, nz = particles.shape
    depth = max(1, SLAB // (ny * nz))
    slabs: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = [
        (np.empty(0, np.int64), np.empty(0, np.float32))
    ] * (-(-nx // depth))

    def solve(part: slice) -> None:
        for number in range(part.start, part.stop):
            first = number * depth
            planes = min(depth, nx - first)
            values = _union(particles, first, planes, half_width)
            band = np.flatnonzero(np.abs(values) < half_width)
            slabs[number] = band + first * ny * nz, values[band] * np.float32(particles.size)

    for_each_chunk(len(slabs), solve, length=1)
    return NarrowBand(
        np.concatenate([keys for keys, _ in slabs]),
        np.concatenate([values for _, values in slabs]),
        particles.shape,
        particles.size,
        particles.origin,
        half_width * particles.size,
    )


def points_to_smooth_sdf(
    points: ArrayLike,
    radius: float,
    voxel_size: float,
    *,
    kernel_radius: float | None = None,
) -> Grid:
    """The smooth surface of Y. Zhu and R. Bridson, "Animating Sand as a Fluid" (2005).

    Every voxel measures its distance to the weighted mean of the particles within
    ``kernel_radius`` and subtracts the particles' radius; weights are (1 - (d / R)^2)^3. Near the
    surface of an even cloud it is flat where a union of spheres is bumpy. It is not a distance
    further inside, and voxels that no particle reaches take ``kernel_radius``.

    Args:
        points: (n, 3) world positions.
        radius: particle radius, world units.
        voxel_size: side of a voxel in world units.
        kernel_radius: reach of a particle, world units; 4 times ``radius`` unless given.

    Raises:
        StagewrightError: as `points_to_sdf`.
    """
    size = cubic_voxel_size(voxel_size)
    reach = (4 * radius if kernel_radius is None else kernel_radius) / size
    if not (np.isfinite(reach) and reach >= 1):
        raise StagewrightError(
            "bad-size",
            f"A kernel radius of {reach:g} voxels reaches no voxel.",
            "Give a kernel radius of at least one voxel, or smaller voxels.",
        )
    particles = _sorted_particles(points, radius, size, reach)
    nx, ny, nz = particles.shape
    require_memory(4 * nx * ny * nz, f"A grid of {count_text(particles.shape)}")
    result = np.empty(particles.shape, np.float32)
    depth = max(1, SLAB // (ny * nz))

    def solve(part: slice) -> None:
        for number in range(part.start, part.stop):
            first = number * depth
            planes = min(depth, nx - first)
            weight, away = _weighted_means(particles, first, planes, reach)
            distance = np.sqrt((away * away).sum(axis=0)) / np.maximum(weight, 1e-12)
            distance = np.where(weight > 1e-6, distance - radius / size, reach)
            result[first : first + planes].reshape(-1)[:] = distance * particles.size

    for_each_chunk(-(-nx // depth), solve, length=1)
    return Grid(result, particles.size, particles.origin)


def _union(
    particles: _Particles, first: int, planes: int, half_width: float
) -> NDArray[np.float32]:
    """Least distance to a sphere, in voxels, of the voxels of a slab."""
    _, ny, nz = particles.shape
    uniform = bool(np.min(particles.radii) == np.max(particles.radii))
    largest = float(np.max(particles.radii))
    # Squares compare as distances do while the radius is one for all, and need no root.
    reach = largest + half_width
    extent = math.ceil(reach + 0.5)
    # Room before the slab, so that the indices of particles outside it stay above 0.
    outside = _margin(reach) * ny * nz
    margin = outside + extent * (ny + 1) * nz
    values = np.empty(planes * ny * nz + 2 * margin, np.float32)
    values[margin:-margin] = np.inf
    offsets = _ball(reach)
    for part, key, low, leaves in _rounds(particles, first, planes, reach):
        rest, radii, place = particles.rest[:, part], particles.radii[part], key + outside
        step = np.arange(-extent, extent + 1, dtype=np.float32)[:, None]
        x, y, z = (np.square(rest[axis] - step) for axis in range(3))
        plane = None
        for dx, dy, dz in offsets.tolist():
            if (dx, dy) != plane:
                plane = (dx, dy)
                flat = x[dx + extent] + y[dy + extent]
            inner = slice(*np.searchsorted(low, [-dx, planes - dx])) if leaves else slice(None)
            value = flat[inner] + z[dz + extent, inner]
            if not uniform:
                np.sqrt(value, out=value)
                value -= radii[inner]
            # A shifted view spares adding the offset to every index.
            seen = values[margin - outside + (dx * ny + dy) * nz + dz :]
            np.minimum(value, seen.take(place[inner]), out=value)
            seen[place[inner]] = value
    values = values[margin:-margin]
    if uniform:
        np.sqrt(values, out=values)
        values -= np.float32(largest)
    return values


def _weighted_means(
    particles: _Particles, first: int, planes: int, reach: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sums of weights, and of weighted offsets to particles (3, v), of the voxels of a slab."""
    _, ny, nz = particles.shape
    weights = np.zeros(planes * ny * nz, np.float32)
    away = np.zeros((3, planes * ny * nz), np.float32)
    for part, key, low, leaves in _rounds(particles, first, planes, reach):
        rest = particles.rest[:, part]
        for offset in _ball(reach):
            plane = low + offset[0]
            start, stop = np.searchsorted(plane, [0, planes]) if leaves else (0, len(key))
            if start == stop:
                continue
            difference = rest[:, start:stop] - offset[:, None].astype(np.float32)
            weight = 1 - (difference * difference).sum(axis=0) / np.float32(reach * reach)
            np.maximum(weight, 0, out=weight)
            weight *= weight * weight
            where = key[start:stop] + int((offset[0] * ny + offset[1]) * nz + offset[2])
            weights[where] += weight
            for axis in range(3):
                away[axis][where] += weight * difference[axis]
    return weights, away


def _rounds(
    particles: _Particles, first: int, planes: int, reach: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], bool]]:
    """Particles of a slab in rounds of one per voxel.

    Yields:
        their numbers, their voxels' flat indices and planes in the slab (ascending), and whether
        their reach may leave the slab.
    """
    _, ny, nz = particles.shape
    margin = _margin(reach)
    planes_of = particles.cells[0]
    start, stop = np.searchsorted(planes_of, [first - margin, first + planes + margin])
    cells = particles.cells[:, start:stop].astype(np.int64)
    key = ((cells[0] - first) * ny + cells[1]) * nz + cells[2]
    new = np.diff(key, prepend=np.iinfo(np.int64).min) != 0
    heads = np.flatnonzero(new)
    turn = np.arange(len(key)) - np.repeat(heads, np.diff(np.append(heads, len(key))))
    order = np.argsort(turn.astype(np.int16 if len(key) < 2**15 else np.int32), kind="stable")
    ends = np.searchsorted(turn[order], np.arange(int(np.max(turn)) + 2)) if len(key) else [0]
    for begin, end in zip(ends[:-1], ends[1:], strict=True):
        for cut in range(begin, end, CHUNK):
            chosen = order[cut : min(cut + CHUNK, end)]
            low = (cells[0, chosen] - first).astype(np.int32)
            leaves = bool(low[0] < margin or low[-1] >= planes - margin)
            yield chosen + start, key[chosen], low, leaves


def _margin(reach: float) -> int:
    """Planes beyond a slab whose particles may reach into it."""
    return math.ceil(reach) + 1


def _ball(reach: float) -> NDArray[np.int64]:
    """Voxel offsets (o, 3) that a point in the middle voxel can reach."""
    extent = math.ceil(reach + 0.5)
    axis = np.arange(-extent, extent + 1)
    offsets = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    gap = np.maximum(np.abs(offsets) - 0.5, 0)
    return offsets[(gap * gap).sum(axis=1) < reach * reach]


def _sorted_particles(
    points: ArrayLike, radius: ArrayLike, voxel_size: float, reach: float
) -> _Particles:
    """Check particles and sort them by voxel; ``reach`` is room around the spheres in voxels."""
    size = cubic_voxel_size(voxel_size)
    positions, radii = np.asarray(points), np.asarray(radius, np.float32)
    if (
        positions.ndim != 2
        or positions.shape[1] != 3
        or radii.shape not in ((), positions.shape[:1])
    ):
        raise StagewrightError(
            "points-shape",
            f"Points are (n, 3) with one radius or (n,) radii, not {positions.shape} and "
            f"{radii.shape}.",
            "Give plain arrays.",
        )
    if len(positions) == 0:
        raise StagewrightError("points-empty", "There are no points.", "Give at least one point.")
    low, high = positions.min(axis=0).astype(np.float64), positions.max(axis=0).astype(np.float64)
    if not np.isfinite(low + high).all():
        raise StagewrightError(
            "not-finite", "Some points are NaN or infinite.", "Remove those points first."
        )
    if not (np.isfinite(radii).all() and (radii > 0).all()):
        raise StagewrightError(
            "bad-size", "Some radii are not lengths above 0.", "Give finite radii above 0."
        )
    padding = np.ceil(float(np.max(radii)) / size + reach) + 2
    # A particle's voxel and its number share one integer of 64 bits while particles are sorted.
    most = 2 ** (64 - len(positions).bit_length()) - 1
    first, shape = lattice_over(low, high, size, padding, most)
    require_memory(64 * len(positions) + 12 * shape[1] * shape[2], f"{len(positions)} points")
    local = np.empty((3, len(positions)), np.float32)
    for axis in range(3):
        local[axis] = positions[:, axis] * (1 / size) - first[axis]
    cells = np.rint(local).astype(np.int32)
    local -= cells
    order = _order(cells, shape)
    return _Particles(
        cells[:, order],
        local[:, order],
        np.broadcast_to(radii / np.float32(size), len(positions))[order],
        shape,
        first,
        size,
    )


def _order(cells: NDArray[np.int32], shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """The particles' order by voxel: a sort of packed numbers, faster than argsort."""
    key = (
        cells[0].astype(np.uint64) * np.uint64(shape[1]) + cells[1].astype(np.uint64)
    ) * np.uint64(shape[2]) + cells[2].astype(np.uint64)
    bits = cells.shape[1].bit_length()
    key <<= np.uint64(bits)
    key |= np.arange(cells.shape[1], dtype=np.uint64)
    key.sort()
    return (key & np.uint64((1 << bits) - 1)).astype(np.int64)
