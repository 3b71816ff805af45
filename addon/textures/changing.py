# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Sets made of those in the history: varied, enlarged, made to repeat, laid over one another."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from ...jobs.errors import StagewrightError
from ...texture_lab.changes import Origin, changed, origin_of
from ...texture_lab.graph import TextureGraph
from ...texture_lab.requests import memory_of
from .. import pump
from ..drawing import draw_text
from . import history, lab, making
from .material import KEY as OURS

_LABELS = {"vary": "Vary", "upscale": "Upscale", "tile": "Make Tileable", "blend": "Lay Over"}
_SETTINGS = {
    "vary": ("strength", "seed"),
    "upscale": ("factor",),
    "tile": ("method",),
    "blend": ("amount", "by"),
}


class STAGEWRIGHT_OT_change_texture(bpy.types.Operator):
    """Make another texture of the chosen one, for the active object; the chosen one is kept"""

    bl_idname = "stagewright.change_texture"
    bl_label = "Change Texture"
    bl_options = {"REGISTER"}

    tool: EnumProperty(
        name="Change",
        description="What is made of the texture",
        items=(
            ("vary", "Vary", "Another piece of the same material"),
            ("upscale", "Upscale", "More pixels, with sharp edges; no detail is invented"),
            ("tile", "Make Tileable", "Cut all its maps alike, so that they repeat"),
            ("blend", "Lay Over", "Lay it over the texture that the active object has"),
        ),
    )
    strength: FloatProperty(
        name="Strength",
        description="How far things may move",
        subtype="FACTOR",
        default=1.0,
        min=0.0,
        max=1.0,
    )
    seed: IntProperty(name="Seed", description="Which of many pieces", min=0, options={"SKIP_SAVE"})
    factor: EnumProperty(
        name="Size",
        description="How many times as large",
        items=[(str(n), f"{n} Times", f"{n} times as many rows and columns") for n in (2, 4, 8)],
    )
    method: EnumProperty(
        name="Method",
        description="How its ends are joined",
        items=(
            ("auto", "Automatic", "A cut where it finds a way"),
            ("cut", "Cut", "Along the way of least difference, for structure"),
            ("blend", "Blend", "Gradually, for what is random"),
        ),
    )
    amount: FloatProperty(
        name="Amount",
        description="How much of the upper texture there is",
        subtype="FACTOR",
        default=0.4,
        min=0.0,
        max=1.0,
    )
    by: EnumProperty(
        name="Where",
        description="Where the upper texture lies",
        items=(
            ("height", "In the Hollows", "It fills the lowest places first"),
            ("amount", "Everywhere", "Both are mixed alike everywhere"),
        ),
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a set is chosen, and something takes what is made of it."""
        why = making.target_problem(context)
        if history.chosen(context) is None:
            why = "No texture has been made for this file yet"
        if why:
            cls.poll_message_set(why)
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask how; another piece each time."""
        self.seed = len(history.entries())
        try:
            self._find(context)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.check(context)
        found: set[str] = context.window_manager.invoke_props_dialog(
            self, title=_LABELS[self.tool], confirm_text="Make"
        )
        return found

    def check(self, context: bpy.types.Context) -> bool:
        """Estimate the memory anew."""
        try:
            needed = memory_of(self._graph(), self._folder)
        except StagewrightError as error:
            self._told = error.message
        else:
            self._told = making.memory_text(needed)
        return True

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what can be said, and what it takes."""
        layout = self.layout
        layout.use_property_split = True
        for name in _SETTINGS[self.tool]:
            layout.prop(self, name)
        if self.tool == "tile" and self._below.repeats:
            draw_text(layout, context, "This texture repeats already", "INFO")
        if self.tool == "blend":
            draw_text(layout, context, f"{self._titles[1]} over {self._titles[0]}")
        draw_text(layout, context, self._told, "MEMORY")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the work, or do it when there is no window."""
        item = context.view_layer.objects.active
        try:
            self._find(context)
            commission = making.of_graph(self._graph(), self._folder, item)
            job = making.make(commission, item, context.scene.stagewright_texture.displace)
            task = pump.run(job, lab.KIND, f"{_LABELS[self.tool]}: {self._titles[-1]}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        lab.remember(task, commission)
        if not task.running:
            self.report({"INFO"}, task.message)
        return {"FINISHED"}

    def _find(self, context: bpy.types.Context) -> None:
        """Look up the sets that it is made of.

        Raises:
            StagewrightError: ``nothing-below``, ``bad-set``.
        """
        entry = history.chosen(context)
        assert entry is not None
        found = [entry]
        if self.tool == "blend":
            found.insert(0, _own(context, entry))
        self._folder: Path = entry.sidecar.parent
        self._titles = [each.title for each in found]
        origins = [origin_of(each.sidecar) for each in found]
        self._below: Origin = origins[0]
        self._above: Origin | None = origins[1] if self.tool == "blend" else None

    def _graph(self) -> TextureGraph:
        settings = {name: getattr(self, name) for name in _SETTINGS[self.tool]}
        if self.tool == "upscale":
            settings["factor"] = int(self.factor)
        return changed(self.tool, settings, self._below, self._above)


def _own(context: bpy.types.Context, entry: history.Entry) -> history.Entry:
    """The set that the active object shows, which another is laid over."""
    material = context.view_layer.objects.active.active_material
    shown = material.get(OURS, "") if material else ""
    own = next((e for e in history.entries() if str(e.sidecar) == shown), None)
    if own is None or own == entry:
        raise StagewrightError(
            "nothing-below",
            "A texture is laid over the one that the active object has, which is another.",
            "Choose another texture in the history, or give the object one first.",
        )
    return own


def register() -> None:
    """Add the operator."""
    bpy.utils.register_class(STAGEWRIGHT_OT_change_texture)


def unregister() -> None:
    """Take it away."""
    bpy.utils.unregister_class(STAGEWRIGHT_OT_change_texture)
