# SPDX-License-Identifier: GPL-3.0-or-later
"""Dual contouring: vertices at the least squares points of tangent planes, on edges and corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .parallel import CHUNK, for_each_chunk

CYCLE = ((0, 0), (1, 0), (1, 1), (0, 1))
"""Offsets of the four cells around an edge, counter-clockwise about its axis."""
BEND = 1e-4
"""Squared bending, relative to the slope's square, below which a field counts as straight."""
TINY = np.float32(1e-8)
"""The same where a field is level."""
FARTHEST = np.float32(3**0.5)
"""Voxels from its crossing beyond which a plane says nothing: the diagonal of a cell."""
DAMPING = 0.02
"""Pull towards the mean crossing, relative to a plane's, where planes leave a direction open."""


@dataclass(frozen=True, eq=False)
class Meetings:
    """The crossed edges along one axis and the vertices that meet at them.

    Attributes:
        axis: 0, 1 or 2.
        vertices: (4, e) int32, of the cells at the offsets `CYCLE`.
        fraction: (e,) float32 place of the crossing from the edge's lower end.
        falling: (e,) bool, the values fall along the edge.
    """

    axis: int
    vertices: NDArray[np.int32]
    fraction: NDArray[np.float32]
    falling: NDArray[np.bool_]


def least_squares_points(
    meetings: list[Meetings], planes: list[NDArray[np.float32]], mean: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The point of each vertex nearest to the planes at its crossings, within its cell.

    Args:
        meetings: crossed edges by axis.
        planes: their `tangent_planes`.
        mean: (3, n) mean crossing of each vertex, relative to its cell.

    Returns:
        (3, n) positions relative to the cell, each within 0..1.
    """
    total = mean.shape[1]
    # xx, xy, xz, yy, yz, zz of the matrix, then the right hand side.
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    sums = np.zeros((9, total), np.float32)
    for meeting, plane in zip(meetings, planes, strict=True):
        axis = meeting.axis
        for vertices, (p, q) in zip(meeting.vertices, CYCLE, strict=True):
            for start in range(0, len(vertices), CHUNK):
                part = slice(start, start + CHUNK)
                vertex, normal = vertices[part], plane[:3, part]
                # n . (x - m) = n . (p - m) - height, the crossing p within the cell.
                away = -plane[3, part]
                away += normal[axis] * (meeting.fraction[part] - mean[axis].take(vertex))
                for k, side in (((axis + 1) % 3, p), ((axis + 2) % 3, q)):
                    away += normal[k] * (side - mean[k].take(vertex))
                # Along one axis and side a vertex has one edge, so no index comes twice.
                for row, (i, j) in enumerate(pairs):
                    sums[row][vertex] += normal[i] * normal[j]
                for i in range(3):
                    sums[6 + i][vertex] += normal[i] * away
    result = np.empty_like(mean)

    def solve(part: slice) -> None:
        xx, xy, xz, yy, yz, zz, *right = sums[:, part].astype(np.float64)
        pull = DAMPING * (xx + yy + zz) + 1e-12
        xx, yy, zz = xx + pull, yy + pull, zz + pull
        # The matrix is symmetric, and so is its adjugate.
        cofactors = (
            (yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy),
            (xz * yz - xy * zz, xx * zz - xz * xz, xy * xz - xx * yz),
            (xy * yz - xz * yy, xy * xz - xx * yz, xx * yy - xy * xy),
        )
        determinant = xx * cofactors[0][0] + xy * cofactors[0][1] + xz * cofactors[0][2]
        for i, row in enumerate(cofactors):
            step = (row[0] * right[0] + row[1] * right[1] + row[2] * right[2]) / determinant
            result[i, part] = np.clip(mean[i, part] + step, 0, 1)

    for_each_chunk(total, solve)
    return result


def tangent_planes(
    values: NDArray[Any],
    level: float,
    edges: NDArray[np.int64],
    axis: int,
    fractions: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Unit normals and the field's planes' distances (4, e) at crossings.

    The slope at either end is taken on the side on which the field bends less (ENO), so that a
    crossing beside a sharp edge feels its own face alone, and the end with less bending counts
    more. Zeros where the field is level, as on a ridge, and has no plane.
    """
    shape = values.shape
    flat = values.reshape(-1)
    result = np.empty((4, len(edges)), np.float32)
    if not len(edges):
        return result
    stride = (shape[1] * shape[2], shape[2], 1)[axis]
    # Slopes near 1 whatever the units, so that their squares stay numbers.
    jumps = flat.take(edges + stride).astype(np.float64) - flat.take(edges)
    scale = values.dtype.type(1 / np.abs(jumps).mean())

    def slopes(part: slice) -> None:
        edge = edges[part]
        strides = (shape[1] * shape[2], shape[2], 1)
        fraction = fractions[part]
        normal = np.zeros((3, len(edge)), np.float32)
        height = np.zeros(len(edge), np.float32)
        for end, weight, step_on in (
            (edge, 1 - fraction, fraction),
            (edge + strides[axis], fraction, fraction - 1),
        ):
            gradient = np.empty((3, len(edge)), np.float32)
            bends = np.zeros(len(edge), np.float32)
            for k in range(3):
                at = end // strides[k] % shape[k]
                window = [
                    scale * flat.take(end + (np.clip(at + step, 0, shape[k] - 1) - at) * strides[k])
                    for step in (-2, -1, 0, 1, 2)
                ]
                back, forward = window[2] - window[1], window[3] - window[2]
                bend_back = np.abs(back - (window[1] - window[0]))
                bend_forward = np.abs(forward - (window[4] - window[3]))
                bend = np.abs(forward - back)
                slope = np.where(bend_back < bend_forward, back, forward)
                least = np.minimum(bend_back, bend_forward)
                gradient[k] = np.where(bend <= least, 0.5 * (back + forward), slope)
                bends += np.square(np.minimum(bend, least))
            # The end at which the field bends less speaks louder (as in WENO schemes).
            share = weight / np.square(bends + BEND * (gradient**2).sum(axis=0) + TINY)
            normal += gradient * share
            height += (scale * (flat.take(end) - level) + gradient[axis] * step_on) * share
        length = np.sqrt((normal * normal).sum(axis=0))
        known = (length > 0) & (np.abs(height) <= FARTHEST * length)
        length[~known] = np.inf
        result[:3, part], result[3, part] = normal / length, height / length

    for_each_chunk(len(edges), slopes)
    return result
