# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Save the open file as a workfile of its task, and open earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import count
from .. import preferences, pump
from ..drawing import SidebarPanel, draw_problem, draw_task, draw_text
from . import asking
from .publish import folder_of

KIND = "workfiles"
_SHOWN = 12

Place = tuple[str, str, str, str]
"""Library (see ``asking.library_of``), project, folder and task."""

_heard: dict[Place, list[Mapping[str, Any]]] = {}


def place_of(scene: bpy.types.Scene) -> Place:
    """Where the scene's workfiles are."""
    library, project = asking.library_of(scene), asking.project_of(scene)
    return library, project, folder_of(scene), str(scene.stagewright.task)


def _problem(scene: bpy.types.Scene) -> str:
    """Why nothing can be asked or saved, or an empty string."""
    if pump.is_running(KIND):
        return "Workfiles are being asked for, or one is being saved"
    if folder_of(scene).endswith("/"):
        return "Name the folder that the work is for"
    if not scene.stagewright.task:
        return "Name the task"
    return asking.problem(scene)


def _arguments(place: Place) -> dict[str, str]:
    return dict(zip(("library", "project", "folder", "task"), place, strict=True))


def _list(place: Place) -> Job[Mapping[str, Any]]:
    value = yield from asking.ask("workfiles:listed", **_arguments(place))
    _heard[place] = value["workfiles"]
    yield Message(f"{count(len(_heard[place]), 'workfile')} of {place[2]} {place[3]}.")
    return value


def _save(place: Place, comment: str) -> Job[Mapping[str, Any]]:
    """Claim the next version, save the open file as it, and enter it."""
    before = _open_file()
    claimed = yield from asking.ask("workfiles:claim", **_arguments(place))
    path = Path(claimed["path"])
    try:
        if _open_file() != before:
            raise StagewrightError(
                "other-file", "Another file was opened meanwhile.", "Save the next version again."
            )
        _save_as(path)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    library, project, *_ = place
    try:
        yield from asking.ask(
            "workfiles:enter",
            library=library,
            project=project,
            rootless=claimed["rootless"],
            task_id=claimed["task_id"],
            version=claimed["version"],
            comment=comment,
            host=bpy.app.version_string,
        )
    except StagewrightError as error:
        yield Message(f"{path.name} is saved, but its comment is not noted: {error}", "warning")
        return {"path": str(path)}
    with suppress(StagewrightError):  # the list is old then
        yield from _list(place)
    yield Message(f"Saved {path.name}.")
    return {"path": str(path)}


def _open_file() -> tuple[str, int]:
    return bpy.data.filepath, bpy.data.scenes[0].session_uid


def _save_as(path: Path) -> None:
    manager = bpy.context.window_manager
    try:
        # The pump's timer has no window of its own, and saving wants one.
        with bpy.context.temp_override(window=bpy.context.window or manager.windows[0]):
            bpy.ops.wm.save_as_mainfile("EXEC_DEFAULT", filepath=str(path), check_existing=False)
    except RuntimeError as error:
        raise StagewrightError(
            "not-saved",
            f"{path} could not be saved: {error}",
            "Make room there, or ask for rights.",
        ) from error


class STAGEWRIGHT_OT_list_workfiles(bpy.types.Operator):
    """Ask for the workfiles of the task"""

    bl_idname = "stagewright.list_workfiles"
    bl_label = "List Workfiles"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether they can be asked for."""
        return _can(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to ask, or do so when there is no window."""
        return _run(self, _list(place_of(context.scene)), "List workfiles")


class STAGEWRIGHT_OT_save_workfile(bpy.types.Operator):
    """Save the open file as the next version of the task's workfile"""

    bl_idname = "stagewright.save_workfile"
    bl_label = "Save Next Version"

    comment: StringProperty(
        name="Comment", description="What is new in this version", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether it can be saved."""
        return _can(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask what is new."""
        found: set[str] = context.window_manager.invoke_props_dialog(self, confirm_text="Save")
        return found

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to save, or do so when there is no window."""
        job = _save(place_of(context.scene), self.comment)
        return _run(self, job, "Save the next version")


class STAGEWRIGHT_OT_open_workfile(bpy.types.Operator):
    """Open this workfile"""

    bl_idname = "stagewright.open_workfile"
    bl_label = "Open Workfile"

    filepath: StringProperty(
        name="File", description="The workfile", options={"HIDDEN", "SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask before changes are lost."""
        if not bpy.data.is_dirty:
            return self.execute(context)
        found: set[str] = context.window_manager.invoke_confirm(
            self,
            event,
            title="Open without saving?",
            message="What was changed since the last save will be lost.",
            confirm_text="Open",
            icon="WARNING",
        )
        return found

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open it."""
        path = Path(self.filepath)
        if not path.is_file():
            self.report(
                {"ERROR"},
                f"{path} is not on this machine. Mount that drive, or set this machine's own root "
                "in AYON and name its site in AYON_SITE_ID.",
            )
            return {"CANCELLED"}
        bpy.ops.wm.open_mainfile(filepath=str(path))
        return {"FINISHED"}


def _can(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    problem = _problem(context.scene)
    if problem:
        operator.poll_message_set(problem)
    return not problem


def _run(operator: bpy.types.Operator, job: Job[Mapping[str, Any]], label: str) -> set[str]:
    try:
        task = pump.run(job, KIND, label)
    except StagewrightError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    operator.report({"INFO"}, task.message)
    return {"FINISHED"}


class STAGEWRIGHT_PT_workfiles(SidebarPanel, bpy.types.Panel):
    """The files that are worked in, of one task"""

    bl_label = "Workfiles"
    bl_order = 3
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the task, the buttons and the files."""
        layout, scene = self.layout, context.scene
        chosen = scene.stagewright
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(chosen, "home")
        column.prop(chosen, "project", placeholder=preferences.project()[0])
        column.prop(chosen, "folder", placeholder=folder_of(scene))
        column.prop(chosen, "task")
        task = pump.last(KIND)
        if task is None or not task.running:
            row = layout.row(align=True)
            row.operator("stagewright.save_workfile", text="Save Next Version…", icon="FILE_TICK")
            row.operator("stagewright.list_workfiles", text="", icon="FILE_REFRESH")
            draw_problem(layout, context, _problem(scene))
        if task is not None:
            draw_task(layout, context, task)
        rows = _heard.get(place_of(scene))
        if rows is not None:
            self._draw_rows(context, rows)

    def _draw_rows(self, context: bpy.types.Context, rows: list[Mapping[str, Any]]) -> None:
        if not rows:
            draw_text(self.layout, context, "This task has no workfile yet", "INFO")
        column = self.layout.column(align=True)
        for each in rows[:_SHOWN]:
            row = column.row(align=True)
            is_open = each["path"] == bpy.data.filepath
            icon = "CHECKMARK" if is_open else "FILE_BLEND" if each["here"] else "ERROR"
            told = "  ".join(filter(None, (each["author"], each["time"][:10], each["comment"])))
            row.label(text=f"v{each['version']:03d}  {told}", icon=icon, translate=False)
            button = row.operator("stagewright.open_workfile", text="", icon="FILE_FOLDER")
            button.filepath = each["path"]
        if len(rows) > _SHOWN:
            draw_text(self.layout, context, f"{len(rows) - _SHOWN} older ones in the same folder")


_CLASSES = (
    STAGEWRIGHT_OT_list_workfiles,
    STAGEWRIGHT_OT_save_workfile,
    STAGEWRIGHT_OT_open_workfile,
    STAGEWRIGHT_PT_workfiles,
)


def register() -> None:
    """Add the panel and the operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away, and what was heard."""
    _heard.clear()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
