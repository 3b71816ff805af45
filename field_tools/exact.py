# SPDX-License-Identifier: GPL-3.0-or-later
"""Proved distances to a triangle mesh in a narrow band.

Triangles are cut into pieces with small bounding spheres; a piece is measured at every voxel whose
distance so far does not already lie below the sphere's. A good first guess makes that rare.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .grid import FloatArray
from .parallel import CHUNK, for_each_chunk
from .triangles import TriangleMesh, closest_on_triangles

RADII = (0.25, 0.5, 1.0, 1.5)
"""Classes of bounding spheres, in voxels; larger triangles are cut."""


def exact_squares(
    mesh: TriangleMesh,
    keys: NDArray[np.int64],
    guess: FloatArray,
    shape: tuple[int, int, int],
    reach: float,
) -> tuple[NDArray[np.int64], FloatArray]:
    """Proved distances, from a guess: squared distances of some ascending voxels.

    Returns:
        ascending voxels nearer than ``reach`` voxels to the mesh, and their squared distances.
    """
    owners, centers, radii = _pieces(mesh)
    nx, ny, nz = shape
    plane = ny * nz
    depth = max(1, min(nx, (1 << 21) // plane))
    starts = range(0, nx, depth)
    results: list[tuple[NDArray[np.int64], FloatArray]] = [None] * len(starts)  # type: ignore[list-item]

    def solve(part: slice) -> None:
        for slab in range(part.start, part.stop):
            first = starts[slab]
            stop = min(first + depth, nx)
            squares = np.full((stop - first, ny, nz), reach * reach, np.float32)
            low, high = np.searchsorted(keys, [first * plane, stop * plane])
            flat = squares.reshape(-1)
            # Just above the guess, so that rounding cannot shut out the guess itself.
            flat[keys[low:high] - first * plane] = guess[low:high] * (1 + 1e-5)
            for low_radius, radius in zip((0.0, *RADII), RADII, strict=False):
                margin = reach + radius + 1
                chosen = (radii > low_radius) & (radii <= radius)
                chosen &= (centers[0] > first - margin) & (centers[0] < stop + margin)
                which = np.flatnonzero(chosen)
                _lower(mesh, owners[which], centers[:, which], radius, squares, first, reach)
            near = np.flatnonzero(flat < reach * reach)
            results[slab] = near + first * plane, flat[near]

    for_each_chunk(len(starts), solve, length=1)
    return np.concatenate([r[0] for r in results]), np.concatenate([r[1] for r in results])


def _lower(
    mesh: TriangleMesh,
    owners: NDArray[np.int32],
    centers: FloatArray,
    radius: float,
    squares: FloatArray,
    first: int,
    reach: float,
) -> None:
    """Write the pieces' distances into the slab ``squares`` of planes from ``first``."""
    extent = int(np.ceil(reach + radius + 0.5))
    axis = np.arange(-extent, extent + 1)
    offsets = np.stack(np.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, -1)
    offsets = offsets[:, (offsets**2).sum(axis=0) < (reach + radius + 0.87) ** 2]
    planes, ny, nz = squares.shape
    flat = squares.reshape(-1)
    batch = max(1, 4 * CHUNK // offsets.shape[1])
    for start in range(0, len(owners), batch):
        center = centers[:, start : start + batch, None]
        voxels = np.rint(center).astype(np.int32) + offsets[:, None, :].astype(np.int32)
        difference = voxels - center
        away = np.sqrt((difference * difference).sum(axis=0)) - np.float32(radius)
        np.maximum(away, 0, out=away)
        voxels[0] -= first
        within = (voxels[0] >= 0) & (voxels[0] < planes)
        within &= (voxels[1] >= 0) & (voxels[1] < ny) & (voxels[2] >= 0) & (voxels[2] < nz)
        index = (voxels[0] * ny + voxels[1]) * nz + voxels[2]
        index[~within] = 0
        piece, offset = np.nonzero(within & (away * away < flat[index]))
        where = index[piece, offset]
        points = voxels[:, piece, offset].astype(mesh.points.dtype)
        points[0] += first
        owner = owners[start : start + batch][piece]
        for cut in range(0, len(owner), CHUNK):
            part = slice(cut, cut + CHUNK)
            # Needles cancel in float32: their proof needs the longer numbers.
            corners = (p.astype(np.float64) for p in mesh.corner_points(owner[part]))
            value, _, _ = closest_on_triangles(points[:, part].astype(np.float64), *corners)
            np.minimum.at(flat, where[part], value.astype(np.float32))


def _pieces(mesh: TriangleMesh) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
    """Triangles cut until they fit the largest sphere: owners, sphere centres (3, p), radii."""
    owner = np.arange(mesh.count, dtype=np.int32)
    a, b, c = mesh.corner_points(owner)
    done: list[tuple[NDArray[np.int32], FloatArray, FloatArray]] = []
    while True:
        center = (a + b + c) / 3
        radius = np.sqrt(
            np.max([((corner - center) ** 2).sum(axis=0) for corner in (a, b, c)], axis=0)
        )
        radius *= np.float32(1 + 1e-5)
        radius = np.maximum(radius, np.float32(1e-6))
        small = radius <= RADII[-1]
        done.append((owner[small], center[:, small], radius[small]))
        if small.all():
            break
        large = ~small
        a, b, c, owner = a[:, large], b[:, large], c[:, large], owner[large]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        a, b, c = (
            np.concatenate(corners, axis=1)
            for corners in ((a, ab, ca, ab), (ab, b, bc, bc), (ca, bc, c, ca))
        )
        owner = np.tile(owner, 4)
    return (
        np.concatenate([d[0] for d in done]),
        np.concatenate([d[1] for d in done], axis=1),
        np.concatenate([d[2] for d in done]),
    )
