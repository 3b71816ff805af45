# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery of sets: restore, compare, delete, and keep one as an asset."""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent
from bpy.props import EnumProperty

from ...jobs.errors import StagewrightError
from ...pipeline.summaries import count
from ...texture_lab.texture_set import preview_of
from .. import pump
from ..drawing import SidebarPanel, draw_problem, draw_task, draw_text
from . import history, making, pictures
from .material import KEY as OURS
from .material import apply
from .publish import KIND as PUBLISHING

_TOOLS = (
    (("vary", "Vary…", "FILE_REFRESH"), ("upscale", "Upscale…", "FULLSCREEN_ENTER")),
    (("tile", "Tile…", "MESH_GRID"), ("blend", "Lay Over…", "OVERLAY")),
)

_OTHER = "stagewright_texture_other"
"""Custom property of a material: the set that comparing goes back to."""


class _OfChosen:
    """What needs a chosen set and an object to give it to."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are both."""
        why = making.target_problem(context)
        if history.chosen(context) is None:
            why = "No texture has been made for this file yet"
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why


class STAGEWRIGHT_OT_restore_texture(_OfChosen, bpy.types.Operator):
    """Give the chosen texture to the active object, and its words, seed and sliders to the panel"""

    bl_idname = "stagewright.restore_texture"
    bl_label = "Restore"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Bring it all back."""
        entry = history.chosen(context)
        assert entry is not None
        settings = context.scene.stagewright_texture
        if "prompt" in entry.about["request"]:
            settings.take(entry.about["request"], entry.about["parameters"])
        item = context.view_layer.objects.active
        apply(item, entry.sidecar, entry.about, settings.displace)
        return {"FINISHED"}


class STAGEWRIGHT_OT_compare_texture(_OfChosen, bpy.types.Operator):
    """Show the chosen texture on the active object in place of its own; again: its own"""

    bl_idname = "stagewright.compare_texture"
    bl_label = "Compare"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Change one for the other."""
        entry = history.chosen(context)
        assert entry is not None
        item = context.view_layer.objects.active
        displace = context.scene.stagewright_texture.displace
        now = item.active_material.get(OURS, "") if item.active_material else ""
        if now == str(entry.sidecar):
            back = item.active_material.get(_OTHER, "")
            other = next((e for e in history.entries() if str(e.sidecar) == back), None)
            if other is None:
                self.report({"INFO"}, "The object has this texture: choose another to compare")
                return {"CANCELLED"}
            apply(item, other.sidecar, other.about, displace)
        else:
            material, _ = apply(item, entry.sidecar, entry.about, displace)
            material[_OTHER] = now
        return {"FINISHED"}


class STAGEWRIGHT_OT_delete_texture(bpy.types.Operator):
    """Delete the chosen texture's files for good; one that a material shows is kept"""

    bl_idname = "stagewright.delete_texture"
    bl_label = "Delete Texture"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether one is chosen that no material shows."""
        entry = history.chosen(context)
        taken = history.users(entry) if entry is not None else []
        if entry is None:
            cls.poll_message_set("No texture has been made for this file yet")
        elif taken:
            cls.poll_message_set(f"The material {taken[0]} shows this texture")
        return entry is not None and not taken

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        found: set[str] = context.window_manager.invoke_confirm(self, event)
        return found

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Delete the files."""
        entry = history.chosen(context)
        assert entry is not None
        try:
            history.delete(entry)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Deleted {entry.sidecar.stem}: {_megabytes(entry.size)} are free")
        return {"FINISHED"}


class STAGEWRIGHT_OT_texture_asset(bpy.types.Operator):
    """Mark the active object's texture as an asset, with its picture in the asset browser"""

    bl_idname = "stagewright.texture_asset"
    bl_label = "Mark as Asset"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the active object shows a texture of ours."""
        item = context.view_layer.objects.active
        material = getattr(item, "active_material", None)
        if material is None or OURS not in material:
            cls.poll_message_set("Choose an object with a material of the Texture Lab")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Mark it."""
        material = context.view_layer.objects.active.active_material
        material.asset_mark()
        entry = next((e for e in history.entries() if str(e.sidecar) == material[OURS]), None)
        if entry is not None:
            material.asset_data.description = entry.title
            material.asset_data.tags.new("Stagewright", skip_if_exists=True)
            shown = preview_of(entry.sidecar)
            if shown.exists():
                pictures.give_to(material, shown)
        return {"FINISHED"}


class STAGEWRIGHT_OT_refresh_textures(bpy.types.Operator):
    """Look again for textures beside the .blend"""

    bl_idname = "stagewright.refresh_textures"
    bl_label = "Refresh"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the folder."""
        history.refresh()
        return {"FINISHED"}


class _HistoryPanel(SidebarPanel):
    bl_label = "History"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012
    layout: bpy.types.UILayout

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the gallery, and what can be done with the chosen set."""
        layout = self.layout
        entry = history.chosen(context)
        total = sum(each.size for each in history.entries())
        row = layout.row()
        row.label(text=f"{count(len(history.entries()), 'texture')}, {_megabytes(total)}")
        row.operator("stagewright.refresh_textures", text="", icon="FILE_REFRESH")
        if entry is None:
            draw_text(layout, context, "No texture has been made for this file yet", "INFO")
            return
        layout.template_icon_view(
            context.window_manager,
            "stagewright_texture_set",
            show_labels=True,
            scale=6.0,
            scale_popup=5.0,
        )
        draw_text(layout, context, entry.title)
        seed = f"Seed {entry.seed}, " if entry.seed is not None else ""
        draw_text(layout, context, f"{seed}{_megabytes(entry.size)}")
        row = layout.row(align=True)
        row.operator("stagewright.restore_texture", icon="LOOP_BACK")
        row.operator("stagewright.compare_texture", icon="ARROW_LEFTRIGHT")
        row.operator("stagewright.delete_texture", text="", icon="TRASH")
        for pair in _TOOLS:
            row = layout.row(align=True)
            for tool, text, icon in pair:
                row.operator("stagewright.change_texture", text=text, icon=icon).tool = tool
        draw_problem(layout, context, making.target_problem(context))
        row = layout.row(align=True)
        row.operator("stagewright.texture_asset", icon="ASSET_MANAGER")
        row.operator("stagewright.publish_texture", icon="PACKAGE")
        published = pump.last(PUBLISHING)
        if published is not None:
            draw_task(layout, context, published)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


class STAGEWRIGHT_PT_texture_history(_HistoryPanel, bpy.types.Panel):
    """Textures made for this file"""

    bl_parent_id = "STAGEWRIGHT_PT_textures"


class STAGEWRIGHT_PT_texture_history_image(_HistoryPanel, bpy.types.Panel):
    """Textures made for this file, beside the image"""

    bl_parent_id = "STAGEWRIGHT_PT_textures_image"
    bl_space_type = "IMAGE_EDITOR"


@persistent
def _after_load(*_: object) -> None:
    history.begin()


@persistent
def _after_save(*_: object) -> None:
    history.refresh()


_CLASSES = (
    STAGEWRIGHT_OT_restore_texture,
    STAGEWRIGHT_OT_compare_texture,
    STAGEWRIGHT_OT_delete_texture,
    STAGEWRIGHT_OT_texture_asset,
    STAGEWRIGHT_OT_refresh_textures,
    STAGEWRIGHT_PT_texture_history,
    STAGEWRIGHT_PT_texture_history_image,
)


def register() -> None:
    """Add the gallery."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_texture_set = EnumProperty(
        name="Texture", description="A texture made for this file", items=history.items
    )
    bpy.app.handlers.load_post.append(_after_load)
    bpy.app.handlers.save_post.append(_after_save)


def unregister() -> None:
    """Take it away."""
    history.forget()
    bpy.app.handlers.save_post.remove(_after_save)
    bpy.app.handlers.load_post.remove(_after_load)
    del bpy.types.WindowManager.stagewright_texture_set
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
