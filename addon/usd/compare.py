# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""What differs between the inspected file and another one, as USD means it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import count
from .. import pump
from ..drawing import draw_problem, draw_task, draw_text
from ..worker import command
from . import looking
from .lists import Below, Rows, STAGEWRIGHT_PG_line, resize

KIND = "compare"
LIMIT = 5000
"""Differences that are listed; ``stagewright usd diff`` tells all."""

# Green, red, yellow and blue, as text tools colour them.
_ICONS = {
    "added": "COLORSET_03_VEC",
    "removed": "COLORSET_01_VEC",
    "changed": "COLORSET_09_VEC",
    "moved": "COLORSET_04_VEC",
}


class _Found:
    """The differences, and the file they are about."""

    changes: tuple[Mapping[str, Any], ...] = ()
    shown: tuple[Mapping[str, Any], ...] = ()
    path: Path | None = None
    other = ""


def changes() -> tuple[Mapping[str, Any], ...]:
    """The differences that are listed."""
    return _Found.shown if _is_about_the_open_file() else ()


def _is_about_the_open_file() -> bool:
    now = looking.session()
    return now is not None and now.path == _Found.path


def _filter(self: STAGEWRIGHT_PG_compare, context: bpy.types.Context) -> None:
    kept = [change for change in _Found.changes if change["how"] in self.kinds]
    _Found.shown = tuple(kept[:LIMIT])
    resize(self.lines, len(_Found.shown))
    self.line = 0


class STAGEWRIGHT_PG_compare(bpy.types.PropertyGroup):
    """What is compared, and which differences are listed."""

    other: StringProperty(
        name="Other File",
        description="The file to compare with: how it was before",
        subtype="FILE_PATH",
    )
    stage: BoolProperty(
        name="Composed Stages",
        description="Compare what the files compose to, not the two layers alone",
    )
    tolerance: FloatProperty(
        name="Tolerance",
        description="Greatest difference of numbers that counts as none, absolute or relative",
        min=0,
        precision=6,
    )
    kinds: EnumProperty(
        name="Kinds",
        description="Differences to list",
        items=(
            ("added", "Added", "Not in the other file", _ICONS["added"], 1),
            ("removed", "Removed", "In the other file alone", _ICONS["removed"], 2),
            ("changed", "Changed", "Different in the other file", _ICONS["changed"], 4),
            ("moved", "Moved", "Elsewhere in the other file", _ICONS["moved"], 8),
        ),
        options={"ENUM_FLAG"},
        default={"added", "removed", "changed", "moved"},
        update=_filter,
    )
    lines: CollectionProperty(type=STAGEWRIGHT_PG_line)
    line: IntProperty(name="Difference", description="Difference shown in full below the list")


def _compare() -> STAGEWRIGHT_PG_compare:
    return bpy.context.window_manager.stagewright_compare


def _problem() -> str:
    if looking.session() is None:
        return "No USD file is open"
    if pump.is_running(KIND):
        return "Files are being compared: wait for the end"
    return "" if _compare().other else "Choose the file to compare with"


class STAGEWRIGHT_OT_compare_usd(bpy.types.Operator):
    """List what differs from the other file: prims, properties, values, arcs, time samples"""

    bl_idname = "stagewright.compare_usd"
    bl_label = "Compare"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are two files."""
        why = _problem()
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Compare them in a process of its own."""
        now = looking.session()
        if now is None:
            return {"CANCELLED"}
        compare, path = _compare(), now.path
        other = Path(bpy.path.abspath(compare.other)).absolute()
        words = [str(other), str(path), f"--tolerance={compare.tolerance:.9g}"]
        if compare.stage:
            words.append("--stage")

        def job() -> Job[Mapping[str, Any]]:
            value = yield from command("usd", "diff", *words)
            _Found.changes, _Found.path, _Found.other = tuple(value["changes"]), path, other.name
            _filter(_compare(), bpy.context)
            found = len(value["changes"])
            yield Message(f"{count(found, 'difference')}." if found else "Nothing differs.")
            return {}

        try:
            pump.run(job(), KIND, f"Compare with {other.name}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_UL_changes(Rows, bpy.types.UIList):
    """The differences."""

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
        """Draw where it is and what has become of it, in its colour."""
        found = changes()
        if index >= len(found):
            return
        change = found[index]
        split = layout.split(factor=0.65)
        split.label(text=change["path"], icon=_ICONS[change["how"]], translate=False)
        value = split.row()
        value.active = False
        value.label(text=_what(change), translate=False)


def _what(change: Mapping[str, Any]) -> str:
    if change["field"] in ("prim", "property"):
        return str(change["how"])
    if change["time"] is not None:
        return f"{change['field']} at {change['time']:g}"
    return str(change["field"])


class STAGEWRIGHT_PT_usd_compare(Below, bpy.types.Panel):
    """What differs between this file and another one"""

    bl_label = "Compare"
    bl_order = 6

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the files, and what differs."""
        layout = self.layout
        compare = _compare()
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(compare, "other")
        column.prop(compare, "stage")
        column.prop(compare, "tolerance")
        layout.operator("stagewright.compare_usd", icon="VIEWZOOM")
        draw_problem(layout, context, _problem())
        task = pump.last(KIND)
        if task is not None:
            draw_task(layout, context, task)
        if not _is_about_the_open_file() or not _Found.changes:
            return
        draw_text(layout, context, f"Since {_Found.other}")
        layout.row(align=True).prop(compare, "kinds", expand=True, icon_only=True)
        layout.template_list(
            "STAGEWRIGHT_UL_changes", "", compare, "lines", compare, "line", rows=6
        )
        if len(_Found.shown) == LIMIT:
            draw_text(layout, context, f"The first {LIMIT:,}; stagewright usd diff tells all")
        if compare.line < len(_Found.shown):
            _draw_change(layout.box(), context, _Found.shown[compare.line])


def _draw_change(
    layout: bpy.types.UILayout, context: bpy.types.Context, change: Mapping[str, Any]
) -> None:
    row = layout.row()
    column = row.column()
    draw_text(column, context, change["path"], _ICONS[change["how"]], inset=40)
    if change["how"] != "removed" and change["path"] != "/":
        button = row.operator("stagewright.reveal_prim", text="", icon="OUTLINER", emboss=False)
        button.path = change["path"].partition(".")[0]
    draw_text(layout, context, f"{_what(change)} {change['how']}", inset=20)
    for text, icon in ((change["before"], "REMOVE"), (change["after"], "ADD")):
        if text:
            draw_text(layout, context, text, icon, inset=20)


_CLASSES = (
    STAGEWRIGHT_PG_compare,
    STAGEWRIGHT_OT_compare_usd,
    STAGEWRIGHT_UL_changes,
    STAGEWRIGHT_PT_usd_compare,
)


def register() -> None:
    """Add the panel and its operator."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_compare = PointerProperty(type=STAGEWRIGHT_PG_compare)


def unregister() -> None:
    """Take them away."""
    _Found.changes = _Found.shown = ()
    _Found.path = None
    del bpy.types.WindowManager.stagewright_compare
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
