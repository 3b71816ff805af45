# SPDX-License-Identifier: GPL-3.0-or-later
"""What objects have besides their shapes, as the fidelity check compares it.

It shares nothing with the stream that the direct writer is given: a mistake
there must not be repeated here. A camera's film is taken from the matrix that
Blender itself projects by.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import degrees
from typing import Any

import bpy
import numpy as np

from ...usd_tools.scene_record import Setting, SettingsRecord
from .prim_names import KEY

_MILLIMETRE = 1e-3
_PLACED = {"CAMERA", "LIGHT", "EMPTY", "ARMATURE"}
# Blender's own, what older Cycles has left behind, and ours.
_HIDDEN = {"_RNA_UI", "cycles", "stagewright", KEY}
# UsdLux's white; a light without a temperature is like it.
_WHITE = 6500.0


def meters_per_unit(scene: bpy.types.Scene) -> float:
    """Metres in one Blender unit; Blender applies no scale without a unit system."""
    units = scene.unit_settings
    return 1.0 if units.system == "NONE" else units.scale_length


def read_settings(shown: bpy.types.Object, frame: float) -> Iterator[SettingsRecord]:
    """The settings of an evaluated object."""
    found: dict[str, dict[str, Setting]] = {}
    if shown.type in _PLACED:
        found["place"] = _place(shown)
    if shown.type == "CAMERA":
        found["camera"] = _camera(shown)
    elif shown.type == "LIGHT" and not _is_portal(shown.data):
        found["light"] = _light(shown)
    owners = [shown.original, *([shown.original.data] if shown.data is not None else [])]
    properties = {k: v for owner in owners for k, v in _properties(owner)}
    if properties:
        found["property"] = properties
    for kind, values in found.items():
        yield SettingsRecord(shown.original.name, frame, kind, values)


def _place(shown: bpy.types.Object) -> dict[str, Setting]:
    """Where the origin is, and the directions of the axes; None for an axis without length."""
    matrix = np.array(shown.matrix_world, np.float64)
    origin = matrix[:3, 3] * meters_per_unit(bpy.context.scene)
    values: dict[str, Setting] = {"origin": tuple(origin.tolist())}
    for index, name in enumerate("xyz"):
        axis = matrix[:3, index]
        length = np.linalg.norm(axis)
        values[f"{name} axis"] = tuple((axis / length).tolist()) if length > 0 else None
    return values


def _camera(shown: bpy.types.Object) -> dict[str, Setting]:
    camera: Any = shown.data
    metres = meters_per_unit(bpy.context.scene)
    values: dict[str, Setting] = {
        "projection": {"PERSP": "perspective", "ORTHO": "orthographic"}.get(camera.type, "other")
    }
    if values["projection"] == "other":
        return values
    render = bpy.context.scene.render
    seen = np.array(
        shown.calc_matrix_camera(
            bpy.context.evaluated_depsgraph_get(),
            x=render.resolution_x,
            y=render.resolution_y,
            scale_x=render.pixel_aspect_x,
            scale_y=render.pixel_aspect_y,
        ),
        np.float64,
    )
    if camera.type == "PERSP":
        size = 2 * camera.lens * _MILLIMETRE / seen[[0, 1], [0, 1]]
        offset = seen[:2, 2] * size / 2
        values["focal length"] = camera.lens * _MILLIMETRE
    else:
        size = 2 * metres / seen[[0, 1], [0, 1]]
        offset = -seen[:2, 3] * size / 2
    values["aperture"] = tuple(size.tolist())
    values["aperture offset"] = tuple(offset.tolist())
    values["clipping"] = (camera.clip_start * metres, camera.clip_end * metres)
    dof = camera.dof
    values["f-stop"] = dof.aperture_fstop if dof.use_dof else 0.0
    if dof.use_dof:
        values["focus distance"] = _focus(shown) * metres
    return values


def _focus(shown: bpy.types.Object) -> float:
    """Distance of the plane in focus, in Blender units."""
    dof = shown.data.dof
    if dof.focus_object is None:
        return dof.focus_distance
    target = dof.focus_object.matrix_world.translation
    if dof.focus_object.type == "ARMATURE" and dof.focus_subtarget:
        bone = dof.focus_object.pose.bones[dof.focus_subtarget]
        target = dof.focus_object.matrix_world @ bone.head
    return abs((shown.matrix_world.normalized().inverted() @ target).z)


def _is_portal(light: bpy.types.Light) -> bool:
    return light.type == "AREA" and bool(getattr(getattr(light, "cycles", None), "is_portal", 0))


def _light(shown: bpy.types.Object) -> dict[str, Setting]:
    light: Any = shown.data
    metres = meters_per_unit(bpy.context.scene)
    tint = _node_tint(light)
    values: dict[str, Setting] = {
        "type": light.type,
        "strength": None if tint is None else light.energy * 2**light.exposure * tint[3],
        "colour": None if tint is None else tuple(light.color[i] * tint[i] for i in range(3)),
        "temperature": light.temperature if light.use_temperature else _WHITE,
        "normalize": float(light.normalize),
        "diffuse": light.diffuse_factor if shown.visible_diffuse else 0.0,
        "specular": light.specular_factor if shown.visible_glossy else 0.0,
    }
    if light.type == "SUN":
        values["angle"] = degrees(light.angle)
    elif light.type == "AREA":
        wide, high = light.size, light.size_y
        if light.shape in {"SQUARE", "DISK"}:
            high = wide
        scale = [column.length for column in shown.matrix_world.to_3x3().col]
        values["type"] = "RECT" if light.shape in {"SQUARE", "RECTANGLE"} else "DISK"
        values["size"] = (wide * scale[0] * metres, high * scale[1] * metres)
        values["spread"] = degrees(light.spread)
    else:
        values["radius"] = light.shadow_soft_size * metres
    if light.type == "SPOT":
        values["cone"] = degrees(light.spot_size)
        values["blend"] = light.spot_blend
    return values


def _node_tint(light: Any) -> tuple[float, ...] | None:
    """What the nodes multiply colour and strength by; None when they do more."""
    tree = light.node_tree
    # Blender 5 always uses what nodes there are.
    if tree is None or (bpy.app.version < (5, 0, 0) and not light.use_nodes):
        return (1.0, 1.0, 1.0, 1.0)
    outputs = [n for n in tree.nodes if n.type == "OUTPUT_LIGHT" and n.is_active_output]
    if not outputs:
        return (1.0, 1.0, 1.0, 1.0)
    links = outputs[0].inputs["Surface"].links
    if not links:
        return (1.0, 1.0, 1.0, 0.0)
    emission = links[0].from_node
    if emission.type != "EMISSION" or any(i.is_linked for i in emission.inputs):
        return None
    return (*emission.inputs["Color"].default_value[:3], emission.inputs["Strength"].default_value)


def _properties(owner: bpy.types.ID) -> Iterator[tuple[str, Setting]]:
    """The custom properties that USD has a type for; groups by ``:`` in the name."""
    # What add-ons register is no property of the artist's.
    registered = {p.identifier for p in owner.bl_rna.properties if p.is_runtime}
    pending = [(k, owner[k]) for k in owner.keys() if k not in registered | _HIDDEN]
    while pending:
        name, value = pending.pop()
        if isinstance(value, str | bool | int | float):
            yield name, value
        elif hasattr(value, "keys"):
            pending += [(f"{name}:{key}", value[key]) for key in value.keys()]
        elif hasattr(value, "to_list") and all(isinstance(v, int | float) for v in value):
            yield name, tuple(float(v) for v in value)
