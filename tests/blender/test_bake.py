# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs that no network holds, baked, hold what the nodes gave."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from stagewright.addon.scene.bake import bake_lost_inputs
from stagewright.addon.scene.stream.context import StreamContext
from stagewright.addon.scene.stream.materials import read_material
from stagewright.jobs.events import Message
from stagewright.usd_tools.direct.records import Operation, Texture

SIZE = 64


def plane(name: str) -> bpy.types.Object:
    bpy.ops.mesh.primitive_plane_add()
    item = bpy.context.object
    item.name = name
    return item


@pytest.fixture(name="material")
def material_fixture() -> bpy.types.Material:
    """Base colour and roughness are the u of the UV map."""
    material = bpy.data.materials.new("Ramp")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    nodes, link = material.node_tree.nodes, material.node_tree.links.new
    gradient = nodes.new("ShaderNodeTexGradient")
    link(nodes.new("ShaderNodeTexCoord").outputs["UV"], gradient.inputs["Vector"])
    shader = nodes["Principled BSDF"]
    link(gradient.outputs["Color"], shader.inputs["Base Color"])
    link(
        gradient.outputs["Fac"] if "Fac" in gradient.outputs else gradient.outputs[1],
        shader.inputs["Roughness"],
    )
    return material


def bake(objects: list[bpy.types.Object], folder: Path) -> list[str]:
    events = list(bake_lost_inputs(objects, SIZE, folder))
    return [event.text for event in events if isinstance(event, Message)]


def pixels(image: bpy.types.Image) -> np.ndarray:
    values = np.empty(SIZE * SIZE * 4, np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(SIZE, SIZE, 4)


def test_a_baked_input_holds_what_the_nodes_gave(
    material: bpy.types.Material, tmp_path: Path
) -> None:
    item = plane("Plane")
    item.data.materials.append(material)
    (said,) = bake([item], tmp_path)
    assert "Base Color" in said and "Roughness" in said
    across = (np.arange(SIZE) + 0.5) / SIZE
    shader = material.node_tree.nodes["Principled BSDF"]
    for name, tolerance in (("Base Color", 0.02), ("Roughness", 0.01)):
        node = shader.inputs[name].links[0].from_node
        found = pixels(node.image)[SIZE // 2, :, 0]
        if name == "Base Color":  # kept as sRGB
            found = np.where(found <= 0.04045, found / 12.92, ((found + 0.055) / 1.055) ** 2.4)
        assert np.abs(found - across).max() < tolerance
    output = material.node_tree.get_output_node("ALL")
    assert output.inputs["Surface"].links[0].from_node == shader
    context = StreamContext("/root", folder=tmp_path / "files")
    record = read_material(context, material, "/root/_materials/Ramp")
    assert context.take_notes() == []
    assert isinstance(record.inputs["Base Color"], Texture)
    assert isinstance(record.inputs["Roughness"], Operation)


def test_a_shared_material_becomes_one_for_each_object(
    material: bpy.types.Material, tmp_path: Path
) -> None:
    items = [plane("One"), plane("Two")]
    for item in items:
        item.data.materials.append(material)
    bake(items, tmp_path)
    names = [item.material_slots[0].material.name for item in items]
    assert names == ["Ramp One", "Ramp Two"]
    # The artist's own stays as it was.
    socket = material.node_tree.nodes["Principled BSDF"].inputs["Base Color"]
    assert socket.links[0].from_node.type == "TEX_GRADIENT"


def test_an_object_without_uvs_is_told(material: bpy.types.Material, tmp_path: Path) -> None:
    item = plane("Bare")
    item.data.materials.append(material)
    item.data.uv_layers.remove(item.data.uv_layers[0])
    (said,) = bake([item], tmp_path)
    assert "Bare" in said and "UV" in said


def test_other_materials_of_the_object_stay_as_they_are(
    material: bpy.types.Material, tmp_path: Path
) -> None:
    item = plane("Plane")
    other = bpy.data.materials.new("Other")
    if bpy.app.version < (5, 0, 0):
        other.use_nodes = True
    item.data.materials.append(other)
    item.data.materials.append(material)
    item.data.polygons[0].material_index = 1
    before = {node.name for node in other.node_tree.nodes}
    bake([item], tmp_path)
    assert {node.name for node in other.node_tree.nodes} == before
    node = material.node_tree.nodes["Principled BSDF"].inputs["Roughness"].links[0].from_node
    assert pixels(node.image)[SIZE // 2, -1, 0] == pytest.approx(1, abs=0.02)
