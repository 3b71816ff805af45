# SPDX-License-Identifier: GPL-3.0-or-later
"""A material's Principled BSDF inputs, read into plain records."""

from __future__ import annotations

from math import degrees, prod
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


def read_material(material: bpy.types.Material, frame: float) -> MaterialRecord:
    """The inputs that feed ``material``'s top-level Principled BSDF now, at ``frame``."""
    shader = _principled(material)
    if shader is None:
        return MaterialRecord(material.name, frame=frame)
    inputs = {s.name: _read_input(s) for s in shader.inputs if s.type in {"VALUE", "RGBA"}}
    inputs |= {s.name: _read_input(s) for s in shader.inputs if s.type == "VECTOR" and s.is_linked}
    return MaterialRecord(material.name, inputs, frame)


def _principled(material: bpy.types.Material) -> bpy.types.Node | None:
    if material.node_tree is None:
        return None
    output = material.node_tree.get_output_node("ALL")
    surface = output.inputs["Surface"] if output else None
    node = _source(surface)[0].from_node if surface is not None and surface.is_linked else None
    return node if node is not None and node.type == "BSDF_PRINCIPLED" else None


def _source(socket: bpy.types.NodeSocket) -> tuple[bpy.types.NodeLink, list[bpy.types.Node]]:
    """The link that feeds a linked ``socket``, and the plumbing passed on the way."""
    passed: list[bpy.types.Node] = []
    link = socket.links[0]
    while link.from_node.type in _PLUMBING and link.from_node not in passed:
        node = link.from_node
        # A Normal Map has a Strength before its Color; all others have one input alone.
        through = node.inputs.get("Color") or node.inputs[0]
        if not through.is_linked:
            break
        passed.append(node)
        link = through.links[0]
    return link, [n for n in passed if n.type != "REROUTE"]


def _read_input(socket: bpy.types.NodeSocket) -> InputRecord:
    if not socket.is_linked:
        value = socket.default_value
        return InputRecord("constant", (value,) if socket.type == "VALUE" else tuple(value))
    link, passed = _source(socket)
    node = link.from_node
    labels = tuple(n.label or n.bl_label for n in passed)
    strengths = [n.inputs["Strength"] for n in passed if n.type == "NORMAL_MAP"]
    if node.type != "TEX_IMAGE" or node.image is None or any(s.is_linked for s in strengths):
        return InputRecord("nodes", nodes=(*labels, node.label or node.bl_label))
    uv_map, mapped = _mapping(node)
    return InputRecord(
        "image",
        image=image_file_name(node.image),
        nodes=labels,
        scale=prod(s.default_value for s in strengths),
        uv_map=uv_map,
        mapped=mapped,
        channel=_channel(socket),
        raw=_is_raw(node.image),
        transform=_transform(node),
    )


def _channel(socket: bpy.types.NodeSocket) -> str:
    """The channel of the image that feeds ``socket``, or "" for its colour."""
    link = socket.links[0]
    while link.from_node.type == "REROUTE" and link.from_node.inputs[0].is_linked:
        link = link.from_node.inputs[0].links[0]
    return {"Alpha": "a", "Red": "r", "Green": "g", "Blue": "b", "R": "r", "G": "g", "B": "b"}.get(
        link.from_socket.name, ""
    )


def _is_raw(image: bpy.types.Image) -> bool | None:
    space = image.colorspace_settings
    return True if space.is_data else False if space.name == "sRGB" else None


def _transform(texture: bpy.types.Node) -> tuple[float, ...]:
    """What a plain Mapping node does to the coordinates of ``texture``."""
    socket = texture.inputs["Vector"]
    node = socket.links[0].from_node if socket.is_linked else None
    if node is None or node.type != "MAPPING" or node.vector_type != "POINT":
        return ()
    if any(node.inputs[name].is_linked for name in ("Location", "Rotation", "Scale")):
        return ()
    location, rotation, scale = (
        node.inputs[name].default_value for name in ("Location", "Rotation", "Scale")
    )
    if rotation[0] or rotation[1]:
        return ()
    return (*scale[:2], degrees(rotation[2]), *location[:2])


def _mapping(texture: bpy.types.Node) -> tuple[str, bool]:
    """The UV map that places ``texture`` ("" is the default), and whether anything else does."""
    socket = texture.inputs["Vector"]
    if not socket.is_linked:
        return "", False
    link, passed = _source(socket)
    node = link.from_node
    if node.type == "UVMAP":
        return node.uv_map, bool(passed)
    return "", bool(passed) or node.type != "TEX_COORD" or link.from_socket.name != "UV"


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
