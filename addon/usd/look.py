# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Pictures of the inspected file, rendered by another Blender: this one's scene stays as it is."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import bpy.utils.previews
from bpy.props import IntProperty, PointerProperty, StringProperty
from bpy_extras.io_utils import ExportHelper

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from ...jobs.threads import in_thread
from ...pipeline.summaries import count
from .. import pump
from ..drawing import draw_problem, draw_task, draw_text
from ..worker import child, picture_usd
from . import looking
from .lists import Below

KIND = "look"
DELEGATES = "delegates"


class _Shown:
    """The picture and the list that the panel draws."""

    pictures: Any = None
    path: Path | None = None
    delegates: tuple[Mapping[str, Any], ...] = ()


class STAGEWRIGHT_PG_look(bpy.types.PropertyGroup):
    """How pictures are made."""

    size: IntProperty(
        name="Size", description="Width and height", default=512, min=16, max=16384, subtype="PIXEL"
    )
    frames: IntProperty(
        name="Frames", description="Pictures of a turntable", default=24, min=2, max=10_000
    )


def _settings() -> STAGEWRIGHT_PG_look:
    return bpy.context.window_manager.stagewright_look


def _problem() -> str:
    if looking.session() is None:
        return "No USD file is open"
    if not bpy.app.build_options.usd:
        return "This Blender was built without its USD importer"
    if pump.is_running(KIND):
        return "A picture is being rendered: wait for its end or cancel it"
    return looking.busy()


def _render(target: Path | None, frames: int) -> Job[Mapping[str, Any]]:
    """Render what is shown, its session's choices included, and show the picture."""
    now = looking.session()
    assert now is not None
    options = [f"--size={_settings().size}", *([f"--turntable={frames}"] if frames else [])]
    with tempfile.TemporaryDirectory(prefix="stagewright-", dir=bpy.app.tempdir or None) as folder:
        yield Progress("look.prepare", 0.0, f"Preparing {now.path.name}")
        source = yield from in_thread(lambda: now.as_file(Path(folder)))
        picture = target or Path(folder) / "picture.png"
        value = yield from picture_usd(source, picture, *options)
        files = [Path(file) for file in value["files"]]
        _keep(files[0], now.path)
    where = f" in {target.parent}" if target else ""
    yield Message(f"Rendered {count(len(files), 'picture')}{where}.")
    return value


def _keep(picture: Path, path: Path) -> None:
    """Read the picture for the panel; the .blend gets no image of it."""
    if _Shown.pictures is None:
        return
    _Shown.pictures.clear()
    shown = _Shown.pictures.load("picture", str(picture), "IMAGE")
    shown.image_size[:]  # read now: the file may be gone when it is drawn
    _Shown.path = path


class _Rendering:
    """What the operators have in common."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a picture can be rendered now."""
        why = _problem()
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why

    def render(self, target: Path | None, frames: int, label: str) -> set[str]:
        """Start the work; an error that comes at once is reported."""
        try:
            task = pump.run(_render(target, frames), KIND, label)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        if not task.running:
            self.report({"INFO"}, task.message)  # type: ignore[attr-defined]
        return {"FINISHED"}


class STAGEWRIGHT_OT_picture_usd(_Rendering, bpy.types.Operator):
    """Render a picture of the file in another Blender; your scene stays as it is"""

    bl_idname = "stagewright.picture_usd"
    bl_label = "Render Picture"
    bl_options = {"INTERNAL"}

    filepath: StringProperty(
        name="File", description="PNG to write; empty shows the picture in the panel alone",
        subtype="FILE_PATH", options={"SKIP_SAVE"},
    )  # fmt: skip

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Render it."""
        target = Path(bpy.path.abspath(self.filepath)).absolute() if self.filepath else None
        return self.render(target, 0, "Render picture")


class STAGEWRIGHT_OT_turntable_usd(_Rendering, bpy.types.Operator, ExportHelper):
    """Render pictures from all around the file in another Blender, as NAME_0001.png …"""

    bl_idname = "stagewright.turntable_usd"
    bl_label = "Render Turntable"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        filepath: str  # a property of ExportHelper

    filename_ext = ".png"
    filter_glob: StringProperty(default="*.png", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask where to, and offer a name beside the file."""
        now = looking.session()
        if now is not None:
            self.filepath = str(now.path.with_name(f"{now.path.stem}_turn.png"))
        result: set[str] = super().invoke(context, event)
        return result

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Render them."""
        target = Path(bpy.path.abspath(self.filepath)).absolute()
        return self.render(target, _settings().frames, "Render turntable")


class STAGEWRIGHT_OT_list_delegates(bpy.types.Operator):
    """Look for Hydra render delegates, and why one cannot be used"""

    bl_idname = "stagewright.list_delegates"
    bl_label = "List Hydra Delegates"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a USD library."""
        why = looking.missing_library()
        if pump.is_running(DELEGATES):
            why = "They are being looked for: wait for the end"
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask another process: a broken plugin may end the one that loads it."""

        def job() -> Job[Mapping[str, Any]]:
            value = yield from child("usd_tools.delegates:list_delegates")
            _Shown.delegates = tuple(value["delegates"])
            yield Message(
                f"{count(sum(d['usable'] for d in _Shown.delegates), 'delegate')} usable."
            )
            return value

        try:
            looking.load_library()
            pump.run(job(), DELEGATES, "List Hydra delegates")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def delegates() -> tuple[Mapping[str, Any], ...]:
    """What the last look for delegates has found."""
    return _Shown.delegates


class STAGEWRIGHT_PT_usd_look(Below, bpy.types.Panel):
    """Pictures of the file, and what could render it"""

    bl_label = "Look"
    bl_order = 8

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the picture, the buttons, and the delegates."""
        layout = self.layout
        now = looking.session()
        if now is not None and _Shown.path == now.path and "picture" in (_Shown.pictures or ()):
            layout.template_icon(_Shown.pictures["picture"].icon_id, scale=9.0)
        settings = _settings()
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "size")
        column.prop(settings, "frames")
        row = layout.row(align=True)
        row.operator("stagewright.picture_usd", text="Picture", icon="RENDER_STILL")
        row.operator("stagewright.turntable_usd", text="Turntable…", icon="RENDER_ANIMATION")
        task = pump.last(KIND)
        if task is None or not task.running:
            draw_problem(layout, context, _problem())
        if task is not None:
            draw_task(layout, context, task)
        layout.operator("stagewright.list_delegates", icon="SHADING_RENDERED")
        reasons: dict[str, list[str]] = {}
        for found in delegates():
            if found["usable"]:
                draw_text(layout, context, found["name"], "CHECKMARK")
            else:
                reasons.setdefault(found["reason"], []).append(found["name"])
        for reason, names in reasons.items():
            draw_text(layout, context, f"{', '.join(names)}: {reason}", "CANCEL")


_CLASSES = (
    STAGEWRIGHT_PG_look,
    STAGEWRIGHT_OT_picture_usd,
    STAGEWRIGHT_OT_turntable_usd,
    STAGEWRIGHT_OT_list_delegates,
    STAGEWRIGHT_PT_usd_look,
)


def register() -> None:
    """Add the panel and its operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_look = PointerProperty(type=STAGEWRIGHT_PG_look)
    _Shown.pictures = bpy.utils.previews.new()


def unregister() -> None:
    """Take them away."""
    bpy.utils.previews.remove(_Shown.pictures)
    _Shown.pictures, _Shown.path, _Shown.delegates = None, None, ()
    del bpy.types.WindowManager.stagewright_look
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
