# SPDX-License-Identifier: GPL-3.0-or-later
"""The lantern's armature, what it deforms and carries, and its looping keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy
import numpy as np
from bpy.types import Object
from lantern_meshes import Array
from mathutils import Matrix

BEATS = (1, 7, 13, 19, 25)
"""The keyed frames; the last repeats the first, so that frames 1 to 24 loop."""


def add_rig(collection: bpy.types.Collection, root: Object, pivot: float) -> Object:
    """Bones of the bail (at height ``pivot``) and of the rope, swinging."""
    armature = bpy.data.armatures.new("Lantern Rig")
    armature.display_type = "STICK"
    rig = bpy.data.objects.new("Lantern Rig", armature)
    collection.objects.link(rig)
    rig.parent = root
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    x, y = 0.0862, -0.0145
    for name, head, tail, parent in (
        ("frame", (0, 0, 0), (0, 0, 0.1), None),
        ("bail", (0, 0, pivot), (0, 0, pivot + 0.13), "frame"),
        ("rope.1", (0.0848, -0.0140, 0.181), (x, y, 0.163), "frame"),
        ("rope.2", (x, y, 0.163), (x, y, 0.145), "rope.1"),
        ("rope.3", (x, y, 0.145), (x, y, 0.126), "rope.2"),
    ):
        bone = armature.edit_bones.new(name)
        bone.head, bone.tail = head, tail
        bone.align_roll((0, -1, 0))
        if parent:
            bone.parent = armature.edit_bones[parent]
    bpy.ops.object.mode_set(mode="OBJECT")
    for name, tilt, swing, late in (
        ("bail", 9.0, 4.0, 0),
        ("rope.1", 3.0, 3.0, 0),
        ("rope.2", 1.0, 4.0, 1),
        ("rope.3", -3.0, 4.0, 2),
    ):
        bone = rig.pose.bones[name]
        bone.rotation_mode = "XYZ"
        wave = np.sin(2 * np.pi * (np.arange(5) / 4 - late / 8))
        angles = np.radians(tilt + swing * wave)
        sway = np.radians(0.5 * swing * wave) if name != "bail" else 0 * wave
        key_loop(bone, "rotation_euler", [(a, 0, s) for a, s in zip(angles, sway, strict=True)])
    return rig


def key_loop(
    thing: Object | bpy.types.PoseBone, path: str, values: Sequence[Sequence[float]]
) -> None:
    """Key a vector property at the beats."""
    for frame, value in zip(BEATS, values, strict=True):
        setattr(thing, path, value)
        thing.keyframe_insert(path, frame=frame)


def deform(thing: Object, rig: Object, weights: Mapping[str, Array]) -> None:
    """Bind ``thing`` to the bones of ``rig`` with one weight per vertex and bone."""
    for bone, values in weights.items():
        group = thing.vertex_groups.new(name=bone)
        for index in np.flatnonzero(values > 1e-3).tolist():
            group.add([index], float(values[index]), "REPLACE")
    modifier = thing.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig


def hang(thing: Object, rig: Object, bone: str, place: Matrix) -> None:
    """Parent ``thing`` to a bone so that it stands at ``place`` in the rest pose."""
    thing.parent, thing.parent_type, thing.parent_bone = rig, "BONE", bone
    rest = rig.data.bones[bone]
    # Children of a bone live at its tail.
    thing.matrix_basis = (
        rest.matrix_local @ Matrix.Translation((0, rest.length, 0))
    ).inverted() @ place
