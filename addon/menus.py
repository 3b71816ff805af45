# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries in Blender's menus; the search (F3) finds what is in a menu."""

from __future__ import annotations

import bpy


class STAGEWRIGHT_MT_main(bpy.types.Menu):
    """All that Stagewright does"""

    bl_idname = "STAGEWRIGHT_MT_main"
    bl_label = "Stagewright"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the entries."""
        layout = self.layout
        layout.operator("stagewright.export_usd", text="Export USD Asset…", icon="EXPORT")
        layout.operator("stagewright.publish", text="Publish USD Asset", icon="PACKAGE")
        layout.operator("stagewright.make_field", icon="MOD_REMESH")
        layout.operator("stagewright.show_field", icon="HIDE_OFF")
        layout.operator("stagewright.make_texture", icon="TEXTURE")
        layout.operator("stagewright.texture_from_photo", icon="IMAGE_DATA")
        layout.separator()
        layout.operator("stagewright.open_report", icon="DOCUMENTS")
        layout.operator("stagewright.open_folder", icon="FILE_FOLDER")


def _draw_export(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator("stagewright.export_usd", text="Stagewright USD Asset (.usda)")


def _draw_object(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.menu("STAGEWRIGHT_MT_main")


def register() -> None:
    """Add the entries."""
    bpy.utils.register_class(STAGEWRIGHT_MT_main)
    bpy.types.TOPBAR_MT_file_export.append(_draw_export)
    bpy.types.VIEW3D_MT_object.append(_draw_object)


def unregister() -> None:
    """Take the entries away."""
    bpy.types.VIEW3D_MT_object.remove(_draw_object)
    bpy.types.TOPBAR_MT_file_export.remove(_draw_export)
    bpy.utils.unregister_class(STAGEWRIGHT_MT_main)
