# SPDX-License-Identifier: GPL-3.0-or-later
"""Before an export: what it will not hold."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import count
from .. import pump, target
from ..scene.losses import find_losses
from ..scene.scope import exported_objects

KIND = "losses"


def _look(scene: bpy.types.Scene) -> Job[Mapping[str, Any]]:
    subject = target.asset_name(scene)
    chosen = scene.stagewright
    objects = exported_objects(target.collection_of(scene), selected=chosen.selected)
    folder = Path(tempfile.mkdtemp(prefix="stagewright-", dir=bpy.app.tempdir or None))
    try:
        found = yield from find_losses(objects, folder, world=chosen.world)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    summary = f"{count(len(found), 'loss')} if exported now" if found else "nothing will be lost"
    bpy.context.window_manager.stagewright.list(found, subject, summary)
    yield Message(f"{subject}: {summary}.")
    return {"losses": len(found)}


class STAGEWRIGHT_OT_find_losses(bpy.types.Operator):
    """List in the Checks panel what an export by Stagewright's engine would not hold"""

    bl_idname = "stagewright.find_losses"
    bl_label = "What Will Be Lost?"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to export."""
        problem = target.problem(context.scene)
        if pump.is_running(KIND):
            problem = "The search is running"
        if problem:
            cls.poll_message_set(problem)
        return not problem

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to look, or look when there is no window."""
        try:
            task = pump.run(_look(context.scene), KIND, "Look for losses")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((STAGEWRIGHT_OT_find_losses,))
