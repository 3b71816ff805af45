# SPDX-License-Identifier: GPL-3.0-or-later
"""Staggered (MAC) grids: each component of a velocity lies on the faces it flows through.

F. Harlow and J. Welch 1965. Cells are the voxels of a `Grid`: cell (0, 0, 0) is centred on
``origin``. Component x lies at the faces between cells along x, so its array has one sample more
along x than there are cells, and its first sample half a voxel before the first cell's centre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .grid import FloatArray, Grid, require_vector
from .sampling import sample


@dataclass(frozen=True, eq=False)
class StaggeredGrid:
    """A velocity on the faces of cubic cells.

    Args:
        x: (nx + 1, ny, nz) float32 or float64, the x component.
        y: (nx, ny + 1, nz).
        z: (nx, ny, nz + 1).
        voxel_size: side of a cell in world units.
        origin: world position of the centre of cell (0, 0, 0).

    Raises:
        StagewrightError: ``grid-mismatch`` when the three do not belong to one set of cells, and
            what `Grid` refuses.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    voxel_size: float = 1.0
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Check that the three components fit together."""
        for axis, part in enumerate(self.components):
            Grid(part, self.voxel_size, self.origin)
            cells = list(part.shape)
            cells[axis] -= 1
            if part.ndim != 3 or tuple(cells) != self.shape or part.dtype != self.x.dtype:
                raise StagewrightError(
                    "grid-mismatch",
                    f"Components of shapes {self.x.shape}, {self.y.shape} and {self.z.shape} are "
                    "not the faces of one set of cells.",
                    "Give one sample more along each component's own axis, and one dtype.",
                )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells along x, y and z."""
        nx, ny, nz = self.x.shape
        return nx - 1, ny, nz

    @property
    def components(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """x, y and z."""
        return self.x, self.y, self.z

    def face_grids(self) -> tuple[Grid, Grid, Grid]:
        """Each component as a scalar grid of its own, where it lies in the world."""
        x, y, z = (self._face_grid(axis) for axis in range(3))
        return x, y, z

    def sample(self, points: NDArray[np.floating[Any]]) -> FloatArray:
        """Velocities (n, 3) at world positions (n, 3), each component linearly from its faces."""
        return np.stack([sample(grid, points) for grid in self.face_grids()], axis=1)

    def divergence(self) -> Grid:
        """Net flow out of each cell over its volume: exact for these unknowns."""
        total = sum(np.diff(part, axis=axis) for axis, part in enumerate(self.components))
        return Grid(
            np.asarray(total / self.x.dtype.type(self.voxel_size)), self.voxel_size, self.origin
        )

    def to_centers(self) -> Grid:
        """The mean of opposite faces, a vector grid on the cells."""
        values = np.empty((*self.shape, 3), self.x.dtype)
        for axis, part in enumerate(self.components):
            lines = np.moveaxis(part, axis, 0)
            np.moveaxis(values[..., axis], axis, 0)[...] = (lines[1:] + lines[:-1]) / 2
        return Grid(values, self.voxel_size, self.origin)

    def with_components(self, x: FloatArray, y: FloatArray, z: FloatArray) -> StaggeredGrid:
        """The same cells with other velocities."""
        return replace(self, x=x, y=y, z=z)

    def _face_grid(self, axis: int) -> Grid:
        origin = list(self.origin)
        origin[axis] -= self.voxel_size / 2
        x, y, z = origin
        return Grid(self.components[axis], self.voxel_size, (x, y, z))


def staggered(velocity: Grid) -> StaggeredGrid:
    """A vector grid's components on the faces: means of both cells, the cell's own at the rim.

    Raises:
        StagewrightError: ``grid-shape``.
    """
    require_vector(velocity)
    parts = []
    for axis in range(3):
        lines = np.moveaxis(velocity.values[..., axis], axis, 0)
        faces = np.concatenate([lines[:1], (lines[1:] + lines[:-1]) / 2, lines[-1:]])
        parts.append(np.ascontiguousarray(np.moveaxis(faces, 0, axis)))
    x, y, z = parts
    return StaggeredGrid(x, y, z, velocity.voxel_size, velocity.origin)
