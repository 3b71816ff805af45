# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the record, and what they are called in Blender."""

from __future__ import annotations

import bpy

from ....texture_lab.graph import KINDS

TREE = "STAGEWRIGHT_texture_tree"
"""The idname of trees."""

NODE_KINDS = tuple(kind for kind in KINDS if kind != "stored_set")
"""Kinds that are nodes of trees; the maps of a stored set lie where a tree cannot keep them."""

_PREFIX = "STAGEWRIGHT_NODE_"
_SMALL_WORDS = {"to", "of", "by"}
_UPPER_WORDS = {"pbr": "PBR", "m": "(m)", "opengl": "OpenGL", "directx": "DirectX"}


def idname(kind: str) -> str:
    """The idname of the nodes of a kind."""
    return f"{_PREFIX}{kind}"


def kind_of(node: bpy.types.Node) -> str:
    """The kind of a node; "" for nodes of other makers, reroutes and frames."""
    kind = node.bl_idname.removeprefix(_PREFIX)
    return kind if kind in NODE_KINDS and node.bl_idname.startswith(_PREFIX) else ""


def property_of(setting: str) -> str:
    """The property of a node that a setting is; Blender's own have other names."""
    return f"set_{setting}"


def title(name: str) -> str:
    """A name of the record, for a person."""
    words = [
        _UPPER_WORDS.get(word, word if place and word in _SMALL_WORDS else word.capitalize())
        for place, word in enumerate(name.split("_"))
    ]
    return " ".join(words)
