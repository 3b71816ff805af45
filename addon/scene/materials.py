# SPDX-License-Identifier: GPL-3.0-or-later
"""A material's Principled BSDF inputs, read into plain records."""

from __future__ import annotations

from pathlib import PurePath

import bpy

from ...usd_tools.scene_record import InputRecord, MaterialRecord

# Nodes that only route or decode what an Image Texture gives.
_PLUMBING = {"NORMAL_MAP", "SEPARATE_COLOR", "SEPRGB", "REROUTE"}

# For packed images that were named without one.
_SUFFIXES = {
    "JPEG": ".jpg",
    "OPEN_EXR": ".exr",
    "TIFF": ".tif",
    "TARGA": ".tga",
    "HDR": ".hdr",
    "WEBP": ".webp",
}


def read_material(material: bpy.types.Material) -> MaterialRecord:
    """The inputs that feed ``material``'s top-level Principled BSDF."""
    shader = _principled(material)
    if shader is None:
        return MaterialRecord(material.name)
    inputs = {s.name: _read_input(s) for s in shader.inputs if s.type in {"VALUE", "RGBA"}}
    inputs |= {s.name: _read_input(s) for s in shader.inputs if s.type == "VECTOR" and s.is_linked}
    return MaterialRecord(material.name, inputs)


def _principled(material: bpy.types.Material) -> bpy.types.Node | None:
    if material.node_tree is None:
        return None
    output = material.node_tree.get_output_node("ALL")
    surface = output.inputs["Surface"] if output else None
    node = _source(surface)[0] if surface is not None and surface.is_linked else None
    return node if node is not None and node.type == "BSDF_PRINCIPLED" else None


def _source(socket: bpy.types.NodeSocket) -> tuple[bpy.types.Node, tuple[str, ...]]:
    """The node that feeds a linked ``socket``, and the plumbing passed on the way."""
    passed: list[str] = []
    node = socket.links[0].from_node
    while node.type in _PLUMBING:
        if node.type != "REROUTE":
            passed.append(node.label or node.bl_label)
        linked = [s for s in node.inputs if s.is_linked and s.type in {"RGBA", "VECTOR", "VALUE"}]
        if not linked:
            break
        node = linked[0].links[0].from_node
    return node, tuple(passed)


def _read_input(socket: bpy.types.NodeSocket) -> InputRecord:
    if not socket.is_linked:
        value = socket.default_value
        return InputRecord("constant", (value,) if socket.type == "VALUE" else tuple(value))
    node, passed = _source(socket)
    if node.type == "TEX_IMAGE" and node.image is not None:
        return InputRecord("image", image=image_file_name(node.image), nodes=passed)
    return InputRecord("nodes", nodes=(*passed, node.label or node.bl_label))


def image_file_name(image: bpy.types.Image, filepath: str | None = None) -> str:
    """The name of the image's file, or the one it is given when it has none.

    Args:
        image: the image.
        filepath: the path to take the name from; the image's own when None.
    """
    path = image.filepath if filepath is None else filepath
    # It may come from another system; only its last part is of use.
    name = PurePath(path.replace("\\", "/")).name or bpy.path.clean_name(image.name)
    if not PurePath(name).suffix:
        name += _SUFFIXES.get(image.file_format, ".png")
    return name
