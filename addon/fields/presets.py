# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the Fields panel and of its views, kept under names."""

from __future__ import annotations

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel

_DEFINES = ["chosen = bpy.context.scene.stagewright_field"]
_MAKING, _VIEWS = "stagewright/field", "stagewright/field_view"


def _values(*names: str) -> list[str]:
    return [f"chosen.{name}" for name in names]


class STAGEWRIGHT_PT_field_presets(PresetPanel, bpy.types.Panel):
    """What is made through a field, and how, kept under a name"""

    bl_label = "Field Presets"
    bl_space_type = "VIEW_3D"
    bl_region_type = "HEADER"
    preset_subdir = _MAKING
    preset_operator = "script.execute_preset"
    preset_add_operator = "stagewright.add_field_preset"


class STAGEWRIGHT_OT_add_field_preset(AddPresetBase, bpy.types.Operator):
    """Keep what is made through a field as a preset, or remove one"""

    bl_idname = "stagewright.add_field_preset"
    bl_label = "Add Field Preset"
    preset_menu = "STAGEWRIGHT_PT_field_presets"
    preset_subdir = _MAKING
    preset_defines = _DEFINES
    preset_values = _values(
        "operation",
        "output",
        "source",
        "detail",
        "voxels",
        "voxel_size",
        "boolean",
        "blend",
        "distance",
        "thickness",
        "width",
        "half_width",
        "height",
        "radius",
        "fluid",
        "sign",
        "exact",
        "sharp",
        "angle",
        "threshold",
        "hide",
    )


class STAGEWRIGHT_PT_field_view_presets(PresetPanel, bpy.types.Panel):
    """What is shown of a field, kept under a name"""

    bl_label = "Field View Presets"
    bl_space_type = "VIEW_3D"
    bl_region_type = "HEADER"
    preset_subdir = _VIEWS
    preset_operator = "script.execute_preset"
    preset_add_operator = "stagewright.add_field_view_preset"


class STAGEWRIGHT_OT_add_field_view_preset(AddPresetBase, bpy.types.Operator):
    """Keep what is shown of a field as a preset, or remove one"""

    bl_idname = "stagewright.add_field_view_preset"
    bl_label = "Add Field View Preset"
    preset_menu = "STAGEWRIGHT_PT_field_view_presets"
    preset_subdir = _VIEWS
    preset_defines = _DEFINES
    preset_values = _values("view", "axis", "place", "spacing", "length")


_CLASSES = (
    STAGEWRIGHT_PT_field_presets,
    STAGEWRIGHT_OT_add_field_preset,
    STAGEWRIGHT_PT_field_view_presets,
    STAGEWRIGHT_OT_add_field_view_preset,
)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
