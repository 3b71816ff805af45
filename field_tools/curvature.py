# SPDX-License-Identifier: GPL-3.0-or-later
"""Mean and Gaussian curvature of the level sets of a scalar field.

Both are the formulas for implicit surfaces (Goldman, "Curvature formulas for implicit curves and
surfaces", 2005) on central differences of radius one, one-sided at the faces of the domain: second
order where the field is smooth and its gradient is not zero. The sign convention is that of
signed distances, negative inside: a sphere of radius r has mean curvature 1/r.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .grid import FloatArray, Grid, require_scalar
from .stencils import (
    Face,
    contiguous_target,
    flat_strides,
    prepare_out,
    require_stencil,
    settle,
    shifted,
    sweep_faces,
    sweep_interior,
)


def mean_curvature(grid: Grid, out: FloatArray | None = None) -> Grid:
    """Mean curvature (k1 + k2) / 2 of the level set through each voxel.

    Args:
        grid: scalar field, at least 4 voxels along each axis; need not be a distance.
        out: array of shape (nx, ny, nz) to write.

    Returns:
        Scalar field, in 1 / world length; 0 where the gradient is zero.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-too-thin`` or ``out-buffer``.
    """
    return _curvature(grid, out, _mean)


def gaussian_curvature(grid: Grid, out: FloatArray | None = None) -> Grid:
    """Gaussian curvature k1 * k2 of the level set through each voxel.

    Args:
        grid: scalar field, at least 4 voxels along each axis; need not be a distance.
        out: array of shape (nx, ny, nz) to write.

    Returns:
        Scalar field, in 1 / world length squared; 0 where the gradient is zero.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-too-thin`` or ``out-buffer``.
    """
    return _curvature(grid, out, _gaussian)


@dataclass
class _Derivatives:
    """Derivatives in voxel units; the formulas below use the arrays up as scratch."""

    x: FloatArray
    y: FloatArray
    z: FloatArray
    xx: FloatArray
    yy: FloatArray
    zz: FloatArray
    xy: FloatArray
    xz: FloatArray
    yz: FloatArray


_Formula = Callable[[_Derivatives, float, FloatArray], None]

_SCRATCH = 9


def _curvature(grid: Grid, out: FloatArray | None, formula: _Formula) -> Grid:
    require_scalar(grid)
    require_stencil(grid.shape)
    values = np.ascontiguousarray(grid.values)
    result = prepare_out(out, grid.shape, grid.dtype, grid.values)
    target = contiguous_target(result)
    flat, flat_target = values.ravel(), target.ravel()
    sx, sy, sz = flat_strides(grid.shape)
    # The x difference is needed one voxel further along y and z: the mixed ones come from it.
    reach = sy

    def interior(piece: slice, scratch: Sequence[FloatArray]) -> None:
        wide = slice(piece.start - reach, piece.stop + reach)
        length = piece.stop - piece.start
        wide_x, wide_y = scratch[0], scratch[1]
        xx, yy, zz, xy, xz, yz, z = (array[:length] for array in scratch[2:])
        np.subtract(shifted(flat, wide, sx), shifted(flat, wide, -sx), out=wide_x)
        np.subtract(shifted(flat, wide, sy), shifted(flat, wide, -sy), out=wide_y)
        np.subtract(shifted(flat, piece, sz), shifted(flat, piece, -sz), out=z)
        here = slice(reach, reach + length)
        np.subtract(shifted(wide_x, here, sy), shifted(wide_x, here, -sy), out=xy)
        np.subtract(shifted(wide_x, here, sz), shifted(wide_x, here, -sz), out=xz)
        np.subtract(shifted(wide_y, here, sz), shifted(wide_y, here, -sz), out=yz)
        twice = flat_target[piece]
        np.add(flat[piece], flat[piece], out=twice)
        for stride, second in ((sx, xx), (sy, yy), (sz, zz)):
            np.add(shifted(flat, piece, -stride), shifted(flat, piece, stride), out=second)
            second -= twice
        raw = _Derivatives(wide_x[here], wide_y[here], z, xx, yy, zz, xy, xz, yz)
        formula(raw, grid.voxel_size, flat_target[piece])

    def face(axis: int, high: bool, index: tuple[slice | int, ...]) -> None:
        of = Face(values, axis, high)
        raw = _Derivatives(
            *(of.first(a) for a in range(3)),
            *(of.second(a) for a in range(3)),
            *(of.mixed(a, b) for a, b in ((0, 1), (0, 2), (1, 2))),
        )
        curvature = np.empty_like(of.center)
        formula(raw, grid.voxel_size, curvature)
        target[index] = curvature

    sweep_interior(grid.shape, grid.dtype, interior, _SCRATCH, 2 * reach, divisor=2)
    sweep_faces(face)
    settle(target, result)
    return grid.with_values(result)


def _mean(d: _Derivatives, voxel_size: float, out: FloatArray) -> None:
    """H = (|g|² tr(A) - gᵀAg) / (2 |g|³), g the gradient and A the Hessian.

    Raw differences are twice (first), once (second) and four times (mixed) the derivatives.
    """
    # Mixed terms: x y xy + x z xz + y z yz, before x, y and z are squared in place.
    d.xy *= d.y
    d.xz *= d.z
    d.xy += d.xz
    d.xy *= d.x
    d.yz *= d.y
    d.yz *= d.z
    d.xy += d.yz
    d.xy *= 0.5
    for first in (d.x, d.y, d.z):
        first *= first
    np.add(d.yy, d.zz, out=d.xz)
    np.add(d.xx, d.zz, out=d.yz)
    d.xx += d.yy
    np.multiply(d.x, d.xz, out=out)
    d.yz *= d.y
    out += d.yz
    d.xx *= d.z
    out += d.xx
    out -= d.xy
    d.x += d.y
    d.x += d.z
    _divide_by_power(out, d.x, d.y, 1 / voxel_size, cubed=True)


def _gaussian(d: _Derivatives, voxel_size: float, out: FloatArray) -> None:
    """K = gᵀ adj(A) g / |g|⁴, g the gradient and A the Hessian."""
    for mixed in (d.xy, d.xz, d.yz):
        mixed *= 0.25
    square = d.x * d.x
    square += d.y * d.y
    square += d.z * d.z
    out[...] = d.x**2 * (d.yy * d.zz - d.yz**2)
    out += d.y**2 * (d.xx * d.zz - d.xz**2)
    out += d.z**2 * (d.xx * d.yy - d.xy**2)
    cross = d.x * d.y * (d.xz * d.yz - d.xy * d.zz)
    cross += d.x * d.z * (d.xy * d.yz - d.xz * d.yy)
    cross += d.y * d.z * (d.xy * d.xz - d.yz * d.xx)
    cross *= 2
    out += cross
    _divide_by_power(out, square, d.x, 4 / voxel_size**2, cubed=False)


def _divide_by_power(
    out: FloatArray, square: FloatArray, scratch: FloatArray, scale: float, *, cubed: bool
) -> None:
    """Scale ``out`` and divide it by |g|³ or |g|⁴, from |g|² = ``square``."""
    # Where the raw gradient is zero the numerator is too: a floor keeps 0 / 0 away. Its cube has
    # to stay a normal number.
    np.maximum(square, np.finfo(out.dtype).tiny ** 0.5, out=square)
    if cubed:
        np.sqrt(square, out=scratch)
        square *= scratch
    else:
        square *= square
    square *= 1 / scale
    out /= square
