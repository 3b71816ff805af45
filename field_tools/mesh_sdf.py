# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangle mesh to signed distance."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from ..jobs.errors import StagewrightError
from .band import NarrowBand, require_half_width
from .closest import nearest_in_band
from .exact import exact_squares
from .grid import FloatArray, count_text, cubic_voxel_size, lattice_over
from .memory import available_memory, require_memory
from .sign import SignMethod, inside_voxels
from .triangles import IntArray, TriangleMesh, edge_neighbours, validated_mesh

VOXEL_BYTES, TRIANGLE_BYTES = 60, 80
"""Measured peaks, for the estimate before anything is allocated."""
MOST_BAND_VOXELS = 2**32 - 1
"""Voxels that a band is numbered in while it is made: numbers of 32 bits sort faster."""
SIGN_METHODS: tuple[SignMethod, ...] = get_args(SignMethod)


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
        half_width: width of the band on each side, in voxels, 1 to 1000.
        exact: the closest triangle is proved, not found by a walk over the mesh; slower by
            the number of triangles near each voxel. Otherwise a voxel may keep a triangle that
            is only nearer than all those around it.
        sign: how inside is told (see `field_tools.sign`); ``"unsigned"`` for surfaces without an
            inside.

    Returns:
        The band; ``band.to_grid()`` makes it dense.

    Raises:
        StagewrightError: a mesh without a surface or with NaN (see `validated_mesh`),
            ``voxel-size``, ``half-width``, ``sign-method``, and before anything is allocated
            ``grid-too-fine`` or ``out-of-memory``.
    """
    points, triangles = validated_mesh(vertices, faces)
    size = cubic_voxel_size(voxel_size)
    require_half_width(half_width)
    if sign not in SIGN_METHODS:
        raise StagewrightError(
            "sign-method",
            f"There is no sign method {sign!r}.",
            f"Give one of {', '.join(SIGN_METHODS)}.",
        )
    low, high = (corner.astype(np.float64) for corner in (points.min(axis=0), points.max(axis=0)))
    first, shape = lattice_over(low, high, size, math.ceil(half_width) + 1, MOST_BAND_VOXELS)
    _require_room(points, triangles, shape, size, half_width)
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
    np.negative(distances, where=inside_voxels(mesh, keys, shape, sign), out=distances)
    x, y, z = (first * size).tolist()
    return NarrowBand(keys, distances, shape, size, (x, y, z), half_width * size)


def _require_room(
    points: FloatArray,
    triangles: IntArray,
    shape: tuple[int, int, int],
    size: float,
    half_width: float,
) -> None:
    """Refuse a band that cannot fit in memory, from the mesh's area where that may matter."""
    voxels: float = math.prod(shape)
    if voxels * VOXEL_BYTES > available_memory() // 2:
        a, b, c = (points[triangles[:, k]].astype(np.float64) for k in range(3))
        area = 0.5 * np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1)).sum() / size**2
        voxels = min(voxels, float(area) * 2 * (half_width + 1) + 1000)
    needed = int(voxels * VOXEL_BYTES + TRIANGLE_BYTES * len(triangles))
    require_memory(needed, f"A band in {count_text(shape)}")
