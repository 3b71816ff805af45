# SPDX-License-Identifier: GPL-3.0-or-later
"""The Fields panel: what is made, how large the work will be, and the button."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from .. import pump
from ..drawing import SidebarPanel, draw_problem, draw_task, draw_text
from . import live, making, operators, presets, settings

_BYTES = 24
"""Memory that a voxel of the whole box takes at the peak, measured."""
_RIM = 8
"""Voxels around what is selected, both sides together."""


class STAGEWRIGHT_PT_fields(SidebarPanel, bpy.types.Panel):
    """Meshes, volumes and points through signed distances"""

    bl_label = "Fields"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 6

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Draw the button that opens the presets."""
        presets.STAGEWRIGHT_PT_field_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the settings, the size of the work, the button, and the job."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = context.scene.stagewright_field
        sources = making.sources_of(context)
        _draw_settings(layout.column(), chosen, sources)
        if sources:
            _draw_size(layout, context, chosen, sources)
        task = pump.last(making.KIND)
        if task is None or not task.running:
            text = f"{making.label(chosen.options())}"
            layout.operator("stagewright.make_field", text=text, icon="MOD_REMESH")
            draw_problem(layout, context, operators.busy() or making.problem(context))
        if task is not None:
            draw_task(layout, context, task)


class _Below(SidebarPanel):
    """A panel inside Fields."""

    bl_parent_id = "STAGEWRIGHT_PT_fields"
    bl_options = {"DEFAULT_CLOSED"}


class STAGEWRIGHT_PT_field_made(_Below, bpy.types.Panel):
    """How the active object was made, to make it anew"""

    bl_label = "Made Here"
    bl_options: set[str] = set()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the active object was made through a field."""
        item = context.view_layer.objects.active
        return item is not None and len(item.stagewright_field.sources) > 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draw its settings and buttons."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        item = context.view_layer.objects.active
        sources = making.present(item)
        column = layout.column()
        column.label(text=item.name, icon="MOD_REMESH", translate=False)
        _draw_settings(column, item.stagewright_field, sources, changing=True)
        if len(sources) < len(item.stagewright_field.sources):
            draw_problem(layout, context, "What it was made from is no longer here")
        column.prop(item.stagewright_field, "live")
        row = layout.row(align=True)
        row.operator("stagewright.rebuild_field", icon="FILE_REFRESH")
        row.operator("stagewright.bake_field", icon="RENDER_ANIMATION")
        task = pump.last(live.KIND)
        if task is not None and (task.running or task.failure):
            draw_task(layout, context, task)


class STAGEWRIGHT_PT_field_view(_Below, bpy.types.Panel):
    """What the field of the selected objects is like"""

    bl_label = "Visualise"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Draw the button that opens the presets."""
        presets.STAGEWRIGHT_PT_field_view_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the view's settings and its button."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = context.scene.stagewright_field
        column = layout.column()
        column.prop(chosen, "view")
        for name in {
            "SLICE": ("axis", "place", "spacing"),
            "ARROWS": ("spacing",),
            "STREAMLINES": ("spacing", "length"),
        }.get(chosen.view, ()):
            column.prop(chosen, name)
        layout.operator("stagewright.show_field", icon="HIDE_OFF")
        draw_problem(layout, context, operators.busy() or making.problem(context, joins=False))


def _draw_settings(
    column: bpy.types.UILayout,
    chosen: bpy.types.PropertyGroup,
    sources: list[bpy.types.Object],
    *,
    changing: bool = False,
) -> None:
    """Draw what is to be made; of what is there already what can still be changed."""
    column.prop(chosen, "operation")
    if chosen.operation not in settings.RESULTS and not changing:
        column.prop(chosen, "output")
    kinds = {item.type for item in sources}
    if kinds - {"VOLUME"}:
        column.prop(chosen, "source")
    for name in {
        "BOOLEAN": ("boolean", "blend"),
        "OFFSET": ("distance",),
        "SHELL": ("thickness",),
        "SMOOTH": ("width",),
        "DISPLACE": ("picture", "axis", "height"),
    }.get(chosen.operation, ()):
        column.prop(chosen, name)
    if "VOLUME" in kinds:
        column.prop(chosen, "threshold")
    if kinds != {"VOLUME"}:  # Volumes have an inside and voxels of their own.
        if chosen.source != "SURFACE" or "POINTCLOUD" in kinds:
            column.prop(chosen, "fluid")
            column.prop(chosen, "radius")
        else:
            column.prop(chosen, "sign")
            column.prop(chosen, "exact")
        row = column.row(align=True)
        row.prop(chosen, "detail", expand=True)
        column.prop(chosen, "voxels" if chosen.detail == "COUNT" else "voxel_size")
    column.prop(chosen, "sharp" if chosen.result() == "MESH" else "half_width")
    if chosen.operation == "REMESH":
        column.prop(chosen, "angle")
    if not changing:
        column.prop(chosen, "hide")


def voxels_of(
    chosen: bpy.types.PropertyGroup, sources: list[bpy.types.Object]
) -> tuple[tuple[int, int, int], float]:
    """About how many voxels along each axis the work will have, and their size.

    From the objects' boxes: nothing is evaluated.
    """
    corners = np.concatenate([_box(item) for item in sources])
    sides = corners.max(axis=0) - corners.min(axis=0)
    longest = float(sides.max())
    size = float(chosen.voxel_size) if chosen.detail == "SIZE" else longest / int(chosen.voxels)
    if size <= 0:
        return (1, 1, 1), 0.0
    x, y, z = (int(side / size) + _RIM for side in sides)
    return (x, y, z), size


def _box(item: bpy.types.Object) -> NDArray[np.float64]:
    return np.array([item.matrix_world @ corner for corner in map(Vector, item.bound_box)])


def _draw_size(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    chosen: bpy.types.PropertyGroup,
    sources: list[bpy.types.Object],
) -> None:
    """How large the work will be."""
    if all(item.type == "VOLUME" for item in sources):
        return  # Their own voxels count, which only the file tells.
    (x, y, z), size = voxels_of(chosen, sources)
    needed = x * y * z * _BYTES
    column = layout.column()
    column.active = False
    column.alert = needed > making.memory()
    length = bpy.utils.units.to_string(
        context.scene.unit_settings.system, "LENGTH", size, precision=4
    )
    draw_text(column, context, f"{x} × {y} × {z} voxels of {length}")
    draw_text(column, context, f"About {bytes_text(needed)} of memory")


def bytes_text(count: int) -> str:
    """A number of bytes for a person."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 1):.0f} MB"


_CLASSES = (STAGEWRIGHT_PT_fields, STAGEWRIGHT_PT_field_made, STAGEWRIGHT_PT_field_view)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
