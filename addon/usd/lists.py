# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels on USD files have in common: lists of plain data, facts, a place to be.

Blender's lists want a collection to draw. Ours hold nothing but a number of
items; what is drawn is plain data of the same index, kept outside Blender.
"""

from __future__ import annotations

from typing import Any

import bpy

from ..drawing import SidebarPanel
from . import looking


class STAGEWRIGHT_PG_line(bpy.types.PropertyGroup):
    """One line of a list; what it shows is kept outside Blender."""


def resize(items: Any, size: int) -> None:
    """Let a collection of lines be of ``size``."""
    if size == 0:
        items.clear()
    while len(items) > size:
        items.remove(len(items) - 1)
    for _ in range(size - len(items)):
        items.add()


class Rows:
    """A list that shows all of its lines, without Blender's filter below."""

    def filter_items(
        self, context: bpy.types.Context, data: Any, property: str
    ) -> tuple[list[int], list[int]]:
        """Show every line."""
        return [], []

    def draw_filter(self, context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        """Nothing to filter by."""


class Below(SidebarPanel):
    """A panel below the inspector, closed at first, there when a file is open."""

    bl_parent_id = "STAGEWRIGHT_PT_inspector"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a file is open."""
        return looking.session() is not None


def fact_row(layout: bpy.types.UILayout, label: str) -> bpy.types.UILayout:
    """A row beside a dim label."""
    split = layout.split(factor=0.35)
    left = split.row()
    left.alignment = "RIGHT"
    left.active = False
    left.label(text=label, translate=False)
    return split.row()


def fact(layout: bpy.types.UILayout, label: str, text: str) -> None:
    """A label and what there is to tell."""
    fact_row(layout, label).label(text=text, translate=False)


register, unregister = bpy.utils.register_classes_factory((STAGEWRIGHT_PG_line,))
