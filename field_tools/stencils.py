# SPDX-License-Identifier: GPL-3.0-or-later
"""Stencils of radius one over a whole grid: fast inside, one-sided at the domain's faces.

Inside, a C-contiguous array is taken as flat: the neighbour along an axis lies one fixed stride
away, so a stencil is a chain of operations on shifted flat slices. The slices wrap at the faces of
the domain; what they leave there is overwritten by the faces' own, one-sided formulas.

Differences are kept raw (without 1/h), the same at the faces as inside, to second order:
``first`` is 2h f', ``second`` is h² f'', ``mixed`` is 4h² f_ab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ..jobs.errors import StagewrightError
from ..jobs.threads import share
from .grid import FloatArray, count_text
from .parallel import chunk_length, chunks

Strides = tuple[int, int, int]

MINIMUM_VOXELS = 4
"""One-sided second differences of second order read four voxels."""


def require_stencil(shape: Sequence[int]) -> None:
    """Refuse grids too thin for second-order differences (``grid-too-thin``)."""
    if min(shape) < MINIMUM_VOXELS:
        raise StagewrightError(
            "grid-too-thin",
            f"Differences need {MINIMUM_VOXELS} voxels along each axis, not {count_text(shape)}.",
            "Use a finer or a larger grid.",
        )


def flat_strides(shape: Sequence[int]) -> Strides:
    """Elements between neighbours along x, y and z of a C-contiguous array."""
    return shape[1] * shape[2], shape[2], 1


def sweep_interior(
    shape: Sequence[int],
    dtype: np.dtype[np.floating],
    kernel: Callable[[slice, Sequence[FloatArray]], None],
    scratch: int,
    extension: int = 0,
    divisor: int = 1,
) -> None:
    """Call ``kernel(flat slice, scratch arrays)`` over all voxels that are on no face.

    Args:
        shape: voxel counts of the grid.
        dtype: type of the scratch arrays.
        kernel: writes the voxels of the slice; may read flat neighbours one voxel away along
            all three axes at once.
        scratch: number of scratch arrays.
        extension: elements that scratch arrays have beyond the slice.
        divisor: makes the chunks smaller, for kernels with many scratch arrays.
    """
    # The first and the last voxel with neighbours on all sides; between them also face voxels.
    margin = sum(flat_strides(shape))
    size = int(np.prod(shape))
    length = chunk_length(dtype.itemsize, divisor)
    pieces = chunks(margin, size - margin, length)

    def work(shared: Iterable[slice]) -> None:
        arrays = [np.empty(length + extension, dtype) for _ in range(scratch)]
        for piece in shared:
            kernel(piece, [array[: piece.stop - piece.start + extension] for array in arrays])

    share(pieces, work)


class Face:
    """Raw differences on one face of the domain, as arrays of the face's two axes.

    Args:
        values: the whole scalar array.
        axis: the face's normal axis.
        high: False for the face at index 0, True for the one at the end.
    """

    def __init__(self, values: FloatArray, axis: int, high: bool) -> None:
        layers = np.moveaxis(values, axis, 0)
        layers = layers[: -MINIMUM_VOXELS - 1 : -1] if high else layers[:MINIMUM_VOXELS]
        # One copy makes the layers contiguous: they may lie a cache line apart in every voxel row.
        self._layers = np.ascontiguousarray(layers)
        self._axis = axis
        self._inward = -1 if high else 1
        self.center: FloatArray = self._layers[0]

    def first(self, axis: int) -> FloatArray:
        """2h f' along ``axis``."""
        if axis != self._axis:
            return first_difference(self.center, self._tangent(axis))
        f0, f1, f2, _ = self._layers
        difference: FloatArray = 4 * f1 - 3 * f0 - f2
        return difference * self._inward

    def second(self, axis: int) -> FloatArray:
        """h² f'' along ``axis``."""
        if axis != self._axis:
            return second_difference(self.center, self._tangent(axis))
        f0, f1, f2, f3 = self._layers
        difference: FloatArray = 2 * f0 - 5 * f1 + 4 * f2 - f3
        return difference

    def mixed(self, axis: int, other: int) -> FloatArray:
        """4h² f_ab along two different axes."""
        if axis == self._axis:
            axis, other = other, axis
        return first_difference(self.first(other), self._tangent(axis))

    def _tangent(self, axis: int) -> int:
        return axis - (axis > self._axis)


def sweep_faces(kernel: Callable[[int, bool, tuple[slice | int, ...]], None]) -> None:
    """Call ``kernel(axis, high, index of the face)`` for the six faces.

    Opposite faces share no voxel and run side by side; axes follow one another, so that a shared
    edge always has the value of the same face.
    """
    for axis in range(3):

        def work(shared: Iterable[bool], axis: int = axis) -> None:
            for high in shared:
                index: list[slice | int] = [slice(None)] * 3
                index[axis] = -1 if high else 0
                kernel(axis, high, tuple(index))

        share((False, True), work)


def first_difference(values: FloatArray, axis: int) -> FloatArray:
    """2h f' along one axis, second order everywhere, for arrays of any dimension."""
    f = np.moveaxis(values, axis, 0)
    result = np.empty_like(values)
    out = np.moveaxis(result, axis, 0)
    np.subtract(f[2:], f[:-2], out=out[1:-1])
    out[0] = 4 * f[1] - 3 * f[0] - f[2]
    out[-1] = 3 * f[-1] - 4 * f[-2] + f[-3]
    return result


def second_difference(values: FloatArray, axis: int) -> FloatArray:
    """h² f'' along one axis, second order everywhere, for arrays of any dimension."""
    f = np.moveaxis(values, axis, 0)
    result = np.empty_like(values)
    out = np.moveaxis(result, axis, 0)
    np.add(f[2:], f[:-2], out=out[1:-1])
    out[1:-1] -= 2 * f[1:-1]
    out[0] = 2 * f[0] - 5 * f[1] + 4 * f[2] - f[3]
    out[-1] = 2 * f[-1] - 5 * f[-2] + 4 * f[-3] - f[-4]
    return result


def vector_buffer(shape: Sequence[int], dtype: np.dtype[np.floating]) -> FloatArray:
    """An array of shape (nx, ny, nz, 3) whose components are contiguous, as kernels like it."""
    return np.moveaxis(np.empty((3, *shape), dtype), 0, 3)


def components(values: FloatArray) -> list[FloatArray]:
    """The x, y and z component of (nx, ny, nz, 3), each C-contiguous (copied where it is not)."""
    return [np.ascontiguousarray(values[..., axis]) for axis in range(3)]


def prepare_out(
    out: FloatArray | None, shape: Sequence[int], dtype: np.dtype[np.floating], *sources: FloatArray
) -> FloatArray:
    """The array to write: ``out`` once it is checked, or a new one.

    Raises:
        StagewrightError: ``out-buffer`` when ``out`` has another shape or dtype, is not writable,
            or overlaps one of the sources.
    """
    if out is None:
        return vector_buffer(shape[:3], dtype) if len(shape) == 4 else np.empty(shape, dtype)
    if out.shape != tuple(shape) or out.dtype != dtype or not out.flags.writeable:
        raise StagewrightError(
            "out-buffer",
            f"The out array is {out.dtype} of shape {out.shape}; "
            f"a writable {dtype} array of shape {tuple(shape)} is needed.",
            "Leave out unset, or give such an array.",
        )
    if any(np.may_share_memory(out, source) for source in sources):
        raise StagewrightError(
            "out-buffer",
            "The out array shares memory with the field it is computed from.",
            "Give a separate array.",
        )
    return out


def contiguous_target(out: FloatArray) -> FloatArray:
    """``out`` itself if C-contiguous, else a new array to compute in and to `settle` later."""
    return out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)


def settle(target: FloatArray, out: FloatArray) -> None:
    """Bring what was computed in a `contiguous_target` to where it belongs."""
    if target is not out:
        out[...] = target


def shifted(flat: FloatArray, piece: slice, offset: int) -> FloatArray:
    """The neighbours, a flat ``offset`` away, of the voxels of a piece."""
    return flat[piece.start + offset : piece.stop + offset]
