# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Send what waits in the library to the AYON server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import count
from .. import preferences, pump
from ..drawing import draw_task, draw_text
from ..worker import command
from . import server

KIND = "sync"


def _sync(on_conflict: str, only: str) -> Job[Mapping[str, Any]]:
    words = [f"--library={preferences.library_path()}", f"--on-conflict={on_conflict}"]
    if only:
        words.append(f"--only={only}")
    value = yield from command("ayon", "sync", *words)
    yield Message(_told(value["rows"]))
    return value


def _told(rows: list[Mapping[str, Any]]) -> str:
    if not rows:
        return "Nothing waits for the server."
    sent = sum(row["state"] == "sent" for row in rows)
    waiting = _waiting(rows)
    more = f" {count(len(waiting), 'version')} on hold." if waiting else ""
    return f"Sent {count(sent, 'version')}.{more}"


def _waiting(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["state"] == "waiting"]


class STAGEWRIGHT_OT_sync(bpy.types.Operator):
    """Send what was published into the library while there was no server"""

    bl_idname = "stagewright.sync"
    bl_label = "Sync with the Server"

    on_conflict: EnumProperty(
        name="If Taken",
        description="What becomes of a version whose number the server has from somebody else",
        items=(
            ("keep", "Wait", "It waits on in the library"),
            ("renumber", "Renumber", "It gets the next number"),
            ("skip", "Leave Out", "It stays in the library for good"),
        ),
        options={"SKIP_SAVE"},
    )

    only: StringProperty(
        name="Version",
        description="Id of the version to send; all that wait if empty",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the server may be asked, and no sync is running."""
        why = "A sync is running: wait for its end" if pump.is_running(KIND) else server.problem()
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to send, or do so when there is no window."""
        try:
            task = pump.run(_sync(self.on_conflict, self.only), KIND, "Sync with the server")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


def draw_sync(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the button, the job, and the choices about what waits on."""
    task = pump.last(KIND)
    if task is None or not task.running:
        layout.operator("stagewright.sync", icon="FILE_REFRESH")
    if task is None:
        return
    draw_task(layout, context, task)
    waiting = _waiting(task.value.get("rows", []))
    for row in waiting:
        draw_text(layout, context, f"{_named(row)}: {row['message']}", "INFO")
        _draw_choices(layout, row["versionId"])
    if len(waiting) > 1:
        layout.label(text="All of Them")
        _draw_choices(layout, "")


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['folder']} {row['product']} {row['queued']}".strip()


def _draw_choices(layout: bpy.types.UILayout, version_id: str) -> None:
    """Draw what may become of a version, or of all."""
    choices = layout.row(align=True)
    for choice, text in (("renumber", "Renumber"), ("skip", "Leave Out")):
        button = choices.operator("stagewright.sync", text=text)
        button.on_conflict, button.only = choice, version_id


def register() -> None:
    """Add the operator."""
    bpy.utils.register_class(STAGEWRIGHT_OT_sync)


def unregister() -> None:
    """Take it away."""
    bpy.utils.unregister_class(STAGEWRIGHT_OT_sync)
