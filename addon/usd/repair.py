# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Repair of the inspected file: asset paths found and replaced, what it says about its stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

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
from bpy_extras.io_utils import ExportHelper

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import count
from .. import pump
from ..drawing import draw_problem, draw_task, draw_text
from ..worker import child, command
from . import looking
from .lists import Below, Rows

KIND = "repair"


class _Plan:
    """The edits that were found, and the file they are about."""

    edits: tuple[Mapping[str, Any], ...] = ()
    path: Path | None = None


def edits() -> tuple[Mapping[str, Any], ...]:
    """What would be changed in the inspected file and all that it needs."""
    now = looking.session()
    return _Plan.edits if now is not None and now.path == _Plan.path else ()


def _forget(self: STAGEWRIGHT_PG_repair, context: bpy.types.Context) -> None:
    """A plan is of one rule: another rule, another plan."""
    self.show((), None)


class STAGEWRIGHT_PG_edit(bpy.types.PropertyGroup):
    """One change of a path, to be made or not."""

    use: BoolProperty(name="Change", description="Whether to change this path", default=True)


class STAGEWRIGHT_PG_repair(bpy.types.PropertyGroup):
    """What is looked for, and what is to come in its place."""

    how: EnumProperty(
        name="Change",
        description="What to do with the paths of files",
        items=(
            ("FIND", "Find and Replace", "Replace a part of each path"),
            ("SEARCH", "Find Missing Files", "Look for missing files by name in a folder"),
            ("RELATIVE", "Make Relative", "Absolute paths to ones that start from the layer"),
            ("ABSOLUTE", "Make Absolute", "Relative paths to ones of this machine"),
        ),
        update=_forget,
    )
    find: StringProperty(name="Find", description="Part of a path", update=_forget)
    replacement: StringProperty(name="Replace", description="What comes there", update=_forget)
    regex: BoolProperty(
        name="Regular Expression",
        description="Find is a regular expression; Replace may name its groups (\\1)",
        update=_forget,
    )
    folder: StringProperty(
        name="Folder",
        description="Where missing files are looked for, all folders below included",
        subtype="DIR_PATH",
        update=_forget,
    )
    edits: CollectionProperty(type=STAGEWRIGHT_PG_edit)
    edit: IntProperty(name="Change")

    up_axis: EnumProperty(
        name="Up Axis",
        items=(
            ("KEEP", "Keep", "As the file says"),
            ("Y", "Y", "Y points up"),
            ("Z", "Z", "Z points up"),
        ),
    )
    meters_per_unit: FloatProperty(
        name="Metres per Unit", description="0 keeps what the file says", min=0, precision=4
    )
    default_prim: StringProperty(
        name="Default Prim", description="Name of a root prim; empty keeps what the file says"
    )
    kind: EnumProperty(
        name="Kind",
        description="Kind of the default prim",
        items=[("KEEP", "Keep", "As the file says")]
        + [(k, k.title(), "") for k in ("component", "assembly", "group", "subcomponent")],
    )

    def words(self) -> list[str]:
        """The rule as options of ``usd replace``."""
        if self.how == "FIND":
            words = [f"--find={self.find}", f"--with={self.replacement}"]
            return [*words, "--regex"] if self.regex else words
        if self.how == "SEARCH":
            return [f"--search-in={bpy.path.abspath(self.folder)}"]
        return ["--relative"] if self.how == "RELATIVE" else ["--absolute"]

    def problem(self) -> str:
        """Why there is nothing to look for, or ""."""
        if self.how == "FIND" and not self.find:
            return "Write what to find"
        if self.how == "SEARCH" and not self.folder:
            return "Choose the folder to look in"
        return ""

    def metadata_words(self) -> list[str]:
        """What to say about the stage as options of ``usd set``."""
        words = []
        if self.up_axis != "KEEP":
            words.append(f"--up-axis={self.up_axis}")
        if self.meters_per_unit:
            words.append(f"--meters-per-unit={self.meters_per_unit:.6g}")
        if self.default_prim:
            words.append(f"--default-prim={self.default_prim}")
        if self.kind != "KEEP":
            words.append(f"--kind={self.kind}")
        return words

    def show(self, found: tuple[Mapping[str, Any], ...], path: Path | None) -> None:
        """List ``found``, each to be made."""
        _Plan.edits, _Plan.path = found, path
        self.edits.clear()
        for _ in found:
            self.edits.add()
        self.edit = 0


def _repair() -> STAGEWRIGHT_PG_repair:
    return bpy.context.window_manager.stagewright_repair


def _busy() -> str:
    if looking.session() is None:
        return "No USD file is open"
    return "Files are being repaired: wait for the end" if pump.is_running(KIND) else looking.busy()


class _Repairing:
    """What the operators have in common."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to do."""
        why = _busy() or cls.problem()
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why

    @classmethod
    def problem(cls) -> str:
        """Why there is nothing to do, or ""."""
        return ""

    def run(self, job: Job[Mapping[str, Any]], label: str) -> set[str]:
        """Start the job; an error that comes at once is reported."""
        try:
            task = pump.run(job, KIND, label)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        if task.message and not task.running:
            self.report({"INFO"}, task.message)  # type: ignore[attr-defined]
        return {"FINISHED"}


class STAGEWRIGHT_OT_find_paths(_Repairing, bpy.types.Operator):
    """List what would change in the file and every layer that it needs; nothing is written"""

    bl_idname = "stagewright.find_paths"
    bl_label = "List Changes"
    bl_options = {"INTERNAL"}

    @classmethod
    def problem(cls) -> str:
        """Why there is nothing to look for, or ""."""
        return _repair().problem()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Plan the changes."""
        now = looking.session()
        if now is None:
            return {"CANCELLED"}
        path, words = now.path, _repair().words()

        def job() -> Job[Mapping[str, Any]]:
            value = yield from command("usd", "replace", str(path), *words)
            _repair().show(tuple(value["edits"]), path)
            found = len(value["edits"])
            yield Message(
                f"{count(found, 'path')} would change." if found else "Nothing to change."
            )
            return value

        return self.run(job(), "List changes")


class STAGEWRIGHT_OT_replace_paths(_Repairing, bpy.types.Operator):
    """Write the ticked changes: all files or none, with a copy of each beside it"""

    bl_idname = "stagewright.replace_paths"
    bl_label = "Write Changes"
    bl_options = {"INTERNAL"}

    @classmethod
    def problem(cls) -> str:
        """Why there is nothing to write, or ""."""
        if not edits():
            return "List the changes first"
        return "" if any(item.use for item in _repair().edits) else "No change is ticked"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write them, and read the files again."""
        chosen = [edit for edit, item in zip(edits(), _repair().edits, strict=True) if item.use]

        def job() -> Job[Mapping[str, Any]]:
            value = yield from child("usd_tools.repair:apply_task", edits=chosen)
            _repair().show((), None)
            yield Message(f"Changed {count(len(value['changed']), 'file')}; backups are beside.")
            looking.read_again()
            return value

        return self.run(job(), "Write changes")


class STAGEWRIGHT_OT_set_stage(_Repairing, bpy.types.Operator):
    """Correct what the file says about its stage; no point is moved, a copy is kept beside it"""

    bl_idname = "stagewright.set_stage"
    bl_label = "Correct"
    bl_options = {"INTERNAL"}

    @classmethod
    def problem(cls) -> str:
        """Why there is nothing to say, or ""."""
        return "" if _repair().metadata_words() else "Choose what to correct"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Correct it, and read the file again."""
        now = looking.session()
        if now is None:
            return {"CANCELLED"}
        path, words = now.path, _repair().metadata_words()

        def job() -> Job[Mapping[str, Any]]:
            value = yield from command("usd", "set", str(path), *words)
            yield Message(f"Corrected {path.name}; a backup is beside it.")
            looking.read_again()
            return value

        return self.run(job(), f"Correct {path.name}")


class STAGEWRIGHT_OT_save_overrides(_Repairing, bpy.types.Operator, ExportHelper):
    """Save the variants chosen here as a new layer over the file"""

    bl_idname = "stagewright.save_overrides"
    bl_label = "Save Override Layer"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        filepath: str  # a property of ExportHelper

    filename_ext = ".usda"
    filter_glob: StringProperty(default="*.usda", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file, and offer one beside the inspected one."""
        now = looking.session()
        if now is not None:
            self.filepath = str(now.path.with_name(f"{now.path.stem}_override.usda"))
        result: set[str] = super().invoke(context, event)
        return result

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Save it."""
        target = Path(bpy.path.abspath(self.filepath)).absolute()
        try:
            looking.ask("Save override layer", lambda now: now.save_overrides(target))
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_UL_edits(Rows, bpy.types.UIList):
    """The changes to be made."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: STAGEWRIGHT_PG_repair,
        item: STAGEWRIGHT_PG_edit,
        icon: int,
        active_data: Any,
        active_property: str,
        index: int,
    ) -> None:
        """Draw the path to be, red when it leads nowhere."""
        found = edits()
        if index >= len(found):
            return
        row = layout.row(align=True)
        row.use_property_split = False
        row.prop(item, "use", text="")
        path = row.row()
        path.active = item.use
        path.alert = not found[index]["found"]
        icon_name = "CHECKMARK" if found[index]["found"] else "ERROR"
        path.label(text=found[index]["after"], icon=icon_name, translate=False)


class STAGEWRIGHT_PT_usd_repair(Below, bpy.types.Panel):
    """Find and replace paths in the file and all that it needs; correct units, axis and kind"""

    bl_label = "Repair"
    bl_order = 5

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the rule, the list of changes, and the corrections."""
        layout = self.layout
        repair = _repair()
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(repair, "how", text="Paths")
        if repair.how == "FIND":
            column.prop(repair, "find")
            column.prop(repair, "replacement")
            column.prop(repair, "regex")
        elif repair.how == "SEARCH":
            column.prop(repair, "folder")
        layout.operator("stagewright.find_paths", icon="VIEWZOOM")
        draw_problem(layout, context, repair.problem())
        if edits():
            _draw_plan(layout, context, repair)
        task = pump.last(KIND)
        if task is not None:
            draw_task(layout, context, task)
        column = layout.column()
        for name in ("up_axis", "meters_per_unit", "default_prim", "kind"):
            column.prop(repair, name)
        layout.operator("stagewright.set_stage", icon="GREASEPENCIL")
        layout.operator("stagewright.save_overrides", text="Save Override Layer…", icon="FILE_NEW")


def _draw_plan(
    layout: bpy.types.UILayout, context: bpy.types.Context, repair: STAGEWRIGHT_PG_repair
) -> None:
    layout.template_list("STAGEWRIGHT_UL_edits", "", repair, "edits", repair, "edit", rows=4)
    if repair.edit < len(edits()):
        edit = edits()[repair.edit]
        box = layout.box()
        times = f", {edit['uses']} times" if edit["uses"] > 1 else ""
        draw_text(box, context, f"{PurePath(edit['layer']).name}{times}", "FILE", inset=20)
        draw_text(box, context, edit["before"], "REMOVE", inset=20)
        draw_text(box, context, edit["after"], "ADD", inset=20)
        if not edit["found"]:
            draw_text(box, context, "No such file", "ERROR", inset=20)
    layout.operator("stagewright.replace_paths", icon="FILE_TICK")


_CLASSES = (
    STAGEWRIGHT_PG_edit,
    STAGEWRIGHT_PG_repair,
    STAGEWRIGHT_OT_find_paths,
    STAGEWRIGHT_OT_replace_paths,
    STAGEWRIGHT_OT_set_stage,
    STAGEWRIGHT_OT_save_overrides,
    STAGEWRIGHT_UL_edits,
    STAGEWRIGHT_PT_usd_repair,
)


def register() -> None:
    """Add the panel and its operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_repair = PointerProperty(type=STAGEWRIGHT_PG_repair)


def unregister() -> None:
    """Take them away."""
    _Plan.edits, _Plan.path = (), None
    del bpy.types.WindowManager.stagewright_repair
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
