# SPDX-License-Identifier: GPL-3.0-or-later
"""The example opens, holds what it promises, is small and tells nothing of a machine."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import bpy
import numpy as np
import pytest
import zstandard

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BLEND = EXAMPLES / "lantern.blend"


@pytest.fixture(autouse=True)
def lantern() -> bpy.types.Collection:
    bpy.ops.wm.open_mainfile(filepath=str(BLEND))
    return bpy.data.collections["Lantern"]


def evaluated_points(name: str) -> np.ndarray:
    """World points of an object's evaluated mesh, (n, 3)."""
    thing = bpy.data.objects[name].evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = thing.to_mesh()
    points = np.array([thing.matrix_world @ vertex.co for vertex in mesh.vertices])
    thing.to_mesh_clear()
    return points


def modifiers(kind: str) -> set[str]:
    return {o.name for o in bpy.data.objects for m in o.modifiers if m.type == kind}


def principled(material: str) -> bpy.types.Node:
    nodes = bpy.data.materials[material].node_tree.nodes
    return next(n for n in nodes if n.type == "BSDF_PRINCIPLED")


def source(socket: bpy.types.NodeSocket) -> bpy.types.Node:
    return socket.links[0].from_node


def test_everything_is_in_one_collection(lantern: bpy.types.Collection) -> None:
    assert set(bpy.context.scene.objects) == set(lantern.all_objects)
    assert bpy.context.view_layer.active_layer_collection.collection == lantern


def test_it_is_a_lantern_in_metres() -> None:
    assert bpy.context.scene.unit_settings.scale_length == 1
    solid = [evaluated_points(o.name) for o in bpy.context.scene.objects if o.type == "MESH"]
    height = np.ptp(np.vstack(solid)[:, 2])
    assert 0.33 < height < 0.37


def test_it_and_its_textures_are_under_three_megabytes() -> None:
    files = [BLEND, *(EXAMPLES / "textures").iterdir()]
    assert sum(f.stat().st_size for f in files) < 3_000_000


@pytest.mark.parametrize("kind", ["BEVEL", "MIRROR", "SOLIDIFY", "ARRAY", "SUBSURF", "ARMATURE"])
def test_modifiers_change_the_evaluated_mesh(kind: str) -> None:
    names = modifiers(kind)
    assert names
    for name in names:
        plain = len(bpy.data.objects[name].data.vertices)
        shown = len(evaluated_points(name))
        assert shown == plain if kind == "ARMATURE" else shown > plain


def test_linked_duplicates_share_meshes() -> None:
    users = Counter(o.data.name for o in bpy.context.scene.objects if o.type == "MESH")
    assert users["Chimney Vent"] == 14
    assert users["Rivet"] >= 8


def test_a_collection_that_is_in_no_scene_is_instanced() -> None:
    instancers = [o for o in bpy.context.scene.objects if o.instance_type == "COLLECTION"]
    assert len(instancers) == 3
    assert not set(instancers[0].instance_collection.objects) & set(bpy.context.scene.objects)
    graph = bpy.context.evaluated_depsgraph_get()
    feet = [i.object.name for i in graph.object_instances if i.is_instance and i.parent]
    assert Counter(feet)["Foot Ball"] == Counter(feet)["Foot Plate"] == 3


def test_geometry_nodes_make_their_own_prototype_and_join_it_with_the_base() -> None:
    band = bpy.data.objects["Tank Band"]
    tree = band.modifiers["Rivets"].node_group
    kinds = {n.bl_idname for n in tree.nodes}
    assert {"GeometryNodeMeshUVSphere", "GeometryNodeInstanceOnPoints"} <= kinds
    assert {"GeometryNodeJoinGeometry"} <= kinds and not kinds & {
        "GeometryNodeObjectInfo",
        "GeometryNodeCollectionInfo",
    }
    assert len(evaluated_points("Tank Band")) == len(band.data.vertices)
    graph = bpy.context.evaluated_depsgraph_get()
    rivets = [
        np.array(i.matrix_world.translation)
        for i in graph.object_instances
        if i.is_instance and i.parent and i.parent.original == band
    ]
    assert len(rivets) == 28
    np.testing.assert_allclose(np.linalg.norm(np.array(rivets)[:, :2], axis=1), 0.0752, atol=1e-6)


def test_the_bevelled_curve_has_thickness() -> None:
    guard = bpy.data.objects["Globe Guard"]
    assert guard.type == "CURVE" and guard.data.bevel_depth > 0
    assert len(evaluated_points("Globe Guard")) > 500


def test_images_are_external_and_packed_with_relative_paths() -> None:
    images = [i for i in bpy.data.images if i.type == "IMAGE"]
    external = [i for i in images if not i.packed_file]
    packed = [i for i in images if i.packed_file]
    assert external and packed
    for image in images:
        assert image.users and min(image.size) >= 256
    for image in external:
        assert image.filepath.startswith("//textures/")
        assert Path(bpy.path.abspath(image.filepath)).is_file()
    for image in packed:
        assert image.filepath == ""
        assert image.packed_files[0].filepath == f"//{image.name}.png"


def test_every_material_has_a_principled_at_the_top(lantern: bpy.types.Collection) -> None:
    used = {s.material for o in lantern.all_objects for s in o.material_slots}
    assert None not in used and len(used) >= 10
    for material in used:
        output = material.node_tree.get_output_node("ALL")
        assert source(output.inputs["Surface"]).type == "BSDF_PRINCIPLED"


def test_the_glass_has_constant_alpha() -> None:
    alpha = principled("Lantern Glass").inputs["Alpha"]
    assert not alpha.is_linked and alpha.default_value == pytest.approx(0.3)


def test_base_colour_is_multiplied_by_occlusion_on_the_second_uv_map() -> None:
    multiply = source(principled("Painted Enamel").inputs["Base Color"])
    assert multiply.bl_idname == "ShaderNodeMix" and multiply.blend_type == "MULTIPLY"
    textures = [source(s) for s in multiply.inputs if s.is_linked]
    assert [t.type for t in textures] == ["TEX_IMAGE", "TEX_IMAGE"]
    assert [source(t.inputs["Vector"]).uv_map for t in textures] == ["UVMap", "Bake"]
    for name in ("Tank", "Crown", "Frame Tubes"):
        layers = bpy.data.objects[name].data.uv_layers
        assert [layer.name for layer in layers] == ["UVMap", "Bake"]
        baked = np.array([corner.uv for corner in layers["Bake"].data])
        assert baked.min() >= 0 and baked.max() <= 1


def test_normal_maps_and_channel_images_feed_the_enamel() -> None:
    shader = principled("Painted Enamel")
    normal = source(shader.inputs["Normal"])
    assert normal.type == "NORMAL_MAP"
    assert source(normal.inputs["Color"]).image.colorspace_settings.name == "Non-Color"
    assert source(shader.inputs["Roughness"]) == source(shader.inputs["Metallic"])


@pytest.mark.parametrize(("name", "attribute"), [("Rope", "Strand"), ("Flame", "Heat")])
def test_colour_attributes_vary(name: str, attribute: str) -> None:
    layer = bpy.data.objects[name].data.color_attributes[attribute]
    assert np.ptp([tuple(value.color) for value in layer.data], axis=0)[:3].min() > 0.1


@pytest.mark.parametrize("name", ["Flame", "Bail", "Rope", "Grip", "Étiquette № 7"])
def test_parts_move_and_come_back_after_24_frames(name: str) -> None:
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end, scene.render.fps) == (1, 24, 24)
    positions = []
    for frame in (1, 7, 25):
        scene.frame_set(frame)
        positions.append(evaluated_points(name))
    assert np.abs(positions[1] - positions[0]).max() > 0.0005
    np.testing.assert_allclose(positions[2], positions[0], atol=1e-6)


def test_the_rope_bends_with_several_bones_and_its_loop_stays() -> None:
    rope = bpy.data.objects["Rope"]
    assert {"rope.1", "rope.2", "rope.3"} <= {g.name for g in rope.vertex_groups}
    for vertex in rope.data.vertices:
        assert sum(g.weight for g in vertex.groups) == pytest.approx(1, abs=0.01)
    scene = bpy.context.scene
    scene.frame_set(1)
    before = evaluated_points("Rope")
    scene.frame_set(7)
    moved = np.linalg.norm(evaluated_points("Rope") - before, axis=1)
    assert moved[before[:, 2] > 0.192].max() < 1e-4 < 0.001 < moved.max()


def test_cameras_and_lights() -> None:
    cameras = {o.data.type for o in bpy.context.scene.objects if o.type == "CAMERA"}
    assert cameras == {"PERSP", "ORTHO"}
    assert bpy.context.scene.camera.data.type == "PERSP"
    lights = {o.data.type for o in bpy.context.scene.objects if o.type == "LIGHT"}
    assert {"AREA", "SUN"} <= lights


def test_a_custom_property_and_a_name_beyond_ascii() -> None:
    assert bpy.data.objects["Tank"]["fuel_litres"] == pytest.approx(0.34)
    assert any(not o.name.isascii() for o in bpy.context.scene.objects)


def test_no_bytes_of_a_machine_path_are_in_the_file() -> None:
    reader = zstandard.ZstdDecompressor().stream_reader(BLEND.read_bytes(), read_across_frames=True)
    data = reader.read()
    # A header of 12 bytes up to 4.5: the file must be one that 4.5 opens.
    assert data[:12] == b"BLENDER-v405"
    path = rb"/(?:tmp|home|root|Users|work|private|var|opt|mnt|srv)\b|[A-Z]:\\|Desktop"
    assert not re.findall(rb"[\x20-\x7e]*(?:" + path + rb")[\x20-\x7e]*", data)
