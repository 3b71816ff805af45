# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure kernels with a declared halo, for fields that are cut into blocks or slabs.

A kernel takes an array and gives one with the same voxels, and a voxel of the answer depends on no
voxel further than ``halo`` away along an axis. Where a block was cut out of a larger field it needs
that many voxels more on the cut sides, and its answer loses them again; on the domain's own faces
it gets none, so that the one-sided formulas there are those of the whole field. The answer is then
the whole field's to the last bit. (dask's ``map_overlap(depth=kernel.halo, boundary="none")`` cuts
and trims in just this way.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..jobs.errors import StagewrightError
from .csg import offset, shell
from .curvature import gaussian_curvature, mean_curvature
from .grid import FloatArray, Grid
from .operators import curl, divergence, gradient, laplacian, normalize
from .stencils import MINIMUM_VOXELS

SLAB_VOXELS = 1 << 22
"""Voxels of a slab, halo not counted."""


@dataclass(frozen=True)
class Kernel:
    """A pure function of a block.

    Attributes:
        function: takes a grid and parameters, gives a grid on the same lattice.
        halo: voxels on each side that an answer depends on.
        takes_vectors: whether the block is (nx, ny, nz, 3) instead of (nx, ny, nz).
        gives_vectors: the same of the answer.
    """

    function: Callable[..., Grid]
    halo: int
    takes_vectors: bool = False
    gives_vectors: bool = False

    def __call__(self, block: FloatArray, voxel_size: float = 1.0, **params: Any) -> FloatArray:
        """The answer for a block, with the block's voxels: at least 4 along each axis."""
        return self.function(Grid(np.ascontiguousarray(block), voxel_size), **params).values

    def result_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the answer for a block of a shape."""
        return (*shape[:3], 3) if self.gives_vectors else shape[:3]


KERNELS: dict[str, Kernel] = {
    "gradient": Kernel(gradient, 1, gives_vectors=True),
    "divergence": Kernel(divergence, 1, takes_vectors=True),
    "curl": Kernel(curl, 1, takes_vectors=True, gives_vectors=True),
    "laplacian": Kernel(laplacian, 1),
    "normalize": Kernel(normalize, 0, takes_vectors=True, gives_vectors=True),
    "mean-curvature": Kernel(mean_curvature, 1),
    "gaussian-curvature": Kernel(gaussian_curvature, 1),
    "offset": Kernel(offset, 0),
    "shell": Kernel(shell, 0),
}
"""The operators that may be applied block by block."""


def in_slabs(
    kernel: Kernel,
    values: FloatArray,
    voxel_size: float = 1.0,
    out: FloatArray | None = None,
    slab_voxels: int = SLAB_VOXELS,
    **params: Any,
) -> FloatArray:
    """Apply a kernel slab by slab along x, so that its temporaries stay small.

    Args:
        kernel: from `KERNELS`, or one of your own.
        values: the whole field; may be a memory-mapped file.
        voxel_size: side of a voxel in world units.
        out: array to write, of `Kernel.result_shape` and the values' dtype; may be mapped too.
        slab_voxels: about how many voxels are worked on at a time.
        **params: the kernel's own.

    Returns:
        The array written: bit for bit what the kernel gives for the whole field.

    Raises:
        StagewrightError: ``out-buffer``, ``bad-size`` or what the kernel refuses.
    """
    shape = kernel.result_shape(values.shape)
    if out is None:
        out = np.empty(shape, values.dtype)
    if out.shape != shape or out.dtype != values.dtype or np.may_share_memory(out, values):
        raise StagewrightError(
            "out-buffer",
            f"The out array is {out.dtype} of shape {out.shape}; a separate {values.dtype} array "
            f"of shape {shape} is needed.",
            "Leave out unset, or give such an array.",
        )
    if slab_voxels < 1:
        raise StagewrightError(
            "bad-size", f"A slab of {slab_voxels} voxels holds nothing.", "Give 1 or more."
        )
    planes = max(1, slab_voxels // int(np.prod(values.shape[1:3])))
    for start in range(0, values.shape[0], planes):
        stop = min(start + planes, values.shape[0])
        first, last = _with_halo(start, stop, kernel.halo, values.shape[0])
        answer = kernel(values[first:last], voxel_size, **params)
        out[start:stop] = answer[start - first : stop - first]
    return out


def _with_halo(start: int, stop: int, halo: int, count: int) -> tuple[int, int]:
    """The slab with its halo, and no thinner than the stencils at the domain's faces need."""
    first, last = max(0, start - halo), min(count, stop + halo)
    if last - first < MINIMUM_VOXELS:
        last = min(count, max(last, start + MINIMUM_VOXELS))
        first = max(0, min(first, last - MINIMUM_VOXELS))
    return first, last
