# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves to signed distance: tubes around polylines, as thick as the curve says at each point."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .band import NarrowBand, require_half_width
from .grid import count_text, cubic_voxel_size, lattice_over
from .memory import require_memory
from .neighbours import checked_points
from .parallel import for_each_chunk

Floats = NDArray[np.floating[Any]]

_PAIRS = 1 << 20
_PIECE = 4.0
"""Longest piece of a segment, in band widths: long diagonals have few voxels in large boxes."""


def curves_to_sdf(
    points: ArrayLike,
    radius: ArrayLike,
    voxel_size: float,
    *,
    offsets: ArrayLike | None = None,
    cyclic: bool = False,
    half_width: float = 3.0,
) -> NarrowBand:
    """Signed distance to tubes around polylines.

    Outside it is the distance to the nearest tube, exactly; inside the least of the segments' own
    (the bound of CSG unions). A segment with different radii at its ends is the hull of the two
    spheres (a round cone).

    Args:
        points: (n, 3) world positions, curve after curve.
        radius: of all points, or (n,) of each, world units above 0.
        voxel_size: side of a voxel in world units; centres lie on its multiples.
        offsets: (c + 1,) where each curve starts in ``points``, and their number at the end, as
            Blender's curves have it; one curve unless given. A curve of one point is a sphere.
        cyclic: the last point of each curve is joined to its first.
        half_width: width of the band on each side, in voxels, 1 to 1000.

    Raises:
        StagewrightError: ``points-shape``, ``points-empty``, ``not-finite``, ``bad-size``,
            ``curve-offsets``, ``half-width``, ``voxel-size``, ``grid-too-fine`` or
            ``out-of-memory``.
    """
    positions = checked_points(points, "Points of curves").astype(np.float64)
    radii = np.asarray(radius, np.float64)
    if radii.shape not in ((), (len(positions),)) or not (np.isfinite(radii) & (radii > 0)).all():
        raise StagewrightError(
            "bad-size", "Some radii are not lengths above 0.", "Give one radius, or one per point."
        )
    size = cubic_voxel_size(voxel_size)
    require_half_width(half_width)
    starts, ends = _segments(len(positions), offsets, cyclic)
    radii = np.broadcast_to(radii, len(positions)) / size
    reach = float(np.max(radii)) + half_width
    low, high = positions.min(axis=0), positions.max(axis=0)
    first, shape = lattice_over(low, high, size, math.ceil(reach) + 1)
    require_memory(4 * math.prod(shape), f"A grid of {count_text(shape)}")
    local = positions / size - first
    values = np.full(shape, half_width, np.float32)
    pieces = _pieces(local[starts], local[ends], radii[starts], radii[ends], half_width)
    # Slabs along x belong to one thread each, so none has to wait for another.
    depth = max(1, min(shape[0], (1 << 20) // (shape[1] * shape[2])))

    def work(part: slice) -> None:
        for slab in range(part.start, part.stop):
            begin = slab * depth
            _write(pieces, values[begin : begin + depth], begin, half_width)

    for_each_chunk(-(-shape[0] // depth), work, length=1)
    keys = np.flatnonzero(np.abs(values) < half_width)
    x, y, z = (first * size).tolist()
    distances = values.reshape(-1)[keys] * np.float32(size)
    return NarrowBand(keys, distances, shape, size, (x, y, z), half_width * size)


def _segments(
    count: int, offsets: ArrayLike | None, cyclic: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last point of every segment; a lone point is a segment to itself."""
    bounds = np.asarray([0, count] if offsets is None else offsets)
    good = bounds.ndim == 1 and len(bounds) > 1 and bounds.dtype.kind in "iu"
    if not good or bounds[0] != 0 or bounds[-1] != count or np.any(np.diff(bounds) < 1):
        raise StagewrightError(
            "curve-offsets",
            f"The curves' offsets do not divide {count} points.",
            f"Start with 0, end with {count}, and rise by each curve's number of points.",
        )
    sizes = np.diff(bounds)
    following = np.arange(1, count + 1)
    last = bounds[1:] - 1
    following[last] = np.where(cyclic & (sizes > 2), bounds[:-1], last)
    start = np.arange(count)
    # A curve's last point has no segment of its own, unless it is alone.
    keep = (following != start) | np.isin(start, last[sizes == 1])
    return start[keep], following[keep]


def _pieces(a: Floats, b: Floats, ra: Floats, rb: Floats, half_width: float) -> tuple[Floats, ...]:
    """Whole segments (2 ends, 2 radii) and the bounding boxes of the pieces they are cut into."""
    length = np.linalg.norm(b - a, axis=1)
    count = np.maximum(np.ceil(length / (_PIECE * half_width)), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(a)), count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    t0, t1 = (number / count[owner])[:, None], ((number + 1) / count[owner])[:, None]
    way = (b - a)[owner]
    one, other = a[owner] + t0 * way, a[owner] + t1 * way
    reach = (np.maximum(ra, rb)[owner] + half_width)[:, None]
    low = np.ceil(np.minimum(one, other) - reach)
    high = np.floor(np.maximum(one, other) + reach)
    return a[owner], b[owner], ra[owner], rb[owner], low, high


def _write(pieces: tuple[Floats, ...], slab: NDArray[np.float32], begin: int, width: float) -> None:
    """Lower the slab's values to the pieces' distances."""
    a, b, ra, rb, low, high = pieces
    shape = np.array(slab.shape)
    base = np.array((begin, 0, 0))
    first = np.maximum(low, base).astype(np.int64)
    extent = np.maximum(np.minimum(high, base + shape - 1).astype(np.int64) - first + 1, 0)
    which = np.flatnonzero(extent.prod(axis=1))
    flat = slab.reshape(-1)
    amount = extent[which].prod(axis=1)
    ends = np.cumsum(amount)
    cut = 0
    while cut < len(which):
        stop = max(int(np.searchsorted(ends, ends[cut] - amount[cut] + _PAIRS)), cut + 1)
        count = amount[cut:stop]
        owner = np.repeat(which[cut:stop], count)
        rest = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        z = rest % extent[owner, 2]
        row = rest // extent[owner, 2]
        voxel = first[owner] + np.stack([row // extent[owner, 1], row % extent[owner, 1], z], 1)
        distance = _round_cone(voxel, a[owner], b[owner], ra[owner], rb[owner])
        near = np.flatnonzero(distance < width)
        key = np.ravel_multi_index(tuple((voxel[near] - base).T), slab.shape)
        np.minimum.at(flat, key, np.maximum(distance[near], -width).astype(np.float32))
        cut = stop


def _round_cone(p: Floats, a: Floats, b: Floats, ra: Floats, rb: Floats) -> Floats:
    """Signed distances to the hulls of pairs of spheres (I. Quilez, "Distance functions")."""
    way, to_a = b - a, p - a
    square = np.einsum("ij,ij->i", way, way)
    fall = ra - rb
    swallowed = square <= fall * fall  # One sphere holds the other, or both are one.
    safe = np.where(swallowed, 1, square)
    along = np.einsum("ij,ij->i", to_a, way) / safe
    off = to_a - along[:, None] * way
    side = np.sqrt(np.einsum("ij,ij->i", off, off))
    length = np.sqrt(safe)
    slope = np.where(swallowed, 0, fall / length)
    cosine = np.sqrt(1 - slope * slope)
    # Where the tube's wall is nearest, the way to it meets the axis before or after the point.
    foot = along - side * slope / (cosine * length)
    wall = side * cosine + along * length * slope - ra
    near_a = np.sqrt(np.einsum("ij,ij->i", to_a, to_a)) - ra
    to_b = p - b
    near_b = np.sqrt(np.einsum("ij,ij->i", to_b, to_b)) - rb
    result = np.where(foot <= 0, near_a, np.where(foot >= 1, near_b, wall))
    return np.where(swallowed, np.where(ra >= rb, near_a, near_b), result)
