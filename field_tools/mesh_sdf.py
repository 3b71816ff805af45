# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangle mesh to signed distance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ..jobs.errors import StagewrightError
from .band import NarrowBand
from .closest import nearest_in_band
from .exact import exact_squares
from .grid import count_text, cubic_voxel_size
from .memory import available_memory, require_memory
from .sign import SignMethod, inside_voxels
from .triangles import TriangleMesh, edge_neighbours, validated_mesh

VOXEL_BYTES, TRIANGLE_BYTES = 60, 80
"""Measured peaks, for the estimate before anything is allocated."""
SIGN_METHODS = ("auto", "columns", "majority", "winding", "unsigned")


def mesh_to_sdf(
    vertices: ArrayLike,
    faces: ArrayLike,
    voxel_size: float,
    *,
    half_width: float = 3.0,
    exact: bool = False,
    sign: SignMethod = "auto",
) -> NarrowBand:
    """Signed distance of a triangle mesh in a narrow band around it.

    Voxel centres lie on multiples of ``voxel_size`` (as OpenVDB's), so results line up.

    Args:
        vertices: (n, 3) world positions.
        faces: (m, 3) vertex indices, counter-clockwise seen from outside.
        voxel_size: side of a voxel in world units.
        half_width: width of the band on each side, in voxels, at least 1.
        exact: the closest triangle is proved, not found by a walk over the mesh; slower by
            the number of triangles near each voxel. Otherwise a voxel may keep a triangle that
            is only nearer than all those around it.
        sign: how inside is told (see `field_tools.sign`); ``"unsigned"`` for surfaces without an
            inside.

    Returns:
        The band; ``band.to_grid()`` makes it dense.

    Raises:
        StagewrightError: a mesh without a surface or with NaN (see `validated_mesh`),
            ``voxel-size``, ``half-width``, ``sign-method``, or ``out-of-memory`` before anything
            is allocated.
    """
    points, triangles = validated_mesh(vertices, faces)
    size = cubic_voxel_size(voxel_size)
    if not (np.isfinite(half_width) and half_width >= 1):
        raise StagewrightError(
            "half-width",
            f"A band of {half_width!r} voxels does not hold the surface.",
            "Give at least 1 voxel on each side; 3 is usual.",
        )
    if sign not in SIGN_METHODS:
        raise StagewrightError(
            "sign-method",
            f"There is no sign method {sign!r}.",
            f"Give one of {', '.join(SIGN_METHODS)}.",
        )
    padding = math.ceil(half_width) + 1
    low, high = points.min(axis=0) / size, points.max(axis=0) / size
    first = np.floor(low.astype(np.float64)) - padding
    counts = np.ceil(high.astype(np.float64)) + padding + 1 - first
    _require_room(points, triangles, counts, size, half_width)
    shape = (int(counts[0]), int(counts[1]), int(counts[2]))
    local = np.empty((3, len(points)), np.float32)
    for axis in range(3):
        np.subtract(points[:, axis] * (1 / size), first[axis], out=local[axis], casting="unsafe")
    mesh = TriangleMesh(local, np.ascontiguousarray(triangles.T))
    neighbours = edge_neighbours(mesh.corners, len(points))
    keys, squares = nearest_in_band(mesh, neighbours, shape, half_width)
    del neighbours
    if exact:
        keys, squares = exact_squares(mesh, keys, squares, shape, half_width)
    distances = np.sqrt(squares, dtype=np.float32)
    distances *= np.float32(size)
    if sign != "unsigned":
        inside = inside_voxels(mesh, keys, shape, sign)
        np.negative(distances, where=inside, out=distances)
    x, y, z = (first * size).tolist()
    return NarrowBand(keys, distances, shape, size, (x, y, z), half_width * size)


def _require_room(
    points: np.ndarray, triangles: np.ndarray, counts: np.ndarray, size: float, half_width: float
) -> None:
    """Refuse what cannot fit: voxel numbers above 32 bits, or too large a band."""
    what = f"A band in {count_text(counts)}" if counts.max() < 1e9 else "A band this fine"
    if counts.prod() >= 2**32:
        raise StagewrightError(
            "grid-too-fine",
            f"{what} is beyond the {2**32} voxels that a band is numbered in.",
            f"Use a voxel size above {size * (counts.prod() / 2**32) ** (1 / 3):.3g}.",
        )
    voxels = counts.prod()
    if voxels * VOXEL_BYTES > available_memory() // 2:
        a, b, c = (points[triangles[:, k]].astype(np.float64) for k in range(3))
        area = 0.5 * np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1)).sum() / size**2
        voxels = min(voxels, area * 2 * (half_width + 1) + 1000)
    require_memory(int(voxels * VOXEL_BYTES + TRIANGLE_BYTES * len(triangles)), what)
