# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""MaterialX documents imported and exported from the window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, PointerProperty, StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import count
from ...usd_tools.findings import Finding, Severity
from ...usd_tools.mtlx.records import Note
from .. import pump
from ..drawing import SidebarPanel, draw_task
from ..scene.mtlx import export_materials, import_materials
from ..undo import push_undo
from .checks import STAGEWRIGHT_PG_checks, draw_finding, draw_findings

KIND = "mtlx"
_SEVERITIES: dict[str, Severity] = {
    "rewritten": "info",
    "approximated": "warning",
    "unsupported": "loss",
}


def _found() -> STAGEWRIGHT_PG_checks:
    return bpy.context.window_manager.stagewright_mtlx


def _list(findings: Iterable[Finding], subject: str) -> str:
    """List what is not as it was; returns how much that is, in words."""
    rows = list(findings)
    told = [row for row in rows if row.severity != "info"]
    summary = f"{count(len(told), 'note')} by node" if told else "everything arrived"
    _found().list(rows, subject, summary)
    return summary


def _import(path: Path, item: str) -> Job[Mapping[str, Any]]:
    """Import the materials, and give the first one to the object called ``item``, if any."""
    made = yield from import_materials(path)
    from ...usd_tools.mtlx.document import validate  # not sooner: a Blender without it works

    findings = [
        Finding("materialx", _SEVERITIES[note["kind"]], f"{row['name']}: {note['message']}")
        for row in made
        for note in row["notes"]
    ]
    findings += map(_error, validate(path))
    summary = _list(findings, path.name)
    target = bpy.data.objects.get(item)
    if target is not None:
        target.active_material = bpy.data.materials[made[0]["name"]]
    push_undo(f"Stagewright: import {path.name}")
    yield Message(f"Imported {count(len(made), 'material')} of {path.name}: {summary}.")
    return {"materials": made}


def _export(path: Path, names: tuple[str, ...]) -> Job[Mapping[str, Any]]:
    value = yield from export_materials(path, names)
    findings = [Finding("materialx", "loss", n) for row in value["materials"] for n in row["notes"]]
    findings += [_error(Note(**problem)) for problem in value["problems"]]
    summary = _list(findings, path.name)
    yield Message(f"Wrote {path.name}: {count(len(value['materials']), 'material')}, {summary}.")
    return value


def _error(problem: Note) -> Finding:
    return Finding("materialx", "error", f"{problem.node} {problem.message}.")


def _takes_materials(item: bpy.types.Object | None) -> bool:
    return item is not None and hasattr(item.data, "materials") and item.is_editable


class _Document:
    """What the operators have in common."""

    if TYPE_CHECKING:
        filepath: str  # a property of the helpers

    filename_ext = ".mtlx"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether no other document is being read or written."""
        running = pump.is_running(KIND)
        if running:
            cls.poll_message_set("A MaterialX document is at work")  # type: ignore[attr-defined]
        return not running

    def run(self, job: Job[Mapping[str, Any]], label: str) -> set[str]:
        """Start the work; an error that comes at once is reported."""
        try:
            task = pump.run(job, KIND, label)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        if not task.running:
            self.report({"INFO"}, task.message)  # type: ignore[attr-defined]
        return {"FINISHED"}

    def path(self) -> Path:
        """The document."""
        return Path(bpy.path.abspath(self.filepath)).absolute()


class STAGEWRIGHT_OT_import_mtlx(_Document, bpy.types.Operator, ImportHelper):
    """Import the materials of a MaterialX document; what Blender lacks of them is listed by node"""

    bl_idname = "stagewright.import_mtlx"
    bl_label = "Import MaterialX"
    bl_options = {"REGISTER"}

    filter_glob: StringProperty(default="*.mtlx", options={"HIDDEN"})
    assign: BoolProperty(
        name="Assign to Active Object",
        description="Give the first material to the active object, in its active slot",
        default=False,
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Import them."""
        item = context.object if self.assign else None
        name = item.name if item is not None and _takes_materials(item) else ""
        return self.run(_import(self.path(), name), f"Import {self.path().name}")


class STAGEWRIGHT_OT_export_mtlx(_Document, bpy.types.Operator, ExportHelper):
    """Export materials as a MaterialX document of OpenPBR surfaces, and validate it"""

    bl_idname = "stagewright.export_mtlx"
    bl_label = "Export MaterialX"
    bl_options = {"REGISTER"}

    filter_glob: StringProperty(default="*.mtlx", options={"HIDDEN"})
    which: EnumProperty(
        name="Materials",
        description="Which materials to write",
        items=(
            ("ALL", "All in Use", "All materials of this file that something uses"),
            ("OBJECT", "Active Object", "The materials of the active object"),
        ),
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Export them."""
        names: tuple[str, ...] = ()
        if self.which == "OBJECT":
            slots = context.object.material_slots if context.object else ()
            names = tuple(slot.material.name for slot in slots if slot.material)
            if not names:
                self.report({"ERROR"}, "The active object has no material")
                return {"CANCELLED"}
        return self.run(_export(self.path(), names), f"Export {self.path().name}")


class STAGEWRIGHT_FH_mtlx(bpy.types.FileHandler):
    """Takes MaterialX documents dragged into the 3D view, and is a file format for them"""

    bl_idname = "STAGEWRIGHT_FH_mtlx"
    bl_label = "MaterialX"
    bl_import_operator = "stagewright.import_mtlx"
    bl_file_extensions = ".mtlx"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Where materials are seen."""
        return context.area is not None and context.area.type in ("VIEW_3D", "NODE_EDITOR")


class STAGEWRIGHT_PT_mtlx(SidebarPanel, bpy.types.Panel):
    """Materials from and to MaterialX documents"""

    bl_label = "MaterialX"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 9

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the two ways, what came of the last one, and what is not as it was."""
        layout = self.layout
        row = layout.row(align=True)
        row.operator("stagewright.import_mtlx", text="Import…", icon="IMPORT")
        row.operator("stagewright.export_mtlx", text="Export…", icon="EXPORT")
        task = pump.last(KIND)
        if task is not None:
            draw_task(layout, context, task)
        found = _found()
        if found.done:
            draw_findings(layout, context, found)
            if found.active < len(found.findings):
                draw_finding(layout.box(), context, found.findings[found.active])


def _draw_import(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator("stagewright.import_mtlx", text="MaterialX (.mtlx)")


def _draw_export(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator("stagewright.export_mtlx", text="MaterialX (.mtlx)")


_CLASSES = (
    STAGEWRIGHT_OT_import_mtlx,
    STAGEWRIGHT_OT_export_mtlx,
    STAGEWRIGHT_FH_mtlx,
    STAGEWRIGHT_PT_mtlx,
)


def register() -> None:
    """Add the panel, the operators and their menu entries."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_mtlx = PointerProperty(type=STAGEWRIGHT_PG_checks)
    bpy.types.TOPBAR_MT_file_import.append(_draw_import)
    bpy.types.TOPBAR_MT_file_export.append(_draw_export)


def unregister() -> None:
    """Take them away."""
    bpy.types.TOPBAR_MT_file_export.remove(_draw_export)
    bpy.types.TOPBAR_MT_file_import.remove(_draw_import)
    del bpy.types.WindowManager.stagewright_mtlx
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
