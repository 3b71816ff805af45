# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo steps of work that ends in a timer."""

from __future__ import annotations

import bpy


def push_undo(message: str) -> None:
    """One undo step; the pump's timer has no window of its own to make it in."""
    manager = bpy.context.window_manager
    with bpy.context.temp_override(window=bpy.context.window or manager.windows[0]):
        if bpy.ops.ed.undo_push.poll():
            bpy.ops.ed.undo_push(message=message)
