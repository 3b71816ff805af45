# SPDX-License-Identifier: GPL-3.0-or-later
"""What the direct writer is given: one plain record at a time.

A stream begins with a :class:`StageRecord`. A :class:`FrameRecord` says at
which frame all that follows was read; without one the stage is static. The
first record of a path defines its prim; a later one, at another frame, adds
time samples to what has changed since. Parents come before their children.

Lengths are scene units and axes are the scene's (Blender: Z up). Arrays are
contiguous; the writer keeps none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Interpolation = Literal["constant", "uniform", "vertex", "varying", "faceVarying"]
Purpose = Literal["default", "render", "proxy", "guide"]
Property = bool | int | float | str | tuple[int, ...] | tuple[float, ...]

MATERIALS = "_materials"
"""Name of the scope below the root that holds the materials."""
PROTOTYPES = "_prototypes"
"""Name of the abstract scope below the root that holds what is instanced."""


@dataclass(frozen=True)
class StageRecord:
    """What holds for the whole stage.

    Attributes:
        root: name of the root prim; every path begins with it.
        meters_per_unit: metres in one scene unit.
        up_axis: ``"Z"`` or ``"Y"``; the root prim is turned for ``"Y"``.
        frames: first and last frame of an animation, or None.
        frames_per_second: of the scene; one time code is one frame.
    """

    root: str
    meters_per_unit: float = 1.0
    up_axis: Literal["Z", "Y"] = "Z"
    frames: tuple[float, float] | None = None
    frames_per_second: float = 24.0


@dataclass(frozen=True)
class FrameRecord:
    """The frame at which all records up to the next one were read."""

    frame: float


@dataclass(frozen=True, eq=False)
class XformOp:
    """One transform operation.

    Attributes:
        name: as UsdGeomXformable spells it, without ``xformOp:``
            (``"translate"``, ``"translate:pivot"``, ``"rotateXYZ"``).
        value: 3 floats (degrees for rotations), 4 for ``orient`` (w, x, y, z),
            (4, 4) for ``transform``.
        inverse: whether it is written as ``!invert!``.
    """

    name: str
    value: NDArray[np.float64]
    inverse: bool = False


@dataclass(frozen=True, eq=False)
class XformRecord:
    """An object: an Xform prim.

    Attributes:
        path: absolute path of the prim.
        object: name of the object in Blender, or "" for a prim it has none for.
        ops: transform operations in the order of ``xformOpOrder``; none for
            the identity. Matrices are in USD's row-vector convention.
        visible: False makes it, and all below, invisible.
        purpose: USD's purpose.
        properties: custom properties by name.
        prototype: path of the prim that this one is an instance of, or "".
    """

    path: str
    object: str
    ops: tuple[XformOp, ...] = ()
    visible: bool = True
    purpose: Purpose = "default"
    properties: Mapping[str, Property] = field(default_factory=dict)
    prototype: str = ""


@dataclass(frozen=True, eq=False)
class Primvar:
    """Values on the elements of a shape.

    Attributes:
        name: without ``primvars:``; a valid property name.
        type: name of a Sdf value type (``"texCoord2f[]"``).
        interpolation: what elements the values are on.
        values: (n,) or (n, k).
        indices: (m,) int32 into ``values``, or None.
    """

    name: str
    type: str
    interpolation: Interpolation
    values: NDArray[np.generic]
    indices: NDArray[np.int32] | None = None


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


@dataclass(frozen=True, eq=False)
class PointInstancerRecord:
    """Many instances of few prototypes.

    Attributes:
        path: absolute path of the PointInstancer prim.
        prototypes: absolute paths of the prototype prims, below ``path``.
        indices: (n,) int32 into ``prototypes``.
        positions: (n, 3) float32.
        orientations: (n, 4) float32 unit quaternions (w, x, y, z).
        scales: (n, 3) float32.
        ids: (n,) int64, the same for the same instance at every frame, or None.
        primvars: attributes of the instances.
    """

    path: str
    prototypes: tuple[str, ...]
    indices: NDArray[np.int32]
    positions: NDArray[np.float32]
    orientations: NDArray[np.float32]
    scales: NDArray[np.float32]
    ids: NDArray[np.int64] | None = None
    primvars: tuple[Primvar, ...] = ()


Record = StageRecord | FrameRecord | XformRecord | MeshRecord | PointInstancerRecord
