# SPDX-License-Identifier: GPL-3.0-or-later
"""Tilings of the unit square that repeat at its borders: which cell is where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..jobs.threads import share
from .canvas import Canvas, Field, Index

_STRIP = 1 << 14
"""Pixels worked on at a time: the dozen arrays of them stay in a core's own cache."""


@dataclass(frozen=True)
class Cells:
    """Cells of a layout at every pixel, (size, size) each.

    Args:
        cell: int32, which cell, 0 to ``count``.
        count: of cells.
        u: float32, across the cell, 0 to 1 (-1 to 1 from the centre of Voronoi and hex cells).
        v: float32, along it, likewise.
        edge: float32, the distance to the cell's border in widths of the tile.
    """

    cell: Index
    count: int
    u: Field
    v: Field
    edge: Field


def bricks(x: Field, y: Field, columns: int, rows: int, shift: Field | float = 0.5) -> Cells:
    """Courses of equal bricks; every second one moved by ``shift`` of a brick.

    Args:
        x: places, 0 to 1 to the right.
        y: places, 0 to 1 downwards.
        columns: bricks in a course.
        rows: courses; even, unless ``shift`` is whole or differs by course.
        shift: part of a brick, or one for every course, (rows,).
    """
    row, v = _split(y * rows)
    course = row % rows
    moved = np.asarray(shift, np.float32)
    odd = (course % 2).astype(np.float32)
    column, u = _split(x * columns + (moved[course] if moved.ndim else moved * odd))
    edge = np.minimum(np.minimum(u, 1 - u) / columns, np.minimum(v, 1 - v) / rows)
    return Cells(course * columns + column % columns, rows * columns, u, v, edge)


def _split(field: Field) -> tuple[Index, Field]:
    """The whole part, int32, and the rest, float32, 0 to 1."""
    whole = np.floor(field)
    return whole.astype(np.int32), field - whole


def herringbone(x: Field, y: Field, blocks: int, length: int = 2) -> Cells:
    """Bricks of ``length`` to 1 laid in zigzag; ``blocks`` repeats of the pattern across.

    u runs across each brick, v along it.
    """
    n = blocks * 2 * length
    (i, fx), (j, fy) = _split(x * n), _split(y * n)
    step = (i - j) % (2 * length)
    level = step < length
    place = np.where(level, step, 2 * length - 1 - step)
    u = np.where(level, fy, fx)
    v = (place.astype(np.float32) + np.where(level, fx, fy)) / np.float32(length)
    first_i, first_j = np.where(level, i - place, i) % n, np.where(level, j, j - place) % n
    edge = np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v) * length) / np.float32(n)
    return Cells(first_j * n + first_i, n * n, u, v, edge)


def hexagons(x: Field, y: Field, columns: int) -> Cells:
    """Hexagons with a corner up; u and v from -1 to 1 about their centres."""
    pairs = max(1, round(columns / 3**0.5))  # of rows
    px, py = x * columns, y * pairs  # each in periods
    best: tuple[Field, ...] | None = None
    for half in (0.0, 0.5):
        i, j = np.floor(px - half + 0.5), np.floor(py - half + 0.5)
        dx, dy = px - half - i, (py - half - j) * np.float32(3**0.5)
        cell = (j % pairs) * 2 * columns + (i % columns) + (columns if half else 0)
        entry = (dx * dx + dy * dy, dx, dy, cell)
        if best is None:
            best = entry
        else:
            nearer = entry[0] < best[0]
            best = tuple(np.where(nearer, new, old) for new, old in zip(entry, best, strict=True))
    assert best is not None
    _, dx, dy, cell = best
    ring = np.maximum(abs(dx), abs(dx) / 2 + abs(dy) * np.float32(3**0.5 / 2))
    edge = (np.float32(0.5) - ring) / columns
    return Cells(cell.astype(np.int32), 2 * columns * pairs, 2 * dx, 2 * dy, edge)


def stones(
    canvas: Canvas, key: int, x: Field, y: Field, columns: int, rows: int, jitter: float = 0.9
) -> Cells:
    """Voronoi cells about the points of a jittered grid, one to a square.

    S. Worley, "A Cellular Texture Basis Function" (1996); the distance to the border is
    that to the bisector of the two nearest points.

    Args:
        canvas: whose seed places the points.
        key: another key is another layout.
        x: places, 0 to 1 to the right.
        y: places, 0 to 1 downwards.
        columns: of the grid.
        rows: of the grid.
        jitter: how far the points leave the middle of their squares, 0 to 1.
    """
    random = canvas.random(key).random((2, rows * columns), np.float32)
    random = random.reshape(2, rows, columns)
    points = np.float32(0.5) + (random - np.float32(0.5)) * np.float32(jitter)
    cell = np.empty(x.shape, np.int32)
    u, v, edge = (np.empty(x.shape, np.float32) for _ in range(3))

    def work(strips: Iterable[slice]) -> None:
        for at in strips:
            cell[at], u[at], v[at], edge[at] = _nearest(points, x[at], y[at], columns, rows)

    height = max(1, _STRIP // x.shape[1])
    share([slice(at, at + height) for at in range(0, len(x), height)], work)
    return Cells(cell, rows * columns, u, v, edge)


def _nearest(
    points: NDArray[np.float32], x: Field, y: Field, columns: int, rows: int
) -> tuple[Index, Field, Field, Field]:
    """Cell, u, v and edge of :func:`stones`, for some of the pixels.

    Args:
        points: (2, rows, columns), each in its square, 0 to 1.
        x: as there.
        y: likewise.
        columns: likewise.
        rows: likewise.
    """
    aspect = np.float32(rows / columns)  # squares to equal units: widths of a column
    (i, fx), (j, fy) = _split(x * columns), _split(y * rows)
    # Wrapped by a square on each side, so that a neighbour's place is a sum.
    across, down = (np.pad(each, 1, mode="wrap").ravel() for each in points)
    down = down / aspect
    square_of = (j % rows + 1) * (columns + 2) + (i % columns + 1)
    to_x = [np.float32(di) - fx for di in (-1, 0, 1)]
    to_y = [(np.float32(dj) - fy) / aspect for dj in (-1, 0, 1)]
    near = np.full(x.shape, 1e9, np.float32)
    second = near.copy()
    which, other = np.zeros(x.shape, np.uint8), np.zeros(x.shape, np.uint8)
    steps = np.array([dj * (columns + 2) + di for dj in (-1, 0, 1) for di in (-1, 0, 1)], np.int32)
    for k, step in enumerate(steps):
        at = square_of + step
        dx, dy = across[at] + to_x[k % 3], down[at] + to_y[k // 3]
        square = dx * dx + dy * dy
        closest = square < near
        np.copyto(other, k, where=square < second)
        np.copyto(other, which, where=closest)
        np.copyto(which, k, where=closest)
        second = np.minimum(second, np.maximum(near, square))
        near = np.minimum(near, square)

    def offsets(of: NDArray[np.uint8]) -> tuple[Index, Field, Field]:
        at = square_of + steps[of]
        dx = across[at] + (of % 3).astype(np.float32) - 1 - fx
        return at, dx, down[at] + ((of // 3).astype(np.float32) - 1 - fy) / aspect

    at, near_x, near_y = offsets(which)
    _, second_x, second_y = offsets(other)
    numbers = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    cell = np.pad(numbers, 1, mode="wrap").ravel()[at]
    apart = np.hypot(second_x - near_x, second_y - near_y)
    edge = (second - near) / (2 * np.maximum(apart, np.float32(1e-6))) / columns
    return cell, -2 * near_x, -2 * near_y, edge


def scales(x: Field, y: Field, columns: int, rows: int, tip: float, point: float) -> Cells:
    """Overlapping rows of scales or shingles hanging down, each covering the next row's top.

    Args:
        x: places, 0 to 1 to the right.
        y: places, 0 to 1 downwards.
        columns: in a row.
        rows: even.
        tip: how far a scale reaches over the next row, in rows, 0 to 1.
        point: the outline's exponent: 1 is pointed, 2 is round, large is square.

    Returns:
        u from -1 to 1 across, v from 0 at the top to 1 at the tip; the edge is that of the
        outline, measured along y.
    """
    row, v = _split(y * rows)

    def across(of: Index) -> tuple[Field, Index]:
        column, u = _split(x * columns + np.float32(0.5) * (of % 2).astype(np.float32))
        return 2 * u - 1, column % columns

    above_u, above_column = across((row - 1) % rows)
    own_u, own_column = across(row % rows)
    reach = tip * (1 - abs(above_u) ** point)
    over = v < reach
    u = np.where(over, above_u, own_u)
    cell = np.where(
        over, ((row - 1) % rows) * columns + above_column, (row % rows) * columns + own_column
    )
    length = 1 + tip * (1 - abs(u) ** point)
    along = np.where(over, v + 1, v)
    return Cells(cell, rows * columns, u, along / np.float32(1 + tip), (length - along) / rows)


def weave(x: Field, y: Field, threads: int, over: int, under: int) -> tuple[Cells, Field]:
    """Woven threads, each going over some and under some, moved by one each time (twill).

    Args:
        x: places, 0 to 1 to the right.
        y: places, 0 to 1 downwards.
        threads: each way; a multiple of ``over + under``.
        over: threads that a warp (vertical) thread goes over.
        under: threads that it goes under.

    Returns:
        The cells (u across the thread on top, v along it, cells of the warp first), and the
        height of the surface, 0 to 1.
    """
    period = over + under
    (i, fx), (j, fy) = _split(x * threads), _split(y * threads)

    def warp_up(at_i: Index, at_j: Index) -> Field:
        return np.where((at_i + at_j) % period < over, 1, -1).astype(np.float32)

    def swing(to_next: Field, here: Field, before: Field, after: Field) -> Field:
        t = to_next - np.float32(0.5)
        other = np.where(t < 0, before, after)
        return here + (other - here) * (1 - np.cos(abs(t) * np.float32(np.pi))) / 2

    here = warp_up(i, j)
    warp = swing(fy, here, warp_up(i, j - 1), warp_up(i, j + 1))
    weft = -swing(fx, here, warp_up(i - 1, j), warp_up(i + 1, j))
    round_x, round_y = np.sqrt(1 - (1.96 * fx - 0.98) ** 2), np.sqrt(1 - (1.96 * fy - 0.98) ** 2)
    warp_height, weft_height = warp * 0.5 + round_x, weft * 0.5 + round_y
    on_top = warp_height > weft_height
    height = np.maximum(warp_height, weft_height)
    cell = np.where(on_top, i % threads, threads + j % threads)
    u, v = np.where(on_top, fx, fy), np.where(on_top, y, x)
    edge = np.minimum(u, 1 - u) / threads
    return Cells(cell, 2 * threads, u, v, edge), ((height + 0.5) / 2).astype(np.float32)
