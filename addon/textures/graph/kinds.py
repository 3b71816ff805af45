# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""The tree, its sockets, and a class of nodes for each kind that a texture graph knows."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    StringProperty,
)

from ....texture_lab.graph import KINDS, Choice, Range, Text, Value
from ..settings import SIZES
from . import links, states
from .names import NODE_KINDS, TREE, idname, property_of, title

_LARGEST = 2**31 - 1
"""The largest of Blender's whole numbers."""

_COLOURS: Mapping[Value, tuple[float, float, float, float]] = {
    "image": (0.78, 0.78, 0.16, 1.0),
    "set": (0.16, 0.65, 0.50, 1.0),
    "same": (0.63, 0.63, 0.63, 1.0),
}


class STAGEWRIGHT_PG_graph_slider(bpy.types.PropertyGroup):
    """A slider of a material that overrides its words"""

    name: StringProperty(name="Name", description="Name of the slider")
    value: FloatProperty(name="Value", description="What it is instead of what the words say")


class STAGEWRIGHT_texture_tree(bpy.types.NodeTree):
    """Textures in several steps"""

    bl_idname = TREE
    bl_label = "Texture Lab"
    bl_icon = "TEXTURE"
    bl_use_group_interface = False

    resolution: EnumProperty(
        name="Resolution",
        description="Rows and columns that materials of words are drawn with",
        items=[("NODES", "As in the Nodes", "Each node as it says")]
        + [(str(size), f"{size} px", f"{size} × {size} pixels in all nodes") for size in SIZES],
    )

    def update(self) -> None:
        """Mark the links that join what does not fit."""
        for link in self.links:
            if not links.fits(link):
                link.is_valid = False


def _socket(value: Value, label: str) -> type:
    def draw(self: Any, context: Any, layout: Any, node: Any, text: str) -> None:
        layout.label(text=text)

    def draw_color(cls: type, context: Any, node: Any) -> tuple[float, float, float, float]:
        return _COLOURS[value]

    return type(
        f"STAGEWRIGHT_SOCKET_{value}",
        (bpy.types.NodeSocket,),
        {
            "__doc__": label,
            "bl_idname": f"STAGEWRIGHT_SOCKET_{value}",
            "bl_label": label,
            "draw": draw,
            "draw_color_simple": classmethod(lambda cls: _COLOURS[value]),
        },
    )


_SOCKETS = (
    _socket("image", "Image"),
    _socket("set", "Texture set"),
    _socket("same", "Image or texture set"),
)


class _LabNode:
    """What the nodes of all kinds have in common; ``kind`` is theirs."""

    kind: str
    layout: bpy.types.UILayout

    @classmethod
    def poll(cls, tree: bpy.types.NodeTree) -> bool:
        """Whether it may be in a tree."""
        return bool(tree.bl_idname == TREE)

    def init(self: Any, context: bpy.types.Context) -> None:
        """Make the sockets."""
        kind = KINDS[self.kind]
        self.width = 200.0
        for name, value in kind.inputs.items():
            self.inputs.new(f"STAGEWRIGHT_SOCKET_{value}", title(name))
        if kind.result != "none":
            name = "Result" if kind.result == "same" else title(kind.result)
            self.outputs.new(f"STAGEWRIGHT_SOCKET_{kind.result}", name)

    def draw_label(self: Any) -> str:
        """Be called as problems call it."""
        return str(self.name)

    def draw_buttons(self: Any, context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        """Draw the settings, and what came of the last run."""
        for name in KINDS[self.kind].settings:
            if name != "sha256":
                wordy = name in ("prompt", KINDS[self.kind].file)
                layout.prop(self, property_of(name), **({"text": ""} if wordy else {}))
        if KINDS[self.kind].free:
            _draw_sliders(self, layout)
        if KINDS[self.kind].result == "none":
            layout.operator(
                "stagewright.run_texture_graph", text="Run", icon="PLAY"
            ).node = self.name
        _draw_state(self, layout)


def _draw_sliders(node: Any, layout: bpy.types.UILayout) -> None:
    for number, item in enumerate(node.sliders):
        row = layout.row(align=True)
        row.prop(item, "value", text=title(item.name))
        remove = row.operator("stagewright.remove_graph_slider", text="", icon="X")
        remove.node, remove.number = node.name, number
    layout.operator("stagewright.add_graph_slider", icon="ADD").node = node.name


def _draw_state(node: Any, layout: bpy.types.UILayout) -> None:
    state = states.of(node)
    if state is None:
        return
    if state.icon is not None:
        layout.template_icon(state.icon, scale=7.0)
    column = layout.column(align=True)
    column.alert = state.failed
    column.scale_y = 0.8
    icon = "ERROR" if state.failed else "NONE"
    for line in textwrap.wrap(state.text, max(int(node.width / 6.8), 12)):
        column.label(text=line, icon=icon, translate=False)
        icon = "BLANK1" if state.failed else "NONE"


def _property(name: str, setting: Range | Choice | Text, is_file: bool) -> Any:
    label = title(name)
    if isinstance(setting, Text):
        subtype = {"subtype": "FILE_PATH"} if is_file else {}
        about = "The image file" if is_file else f"{label}, in words"
        return StringProperty(name=label, description=about, **subtype)
    if isinstance(setting, Choice):
        about = f"{label} of this step"
        if setting.words == (False, True):
            return BoolProperty(name=label, description=f"{label}: the image meets itself")
        items = [(str(word), title(str(word)), about) for word in setting.words]
        return EnumProperty(name=label, description=about, items=items)
    about = f"{label}, {setting.low:g} to {setting.high:g}"
    if isinstance(setting.default, int):
        low, high = int(setting.low), int(min(setting.high, _LARGEST))
        return IntProperty(
            name=label, description=about, default=setting.default, min=low, max=high
        )
    return FloatProperty(
        name=label,
        description=about,
        default=setting.default,
        min=setting.low,
        max=setting.high,
        soft_max=min(setting.high, 10.0),
        precision=3,
        step=1,
        subtype="FACTOR" if (setting.low, setting.high) == (0, 1) else "NONE",
    )


def _node(name: str) -> type:
    kind = KINDS[name]
    properties = {
        property_of(key): _property(key, setting, key == kind.file)
        for key, setting in kind.settings.items()
        if key != "sha256"
    }
    if kind.free:
        properties["sliders"] = CollectionProperty(type=STAGEWRIGHT_PG_graph_slider)
    return type(
        idname(name),
        (_LabNode, bpy.types.Node),
        {
            "__doc__": kind.about,
            "__annotations__": properties,
            "bl_idname": idname(name),
            "bl_label": title(name),
            "bl_description": kind.about,
            "kind": name,
        },
    )


_CLASSES = (
    STAGEWRIGHT_PG_graph_slider,
    STAGEWRIGHT_texture_tree,
    *_SOCKETS,
    *(_node(kind) for kind in NODE_KINDS),
)


def register() -> None:
    """Add the tree and its nodes."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away; trees in files stay, with nodes that are told to be undefined."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    states.forget()
