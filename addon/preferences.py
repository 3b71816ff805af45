# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""What belongs to the machine and its user, not to a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
from bpy.props import StringProperty

from ..jobs.errors import StagewrightError
from ..pipeline import settings
from . import pump
from .drawing import draw_task

PACKAGE = __package__.rpartition(".addon")[0]


# A key that was typed and not sent yet. No property keeps it: those are saved.
_typed = {"key": ""}


def typed_key() -> str:
    """The API key that was typed and not sent yet."""
    return _typed["key"]


def type_key(key: str) -> None:
    """Keep a key until it is sent."""
    _typed["key"] = key


def _get_key(self: bpy.types.AddonPreferences) -> str:
    return typed_key()


def _set_key(self: bpy.types.AddonPreferences, key: str) -> None:
    type_key(key.strip())


def services() -> ModuleType:
    """The part that asks services, which builds on this one."""
    from .textures import services as part

    return part


def _key_of(name: str) -> Any:
    """A field for a service's key: what is typed goes into the user's folder at once."""
    return StringProperty(
        name="Key",
        description="Its key, or user:password; kept in your user folder for this address, never "
        "in Blender's preferences",
        subtype="PASSWORD",
        options={"SKIP_SAVE"},
        get=lambda self: "",
        set=lambda self, key: services().write_key(name, key),
    )


class STAGEWRIGHT_AP_preferences(bpy.types.AddonPreferences):
    """The add-on's preferences."""

    bl_idname = PACKAGE

    library: StringProperty(
        name="Library",
        description="Folder that published versions go to; empty for one in your user data",
        subtype="DIR_PATH",
    )
    project: StringProperty(
        name="Project",
        description="AYON project of scenes that name none",
        default=settings.PROJECT,
    )
    project_code: StringProperty(
        name="Project Code",
        description="Code that the project gets if it is new; made from its name if empty",
    )

    server: StringProperty(
        name="AYON Server",
        description="Address of the AYON server to log in to, such as https://ayon.example.com",
    )
    key: StringProperty(
        name="API Key",
        description="API key from your AYON profile page; kept in your user folder when the "
        "server has taken it, never in Blender's preferences",
        subtype="PASSWORD",
        options={"SKIP_SAVE"},
        get=_get_key,
        set=_set_key,
    )

    comfyui_url: StringProperty(
        name="ComfyUI",
        description="Address of a ComfyUI, such as http://127.0.0.1:8188; not the page's password",
    )
    comfyui_key: _key_of("comfyui")
    comfyui_command: StringProperty(
        name="ComfyUI Command",
        description="What starts ComfyUI in its folder: venv/bin/python main.py",
    )
    comfyui_folder: StringProperty(
        name="ComfyUI Folder", description="Where it is started", subtype="DIR_PATH"
    )
    sdapi_url: StringProperty(
        name="SD-WebUI",
        description="Address of AUTOMATIC1111's WebUI, Forge or stable-diffusion.cpp's server",
    )
    sdapi_key: _key_of("sdapi")
    sdapi_command: StringProperty(
        name="SD-WebUI Command",
        description="What starts it in its folder: ./webui.sh --api, or sd-server -m FILE",
    )
    sdapi_folder: StringProperty(
        name="SD-WebUI Folder", description="Where it is started", subtype="DIR_PATH"
    )
    chat_url: StringProperty(
        name="Chat",
        description="Address of Ollama, llama.cpp or FastChat, which name materials for ideas",
    )
    chat_key: _key_of("chat")

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "library", placeholder=_drawn["library"])
        layout.prop(self, "project")
        layout.prop(self, "project_code")
        layout.separator()
        layout.prop(self, "server", placeholder="https://ayon.example.com")
        layout.prop(self, "key")
        task = pump.last("server")
        if task is None or not task.running:
            layout.operator("stagewright.log_in", icon="KEY_HLT")
        if task is not None:
            draw_task(layout, context, task)
        header, body = layout.panel("stagewright_services", default_closed=True)
        header.label(text="Large Models")
        if body is not None:
            services().draw(body, context, self)
        row = layout.row()
        row.active = False
        row.label(text=f"Versions are published as {_drawn['author']}")


# Both may look at the disk, so they are found once, for draw() to show.
_drawn = {"library": "", "author": ""}


def current() -> bpy.types.AddonPreferences | None:
    """The preferences, or None where the add-on was enabled without an entry there."""
    entry = bpy.context.preferences.addons.get(PACKAGE)
    return entry.preferences if entry else None


def library_path() -> Path:
    """The library's folder."""
    preferences = current()
    if preferences is None or not preferences.library:
        return settings.default_library()
    return Path(bpy.path.abspath(preferences.library))


def default_library_text() -> str:
    """The folder of the library where none is chosen, for draw()."""
    return _drawn["library"]


def project() -> tuple[str, str]:
    """Name and code (or "") of the project of scenes that name none."""
    preferences = current()
    if preferences is None:
        return settings.PROJECT, ""
    return preferences.project, preferences.project_code


def register() -> None:
    """Add the preferences."""
    _drawn["author"] = settings.user_name()
    with suppress(StagewrightError):  # told when a publish asks for the library
        _drawn["library"] = str(settings.default_library())
    bpy.utils.register_class(STAGEWRIGHT_AP_preferences)


def unregister() -> None:
    """Take the preferences away."""
    bpy.utils.unregister_class(STAGEWRIGHT_AP_preferences)
