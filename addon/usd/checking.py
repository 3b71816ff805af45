# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""What is wrong with the inspected file, as an asset, a shot or a package; and mending it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, PointerProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import checks_line, fix_words
from ...usd_tools.findings import CheckReport
from ...usd_tools.profiles import PROFILES
from .. import pump
from ..drawing import draw_problem, draw_task
from ..worker import command
from . import looking
from .checks import STAGEWRIGHT_PG_checks, draw_finding, draw_findings
from .lists import Below

KIND = "check-usd"


class _Checked:
    """The file that the findings are about."""

    path: Path | None = None


class STAGEWRIGHT_PG_checking(bpy.types.PropertyGroup):
    """What the file is checked for."""

    profile: EnumProperty(
        name="Profile",
        description="What the file is",
        items=[(name, name.title(), profile.about) for name, profile in PROFILES.items()],
    )
    found: PointerProperty(type=STAGEWRIGHT_PG_checks)


def _checking() -> STAGEWRIGHT_PG_checking:
    return bpy.context.window_manager.stagewright_checking


def _problem() -> str:
    if looking.session() is None:
        return "No USD file is open"
    if pump.is_running(KIND):
        return "The file is being checked: wait for the end or cancel it"
    return looking.busy()


def _check(path: Path) -> Job[Mapping[str, Any]]:
    """Check the file, list what is found, and tell how much it is."""
    checking = _checking()
    value = yield from command("usd", "check", str(path), f"--profile={checking.profile}")
    report = CheckReport.from_json(value)
    checking.found.show(report, path.name)
    _Checked.path = path
    yield Message(f"{path.name}: {checks_line(report)}.")
    return value


class _Checking:
    """What the operators have in common."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a file to look at."""
        why = _problem()
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why

    def run(self, job: Job[Mapping[str, Any]], label: str) -> set[str]:
        """Start the job; an error that comes at once is reported."""
        try:
            pump.run(job, KIND, label)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_OT_check_usd(_Checking, bpy.types.Operator):
    """List what is wrong with the file: shapes, kinds, textures, materials, paths, packages"""

    bl_idname = "stagewright.check_usd"
    bl_label = "Check"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Check it in a process of its own."""
        now = looking.session()
        return (
            {"CANCELLED"} if now is None else self.run(_check(now.path), f"Check {now.path.name}")
        )


class STAGEWRIGHT_OT_mend_usd(_Checking, bpy.types.Operator):
    """Mend what the finding is about, in the files; a copy of each is kept beside it"""

    bl_idname = "stagewright.mend_usd"
    bl_label = "Mend"
    bl_options = {"INTERNAL"}

    fix: StringProperty(
        name="Fix", description="Words of the command that mends it", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first: files are written."""
        result: set[str] = context.window_manager.invoke_confirm(self, event)
        return result

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Mend it, read the files again, and check them again."""
        now = looking.session()
        if now is None or not self.fix:
            return {"CANCELLED"}
        path, words = now.path, fix_words(shlex.split(self.fix), str(now.path))

        def job() -> Job[Mapping[str, Any]]:
            yield from command(*words)
            looking.read_again()
            return (yield from _check(path))

        return self.run(job(), f"Mend {path.name}")


class STAGEWRIGHT_PT_usd_check(Below, bpy.types.Panel):
    """What is wrong with the file"""

    bl_label = "Check"
    bl_order = 5

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the profile, the list, and the chosen finding with what can be done about it."""
        layout = self.layout
        checking = _checking()
        layout.row().prop(checking, "profile", expand=True)
        task = pump.last(KIND)
        if task is None or not task.running:
            layout.operator("stagewright.check_usd", icon="CHECKMARK")
            draw_problem(layout, context, _problem())
        if task is not None:
            draw_task(layout, context, task)
        now, found = looking.session(), checking.found
        if now is None or now.path != _Checked.path or not found.done:
            return
        draw_findings(layout, context, found)
        if found.active >= len(found.findings):
            return
        finding = found.findings[found.active]
        box = layout.box()
        draw_finding(box, context, finding)
        row = box.row(align=True)
        if finding.prim.startswith("/") and finding.prim != "/":
            button = row.operator("stagewright.reveal_prim", text="Show in Tree", icon="OUTLINER")
            button.path = finding.prim.partition(".")[0]
        if finding.fix:
            button = row.operator("stagewright.mend_usd", icon="TOOL_SETTINGS")
            button.fix = finding.fix


_CLASSES = (
    STAGEWRIGHT_PG_checking,
    STAGEWRIGHT_OT_check_usd,
    STAGEWRIGHT_OT_mend_usd,
    STAGEWRIGHT_PT_usd_check,
)


def register() -> None:
    """Add the panel and its operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_checking = PointerProperty(type=STAGEWRIGHT_PG_checking)


def unregister() -> None:
    """Take them away."""
    _Checked.path = None
    del bpy.types.WindowManager.stagewright_checking
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
