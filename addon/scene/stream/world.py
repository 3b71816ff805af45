# SPDX-License-Identifier: GPL-3.0-or-later
"""The world, as a dome of light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import bpy
import mathutils

from ....usd_tools.direct.records import Color, DomeLightRecord
from .context import StreamContext
from .images import image_file
from .nodes import number, output_node, source, triple
from .properties import custom_properties

# A dome has its pole at +Y and the middle of its image at +Z, its right at -X;
# Blender's is at +Z, +X and -Y.
_DOME = mathutils.Matrix(((0, 0, 1), (1, 0, 0), (0, 1, 0)))
_FORMATS: dict[str, Literal["latlong", "mirroredBall"]] = {
    "EQUIRECTANGULAR": "latlong",
    "MIRROR_BALL": "mirroredBall",
}


@dataclass(frozen=True)
class _Background:
    color: Color = (1.0, 1.0, 1.0)
    strength: float = 1.0
    texture: str = ""
    format: Literal["latlong", "mirroredBall"] = "latlong"
    turn: mathutils.Matrix = mathutils.Matrix.Identity(3)


def read_world(context: StreamContext, world: bpy.types.World) -> Iterator[DomeLightRecord]:
    """The dome of an evaluated world; what it cannot hold is noted in ``context``.

    A world that gives no light has none, unless it may get some.
    """
    background = _read(context, world)
    _note_losses(context, world)
    dark = background is None or not background.strength or not any(background.color)
    if background is None or (dark and not context.animated):
        return
    x = (background.turn.inverted() @ _DOME).to_quaternion()
    yield DomeLightRecord(
        path=context.child(context.root, world.name, "world"),
        data=world.name,
        intensity=background.strength,
        color=background.color,
        rotation=(x.w, x.x, x.y, x.z),
        texture=background.texture,
        format=background.format,
        properties=custom_properties(context, world),
    )


def _read(context: StreamContext, world: bpy.types.World) -> _Background | None:
    output = output_node(world)
    if output is None:
        return _Background(tuple(world.color))
    shader = source(output.inputs["Surface"])
    if shader is None:
        return None
    if shader.node.type != "BACKGROUND":
        return _lost(context, world, f"its {shader.node.bl_label} node")
    strength = number(shader.node.inputs["Strength"])
    if strength is None:
        return _lost(context, world, "what its strength is linked to")
    color = triple(shader.node.inputs["Color"])
    if color is not None:
        return _Background(color, strength)
    found = source(shader.node.inputs["Color"])
    if found is None or found.node.type != "TEX_ENVIRONMENT":
        return _lost(context, world, "what its colour is linked to")
    return _image(context, world, found.node, strength)


def _image(
    context: StreamContext, world: bpy.types.World, node: bpy.types.Node, strength: float
) -> _Background | None:
    if node.image is None:
        return _lost(context, world, "an environment without an image")
    file = image_file(context, node.image)
    turn = _turn(node.inputs["Vector"])
    if turn is None:
        context.notes.append(
            f"{world.name}: how its image is mapped is not exported, as a dome in USD can only "
            "be turned. Use a Mapping node with a rotation, on generated coordinates."
        )
        turn = mathutils.Matrix.Identity(3)
    if node.projection == "MIRROR_BALL":
        context.notes.append(
            f"{world.name}: few programs read a mirror ball, and each turns it in its own way. "
            "Convert its image to an equirectangular one."
        )
    if not file:
        return None
    return _Background((1.0, 1.0, 1.0), strength, file, _FORMATS[node.projection], turn)


def _turn(vector: bpy.types.NodeSocket) -> mathutils.Matrix | None:
    """The rotation from a direction in the world to one in the image, or None for all else."""
    socket = source(vector)
    if socket is None or _is_generated(socket):
        return mathutils.Matrix.Identity(3)
    node = socket.node
    if node.type != "MAPPING":
        return None
    below = source(node.inputs["Vector"])
    angles, scale = triple(node.inputs["Rotation"]), triple(node.inputs["Scale"])
    has_place = node.vector_type in {"POINT", "TEXTURE"}
    place = triple(node.inputs["Location"]) if has_place else (0.0, 0.0, 0.0)
    if below is None or not _is_generated(below) or angles is None or scale is None:
        return None
    if place is None or any(place) or min(scale) <= 0 or max(scale) != min(scale):
        return None
    turn = mathutils.Euler(angles, "XYZ").to_matrix()
    return turn.transposed() if node.vector_type == "TEXTURE" else turn


def _is_generated(socket: bpy.types.NodeSocket) -> bool:
    return socket.node.type == "TEX_COORD" and socket.name == "Generated"


def _lost(context: StreamContext, world: bpy.types.World, what: str) -> _Background | None:
    context.notes.append(
        f"{world.name}: the world is not exported, as USD has no match for {what}. "
        "Bake it into an environment image."
    )
    return None


def _note_losses(context: StreamContext, world: bpy.types.World) -> None:
    lost = []
    output = output_node(world)
    if output is not None and output.inputs["Volume"].is_linked:
        lost.append("its volume")
    rays = getattr(world, "cycles_visibility", None)  # none without Cycles
    for name in ("camera", "diffuse", "glossy", "transmission", "scatter"):
        if rays is not None and not getattr(rays, name):
            lost.append(f"that {name} rays do not see it")
    if lost:
        context.notes.append(f"{world.name}: not exported: {'; '.join(lost)}.")
