# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes of polygons, with what files say of how they look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grid import Grid
from .remesh import Attribute, remesh


@dataclass(frozen=True, eq=False)
class Polygons:
    """A mesh of polygons, or points where it has none.

    Attributes:
        points: (n, 3) float64.
        counts: (f,) int64, corners of each face.
        corners: (c,) int64, the point of each corner, counter-clockwise seen from outside.
        uvs: (c, 2) float64, of each corner.
        colours: (n, 3) or (n, 4) float64 of each point, 0 to 1 but for light.
        materials: (f,) int64, the number of each face's material.
        names: of the materials.
        library: the file that says what they are.
    """

    points: NDArray[np.float64]
    counts: NDArray[np.int64]
    corners: NDArray[np.int64]
    uvs: NDArray[np.float64] | None = None
    colours: NDArray[np.float64] | None = None
    materials: NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    library: Path | None = None

    def triangles(self) -> NDArray[np.int64]:
        """(m, 3) fans of the polygons; those of fewer than 3 corners are left out."""
        triangles: NDArray[np.int64] = self.corners[self._fans()[0]]
        return triangles

    def _fans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Corners (m, 3) of the fans, and the face of each (m,)."""
        starts = np.cumsum(self.counts) - self.counts
        spokes = np.maximum(self.counts - 2, 0)
        face = np.repeat(np.arange(len(self.counts)), spokes)
        number = np.arange(len(face)) - np.repeat(np.cumsum(spokes) - spokes, spokes)
        first = starts[face]
        picked = np.stack([first, first + number + 1, first + number + 2], axis=1)
        return picked.reshape(-1, 3), face

    def remeshed(self, field: Grid, angle: float | None) -> Polygons:
        """A mesh of quads on the surface of this one, with its looks (see `remesh.remesh`).

        Args:
            field: signed distances to this mesh.
            angle: sharper edges are kept, radians.

        Raises:
            StagewrightError: what `remesh` refuses.
        """
        picked, face = self._fans()
        given: dict[str, Attribute] = {}
        if self.uvs is not None:
            given["uvs"] = Attribute("CORNER", self.uvs[picked])
        if self.colours is not None:
            given["colours"] = Attribute("POINT", self.colours)
        if self.materials is not None:
            given["materials"] = Attribute("FACE", self.materials[face])
        triangles = self.corners[picked]
        made = remesh(self.points, triangles, field, list(given.values()), angle=angle)
        carried: dict[str, Any] = dict(zip(given, made.values, strict=True))
        if "uvs" in carried:
            carried["uvs"] = carried["uvs"].reshape(-1, 2)
        plain = polygons_of(made.mesh.vertices, made.mesh.quads)
        return Polygons(
            plain.points,
            plain.counts,
            plain.corners,
            names=self.names,
            library=self.library,
            **carried,
        )


def polygons_of(points: NDArray[Any], faces: NDArray[Any]) -> Polygons:
    """Polygons of (n, 3) points and (f, k) faces."""
    counts = np.full(len(faces), faces.shape[1], np.int64)
    return Polygons(points.astype(np.float64), counts, faces.reshape(-1).astype(np.int64))
