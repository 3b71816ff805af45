# SPDX-License-Identifier: GPL-3.0-or-later
"""RenormalizeSDF: the signed distance to the zero level of a mask or of a distorted level set.

The interface is kept: voxels keep their sign, and the zero level is located inside voxels by foot
points on local quadratics (see `quadratics`). Closest points are then carried outwards over the 26
neighbours, layer by layer, and settled by Newton's method on the quadratic they came from, so the
distance converges with the grid instead of staying wrong by a part of a voxel.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .band import require_half_width
from .grid import FloatArray, Grid, count_text, require_finite, require_scalar
from .memory import require_memory
from .parallel import for_each_chunk
from .quadratics import Indices, Quadratics, fit_quadratics, interface_voxels, newton

MASK_SLOPE = 0.6
"""What a voxel of a mask keeps where smoothing would change its sign (corners, thin parts)."""

_OFFSETS: list[tuple[int, ...]] = [
    offset for offset in itertools.product((-1, 0, 1), repeat=3) if any(offset)
]
_SETTLE_REACH = 1.2
"""Voxels that Newton's method may move a carried closest point: feet are closer than that."""
_CORRECTED_FROM = 4.0
"""Half width in voxels above which a nearer foot point that comes later is passed on, too.

Nearer the surface there is next to nothing to mend, at twice the time.
"""
_BYTES_PER_VOXEL = 14


@dataclass(frozen=True)
class ClosestPoints:
    """The band of voxels near an interface and the points of the interface closest to them.

    Args:
        voxels: flat indices of the n voxels of the band.
        points: float32, shape (3, n), closest points in index coordinates, relative to the voxel.
        distance: float32, shape (n,), unsigned, in voxels.
    """

    voxels: Indices
    points: FloatArray
    distance: FloatArray


def renormalize(grid: Grid, half_width: float = 3.0, iso: float = 0.0) -> Grid:
    """Signed distances to a level of a field, near it.

    Args:
        grid: scalar field, negative inside: a level set distorted in any way that keeps its zero
            level, or a mask (a field of exactly two values). At least 3 voxels along each axis.
        half_width: width of the band on each side of the interface, in voxels, 1 to 1000.
        iso: the level. For a mask of 0 and 1, where 1 is outside, 0.5.

    Returns:
        Signed distances in world units; beyond the band plus or minus its half width.

    Raises:
        StagewrightError: ``no-zero-level`` when no voxel lies on the other side of the level,
            ``not-finite``, ``grid-shape``, ``grid-too-thin``, ``half-width`` or ``out-of-memory``.
    """
    values, inside = _prepare(grid, half_width, iso)
    band = _closest_points(values, inside, half_width)
    limit = grid.dtype.type(half_width * grid.voxel_size)
    result = np.where(inside, -limit, limit)
    distance = np.minimum(band.distance * grid.dtype.type(grid.voxel_size), limit)
    flat = result.ravel()
    flat[band.voxels] = np.copysign(distance, flat[band.voxels])
    return grid.with_values(result)


def closest_points(grid: Grid, half_width: float = 3.0, iso: float = 0.0) -> ClosestPoints:
    """Closest points of a level of a field, for the voxels near it.

    Args:
        grid: as for `renormalize`.
        half_width: width of the band on each side, in voxels, 1 to 1000.
        iso: the level.

    Raises:
        StagewrightError: as for `renormalize`.
    """
    values, inside = _prepare(grid, half_width, iso)
    return _closest_points(values, inside, half_width)


def _prepare(grid: Grid, half_width: float, iso: float) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Validated values with their level at zero, and the voxels inside."""
    require_scalar(grid)
    if min(grid.shape) < 3:
        raise StagewrightError(
            "grid-too-thin",
            f"Distances need 3 voxels along each axis, not {count_text(grid.shape)}.",
            "Use a finer or a larger grid.",
        )
    require_half_width(half_width)
    require_memory(
        grid.values.size * (_BYTES_PER_VOXEL + grid.dtype.itemsize),
        f"Renormalising a grid of {count_text(grid.shape)}",
    )
    require_finite(grid.values)
    values = np.ascontiguousarray(grid.values)
    low, high = np.min(values), np.max(values)
    if not low < iso <= high:
        raise StagewrightError(
            "no-zero-level",
            f"The field has no level {iso:g}: its values lie between {low:g} and {high:g}.",
            "Give a field that is below the level inside and above it outside.",
        )
    inside = values < iso
    if not np.any((values != low) & (values != high)):
        return _smooth_mask(inside), inside
    return (values - grid.dtype.type(iso) if iso else values), inside


def _smooth_mask(inside: NDArray[np.bool_]) -> FloatArray:
    """A field of -1..1 whose zero level passes the mask smoothly; every voxel keeps its sign.

    Two passes of the binomial filter (1, 2, 1) along each axis; integers, so nothing is rounded.
    """
    smooth = inside.astype(np.uint16)
    for axis in (0, 1, 2, 0, 1, 2):
        lines = np.moveaxis(smooth, axis, 0)
        filtered = 2 * smooth
        sums = np.moveaxis(filtered, axis, 0)
        sums[1:] += lines[:-1]
        sums[:-1] += lines[1:]
        sums[0] += lines[0]
        sums[-1] += lines[-1]
        smooth = filtered
    values = smooth.astype(np.float32)
    values *= np.float32(-2 / 4**6)
    values += 1
    changed = (values < 0) != inside
    values[changed] = np.where(inside[changed], -MASK_SLOPE, MASK_SLOPE)
    return values


def _closest_points(
    values: FloatArray, inside: NDArray[np.bool_], half_width: float
) -> ClosestPoints:
    models = fit_quadratics(values, interface_voxels(inside))
    voxels, owners = _carry(models, values.shape, half_width)
    points = np.empty((3, len(owners)), np.float32)
    distance = np.empty(len(owners), np.float32)

    def settle(piece: slice) -> None:
        owner = owners[piece]
        offset = (voxels[:, piece] - models.voxels[:, owner]).astype(np.float32)
        foot = models.foot[:, owner]
        point = np.stack(newton(models.model[:, owner], tuple(offset), tuple(foot), steps=3))
        moved = ((point - foot) ** 2).sum(axis=0)
        keep = models.flat[owner] | ~(moved < _SETTLE_REACH**2)
        points[:, piece] = np.where(keep, foot, point) - offset
        distance[piece] = np.sqrt((points[:, piece] ** 2).sum(axis=0))

    for_each_chunk(len(owners), settle)
    flat = np.ravel_multi_index(tuple(voxels), values.shape)
    return ClosestPoints(flat, points, distance)


def _carry(
    models: Quadratics, shape: tuple[int, ...], half_width: float
) -> tuple[Indices, NDArray[np.int32]]:
    """Give each voxel of the band the model whose foot point is nearest.

    Voxels beside the interface pass their foot points on to all 26 neighbours, later ones only
    into the octant that leads away from their foot point; in wide bands again when a nearer one
    has come.

    Returns:
        Index coordinates (3, n) of the band's voxels and the models they got.
    """
    padded = tuple(count + 2 for count in shape)  # a rim, so that steps outwards need no test
    strides = np.array((padded[1] * padded[2], padded[2], 1))
    far = np.float32((half_width + 2) ** 2)
    floor = far - np.float32((half_width + 0.5) ** 2)
    # far - distance², so that memory the system gives as zeros means "not reached".
    closeness = np.zeros(padded, np.float32).ravel()
    owners = np.empty(padded, np.int32).ravel()
    corrects = half_width > _CORRECTED_FROM
    voxels = models.voxels
    front = _flat_in_rim(voxels, strides)
    owner = np.arange(len(front), dtype=np.int32)
    away = -models.foot  # from the foot point to the voxel
    closeness[front] = far - (away**2).sum(axis=0)
    owners[front] = owner
    layers, everyone = [voxels], np.arange(len(front))
    while len(front):
        reached, changed = [], []
        base, twice = far - (away**2).sum(axis=0), 2 * away
        ways = _ways_on(away) if len(layers) > 1 else [(everyone, _OFFSETS)]
        for group, offsets in ways:
            sources, owned, start, grow = front[group], owner[group], base[group], twice[:, group]
            for offset in offsets:
                closer = start - np.float32(sum(map(abs, offset)))
                for step, part in zip(offset, grow, strict=True):
                    if step:
                        closer = closer - part if step > 0 else closer + part
                targets = sources + int(strides @ offset)
                before = closeness[targets]
                better = np.flatnonzero(closer > np.maximum(before, floor))
                improved = targets[better]
                closeness[improved] = closer[better]
                owners[improved] = owned[better]
                reached.append(improved[before[better] == 0])
                if corrects:
                    changed.append(improved)
        front, voxels = _within(np.sort(np.concatenate(reached)), padded)
        layers.append(voxels)
        if corrects:
            front, voxels = _within(np.unique(np.concatenate(changed)), padded)
        owner = owners[front]
        away = (voxels - models.voxels[:, owner]) - models.foot[:, owner]
        away = away.astype(np.float32)
    band = np.concatenate(layers, axis=1)
    return band, owners[_flat_in_rim(band, strides)]


def _within(flat: Indices, padded: tuple[int, ...]) -> tuple[Indices, Indices]:
    """Those of the flat indices that are not in the rim, and their voxels (3, n)."""
    voxels = np.stack(np.unravel_index(flat, padded)) - 1
    inside = np.all((voxels >= 0) & (voxels < np.array(padded)[:, None] - 2), axis=0)
    return flat[inside], voxels[:, inside]


def _ways_on(away: FloatArray) -> Iterator[tuple[Indices, list[tuple[int, ...]]]]:
    """The voxels of each octant and the offsets that lead into it."""
    octant = (away < 0).T @ np.array((4, 2, 1), np.uint8)
    for number, signs in enumerate(itertools.product((1, -1), repeat=3)):
        steps = itertools.product(*((0, sign) for sign in signs))
        yield np.flatnonzero(octant == number), [step for step in steps if any(step)]


def _flat_in_rim(voxels: Indices, strides: Indices) -> Indices:
    return strides @ (voxels + 1)
