# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's own exporter loses, as it is: each loss is listed under its object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import pytest

from stagewright.addon.scene.reading import read_scene
from stagewright.addon.scene.scope import exported_objects
from stagewright.usd_tools.fidelity import compare

from .scenes import add_material, add_square, empty_scene, finish
from .streaming import grid, link, triangle
from .test_stream import nodes, scattered
from .test_stream_duplis import instanced_collection

pytestmark = pytest.mark.skipif(
    not hasattr(bpy.ops.wm, "usd_export"), reason="needs Blender's USD exporter"
)

Losses = set[tuple[str, str]]


@pytest.fixture(autouse=True)
def _empty() -> None:
    empty_scene()


def native_losses(folder: Path, *, instancing: bool = False) -> Losses:
    """Losses of the scene through the native exporter, as it is: nothing is prepared."""
    bpy.context.view_layer.update()
    objects = exported_objects(bpy.context.scene.collection)
    scene = bpy.context.scene
    moves = scene.frame_end < 20
    frames = (1.0, 5.0) if moves else (1.0,)
    record = finish(read_scene(objects, frames))
    bpy.ops.wm.usd_export(
        filepath=str(folder / "native.usdc"),
        root_prim_path="/thing",
        author_blender_name=True,
        export_animation=moves,
        export_subdivision="TESSELLATE",
        use_instancing=instancing,
        evaluation_mode="VIEWPORT",
        convert_world_material=False,
    )
    found = finish(compare(folder / "native.usdc", record)).findings
    return {(f.check, f.object) for f in found}


def made_in_nodes(*, joined: bool) -> None:
    scattered(grid("Field", 4), lambda add: add("GeometryNodeMeshCube"), joined=joined)


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("instancing", [False, True])
def test_prototypes_made_inside_nodes(tmp_path: Path, instancing: bool, joined: bool) -> None:
    made_in_nodes(joined=joined)
    found = native_losses(tmp_path, instancing=instancing)
    assert found & {("mesh-missing", "Field"), ("mesh-topology", "Field")}
    assert {name for _, name in found} == {"Field"}


def instanced_object(scale: tuple[float, float, float]) -> None:
    source = triangle("Source")
    field = grid("Field", 4)
    scattered(
        field,
        lambda add: add("GeometryNodeObjectInfo", Object=source, As_Instance=True),
        joined=False,
    )
    tree = field.modifiers[0].node_group
    on_points = next(n for n in tree.nodes if n.type == "INSTANCE_ON_POINTS")
    on_points.inputs["Scale"].default_value = scale


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("instancing", [False, True])
def test_instances_of_objects(tmp_path: Path, instancing: bool, mirrored: bool) -> None:
    instanced_object((0.2, 0.3, -0.4 if mirrored else 0.4))
    expected: Losses = set()
    if instancing:  # the prototype is no longer shown by itself
        expected = {("object-missing", "Source"), ("mesh-missing", "Source")}
        # Orientations are in half precision, and those of mirror images are wrong.
        expected |= {("mesh-points", "Source")}
    assert native_losses(tmp_path, instancing=instancing) == expected


@pytest.mark.parametrize("instancing", [False, True])
@pytest.mark.parametrize("kind", ["duplicates", "collection"])
def test_instances_that_it_gets_right(tmp_path: Path, instancing: bool, kind: str) -> None:
    source = triangle("Source")
    if kind == "collection":
        instanced_collection()
    for number in range(5 if kind == "duplicates" else 0):
        link(bpy.data.objects.new(f"Copy {number}", source.data)).location.x = number
    assert native_losses(tmp_path, instancing=instancing) == set()


def constant_alpha(material: bpy.types.Material) -> None:
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Alpha"].default_value = 0.25
    # Blender 4.5 ignores the transmission instead, so there is both.
    shader.inputs["Transmission Weight"].default_value = 0.5


def occlusion(material: bpy.types.Material) -> None:
    nodes, new = material.node_tree.nodes, material.node_tree.links.new
    mix = nodes.new("ShaderNodeMix")
    mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
    colours = [socket for socket in mix.inputs if socket.type == "RGBA"]
    for name, socket in zip(("base", "occlusion"), colours, strict=True):
        texture = nodes.new("ShaderNodeTexImage")
        texture.image = bpy.data.images.new(name, 4, 4)
        new(texture.outputs["Color"], socket)
    output = next(s for s in mix.outputs if s.type == "RGBA")
    new(output, nodes["Principled BSDF"].inputs["Base Color"])


def noise(material: bpy.types.Material) -> None:
    nodes, new = material.node_tree.nodes, material.node_tree.links.new
    ramp, texture = nodes.new("ShaderNodeValToRGB"), nodes.new("ShaderNodeTexNoise")
    new(texture.outputs[0], ramp.inputs[0])
    new(ramp.outputs[0], nodes["Principled BSDF"].inputs["Base Color"])


@pytest.mark.parametrize("make", [constant_alpha, occlusion, noise])
def test_materials(tmp_path: Path, make: Callable[[bpy.types.Material], None]) -> None:
    item = add_square("Pane")
    material = add_material("Look")
    make(material)
    item.data.materials.append(material)
    assert native_losses(tmp_path) == {("material-input", "Pane")}


@pytest.mark.parametrize("kind", ["ORTHO", "PANO"])
def test_cameras_without_perspective(tmp_path: Path, kind: str) -> None:
    data = bpy.data.cameras.new("Eye")
    data.type = kind
    link(bpy.data.objects.new("Eye", data))
    triangle("Anchor")
    assert ("object-missing", "Eye") in native_losses(tmp_path)


def test_keyed_visibility(tmp_path: Path) -> None:
    item = triangle("Blinking")
    for frame, hidden in ((1, False), (5, True)):
        item.hide_render = hidden
        item.keyframe_insert("hide_render", frame=frame)
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 5
    bpy.context.scene.frame_set(1)
    assert ("object-visibility", "Blinking") in native_losses(tmp_path)


def test_volumes_made_in_nodes(tmp_path: Path) -> None:
    item = grid("Cloud", 3)
    tree, add = nodes(item)
    group, out, cube = (
        add(k) for k in ("NodeGroupInput", "NodeGroupOutput", "GeometryNodeVolumeCube")
    )
    tree.links.new(cube.outputs[0], out.inputs[0])
    assert group is not None
    triangle("Anchor")
    assert native_losses(tmp_path) == {("object-missing", "Cloud")}


def test_an_empty_volume_object(tmp_path: Path) -> None:
    link(bpy.data.objects.new("Fog", bpy.data.volumes.new("Fog")))
    triangle("Anchor")
    assert native_losses(tmp_path) == {("object-missing", "Fog")}
