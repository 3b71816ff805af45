# SPDX-License-Identifier: GPL-3.0-or-later
"""Constructive solid geometry on signed distances: hard and smooth booleans, offset, shell, morph.

Inside is negative. All of it is pointwise. Hard booleans are exact on the side where the nearest
surface is kept, and a bound elsewhere; smooth ones and morphs leave a level set that is no distance
near the blend: `renormalize` makes it one again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..jobs.errors import StagewrightError
from .grid import FloatArray, Grid, require_same_lattice, require_scalar
from .parallel import chunk_length, for_each_chunk
from .stencils import contiguous_target, prepare_out, settle


def union(a: Grid, b: Grid, radius: float = 0.0, out: FloatArray | None = None) -> Grid:
    """What lies in either solid.

    Args:
        a: signed distances.
        b: signed distances on the same lattice.
        radius: width of the blend in world units. 0 keeps the edge; above, the quadratic smooth
            minimum: it differs where the two distances do by less than the radius, and by a
            quarter of it at most.
        out: array of shape (nx, ny, nz) and a's dtype to write.

    Raises:
        StagewrightError: ``grid-mismatch``, ``grid-shape``, ``blend-radius`` or ``out-buffer``.
    """
    return _boolean(a, b, radius, out, sign_a=1, sign_b=1)


def intersection(a: Grid, b: Grid, radius: float = 0.0, out: FloatArray | None = None) -> Grid:
    """What lies in both solids; arguments as for `union`."""
    return _boolean(a, b, radius, out, sign_a=-1, sign_b=-1)


def difference(a: Grid, b: Grid, radius: float = 0.0, out: FloatArray | None = None) -> Grid:
    """What lies in ``a`` and not in ``b``; arguments as for `union`."""
    return _boolean(a, b, radius, out, sign_a=-1, sign_b=1)


def offset(grid: Grid, distance: float, out: FloatArray | None = None) -> Grid:
    """The solid grown by a world distance, or shrunk by a negative one.

    Args:
        grid: signed distances; of a narrow band, wider than the distance.
        distance: world units.
        out: array of shape (nx, ny, nz) to write.

    Raises:
        StagewrightError: ``grid-shape``, ``offset-distance`` or ``out-buffer``.
    """
    amount = _finite(distance, "offset-distance", "distance")
    return _pointwise(lambda target, a: np.subtract(a, amount, out=target), out, grid)


def shell(grid: Grid, thickness: float, out: FloatArray | None = None) -> Grid:
    """The wall of a world thickness whose middle is the solid's surface.

    Args:
        grid: signed distances; of a narrow band, wider than half the thickness.
        thickness: world units, above 0.
        out: array of shape (nx, ny, nz) to write.

    Raises:
        StagewrightError: ``grid-shape``, ``shell-thickness`` or ``out-buffer``.
    """
    half = _finite(thickness / 2, "shell-thickness", "thickness", above=0)

    def wall(target: FloatArray, a: FloatArray) -> None:
        np.abs(a, out=target)
        target -= half

    return _pointwise(wall, out, grid)


def morph(a: Grid, b: Grid, amount: float, out: FloatArray | None = None) -> Grid:
    """The field between two: ``a`` at amount 0, ``b`` at 1.

    Args:
        a: signed distances.
        b: signed distances on the same lattice.
        amount: any finite number; beyond 0..1 it exaggerates.
        out: array of shape (nx, ny, nz) and a's dtype to write.

    Raises:
        StagewrightError: ``grid-mismatch``, ``grid-shape``, ``morph-amount`` or ``out-buffer``.
    """
    weight = _finite(amount, "morph-amount", "amount")

    def blend(target: FloatArray, one: FloatArray, other: FloatArray) -> None:
        np.multiply(one, 1 - weight, out=target)
        target += other * weight

    return _pointwise(blend, out, a, b)


def _boolean(
    a: Grid, b: Grid, radius: float, out: FloatArray | None, *, sign_a: int, sign_b: int
) -> Grid:
    """The minimum of the fields, or by de Morgan's laws of their complements.

    With signs (1, 1) it is the union; (-1, -1) the intersection -min(-a, -b); (-1, 1) the
    difference -min(-a, b).
    """
    width = _finite(radius, "blend-radius", "radius", above=-np.finfo(np.float64).tiny)

    def minimum(target: FloatArray, one: FloatArray, other: FloatArray) -> None:
        first = one if sign_a > 0 else -one
        second = other if sign_b > 0 else -other
        np.minimum(first, second, out=target)
        if width:
            near = np.abs(first - second)
            np.subtract(width, near, out=near)
            np.maximum(near, 0, out=near)
            near *= near
            near *= 1 / (4 * width)
            target -= near
        if sign_a < 0:
            np.negative(target, out=target)

    return _pointwise(minimum, out, a, b)


def _finite(value: float, code: str, name: str, above: float = -np.inf) -> float:
    """The number itself, once it is checked."""
    if not (np.isfinite(value) and value > above):
        raise StagewrightError(
            code, f"The {name} {value:g} cannot be used.", "Give a finite number in its range."
        )
    return float(value)


def _pointwise(kernel: Callable[..., object], out: FloatArray | None, *grids: Grid) -> Grid:
    """Run ``kernel(target, *values)`` over chunks of all grids."""
    for grid in grids:
        require_scalar(grid)
    require_same_lattice(*grids)
    first = grids[0]
    values = [grid.values for grid in grids]
    result = prepare_out(out, first.shape, first.dtype, *values)
    target = contiguous_target(result)
    sources = [np.ascontiguousarray(array, first.dtype).ravel() for array in values]
    flat = target.ravel()

    def work(piece: slice) -> None:
        kernel(flat[piece], *(source[piece] for source in sources))

    for_each_chunk(flat.size, work, chunk_length(first.dtype.itemsize, divisor=2))
    settle(target, result)
    return first.with_values(result)
