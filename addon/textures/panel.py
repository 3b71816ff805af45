# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""The Texture Lab panel, in the 3D view and the Image Editor, and its buttons."""

from __future__ import annotations

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel
from bpy.app.handlers import persistent
from bpy.props import IntProperty

from ...jobs.errors import StagewrightError
from ...texture_lab.families import FAMILIES
from ...texture_lab.make import memory_of
from ...texture_lab.request import MAX_SEED
from .. import beside, pump
from ..drawing import SidebarPanel, draw_problem, draw_task, draw_text
from . import handles, lab, making, pictures
from .history import FOLDER
from .settings import kind_of

_LAST_SEED = min(MAX_SEED, 2**31 - 1)
"""The largest that fits Blender's whole numbers."""


class STAGEWRIGHT_OT_make_texture(bpy.types.Operator):
    """Make the maps that the words describe, and a material of them for the active object"""

    bl_idname = "stagewright.make_texture"
    bl_label = "Make Texture"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the words name a material and something takes it."""
        why = making.problem(context)
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the work, or do it when there is no window."""
        chosen = context.scene.stagewright_texture
        item = context.view_layer.objects.active
        try:
            commission = making.of_words(chosen.request(), item)
            job = making.make(commission, item, chosen.displace)
            task = pump.run(job, lab.KIND, f"Make {chosen.family}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        lab.remember(task, commission)
        if not chosen.keep_seed:
            chosen.seed = (chosen.seed + 1) % _LAST_SEED
        if not task.running:
            self.report({"INFO"}, task.message)
        return {"FINISHED"}


class STAGEWRIGHT_OT_move_texture_up(bpy.types.Operator):
    """Make this texture before the one that waits in front of it"""

    bl_idname = "stagewright.move_texture_up"
    bl_label = "Make Earlier"
    bl_options = {"INTERNAL"}

    job_id: IntProperty(name="Job", description="Number of the job", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether two textures wait."""
        if len(lab.queue()) < 3:
            cls.poll_message_set("No two textures wait")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Change their places."""
        lab.move_up(self.job_id)
        pump.redraw()
        return {"FINISHED"}


class STAGEWRIGHT_OT_choose_texture_seed(bpy.types.Operator):
    """Take this piece of the same material"""

    bl_idname = "stagewright.choose_texture_seed"
    bl_label = "Choose Seed"
    bl_options = {"REGISTER", "UNDO"}

    seed: IntProperty(name="Seed", description="Which piece of the material", min=0)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the seed."""
        context.scene.stagewright_texture.seed = min(self.seed, _LAST_SEED)
        return {"FINISHED"}


class STAGEWRIGHT_PT_texture_presets(PresetPanel, bpy.types.Panel):
    """Textures kept under a name"""

    bl_label = "Texture Presets"
    bl_space_type = "VIEW_3D"
    bl_region_type = "HEADER"
    preset_subdir = "stagewright/texture"
    preset_operator = "script.execute_preset"
    preset_add_operator = "stagewright.add_texture_preset"


class STAGEWRIGHT_OT_add_texture_preset(AddPresetBase, bpy.types.Operator):
    """Keep the words and the sliders as a preset, or remove one"""

    bl_idname = "stagewright.add_texture_preset"
    bl_label = "Add Texture Preset"
    preset_menu = "STAGEWRIGHT_PT_texture_presets"
    preset_subdir = "stagewright/texture"
    preset_defines = ["chosen = bpy.context.scene.stagewright_texture"]  # noqa: RUF012

    @property
    def preset_values(self) -> list[str]:
        """The words first, for they make the sliders."""
        chosen = bpy.context.scene.stagewright_texture
        known = {slider.name: slider for slider in FAMILIES[chosen.family].sliders}
        return ["chosen.prompt", "chosen.seed", "chosen.size", "chosen.displace"] + [
            f"chosen.sliders[{number}].{kind_of(known[item.name])}"
            for number, item in enumerate(chosen.sliders)
        ]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the words name a material."""
        if not context.scene.stagewright_texture.family:
            cls.poll_message_set("Say in words what the material is")
            return False
        return True


class _TexturePanel(SidebarPanel):
    bl_label = "Texture Lab"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012
    bl_order = 7
    layout: bpy.types.UILayout

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Offer the presets."""
        STAGEWRIGHT_PT_texture_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the words, what they were understood as, the sliders, the button, and the job."""
        layout = self.layout
        chosen = context.scene.stagewright_texture
        layout.prop(chosen, "prompt", text="", placeholder="mossy red brick wall, wet")
        layout.use_property_split = True
        layout.use_property_decorate = False
        if chosen.family:
            _draw_match(layout, context, chosen)
        row = layout.row(align=True)
        row.operator("stagewright.make_texture", icon="TEXTURE")
        row.operator("stagewright.texture_from_photo", text="", icon="IMAGE_DATA")
        draw_problem(layout, context, making.problem(context))
        for place, task in enumerate(lab.queue()):
            row = layout.row()
            picture = pictures.icon(lab.set_name(task))
            if picture is not None:
                row.template_icon(picture, scale=3.0)
            draw_task(row.column(), context, task)
            if place > 1:
                row.operator(
                    "stagewright.move_texture_up", text="", icon="TRIA_UP"
                ).job_id = task.number
        last = pump.last(lab.KIND)
        if last is not None and not last.running:
            draw_task(layout, context, last)


def _draw_match(
    layout: bpy.types.UILayout, context: bpy.types.Context, chosen: bpy.types.PropertyGroup
) -> None:
    family = FAMILIES[chosen.family]
    text = _title(family.name) + (f": {chosen.found.replace(':', ' ')}" if chosen.found else "")
    draw_text(layout, context, f"{text}; a tile of {family.tile_size_m:g} m", "CHECKMARK")
    column = layout.column()
    for slider, item in zip(family.sliders, chosen.sliders, strict=True):
        column.prop(item, kind_of(slider), text=_title(slider.name), slider=not slider.whole)
    _draw_previews(layout, chosen.seed)
    column = layout.column()
    row = column.row(align=True)
    row.prop(chosen, "seed")
    locked = "LOCKED" if chosen.keep_seed else "UNLOCKED"
    row.prop(chosen, "keep_seed", text="", icon=locked)
    column.prop(chosen, "size")
    column.prop(chosen, "displace")
    draw_text(layout, context, making.memory_text(memory_of(int(chosen.size))), "MEMORY")


def _draw_previews(layout: bpy.types.UILayout, seed: int) -> None:
    """The texture, and the seeds to choose from."""
    picture = pictures.icon(handles.name_of())
    if picture is not None:
        layout.template_icon(picture, scale=8.0)
    row = layout.row(align=True)
    for choice in handles.seeds(seed):
        column = row.column(align=True)
        small = pictures.icon(handles.name_of(choice))
        if small is not None:
            column.template_icon(small, scale=3.0)
        column.operator(
            "stagewright.choose_texture_seed", text=str(choice), depress=choice == seed
        ).seed = choice
    more = row.column(align=True)
    more.operator("stagewright.choose_texture_seed", text="", icon="FORWARD").seed = (
        handles.seeds(seed)[-1] + 1
    )


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


class STAGEWRIGHT_PT_textures(_TexturePanel, bpy.types.Panel):
    """Materials from words"""


class STAGEWRIGHT_PT_textures_image(_TexturePanel, bpy.types.Panel):
    """Materials from words, beside the image"""

    bl_space_type = "IMAGE_EDITOR"


@persistent
def _after_load(*_: object) -> None:
    """Another file has another texture."""
    pictures.forget()
    handles.ask()


_CLASSES = (
    STAGEWRIGHT_OT_make_texture,
    STAGEWRIGHT_OT_move_texture_up,
    STAGEWRIGHT_OT_choose_texture_seed,
    STAGEWRIGHT_OT_add_texture_preset,
    STAGEWRIGHT_PT_texture_presets,
    STAGEWRIGHT_PT_textures,
    STAGEWRIGHT_PT_textures_image,
)


def register() -> None:
    """Add the panels and the operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    beside.goes_along(FOLDER, making.take_along)
    bpy.app.handlers.load_post.append(_after_load)


def unregister() -> None:
    """Take them away."""
    bpy.app.handlers.load_post.remove(_after_load)
    beside.stays(FOLDER)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
