# SPDX-License-Identifier: GPL-3.0-or-later
"""The inspector's panels: they draw what was read before, and read nothing."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import bpy

from ...pipeline.summaries import count
from .. import pump
from ..drawing import SidebarPanel, draw_problem, draw_task, draw_text
from . import bring_in, looking
from .lists import Below, Rows, fact, fact_row

if TYPE_CHECKING:
    from ...usd_tools.inspect.outline import Line
    from ...usd_tools.inspect.properties import PrimDetails, PropertyRow
    from ...usd_tools.inspect.session import Session

_ICONS = {
    "": "DOT",
    "Xform": "EMPTY_AXIS",
    "Scope": "OUTLINER_COLLECTION",
    "Mesh": "MESH_DATA",
    "GeomSubset": "FACESEL",
    "Camera": "CAMERA_DATA",
    "Material": "MATERIAL",
    "Shader": "NODE",
    "NodeGraph": "NODETREE",
    "PointInstancer": "PARTICLES",
    "Points": "POINTCLOUD_DATA",
    "BasisCurves": "CURVES_DATA",
    "NurbsCurves": "CURVE_DATA",
    "Volume": "VOLUME_DATA",
    "SkelRoot": "OUTLINER_OB_ARMATURE",
    "Skeleton": "ARMATURE_DATA",
    "SkelAnimation": "ACTION",
    "BlendShape": "SHAPEKEY_DATA",
    "DomeLight": "WORLD",
    "Backdrop": "IMAGE_BACKGROUND",
}
_PROBLEMS = 5
_SHAPES = {"Cube", "Sphere", "Cylinder", "Cone", "Capsule", "Plane"}


def type_icon(type_name: str) -> str:
    """The icon of a prim's type."""
    if type_name in _ICONS:
        return _ICONS[type_name]
    if type_name.endswith("Light"):
        return "LIGHT_DATA"
    return "MESH_CUBE" if type_name in _SHAPES else "OBJECT_DATA"


class STAGEWRIGHT_UL_prims(Rows, bpy.types.UIList):
    """The open part of the tree of prims."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
        index: int,
    ) -> None:
        """Draw one prim: its place, type, name and badges."""
        now = looking.session()
        if now is None or index >= len(now.outline.lines):
            return
        line = now.outline.lines[index]
        words = badges(line)
        row = layout.split(factor=0.6) if words else layout.row(align=True)
        name = row.row(align=True)
        if line.depth:
            name.separator(factor=1.5 * line.depth)
        if line.row.has_children and not now.outline.query:
            icon_name = "DISCLOSURE_TRI_DOWN" if line.opened else "DISCLOSURE_TRI_RIGHT"
            button = name.operator("stagewright.toggle_prim", text="", icon=icon_name, emboss=False)
            button.index = index
        else:
            name.label(icon="BLANK1")
        text = name.row(align=True)
        text.active = line.row.active and line.row.specifier == "def"
        text.label(text=line.row.name, icon=type_icon(line.row.type_name), translate=False)
        if words:
            row = row.row(align=True)
            text = row.row(align=True)
            text.active = False
            text.label(text=words, translate=False)
        if line.row.instance:
            row.label(icon="LINKED")
        if line.row.payload:
            row.label(icon="PACKAGE" if line.row.payload == "loaded" else "UGLYPACKAGE")


def badges(line: Line) -> str:
    """What is special about a prim, in words."""
    row = line.row
    words = [row.kind, row.purpose]
    words += [f"{name}={chosen}" if chosen else name for name, chosen in row.variants]
    if row.specifier != "def":
        words.append(row.specifier)
    if not row.active:
        words.append("inactive")
    return " · ".join(filter(None, words))


class STAGEWRIGHT_UL_usd_properties(Rows, bpy.types.UIList):
    """The properties of the prim."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
        index: int,
    ) -> None:
        """Draw a property's name and value."""
        now = looking.session()
        if now is None or now.details is None or index >= len(now.details.properties):
            return
        found = now.details.properties[index]
        split = layout.split(factor=0.5)
        split.label(text=found.name, icon=_property_icon(found), translate=False)
        value = split.row()
        value.active = found.source != "fallback"
        value.label(text=found.value, translate=False)


def _property_icon(found: PropertyRow) -> str:
    if found.type_name == "rel":
        return "LINKED"
    return "KEYFRAME_HLT" if found.samples else "KEYFRAME" if found.source else "DOT"


class STAGEWRIGHT_UL_usd_layers(Rows, bpy.types.UIList):
    """The layer stack."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
        index: int,
    ) -> None:
        """Draw a layer: whether it counts, its name, and its place in time."""
        now = looking.session()
        if now is None or index >= len(now.layers):
            return
        layer = now.layers[index]
        row = layout.row(align=True)
        if layer.depth:
            row.separator(factor=1.5 * layer.depth)
            icon_name = "HIDE_ON" if layer.muted else "HIDE_OFF"
            button = row.operator("stagewright.mute_layer", text="", icon=icon_name, emboss=False)
            button.index = index
        name = row.row(align=True)
        name.active = not layer.muted
        name.alert = not layer.resolved
        icon_name = "FILE" if layer.resolved else "ERROR"
        text = "Session" if layer.identifier.startswith("anon:") else layer.name
        name.label(text=text, icon=icon_name, translate=False)
        if (layer.offset, layer.scale) != (0, 1):
            time = row.row()
            time.alignment = "RIGHT"
            time.active = False
            time.label(text=f"{layer.scale:g} × t + {layer.offset:g}", icon="TIME")
        if layer.resolved:
            _draw_text_button(row, layer.identifier)


class STAGEWRIGHT_UL_usd_files(Rows, bpy.types.UIList):
    """The files that are needed."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
        index: int,
    ) -> None:
        """Draw a file: whether it is there, and what it is called."""
        found = looking.files()
        if index >= len(found):
            return
        file = found[index]
        row = layout.row()
        row.alert = file["broken"]
        icon_name = "ERROR" if file["broken"] else "FILE" if file["arc"] else "IMAGE_DATA"
        row.label(text=file["path"], icon=icon_name, translate=False)


class STAGEWRIGHT_PT_inspector(SidebarPanel, bpy.types.Panel):
    """What is in a USD file, without importing it"""

    bl_label = "USD Inspector"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 4

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the open file and its tree."""
        layout = self.layout
        now = looking.session()
        if now is None:
            layout.operator("stagewright.inspect_usd", text="Open USD File…", icon="FILEBROWSER")
            draw_problem(layout, context, looking.missing_library())
            _draw_work(layout, context)
            return
        _draw_file(layout, context, now)
        inspector = context.window_manager.stagewright_usd
        layout.prop(inspector, "query", text="", icon="VIEWZOOM", placeholder="Search")
        layout.template_list(
            "STAGEWRIGHT_UL_prims", "", inspector, "lines", inspector, "line", rows=10
        )
        _draw_work(layout, context)
        if now.outline.cut:
            draw_text(layout, context, "There is more: narrow the search", "INFO")
        elif now.outline.query:
            draw_text(layout, context, f"{count(len(now.outline.lines), 'prim')} found")


def _draw_file(layout: bpy.types.UILayout, context: bpy.types.Context, now: Session) -> None:
    row = layout.row(align=True)
    row.label(text=now.path.name, icon="FILE_3D", translate=False)
    row.operator("stagewright.inspect_usd", text="", icon="FILEBROWSER")
    row.operator("stagewright.reload_usd", text="", icon="FILE_REFRESH")
    row.operator("stagewright.close_usd", text="", icon="X")
    names = looking.changed()
    if names:
        box = layout.box()
        box.alert = True
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        draw_text(box, context, f"{names[0]}{more} changed on disk", "ERROR", inset=20)
        box.operator("stagewright.reload_usd", text="Reload", icon="FILE_REFRESH")


def _draw_work(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What runs on the stage, or why it ended."""
    task = pump.last(looking.KIND)
    if task is not None and (task.running or task.failure):
        draw_task(layout, context, task)
    elif looking.problem():
        draw_text(layout, context, looking.problem(), "ERROR")


def _details(layout: bpy.types.UILayout, context: bpy.types.Context) -> PrimDetails | None:
    now = looking.session()
    if now is None or now.details is None:
        draw_text(layout, context, "Choose a prim in the tree", "INFO")
        return None
    return now.details


class STAGEWRIGHT_PT_usd_prim(Below, bpy.types.Panel):
    """The chosen prim: variants, payload, bindings, metadata"""

    bl_label = "Prim"
    bl_options = set()
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what is not a property."""
        layout = self.layout
        prim = _details(layout, context)
        if prim is None:
            return
        draw_text(layout, context, prim.path, type_icon(prim.type_name))
        layout = layout.column(align=True)
        fact(layout, "Type", prim.type_name or "none")
        for schema in prim.applied_schemas:
            fact(layout, "Schema", schema)
        for index, choice in enumerate(prim.variants):
            row = fact_row(layout, choice.name)
            button = row.operator(
                "stagewright.choose_usd_variant",
                text=choice.selected or "none",
                icon="DOWNARROW_HLT",
                translate=False,
                depress=choice.session,
            )
            button.index = index
        if prim.payload:
            loaded = prim.payload == "loaded"
            button = fact_row(layout, "Payload").operator(
                "stagewright.load_payload",
                text="Loaded" if loaded else "Not Loaded",
                icon="PACKAGE" if loaded else "UGLYPACKAGE",
                depress=loaded,
            )
            button.path, button.load = prim.path, not loaded
        for purpose, material in prim.bindings.items():
            label = f"Material ({purpose})" if purpose else "Material"
            button = fact_row(layout, label).operator(
                "stagewright.reveal_prim",
                text=PurePath(material).name,
                icon="MATERIAL",
                translate=False,
            )
            button.path = material
        for name, text in prim.metadata.items():
            fact(layout, name, text)
        task = pump.last(bring_in.KIND)
        if task is None or not task.running:
            button = self.layout.operator("stagewright.import_prim", text="Import…", icon="IMPORT")
            button.path = prim.path
            purpose = next((p.value for p in prim.properties if p.name == "purpose"), "")
            button.proxy, button.guide = purpose == "proxy", purpose == "guide"
        if task is not None:
            draw_task(self.layout, context, task)


class STAGEWRIGHT_PT_usd_arcs(Below, bpy.types.Panel):
    """The arcs that compose the chosen prim, strongest first"""

    bl_label = "Composition"
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the arcs."""
        layout = self.layout
        prim = _details(layout, context)
        layout = layout.column(align=True)
        for arc in prim.arcs if prim else ():
            row = fact_row(layout, arc.kind)
            row.active = arc.has_specs
            row.label(text=f"{PurePath(arc.layer).name} <{arc.path}>", translate=False)
            _draw_text_button(row, arc.layer)


class STAGEWRIGHT_PT_usd_properties(Below, bpy.types.Panel):
    """Values of the chosen prim, and which layer says what"""

    bl_label = "Properties"
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the list, and the chosen property's opinions, strongest first."""
        layout = self.layout
        prim = _details(layout, context)
        if prim is None:
            return
        inspector = context.window_manager.stagewright_usd
        row = layout.row(align=True)
        row.prop(inspector, "use_time")
        time = row.row(align=True)
        time.active = inspector.use_time
        time.prop(inspector, "time", text="")
        layout.template_list(
            "STAGEWRIGHT_UL_usd_properties", "", inspector, "properties", inspector, "property",
            rows=6,
        )  # fmt: skip
        if inspector.property < len(prim.properties):
            _draw_property(layout.box(), context, prim.properties[inspector.property])


def _draw_property(
    layout: bpy.types.UILayout, context: bpy.types.Context, found: PropertyRow
) -> None:
    custom = "custom " if found.custom else ""
    draw_text(layout, context, f"{custom}{found.type_name} {found.name}", inset=20)
    if found.value:
        draw_text(layout, context, found.value, inset=20)
    source = {"fallback": "The schema's own value", "": "No value"}.get(found.source, "")
    if source and found.type_name != "rel":
        draw_text(layout, context, source, "INFO", inset=20)
    if found.samples:
        draw_text(layout, context, count(found.samples, "time sample"), "TIME", inset=20)
    stack = layout.column(align=True)
    for number, opinion in enumerate(found.opinions):
        row = fact_row(stack, PurePath(opinion.layer).name)
        row.active = number == 0
        value = "blocked" if opinion.blocked else opinion.value
        if opinion.samples:
            value = f"{count(opinion.samples, 'sample')} {value}"
        row.label(text=value, translate=False)
        _draw_text_button(row, opinion.layer)


class STAGEWRIGHT_PT_usd_layers(Below, bpy.types.Panel):
    """The layers that make the stage, strongest first"""

    bl_label = "Layers"
    bl_order = 3

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the layer stack, and what of it could not be composed."""
        inspector = context.window_manager.stagewright_usd
        self.layout.template_list(
            "STAGEWRIGHT_UL_usd_layers", "", inspector, "layers", inspector, "layer", rows=4
        )
        now = looking.session()
        problems = now.problems if now is not None else []
        for problem in problems[:_PROBLEMS]:
            draw_text(self.layout, context, problem, "ERROR")
        if len(problems) > _PROBLEMS:
            draw_text(
                self.layout, context, f"{len(problems) - _PROBLEMS:,} more; see Check", "INFO"
            )


def _draw_text_button(layout: bpy.types.UILayout, identifier: str) -> None:
    """The button that shows a layer as text; the session's has no file."""
    if not identifier.startswith("anon:"):
        button = layout.operator("stagewright.view_layer", text="", icon="TEXT", emboss=False)
        button.identifier = identifier


class STAGEWRIGHT_PT_usd_survey(Below, bpy.types.Panel):
    """How much is in the file, and which files it needs"""

    bl_label = "Statistics and Files"
    bl_order = 4

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the numbers and the files."""
        layout = self.layout
        task = pump.last(looking.SURVEY)
        found = looking.survey()
        if task is not None and (task.running or task.failure):
            draw_task(layout, context, task)
        else:
            text = "Count Again" if found else "Count and Find Files"
            layout.operator("stagewright.count_usd", text=text, icon="VIEWZOOM")
        if not found:
            return
        column = layout.column(align=True)
        for label, text in numbers(found["statistics"]):
            fact(column, label, text)
        inspector = context.window_manager.stagewright_usd
        layout.template_list(
            "STAGEWRIGHT_UL_usd_files", "", inspector, "files", inspector, "file", rows=4
        )
        if inspector.file < len(found["dependencies"]):
            file = found["dependencies"][inspector.file]
            box = layout.box()
            told = "is missing" if file["broken"] else count(len(file["files"]), "file")
            draw_text(box, context, f"{file['path']}: {told}", inset=20)
            where = f"{PurePath(file['layer']).name} <{file['spec']}>"
            row = box.row()
            draw_text(row.column(), context, where, "FILE", inset=40)
            _draw_text_button(row, file["layer"])


def numbers(statistics: Any) -> list[tuple[str, str]]:
    """Labels and texts of a stage's statistics."""
    kinds = sorted(statistics["prims"].items(), key=lambda item: (-item[1], item[0]))
    total = sum(statistics["prims"].values())
    size = sum(statistics["layers"].values()) / 1e6
    return [
        ("Prims", f"{total:,}"),
        *((name or "untyped", f"{number:,}") for name, number in kinds[:6]),
        ("Polygons", f"{statistics['polygons']:,}"),
        ("Points", f"{statistics['points']:,}"),
        ("Instances", f"{statistics['instances']:,}"),
        ("Materials", f"{statistics['materials']:,}"),
        ("Time Samples", f"{statistics['time_samples']:,}"),
        ("Textures", f"{statistics['textures']:,} ({statistics['texture_memory'] / 1e6:,.1f} MB)"),
        ("Layers", f"{len(statistics['layers']):,} ({size:,.1f} MB)"),
        ("Missing Files", f"{statistics['broken']:,}"),
    ]


_CLASSES = (
    STAGEWRIGHT_UL_prims,
    STAGEWRIGHT_UL_usd_properties,
    STAGEWRIGHT_UL_usd_layers,
    STAGEWRIGHT_UL_usd_files,
    STAGEWRIGHT_PT_inspector,
    STAGEWRIGHT_PT_usd_prim,
    STAGEWRIGHT_PT_usd_arcs,
    STAGEWRIGHT_PT_usd_properties,
    STAGEWRIGHT_PT_usd_layers,
    STAGEWRIGHT_PT_usd_survey,
)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
