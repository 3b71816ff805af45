# SPDX-License-Identifier: GPL-3.0-or-later
"""Polygon meshes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .values import Primvar, Property


@dataclass(frozen=True, eq=False)
class Subset:
    """The faces that one material is on.

    Attributes:
        name: name of the GeomSubset prim.
        faces: (k,) int32, ascending.
        material: path of the Material prim, or "".
    """

    name: str
    faces: NDArray[np.int32]
    material: str


@dataclass(frozen=True, eq=False)
class MeshRecord:
    """A polygon mesh.

    Attributes:
        path: absolute path of the Mesh prim.
        data: name of its data-block in Blender.
        points: (n, 3) float32, object space.
        face_vertex_counts: (f,) int32.
        face_vertex_indices: (c,) int32, the sum of the counts.
        normals: normals as a Primvar called ``normals``, or None.
        primvars: UV maps and attributes; the first UV map is called ``st``.
        material: path of the material bound to the whole mesh, or "".
        subsets: more than one material, by faces.
        subdivision: subdivision scheme.
        creases: (e, 2) int32 vertex pairs and (e,) float32 sharpness, or None.
        corners: (k,) int32 vertices and (k,) float32 sharpness, or None.
        velocities: (n, 3) float32 per second, or None.
        properties: custom properties of the data-block.
    """

    path: str
    data: str
    points: NDArray[np.float32]
    face_vertex_counts: NDArray[np.int32]
    face_vertex_indices: NDArray[np.int32]
    normals: Primvar | None = None
    primvars: tuple[Primvar, ...] = ()
    material: str = ""
    subsets: tuple[Subset, ...] = ()
    subdivision: Literal["none", "catmullClark"] = "none"
    creases: tuple[NDArray[np.int32], NDArray[np.float32]] | None = None
    corners: tuple[NDArray[np.int32], NDArray[np.float32]] | None = None
    velocities: NDArray[np.float32] | None = None
    properties: Mapping[str, Property] = field(default_factory=dict)
