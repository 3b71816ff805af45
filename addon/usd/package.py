# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""The inspected file and all that it needs, brought together: a .usdz, a folder, one layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty
from bpy_extras.io_utils import ExportHelper

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import count
from .. import pump
from ..drawing import draw_task, draw_text
from ..worker import command
from . import looking
from .lists import Below

KIND = "package"


class _Packing(ExportHelper):
    """What the operators have in common."""

    if TYPE_CHECKING:
        filepath: str  # a property of ExportHelper

    suffix = ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a file is open, and no other is being packed."""
        why = "" if looking.session() else "No USD file is open"
        if pump.is_running(KIND):
            why = "A file is being packed: wait for the end or cancel it"
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask where to, and offer a name beside the file."""
        now = looking.session()
        if now is not None:
            self.filepath = str(now.path.with_name(f"{now.path.stem}{self.suffix}"))
        result: set[str] = super().invoke(context, event)
        return result

    def pack(self, verb: str, *words: str) -> set[str]:
        """Run ``usd VERB`` on the open file in a process of its own."""
        now = looking.session()
        if now is None:
            return {"CANCELLED"}
        target = Path(bpy.path.abspath(self.filepath)).absolute()

        def job() -> Job[Mapping[str, Any]]:
            value = yield from command("usd", verb, str(now.path), "-o", str(target), *words)
            yield Message(f"Wrote {target.name}: {count(len(value['files']), 'file')}.")
            return value

        try:
            task = pump.run(job(), KIND, f"Write {target.name}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)  # type: ignore[attr-defined]
        return {"FINISHED"}


class STAGEWRIGHT_OT_package_usdz(_Packing, bpy.types.Operator):
    """Pack the file and all that it needs, textures of MaterialX documents included, as .usdz"""

    bl_idname = "stagewright.package_usdz"
    bl_label = "Package as USDZ"
    bl_options = {"REGISTER"}

    filename_ext = ".usdz"
    suffix = ".usdz"
    filter_glob: StringProperty(default="*.usdz", options={"HIDDEN"})
    arkit: BoolProperty(
        name="For ARKit", description="One layer, as ARKit's viewers want it; tells what they lack"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Pack it."""
        return self.pack("package", "--overwrite", *(["--arkit"] if self.arkit else []))


class STAGEWRIGHT_OT_localize_usd(_Packing, bpy.types.Operator):
    """Copy the file and all that it needs into a new folder"""

    bl_idname = "stagewright.localize_usd"
    bl_label = "Copy with All Files"
    bl_options = {"REGISTER"}

    filename_ext = ""
    suffix = "_files"
    check_extension = None
    filter_glob: StringProperty(default="*.usd*", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy it."""
        return self.pack("localize")


class STAGEWRIGHT_OT_flatten_usd(_Packing, bpy.types.Operator):
    """Write what the file composes to as one layer"""

    bl_idname = "stagewright.flatten_usd"
    bl_label = "Flatten"
    bl_options = {"REGISTER"}

    filename_ext = ".usdc"
    suffix = "_flat.usdc"
    filter_glob: StringProperty(default="*.usdc;*.usda;*.usd", options={"HIDDEN"})
    check_extension = None
    what: EnumProperty(
        name="Flatten",
        description="What becomes one layer",
        items=(
            ("STAGE", "Stage", "Resolve all arcs"),
            ("LAYERS", "Layer Stack", "Merge the layers; references and variants stay"),
        ),
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Flatten it."""
        return self.pack("flatten", "--overwrite", *(["--layers"] * (self.what == "LAYERS")))


class STAGEWRIGHT_PT_usd_package(Below, bpy.types.Panel):
    """The file and all that it needs, brought together"""

    bl_label = "Package"
    bl_order = 7

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the three ways, and what came of the last one."""
        layout = self.layout
        column = layout.column(align=True)
        column.operator("stagewright.package_usdz", text="USDZ…", icon="PACKAGE")
        column.operator("stagewright.localize_usd", text="Folder…", icon="FILE_FOLDER")
        column.operator("stagewright.flatten_usd", text="One Layer…", icon="FILE")
        task = pump.last(KIND)
        if task is None:
            return
        draw_task(layout, context, task)
        missing = task.value.get("missing", ())
        if missing:
            box = layout.box()
            box.alert = True
            draw_text(box, context, f"{count(len(missing), 'file')} missing", "ERROR", inset=20)
            for path in missing[:8]:
                draw_text(box, context, path, "BLANK1", inset=20)


_CLASSES = (
    STAGEWRIGHT_OT_package_usdz,
    STAGEWRIGHT_OT_localize_usd,
    STAGEWRIGHT_OT_flatten_usd,
    STAGEWRIGHT_PT_usd_package,
)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
