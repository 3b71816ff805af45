# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons of the Fields panel."""

from __future__ import annotations

from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from .. import beside, pump
from . import making, writing

KIND = making.KIND


def busy() -> str:
    """Why no field can be made now, or ""."""
    return "A field is being made: wait for its end or cancel it" if pump.is_running(KIND) else ""


def may_rebuild(cls: Any, context: bpy.types.Context) -> bool:
    """Whether the active object can be made anew; the operator's message says why not."""
    item = context.view_layer.objects.active
    why = busy()
    if item is None or not len(item.stagewright_field.sources):
        why = "The active object was not made through a field"
    if why:
        cls.poll_message_set(why)
    return not why


class STAGEWRIGHT_OT_make_field(bpy.types.Operator):
    """Make a new mesh or volume of what is selected, as the Fields panel says"""

    bl_idname = "stagewright.make_field"
    bl_label = "Make Through Field"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether something is selected that fields are made of."""
        why = busy() or making.problem(context)
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the work, or do it when there is no window."""
        options = context.scene.stagewright_field.options()
        sources = making.sources_of(context)
        return run(self, making.make(sources, options), f"Make {sources[0].name}")


class STAGEWRIGHT_OT_rebuild_field(bpy.types.Operator):
    """Make the active object anew from what it was made from, as it was made"""

    bl_idname = "stagewright.rebuild_field"
    bl_label = "Rebuild"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the active object was made through a field."""
        return may_rebuild(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the work, or do it when there is no window."""
        item = context.view_layer.objects.active
        try:
            job = making.make(making.sources_left(item), item.stagewright_field.options(), item)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return run(self, job, f"Rebuild {item.name}")


def run(operator: bpy.types.Operator, job: making.Making, label: str) -> set[str]:
    """Let the pump run a job, and report as an operator what it says at once."""
    try:
        task = pump.run(job, KIND, label)
    except StagewrightError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    if not task.running:
        operator.report({"INFO"}, task.message)
    return {"FINISHED"}


_CLASSES = (STAGEWRIGHT_OT_make_field, STAGEWRIGHT_OT_rebuild_field)


def register() -> None:
    """Add the operators."""
    making.memory()  # Asked here: drawing may not ask the system.
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    beside.goes_along(writing.KIND, writing.take_along)


def unregister() -> None:
    """Take them away."""
    beside.stays(writing.KIND)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
