# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Export to a USD asset on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from .. import pump, target
from ..drawing import SidebarPanel, draw_problem, draw_task
from ..worker import run_on_copy
from .checks import showing_checks, words_for

KIND = "export"


def _export(path: Path, words: list[str], collection: int) -> Job[Mapping[str, Any]]:
    export = run_on_copy(
        "usd export", "-o", str(path), "--overwrite", *words, collection=collection
    )
    value = yield from showing_checks(export, path.stem)
    yield Message(f"Exported {path.name}: {words_for(value['checks'])}.")
    return value


def _problem(context: bpy.types.Context) -> str:
    if pump.is_running(KIND):
        return "An export is running: wait for its end or cancel it"
    return target.problem(context.scene)


class STAGEWRIGHT_OT_export_usd(bpy.types.Operator, ExportHelper):
    """Export the chosen collection as a USD asset, and check what was written"""

    bl_idname = "stagewright.export_usd"
    bl_label = "Export USD Asset"
    bl_options = {"REGISTER"}

    if TYPE_CHECKING:
        filepath: str  # a property of ExportHelper

    filename_ext = ".usda"
    filter_glob: StringProperty(default="*.usda", options={"HIDDEN"})
    collection: StringProperty(
        name="Collection",
        description="Name of the collection to export; that of the settings if empty",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to export."""
        problem = _problem(context)
        if problem:
            cls.poll_message_set(problem)
        return not problem

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file, and offer one named as the asset beside the .blend."""
        if not self.filepath:
            self.filepath = bpy.path.abspath(f"//{target.asset_name(context.scene)}.usda")
        result: set[str] = super().invoke(context, event)
        return result

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the settings in the file browser."""
        _draw_settings(self.layout, context.scene)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the export, or do it when there is no window."""
        path = Path(bpy.path.abspath(self.filepath)).absolute()
        collection = bpy.data.collections.get(self.collection)
        if self.collection and collection is None:
            self.report({"ERROR"}, f"There is no collection “{self.collection}”")
            return {"CANCELLED"}
        words = target.command_line(context.scene, collection)
        job = _export(path, words, collection.session_uid if collection else 0)
        try:
            task = pump.run(job, KIND, f"Export {path.name}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


class STAGEWRIGHT_FH_usd(bpy.types.FileHandler):
    """Makes the export one of a collection's exporters"""

    bl_idname = "STAGEWRIGHT_FH_usd"
    bl_label = "Stagewright USD Asset"
    bl_export_operator = "stagewright.export_usd"
    bl_file_extensions = ".usda"


def _draw_settings(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    chosen = scene.stagewright
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column()
    # Without a placeholder an empty field would not tell what it stands for.
    column.prop(chosen, "collection", placeholder="Whole Scene")
    column.prop(chosen, "selected")
    column.prop(chosen, "name", placeholder=target.asset_name(scene))
    column.prop(chosen, "frames")
    column.prop(chosen, "engine")
    if chosen.engine == "stagewright":
        column.prop(chosen, "step")
        column.prop(chosen, "up_axis")
        column.prop(chosen, "world")
        column.prop(chosen, "bake")
        column.prop(chosen, "over")


class STAGEWRIGHT_PT_export_presets(PresetPanel, bpy.types.Panel):
    """Settings of the export kept under a name"""

    bl_label = "Export Presets"
    bl_space_type = "VIEW_3D"
    bl_region_type = "HEADER"
    preset_subdir = "stagewright/export"
    preset_operator = "script.execute_preset"
    preset_add_operator = "stagewright.add_export_preset"


class STAGEWRIGHT_OT_add_export_preset(AddPresetBase, bpy.types.Operator):
    """Keep the settings of the export as a preset, or remove one"""

    bl_idname = "stagewright.add_export_preset"
    bl_label = "Add Export Preset"
    preset_menu = "STAGEWRIGHT_PT_export_presets"
    preset_subdir = "stagewright/export"
    preset_defines = ["chosen = bpy.context.scene.stagewright"]  # noqa: RUF012
    preset_values = [  # noqa: RUF012
        f"chosen.{name}"
        for name in (
            "engine",
            "frames",
            "step",
            "selected",
            "world",
            "up_axis",
            "bake",
            "over",
            "allow",
        )
    ]


def _draw_purposes(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The purposes of what is active: Blender's exporter knows none."""
    if context.scene.stagewright.engine != "stagewright":
        return
    column = layout.column()
    column.label(text="Purpose")
    for owner in (context.object, context.collection):
        if owner is not None:
            column.prop(owner.stagewright, "purpose", text=owner.name)


class STAGEWRIGHT_PT_export(SidebarPanel, bpy.types.Panel):
    """What makes the asset, and its export to a file"""

    bl_label = "Export"
    bl_order = 0

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Draw the button that opens the presets."""
        STAGEWRIGHT_PT_export_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the settings, the button, and the job."""
        layout = self.layout
        _draw_settings(layout, context.scene)
        _draw_purposes(layout, context)
        task = pump.last(KIND)
        if context.scene.stagewright.engine == "stagewright":
            layout.operator("stagewright.find_losses", icon="VIEWZOOM")
        if task is None or not task.running:
            layout.operator("stagewright.export_usd", text="Export USD…", icon="EXPORT")
            draw_problem(layout, context, _problem(context))
        if task is not None:
            draw_task(layout, context, task)


_CLASSES = (
    STAGEWRIGHT_OT_export_usd,
    STAGEWRIGHT_FH_usd,
    STAGEWRIGHT_PT_export_presets,
    STAGEWRIGHT_OT_add_export_preset,
    STAGEWRIGHT_PT_export,
)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
