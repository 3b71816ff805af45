# SPDX-License-Identifier: GPL-3.0-or-later
"""Helmholtz-Hodge decomposition: a velocity as a divergence-free part and a gradient.

Solves the Poisson equation of the pressure projection (A. Chorin 1968) on a staggered grid exactly,
by cosine or sine transforms along each axis (fast Poisson solver), so the divergence that remains
is rounding. Cosine and sine transforms come from complex ones of the same length (J. Makhoul 1980).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import Grid, count_text, require_finite
from .memory import require_memory
from .parallel import for_each_chunk
from .staggered import StaggeredGrid

Walls = Literal["closed", "open"]
_LINES = 1 << 12


def project(velocity: StaggeredGrid, walls: Walls = "closed") -> tuple[StaggeredGrid, Grid]:
    """The divergence-free part of a velocity, and the potential whose gradient is the rest.

    Args:
        velocity: world lengths per unit of time on the faces of cells.
        walls: ``closed``: nothing flows through the domain's faces, what did is taken away;
            ``open``: it flows freely, the potential is zero on the faces.

    Returns:
        The velocity without divergence, and the potential at the cells' centres (in velocity times
        length; with closed walls its mean is zero).

    Raises:
        StagewrightError: ``projection-walls``, ``not-finite`` or ``out-of-memory``.
    """
    if walls not in ("closed", "open"):
        raise StagewrightError(
            "projection-walls", f"There are no walls {walls!r}.", "Use closed or open."
        )
    shape = velocity.shape
    require_memory(4 * 8 * int(np.prod(shape)), f"Projecting {count_text(shape)}")
    parts = [part.copy() for part in velocity.components]
    for axis, part in enumerate(parts):
        require_finite(part, "The velocity")
        if walls == "closed":
            ends = np.moveaxis(part, axis, 0)
            ends[0] = ends[-1] = 0
    flow = velocity.with_components(*parts)
    potential = _poisson(flow.divergence().values.astype(np.float64), velocity.voxel_size, walls)
    for axis, part in enumerate(parts):
        faces, lines = np.moveaxis(part, axis, 0), np.moveaxis(potential, axis, 0)
        faces[1:-1] -= np.diff(lines, axis=0) / velocity.voxel_size
        if walls == "open":
            faces[0] -= 2 * lines[0] / velocity.voxel_size
            faces[-1] += 2 * lines[-1] / velocity.voxel_size
    grid = Grid(potential.astype(velocity.x.dtype), velocity.voxel_size, velocity.origin)
    return flow, grid


def _poisson(right: NDArray[np.float64], voxel_size: float, walls: Walls) -> NDArray[np.float64]:
    """Solve the 7-point Poisson equation; ``right`` is used up."""
    sine = walls == "open"
    total = 0.0
    for axis, count in enumerate(right.shape):
        _transform(right, axis, sine, inverse=False)
        wave = np.arange(count) + (1 if sine else 0)
        eigenvalue = (2 * np.cos(np.pi * wave / count) - 2) / voxel_size**2
        total = total + eigenvalue.reshape([-1 if k == axis else 1 for k in range(3)])
    eigenvalues = np.asarray(total)
    if not sine:
        eigenvalues[0, 0, 0] = 1  # The mean of a potential is free.
        right[0, 0, 0] = 0
    right /= eigenvalues
    for axis in range(3):
        _transform(right, axis, sine, inverse=True)
    return right


def _transform(values: NDArray[np.float64], axis: int, sine: bool, inverse: bool) -> None:
    """Cosine transform (DCT-II) along an axis or its inverse, in place; or the sine transform.

    The sine transform of x is the cosine transform of x with every other sign turned, reversed.
    """
    lines = np.moveaxis(values, axis, 0)
    count = lines.shape[0]
    signs = np.where(np.arange(count) % 2, -1.0, 1.0)[:, None, None]
    turn = np.exp(-0.5j * np.pi * np.arange(count) / count)[:, None, None]
    half = -(-count // 2)

    def work(part: slice) -> None:
        block = np.ascontiguousarray(lines[:, part])
        if not inverse:
            if sine:
                block *= signs
            ordered = np.concatenate([block[::2], block[1::2][::-1]])
            block = (np.fft.fft(ordered, axis=0) * turn).real
            lines[:, part] = block[::-1] if sine else block
            return
        block = block[::-1] if sine else block
        mirrored = np.concatenate([np.zeros_like(block[:1]), block[:0:-1]])
        ordered = np.fft.ifft((block - 1j * mirrored) / turn, axis=0).real
        block = np.empty_like(ordered)
        block[::2], block[1::2] = ordered[:half], ordered[half:][::-1]
        lines[:, part] = block * signs if sine else block

    for_each_chunk(lines.shape[1], work, length=max(1, _LINES // lines.shape[2]))
