# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Two images compared, in the Image Editor: a wipe, side by side, the difference, the FLIP map."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent
from bpy.props import EnumProperty, FloatProperty, PointerProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from ...pipeline.summaries import figure_rows
from ...usd_tools.flip import Picture
from ...usd_tools.image_filters import Plane
from ...usd_tools.render_compare import difference, heat, side_by_side, wiped
from .. import pump
from ..drawing import SidebarPanel, draw_problem, draw_task, draw_text
from ..undo import push_undo
from ..worker import child
from .lists import fact
from .picture_pixels import seen

KIND = "compare-renders"
RESULT = "Render Compare"
_MARK = "stagewright_compared"


@dataclass(frozen=True)
class _Compared:
    """The two pictures, what differs, and what they are called."""

    first: Picture
    second: Picture
    flip: Plane
    figures: Mapping[str, Any]
    names: tuple[str, str]


class _Now:
    compared: _Compared | None = None


def _show_again(self: STAGEWRIGHT_PG_renders, context: bpy.types.Context) -> None:
    if _Now.compared is not None:
        _show(_Now.compared)


class STAGEWRIGHT_PG_renders(bpy.types.PropertyGroup):
    """Which images are compared, and how the result is shown."""

    first: StringProperty(name="First", description="The image to compare with")
    second: StringProperty(name="Second", description="The image that is compared")
    exposure: FloatProperty(
        name="Exposure",
        description="Stops by which images of floats (EXR, HDR) are exposed before they are cut "
        "off at white and compared",
        min=-64,
        max=64,
    )
    way: EnumProperty(
        name="Show",
        description=f"What the image “{RESULT}” shows",
        items=(
            ("WIPE", "Wipe", "The first on the left of a line, the second on its right"),
            ("SIDE", "Both", "The first beside the second"),
            ("DIFFERENCE", "Difference", "How much each channel differs"),
            ("FLIP", "FLIP", "How much one sees who flips between them: black is not at all"),
        ),
        update=_show_again,
    )
    position: FloatProperty(
        name="Wipe",
        description="Where the first image ends, as a part of the width",
        default=0.5,
        min=0,
        max=1,
        subtype="FACTOR",
        update=_show_again,
    )
    gain: FloatProperty(
        name="Gain",
        description="What the difference is multiplied by, to be seen",
        default=4,
        min=0.01,
        soft_max=64,
        update=_show_again,
    )


def _chosen() -> STAGEWRIGHT_PG_renders:
    return bpy.context.window_manager.stagewright_renders


def _problem() -> str:
    chosen = _chosen()
    if pump.is_running(KIND):
        return "Images are being compared: wait for the end or cancel it"
    for name in (chosen.first, chosen.second):
        if name not in bpy.data.images:
            return f"There is no image “{name}” any more" if name else "Choose two images"
    return ""


class STAGEWRIGHT_OT_compare_renders(bpy.types.Operator):
    """Compare the two images: FLIP, PSNR, SSIM, and an image that shows what differs"""

    bl_idname = "stagewright.compare_renders"
    bl_label = "Compare Images"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are two images."""
        why = _problem()
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Compare them in a process of its own."""
        chosen = _chosen()
        names = chosen.first, chosen.second
        try:
            first, second = (seen(bpy.data.images[name], chosen.exposure) for name in names)
            task = pump.run(_compare(first, second, names), KIND, f"Compare {names[0]}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not task.running:
            self.report({"INFO"}, task.message)
        return {"FINISHED"}


def _compare(first: Picture, second: Picture, names: tuple[str, str]) -> Job[Mapping[str, Any]]:
    yield Progress("compare.hand-over", 0.0, "Handing the pixels over")
    with tempfile.TemporaryDirectory(prefix="stagewright-", dir=bpy.app.tempdir or None) as folder:
        files = {name: str(Path(folder) / f"{name}.npy") for name in ("first", "second", "flip")}
        np.save(files["first"], first)
        np.save(files["second"], second)
        figures = yield from child("usd_tools.render_compare:compare_task", **files)
        flip = np.load(files["flip"])
    _Now.compared = _Compared(first, second, flip, figures, names)
    image = _show(_Now.compared)
    _look_at(image, names)
    push_undo(f"Compare {names[0]}")
    yield Message(f"FLIP {figures['flip']:.4f}; the image “{image.name}” shows what differs.")
    return figures


def _show(compared: _Compared) -> bpy.types.Image:
    """Let the result's image show what is chosen; it is made where there is none."""
    chosen = _chosen()
    first, second = compared.first, compared.second
    if chosen.way == "WIPE":
        picture = wiped(first, second, chosen.position)
    elif chosen.way == "SIDE":
        picture = side_by_side(first, second)
    elif chosen.way == "DIFFERENCE":
        picture = difference(first, second, chosen.gain)
    else:
        picture = heat(compared.flip)
    rows, columns = picture.shape[:2]
    image = next((image for image in bpy.data.images if _MARK in image), None)
    if image is None:
        image = bpy.data.images.new(RESULT, columns, rows)
        image[_MARK] = True
    elif tuple(image.size) != (columns, rows):
        image.scale(columns, rows)
    pixels = np.ones((rows, columns, 4), np.float32)
    pixels[..., :3] = picture[::-1]
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    return image


def _look_at(image: bpy.types.Image, names: tuple[str, str]) -> None:
    """Show the result in the editors that show one of the images, or none."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                space = area.spaces.active
                if space.image is None or space.image.name in names:
                    space.image = image


class STAGEWRIGHT_PT_compare_renders(SidebarPanel, bpy.types.Panel):
    """What differs between two images"""

    bl_label = "Compare Images"
    bl_space_type = "IMAGE_EDITOR"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 8

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the images, the button, the job, the ways to look, and the figures."""
        layout = self.layout
        chosen = _chosen()
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop_search(chosen, "first", bpy.data, "images")
        column.prop_search(chosen, "second", bpy.data, "images")
        column.prop(chosen, "exposure")
        task = pump.last(KIND)
        if task is None or not task.running:
            layout.operator("stagewright.compare_renders", icon="IMAGE_ALPHA")
            draw_problem(layout, context, _problem())
        if task is not None:
            draw_task(layout, context, task)
        compared = _Now.compared
        if compared is None:
            return
        layout.row(align=True).prop(chosen, "way", expand=True)
        if chosen.way == "WIPE":
            layout.prop(chosen, "position", slider=True)
        elif chosen.way == "DIFFERENCE":
            layout.prop(chosen, "gain")
        draw_text(layout, context, " and ".join(compared.names))
        column = layout.column(align=True)
        for name, value in figure_rows(compared.figures):
            fact(column, name, value)


@persistent  # type: ignore[untyped-decorator]
def _forget(path: str) -> None:
    """The images were those of the file that was open before."""
    _Now.compared = None


_CLASSES = (
    STAGEWRIGHT_PG_renders,
    STAGEWRIGHT_OT_compare_renders,
    STAGEWRIGHT_PT_compare_renders,
)


def register() -> None:
    """Add the panel and its operator."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_renders = PointerProperty(type=STAGEWRIGHT_PG_renders)
    bpy.app.handlers.load_post.append(_forget)


def unregister() -> None:
    """Take them away."""
    _Now.compared = None
    bpy.app.handlers.load_post.remove(_forget)
    del bpy.types.WindowManager.stagewright_renders
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
