# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Textures of images that a large model makes, and words that a chat server suggests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...texture_lab.image_makers import generated
from ...texture_lab.services import MAKERS, SERVERS
from .. import pump
from ..scene.settings import meters_per_unit
from ..worker import child
from . import lab, making, services

SUGGEST = "suggest"


_ITEMS = tuple(
    (name, label, f"A server of {label}") for name, label in SERVERS.items() if name in MAKERS
)


class STAGEWRIGHT_OT_texture_by_model(bpy.types.Operator):
    """Let a large model make an image, its maps, and a material of them for the active object"""

    bl_idname = "stagewright.texture_by_model"
    bl_label = "Texture by Large Model"
    bl_options = {"REGISTER"}

    service: EnumProperty(
        name="By",
        description="Who makes the image; its address is in the extension's preferences",
        items=_ITEMS,
    )
    prompt: StringProperty(name="Words", description="What it is", options={"SKIP_SAVE"})
    negative: StringProperty(name="Not", description="What it shall not be")
    model: StringProperty(name="Model", description="Its name there; empty for the one there")
    size: IntProperty(name="Size", description="Pixels", default=1024, min=64, max=4096, step=8)
    seed: IntProperty(name="Seed", description="Which of its images", min=0)
    steps: IntProperty(name="Steps", description="Of the sampler", default=20, min=1, max=150)
    guidance: FloatProperty(
        name="Guidance",
        description="How closely the words are followed",
        default=7.0,
        min=0.0,
        max=30.0,
    )
    tile_size: FloatProperty(
        name="Height Shown",
        description="What the image shows from top to bottom",
        subtype="DISTANCE",
        unit="LENGTH",
        default=1.0,
        min=0.001,
        soft_max=10.0,
    )
    relief: FloatProperty(
        name="Relief",
        description="From the lowest to the highest point; an image does not tell",
        subtype="DISTANCE",
        unit="LENGTH",
        default=0.01,
        min=0.0,
        soft_max=0.1,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether something takes the material."""
        why = making.target_problem(context)
        if why:
            cls.poll_message_set(why)
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the words and how it is made; the panel's words are the beginning."""
        self.prompt = self.prompt or context.scene.stagewright_texture.prompt
        found: set[str] = context.window_manager.invoke_props_dialog(
            self, confirm_text="Make Texture"
        )
        return found

    def draw(self, context: bpy.types.Context) -> None:
        """Draw all of it."""
        layout = self.layout
        layout.use_property_split = True
        first = ("service", "prompt", "negative", "model")
        for name in (*first, "size", "seed", "steps", "guidance", "tile_size", "relief"):
            layout.prop(self, name)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the work, or do it when there is no window."""
        item = context.view_layer.objects.active
        unit = meters_per_unit(context.scene)
        node = {name: getattr(self, name) for name in ("service", "prompt", "negative", "model")}
        node |= {"size": self.size, "seed": self.seed, "steps": self.steps, "repeats": True}
        node["guidance"] = self.guidance
        maps = {"tile_size_m": self.tile_size * unit, "relief": self.relief * unit}
        try:
            commission = making.of_graph(generated(node, pbr=maps), item, services=services.known())
            job = making.make(commission, item, context.scene.stagewright_texture.displace)
            task = pump.run(job, lab.KIND, f"Make {self.prompt[:40]}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        lab.remember(task, commission)
        if not task.running:
            self.report({"INFO"}, task.message)
        return {"FINISHED"}


class STAGEWRIGHT_OT_suggest_texture(bpy.types.Operator):
    """Ask the chat server to put the idea into words that the lab understands"""

    bl_idname = "stagewright.suggest_texture"
    bl_label = "Suggest Words"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is an idea, and nobody thinks about one."""
        if pump.is_running(SUGGEST):
            cls.poll_message_set("The chat server thinks already")
            return False
        if not context.scene.stagewright_texture.prompt.strip():
            cls.poll_message_set("Say roughly what you have in mind")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to ask, or do so when there is no window."""
        idea = context.scene.stagewright_texture.prompt
        try:
            task = pump.run(_suggest(idea), SUGGEST, "Suggest words")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


def _suggest(idea: str) -> Job[Mapping[str, Any]]:
    """Ask for words and put them where the idea was, if that is still there."""
    known = {name: dict(entry) for name, entry in services.known().items()}
    value = yield from child("texture_lab.tasks:suggest", idea=idea, services=known)
    chosen = bpy.context.scene.stagewright_texture
    if chosen.prompt == idea:
        chosen.prompt = value["prompt"]
    yield Message(f"{value['model']} says: {value['prompt']}")
    return value


_CLASSES = (STAGEWRIGHT_OT_texture_by_model, STAGEWRIGHT_OT_suggest_texture)


def register() -> None:
    """Add the operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
