# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of lights and worlds."""

from __future__ import annotations

import bpy


def output_node(owner: bpy.types.Light | bpy.types.World) -> bpy.types.Node | None:
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
