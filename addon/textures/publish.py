# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""The chosen set of the gallery as a published product."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline import settings
from .. import preferences, pump, target
from ..ayon import server
from ..worker import command
from . import history

KIND = "publish texture"


class STAGEWRIGHT_OT_publish_texture(bpy.types.Operator):
    """Publish the chosen texture: its look in USD, its maps, and all that is known of it"""

    bl_idname = "stagewright.publish_texture"
    bl_label = "Publish Texture"
    bl_options = {"REGISTER"}

    product: StringProperty(
        name="Product",
        description="Name of the product that gets a new version",
        options={"SKIP_SAVE"},
    )
    comment: StringProperty(
        name="Comment", description="What is new in this version", options={"SKIP_SAVE"}
    )
    library: StringProperty(
        name="Library",
        description="Folder of the library; where the scene says if empty",
        subtype="DIR_PATH",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a set is chosen, and there is a place for it."""
        why = ""
        if history.chosen(context) is None:
            why = "No texture has been made for this file yet"
        elif pump.is_running(KIND):
            why = "A texture is being published: wait for its end or cancel it"
        elif not _folder(context.scene):
            why = "Save the file, or name the folder of the asset in the panel Publish"
        elif server.is_chosen(context.scene):
            why = server.problem()
        if why:
            cls.poll_message_set(why)
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask what it is called."""
        self.product = self.product or _product(context)
        found: set[str] = context.window_manager.invoke_props_dialog(self, confirm_text="Publish")
        return found

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the publish, or do it when there is no window."""
        entry = history.chosen(context)
        assert entry is not None
        scene = context.scene
        given = bpy.path.abspath(self.library) if self.library else ""
        project, code = preferences.project()
        own = scene.stagewright.project
        words = [
            f"--library={given or preferences.library_path()}",
            f"--project={own or project}",
            f"--folder={_folder(scene)}",
            f"--product={self.product or _product(context)}",
            f"--comment={self.comment}",
        ]
        words += ["--server"] if server.is_chosen(scene) and not given else []
        words += [f"--project-code={code}"] if code and not own else []
        try:
            job = _publish(entry.sidecar, words)
            task = pump.run(job, KIND, f"Publish {entry.title}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


def _publish(sidecar: Path, words: list[str]) -> Job[Mapping[str, Any]]:
    value = yield from command("texture", "publish", str(sidecar), *words)
    what = "Nothing changed since" if value["unchanged"] else "Published"
    product = value["identity"]["product"]
    yield Message(f"{what} {value['version']} of {product}: {value['folder']}")
    return value


def _folder(scene: bpy.types.Scene) -> str:
    name = target.asset_name(scene)
    return scene.stagewright.folder or (f"{settings.FOLDER_ROOT}/{name}" if name else "")


def _product(context: bpy.types.Context) -> str:
    """``textureSetRedBrick`` for a set of red bricks."""
    entry = history.chosen(context)
    assert entry is not None
    words = re.findall(r"[A-Za-z0-9]+", settings.asset_name(entry.title))[:4]
    return "textureSet" + "".join(word.capitalize() for word in words)


def register() -> None:
    """Add the operator."""
    bpy.utils.register_class(STAGEWRIGHT_OT_publish_texture)


def unregister() -> None:
    """Take it away."""
    bpy.utils.unregister_class(STAGEWRIGHT_OT_publish_texture)
