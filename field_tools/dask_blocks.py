# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels over the blocks of a ``dask.array``: fields larger than one machine's memory.

dask is no requirement: nothing else here needs it. An answer is bit for bit that of the whole
field in memory, as a block is given the voxels around it that its kernel looks at, and no others
at the field's own faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..jobs.errors import StagewrightError
from .grid import FloatArray, cubic_voxel_size
from .kernels import KERNELS, Kernel
from .stencils import MINIMUM_VOXELS

if TYPE_CHECKING:
    import dask.array as da

GLOBAL = {
    "renormalize": "sweeps over the whole field",
    "travel-time": "follows a front through the whole field",
    "diffuse": "solves whole lines of voxels at once",
    "project": "transforms the whole field",
    "mesh-to-sdf": "tells inside by rays through the whole field",
}
"""Work that no block can do by itself, and why."""


def apply(name: str, field: da.Array, voxel_size: float = 1.0, **params: Any) -> da.Array:
    """Apply one of `kernels.KERNELS` to every block of a field, lazily.

    Args:
        name: the kernel's name.
        field: (nx, ny, nz) or (nx, ny, nz, 3), float32 or float64, in chunks of at least 4 voxels
            along x, y and z; the axis of components is one chunk.
        voxel_size: side of a voxel in world units.
        params: the kernel's own.

    Returns:
        The answer in the same chunks; nothing is computed yet.

    Raises:
        StagewrightError: ``kernel-global`` for work that needs the whole field, ``kernel-unknown``,
            ``grid-shape``, ``chunk-size``, ``voxel-size``.
    """
    import dask.array as da

    kernel = _kernel(name)
    size = cubic_voxel_size(voxel_size)
    _require_field(kernel, field, name)
    if kernel.takes_vectors:
        field = field.rechunk({3: 3})
    _require_chunks(field)
    depth = {axis: kernel.halo if axis < 3 else 0 for axis in range(field.ndim)}
    # No values are made up beyond the faces: there the kernel's own stencils count.
    wide = da.overlap.overlap(field, depth=depth, boundary="none")

    def work(block: FloatArray) -> FloatArray:
        return kernel(block, size, **params)

    chunks = wide.chunks[:3]
    answer = da.map_blocks(
        work,
        wide,
        dtype=field.dtype,
        chunks=(*chunks, (3,)) if kernel.gives_vectors else chunks,
        drop_axis=3 if kernel.takes_vectors and not kernel.gives_vectors else None,
        new_axis=3 if kernel.gives_vectors and not kernel.takes_vectors else None,
        meta=np.empty((0,) * (4 if kernel.gives_vectors else 3), field.dtype),
    )
    trimmed = {axis: kernel.halo if axis < 3 else 0 for axis in range(answer.ndim)}
    return da.overlap.trim_overlap(answer, depth=trimmed, boundary="none")


def _kernel(name: str) -> Kernel:
    if name in GLOBAL:
        raise StagewrightError(
            "kernel-global",
            f"“{name}” {GLOBAL[name]}, so it cannot be done block by block.",
            "Do it in memory, on a coarser or a smaller field.",
        )
    if name not in KERNELS:
        raise StagewrightError(
            "kernel-unknown",
            f"There is no kernel “{name}”.",
            f"Name one of {', '.join(sorted(KERNELS))}.",
        )
    return KERNELS[name]


def _require_field(kernel: Kernel, field: da.Array, name: str) -> None:
    fits = field.ndim == 4 and field.shape[3] == 3 if kernel.takes_vectors else field.ndim == 3
    if not fits or field.dtype not in (np.float32, np.float64):
        kind = "(nx, ny, nz, 3)" if kernel.takes_vectors else "(nx, ny, nz)"
        raise StagewrightError(
            "grid-shape",
            f"“{name}” does not take a field of shape {field.shape} and type {field.dtype}.",
            f"Give float32 or float64 of shape {kind}.",
        )


def _require_chunks(field: da.Array) -> None:
    least = min(min(sizes) for sizes in field.chunks[:3])
    if least < MINIMUM_VOXELS:
        raise StagewrightError(
            "chunk-size",
            f"A chunk of {least} voxels is too small for the stencils.",
            f"Rechunk the field: at least {MINIMUM_VOXELS} voxels along each axis.",
        )
