# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields to curves: slices, their iso-lines, and streamlines without their dead ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import FloatArray, Grid, require_scalar
from .sampling import sample

Floats = NDArray[np.float64]


def slice_values(grid: Grid, axis: int, position: float) -> FloatArray:
    """The field on a plane across an axis.

    Args:
        grid: scalar or vector field.
        axis: 0, 1 or 2.
        position: world coordinate along the axis; beyond the grid the rim's.

    Returns:
        Values (u, v) or (u, v, 3) at the voxel centres of the two other axes, interpolated
        linearly along the axis.

    Raises:
        StagewrightError: ``bad-slice``.
    """
    if axis not in (0, 1, 2) or not np.isfinite(position):
        raise StagewrightError(
            "bad-slice",
            f"There is no slice across axis {axis!r} at {position!r}.",
            "Give axis 0, 1 or 2 and a finite position.",
        )
    index = (position - grid.origin[axis]) / grid.voxel_size
    index = min(max(index, 0.0), grid.shape[axis] - 1.0)
    low = min(int(index), max(grid.shape[axis] - 2, 0))
    planes = np.moveaxis(grid.values, axis, 0)
    rest = grid.dtype.type(index - low)
    if rest == 0:
        return np.ascontiguousarray(planes[low])
    result: FloatArray = (1 - rest) * planes[low] + rest * planes[low + 1]
    return result


def iso_lines(
    values: NDArray[np.floating[Any]],
    level: float = 0.0,
    spacing: float = 1.0,
    origin: tuple[float, float] = (0.0, 0.0),
) -> list[Floats]:
    """Where a field of two dimensions takes the value ``level``, as polylines (marching squares).

    Where all four sides of a square are crossed its mean tells which corners belong together.
    Smaller values lie to the left of the way.

    Args:
        values: (u, v) floats, at least 2 x 2.
        level: value on the lines.
        spacing: between samples.
        origin: position of sample (0, 0).

    Returns:
        Polylines (n, 2); a closed one ends with its first point.

    Raises:
        StagewrightError: ``image-shape`` or ``not-finite``.
    """
    field = np.asarray(values)
    if field.ndim != 2 or field.dtype.kind not in "fiu" or min(field.shape) < 2:
        raise StagewrightError(
            "image-shape",
            f"Iso-lines need numbers of shape (u, v), 2 x 2 at least, not {field.dtype} of "
            f"{field.shape}.",
            "Take one component, or a larger slice.",
        )
    if not np.isfinite(field).all():
        raise StagewrightError(
            "not-finite", "The slice has values that are NaN or infinite.", "Replace them first."
        )
    start, end, points = _segments(field.astype(np.float64), level)
    lines = [points[chain] for chain in _chains(start, end)]
    return [line * spacing + np.array(origin) for line in lines]


def slice_iso_lines(grid: Grid, axis: int, position: float, level: float = 0.0) -> list[Floats]:
    """Iso-lines of a scalar field on a plane across an axis, as world polylines (n, 3).

    Raises:
        StagewrightError: ``grid-shape``, ``bad-slice``, ``image-shape`` or ``not-finite``.
    """
    require_scalar(grid)
    plane = slice_values(grid, axis, position)
    others = [k for k in range(3) if k != axis]
    corner = (grid.origin[others[0]], grid.origin[others[1]])
    result = []
    for line in iso_lines(plane, level, grid.voxel_size, corner):
        world = np.full((len(line), 3), float(position))
        world[:, others] = line
        result.append(world)
    return result


def polylines(lines: NDArray[np.floating[Any]]) -> list[NDArray[np.floating[Any]]]:
    """Lines of one length as `streamlines` gives them, each cut where it came to rest.

    Args:
        lines: (n, steps + 1, 3).

    Returns:
        Polylines (k, 3) of at least two points; a line that never moved is left out.
    """
    moved = np.any(lines[:, 1:] != lines[:, :-1], axis=2)
    count = np.where(moved.any(axis=1), moved.shape[1] - moved[:, ::-1].argmax(axis=1), 0)
    return [line[: n + 1] for line, n in zip(lines, count.tolist(), strict=True) if n]


def curve_offsets(lines: list[NDArray[np.floating[Any]]]) -> NDArray[np.int32]:
    """Where each polyline starts among the points of all, and their number: Blender's offsets."""
    return np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int32)


def sample_along(grid: Grid, lines: list[NDArray[np.floating[Any]]]) -> list[FloatArray]:
    """The field's values at the points of each polyline (k, 3), to colour it by."""
    if not lines:
        return []
    values = sample(grid, np.concatenate(lines))
    return np.split(values, curve_offsets(lines)[1:-1])


def _segments(field: Floats, level: float) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Directed segments between crossed edges, by number, and the place of every crossing."""
    nu, nv = field.shape
    inside = field < level
    number, points, first = [], [], 0
    for axis in (0, 1):
        low, high = (np.moveaxis(field, axis, 0)[part] for part in (slice(-1), slice(1, None)))
        sides = np.moveaxis(inside, axis, 0)
        crossed = sides[1:] != sides[:-1]
        where = np.argwhere(crossed)
        numbers = np.full(crossed.shape, -1)
        numbers[crossed] = np.arange(first, first + len(where))
        fraction = (level - low[crossed]) / (high[crossed] - low[crossed])
        at = where.astype(np.float64)
        at[:, 0] += fraction
        number.append(np.moveaxis(numbers, 0, axis))
        points.append(at if axis == 0 else at[:, ::-1])
        first += len(where)
    # The four sides of each square, counter-clockwise, and the corners they start from.
    along_u, along_v = number
    sides_of = [along_u[:, :-1], along_v[1:, :], along_u[:, 1:], along_v[:-1, :]]
    corners = [inside[:-1, :-1], inside[1:, :-1], inside[1:, 1:], inside[:-1, 1:]]
    mean = (field[:-1, :-1] + field[1:, :-1] + field[1:, 1:] + field[:-1, 1:]) / 4
    four = np.ones((nu - 1, nv - 1), bool)
    for side in sides_of:
        four &= side >= 0
    joined = four & (mean < level)
    starts, ends = [], []
    for k in range(4):
        # Out of the inside on side k; back in on the next crossed side, or on the one before where
        # the inside corners hang together.
        leaves = corners[k] & ~corners[(k + 1) % 4]
        for turn in (1, 2, 3):
            back = ~corners[(k + turn) % 4] & corners[(k + turn + 1) % 4]
            here = leaves & back & np.where(four, np.where(joined, turn == 1, turn == 3), True)
            starts.append(sides_of[k][here])
            ends.append(sides_of[(k + turn) % 4][here])
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(points)


def _chains(start: NDArray[np.int64], end: NDArray[np.int64]) -> list[list[int]]:
    """Segments joined end to start: open chains first, then closed ones."""
    following = dict(zip(start.tolist(), end.tolist(), strict=True))
    open_starts = np.setdiff1d(start, end).tolist()
    chains = []
    for seed in [*open_starts, *start.tolist()]:
        if seed not in following:
            continue
        chain = [seed]
        while chain[-1] in following:
            chain.append(following.pop(chain[-1]))
        chains.append(chain)
    return chains
