# SPDX-License-Identifier: GPL-3.0-or-later
"""Solids changed in shape: rounded, filleted, displaced, smoothed by curvature.

Everything here gives distances again, in a band around the new surface (`renormalize`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .csg import offset
from .diffuse import diffuse
from .grid import Grid, require_same_lattice, require_scalar
from .occupancy import occupancy
from .renormalize import renormalize
from .sampling import sample

BAND = 3.0
"""Voxels of distances on each side of what comes out."""


def round_edges(grid: Grid, radius: float) -> Grid:
    """Convex edges and corners rounded to a radius (morphological opening with a ball).

    Parts thinner than twice the radius vanish.

    Args:
        grid: a level set, negative inside.
        radius: world units, above 0.

    Raises:
        StagewrightError: ``fillet-radius``, ``no-zero-level`` when nothing is left, and what
            `renormalize` refuses.
    """
    return _opened(grid, radius, sign=-1)


def fillet(grid: Grid, radius: float) -> Grid:
    """Concave edges and corners filled to a radius (morphological closing with a ball).

    Gaps narrower than twice the radius close. Arguments and errors as for `round_edges`.
    """
    return _opened(grid, radius, sign=1)


def displace(grid: Grid, heights: Grid, half_width: float = BAND) -> Grid:
    """The surface moved along its normal by the heights around it.

    Args:
        grid: signed distances, negative inside; beyond the largest height around the surface.
        heights: world lengths on the same lattice, above 0 outwards: noise, an `image_heights`, or
            any field.
        half_width: voxels of distances on each side of the new surface.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-mismatch`` and what `renormalize` refuses.
    """
    require_scalar(grid)
    require_scalar(heights)
    require_same_lattice(grid, heights)
    moved = grid.with_values(np.subtract(grid.values, heights.values, dtype=grid.dtype))
    return renormalize(moved, half_width)


def image_heights(
    lattice: Grid,
    image: NDArray[np.floating[Any]],
    axis: int = 2,
    height: float = 1.0,
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> Grid:
    """An image projected through the lattice along an axis, for `displace`.

    Args:
        lattice: any grid; its values are not read.
        image: (u, v) floats; stretched over the box, its first axis along the first of the two
            others, and beyond it as at its border.
        axis: 0, 1 or 2, the direction of projection.
        height: what 1 in the image means, in world units.
        box: least and greatest corner in the world; that of the lattice's voxels unless given.

    Raises:
        StagewrightError: ``image-shape`` or ``not-finite``.
    """
    picture = np.asarray(image)
    if picture.ndim != 2 or picture.dtype.kind not in "fiu" or min(picture.shape) < 1:
        raise StagewrightError(
            "image-shape",
            f"Heights are an image of shape (u, v), not {picture.dtype} of {picture.shape}.",
            "Give one channel of the image as floats.",
        )
    others = [k for k in range(3) if k != axis]
    counts = [lattice.shape[k] for k in others]
    ends = (np.full(3, -0.5), np.array(lattice.shape) - 0.5)
    low, high = ends if box is None else (lattice.world_to_index(corner) for corner in box)
    # Pixel centres: the image's border lies half a pixel beyond its outermost samples.
    ways = [
        (np.arange(lattice.shape[k]) - low[k]) / max(high[k] - low[k], 1e-30) * pixels - 0.5
        for k, pixels in zip(others, picture.shape, strict=True)
    ]
    points = np.stack(np.meshgrid(*ways, [0.0], indexing="ij"), axis=-1).reshape(-1, 3)
    flat = sample(Grid(picture.astype(lattice.dtype)[:, :, None]), points).reshape(counts)
    values = np.broadcast_to(np.expand_dims(flat * height, axis), lattice.shape)
    return lattice.with_values(np.ascontiguousarray(values, lattice.dtype))


def mean_curvature_flow(grid: Grid, time: float, half_width: float = BAND) -> Grid:
    """The surface after it has moved along its normal by its curvature k1 + k2 for a time.

    Bumps and noise go first, and in the end everything shrinks: a sphere of radius r has
    sqrt(r² - 4 time). On signed distances curvature flow is heat flow (L. Evans 1993), so each
    step is an implicit diffusion that makes distances again: stable at any time.

    Args:
        grid: a level set, negative inside.
        time: world length squared, 0 or above.
        half_width: voxels of distances on each side of the new surface.

    Raises:
        StagewrightError: ``flow-time``, ``no-zero-level`` once nothing is left, and what
            `renormalize` refuses.
    """
    amount = _require_amount(time, "flow-time", "time")
    # In one step heat may spread by a voxel and a half: the band around has to hold that.
    steps = max(1, math.ceil(2 * amount / (1.5 * grid.voxel_size) ** 2))
    width = half_width + 3
    grid = renormalize(grid, width)
    for step in range(steps):
        soft = diffuse(grid, amount / steps, steps=1)
        grid = renormalize(soft, half_width if step == steps - 1 else width)
    return grid


def smooth(grid: Grid, width: float, half_width: float = BAND, keep_volume: bool = True) -> Grid:
    """The surface without details below a size: Laplacian smoothing of the field.

    Args:
        grid: a level set, negative inside.
        width: world size of what is smoothed away, the deviation of a Gaussian.
        half_width: voxels of distances on each side of the new surface.
        keep_volume: move the surface outwards again by what it lost.

    Raises:
        StagewrightError: ``smooth-width``, ``no-zero-level`` when nothing is left, and what
            `renormalize` refuses.
    """
    amount = _require_amount(width, "smooth-width", "width")
    reach = half_width + 3 * amount / grid.voxel_size
    distances = renormalize(grid, reach)
    soft = diffuse(distances, amount**2 / 2, steps=4)
    result = renormalize(soft, half_width)
    if keep_volume:
        volume = float(occupancy(distances).values.sum(dtype=np.float64))
        result = _with_volume(result, volume, half_width)
    return result


def _opened(grid: Grid, radius: float, sign: int) -> Grid:
    reach = _require_amount(radius, "fillet-radius", "radius")
    if not reach:
        return renormalize(grid, BAND)
    width = reach / grid.voxel_size + BAND
    there = renormalize(offset(renormalize(grid, width), sign * reach), width)
    return renormalize(offset(there, -sign * reach), BAND)


def _with_volume(grid: Grid, volume: float, half_width: float) -> Grid:
    """The solid offset until it fills ``volume`` voxels (the secant method)."""
    step = 0.5 * grid.voxel_size
    for _ in range(4):
        filled = float(occupancy(grid).values.sum(dtype=np.float64))
        grown = float(occupancy(offset(grid, step)).values.sum(dtype=np.float64))
        if abs(filled - volume) < 1e-4 * volume or grown <= filled:
            break
        move = np.clip((volume - filled) * step / (grown - filled), -step * 3, step * 3)
        grid = renormalize(offset(grid, float(move)), half_width)
    return grid


def _require_amount(value: float, code: str, name: str) -> float:
    if not (np.isfinite(value) and value >= 0):
        raise StagewrightError(
            code, f"The {name} {value!r} cannot be used.", "Give a finite number of 0 or above."
        )
    return float(value)
