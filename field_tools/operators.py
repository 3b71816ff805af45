# SPDX-License-Identifier: GPL-3.0-or-later
"""Differential operators of second order: gradient, divergence, curl, Laplacian; normalise.

Central differences inside, one-sided differences of second order at the faces of the domain, so
the order holds everywhere. Derivatives are with respect to world lengths. float32 stays float32.
Every function writes into ``out`` where it is given, and returns a grid on the same lattice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .grid import FloatArray, Grid, require_scalar, require_vector
from .parallel import chunk_length, for_each_chunk
from .stencils import (
    Face,
    components,
    contiguous_target,
    flat_strides,
    prepare_out,
    require_stencil,
    settle,
    shifted,
    sweep_faces,
    sweep_interior,
)


def gradient(grid: Grid, out: FloatArray | None = None) -> Grid:
    """The gradient of a scalar field.

    Args:
        grid: scalar field, at least 4 voxels along each axis.
        out: array of shape (nx, ny, nz, 3) to write. Fastest when each component is contiguous,
            as in what this function returns.

    Returns:
        Vector field, in units of the values per world length.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-too-thin`` or ``out-buffer``.
    """
    require_scalar(grid)
    require_stencil(grid.shape)
    values = np.ascontiguousarray(grid.values)
    result = prepare_out(out, (*grid.shape, 3), grid.dtype, grid.values)
    views = [result[..., axis] for axis in range(3)]
    targets = [contiguous_target(view) for view in views]
    scale = grid.dtype.type(0.5 / grid.voxel_size)
    flat, flat_targets = values.ravel(), [target.ravel() for target in targets]
    strides = flat_strides(grid.shape)

    def interior(piece: slice, scratch: Sequence[FloatArray]) -> None:
        difference = scratch[0]
        for stride, target in zip(strides, flat_targets, strict=True):
            np.subtract(shifted(flat, piece, stride), shifted(flat, piece, -stride), out=difference)
            np.multiply(difference, scale, out=target[piece])

    def face(axis: int, high: bool, index: tuple[slice | int, ...]) -> None:
        differences = Face(values, axis, high)
        for direction, target in enumerate(targets):
            np.multiply(differences.first(direction), scale, out=target[index])

    sweep_interior(grid.shape, grid.dtype, interior, scratch=1)
    sweep_faces(face)
    for target, view in zip(targets, views, strict=True):
        settle(target, view)
    return grid.with_values(result)


def divergence(grid: Grid, out: FloatArray | None = None) -> Grid:
    """The divergence of a vector field.

    Args:
        grid: vector field, at least 4 voxels along each axis.
        out: array of shape (nx, ny, nz) to write.

    Returns:
        Scalar field, in units of the values per world length.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-too-thin`` or ``out-buffer``.
    """
    return _first_order_sum(grid, out, [(axis, axis, 1) for axis in range(3)])


def curl(grid: Grid, out: FloatArray | None = None) -> Grid:
    """The curl of a vector field (the vorticity of a velocity).

    Args:
        grid: vector field, at least 4 voxels along each axis.
        out: array of shape (nx, ny, nz, 3) to write.

    Returns:
        Vector field, in units of the values per world length.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-too-thin`` or ``out-buffer``.
    """
    require_vector(grid)
    result = prepare_out(out, grid.values.shape, grid.dtype, grid.values)
    for axis in range(3):
        after, before = (axis + 1) % 3, (axis + 2) % 3
        _first_order_sum(grid, result[..., axis], [(before, after, 1), (after, before, -1)])
    return grid.with_values(result)


def laplacian(grid: Grid, out: FloatArray | None = None) -> Grid:
    """The Laplacian of a scalar field (7 points).

    Args:
        grid: scalar field, at least 4 voxels along each axis.
        out: array of shape (nx, ny, nz) to write.

    Returns:
        Scalar field, in units of the values per world length squared.

    Raises:
        StagewrightError: ``grid-shape``, ``grid-too-thin`` or ``out-buffer``.
    """
    require_scalar(grid)
    require_stencil(grid.shape)
    values = np.ascontiguousarray(grid.values)
    result = prepare_out(out, grid.shape, grid.dtype, grid.values)
    target = contiguous_target(result)
    scale, six = grid.dtype.type(grid.voxel_size**-2), grid.dtype.type(6)
    flat, flat_target = values.ravel(), target.ravel()
    sx, sy, sz = flat_strides(grid.shape)

    def interior(piece: slice, scratch: Sequence[FloatArray]) -> None:
        total, center = scratch
        np.add(shifted(flat, piece, -sx), shifted(flat, piece, sx), out=total)
        for stride in (-sy, sy, -sz, sz):
            total += shifted(flat, piece, stride)
        np.multiply(flat[piece], six, out=center)
        total -= center
        np.multiply(total, scale, out=flat_target[piece])

    def face(axis: int, high: bool, index: tuple[slice | int, ...]) -> None:
        differences = Face(values, axis, high)
        total = differences.second(0)
        total += differences.second(1)
        total += differences.second(2)
        np.multiply(total, scale, out=target[index])

    sweep_interior(grid.shape, grid.dtype, interior, scratch=2)
    sweep_faces(face)
    settle(target, result)
    return grid.with_values(result)


def normalize(grid: Grid, out: FloatArray | None = None) -> Grid:
    """The vector field scaled to length one; vectors of length zero stay zero.

    Args:
        grid: vector field.
        out: array of shape (nx, ny, nz, 3) to write; may be the grid's own values.

    Raises:
        StagewrightError: ``grid-shape`` or ``out-buffer``.
    """
    require_vector(grid)
    result = prepare_out(out, grid.values.shape, grid.dtype, *(() if out is grid.values else ()))
    sources = [source.ravel() for source in components(grid.values)]
    views = [result[..., axis] for axis in range(3)]
    targets = [contiguous_target(view) for view in views]
    flat_targets = [target.ravel() for target in targets]
    tiny = np.finfo(grid.dtype).tiny

    def work(piece: slice) -> None:
        # Scaled by the largest component first: squares of small vectors would underflow.
        largest = np.abs(sources[0][piece])
        for source in sources[1:]:
            np.maximum(largest, np.abs(source[piece]), out=largest)
        np.maximum(largest, tiny, out=largest)
        scaled = [source[piece] / largest for source in sources]
        length = np.sqrt(sum(part * part for part in scaled))
        np.maximum(length, tiny, out=length)
        for part, target in zip(scaled, flat_targets, strict=True):
            np.divide(part, length, out=target[piece])

    for_each_chunk(sources[0].size, work, chunk_length(grid.dtype.itemsize, divisor=4))
    for target, view in zip(targets, views, strict=True):
        settle(target, view)
    return grid.with_values(result)


def _first_order_sum(
    grid: Grid, out: FloatArray | None, terms: Sequence[tuple[int, int, int]]
) -> Grid:
    """The sum of ``sign * d(component)/d(axis)`` over (component, axis, sign)."""
    require_vector(grid)
    require_stencil(grid.shape)
    parts = components(grid.values)
    result = prepare_out(out, grid.shape, grid.dtype, grid.values)
    target = contiguous_target(result)
    scale = grid.dtype.type(0.5 / grid.voxel_size)
    flat_parts, flat_target = [part.ravel() for part in parts], target.ravel()
    strides = flat_strides(grid.shape)

    def interior(piece: slice, scratch: Sequence[FloatArray]) -> None:
        total, difference = scratch
        total[...] = 0
        for component, axis, sign in terms:
            flat, stride = flat_parts[component], strides[axis] * sign
            np.subtract(shifted(flat, piece, stride), shifted(flat, piece, -stride), out=difference)
            total += difference
        np.multiply(total, scale, out=flat_target[piece])

    def face(axis: int, high: bool, index: tuple[slice | int, ...]) -> None:
        total = sum(
            sign * Face(parts[component], axis, high).first(direction)
            for component, direction, sign in terms
        )
        np.multiply(total, scale, out=target[index])

    sweep_interior(grid.shape, grid.dtype, interior, scratch=2)
    sweep_faces(face)
    settle(target, result)
    return grid.with_values(result)
