# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of Blender, streamed, and what cannot be said of them."""

from __future__ import annotations

from pathlib import Path

import bpy
import MaterialX
import pytest
from pxr import Usd, UsdShade

from stagewright.addon.scene.stream.context import StreamContext
from stagewright.addon.scene.stream.materials import read_material
from stagewright.usd_tools.direct.records import Constant, MaterialRecord, Operation, Texture
from stagewright.usd_tools.principled import ROWS

from .streaming import streamed


@pytest.fixture(name="material")
def material_fixture() -> bpy.types.Material:
    material = bpy.data.materials.new("Paint")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    return material


def shader(material: bpy.types.Material) -> bpy.types.Node:
    return next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")


def add(material: bpy.types.Material, kind: str, **inputs: object) -> bpy.types.Node:
    node = material.node_tree.nodes.new(f"ShaderNode{kind}")
    for name, value in inputs.items():
        node.inputs[name].default_value = value
    return node


def link(material: bpy.types.Material, output: object, socket: object) -> None:
    material.node_tree.links.new(output, socket)


def image(folder: Path, name: str = "wood", raw: bool = False) -> bpy.types.Image:
    made = bpy.data.images.new(name, 4, 4)
    made.filepath_raw = str(folder / f"{name}.png")
    made.file_format = "PNG"
    made.save()
    made.source = "FILE"
    if raw:
        made.colorspace_settings.name = "Non-Color"
    return made


def read(material: bpy.types.Material) -> tuple[MaterialRecord, list[str]]:
    context = StreamContext("/root")
    return read_material(context, material, "/root/_materials/Paint"), context.take_notes()


def test_every_socket_of_the_shader_is_in_the_table(material: bpy.types.Material) -> None:
    names = {socket.name for socket in shader(material).inputs if socket.name != "Weight"}
    assert names <= set(ROWS)


def test_every_number_arrives_or_is_named(material: bpy.types.Material) -> None:
    """Each socket is set to a value of its own."""
    node = shader(material)
    for index, socket in enumerate(node.inputs):
        if socket.type == "VALUE" and socket.name != "Weight":
            socket.default_value = 0.3 + index / 100
    record, notes = read(material)
    for socket in node.inputs:
        if socket.type != "VALUE" or socket.name == "Weight":
            continue
        if socket.name in record.inputs:
            assert record.inputs[socket.name] == Constant((socket.default_value,))
        else:
            assert any(socket.name in note for note in notes), socket.name


def test_a_linked_image_keeps_its_place(material: bpy.types.Material, tmp_path: Path) -> None:
    node = add(material, "TexImage")
    node.image = image(tmp_path)
    node.extension = "MIRROR"
    mapping = add(material, "Mapping", Location=(0.5, 0.25, 0), Scale=(2, 3, 1))
    mapping.inputs["Rotation"].default_value = (0, 0, 0.5)
    uv = add(material, "UVMap")
    uv.uv_map = "Second map"
    link(material, uv.outputs[0], mapping.inputs["Vector"])
    link(material, mapping.outputs[0], node.inputs["Vector"])
    link(material, node.outputs["Color"], shader(material).inputs["Base Color"])
    link(material, node.outputs["Alpha"], shader(material).inputs["Alpha"])
    record, notes = read(material)
    assert notes == []
    texture = record.inputs["Base Color"]
    assert isinstance(texture, Texture)
    assert Path(texture.file) == (tmp_path / "wood.png").resolve()
    assert (texture.uv, texture.wrap, texture.raw) == ("Second_map", "mirror", False)
    assert (texture.scale, texture.translation) == ((2, 3), (0.5, 0.25))
    assert texture.rotation == pytest.approx(28.64788976)
    assert record.inputs["Alpha"] == Operation("extract", (texture, Constant((3.0,))), 1)


def test_what_no_network_holds_is_named_and_the_plain_value_stays(
    material: bpy.types.Material,
) -> None:
    noise = add(material, "TexNoise")
    socket = shader(material).inputs["Base Color"]
    socket.default_value = (0.1, 0.2, 0.3, 1)
    link(material, noise.outputs["Color"], socket)
    record, (note,) = read(material)
    assert record.inputs["Base Color"] == Constant(tuple(socket.default_value)[:3])
    assert "Paint" in note and "Base Color" in note and "Noise" in note


def test_other_shaders_and_a_mix_with_a_transparent_one(material: bpy.types.Material) -> None:
    tree = material.node_tree
    output = tree.get_output_node("ALL")
    glass = add(material, "BsdfGlass", IOR=1.3)
    clear = add(material, "BsdfTransparent")
    mix = add(material, "MixShader", Fac=0.25)
    link(material, glass.outputs[0], mix.inputs[1])
    link(material, clear.outputs[0], mix.inputs[2])
    link(material, mix.outputs[0], output.inputs["Surface"])
    record, notes = read(material)
    assert record.inputs["Transmission Weight"] == Constant((1.0,))
    assert record.inputs["Alpha"] == Constant((0.75,))
    link(material, add(material, "VolumeScatter").outputs[0], output.inputs["Volume"])
    link(material, add(material, "BsdfToon").outputs[0], output.inputs["Surface"])
    record, notes = read(material)
    assert len(notes) == 2 and "Toon" in " ".join(notes) and "volume" in " ".join(notes)


def test_a_missing_image_is_named_for_the_check_to_find(material: bpy.types.Material) -> None:
    node = add(material, "TexImage")
    node.image = bpy.data.images.new("gone", 4, 4)
    node.image.source = "FILE"
    node.image.filepath = "/nowhere/gone.png"
    link(material, node.outputs["Color"], shader(material).inputs["Roughness"])
    record, _ = read(material)
    found = record.inputs["Roughness"]
    assert isinstance(found, Operation) and isinstance(found.arguments[0], Texture)
    assert found.arguments[0].file == "/nowhere/gone.png"


def _library() -> MaterialX.Document:
    library = MaterialX.createDocument()
    MaterialX.loadLibraries(
        MaterialX.getDefaultDataLibraryFolders(), MaterialX.getDefaultDataSearchPath(), library
    )
    return library


def _rich(material: bpy.types.Material, folder: Path) -> None:
    """A material that needs every kind of node that is written."""
    principled = shader(material)
    color, data = add(material, "TexImage"), add(material, "TexImage")
    color.image, data.image = image(folder, "color"), image(folder, "data", raw=True)
    mapping = add(material, "Mapping", Scale=(2, 2, 1), Location=(0.1, 0, 0))
    mapping.inputs["Rotation"].default_value = (0, 0, 1)
    link(material, add(material, "TexCoord").outputs["UV"], mapping.inputs["Vector"])
    link(material, mapping.outputs[0], color.inputs["Vector"])
    mix = add(material, "Mix")
    mix.data_type, mix.blend_type = "RGBA", "SCREEN"
    shares = [socket for socket in mix.inputs if socket.enabled]
    vertex = add(material, "VertexColor")
    vertex.layer_name = "Tint"
    link(material, color.outputs["Alpha"], shares[0])
    link(material, color.outputs["Color"], shares[1])
    link(material, vertex.outputs["Color"], shares[2])
    link(material, next(o for o in mix.outputs if o.enabled), principled.inputs["Base Color"])
    separate = add(material, "SeparateColor")
    link(material, data.outputs["Color"], separate.inputs[0])
    ranged = add(material, "MapRange")
    link(material, separate.outputs[1], ranged.inputs["Value"])
    ranged.inputs["To Max"].default_value = 0.5
    link(material, ranged.outputs[0], principled.inputs["Roughness"])
    power = add(material, "Math")
    power.operation, power.use_clamp = "POWER", True
    link(material, separate.outputs[2], power.inputs[0])
    link(material, power.outputs[0], principled.inputs["Metallic"])
    normal = add(material, "NormalMap", Strength=0.5)
    link(material, data.outputs["Color"], normal.inputs["Color"])
    link(material, normal.outputs[0], principled.inputs["Normal"])
    link(material, color.outputs["Color"], principled.inputs["Sheen Weight"])
    for name in ("Coat Weight", "Subsurface Weight", "Transmission Weight", "Anisotropic"):
        principled.inputs[name].default_value = 0.25
    principled.inputs["Thin Film Thickness"].default_value = 300
    displacement = add(material, "Displacement", Scale=0.1)
    link(material, separate.outputs[0], displacement.inputs["Height"])
    output = material.node_tree.get_output_node("ALL")
    link(material, displacement.outputs[0], output.inputs["Displacement"])


def test_every_node_and_input_is_in_the_materialx_library(
    material: bpy.types.Material, tmp_path: Path
) -> None:
    _rich(material, tmp_path)
    bpy.ops.mesh.primitive_plane_add()
    bpy.context.object.data.materials.append(material)
    stage, warnings = streamed()
    assert len(warnings) == 1 and "UsdPreviewSurface" in warnings[0]
    library = _library()
    used = set()
    for prim in stage.Traverse():
        node = UsdShade.Shader(prim)
        if not node or not (node.GetShaderId() or "").startswith("ND_"):
            continue
        definition = library.getNodeDef(node.GetShaderId())
        assert definition is not None, node.GetShaderId()
        used.add(node.GetShaderId())
        for given in node.GetInputs():
            known = definition.getActiveInput(given.GetBaseName())
            assert known is not None, (node.GetShaderId(), given.GetBaseName())
            assert _usd_type(known.getType()) == given.GetTypeName(), given.GetFullName()
        for output in node.GetOutputs():
            known = definition.getActiveOutput(output.GetBaseName())
            assert known is not None
    assert len(used) > 12
    assert _connections_fit(stage)


def _usd_type(name: str) -> str:
    return {
        "color3": "color3f",
        "color4": "color4f",
        "vector2": "float2",
        "vector3": "float3",
        "integer": "int",
        "boolean": "bool",
        "filename": "asset",
    }.get(name, name)


def _connections_fit(stage: Usd.Stage) -> bool:
    """Every connection leads to an output that is there, in MaterialX of the same type."""
    for prim in stage.Traverse():
        node = UsdShade.Shader(prim)
        for given in node.GetInputs() if node else ():
            sources, invalid = given.GetConnectedSources()
            assert not invalid
            for found in sources:
                output = found.source.GetOutput(found.sourceName)
                assert output, given.GetFullName()
                if (node.GetShaderId() or "").startswith("ND_"):
                    assert output.GetTypeName() == given.GetTypeName(), given.GetFullName()
    return True


def test_the_tables_defaults_are_openpbrs_own() -> None:
    definition = _library().getNodeDef("ND_open_pbr_surface_surfaceshader")
    for row in ROWS.values():
        if not row.openpbr:
            continue
        known = definition.getActiveInput(row.openpbr)
        assert known is not None, row.openpbr
        if row.default is not None and known.getType() != "boolean":
            values = tuple(float(part) for part in known.getValueString().split(","))
            assert values == pytest.approx(row.default), row.openpbr


def test_nodes_that_are_shared_many_times_over_are_read_once(
    material: bpy.types.Material, tmp_path: Path
) -> None:
    """Each is the sum of the one before with itself: 2 ** 50 of them, if walked as a tree."""
    texture = add(material, "TexImage")
    texture.image = image(tmp_path)
    before = texture.outputs[0]
    for _ in range(50):
        node = add(material, "Math")
        node.operation = "ADD"
        for socket in node.inputs[:2]:
            link(material, before, socket)
        before = node.outputs[0]
    link(material, before, shader(material).inputs["Roughness"])
    record, notes = read(material)
    assert isinstance(record.inputs["Roughness"], Operation)
    (note,) = notes
    assert "UsdPreviewSurface" in note and "Roughness" in note
