# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of lights, materials and worlds."""

from __future__ import annotations

import bpy


def output_node(
    owner: bpy.types.Light | bpy.types.Material | bpy.types.World,
) -> bpy.types.Node | None:
    """The output that renders, or None when ``owner`` uses no nodes."""
    # Blender 5 always uses what nodes there are.
    if owner.node_tree is None or (bpy.app.version < (5, 0, 0) and not owner.use_nodes):
        return None
    return owner.node_tree.get_output_node("ALL")


def source(socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket | None:
    """The output that feeds an input, past reroutes; None when nothing does."""
    for _ in range(1000):  # reroutes may be linked in a ring
        if not socket.is_linked or not socket.links[0].is_valid:
            return None
        found = socket.links[0].from_socket
        if found.node.type != "REROUTE":
            return found
        socket = found.node.inputs[0]
    return None


def number(socket: bpy.types.NodeSocket) -> float | None:
    """The value of an input that is not linked, or to a Value node; else None."""
    found = _constant(socket, "VALUE")
    return None if found is None else float(found.default_value)


def triple(socket: bpy.types.NodeSocket) -> tuple[float, float, float] | None:
    """The colour or vector of an input that is not linked, or to an RGB node; else None."""
    found = _constant(socket, "RGB")
    if found is None:
        return None
    x, y, z, *_ = found.default_value
    return x, y, z


def _constant(socket: bpy.types.NodeSocket, kind: str) -> bpy.types.NodeSocket | None:
    if not socket.is_linked:
        return socket
    found = source(socket)
    return found if found is not None and found.node.type == kind else None
