# SPDX-License-Identifier: GPL-3.0-or-later
"""Gradient noise as a field, and flows without divergence made of it.

K. Perlin, "Improving Noise" (2002), over a lattice whose gradients come from an integer hash: the
same on every machine for one seed. R. Bridson, J. Hourihan and M. Nordenstam, "Curl-Noise for
Procedural Fluid Flow" (2007).
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import FloatArray, Grid, require_same_lattice, require_scalar
from .operators import curl, gradient, normalize
from .parallel import for_each_chunk

_SLAB_VOXELS = 1 << 17
_GRADIENTS = np.array(
    [g for g in itertools.product((-1, 0, 1), repeat=3) if sum(map(abs, g)) == 2], np.float64
)
"""The twelve edges of a cube."""


def noise(
    lattice: Grid, scale: float, *, octaves: int = 1, gain: float = 0.5, seed: int = 0
) -> Grid:
    """Gradient noise, about -1..1 with one octave, with mean near zero.

    Args:
        lattice: any grid; its values are not read.
        scale: world size of the largest bumps.
        octaves: layers, each half as large as the one before.
        gain: height of each layer relative to the one before.
        seed: other seeds give other noise.

    Returns:
        A scalar field of the lattice's dtype.

    Raises:
        StagewrightError: ``noise-scale``.
    """
    _require_noise(scale, octaves)
    values = np.empty(lattice.shape, lattice.dtype)
    x, y, z = lattice.centers()
    planes = max(1, _SLAB_VOXELS // (lattice.shape[1] * lattice.shape[2]))

    def work(part: slice) -> None:
        total = np.zeros((part.stop - part.start, *lattice.shape[1:]))
        for octave in range(octaves):
            factor = 2.0**octave / scale
            layer = _layer(x[part] * factor, y * factor, z * factor, seed + 1013 * octave)
            total += layer * gain**octave
        values[part] = total

    for_each_chunk(lattice.shape[0], work, length=planes)
    return lattice.with_values(values)


def curl_noise(
    lattice: Grid,
    scale: float,
    *,
    octaves: int = 1,
    seed: int = 0,
    around: Grid | None = None,
    falloff: float | None = None,
) -> Grid:
    """A turbulent flow without divergence: the curl of three noises.

    Args:
        lattice: any grid of at least 4 voxels along each axis; its values are not read.
        scale: world size of the largest whirls.
        octaves: layers of whirls, each half as large and, in velocity, as strong as the one before.
        seed: other seeds give other flows.
        around: signed distances of a solid on the same lattice: nothing flows through it.
        falloff: world distance over which the flow bends around the solid; ``scale`` unless given.

    Returns:
        Velocities of the order of 1; their central differences have no divergence inside.

    Raises:
        StagewrightError: ``noise-scale``, ``grid-mismatch``, ``grid-shape`` or ``grid-too-thin``.
    """
    _require_noise(scale if falloff is None else falloff, octaves)
    potential = np.empty((*lattice.shape, 3), lattice.dtype)
    for axis in range(3):
        part = noise(lattice, scale, octaves=octaves, seed=seed + 7919 * (axis + 1))
        potential[..., axis] = part.values
    potential *= scale
    if around is not None:
        require_scalar(around)
        require_same_lattice(lattice, around)
        potential = _around(potential, around, falloff or scale)
    return curl(lattice.with_values(potential))


def _around(potential: FloatArray, solid: Grid, falloff: float) -> FloatArray:
    """Bend the potential so that its part along the surface vanishes there (Bridson 2007)."""
    normal = normalize(gradient(solid)).values
    ramp = np.clip(solid.values / falloff, -1, 1)
    ramp = np.abs(ramp * (15 - ramp * ramp * (10 - 3 * ramp * ramp)) / 8)[..., None]
    across = np.einsum("xyzi,xyzi->xyz", normal, potential)[..., None] * normal
    result: FloatArray = ramp * potential + (1 - ramp) * across
    return result.astype(potential.dtype, copy=False)


def _layer(x: FloatArray, y: FloatArray, z: FloatArray, seed: int) -> FloatArray:
    """One layer of noise at broadcast coordinates."""
    cells = [np.floor(part).astype(np.int64) for part in (x, y, z)]
    rests = [part - cell for part, cell in zip((x, y, z), cells, strict=True)]
    fades = [t * t * t * (t * (t * 6 - 15) + 10) for t in rests]
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape))
    for corner in itertools.product((0, 1), repeat=3):
        pick = _hash([cell + step for cell, step in zip(cells, corner, strict=True)], seed)
        weight = np.ones(())
        slope = np.zeros(())
        for axis, step in enumerate(corner):
            weight = weight * (fades[axis] if step else 1 - fades[axis])
            slope = slope + _GRADIENTS[:, axis][pick] * (rests[axis] - step)
        total += weight * slope
    return total


def _hash(cells: list[NDArray[np.int64]], seed: int) -> NDArray[np.int64]:
    """A number 0..11 for each lattice point, by multiplying and folding 64-bit integers."""
    key = np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    total = np.zeros(np.broadcast_shapes(*(cell.shape for cell in cells)), np.uint64)
    total += key
    for cell, prime in zip(
        cells, (0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB), strict=True
    ):
        total ^= cell.astype(np.uint64) * np.uint64(prime)
        total *= np.uint64(0xFF51AFD7ED558CCD)
        total ^= total >> np.uint64(32)
    return (total % np.uint64(12)).astype(np.int64)


def _require_noise(scale: float, octaves: int) -> None:
    if not (np.isfinite(scale) and scale > 0 and octaves >= 1):
        raise StagewrightError(
            "noise-scale",
            f"Noise of scale {scale!r} in {octaves} octaves cannot be made.",
            "Give a finite length above 0 and at least one octave.",
        )
