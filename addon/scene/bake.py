# SPDX-License-Identifier: GPL-3.0-or-later
"""What no network can say about a material, made into images by Cycles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from ...usd_tools.direct.records import Expression, Noise, Operation
from .stream.context import StreamContext
from .stream.nodes import output_node, source
from .stream.shading import Inexpressible, ShadingReader

# Pixels that the borders of islands are spread by.
_MARGIN = 8
_SAMPLES = 4


def bake_lost_inputs(objects: list[bpy.types.Object], size: int, folder: Path) -> Job[None]:
    """Bake the inputs of materials that cannot be written, and link the images in their place.

    The file is changed: a material that several objects have becomes one for
    each, as each has UVs of its own.

    Args:
        objects: what is exported; meshes with a UV map among them are baked.
        size: width and height of the images in pixels.
        folder: for files in between.

    Raises:
        StagewrightError: ``bake-failed``.
    """
    found = list(_lost(objects, StreamContext("/bake", folder=folder)))
    users = Counter(item.material_slots[slot].material for item, slot, _ in found)
    _prepare_scene()
    for index, (item, slot, names) in enumerate(found):
        material = item.material_slots[slot].material
        yield Progress("scene.bake", index / len(found), f"Baking {material.name} of {item.name}")
        if not item.data.uv_layers:
            yield Message(
                f"{material.name} is not baked on {item.name}, which has no UV map.", "warning"
            )
            continue
        if users[material] > 1 or material.library is not None:
            material = _own_copy(item, slot, material)
        for name in names:
            _bake(item, material, name, size)
        yield Message(f"Baked on {item.name}: {', '.join(names)} of {material.name}.")


def _lost(
    objects: list[bpy.types.Object], context: StreamContext
) -> Iterator[tuple[bpy.types.Object, int, list[str]]]:
    """Objects, their slots, and the inputs there that have no expression."""
    known: dict[bpy.types.Material, list[str]] = {}
    for item in objects:
        if item.type != "MESH":
            continue
        for index, slot in enumerate(item.material_slots):
            material = slot.material
            if material is None:
                continue
            if material not in known:
                known[material] = list(_lost_inputs(material, context))
            if known[material]:
                yield item, index, known[material]


def _lost_inputs(material: bpy.types.Material, context: StreamContext) -> Iterator[str]:
    shader = _shader(material)
    reader = ShadingReader(context)
    for socket in shader.inputs if shader else ():
        if not socket.is_linked:
            continue
        try:
            found = (reader.number if socket.type == "VALUE" else reader.expression)(socket)
            if _has_noise(found):  # OpenPBR holds it, UsdPreviewSurface does not
                yield socket.name
        except Inexpressible:
            yield socket.name


@lru_cache(4096)  # expressions share their parts
def _has_noise(expression: Expression) -> bool:
    if isinstance(expression, Operation):
        return any(_has_noise(argument) for argument in expression.arguments)
    return isinstance(expression, Noise)


def _shader(material: bpy.types.Material) -> bpy.types.Node | None:
    output = output_node(material)
    found = source(output.inputs["Surface"]) if output else None
    if found is None or found.node.type != "BSDF_PRINCIPLED":
        return None
    return found.node


def _own_copy(
    item: bpy.types.Object, slot: int, material: bpy.types.Material
) -> bpy.types.Material:
    copy = material.copy()
    copy.name = f"{material.name} {item.name}"
    item.material_slots[slot].link = "OBJECT"
    item.material_slots[slot].material = copy
    return copy


def _prepare_scene() -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = _SAMPLES, False


def _bake(item: bpy.types.Object, material: bpy.types.Material, name: str, size: int) -> None:
    """Bake one input of ``material`` on ``item``, and link the image to it."""
    tree, shader, output = material.node_tree, _shader(material), output_node(material)
    assert shader is not None and output is not None
    socket = shader.inputs[name]
    image = bpy.data.images.new(f"{material.name} {name}", size, size)
    is_normal = socket.type == "VECTOR"
    if is_normal or socket.type == "VALUE":
        image.colorspace_settings.name = "Non-Color"
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    if is_normal:
        _run(item, material, texture, "NORMAL")
        normal = tree.nodes.new("ShaderNodeNormalMap")
        tree.links.new(texture.outputs["Color"], normal.inputs["Color"])
        tree.links.new(normal.outputs[0], socket)
    else:
        surface = output.inputs["Surface"]
        shown = surface.links[0].from_socket
        emission = tree.nodes.new("ShaderNodeEmission")
        tree.links.new(socket.links[0].from_socket, emission.inputs["Color"])
        tree.links.new(emission.outputs[0], surface)
        _run(item, material, texture, "EMIT")
        tree.links.new(shown, surface)
        tree.nodes.remove(emission)
        tree.links.new(texture.outputs["Color"], socket)
    image.pack()


def _run(
    item: bpy.types.Object, material: bpy.types.Material, texture: bpy.types.Node, kind: str
) -> None:
    """Let Cycles bake ``item`` into the image of ``texture``."""
    # Every material of the object needs an active image; the others get one to waste.
    wasted: list[tuple[bpy.types.Material, bpy.types.Node]] = []
    for slot in item.material_slots:
        other = slot.material
        if other is not None and other != material and other.node_tree is not None:
            node = other.node_tree.nodes.new("ShaderNodeTexImage")
            node.image = bpy.data.images.new("wasted", 4, 4)
            other.node_tree.nodes.active = node
            wasted.append((other, node))
    material.node_tree.nodes.active = texture
    maps = [layer.name for layer in item.data.uv_layers if layer.active_render]
    try:
        with bpy.context.temp_override(
            active_object=item,
            object=item,
            selected_objects=[item],
            selected_editable_objects=[item],
        ):
            bpy.ops.object.bake(type=kind, uv_layer=maps[0], margin=_MARGIN, use_clear=True)
    except RuntimeError as error:
        raise StagewrightError(
            "bake-failed",
            f"{material.name} cannot be baked on {item.name}: {' '.join(str(error).split())}",
            "Show the object in renders, or export without baking.",
        ) from error
    finally:
        for other, node in wasted:
            bpy.data.images.remove(node.image)
            other.node_tree.nodes.remove(node)
