# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Who makes images by large models: addresses, keys, Check buttons, and servers of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import bpy
from bpy.props import EnumProperty

from ...jobs.compose import changed
from ...jobs.errors import StagewrightError
from ...jobs.events import Event, Job, Message, Progress, Waiting
from ...pipeline import texture_services
from ...texture_lab.servers.local import READY
from ...texture_lab.services import SERVERS, Services
from .. import pump
from ..drawing import draw_task, draw_text
from ..preferences import current
from ..worker import child

STARTED = ("comfyui", "sdapi")
"""Servers that are started here, if the artist says how."""

_ITEMS = tuple((name, label, f"{label}, where images are made") for name, label in SERVERS.items())
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")

# What the services answered last, and which have a key: for draw(), which asks nobody.
_answers: dict[str, Mapping[str, Any]] = {}
_keys: dict[str, bool] = {}


def known() -> Services:
    """The services that the preferences and the environment name.

    Raises:
        StagewrightError: ``offline`` for an address beyond this machine while Blender may not
            go online.
    """
    return {name: _allowed(name, entry) for name, entry in _services().items()}


def can_chat() -> bool:
    """Whether the preferences name a chat server; they do not until the artist does."""
    machine = current()
    return machine is not None and bool(machine.chat_url.strip())


def _services() -> Services:
    machine = current()
    told = {name: getattr(machine, f"{name}_url") for name in SERVERS} if machine else {}
    return texture_services.services({name: url.strip() for name, url in told.items()})


def _allowed(name: str, entry: Mapping[str, str]) -> Mapping[str, str]:
    url = entry["url"]
    host = urlsplit(url if "://" in url else f"http://{url}").hostname
    if host not in _LOOPBACK and not bpy.app.online_access:
        raise StagewrightError(
            "offline",
            f"{SERVERS[name]} is not on this machine, and Blender may not go online.",
            "Allow Online Access first: Edit > Preferences > System > Network.",
        )
    return entry


def write_key(name: str, key: str) -> None:
    """Keep a key in the user's folder, for the address that is given now."""
    machine = current()
    url = getattr(machine, f"{name}_url").strip() if machine else ""
    if url:
        texture_services.keep_key(name, url, key.strip())
        look_for_keys()


def look_for_keys() -> None:
    """See which services have a key, for draw()."""
    machine = current()
    for name in SERVERS:
        url = getattr(machine, f"{name}_url").strip() if machine else ""
        _keys[name] = bool(url) and texture_services.has_key(name, url)


def _check(name: str) -> Job[Mapping[str, Any]]:
    services = known()
    task = "texture_lab.tasks:check_service"
    value = yield from child(task, name=name, services={k: dict(v) for k, v in services.items()})
    _answers[name] = value
    lacks = f" It lacks {len(value['missing'])} things." if value["missing"] else ""
    yield Message(f"{SERVERS[name]} answers.{lacks}")
    return value


def _serve(name: str) -> Job[Mapping[str, Any]]:
    machine = current()

    def look(event: Event | Waiting) -> Event | Waiting:
        if isinstance(event, Progress) and event.step == READY and machine is not None:
            url = event.message.split()[-1]
            if getattr(machine, f"{name}_url") != url:
                setattr(machine, f"{name}_url", url)
        return event

    order = {
        "kind": SERVERS[name],
        "command": getattr(machine, f"{name}_command"),
        "folder": bpy.path.abspath(getattr(machine, f"{name}_folder")),
        "log": str(log_of(name)),
    }
    return (yield from changed(child("texture_lab.servers.local:serve", **order), look))


def log_of(name: str) -> Path:
    """Where a server that was started here writes what it says."""
    return Path(bpy.app.tempdir) / f"stagewright-{name}.log"


class _OfService:
    service: EnumProperty(name="Service", description="Which one", items=_ITEMS)


class STAGEWRIGHT_OT_check_service(_OfService, bpy.types.Operator):
    """Ask what is there, and list what is missing and where to get it"""

    bl_idname = "stagewright.check_service"
    bl_label = "Check"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to ask, or do so when there is no window."""
        _answers.pop(self.service, None)
        if self.service not in _services():
            self.report({"ERROR"}, f"Give the address of {SERVERS[self.service]} first")
            return {"CANCELLED"}
        try:
            task = pump.run(_check(self.service), _kind("check", self.service), "Check")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


class STAGEWRIGHT_OT_start_server(_OfService, bpy.types.Operator):
    """Start the server on this machine; it ends with Blender"""

    bl_idname = "stagewright.start_server"
    bl_label = "Start"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a window that it can run beside."""
        if bpy.app.background:
            cls.poll_message_set("A server runs beside Blender's window")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start it."""
        kind = _kind("serve", self.service)
        if pump.is_running(kind):
            self.report({"WARNING"}, f"{SERVERS[self.service]} runs already")
            return {"CANCELLED"}
        try:
            pump.start(_serve(self.service), kind, SERVERS[self.service])
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_OT_show_server_log(_OfService, bpy.types.Operator):
    """Open what the server says in the text editor's list of texts"""

    bl_idname = "stagewright.show_server_log"
    bl_label = "Read Log"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load the log as a text, anew each time."""
        path = log_of(self.service)
        try:
            said = path.read_text("utf-8", "replace")
        except OSError:
            self.report({"ERROR"}, f"{SERVERS[self.service]} was not started here")
            return {"CANCELLED"}
        text = bpy.data.texts.get(path.name) or bpy.data.texts.new(path.name)
        text.from_string(said[-200_000:])
        self.report({"INFO"}, f"The text {path.name} holds it: see the Text Editor")
        return {"FINISHED"}


def draw(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    machine: bpy.types.AddonPreferences,
) -> None:
    """Draw the services of the preferences: addresses, keys, buttons and answers."""
    for name, label in SERVERS.items():
        box = layout.box()
        box.label(text=label, translate=False)
        box.prop(machine, f"{name}_url", text="Address")
        kept = "a key is kept for this address" if _keys.get(name) else "if it asks for one"
        box.prop(machine, f"{name}_key", text="Key", placeholder=kept)
        if name in STARTED:
            box.prop(machine, f"{name}_command", text="Command")
            box.prop(machine, f"{name}_folder", text="Folder")
            _draw_server(box, context, name)
        task = pump.last(_kind("check", name))
        if task is None or not task.running:
            box.operator("stagewright.check_service", icon="CHECKMARK").service = name
        if task is not None:
            draw_task(box, context, task)
        answer = _answers.get(name, {})
        for key, icon in (("found", "DOT"), ("missing", "ERROR")):
            for line in answer.get(key, ()):
                draw_text(box, context, line, icon)


def _draw_server(layout: bpy.types.UILayout, context: bpy.types.Context, name: str) -> None:
    task = pump.last(_kind("serve", name))
    row = layout.row(align=True)
    if task is None or not task.running:
        row.operator("stagewright.start_server", icon="PLAY").service = name
    row.operator("stagewright.show_server_log", icon="TEXT").service = name
    if task is not None:
        draw_task(layout, context, task)


def _kind(what: str, name: str) -> str:
    return f"{what}-{name}"


_CLASSES = (
    STAGEWRIGHT_OT_check_service,
    STAGEWRIGHT_OT_start_server,
    STAGEWRIGHT_OT_show_server_log,
)


def register() -> None:
    """Add the operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    look_for_keys()


def unregister() -> None:
    """Take them away, and what is known."""
    _answers.clear()
    _keys.clear()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
