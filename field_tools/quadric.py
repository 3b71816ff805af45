# SPDX-License-Identifier: GPL-3.0-or-later
"""Least squares points of tangent planes (the quadratic error function of dual contouring)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DAMPING = 0.02
"""Pull towards the mean crossing, relative to a plane's, where planes leave a direction open."""


def least_squares_points(
    corners: NDArray[np.int32],
    points: NDArray[np.float32],
    planes: NDArray[np.float32],
    mean: NDArray[np.float64],
    cell: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The point of each vertex nearest to the planes through its crossings, within its cell.

    Args:
        corners: (e, 4) the vertices that crossing e belongs to.
        points: (3, e) crossings in voxel units.
        planes: (4, e) unit normals, and the plane's signed distance from the crossing to it.
        mean: (3, n) mean crossing of each vertex.
        cell: (3, n) first corner of each vertex' cell.

    Returns:
        (3, n) positions in voxel units.
    """
    total = mean.shape[1]
    normals, height = planes[:3], planes[3]
    matrix = np.zeros((3, 3, total))
    right = np.zeros((3, total))
    # One corner of the quads after the other keeps the temporaries at a quarter.
    for turn in range(4):
        vertex = corners[:, turn]
        away = ((points - mean[:, vertex]) * normals).sum(axis=0) - height
        for i in range(3):
            right[i] += np.bincount(vertex, normals[i] * away, total)
            for j in range(i, 3):
                matrix[i, j] += np.bincount(vertex, normals[i] * normals[j], total)
    amount = matrix[0, 0] + matrix[1, 1] + matrix[2, 2]
    for i in range(3):
        matrix[i, i] += DAMPING * amount + 1e-12
        for j in range(i):
            matrix[i, j] = matrix[j, i]
    # The matrix is symmetric: its adjugate is made of the cross products of its rows.
    cross = [_cross(matrix[(i + 1) % 3], matrix[(i + 2) % 3]) for i in range(3)]
    determinant = (matrix[0] * cross[0]).sum(axis=0)
    step = np.stack([sum(cross[j][i] * right[j] for j in range(3)) for i in range(3)])
    step /= determinant
    result: NDArray[np.float64] = np.clip(mean + step, cell, cell + 1)
    return result


def _cross(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack(
        [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    )
