# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene is read as it stands, and stays what it was when it is made exportable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from stagewright.addon.scene.host import BlenderHost
from stagewright.addon.scene.names import separate_names, usd_name
from stagewright.addon.scene.prepare import prepare
from stagewright.addon.scene.reading import read_scene
from stagewright.addon.scene.scope import (
    exported_objects,
    find_collection,
    frame_range,
    hidden_in_renders,
    use_view_layer,
)
from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.host import SceneRequest
from stagewright.usd_tools.scene_record import MeshRecord, SceneRecord

from .scenes import (
    add_material,
    add_mesh,
    add_square,
    empty_scene,
    finish,
    instance_collection,
    instance_cubes,
)

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)


@pytest.fixture(autouse=True)
def _empty() -> None:
    empty_scene()


def read(frames: tuple[float, ...] = (1.0,)) -> SceneRecord:
    return finish(read_scene(exported_objects(bpy.context.scene.collection), frames))


def prepared(folder: Path) -> dict[str, str]:
    collection = bpy.context.scene.collection
    return finish(prepare(collection, exported_objects(collection), folder))


def sorted_points(points: np.ndarray) -> np.ndarray:
    rounded = np.round(points, 6)
    return rounded[np.lexsort(rounded.T)]


def in_order(record: SceneRecord) -> list[MeshRecord]:
    """The meshes of ``record``, one for each place, sorted by what must survive the preparation."""

    def key(mesh: MeshRecord) -> tuple[object, ...]:
        centroid = mesh.world_points[0].mean(axis=0)
        return mesh.faces, mesh.materials, centroid.round(3).tolist()

    places = (m.taken(np.array([i])) for m in record.meshes for i in range(len(m.matrices)))
    return sorted(places, key=key)


def test_points_are_in_world_space() -> None:
    item = add_square("Square")
    item.location = (10, 0, 0)
    item.rotation_euler = (0, 0, np.pi / 2)
    item.scale = (2, 1, 1)
    (mesh,) = read().meshes
    # By hand: scale x by 2, turn x into y and y into -x, then move by 10.
    expected = [(10, 0, 0), (10, 2, 0), (9, 2, 0), (9, 0, 0)]
    assert np.allclose(mesh.world_points[0], expected, atol=1e-6)
    assert (mesh.object, mesh.instance, mesh.faces) == ("Square", False, 1)


def test_instances_made_in_a_node_tree_are_read_as_the_prototype() -> None:
    item = add_square("Emitter")
    item.location = (0, 0, 5)
    instance_cubes(item, 0.5, add_material("Red"))
    record = read()
    base = [m for m in record.meshes if not m.instance]
    cubes = [m for m in record.meshes if m.instance]
    assert [len(m.points) for m in base] == [4]
    assert {m.object for m in cubes} == {"Emitter"}
    assert {m.materials for m in cubes} == {("Red",)}
    corners = [(0, 0, 5), (1, 0, 5), (1, 1, 5), (0, 1, 5)]
    shown = [points for cube in cubes for points in cube.world_points]
    for points, corner in zip(shown, corners, strict=True):
        expected = CUBE * 0.25 + np.array(corner)
        assert np.array_equal(sorted_points(points), sorted_points(expected))


def test_a_collection_instance_is_read_under_the_name_of_what_it_shows() -> None:
    empty = instance_collection("Chain", add_square("Link"))
    empty.location = (0, 3, 0)
    (mesh,) = read().meshes
    assert (mesh.object, mesh.instance) == ("Link", True)
    assert np.allclose(mesh.world_points[0].mean(axis=0), (0.5, 3.5, 0))


@pytest.mark.parametrize("kind", ["bevelled curve", "text", "metaball", "surface"])
def test_what_shows_faces_is_read_once(kind: str) -> None:
    if kind == "bevelled curve":
        bpy.ops.curve.primitive_bezier_circle_add()
        bpy.context.object.data.bevel_depth = 0.1
    elif kind == "text":
        bpy.ops.object.text_add()
    elif kind == "metaball":
        bpy.ops.object.metaball_add()
    else:
        bpy.ops.surface.primitive_nurbs_surface_sphere_add()
    item = bpy.context.object
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    expected = len(evaluated.to_mesh().polygons)
    evaluated.to_mesh_clear()
    (mesh,) = read().meshes
    assert (mesh.object, mesh.instance, mesh.faces) == (item.name, False, expected)


def test_each_frame_is_read_and_the_current_one_comes_back() -> None:
    item = add_square("Mover")
    for frame, x in ((1, 0.0), (11, 10.0)):
        item.location.x = x
        item.keyframe_insert("location", frame=frame)
    bpy.context.scene.frame_set(4)
    record = read((1.0, 11.0))
    places = [(m.frame, round(m.world_points[0, 0, 0], 5)) for m in record.meshes]
    assert places == [(1, 0.0), (11, 10.0)]
    assert bpy.context.scene.frame_current == 4


def test_a_material_of_the_objects_own_slot_takes_the_meshs_place() -> None:
    item = add_square("Square")
    item.data.materials.append(add_material("OfMesh"))
    item.material_slots[0].link = "OBJECT"
    item.material_slots[0].material = add_material("OfObject")
    assert read().meshes[0].materials == ("OfObject",)


def test_only_materials_that_faces_use_are_named() -> None:
    item = add_square("Square")
    for name in ("Used", "Idle"):
        item.data.materials.append(add_material(name))
    assert read().meshes[0].materials == ("Used",)


def test_inputs_of_a_material_are_told_apart() -> None:
    item = add_square("Square")
    material = add_material("M", Alpha=0.25)
    item.data.materials.append(material)
    nodes, link = material.node_tree.nodes, material.node_tree.links.new
    shader = nodes["Principled BSDF"]
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.new("oak", 4, 4)
    texture.image.filepath = "//textures/oak.png"
    link(texture.outputs["Color"], shader.inputs["Base Color"])
    link(nodes.new("ShaderNodeTexNoise").outputs[0], shader.inputs["Roughness"])
    decoded = nodes.new("ShaderNodeNormalMap")
    link(texture.outputs["Color"], decoded.inputs["Color"])
    link(decoded.outputs["Normal"], shader.inputs["Normal"])
    inputs = read().materials[0].inputs
    assert (inputs["Base Color"].kind, inputs["Base Color"].image) == ("image", "oak.png")
    assert (inputs["Normal"].kind, inputs["Normal"].nodes) == ("image", ("Normal Map",))
    assert (inputs["Roughness"].kind, inputs["Alpha"].kind) == ("nodes", "constant")
    assert inputs["Alpha"].value == (0.25,)


def test_making_instances_real_changes_nothing_that_is_seen(tmp_path: Path) -> None:
    item = add_square("Emitter")
    item.location, item.rotation_euler = (1, 2, 3), (0.3, 0.2, 0.1)
    item.data.materials.append(add_material("Blue"))
    instance_cubes(item, 0.1, add_material("Red"))
    nested = add_square("Nested")
    instance_cubes(nested, 0.2)
    instance_collection("Outer", nested).location = (5, 0, 0)
    bpy.ops.curve.primitive_bezier_circle_add(location=(9, 0, 0))
    bpy.context.object.data.bevel_depth = 0.1
    before = read()
    aliases = prepared(tmp_path / "images")
    after = read()
    # Emitter: four cubes; Outer: the nested square and its four cubes.
    assert len(aliases) == 9
    for one, other in zip(in_order(before), in_order(after), strict=True):
        assert (one.faces, one.materials) == (other.faces, other.materials)
        assert np.allclose(one.world_points, other.world_points, atol=1e-5)
    assert not any(m.instance for m in after.meshes)
    assert all(m.object in aliases or m.object in bpy.data.objects for m in after.meshes)


def test_linked_duplicates_share_their_mesh_after_the_preparation(tmp_path: Path) -> None:
    first = add_square("First")
    second = bpy.data.objects.new("Second", first.data)
    bpy.context.scene.collection.objects.link(second)
    prepared(tmp_path / "images")
    assert bpy.data.objects["First"].data == bpy.data.objects["Second"].data


def test_packed_and_generated_images_get_files_with_their_pixels(tmp_path: Path) -> None:
    item = add_square("Square")
    material = add_material("M")
    item.data.materials.append(material)
    for name in ("packed", "generated"):
        image = bpy.data.images.new(name, 2, 2)
        image.pixels = [0.2, 0.4, 0.6, 1.0] * 4
        if name == "packed":
            image.pack()
        material.node_tree.nodes.new("ShaderNodeTexImage").image = image
    prepared(tmp_path / "images")
    for name in ("packed", "generated"):
        path = Path(bpy.data.images[name].filepath)
        assert path.is_file() and path.is_relative_to(tmp_path)
        read_back = bpy.data.images.load(str(path))
        assert np.allclose(read_back.pixels[:4], [0.2, 0.4, 0.6, 1.0], atol=1 / 255)


def test_a_packed_image_that_has_lost_its_path_gets_a_file(tmp_path: Path) -> None:
    item = add_square("Square")
    item.data.materials.append(add_material("M"))
    image = bpy.data.images.new("paint", 2, 2)
    image.filepath_raw, image.file_format = str(tmp_path / "no_suffix"), "PNG"
    image.save()
    bpy.data.images.remove(image)
    image = bpy.data.images.load(str(tmp_path / "no_suffix"))
    image.pack()
    image.filepath = ""
    tree = item.data.materials[0].node_tree
    tree.nodes.new("ShaderNodeTexImage").image = image
    prepared(tmp_path / "images")
    assert Path(image.filepath).is_file() and Path(image.filepath).suffix == ".png"


def test_what_the_eye_hides_is_not_exported(tmp_path: Path) -> None:
    add_square("Seen")
    add_square("Hidden").hide_set(True)
    names = [o.name for o in exported_objects(bpy.context.scene.collection)]
    assert names == ["Seen"]
    prepared(tmp_path / "images")
    assert bpy.data.objects["Hidden"].hide_viewport


def test_what_renders_hide_is_not_exported_and_is_named() -> None:
    add_square("Seen")
    add_square("Cutter").hide_render = True
    collection = bpy.context.scene.collection
    assert [o.name for o in exported_objects(collection)] == ["Seen"]
    assert hidden_in_renders(collection) == ["Cutter"]


def test_a_child_is_not_written_onto_its_parents_mesh() -> None:
    parent, child = add_square("Base"), add_square("Cube.1")
    parent.data.name, child.parent = "Cube 1", parent
    separate_names([parent, child])
    assert usd_name(parent.data.name) != usd_name(child.name)
    assert (parent.name, child.name) == ("Base", "Cube.1")


def test_materials_of_one_usd_name_are_told_apart() -> None:
    for name in ("Red 1", "Red.1", "Red_1_1", "Blue"):
        add_material(name)
    told = separate_names([])
    names = {usd_name(m.name) for m in bpy.data.materials}
    assert len(names) == 4
    assert told == ["The material 'Red.1' is exported as 'Red.1_2': its USD name was taken."]


def test_an_empty_collection_is_refused_by_name() -> None:
    bpy.context.scene.collection.children.link(bpy.data.collections.new("Props"))
    with pytest.raises(StagewrightError, match="'Props' shows no object") as caught:
        exported_objects(find_collection("Props"))
    assert caught.value.code == "nothing-to-export"


def test_an_unknown_collection_is_refused_with_those_there_are() -> None:
    bpy.data.collections.new("Props")
    with pytest.raises(StagewrightError, match="'Prop'.*Props"):
        find_collection("Prop")


def test_only_a_scene_that_moves_has_a_frame_range() -> None:
    item = add_square("Square")
    follower = add_mesh("Follower", [(0, 0, 0)], [])
    assert frame_range([item, follower]) is None
    item.keyframe_insert("location", frame=1)
    follower.parent = item
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 5, 9
    assert frame_range([follower]) == (5, 9)


def add_curve(name: str, curve: bpy.types.Curve | None = None) -> bpy.types.Object:
    """A bevelled straight curve of length 1."""
    if curve is None:
        curve = bpy.data.curves.new(name, "CURVE")
        curve.dimensions, curve.bevel_depth = "3D", 0.1
        spline = curve.splines.new("POLY")
        spline.points.add(1)
        spline.points[1].co = (1, 0, 0, 1)
    item = bpy.data.objects.new(name, curve)
    bpy.context.scene.collection.objects.link(item)
    return item


def assert_same(before: SceneRecord, after: SceneRecord) -> None:
    for one, other in zip(in_order(before), in_order(after), strict=True):
        assert (one.faces, one.materials) == (other.faces, other.materials)
        assert np.allclose(one.world_points, other.world_points, atol=1e-5)
    assert not any(m.instance for m in after.meshes)


def instances_alone(item: bpy.types.Object) -> None:
    """Give out the cubes without the geometry they stand on."""
    instance_cubes(item, 0.2)
    tree = item.modifiers[0].node_group
    (join,) = (n for n in tree.nodes if n.bl_idname == "GeometryNodeJoinGeometry")
    (base,) = (k for k in join.inputs[0].links if k.from_node.bl_idname == "NodeGroupInput")
    tree.links.remove(base)


@pytest.mark.parametrize("give_out", [instances_alone, lambda item: instance_cubes(item, 0.2)])
@pytest.mark.parametrize("kind", ["mesh", "curve", "text"])
def test_an_emitter_of_any_kind_shows_its_instances_once(
    kind: str, give_out: Callable[[bpy.types.Object], None], tmp_path: Path
) -> None:
    if kind == "text":
        bpy.ops.object.text_add()
        item = bpy.context.object
    else:
        item = add_square("Emitter") if kind == "mesh" else add_curve("Emitter")
    give_out(item)
    before = read()
    prepared(tmp_path / "images")
    assert_same(before, read())


def test_curves_of_one_curve_data_are_each_made_into_a_mesh(tmp_path: Path) -> None:
    first = add_curve("First")
    add_curve("Second", first.data).location = (0, 5, 0)
    before = read()
    prepared(tmp_path / "images")
    assert_same(before, read())
    assert {o.type for o in bpy.context.scene.objects} == {"MESH"}


def test_a_bevelled_curve_in_an_instanced_collection_becomes_a_mesh(tmp_path: Path) -> None:
    instance_collection("Chain", add_curve("Link")).location = (0, 5, 0)
    before = read()
    prepared(tmp_path / "images")
    assert_same(before, read())


def test_prototypes_of_one_mesh_keep_their_own_materials(tmp_path: Path) -> None:
    first = add_square("First")
    first.data.materials.append(add_material("OfMesh"))
    second = bpy.data.objects.new("Second", first.data)
    bpy.context.scene.collection.objects.link(second)
    second.location = (0, 5, 0)
    second.material_slots[0].link = "OBJECT"
    second.material_slots[0].material = add_material("OfObject")
    instance_collection("Both", first, second, add_curve("Link"))
    before = read()
    prepared(tmp_path / "images")
    assert_same(before, read())


def test_a_linked_collection_that_holds_an_emitter_is_made_exportable(tmp_path: Path) -> None:
    library = bpy.data.collections.new("Library")
    item = add_square("Emitter")
    bpy.context.scene.collection.objects.unlink(item)
    library.objects.link(item)
    instance_cubes(item, 0.2)
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {library})
    empty_scene()
    add_square("Emitter").location = (0, 9, 0)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, to):
        to.collections = ["Library"]
    bpy.context.scene.collection.children.link(to.collections[0])
    before = read()
    assert len(in_order(before)) == 6
    assert len(prepared(tmp_path / "images")) == 4
    assert_same(before, read())


def test_what_moves_is_found_at_any_depth() -> None:
    item, cutter = add_square("Square"), add_square("Cutter")
    # Each cuts the other: a circle of dependencies.
    item.modifiers.new("Cut", "BOOLEAN").object = cutter
    cutter.modifiers.new("Cut", "BOOLEAN").object = item
    assert frame_range([item]) is None
    mirror = bpy.data.objects.new("Mirror", None)
    cutter.modifiers.new("Mirror", "MIRROR").mirror_object = mirror
    mirror.keyframe_insert("location", frame=1)
    assert frame_range([item]) is not None


def test_a_keyed_material_moves() -> None:
    item = add_square("Square")
    material = add_material("M")
    item.data.materials.append(material)
    assert frame_range([item]) is None
    alpha = material.node_tree.nodes["Principled BSDF"].inputs["Alpha"]
    alpha.keyframe_insert("default_value", frame=1)
    assert frame_range([item]) is not None


def test_a_cancelled_reading_restores_the_frame() -> None:
    add_square("Square")
    bpy.context.scene.frame_set(4)
    job = read_scene(exported_objects(bpy.context.scene.collection), (1.0, 11.0))
    next(job)
    next(job)
    assert bpy.context.scene.frame_current == 1
    job.close()
    assert bpy.context.scene.frame_current == 4


def image_material() -> tuple[bpy.types.NodeTree, bpy.types.Node, bpy.types.Node]:
    """The node tree, Principled BSDF and Image Texture of a material that is shown."""
    material = add_material("M")
    add_square("Square").data.materials.append(material)
    tree = material.node_tree
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.new("oak", 4, 4)
    return tree, tree.nodes["Principled BSDF"], texture


def test_reroutes_are_followed_and_circles_of_them_end() -> None:
    tree, shader, texture = image_material()
    reroute, output = tree.nodes.new("NodeReroute"), tree.get_output_node("ALL")
    tree.links.new(shader.outputs[0], reroute.inputs[0])
    tree.links.new(reroute.outputs[0], output.inputs["Surface"])
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    one, other = tree.nodes.new("ShaderNodeNormalMap"), tree.nodes.new("ShaderNodeNormalMap")
    tree.links.new(one.outputs[0], other.inputs["Color"])
    tree.links.new(other.outputs[0], one.inputs["Color"])
    tree.links.new(one.outputs[0], shader.inputs["Normal"])
    inputs = read().materials[0].inputs
    assert (inputs["Base Color"].kind, inputs["Normal"].kind) == ("image", "nodes")


def test_strength_and_mapping_of_an_image_are_recorded() -> None:
    tree, shader, texture = image_material()
    decoded = tree.nodes.new("ShaderNodeNormalMap")
    decoded.inputs["Strength"].default_value = 0.25
    tree.links.new(texture.outputs["Color"], decoded.inputs["Color"])
    tree.links.new(decoded.outputs["Normal"], shader.inputs["Normal"])
    told = read().materials[0].inputs["Normal"]
    assert (told.scale, told.uv_map, told.mapped) == (0.25, "", False)
    uv_map = tree.nodes.new("ShaderNodeUVMap")
    uv_map.uv_map = "Second"
    tree.links.new(uv_map.outputs[0], texture.inputs["Vector"])
    told = read().materials[0].inputs["Normal"]
    assert (told.uv_map, told.mapped) == ("Second", False)
    mapping = tree.nodes.new("ShaderNodeMapping")
    tree.links.new(uv_map.outputs[0], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs[0], texture.inputs["Vector"])
    assert read().materials[0].inputs["Normal"].mapped
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    for output, foreign in (("UV", False), ("Object", True)):
        tree.links.new(coordinates.outputs[output], texture.inputs["Vector"])
        assert read().materials[0].inputs["Normal"].mapped == foreign


def test_the_scene_and_view_layer_of_the_file_or_the_named_ones_are_used(tmp_path: Path) -> None:
    scene = bpy.data.scenes.new("Second")
    layer = scene.view_layers.new("Close")
    bpy.context.window.scene, bpy.context.window.view_layer = scene, layer
    blend = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    empty_scene()
    BlenderHost().open(blend)
    assert (bpy.context.scene.name, bpy.context.view_layer.name) == ("Second", "Close")
    use_view_layer("", "ViewLayer")
    assert (bpy.context.scene.name, bpy.context.view_layer.name) == ("Second", "ViewLayer")
    use_view_layer("Scene", "")
    assert bpy.context.scene.name == "Scene"
    for names, code in ((("Third", ""), "no-scene"), (("Second", "Far"), "no-view-layer")):
        with pytest.raises(StagewrightError, match="Second|Close") as caught:
            use_view_layer(*names)
        assert caught.value.code == code


def test_a_file_of_an_older_blender_is_left_as_it_is(tmp_path: Path) -> None:
    blend = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), compress=False)
    major, minor = bpy.app.version[:2]
    data = blend.read_bytes()
    # The header ends in the version, of three digits or, since Blender 5, four.
    for digits in ("{}{:02}", "{:02}{:02}"):
        version, older = (f"v{digits.format(major, n)}".encode() for n in (minor, minor - 1))
        if data[:17].count(version):
            data = data.replace(version, older, 1)
    blend.write_bytes(data)
    with pytest.raises(StagewrightError, match=rf"'scene\.blend'.*{major}\.{minor - 1}") as caught:
        BlenderHost().remember(blend, SceneRequest("", "x"), {})
    assert caught.value.code == "not-saved"
    assert blend.read_bytes() == data


def test_a_linked_collection_is_not_given_a_published_version(tmp_path: Path) -> None:
    library = bpy.data.collections.new("Library")
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {library})
    empty_scene()
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, to):
        to.collections = ["Library"]
    bpy.context.scene.collection.children.link(to.collections[0])
    blend = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    with pytest.raises(StagewrightError, match="'Library' is linked") as caught:
        BlenderHost().remember(blend, SceneRequest("Library", "x"), {})
    assert caught.value.code == "not-saved"


def test_a_linked_collection_itself_is_exported(tmp_path: Path) -> None:
    library = bpy.data.collections.new("Library")
    item = add_square("Emitter")
    bpy.context.scene.collection.objects.unlink(item)
    library.objects.link(item)
    instance_cubes(item, 0.2)
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {library})
    empty_scene()
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, to):
        to.collections = ["Library"]
    bpy.context.scene.collection.children.link(to.collections[0])
    request = SceneRequest("Library", "library", engine="native")
    native = finish(BlenderHost().export(request, tmp_path))
    assert native.layer.is_file()
    assert (len(in_order(native.record)), len(native.record.aliases)) == (5, 4)


def test_points_that_lie_nowhere_and_empty_meshes_are_read(tmp_path: Path) -> None:
    add_mesh("Nowhere", [(0, 0, 0), (np.nan, 0, 0), (np.inf, 1, 0)], [(0, 1, 2)])
    add_mesh("Empty", [], [])
    record = read()
    assert [(m.object, len(m.points)) for m in record.meshes] == [("Nowhere", 3)]
    prepared(tmp_path / "images")


def test_a_hidden_armature_that_deforms_comes_along_and_is_shown(tmp_path: Path) -> None:
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    add_square("Skin").modifiers.new("Rig", "ARMATURE").object = rig
    other = bpy.data.objects.new("Idle", bpy.data.armatures.new("Idle"))
    bpy.context.scene.collection.objects.link(other)
    rig.hide_set(True)
    other.hide_set(True)
    objects = exported_objects(bpy.context.scene.collection)
    assert [o.name for o in objects] == ["Rig", "Skin"]
    finish(prepare(bpy.context.scene.collection, objects, tmp_path / "images"))
    assert rig.visible_get() and not other.visible_get()


def test_a_node_tree_that_asks_for_the_time_moves() -> None:
    item = add_square("Emitter")
    instance_cubes(item, 0.1)
    assert frame_range([item]) is None
    item.modifiers[0].node_group.nodes.new("GeometryNodeInputSceneTime")
    assert frame_range([item]) is not None
