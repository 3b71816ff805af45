# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""The variants of an asset: collections, and other looks."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty

from ..drawing import SidebarPanel, draw_text
from ..scene.variants import variant_names, wanted_variant
from ..target import collection_of


class STAGEWRIGHT_OT_add_look(bpy.types.Operator):
    """Add another look, in which some materials are replaced"""

    bl_idname = "stagewright.add_look"
    bl_label = "Add Look"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it, with the active material to replace."""
        chosen = context.scene.stagewright
        look = chosen.looks.add()
        look.name = f"look{len(chosen.looks)}"
        chosen.active_look = len(chosen.looks) - 1
        look.swaps.add().material = context.object and context.object.active_material
        return {"FINISHED"}


class STAGEWRIGHT_OT_remove_look(bpy.types.Operator):
    """Remove the look"""

    bl_idname = "stagewright.remove_look"
    bl_label = "Remove Look"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether one is chosen."""
        return _look(context.scene) is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it."""
        chosen = context.scene.stagewright
        chosen.looks.remove(chosen.active_look)
        chosen.active_look = max(0, chosen.active_look - 1)
        return {"FINISHED"}


class STAGEWRIGHT_OT_add_swap(bpy.types.Operator):
    """Let the look replace one more material"""

    bl_idname = "stagewright.add_swap"
    bl_label = "Replace a Material"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a look is chosen."""
        return _look(context.scene) is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it."""
        look = _look(context.scene)
        if look is not None:
            look.swaps.add()
        return {"FINISHED"}


class STAGEWRIGHT_OT_remove_swap(bpy.types.Operator):
    """Let the look keep this material"""

    bl_idname = "stagewright.remove_swap"
    bl_label = "Keep the Material"
    bl_options = {"REGISTER", "UNDO"}

    index: IntProperty(name="Index", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a look is chosen."""
        return _look(context.scene) is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove the replacement."""
        look = _look(context.scene)
        if look is not None:
            look.swaps.remove(self.index)
        return {"FINISHED"}


def _look(scene: bpy.types.Scene) -> bpy.types.PropertyGroup | None:
    chosen = scene.stagewright
    found = 0 <= chosen.active_look < len(chosen.looks)
    return chosen.looks[chosen.active_look] if found else None


class STAGEWRIGHT_UL_looks(bpy.types.UIList):
    """The looks, by name."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: bpy.types.PropertyGroup,
        item: bpy.types.PropertyGroup,
        icon: int,
        active_data: bpy.types.PropertyGroup,
        active_property: str,
    ) -> None:
        """Draw the name of one."""
        layout.prop(item, "name", text="", emboss=False, icon="MATERIAL")


class STAGEWRIGHT_PT_variants(SidebarPanel, bpy.types.Panel):
    """Variants of the asset"""

    bl_label = "Variants"
    bl_parent_id = "STAGEWRIGHT_PT_export"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Blender's exporter writes none."""
        return bool(context.scene.stagewright.engine == "stagewright")

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the sets there are, the active collection's variant, and the looks."""
        layout = self.layout
        sets: dict[str, set[str]] = {}
        wanted = map(wanted_variant, collection_of(context.scene).children_recursive)
        for name, variant in variant_names(filter(None, wanted)).values():
            sets.setdefault(name, set()).add(variant)
        for name, variants in sorted(sets.items()):
            layout.label(text=f"{name}: {', '.join(sorted(variants))}", icon="OUTLINER_COLLECTION")
        if not sets:
            draw_text(layout, context, "A collection can be a variant: a level of detail, a part")
        if context.collection and context.collection != context.scene.collection:
            column = layout.column()
            column.use_property_split = True
            column.use_property_decorate = False
            column.label(text=context.collection.name)
            column.prop(context.collection.stagewright, "variant_set", text="Set")
            column.prop(context.collection.stagewright, "variant")
        self._draw_looks(context)

    def _draw_looks(self, context: bpy.types.Context) -> None:
        layout, chosen = self.layout, context.scene.stagewright
        layout.label(text="Looks")
        row = layout.row()
        row.template_list(
            "STAGEWRIGHT_UL_looks", "", chosen, "looks", chosen, "active_look", rows=2
        )
        buttons = row.column(align=True)
        buttons.operator("stagewright.add_look", text="", icon="ADD")
        buttons.operator("stagewright.remove_look", text="", icon="REMOVE")
        look = _look(context.scene)
        if look is None:
            return
        column = layout.column(align=True)
        for index, swap in enumerate(look.swaps):
            row = column.row(align=True)
            row.prop(swap, "material", text="")
            row.label(text="", icon="FORWARD")
            row.prop(swap, "instead", text="")
            row.operator("stagewright.remove_swap", text="", icon="X").index = index
        layout.operator("stagewright.add_swap", icon="ADD")


_CLASSES = (
    STAGEWRIGHT_OT_add_look,
    STAGEWRIGHT_OT_remove_look,
    STAGEWRIGHT_OT_add_swap,
    STAGEWRIGHT_OT_remove_swap,
    STAGEWRIGHT_UL_looks,
    STAGEWRIGHT_PT_variants,
)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
