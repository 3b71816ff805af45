# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels have in common."""

from __future__ import annotations

import textwrap

import bpy

from . import pump


class SidebarPanel:
    """Where all panels are: the 3D viewport's sidebar, in a tab of their own."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Stagewright"


_BOX = 16
_BUTTON = 20


def draw_text(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    text: str,
    icon: str = "NONE",
    inset: int = 0,
) -> None:
    """Draw ``text`` in as many lines as the sidebar's width asks for.

    Args:
        layout: where to draw.
        context: whose region's width counts.
        text: a sentence or two.
        icon: stands before the first line; the others are indented by as much.
        inset: pixels, at an interface scale of 1, that boxes and buttons around take.
    """
    region = context.region
    width = region.width / context.preferences.system.ui_scale if region else 320
    # A letter of Blender's interface font is about 6.4 pixels wide; the tabs and
    # the margins take 50, and the icon 20.
    letters = int((width - 50 - (20 if icon != "NONE" else 0) - inset) / 6.4)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for line in textwrap.wrap(text, max(letters, 12)):
        column.label(text=line, icon=icon, translate=False)
        icon = "NONE" if icon == "NONE" else "BLANK1"


def draw_task(layout: bpy.types.UILayout, context: bpy.types.Context, task: pump.Task) -> None:
    """Draw a job: its progress and a cancel button, or what came of it."""
    if task.running:
        row = layout.row(align=True)
        row.progress(text=task.label, factor=task.fraction or 0.0)
        cancel = row.row(align=True)
        cancel.enabled = not task.cancelling
        cancel.operator("stagewright.cancel_job", text="", icon="X").job_id = task.number
        column = layout.column()
        column.active = False
        draw_text(column, context, task.status, inset=_BOX)
        return
    row = layout.row(align=True)
    failure = task.failure
    column = row.column()
    if failure is None:
        draw_text(column, context, task.message, "CHECKMARK", _BOX + _BUTTON)
    elif failure.code == "cancelled":
        draw_text(column, context, f"{task.label}: cancelled", "CANCEL", _BOX + _BUTTON)
    else:
        message = column.column()
        message.alert = True
        draw_text(message, context, failure.message, "ERROR", _BOX + _BUTTON)
        draw_text(column, context, failure.cure, "BLANK1", _BOX + _BUTTON)
    row.operator("stagewright.dismiss_job", text="", icon="X", emboss=False).job_id = task.number


def draw_problem(layout: bpy.types.UILayout, context: bpy.types.Context, problem: str) -> None:
    """Draw why the button above is greyed, if it is."""
    if problem:
        column = layout.column()
        column.active = False
        draw_text(column, context, problem, "INFO")
