# SPDX-License-Identifier: GPL-3.0-or-later
"""Tilings of the unit square that repeat at its borders: which cell is where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .canvas import Canvas, Field, Index


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
    down = y * rows
    row = np.floor(down).astype(np.int32)
    course = row % rows
    moved = np.asarray(shift, np.float32)
    along = x * columns + (moved[course] if moved.ndim else moved * (course % 2))
    column = np.floor(along).astype(np.int32)
    u, v = along - column, down - row
    edge = np.minimum(np.minimum(u, 1 - u) / columns, np.minimum(v, 1 - v) / rows)
    return Cells(course * columns + column % columns, rows * columns, u, v, edge)


def herringbone(x: Field, y: Field, blocks: int, length: int = 2) -> Cells:
    """Bricks of ``length`` to 1 laid in zigzag; ``blocks`` repeats of the pattern across.

    u runs across each brick, v along it.
    """
    n = blocks * 2 * length
    across, down = x * n, y * n
    i, j = np.floor(across).astype(np.int32), np.floor(down).astype(np.int32)
    fx, fy = across - i, down - j
    step = (i - j) % (2 * length)
    level = step < length
    place = np.where(level, step, 2 * length - 1 - step)
    u = np.where(level, fy, fx)
    v = (place + np.where(level, fx, fy)) / np.float32(length)
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
    points = np.float32(0.5) + (random - np.float32(0.5)) * np.float32(jitter)
    aspect = np.float32(rows / columns)  # squares to equal units: widths of a column
    px, py = x * columns, y * rows
    i, j = np.floor(px).astype(np.int32), np.floor(py).astype(np.int32)
    fx, fy = px - i, py - j
    near = np.full(x.shape, 1e9, np.float32)
    second = near.copy()
    near_x, near_y, second_x, second_y = (np.zeros(x.shape, np.float32) for _ in range(4))
    cell = np.zeros(x.shape, np.int32)
    for dj in (-1, 0, 1):
        for di in (-1, 0, 1):
            index = ((j + dj) % rows) * columns + (i + di) % columns
            dx = points[0][index] + (di - fx)
            dy = (points[1][index] + (dj - fy)) / aspect
            square = dx * dx + dy * dy
            closest = square < near
            next_ = ~closest & (square < second)
            second = np.where(closest, near, np.where(next_, square, second))
            second_x = np.where(closest, near_x, np.where(next_, dx, second_x))
            second_y = np.where(closest, near_y, np.where(next_, dy, second_y))
            near = np.where(closest, square, near)
            near_x, near_y = np.where(closest, dx, near_x), np.where(closest, dy, near_y)
            cell = np.where(closest, index, cell)
    apart = np.hypot(second_x - near_x, second_y - near_y)
    edge = (second - near) / (2 * np.maximum(apart, 1e-6)) / columns
    return Cells(cell, rows * columns, -2 * near_x, -2 * near_y, edge)


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
    down = y * rows
    row = np.floor(down).astype(np.int32)
    v = down - row

    def across(of: Index) -> tuple[Any, Any]:
        along = x * columns + np.float32(0.5) * (of % 2)
        column = np.floor(along).astype(np.int32)
        return 2 * (along - column) - 1, column % columns

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
    px, py = x * threads, y * threads
    i, j = np.floor(px).astype(np.int32), np.floor(py).astype(np.int32)
    fx, fy = px - i, py - j

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
