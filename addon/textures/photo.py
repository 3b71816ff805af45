# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""A photo dragged into a window, as a material."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...texture_lab.images import image_size
from ...texture_lab.photo import PhotoRequest, memory_of
from .. import pump
from ..drawing import draw_text
from ..scene.settings import meters_per_unit
from . import lab, making


class STAGEWRIGHT_OT_texture_from_photo(bpy.types.Operator):
    """Make the maps of a photo, and a material of them for the active object"""

    bl_idname = "stagewright.texture_from_photo"
    bl_label = "Texture from Photo"
    bl_options = {"REGISTER"}

    filepath: StringProperty(
        name="Photo", description="The image file", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_image: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    tile: BoolProperty(name="Make Tileable", description="Cut it so that it repeats", default=True)
    tile_size: FloatProperty(
        name="Height Shown",
        description="What the photo shows from top to bottom",
        subtype="DISTANCE",
        unit="LENGTH",
        default=1.0,
        min=0.001,
        soft_max=10.0,
    )
    backend: EnumProperty(
        name="Maps",
        description="What makes the maps",
        items=(
            ("classical", "By Controls", "Classical means, steered by the controls below"),
            (
                "network",
                "Estimated",
                "By a network trained on synthetic materials, metal included; its relief is weak",
            ),
        ),
    )
    relief: FloatProperty(
        name="Relief",
        description="From the lowest to the highest point; a photo does not tell",
        subtype="DISTANCE",
        unit="LENGTH",
        default=0.01,
        min=0.0,
        soft_max=0.1,
    )
    delight: FloatProperty(
        name="Remove Light",
        description="How much of the light that changes slowly is taken out",
        subtype="FACTOR",
        default=0.7,
        min=0.0,
        max=1.0,
    )

    _size: tuple[int, int] | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether something takes the material."""
        why = making.target_problem(context)
        if why:
            cls.poll_message_set(why)
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the photo, or for what a dragged one does not tell."""
        manager = context.window_manager
        if not self.filepath:
            manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        try:
            self._size = image_size(self._photo())
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        found: set[str] = manager.invoke_props_dialog(self, confirm_text="Make Texture")
        return found

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what a photo does not tell."""
        layout = self.layout
        layout.use_property_split = True
        controls = ("relief", "delight") if self.backend == "classical" else ()
        for name in ("tile", "tile_size", "backend", *controls):
            layout.prop(self, name)
        if self._size is not None:
            needed = memory_of(self._size, PhotoRequest("", "", **self._chosen(1.0)))
            draw_text(layout, context, making.memory_text(needed), "MEMORY")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the work, or do it when there is no window."""
        item = context.view_layer.objects.active
        photo = self._photo()
        chosen = self._chosen(meters_per_unit(context.scene))
        try:
            commission = making.of_photo(photo, chosen, item)
            job = making.make(commission, item, context.scene.stagewright_texture.displace)
            task = pump.run(job, lab.KIND, f"Make maps of {photo.name}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        lab.remember(task, commission)
        if not task.running:
            self.report({"INFO"}, task.message)
        return {"FINISHED"}

    def _photo(self) -> Path:
        return Path(bpy.path.abspath(self.filepath))

    def _chosen(self, unit: float) -> dict[str, Any]:
        """What a photo does not tell, as fields of its request."""
        chosen = {
            "tile": "auto" if self.tile else "",
            "tile_size_m": self.tile_size * unit,
            "backend": self.backend,
        }
        if self.backend == "classical":
            chosen |= {"relief": self.relief * unit, "delight": self.delight}
        return chosen


class STAGEWRIGHT_FH_photo(bpy.types.FileHandler):
    """Takes photos dragged into the 3D view or the Image Editor"""

    bl_idname = "STAGEWRIGHT_FH_photo"
    bl_label = "Stagewright Texture from Photo"
    bl_import_operator = "stagewright.texture_from_photo"
    bl_file_extensions = ".png;.jpg;.jpeg;.tif;.tiff;.exr;.webp;.bmp;.tga"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Where the panel is, too."""
        return context.area is not None and context.area.type in ("VIEW_3D", "IMAGE_EDITOR")


_CLASSES = (STAGEWRIGHT_OT_texture_from_photo, STAGEWRIGHT_FH_photo)


def register() -> None:
    """Add the operator and the file handler."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
