# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection that the lantern's parts are put into, and how they are placed."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.types import Curve, Mesh, Object
from mathutils import Euler, Matrix

FOOT = 0.010
"""Height of the feet in metres; the tank stands on them."""
PIVOT = 0.205
"""Height of the bail's pivots."""


class Lantern:
    """The collection being filled, its root and its materials."""

    def __init__(self, name: str) -> None:
        self.collection = bpy.data.collections.new(name)
        bpy.context.scene.collection.children.link(self.collection)
        self.root = self.add("Lantern Root", None)
        self.root.empty_display_size = 0.05
        self.materials: dict[str, bpy.types.Material] = {}

    def add(
        self,
        name: str,
        data: bpy.types.ID | None,
        material: str = "",
        at: tuple[float, float, float] = (0, 0, 0),
        turn: tuple[float, float, float] = (0, 0, 0),
    ) -> Object:
        """A new object under the root, ``turn`` in degrees."""
        thing = bpy.data.objects.new(name, data)
        self.collection.objects.link(thing)
        thing.location = at
        thing.rotation_euler = np.radians(turn)
        if data is not None:
            thing.parent = self.root
        if isinstance(data, Mesh | Curve) and material and not data.materials:
            data.materials.append(self.materials[material])
        return thing


def bevel(thing: Object, width: float, segments: int = 2, *, live: bool = False) -> None:
    """Round the sharp edges of ``thing``; ``live`` keeps the modifier.

    Blender averages the UVs of a live bevel in an order that differs from run to
    run, so that their last bit does too; where it shows, the bevel is applied.
    """
    modifier = thing.modifiers.new("Bevel", "BEVEL")
    modifier.width, modifier.segments = width, segments
    modifier.limit_method = "ANGLE"
    modifier.harden_normals = True
    if not live:
        with bpy.context.temp_override(object=thing, active_object=thing):
            bpy.ops.object.modifier_apply(modifier=modifier.name)


def add_array(thing: Object, step: Object, count: int) -> None:
    """Repeat ``thing`` in a ring: ``step`` is its child, turned by one place."""
    modifier = thing.modifiers.new("Ring", "ARRAY")
    modifier.count = count
    modifier.use_relative_offset = False
    modifier.use_object_offset = True
    modifier.offset_object = step


def polar(radius: float, angle: float, z: float) -> tuple[float, float, float]:
    """A point around Z; ``angle`` in degrees from +X."""
    return (radius * np.cos(np.radians(angle)), radius * np.sin(np.radians(angle)), z)


def outward(radius: float, angle: float, z: float) -> Matrix:
    """Local Z points away from the axis, at ``polar(radius, angle, z)``; local Y points up."""
    turned = Euler((np.radians(90), 0, np.radians(angle + 90))).to_matrix().to_4x4()
    return Matrix.Translation(polar(radius, angle, z)) @ turned
