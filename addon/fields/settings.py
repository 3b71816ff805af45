# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""What is made through a field, and how: a scene's settings for the next, an object's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
)

OPERATIONS = (
    ("CONVERT", "Convert", "The solid as it is: a mesh or points to a volume, a volume to a mesh"),
    ("REMESH", "Remesh", "The mesh in even quads, with its materials, UVs, colours and groups"),
    ("BOOLEAN", "Boolean", "What the active and the other selected objects make together"),
    ("OFFSET", "Offset", "The solid, grown or shrunk by a distance"),
    ("SHELL", "Shell", "The wall of a thickness around the surface"),
    ("SMOOTH", "Smooth", "The solid without details below a size"),
    ("RENORMALIZE", "Renormalize", "A volume's distances anew, its surface kept where it is"),
    ("DISPLACE", "Displace", "The solid with its surface moved by the heights of an image"),
)
SOURCES = (
    ("SURFACE", "Surface", "The solid that the faces of the mesh enclose"),
    ("POINTS", "Points", "A fluid's surface around the vertices, or the points of a point cloud"),
    ("PARTICLES", "Particles", "A fluid's surface around the particles of the object"),
)
RESULTS = {"REMESH": "MESH", "RENORMALIZE": "VOLUME"}
"""What comes out of operations that leave no choice."""

changed: list[Callable[[bpy.types.Object], None]] = []
"""Called with an object whose settings have changed."""


def _mark(self: STAGEWRIGHT_PG_field, context: bpy.types.Context) -> None:
    if isinstance(self.id_data, bpy.types.Object) and self.live:
        for tell in changed:
            tell(self.id_data)


class STAGEWRIGHT_PG_field_source(bpy.types.PropertyGroup):
    """An object that a field is made from."""

    object: PointerProperty(
        name="Object", description="Object that the field is made from", type=bpy.types.Object
    )


class STAGEWRIGHT_PG_field(bpy.types.PropertyGroup):
    """What is made through a field, and how."""

    operation: EnumProperty(
        name="Operation",
        description="What is done with the solid",
        items=OPERATIONS,
        update=_mark,
    )
    output: EnumProperty(
        name="Result",
        description="What comes out",
        items=(
            ("MESH", "Mesh", "A mesh of quads", "MESH_DATA", 0),
            ("VOLUME", "SDF Volume", "Signed distances in an OpenVDB file", "VOLUME_DATA", 1),
        ),
        update=_mark,
    )
    source: EnumProperty(
        name="From",
        description="What of the selected objects is taken",
        items=SOURCES,
        update=_mark,
    )
    detail: EnumProperty(
        name="Voxels",
        description="How the size of the voxels is told",
        items=(
            ("COUNT", "Count", "Number of voxels along the longest side"),
            ("SIZE", "Size", "Length of a voxel's side"),
        ),
        update=_mark,
    )
    voxels: IntProperty(
        name="Longest Side",
        description="Voxels along the longest side of what is selected",
        default=100,
        min=4,
        soft_max=512,
        max=100000,
        update=_mark,
    )
    voxel_size: FloatProperty(
        name="Voxel Size",
        description="Length of a voxel's side; a volume keeps its own voxels",
        subtype="DISTANCE",
        default=0.05,
        min=1e-6,
        soft_min=0.001,
        precision=4,
        update=_mark,
    )
    boolean: EnumProperty(
        name="Boolean",
        description="How the solids are joined",
        items=(
            ("UNION", "Union", "What lies in any of them"),
            ("DIFFERENCE", "Difference", "What lies in the active object and in no other one"),
            ("INTERSECTION", "Intersection", "What lies in all of them"),
        ),
        update=_mark,
    )
    blend: FloatProperty(
        name="Blend",
        description="Width of the smooth passage where two solids meet; 0 keeps the edge sharp",
        subtype="DISTANCE",
        min=0.0,
        soft_max=1.0,
        update=_mark,
    )
    distance: FloatProperty(
        name="Distance",
        description="How far the surface moves outwards; below 0 inwards",
        subtype="DISTANCE",
        default=0.1,
        update=_mark,
    )
    thickness: FloatProperty(
        name="Thickness",
        description="Thickness of the wall, half of it on each side of the surface",
        subtype="DISTANCE",
        default=0.1,
        min=1e-6,
        update=_mark,
    )
    width: FloatProperty(
        name="Size",
        description="Size of the details that are smoothed away",
        subtype="DISTANCE",
        default=0.1,
        min=1e-6,
        update=_mark,
    )
    half_width: FloatProperty(
        name="Band",
        description="Voxels of distances that a volume holds on each side of the surface",
        default=3.0,
        min=1.0,
        soft_max=20.0,
        max=1000.0,
        precision=1,
        update=_mark,
    )
    picture: PointerProperty(
        name="Image",
        description="Image whose brightness moves the surface, stretched over the object's box",
        type=bpy.types.Image,
        update=_mark,
    )
    height: FloatProperty(
        name="Height",
        description="How far white moves the surface outwards; below 0 inwards",
        subtype="DISTANCE",
        default=0.1,
        update=_mark,
    )
    radius: FloatProperty(
        name="Radius",
        description="Radius of a particle: about its distance to the next one",
        subtype="DISTANCE",
        default=0.1,
        min=1e-6,
        update=_mark,
    )
    fluid: EnumProperty(
        name="Surface",
        description="How the particles are joined",
        items=(
            ("SPHERES", "Spheres", "A sphere around each particle"),
            ("SMOOTH", "Smooth", "The smooth surface of Zhu and Bridson"),
            ("STRETCHED", "Stretched", "Kernels along sheets and strands (Yu and Turk); slowest"),
        ),
        default="SMOOTH",
        update=_mark,
    )
    sign: EnumProperty(
        name="Inside",
        description="How the inside of a mesh is told",
        items=(
            ("auto", "Automatic", "Chosen by what the mesh is like; mends holes"),
            ("unsigned", "None", "The mesh is a sheet without an inside: offset it to see it"),
        ),
        update=_mark,
    )
    exact: BoolProperty(
        name="Exact",
        description="Prove the closest triangle of every voxel; slower by far. Else a few voxels "
        "may keep one that is not the very nearest",
        update=_mark,
    )
    sharp: BoolProperty(
        name="Sharp Edges",
        description="Put vertices on the edges and corners of the field instead of rounding them",
        default=True,
        update=_mark,
    )
    angle: FloatProperty(
        name="Sharp Angle",
        description="Edges of the new mesh that are sharper than this are shaded sharp",
        subtype="ANGLE",
        default=0.7,
        min=0.0,
        max=3.1416,
        update=_mark,
    )
    hide: BoolProperty(
        name="Hide Originals",
        description="Hide the objects that the result is made from; they are kept",
        default=True,
        update=_mark,
    )
    threshold: FloatProperty(
        name="Threshold",
        description="Density of a fog volume that counts as its surface",
        default=0.1,
        min=0.0,
        update=_mark,
    )
    view: EnumProperty(
        name="Show",
        description="What is made visible",
        items=(
            ("SLICE", "Slice", "The distances on a plane, with lines of equal distance"),
            ("CURVATURE", "Curvature", "The mean curvature, as an attribute of the surface"),
            ("ARROWS", "Arrows", "The direction of the field"),
            ("STREAMLINES", "Streamlines", "Lines along the direction of the field"),
        ),
    )
    axis: EnumProperty(
        name="Across",
        description="Axis of the object that a slice lies across, or an image is seen along",
        items=tuple((axis, axis, f"The object's {axis} axis") for axis in "XYZ"),
        default="Z",
    )
    place: FloatProperty(
        name="Place",
        description="Where along the axis the slice is",
        subtype="FACTOR",
        default=0.5,
        min=0.0,
        max=1.0,
    )
    spacing: FloatProperty(
        name="Spacing",
        description="Distance between two lines or arrows",
        subtype="DISTANCE",
        default=0.1,
        min=1e-6,
    )
    length: FloatProperty(
        name="Length",
        description="Length of a streamline",
        subtype="DISTANCE",
        default=1.0,
        min=1e-6,
    )
    live: BoolProperty(
        name="Live",
        description="Rebuild a moment after the settings or what it is made from have changed; "
        "rests while an animation plays or renders",
        update=_mark,
    )
    sources: CollectionProperty(type=STAGEWRIGHT_PG_field_source)

    def options(self) -> dict[str, Any]:
        """The settings as plain JSON data."""
        skipped = {"rna_type", "name", "sources", "live"}
        names = [p.identifier for p in self.bl_rna.properties if p.identifier not in skipped]
        options: dict[str, Any] = {name: getattr(self, name) for name in names}
        options["picture"] = self.picture.name if self.picture else ""
        options["output"] = self.result()
        return options

    def result(self) -> str:
        """What comes out: ``MESH`` or ``VOLUME``."""
        return RESULTS.get(self.operation, str(self.output))

    def take(self, options: dict[str, Any], sources: list[bpy.types.Object]) -> None:
        """Take over the settings and sources of another."""
        for name, value in options.items():
            setattr(self, name, bpy.data.images.get(value) if name == "picture" else value)
        self.sources.clear()
        for item in sources:
            self.sources.add().object = item


_CLASSES = (STAGEWRIGHT_PG_field_source, STAGEWRIGHT_PG_field)


def register() -> None:
    """Add the settings to scenes, and to objects how they were made."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.stagewright_field = PointerProperty(type=STAGEWRIGHT_PG_field)
    bpy.types.Object.stagewright_field = PointerProperty(type=STAGEWRIGHT_PG_field)


def unregister() -> None:
    """Take them away; what files hold stays in them."""
    del bpy.types.Object.stagewright_field
    del bpy.types.Scene.stagewright_field
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
