# SPDX-License-Identifier: GPL-3.0-or-later
"""The grid: samples of a scalar or vector field on a regular lattice.

Convention (OpenVDB's): a sample lies AT its index coordinates, so voxel (i, j, k) is the cube of
side ``voxel_size`` centred on ``origin + voxel_size * (i, j, k)``, and ``origin`` is the world
position of the centre of voxel (0, 0, 0). Voxels are cubes with axes along the world's: unequal
voxel sizes are refused by name. Fields that hold lengths (signed distances) hold world lengths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..jobs.errors import StagewrightError
from .memory import require_memory

FloatArray = NDArray[np.floating[Any]]

MOST_VOXELS = 2**62
"""Voxels of a grid that flat indices of 64 bits can number, with room for a rim."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Samples of a field on cubic voxels.

    Args:
        values: shape (nx, ny, nz) for a scalar field or (nx, ny, nz, 3) for a vector field;
            float32 or float64. Kept as it is, not copied.
        voxel_size: side of a voxel in world units, above 0. Three equal numbers are accepted.
        origin: world position of the centre of voxel (0, 0, 0).

    Raises:
        StagewrightError: ``grid-dtype``, ``grid-shape``, ``grid-empty``, ``voxel-size``,
            ``anisotropic-voxels`` or ``grid-origin``.
    """

    values: FloatArray
    voxel_size: float = 1.0
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Validate, and normalise voxel_size to a float and origin to three floats."""
        _validate_values(self.values)
        object.__setattr__(self, "voxel_size", cubic_voxel_size(self.voxel_size))
        object.__setattr__(self, "origin", _position(self.origin))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along x, y and z."""
        nx, ny, nz = self.values.shape[:3]
        return nx, ny, nz

    @property
    def is_vector(self) -> bool:
        """True for a field of 3-vectors."""
        return self.values.ndim == 4

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """float32 or float64."""
        return self.values.dtype

    def index_to_world(self, indices: ArrayLike) -> NDArray[np.float64]:
        """World positions, shape (..., 3), of index coordinates (fractions allowed)."""
        positions: NDArray[np.float64] = np.asarray(indices, np.float64) * self.voxel_size
        return positions + self.origin

    def world_to_index(self, points: ArrayLike) -> NDArray[np.float64]:
        """Index coordinates, shape (..., 3), of world positions (integers at voxel centres)."""
        offsets: NDArray[np.float64] = np.asarray(points, np.float64) - self.origin
        return offsets / self.voxel_size

    def centers(self, dtype: type[np.floating[Any]] = np.float64) -> tuple[FloatArray, ...]:
        """World x, y and z of the voxel centres, shaped to broadcast against ``values``.

        Returns:
            Arrays of shape (nx, 1, 1), (1, ny, 1) and (1, 1, nz).
        """
        axes = (
            (start + self.voxel_size * np.arange(count)).astype(dtype)
            for start, count in zip(self.origin, self.shape, strict=True)
        )
        return tuple(np.meshgrid(*axes, indexing="ij", sparse=True))

    def with_values(self, values: FloatArray) -> Grid:
        """The same lattice with other values (same nx, ny, nz; scalar or vector).

        Raises:
            StagewrightError: ``grid-mismatch`` when the voxel counts differ.
        """
        if values.shape[:3] != self.shape:
            raise StagewrightError(
                "grid-mismatch",
                f"Values of shape {values.shape} do not fit a grid of {count_text(self.shape)}.",
                "Give one value for each voxel of the grid.",
            )
        return Grid(values, self.voxel_size, self.origin)


def grid_over(
    lower: Sequence[float],
    upper: Sequence[float],
    voxel_size: float,
    *,
    padding: int = 0,
    dtype: type[np.floating[Any]] = np.float32,
    fill: float = 0.0,
) -> Grid:
    """A filled scalar grid that covers the world box ``lower``..``upper``.

    Voxel centres lie on multiples of ``voxel_size``, so grids of one voxel size line up.

    Args:
        lower: least corner of the box, 3 world coordinates.
        upper: greatest corner of the box.
        voxel_size: side of a voxel in world units.
        padding: voxels added on every side.
        dtype: ``np.float32`` or ``np.float64``.
        fill: value of every voxel.

    Raises:
        StagewrightError: ``grid-origin`` for an empty or non-finite box, ``grid-too-fine`` or
            ``out-of-memory`` (nothing was allocated), or what `Grid` refuses.
    """
    size = cubic_voxel_size(voxel_size)
    low, high = np.asarray(_position(lower)), np.asarray(_position(upper))
    if np.any(high < low):
        raise StagewrightError(
            "grid-origin",
            f"The box from {_position(lower)} to {_position(upper)} is empty.",
            "Give the least corner first.",
        )
    first, shape = lattice_over(low, high, size, padding)
    needed = math.prod(shape) * np.dtype(dtype).itemsize
    require_memory(needed, f"A grid of {count_text(shape)}")
    return Grid(np.full(shape, fill, dtype), size, _position(first * size))


def lattice_over(
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    voxel_size: float,
    padding: float,
    most: int = MOST_VOXELS,
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """The voxels over a world box, centres on multiples of ``voxel_size``.

    Args:
        lower: least corner of the box, 3 finite world coordinates.
        upper: greatest corner of the box.
        voxel_size: side of a voxel in world units.
        padding: voxels added on every side.
        most: largest number of voxels that the caller can number.

    Returns:
        Number, on the world's lattice, of the voxel that becomes (0, 0, 0), and the voxel counts.

    Raises:
        StagewrightError: ``grid-too-fine`` above ``most`` voxels.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # Absurd sizes end in the refusal below.
        first = np.floor(lower / voxel_size) - padding
        counts = np.ceil(upper / voxel_size) + padding + 1 - first
        fits = bool(np.prod(counts) <= most)
    if not fits:
        raise StagewrightError(
            "grid-too-fine",
            f"Voxels of {voxel_size:g} over a box of "
            f"{' x '.join(f'{side:g}' for side in upper - lower)} are more than can be numbered.",
            "Use a larger voxel size or a smaller region.",
        )
    nx, ny, nz = (int(count) for count in counts.tolist())
    return first, (nx, ny, nz)


def require_same_lattice(*grids: Grid) -> None:
    """Refuse grids whose voxels do not coincide.

    Raises:
        StagewrightError: ``grid-mismatch``, naming what differs first.
    """
    first = grids[0]
    for other in grids[1:]:
        if other.shape != first.shape:
            difference = f"{count_text(first.shape)} and {count_text(other.shape)}"
        elif not math.isclose(other.voxel_size, first.voxel_size, rel_tol=1e-6):
            difference = f"voxel sizes {first.voxel_size:g} and {other.voxel_size:g}"
        elif not np.allclose(other.origin, first.origin, rtol=0, atol=1e-4 * first.voxel_size):
            difference = f"origins {first.origin} and {other.origin}"
        else:
            continue
        raise StagewrightError(
            "grid-mismatch",
            f"The grids do not share one lattice: {difference}.",
            "Resample one of them onto the other's lattice first.",
        )


def require_scalar(grid: Grid) -> None:
    """Refuse a vector field where a scalar one is needed (``grid-shape``)."""
    if grid.is_vector:
        raise StagewrightError(
            "grid-shape", "A scalar grid is needed, not a vector grid.", "Give one component of it."
        )


def require_vector(grid: Grid) -> None:
    """Refuse a scalar field where a vector one is needed (``grid-shape``)."""
    if not grid.is_vector:
        raise StagewrightError(
            "grid-shape",
            "A vector grid is needed, not a scalar grid.",
            "Give an array of shape (nx, ny, nz, 3).",
        )


def require_finite(values: FloatArray, what: str = "The grid") -> None:
    """Refuse NaN and infinity (``not-finite``), telling how many and where the first one is."""
    # The extremes are NaN or infinite exactly when some value is, and need no array of flags.
    if values.size == 0 or (np.isfinite(np.min(values)) and np.isfinite(np.max(values))):
        return
    bad = ~np.isfinite(values)
    place = tuple(int(index) for index in np.unravel_index(int(np.argmax(bad)), values.shape))
    raise StagewrightError(
        "not-finite",
        f"{what} has {int(bad.sum())} values that are NaN or infinite, the first at {place}.",
        "Replace them with numbers first.",
    )


def cubic_voxel_size(size: ArrayLike) -> float:
    """The one side of a cubic voxel, from a number or three equal numbers.

    Raises:
        StagewrightError: ``voxel-size`` unless finite and above 0; ``anisotropic-voxels`` for
            three numbers that differ.
    """
    sizes = np.asarray(size, np.float64)
    if sizes.shape not in ((), (3,)) or not np.all(np.isfinite(sizes)) or np.any(sizes <= 0):
        raise StagewrightError(
            "voxel-size",
            f"The voxel size {size!r} is not a length above 0.",
            "Give one finite number in world units.",
        )
    first = float(sizes.flat[0])
    if not np.allclose(sizes, first, rtol=1e-6, atol=0):
        raise StagewrightError(
            "anisotropic-voxels",
            f"Voxels of {' x '.join(f'{side:g}' for side in sizes.flat)} are not cubes.",
            "Resample the field onto cubic voxels first.",
        )
    return first


def count_text(counts: ArrayLike) -> str:
    """Voxel counts for messages: ``64 x 64 x 32 voxels``."""
    return " x ".join(f"{int(count)}" for count in np.asarray(counts).tolist()) + " voxels"


def _validate_values(values: FloatArray) -> None:
    if not isinstance(values, np.ndarray) or values.dtype not in (np.float32, np.float64):
        kind = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
        raise StagewrightError(
            "grid-dtype",
            f"A grid holds float32 or float64 arrays, not {kind}.",
            "Convert the values, for example with values.astype(numpy.float32).",
        )
    if values.ndim not in (3, 4) or (values.ndim == 4 and values.shape[3] != 3):
        raise StagewrightError(
            "grid-shape",
            f"A grid has shape (nx, ny, nz) or (nx, ny, nz, 3), not {values.shape}.",
            "Reshape the values.",
        )
    if values.size == 0:
        raise StagewrightError(
            "grid-empty",
            f"The grid of {count_text(values.shape[:3])} is empty.",
            "Give at least one voxel along each axis.",
        )


def _position(point: ArrayLike) -> tuple[float, float, float]:
    position = np.asarray(point, np.float64)
    if position.shape != (3,) or not np.all(np.isfinite(position)):
        raise StagewrightError(
            "grid-origin",
            f"{point!r} is not a position in the world.",
            "Give three finite numbers.",
        )
    x, y, z = position.tolist()
    return x, y, z
