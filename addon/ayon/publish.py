# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Publish into the library or to the AYON server, and what is published already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline import settings
from .. import preferences, pump, target
from ..drawing import SidebarPanel, draw_problem, draw_task
from ..properties import STAGEWRIGHT_PG_identity, STAGEWRIGHT_PG_scene
from ..undo import push_undo
from ..usd.checks import showing_checks, words_for
from ..worker import run_on_copy
from . import known, server
from .sync import draw_sync

KIND = "publish"


def _publish(words: list[str], key: int, subject: str) -> Job[Mapping[str, Any]]:
    """Publish, then keep the identity with the collection of ``key``, which may be gone."""
    value = yield from showing_checks(run_on_copy("publish", *words), subject)
    # The collection stays the asset that a shot's layer is over.
    is_shot = any(word.startswith("--over=") for word in words)
    remembered = "" if is_shot else _remember(value, key)
    yield Message(f"{_told(value, subject)} {remembered}".strip())
    return value


def _told(value: Mapping[str, Any], subject: str) -> str:
    version = value["version"]
    if value["unchanged"]:
        return f"Nothing changed since {version}, so no new version was made."
    waits = " It waits for the server: Sync sends it." if value["queued"] else ""
    return f"Published {subject} {version}: {words_for(value['checks'])}.{waits}"


def _remember(value: Mapping[str, Any], key: int) -> str:
    """Keep the identity with the collection of ``key``; says what came of it."""
    collection = target.find(key)
    if collection is None:
        return "Its collection is no longer here, so the .blend does not note it."
    if not collection.is_editable:
        return "Its collection is linked, so the .blend does not note it."
    if collection.stagewright.version_id == value["identity"]["versionId"]:
        return ""
    collection.stagewright.remember(value["identity"])
    push_undo(f"Stagewright: publish {value['version']}")
    return "Save the .blend to keep the note of it."


def _command_line(scene: bpy.types.Scene, library: Path, *, to_server: bool = False) -> list[str]:
    chosen = scene.stagewright
    project, code = preferences.project()
    words = [
        f"--library={library}",
        f"--project={chosen.project or project}",
        f"--folder={folder_of(scene)}",
        f"--task={chosen.task}",
        f"--product={_product(chosen)}",
        f"--comment={chosen.comment}",
    ]
    if to_server:
        words.append("--server")
    if code and not chosen.project:
        words.append(f"--project-code={code}")
    return words


def _product(chosen: STAGEWRIGHT_PG_scene) -> str:
    is_untouched = chosen.product == settings.PRODUCT
    return settings.SHOT_PRODUCT if chosen.over and is_untouched else str(chosen.product)


def folder_of(scene: bpy.types.Scene) -> str:
    """Path of the AYON folder; one made of the asset's name where none is chosen."""
    return scene.stagewright.folder or f"{settings.FOLDER_ROOT}/{target.asset_name(scene)}"


def _problem(context: bpy.types.Context) -> str:
    chosen = context.scene.stagewright
    if pump.is_running(KIND):
        return "A publish is running: wait for its end or cancel it"
    if not chosen.task or not chosen.product:
        return "Name the task and the product"
    if server.is_chosen(context.scene) and server.problem():
        return server.problem()
    return target.problem(context.scene)


def _published(context: bpy.types.Context) -> STAGEWRIGHT_PG_identity:
    published: STAGEWRIGHT_PG_identity = target.collection_of(context.scene).stagewright
    return published


class STAGEWRIGHT_OT_publish(bpy.types.Operator):
    """Export the chosen collection, check it, and publish it as a new version"""

    bl_idname = "stagewright.publish"
    bl_label = "Publish"
    bl_options = {"REGISTER"}

    library: StringProperty(
        name="Library",
        description="Folder of the library; where the scene says if empty",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )
    force: BoolProperty(
        name="Force",
        description="Publish though nothing has changed since the last version",
        options={"SKIP_SAVE"},
    )
    break_lock: BoolProperty(
        name="Break Lock",
        description="Take over the lock of a publish that is known to be dead",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to publish."""
        problem = _problem(context)
        if problem:
            cls.poll_message_set(problem)
        return not problem

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask before a lock is broken."""
        if not self.break_lock:
            return self.execute(context)
        result: set[str] = context.window_manager.invoke_confirm(
            self,
            event,
            title="Break the lock?",
            message="If the other publish still runs, its version may be lost.",
            confirm_text="Break Lock and Publish",
            icon="WARNING",
        )
        return result

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the publish, or do it when there is no window."""
        scene = context.scene
        library = preferences.library_path()
        if self.library:
            library = Path(bpy.path.abspath(self.library))
        to_server = server.is_chosen(scene) and not self.library
        words = [*target.command_line(scene), *_command_line(scene, library, to_server=to_server)]
        words += ["--force"] if self.force else []
        words += ["--break-lock"] if self.break_lock else []
        name = target.asset_name(scene)
        try:
            task = pump.run(_publish(words, target.key(scene), name), KIND, f"Publish {name}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


def _can_open(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether something was published from here; else ``operator`` says that nothing was."""
    if not _published(context).path:
        operator.poll_message_set("Nothing was published from this collection yet")
        return False
    return True


def _open(operator: bpy.types.Operator, path: Path, what: str) -> set[str]:
    if not path.exists():
        operator.report({"ERROR"}, f"{what} is not at {path}: was the library moved?")
        return {"CANCELLED"}
    bpy.ops.wm.path_open(filepath=str(path))
    return {"FINISHED"}


class STAGEWRIGHT_OT_open_report(bpy.types.Operator):
    """Open the report of the version published last: picture, checks, contents and sizes"""

    bl_idname = "stagewright.open_report"
    bl_label = "Open Report"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether something was published."""
        return _can_open(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open it in the web browser."""
        folder = Path(_published(context).path).parent
        report = next(folder.glob("*.html"), folder / "report.html")
        return _open(self, report, "The report")


class STAGEWRIGHT_OT_open_folder(bpy.types.Operator):
    """Open the folder of the version published last"""

    bl_idname = "stagewright.open_folder"
    bl_label = "Open Folder"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether something was published."""
        return _can_open(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open it in the file manager."""
        return _open(self, Path(_published(context).path).parent, "The version's folder")


class STAGEWRIGHT_PT_publish(SidebarPanel, bpy.types.Panel):
    """Where the asset is published to, and which version it is"""

    bl_label = "Publish"
    bl_order = 1
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the settings, the button, the job, and the published version."""
        layout = self.layout
        scene = context.scene
        chosen = scene.stagewright
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(chosen, "home")
        if server.is_chosen(scene):
            self._draw_server(column, context)
        column.prop(chosen, "project", placeholder=preferences.project()[0])
        column.prop(chosen, "folder", placeholder=folder_of(scene))
        column.prop(chosen, "task")
        column.prop(chosen, "product")
        column.prop(chosen, "comment")
        machine = preferences.current()
        if machine is not None and not server.is_chosen(scene):
            column.prop(machine, "library", placeholder=preferences.default_library_text())
        task = pump.last(KIND)
        if task is None or not task.running:
            self._draw_button(context)
        if task is not None:
            draw_task(layout, context, task)
            self._draw_way_on(task)
        if server.is_chosen(scene):
            draw_sync(layout, context)
        self._draw_published(context)

    def _draw_server(self, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
        """Who is logged in where, or how to get there."""
        row = layout.row(align=True)
        row.label(text=known.told() or "Not asked yet", icon="URL")
        row.operator("stagewright.look_at_server", text="", icon="FILE_REFRESH")
        task = pump.last(server.KIND)
        if task is not None and (task.running or task.failure is not None):
            draw_task(layout, context, task)
            if task.failure is not None and task.failure.code in ("no-server", "bad-key"):
                open_it = layout.operator("preferences.addon_show", text="Log In…")
                open_it.module = preferences.PACKAGE

    def _draw_button(self, context: bpy.types.Context) -> None:
        row = self.layout.row()
        row.scale_y = 1.4
        name = target.asset_name(context.scene)
        row.operator("stagewright.publish", text=f"Publish {name}".strip(), icon="PACKAGE")
        draw_problem(self.layout, context, _problem(context))

    def _draw_way_on(self, task: pump.Task) -> None:
        """Offer what the artist may want after a publish that made no version."""
        if task.value.get("unchanged"):
            self.layout.operator("stagewright.publish", text="Publish Anyway").force = True
        if task.failure is not None and task.failure.code == "library-locked":
            button = self.layout.operator("stagewright.publish", text="Break Lock…")
            button.break_lock = True

    def _draw_published(self, context: bpy.types.Context) -> None:
        published = _published(context)
        if not published.version:
            return
        box = self.layout.box()
        box.label(text=f"{published.version}  {published.folder}", icon="FILE_TICK")
        row = box.row(align=True)
        row.operator("stagewright.open_report", text="Report", icon="DOCUMENTS")
        row.operator("stagewright.open_folder", text="Folder", icon="FILE_FOLDER")


_CLASSES = (
    STAGEWRIGHT_OT_publish,
    STAGEWRIGHT_OT_open_report,
    STAGEWRIGHT_OT_open_folder,
    STAGEWRIGHT_PT_publish,
)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
