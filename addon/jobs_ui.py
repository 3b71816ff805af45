# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Jobs as the artist sees them: a panel, the status bar, and two buttons."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty

from . import pump
from .drawing import SidebarPanel, draw_task, draw_text


class STAGEWRIGHT_OT_cancel_job(bpy.types.Operator):
    """Cancel the job: what it has started is ended, and nothing half-done is left"""

    bl_idname = "stagewright.cancel_job"
    bl_label = "Cancel Job"
    bl_options = {"INTERNAL"}

    job_id: IntProperty(name="Job", description="Number of the job", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a job runs."""
        if not any(task.running for task in pump.tasks()):
            cls.poll_message_set("No job is running")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask it to end."""
        pump.cancel(self.job_id)
        return {"FINISHED"}


class STAGEWRIGHT_OT_dismiss_job(bpy.types.Operator):
    """Remove this message"""

    bl_idname = "stagewright.dismiss_job"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}

    job_id: IntProperty(name="Job", description="Number of the job", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a job has ended."""
        if all(task.running for task in pump.tasks()):
            cls.poll_message_set("No job has ended")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget it."""
        pump.dismiss(self.job_id)
        return {"FINISHED"}


class STAGEWRIGHT_PT_jobs(SidebarPanel, bpy.types.Panel):
    """Work that runs beside yours, and what came of it"""

    bl_label = "Jobs"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 100

    def draw(self, context: bpy.types.Context) -> None:
        """Draw every job."""
        tasks = pump.tasks()
        if not tasks:
            draw_text(self.layout, context, "Nothing runs, and nothing has run yet", "INFO")
        for task in tasks:
            draw_task(self.layout.box(), context, task)


def _draw_status_bar(self: bpy.types.Header, context: bpy.types.Context) -> None:
    for task in pump.tasks():
        if task.running:
            row = self.layout.row(align=True)
            row.ui_units_x = 12
            row.progress(text=task.label, factor=task.fraction or 0.0)
            row.operator("stagewright.cancel_job", text="", icon="X").job_id = task.number


_CLASSES = (STAGEWRIGHT_OT_cancel_job, STAGEWRIGHT_OT_dismiss_job, STAGEWRIGHT_PT_jobs)


def register() -> None:
    """Add the panel, the status bar's part and the operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.STATUSBAR_HT_header.append(_draw_status_bar)


def unregister() -> None:
    """Take them away."""
    bpy.types.STATUSBAR_HT_header.remove(_draw_status_bar)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
