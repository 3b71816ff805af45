# SPDX-License-Identifier: GPL-3.0-or-later
"""MaterialX documents to Blender's materials and back."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom, UsdShade, UsdUtils

from stagewright.addon.scene.host import BlenderHost
from stagewright.addon.scene.mtlx import export_materials, import_materials
from stagewright.addon.scene.shading_nodes import make_material
from stagewright.addon.scene.stream.context import StreamContext
from stagewright.addon.scene.stream.materials import read_material
from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Message
from stagewright.pipeline.cli import main
from stagewright.pipeline.host import ImportChoice
from stagewright.usd_tools.direct.records import (
    Constant,
    Expression,
    MaterialRecord,
    Noise,
    Operation,
)
from stagewright.usd_tools.flip import flip_map
from stagewright.usd_tools.mtlx.document import read_document, validate
from stagewright.usd_tools.mtlx.surfaces import import_network

from .mtlx_documents import MATERIAL, NODES, SOURCES, all_nodes, document
from .streaming import grid


def records(path: Path) -> dict[str, MaterialRecord]:
    found = read_document(path)
    imported = [import_network(network, found.library) for network in found.networks]
    assert [note for each in imported for note in each.notes if note.kind != "rewritten"] == []
    return {each.record.data: each.record for each in imported}


def same(one: Any, other: Any) -> bool:
    """Whether two expressions are the same, in single precision."""
    if is_dataclass(one) and type(one) is type(other):
        compared = [f.name for f in fields(one) if f.compare]
        return all(same(getattr(one, name), getattr(other, name)) for name in compared)
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return all(map(same, one, other))
    if isinstance(one, float):
        return bool(np.isclose(one, other, rtol=1e-6, atol=1e-7))
    return bool(one == other)


def read(name: str) -> MaterialRecord:
    context = StreamContext("/root")
    record = read_material(context, bpy.data.materials[name], "", preview=False)
    assert context.take_notes() == []
    return record


def differences(before: MaterialRecord, after: MaterialRecord) -> list[str]:
    return [
        name
        for name, expression in before.inputs.items()
        if name in after.inputs and not same(expression, after.inputs[name])
    ]


def test_every_supported_node_survives_the_way_into_blender_and_back(tmp_path: Path) -> None:
    path = document(tmp_path, all_nodes())
    assert validate(path) == ()
    before = records(path)
    assert set(before) == set(NODES)
    made = drain(import_materials(path), print)
    assert {row["name"] for row in made} == set(NODES)
    assert {n: differences(before[n], read(n)) for n in before} == {n: [] for n in before}

    target = tmp_path / "again.mtlx"
    result = drain(export_materials(target), print)
    assert result["problems"] == []
    after = records(target)
    # Inputs that do nothing, as what they belong to is 0, are not written.
    shown = ("Base Color", "Roughness", "Metallic", "IOR", "Specular IOR Level")
    for name in before:
        lost = differences(before[name], after[name])
        assert [each for each in lost if each in shown] == [], name


def test_every_number_of_openpbr_survives(tmp_path: Path) -> None:
    from stagewright.usd_tools.mtlx.library import Library

    numbers = {}
    for index, (name, port) in enumerate(
        sorted(Library().inputs("ND_open_pbr_surface_surfaceshader").items())
    ):
        if port.type in ("float", "color3"):
            count = 3 if port.type == "color3" else 1
            numbers[name] = (port.type, tuple(round(0.3 + index / 100, 6) for _ in range(count)))
    numbers["base_weight"] = numbers["thin_film_weight"] = ("float", (1.0,))
    numbers["subsurface_color"] = numbers["transmission_color"] = numbers["base_color"]
    lines = "".join(
        f'<input name="{name}" type="{kind}" value="{", ".join(map(str, value))}"/>'
        for name, (kind, value) in numbers.items()
    )
    body = f'<open_pbr_surface name="SR" type="surfaceshader">{lines}</open_pbr_surface>'
    body += (
        '<surfacematerial name="Paint" type="material"><input name="surfaceshader" '
        'type="surfaceshader" nodename="SR"/></surfacematerial>'
    )
    path = document(tmp_path, body)
    (row,) = drain(import_materials(path), print)
    told = " ".join(note["message"] for note in row["notes"])
    target = tmp_path / "again.mtlx"
    assert drain(export_materials(target), print)["problems"] == []
    (network,) = read_document(target).networks
    inputs = network.graph.nodes[network.surface].inputs
    library = Library().inputs("ND_open_pbr_surface_surfaceshader")
    for name, (_, value) in numbers.items():
        if name in told:
            continue
        found = inputs.get(name, library[name]).value
        assert found == pytest.approx(value, rel=1e-6), name


def test_normal_maps_and_displacement_survive(tmp_path: Path) -> None:
    body = (
        SOURCES
        + """
      <normalmap name="n" type="vector3">
        <input name="in" type="vector3" nodename="bump"/></normalmap>
      <displacement name="D" type="displacementshader">
        <input name="displacement" type="float" nodename="gray"/>
        <input name="scale" type="float" value="0.1"/></displacement>
      <open_pbr_surface name="SR" type="surfaceshader">
        <input name="geometry_normal" type="vector3" nodename="n"/></open_pbr_surface>
      <surfacematerial name="Paint" type="material">
        <input name="surfaceshader" type="surfaceshader" nodename="SR"/>
        <input name="displacementshader" type="displacementshader" nodename="D"/>
      </surfacematerial>"""
    )
    path = document(tmp_path, body)
    before = records(path)["Paint"]
    assert isinstance(before.displacement, Operation)
    drain(import_materials(path), print)
    assert same(before.displacement, read("Paint").displacement)
    target = tmp_path / "again.mtlx"
    drain(export_materials(target), print)
    after = records(target)["Paint"]
    assert same(before.inputs["Normal"], after.inputs["Normal"])
    assert same(before.displacement, after.displacement)


def test_the_principled_shader_is_at_the_top_level_and_images_have_their_spaces(
    tmp_path: Path,
) -> None:
    drain(import_materials(document(tmp_path, all_nodes()), ["mix_color3"]), print)
    (material,) = bpy.data.materials
    kinds = [node.bl_idname for node in material.node_tree.nodes]
    assert kinds.count("ShaderNodeBsdfPrincipled") == 1
    assert "ShaderNodeGroup" not in kinds
    spaces = {image.name: image.colorspace_settings.name for image in bpy.data.images}
    assert spaces == {"wood.png": "sRGB", "gray.png": "Non-Color"}
    places = [tuple(node.location) for node in material.node_tree.nodes]
    assert len(set(places)) == len(places)


def perlin(points: np.ndarray) -> np.ndarray:
    """MaterialX's ``mx_perlin_noise_float`` in 3-D, (n,), for points (n, 3)."""

    def rotated(x: np.ndarray, by: int) -> np.ndarray:
        return ((x << np.uint64(by)) | (x >> np.uint64(32 - by))) & np.uint64(0xFFFFFFFF)

    def hashed(*cell: np.ndarray) -> np.ndarray:
        mask = np.uint64(0xFFFFFFFF)
        a, b, c = ((np.uint64(0xDEADBEEF + (3 << 2) + 13) + part) & mask for part in cell)
        for first, second, third, turn in _FINAL:
            values = {"a": a, "b": b, "c": c}
            made = ((values[first] ^ values[second]) - rotated(values[third], turn)) & mask
            values[first] = made
            a, b, c = values["a"], values["b"], values["c"]
        return c

    cells = np.floor(points)
    inside = points - cells
    fade = inside**3 * (inside * (inside * 6 - 15) + 10)
    total = np.zeros(len(points))
    for corner in np.ndindex(2, 2, 2):
        lattice = (cells + corner).astype(np.int64).astype(np.uint64) & np.uint64(0xFFFFFFFF)
        h = hashed(*lattice.T) & np.uint64(15)
        x, y, z = (inside - corner).T
        u = np.where(h < 8, x, y)
        v = np.where(h < 4, y, np.where((h == 12) | (h == 14), x, z))
        gradient = np.where(h & np.uint64(1), -u, u) + np.where(h & np.uint64(2), -v, v)
        weight = np.prod(np.where(corner, fade, 1 - fade), axis=1)
        total += weight * gradient
    return 0.9820 * total


# Bob Jenkins' lookup3: what is changed, by what, by what turned, and how far.
_FINAL = (
    ("c", "b", "b", 14),
    ("a", "c", "c", 11),
    ("b", "a", "a", 25),
    ("c", "b", "b", 16),
    ("a", "c", "c", 4),
    ("b", "a", "a", 14),
    ("c", "b", "b", 24),
)


@pytest.mark.parametrize("noise", [Noise(), Noise("", 4, 2.5, 0.25)])
def test_blenders_noise_is_materialxs(noise: Noise) -> None:
    """Asked of the same node in geometry nodes, which give its numbers at every vertex."""
    made, _ = make_material(MaterialRecord("", "Noise", {"Roughness": noise}))
    source = next(n for n in made.node_tree.nodes if n.bl_idname == "ShaderNodeTexNoise")
    item = grid(cells=7)
    tree = bpy.data.node_groups.new("Ask", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    inside, outside = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    store = tree.nodes.new("GeometryNodeStoreNamedAttribute")
    store.inputs["Name"].default_value = "noise"
    node = tree.nodes.new("ShaderNodeTexNoise")
    for name in ("noise_dimensions", "noise_type", "normalize"):
        setattr(node, name, getattr(source, name))
    for name in ("Scale", "Detail", "Roughness", "Lacunarity", "Distortion"):
        node.inputs[name].default_value = source.inputs[name].default_value
    position = tree.nodes.new("GeometryNodeInputPosition")
    tree.links.new(position.outputs[0], node.inputs["Vector"])
    value = next(s for s in store.inputs if s.name == "Value" and s.enabled)
    tree.links.new(node.outputs[0], value)
    tree.links.new(inside.outputs[0], store.inputs[0])
    tree.links.new(store.outputs[0], outside.inputs[0])
    item.modifiers.new("Ask", "NODES").node_group = tree
    points = np.random.default_rng(2).uniform(-7, 7, (len(item.data.vertices), 3))
    for vertex, point in zip(item.data.vertices, points, strict=True):
        vertex.co = point
    points = np.array([vertex.co for vertex in item.data.vertices], np.float64)
    mesh = item.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    found = np.array([each.value for each in mesh.attributes["noise"].data])

    expected = np.zeros(len(points))
    for octave in range(noise.octaves):
        expected += noise.diminish**octave * perlin(points * noise.lacunarity**octave)
    assert np.abs(expected).max() > 0.2
    assert found == pytest.approx(expected, abs=2e-5)


def test_renders_before_and_after_are_the_same(tmp_path: Path) -> None:
    path = document(tmp_path, all_nodes())
    names = list(NODES)
    assert len(names) >= 30
    drain(import_materials(path), print)
    before = {name: rendered(bpy.data.materials[name], tmp_path) for name in names}
    target = tmp_path / "again.mtlx"
    drain(export_materials(target), print)
    bpy.ops.wm.read_homefile(use_empty=True)
    drain(import_materials(target), print)
    for name in names:
        after = rendered(bpy.data.materials[name], tmp_path)
        assert before[name][..., :3].std() > 0.01
        assert flip_map(after[..., :3], before[name][..., :3]).mean() < 0.02, name


def rendered(material: bpy.types.Material, folder: Path) -> np.ndarray:
    """(64, 64, 4): a lit sphere with ``material``, by Cycles."""
    scene = bpy.context.scene
    if scene.camera is None:
        bpy.ops.mesh.primitive_uv_sphere_add(segments=24, ring_count=12)
        bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0))
        bpy.ops.object.camera_add(location=(0, -4, 0), rotation=(1.5708, 0, 0))
        scene.camera = bpy.context.object
        scene.render.engine = "CYCLES"
        scene.cycles.samples, scene.cycles.use_denoising = 16, False
        scene.render.resolution_x = scene.render.resolution_y = 64
    (sphere,) = (item for item in scene.objects if item.type == "MESH")
    sphere.data.materials.clear()
    sphere.data.materials.append(material)
    scene.render.filepath = str(folder / f"{material.name}.png")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = np.array(image.pixels).reshape(64, 64, 4)
    bpy.data.images.remove(image)
    return pixels


def test_a_host_imports_into_new_and_old_files(tmp_path: Path) -> None:
    path = document(tmp_path, all_nodes())
    host, blend = BlenderHost(), tmp_path / "new.blend"
    made = drain(host.import_mtlx(path, blend, ("add_float", "mix_color3"), False), print)
    assert [row["surface"] for row in made] == ["open_pbr_surface"] * 2
    host.open(blend)
    assert {m.name for m in bpy.data.materials} == {"add_float", "mix_color3"}
    scene = tmp_path / "scene.blend"
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.data.materials.new("Mine").use_fake_user = True
    bpy.ops.wm.save_as_mainfile(filepath=str(scene))
    drain(host.import_mtlx(path, scene, ("add_float",), True), print)
    host.open(scene)
    assert {m.name for m in bpy.data.materials} == {"Mine", "add_float"}
    before = scene.read_bytes()
    with pytest.raises(StagewrightError, match="gone"):
        drain(host.import_mtlx(path, scene, ("gone",), True), print)
    assert scene.read_bytes() == before


def test_packed_images_are_written_beside_the_document(tmp_path: Path) -> None:
    material = bpy.data.materials.new("Ärger mit 3")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    material.use_fake_user = True
    nodes = material.node_tree.nodes
    shader = next(n for n in nodes if n.type == "BSDF_PRINCIPLED")
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.new("made", 4, 4)
    material.node_tree.links.new(texture.outputs[0], shader.inputs["Base Color"])
    target = tmp_path / "out.mtlx"
    result = drain(export_materials(target), print)
    assert result["problems"] == []
    assert (tmp_path / "out_textures/made.png").is_file()
    assert "out_textures/made.png" in target.read_text("utf-8")
    assert str(tmp_path) not in target.read_text("utf-8")
    (network,) = read_document(target).networks
    assert network.name == "Ärger mit 3"


def test_what_no_network_holds_is_told(tmp_path: Path) -> None:
    made, _ = make_material(MaterialRecord("", "Paint", {"Roughness": Constant((0.5,))}))
    made.use_fake_user = True
    shader = next(n for n in made.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    voronoi = made.node_tree.nodes.new("ShaderNodeTexVoronoi")
    made.node_tree.links.new(voronoi.outputs[0], shader.inputs["Roughness"])
    result = drain(export_materials(tmp_path / "out.mtlx"), print)
    (note,) = result["materials"][0]["notes"]
    assert "Paint" in note and "Roughness" in note and "Voronoi" in note


def test_a_clamp_of_colours_survives() -> None:
    image = Operation("clamp", (Operation("add", (_paint(), _paint()), 3),), 3)
    make_material(MaterialRecord("", "Paint", {"Base Color": image}))
    assert same(read("Paint").inputs["Base Color"], image)


def _paint() -> Expression:
    from stagewright.usd_tools.direct.records import Attribute

    return Attribute("paint")


def test_the_commands_answer_in_text_and_by_their_exit_codes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, host = document(tmp_path, all_nodes()), BlenderHost()
    blend, target = tmp_path / "out.blend", tmp_path / "out.mtlx"

    def run(*words: str | Path) -> tuple[int, str]:
        capfd.readouterr()
        code = main(["usd", "mtlx", *map(str, words)], host)
        captured = capfd.readouterr()
        return code, captured.out + captured.err

    code, text = run("list", path)
    assert code == 0 and "add_float (open_pbr_surface)" in text
    code, text = run("validate", path)
    assert code == 0 and "valid" in text
    code, text = run("import", path, "-o", blend)
    assert code == 0 and blend.is_file()
    code, text = run("import", path, "-o", blend)
    assert code == 1 and "--overwrite" in text
    code, text = run("export", blend, "-o", target, "--material", "mix_float")
    assert code == 0 and len(read_document(target).networks) == 1
    target.write_text(target.read_text("utf-8").replace("mix=", "mixx=").replace("bg", "bgg"))
    code, text = run("validate", target)
    assert code == 1 and "has the input bgg, which mix has not" in text


def usd_with_materialx(folder: Path) -> Path:
    """A square with a material of MaterialX nodes, and one with an image inside."""
    stage = Usd.Stage.CreateNew(str(folder / "look.usda"))
    UsdGeom.SetStageUpAxis(stage, "Z")
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/root").GetPrim())
    material = UsdShade.Material.Define(stage, "/root/Paint")
    surface = UsdShade.Shader.Define(stage, "/root/Paint/Surface")
    surface.CreateIdAttr("ND_standard_surface_surfaceshader")
    surface.CreateInput("metalness", Sdf.ValueTypeNames.Float).Set(0.75)
    ramp = UsdShade.Shader.Define(stage, "/root/Paint/MyRamp")
    ramp.CreateIdAttr("ND_ramplr_float")
    output = ramp.CreateOutput("out", Sdf.ValueTypeNames.Float)
    surface.CreateInput("coat", Sdf.ValueTypeNames.Float).ConnectToSource(output)
    image = UsdShade.Shader.Define(stage, "/root/Paint/Image")
    image.CreateIdAttr("ND_image_color3")
    image.CreateInput("file", Sdf.ValueTypeNames.Asset).Set("./wood.png")
    output = image.CreateOutput("out", Sdf.ValueTypeNames.Color3f)
    surface.CreateInput("base_color", Sdf.ValueTypeNames.Color3f).ConnectToSource(output)
    output = surface.CreateOutput("out", Sdf.ValueTypeNames.Token)
    material.CreateSurfaceOutput("mtlx").ConnectToSource(output)
    mesh = UsdGeom.Mesh.Define(stage, "/root/Square")
    mesh.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)])
    mesh.CreateFaceVertexCountsAttr([4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    stage.GetRootLayer().Save()
    return folder / "look.usda"


@pytest.mark.parametrize("packed", [False, True])
def test_usd_imports_fill_materials_of_materialx_nodes(tmp_path: Path, packed: bool) -> None:
    document(tmp_path, SOURCES)
    source = usd_with_materialx(tmp_path)
    if packed:
        assert UsdUtils.CreateNewUsdzPackage(str(source), str(tmp_path / "look.usdz"))
        source = tmp_path / "look.usdz"
    events: list[Any] = []
    blend = tmp_path / "out.blend"
    drain(BlenderHost().import_usd(source, blend, "look", ImportChoice()), events.append)
    told = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert len(told) == 1 and "Paint" in told[0] and "MyRamp" in told[0]
    (material,) = bpy.data.materials
    shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    assert shader.inputs["Metallic"].default_value == 0.75
    image = shader.inputs["Base Color"].links[0].from_node.image
    assert tuple(image.size) == (4, 4)
    assert bool(image.packed_file) == packed
    assert not hasattr(bpy.types, "STAGEWRIGHT_USDHOOK_materialx")


@pytest.mark.usefixtures("addon")
def test_the_window_imports_assigns_lists_and_exports(tmp_path: Path) -> None:
    ramp = '<ramplr name="my_ramp" type="float"/>' + MATERIAL.format(
        name="Ramp", input="coat_weight", kind="float", node="my_ramp", output="", more=""
    )
    path, item = document(tmp_path, ramp), grid()
    found = bpy.context.window_manager.stagewright_mtlx
    assert bpy.ops.stagewright.import_mtlx(filepath=str(path), assign=True) == {"FINISHED"}
    assert item.active_material.name == "Ramp"
    assert ["my_ramp" in finding.name for finding in found.findings] == [True]
    target = tmp_path / "out.mtlx"
    options = {"filepath": str(target), "which": "OBJECT", "check_existing": False}
    assert bpy.ops.stagewright.export_mtlx(**options) == {"FINISHED"}
    assert [network.name for network in read_document(target).networks] == ["Ramp"]
    assert len(found.findings) == 0
    path.write_text(path.read_text("utf-8").replace("coat_weight", "coat_wait"), "utf-8")
    bpy.ops.stagewright.import_mtlx(filepath=str(path))
    assert any("coat_wait" in f.name for f in found.findings if f.severity == "error")
    path.write_text("no document", "utf-8")
    with pytest.raises(RuntimeError, match="look.mtlx"):
        bpy.ops.stagewright.import_mtlx(filepath=str(path))


def test_sets_of_tiles_come_in_and_go_out(tmp_path: Path) -> None:
    for tile in (1001, 1002, 1011):
        image = bpy.data.images.new("tile", 2, 2)
        image.save(filepath=str(tmp_path / f"wood.{tile}.png"))
        bpy.data.images.remove(image)
    body = """<image name="tiles" type="color3">
      <input name="file" type="filename" value="wood.&lt;UDIM&gt;.png" colorspace="srgb_texture"/>
      </image>""" + MATERIAL.format(
        name="Tiles", input="base_color", kind="color3", node="tiles", output="", more=""
    )
    path = document(tmp_path, body)
    before = records(path)
    drain(import_materials(path), print)
    image = next(image for image in bpy.data.images if image.source == "TILED")
    assert sorted(tile.number for tile in image.tiles) == [1001, 1002, 1011]
    target = tmp_path / "again.mtlx"
    result = drain(export_materials(target), print)
    assert [row["notes"] for row in result["materials"]] == [[]]
    assert differences(before["Tiles"], records(target)["Tiles"]) == []
    (tmp_path / "wood.1011.png").unlink()
    (row,) = drain(export_materials(target), print)["materials"]
    assert "wood.1011.png" in " ".join(row["notes"])
