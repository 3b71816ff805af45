# SPDX-License-Identifier: GPL-3.0-or-later
"""The world as the fidelity check compares it.

It shares nothing with the stream that the direct writer is given: a mistake there must not be
repeated here.
"""

from __future__ import annotations

import bpy
import mathutils

from ...usd_tools.scene_record import WorldRecord
from .materials import image_file_name


def read_world(scene: bpy.types.Scene, frame: float, *, wanted: bool) -> WorldRecord | None:
    """The light of the world now, at ``frame``; None without a world.

    Args:
        scene: has the world.
        frame: the current one.
        wanted: whether a file is to hold it.
    """
    world = scene.world
    if world is None:
        return None
    tree = world.node_tree
    # Blender 5 always uses what nodes there are.
    if tree is None or (bpy.app.version < (5, 0, 0) and not world.use_nodes):
        return WorldRecord(world.name, frame, tuple(world.color), wanted=wanted)
    unknown = WorldRecord(world.name, frame, None, wanted=wanted)
    output = tree.get_output_node("ALL")
    if output is None:
        return unknown
    if not output.inputs["Surface"].is_linked:
        return WorldRecord(world.name, frame, (0.0, 0.0, 0.0), wanted=wanted)
    background = _before(output.inputs["Surface"])
    strength = _value(background.inputs["Strength"]) if background.type == "BACKGROUND" else None
    if strength is None:
        return unknown
    color = _value(background.inputs["Color"])
    if color is not None:
        light = tuple(part * strength[0] for part in color[:3])
        return WorldRecord(world.name, frame, light, wanted=wanted)
    image = _before(background.inputs["Color"])
    if image.type != "TEX_ENVIRONMENT" or image.image is None:
        return unknown
    middle, top = _directions(image)
    return WorldRecord(
        name=world.name,
        frame=frame,
        light=(strength[0],) * 3,
        image=image_file_name(image.image),
        middle=middle,
        top=top,
        wanted=wanted,
    )


def _before(socket: bpy.types.NodeSocket) -> bpy.types.Node:
    """The node that feeds a linked socket, reroutes left out."""
    node = socket.links[0].from_node
    while node.type == "REROUTE" and node.inputs[0].is_linked:
        node = node.inputs[0].links[0].from_node
    return node


def _value(socket: bpy.types.NodeSocket) -> tuple[float, ...] | None:
    """The numbers of a socket that is not linked, or to a plain value; else None."""
    if socket.is_linked:
        node = _before(socket)
        if node.type not in {"VALUE", "RGB"}:
            return None
        socket = node.outputs[0]
    found = socket.default_value
    return (found,) if isinstance(found, float) else tuple(found)


def _directions(node: bpy.types.Node) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Where the middle and the top of an environment are seen; () and () if it is not turned.

    Blender sees the middle of an equirectangular image along +X of the coordinates, its top
    along +Z (Cycles, ``direction_to_equirectangular``).
    """
    if node.projection != "EQUIRECTANGULAR":
        return (), ()
    turn = mathutils.Matrix.Identity(3)  # from directions to coordinates
    socket = node.inputs["Vector"]
    if socket.is_linked and _before(socket).type == "MAPPING":
        mapping = _before(socket)
        angles, size = (_value(mapping.inputs[name]) for name in ("Rotation", "Scale"))
        place = _value(mapping.inputs["Location"]) if "Location" in mapping.inputs else (0.0,)
        if angles is None or size is None or place is None or any(place) or len({*size}) != 1:
            return (), ()
        turn = mathutils.Euler(angles).to_matrix()
        if mapping.vector_type == "TEXTURE":
            turn.invert()
        socket = mapping.inputs["Vector"]
    if socket.is_linked:
        origin = socket.links[0].from_socket
        if origin.node.type != "TEX_COORD" or origin.name != "Generated":
            return (), ()
    back = turn.inverted()
    return tuple(back @ mathutils.Vector((1, 0, 0))), tuple(back @ mathutils.Vector((0, 0, 1)))
