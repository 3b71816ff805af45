# SPDX-License-Identifier: GPL-3.0-or-later
"""The AYON server of the Publish panel: logging in, and what there is to publish to.

A process of its own asks the server; panels show what it answered last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import count
from .. import preferences, pump
from ..worker import child
from . import known

KIND = "server"


def is_chosen(scene: bpy.types.Scene) -> bool:
    """Whether ``scene`` is published to the server."""
    return bool(scene.stagewright.home == "SERVER")


def problem() -> str:
    """Why the server cannot be asked, or an empty string."""
    if not bpy.app.online_access:
        return "Allow Online Access first: Edit > Preferences > System > Network"
    return ""


def look_soon(project: str) -> None:
    """Ask the server beside the artist's work, where it may be asked and is not yet."""
    idle = not bpy.app.background and not pump.is_running(KIND)
    if idle and not problem() and not known.is_of(project):
        look(project)


def look(project: str) -> pump.Task:
    """Start to ask the server, or do it when there is no window.

    Raises:
        StagewrightError: in a window, when no process can be started.
    """
    return pump.run(_look(project), KIND, "Ask the AYON server")


def _look(project: str) -> Job[Mapping[str, Any]]:
    value = yield from child("pipeline.places:look", project=project)
    known.remember(value)
    yield Message(f"{known.told()}: {count(len(value['projects']), 'project')}.")
    return value


def _log_in(url: str, key: str) -> Job[Mapping[str, Any]]:
    yield from child("pipeline.places:log_in", url=url, key=key)
    preferences.type_key("")
    return (yield from _look(""))


class STAGEWRIGHT_OT_look_at_server(bpy.types.Operator):
    """Ask the AYON server for its projects, and for the folders and tasks of the chosen one"""

    bl_idname = "stagewright.look_at_server"
    bl_label = "Look at the Server"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the server may be asked, and is not being asked."""
        return _can_ask(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to ask, or do so when there is no window."""
        try:
            task = look(context.scene.stagewright.project)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


class STAGEWRIGHT_OT_log_in(bpy.types.Operator):
    """Keep the server's address and the key in your user folder, once the server took the key"""

    bl_idname = "stagewright.log_in"
    bl_label = "Log In"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a key to send."""
        if not preferences.typed_key():
            cls.poll_message_set("Type the API key that you made on your AYON profile page")
            return False
        return _can_ask(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to log in, or do so when there is no window."""
        machine = preferences.current()
        url = machine.server if machine is not None else ""
        try:
            task = pump.run(_log_in(url, preferences.typed_key()), KIND, "Log in to AYON")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


def _can_ask(operator: type[bpy.types.Operator]) -> bool:
    why = "The server is being asked: wait for its answer" if pump.is_running(KIND) else problem()
    if why:
        operator.poll_message_set(why)
    return not why


_CLASSES = (STAGEWRIGHT_OT_look_at_server, STAGEWRIGHT_OT_log_in)


def register() -> None:
    """Add the operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away, and what is known."""
    known.forget()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
