# SPDX-License-Identifier: GPL-3.0-or-later
"""Closest triangles of the voxels near a surface.

1. The surface is sampled at an even density; every sample is written into the voxels along its
   triangle's normal, and the nearest sample of each voxel wins (one sort of packed integers).
2. From the winner's triangle each voxel walks over the mesh, across the edge or around the corner
   on which its closest point lies, until no neighbour is nearer. Every step is an exact distance.
3. Every voxel offers its closest point to its face neighbours; those to which that is nearer than
   what they have (or that have none, round convex edges) walk from there, until nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .grid import FloatArray
from .parallel import for_each_chunk
from .triangles import INSIDE, IntArray, TriangleMesh, closest_on_triangles

DENSITY = 3.0
"""Samples on one voxel face's area: enough that few voxels of a band have none."""
SLIVER = 0.2
"""A triangle counts at least this part of its longest side's square (or side, above a voxel)."""
ROUND = 8
"""Triangles around a corner that are tried without an improvement."""
BATCH = 1 << 22
"""Voxel entries sorted at once."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """The closest triangle of some voxels.

    Attributes:
        keys: (k,) int64 flat voxel indices, ascending and unique.
        squares: (k,) squared distances in voxels.
        triangles: (k,) int32.
        feet: (3, k) float32 closest points in voxel units.
    """

    keys: NDArray[np.int64]
    squares: FloatArray
    triangles: IntArray
    feet: FloatArray


def nearest_in_band(
    mesh: TriangleMesh, neighbours: IntArray, shape: tuple[int, int, int], reach: float
) -> tuple[NDArray[np.int64], FloatArray]:
    """Ascending voxels within ``reach`` voxels of the surface, and squared distances (fast)."""
    found = nearest_triangles(mesh, neighbours, shape, reach)
    near = found.squares < reach * reach
    return found.keys[near], found.squares[near]


def nearest_triangles(
    mesh: TriangleMesh, neighbours: IntArray, shape: tuple[int, int, int], reach: float
) -> Nearest:
    """The closest triangles of all voxels within ``reach`` voxels, and of some beyond (fast)."""
    found = walk(mesh, neighbours, shape, *splat(mesh, shape, reach))
    givers = np.arange(len(found.keys), dtype=np.int32)
    while len(givers):
        keys, triangles = _offers(found, givers, shape, reach)
        found, givers = merge(found, walk(mesh, neighbours, shape, keys, triangles))
    return found


def voxel_points(
    keys: NDArray[np.int64], shape: tuple[int, int, int], dtype: type[np.floating] = np.float32
) -> FloatArray:
    """Voxel centres (3, k) in voxel units of flat indices."""
    _, ny, nz = shape
    # Floor division of 32-bit integers is several times faster than of 64-bit ones.
    flat = keys.astype(np.uint32) if shape[0] * ny * nz < 2**32 else keys.astype(np.uint64)
    points = np.empty((3, len(keys)), dtype)
    rows = flat // flat.dtype.type(nz)
    np.subtract(flat, rows * flat.dtype.type(nz), out=points[2], casting="unsafe")
    planes = rows // flat.dtype.type(ny)
    np.subtract(rows, planes * flat.dtype.type(ny), out=points[1], casting="unsafe")
    points[0] = planes
    return points


def splat(
    mesh: TriangleMesh, shape: tuple[int, int, int], reach: float
) -> tuple[NDArray[np.int64], IntArray]:
    """Voxels hit by samples along their normals, and the nearest sample's triangle.

    Returns:
        ascending flat voxel indices and triangles.
    """
    triangles, points, normals = _samples(mesh)
    steps = np.arange(-np.ceil(reach), np.ceil(reach) + 1, dtype=np.float32)
    voxels = shape[0] * shape[1] * shape[2]
    key_bits, sample_bits = voxels.bit_length(), len(triangles).bit_length()
    square_bits = min(64 - key_bits - sample_bits, 16)
    bits = (square_bits, sample_bits)
    parts_keys, parts_triangles = [], []
    # Samples in order of x would cut best; slabs of x do without a sort.
    slabs = max(1, -(-len(triangles) * len(steps) // BATCH))
    edges = np.linspace(0, shape[0], slabs + 1).round().astype(int)
    for first, stop in zip(edges[:-1], edges[1:], strict=True):
        if slabs == 1:
            chosen = np.arange(len(triangles))
        else:
            x = points[0]
            chosen = np.flatnonzero((x > first - reach - 1) & (x < stop + reach + 1))
        packed = np.empty((len(steps), len(chosen)), np.uint64)
        slab = (int(first), int(stop))
        write = partial(_write_entries, packed, chosen, points, normals, steps, slab, shape, bits)
        for_each_chunk(len(chosen), write)
        flat = packed.reshape(-1)
        flat.sort()
        voxel_keys = flat >> np.uint64(square_bits + sample_bits)
        new = np.empty(len(flat), bool)
        new[:1] = True
        np.not_equal(voxel_keys[1:], voxel_keys[:-1], out=new[1:])
        new &= flat != np.iinfo(np.uint64).max
        parts_keys.append(voxel_keys[new].astype(np.int64))
        sample = (flat[new] & np.uint64((1 << sample_bits) - 1)).astype(np.int64)
        parts_triangles.append(triangles[sample])
    return np.concatenate(parts_keys), np.concatenate(parts_triangles)


def _write_entries(
    packed: NDArray[np.uint64],
    chosen: NDArray[np.int64],
    points: FloatArray,
    normals: FloatArray,
    steps: FloatArray,
    slab: tuple[int, int],
    shape: tuple[int, int, int],
    bits: tuple[int, int],
    part: slice,
) -> None:
    """Voxel, squared distance and sample, packed to sort in this order, of a chunk of samples."""
    square_bits, sample_bits = bits
    limit = np.float32((float(steps[-1]) + 0.5) ** 2)
    scale = np.float32(((1 << square_bits) - 1) / limit)
    samples = chosen[part]
    start, normal = points[:, samples], normals[:, samples]
    for row, step in enumerate(steps):
        position = normal * step
        position += start
        voxel = np.rint(position)
        difference = voxel - start
        difference *= difference
        square = difference[0] + difference[1] + difference[2]
        keep = (square < limit) & (voxel[0] >= slab[0]) & (voxel[0] < slab[1])
        for axis in (1, 2):
            keep &= (voxel[axis] >= 0) & (voxel[axis] < shape[axis])
        index = voxel[0].astype(np.int64)
        index *= shape[1]
        index += voxel[1].astype(np.int32)
        index *= shape[2]
        index += voxel[2].astype(np.int32)
        key = index.view(np.uint64)
        key <<= np.uint64(square_bits)
        square *= scale
        key |= square.astype(np.uint32)
        key <<= np.uint64(sample_bits)
        key |= samples.view(np.uint64)
        key[~keep] = np.iinfo(np.uint64).max
        packed[row, part] = key


def walk(
    mesh: TriangleMesh,
    neighbours: IntArray,
    shape: tuple[int, int, int],
    keys: NDArray[np.int64],
    triangles: IntArray,
) -> Nearest:
    """Improve each voxel's triangle by steps over the mesh until none is nearer."""
    squares = np.empty(len(keys), np.float32)
    feet = np.empty((3, len(keys)), np.float32)
    result = np.empty(len(keys), np.int32)

    def improve(part: slice) -> None:
        points = voxel_points(keys[part], shape)
        descended = descend(mesh, neighbours, points, triangles[part])
        squares[part], result[part], difference = descended
        np.add(points, difference, out=feet[:, part])

    for_each_chunk(len(keys), improve)
    return Nearest(keys, squares, result, feet)


def merge(one: Nearest, other: Nearest) -> tuple[Nearest, NDArray[np.int32]]:
    """The nearer of both for every voxel of either, and the places where that is ``other``."""
    place = np.searchsorted(one.keys, other.keys)
    known = one.keys[np.minimum(place, len(one.keys) - 1)] == other.keys
    better = np.flatnonzero(known)
    better = better[other.squares[better] < one.squares[place[better]]]
    for mine, theirs in (
        (one.squares, other.squares),
        (one.triangles, other.triangles),
        (one.feet.T, other.feet.T),
    ):
        mine[place[better]] = theirs[better]
    new = np.flatnonzero(~known)
    changed = np.concatenate([other.keys[better], other.keys[new]])
    if len(new):
        at = place[new]
        one = Nearest(
            np.insert(one.keys, at, other.keys[new]),
            np.insert(one.squares, at, other.squares[new]),
            np.insert(one.triangles, at, other.triangles[new]),
            np.insert(one.feet, at, other.feet[:, new], axis=1),
        )
    changed.sort()
    return one, np.searchsorted(one.keys, changed).astype(np.int32)


def descend(
    mesh: TriangleMesh, neighbours: IntArray, points: FloatArray, triangles: IntArray
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Walk over the mesh from each point's triangle to one that no neighbour is nearer than.

    Returns:
        squared distances (k,), triangles (k,), closest points minus points (3, k).
    """
    best = triangles.copy()
    squares, code, difference = closest_on_triangles(points, *mesh.corner_points(triangles))
    best_square = squares.copy()
    active = np.flatnonzero(code != INSIDE)
    points, squares, code = points[:, active], squares[active], code[active]
    here = triangles[active]
    previous, patience = np.full(len(active), -1, np.int32), np.zeros(len(active), np.int8)
    flat = neighbours.reshape(-1)
    count = np.int32(mesh.count)
    while len(active):
        edge = (code & 3).astype(np.int32)  # codes 4-6: the edge that starts at the corner
        there = flat.take(edge * count + here)
        # Around a corner go on, not back; flipped neighbours turn the other way.
        back = np.flatnonzero((there == previous) & (code > INSIDE))
        if len(back):
            there[back] = flat.take((edge[back] + 2) % 3 * count + here[back])
        new_squares, new_code, new_difference = closest_on_triangles(
            points, *mesh.corner_points(there)
        )
        better = new_squares < squares
        won = np.flatnonzero(better)
        squares[won] = new_squares[won]
        best[active[won]], best_square[active[won]] = there[won], new_squares[won]
        difference[:, active[won]] = new_difference[:, won]
        patience += np.int8(1)
        patience[won] = 0
        go = (there != here) & (new_code != INSIDE) & (patience < ROUND)
        go &= better | (new_code > INSIDE)
        keep = np.flatnonzero(go)
        active, points, squares = active[keep], points[:, keep], squares[keep]
        previous, here, code = here[keep], there[keep], new_code[keep]
        patience = patience[keep]
    return best_square, best, difference


def _samples(mesh: TriangleMesh) -> tuple[IntArray, FloatArray, FloatArray]:
    """Evenly spread surface samples: triangles (s,), points (3, s), unit normals (3, s).

    Samples go to triangles by the running sum of their areas, so many small triangles share a
    sample and a large one gets many, spread by the R2 sequence (M. Roberts, 2018).
    """
    weights = np.empty(mesh.count, np.float32)

    def weigh(part: slice) -> None:
        a, b, c = mesh.corner_points(np.arange(part.start, part.stop))
        ab, ac = b - a, c - a
        bc = ac - ab
        normal = _cross(ab, ac)
        area = 0.5 * np.sqrt((normal * normal).sum(axis=0))
        longest = np.maximum((ab * ab).sum(0), (ac * ac).sum(0))
        longest = np.maximum(longest, (bc * bc).sum(0))
        weights[part] = np.maximum(area, SLIVER * np.minimum(longest, np.sqrt(longest)))

    for_each_chunk(mesh.count, weigh)
    total = np.cumsum(weights, dtype=np.float64)
    total *= DENSITY
    # Half a sample ahead, and never fewer than one in all.
    marks = np.floor(total + 0.5).astype(np.int64)
    marks[-1] = max(marks[-1], 1)
    counts = np.diff(marks, prepend=0)
    triangles = np.repeat(np.arange(mesh.count, dtype=np.int32), counts)
    points = np.empty((3, len(triangles)), np.float32)
    normals = np.empty((3, len(triangles)), np.float32)

    def place(part: slice) -> None:
        number = np.arange(part.start, part.stop)
        u = ((number * 0.7548776662466927) % 1.0).astype(np.float32)
        v = ((number * 0.5698402909980532) % 1.0).astype(np.float32)
        beyond = u + v > 1
        u, v = np.where(beyond, 1 - u, u), np.where(beyond, 1 - v, v)
        a, b, c = mesh.corner_points(triangles[part])
        ab, ac = b - a, c - a
        normal = _cross(ab, ac)
        length = np.sqrt((normal * normal).sum(axis=0))
        normals[:, part] = normal / np.maximum(length, np.finfo(np.float32).tiny)
        points[:, part] = a + u * ab + v * ac

    for_each_chunk(len(triangles), place)
    return triangles, points, normals


def _offers(
    found: Nearest, givers: NDArray[np.int32], shape: tuple[int, int, int], reach: float
) -> tuple[NDArray[np.int64], IntArray]:
    """Face neighbours of ``givers`` to which a giver's closest point is nearer than their own.

    Returns:
        ascending voxels, found so far or not, and the triangle of the best offer to each.
    """
    nx, ny, nz = shape
    plane = ny * nz
    steps = (-plane, plane, -nz, nz, -1, 1)
    giver_keys = found.keys[givers]
    depth = max(1, min(nx, (1 << 21) // plane))
    parts: list[NDArray[np.uint64]] = []
    for first in range(0, nx, depth):
        stop = min(first + depth, nx)
        low, high = np.searchsorted(giver_keys, [first * plane, stop * plane])
        if low == high:
            continue
        base = (first - 1) * plane
        start, end = np.searchsorted(found.keys, [base, (stop + 1) * plane])
        place = np.full((stop - first + 2) * plane, -1, np.int32)
        place[found.keys[start:end] - base] = np.arange(start, end, dtype=np.int32)
        offer = partial(_write_offers, parts, found, givers[low:high], place, base, steps, reach)
        for_each_chunk(int(high - low), partial(offer, shape))
    packed = np.concatenate(parts) if parts else np.empty(0, np.uint64)
    keys = (packed >> np.uint64(32)).astype(np.int64)
    giver = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    difference = found.feet[:, giver] - voxel_points(keys, shape)
    # The least offer of each voxel comes first; threads may have left them in any order.
    order = np.lexsort((giver, (difference * difference).sum(axis=0), keys))
    keys, giver = keys[order], giver[order]
    new = np.diff(keys, prepend=-1) != 0
    return keys[new], found.triangles[giver[new]]


def _write_offers(
    offers: list[NDArray[np.uint64]],
    found: Nearest,
    givers: NDArray[np.int32],
    place: IntArray,
    base: int,
    steps: tuple[int, ...],
    reach: float,
    shape: tuple[int, int, int],
    part: slice,
) -> None:
    """Append the offers of a chunk of givers: voxel << 32 | giver."""
    giver = givers[part]
    keys, feet = found.keys[giver], found.feet[:, giver]
    difference = feet - voxel_points(keys, shape)
    square = found.squares[giver]
    for number, step in enumerate(steps):
        # One coordinate of the difference changes by one.
        along = difference[number // 2]
        moved = square + (1 - 2 * along if number % 2 else 1 + 2 * along)
        there = place.take(keys + (step - base))
        own = np.where(there < 0, np.float32(reach * reach), found.squares.take(there))
        better = np.flatnonzero(moved < own * np.float32(1 - 1e-4) - np.float32(1e-6))
        packed = (keys[better] + step).astype(np.uint64) << np.uint64(32)
        packed |= giver[better].astype(np.uint64)
        offers.append(packed)


def _cross(u: FloatArray, v: FloatArray) -> FloatArray:
    return np.stack(
        [
            u[1] * v[2] - u[2] * v[1],
            u[2] * v[0] - u[0] * v[2],
            u[0] * v[1] - u[1] * v[0],
        ]
    )
