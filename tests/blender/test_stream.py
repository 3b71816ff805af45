# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes streamed into layers, compared with Blender's own instances in the world."""

from __future__ import annotations

from collections.abc import Callable
from math import radians

import bpy
import mathutils
import numpy as np
import pytest
from pxr import Sdf, UsdGeom, UsdShade

from stagewright.addon.scene.stream import objects
from stagewright.addon.scene.stream.mesh import indexed_by_vertex
from stagewright.addon.scene.stream.objects import read_stream
from stagewright.jobs.events import Progress
from stagewright.usd_tools.direct.stream_writer import write_stream

from .streaming import grid, link, streamed, triangle
from .usd_world import differences, scene_meshes, stage_meshes


def test_objects_stand_where_their_parents_constraints_and_channels_put_them() -> None:
    top = triangle("Top")
    top.location, top.scale = (1, 2, 3), (1, 3, 0.5)
    for mode in ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"):
        child = triangle(f"Child {mode}", top)
        child.rotation_mode = mode
        child.rotation_euler = (0.4, -7.0, 1.1)
        child.matrix_parent_inverse = mathutils.Matrix.Translation((0, 0, -1))
    quaternion = triangle("Quaternion", top)
    quaternion.rotation_mode = "QUATERNION"
    quaternion.rotation_quaternion = (2, 1, 0, 1)  # not of length 1
    axis = triangle("Axis", top)
    axis.rotation_mode = "AXIS_ANGLE"
    axis.rotation_axis_angle = (1, 1, 1, 0)
    delta = triangle("Delta", top)
    delta.delta_location, delta.delta_rotation_euler = (0, 0, 4), (0, 0, 0.3)
    mirrored = triangle("Mirrored", quaternion)
    mirrored.scale = (-1, 1, 1)
    flat = triangle("Flat")
    flat.scale = (1, 0, 1)
    held = triangle("Held")
    held.constraints.new("COPY_LOCATION").target = quaternion
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    assert differences(stage_meshes(stage), scene_meshes()) < 1e-5


def test_shear_is_kept_by_a_matrix() -> None:
    top = triangle("Top")
    top.scale, top.rotation_euler = (1, 4, 1), (0, 0, 0.5)
    child = triangle("Child", top)
    child.rotation_euler = (0, 0, 0.7)
    held = triangle("Held")
    held.constraints.new("COPY_TRANSFORMS").target = child
    bpy.context.view_layer.update()
    stage, _ = streamed()
    assert differences(stage_meshes(stage), scene_meshes()) < 1e-5
    held_ops = UsdGeom.Xformable(stage.GetPrimAtPath("/root/Held")).GetOrderedXformOps()
    child_ops = UsdGeom.Xformable(stage.GetPrimAtPath("/root/Top/Child")).GetOrderedXformOps()
    assert [op.GetOpName() for op in held_ops] == ["xformOp:transform"]
    assert [op.GetOpName() for op in child_ops] == ["xformOp:rotateXYZ"]


def test_linked_duplicates_share_one_prototype_unless_their_materials_differ() -> None:
    first = triangle("First")
    for number in range(3):
        link(bpy.data.objects.new(f"Copy {number}", first.data)).location = (number, 1, 0)
    first.data.materials.append(bpy.data.materials.new("Red"))
    other = link(bpy.data.objects.new("Other", first.data))
    other.material_slots[0].link = "OBJECT"
    other.material_slots[0].material = bpy.data.materials.new("Blue")
    bpy.context.view_layer.update()
    stage, _ = streamed()
    assert differences(stage_meshes(stage), scene_meshes()) < 1e-6
    assert len(stage.GetPrototypes()) == 2


def nodes(item: bpy.types.Object) -> tuple[bpy.types.NodeTree, Callable[..., bpy.types.Node]]:
    """A new Geometry Nodes modifier: its tree, and a function that adds nodes."""
    tree = bpy.data.node_groups.new("Nodes", "GeometryNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    item.modifiers.new("Nodes", "NODES").node_group = tree

    def add(kind: str, **inputs: object) -> bpy.types.Node:
        node = tree.nodes.new(kind)
        for name, value in inputs.items():
            node.inputs[name.replace("_", " ")].default_value = value
        return node

    return tree, add


def scattered(
    item: bpy.types.Object,
    source: Callable[[Callable[..., bpy.types.Node]], bpy.types.Node],
    *,
    joined: bool,
) -> None:
    """Instances of what ``source`` makes on the points of ``item``, turned and scaled."""
    tree, add = nodes(item)
    group, out = add("NodeGroupInput"), add("NodeGroupOutput")
    on_points = add(
        "GeometryNodeInstanceOnPoints", Rotation=(0.1, 0.2, 0.9), Scale=(0.2, 0.3, -0.4)
    )
    tree.links.new(group.outputs[0], on_points.inputs["Points"])
    node = source(add)
    tree.links.new(
        node.outputs[0]
        if len(node.outputs) == 1
        else node.outputs["Mesh"]
        if "Mesh" in node.outputs
        else node.outputs["Geometry"]
        if "Geometry" in node.outputs
        else node.outputs["Instances"],
        on_points.inputs["Instance"],
    )
    last = on_points
    if joined:
        last = add("GeometryNodeJoinGeometry")
        tree.links.new(group.outputs[0], last.inputs[0])
        tree.links.new(on_points.outputs[0], last.inputs[0])
    tree.links.new(last.outputs[0], out.inputs[0])


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("cells", [2, 6])
@pytest.mark.parametrize("kind", ["mesh", "object", "collection", "separate"])
def test_instances_of_geometry_nodes_are_where_blender_shows_them(
    kind: str, cells: int, joined: bool
) -> None:
    source = triangle("Source")
    source.rotation_euler = (0.3, 0, 0)
    collection = bpy.data.collections.new("Parts")
    bpy.context.scene.collection.children.link(collection)
    for number in range(2):
        part = triangle(f"Part {number}")
        bpy.context.scene.collection.objects.unlink(part)
        collection.objects.link(part)
        part.location = (number, 0, 0)

    def make(add: Callable[..., bpy.types.Node]) -> bpy.types.Node:
        if kind == "mesh":
            return add("GeometryNodeMeshCube")
        if kind == "object":
            return add("GeometryNodeObjectInfo", Object=source, As_Instance=True)
        return add(
            "GeometryNodeCollectionInfo",
            Collection=collection,
            Separate_Children=kind != "collection",
        )

    item = grid(cells=cells)
    item.location, item.rotation_euler = (5, 6, 7), (0, 0, 1)
    scattered(item, make, joined=joined)
    bpy.context.view_layer.update()
    stage, _ = streamed()
    assert differences(stage_meshes(stage), scene_meshes()) < 1e-5
    instancers = [p for p in stage.Traverse() if p.IsA(UsdGeom.PointInstancer)]
    assert len(instancers) == (1 if cells == 6 else 0)


def test_nested_instances_are_where_blender_shows_them() -> None:
    inner = grid("Inner", cells=5)
    scattered(inner, lambda add: add("GeometryNodeMeshCube"), joined=True)
    outer = grid("Outer", cells=4)
    outer.location = (0, 0, 9)
    scattered(
        outer,
        lambda add: add("GeometryNodeObjectInfo", Object=inner, As_Instance=True),
        joined=False,
    )
    bpy.context.view_layer.update()
    stage, _ = streamed()
    assert differences(stage_meshes(stage), scene_meshes()) < 1e-5


def test_a_collection_instance_shows_the_collection_from_its_offset() -> None:
    collection = bpy.data.collections.new("Foot")
    collection.instance_offset = (1, 0, 2)
    for number in range(3):
        part = bpy.data.objects.new(f"Part {number}", triangle(f"Data {number}").data)
        part.location = (0, number, 0)
        collection.objects.link(part)
    for number in range(2):
        instance = link(bpy.data.objects.new(f"Instance {number}", None))
        instance.instance_type, instance.instance_collection = "COLLECTION", collection
        instance.location, instance.rotation_euler = (10 * number, 0, 0), (0, 0, 1)
    bpy.context.view_layer.update()
    stage, _ = streamed()
    assert differences(stage_meshes(stage), scene_meshes()) < 1e-5
    assert stage.GetPrimAtPath("/root/Instance_0/Foot").IsInstance()


def test_curves_and_texts_are_exported_by_their_faces() -> None:
    bpy.ops.object.text_add()
    bpy.ops.curve.primitive_bezier_circle_add(location=(3, 0, 0))
    bpy.context.object.data.bevel_depth = 0.1
    bpy.ops.object.metaball_add(location=(0, 5, 0))
    bpy.context.view_layer.update()
    stage, _ = streamed()
    assert differences(stage_meshes(stage), scene_meshes()) < 1e-5


def test_uv_maps_flatten_to_blenders_and_the_rendered_one_is_st() -> None:
    item = grid(cells=3)
    mesh = item.data
    random = np.random.default_rng(1)
    for name in ("UVMap", "Light Map"):
        layer = mesh.uv_layers.get(name) or mesh.uv_layers.new(name=name)
        values = np.empty(len(mesh.loops) * 2, np.float32)
        layer.uv.foreach_get("vector", values)
        values.reshape(-1, 2)[: 3 if name == "UVMap" else None] += random.random(2)
        layer.uv.foreach_set("vector", values)
    mesh.uv_layers["Light Map"].active_render = True
    stage, _ = streamed()
    api = UsdGeom.PrimvarsAPI(stage.GetPrimAtPath("/root/Grid/Grid"))
    for primvar, name in (("st", "Light Map"), ("UVMap", "UVMap")):
        expected = [tuple(v.vector) for v in mesh.uv_layers[name].uv]
        found = api.GetPrimvar(primvar)
        assert found.GetInterpolation() == "faceVarying"
        assert np.array_equal(found.ComputeFlattened(), np.array(expected, np.float32))


@pytest.mark.parametrize("corners", [0, 4, 60, 4000])
@pytest.mark.parametrize("distinct", [1, 3, 10**6])
def test_indexing_by_vertex_gives_the_same_values(corners: int, distinct: int) -> None:
    random = np.random.default_rng(corners + distinct)
    vertices = corners // 3 + 1
    values = random.integers(0, distinct, (corners, 2)).astype(np.float32)
    of_vertex = random.integers(0, vertices, corners).astype(np.int32)
    found, indices = indexed_by_vertex(values, of_vertex, vertices)
    assert indices.dtype == np.int32
    assert np.array_equal(found[indices], values)
    assert len(found) <= max(corners, 1)


def test_attributes_become_primvars_of_their_elements() -> None:
    mesh = grid(cells=2).data
    kinds = {
        "FLOAT": "float[]",
        "INT": "int[]",
        "INT8": "int[]",
        "BOOLEAN": "bool[]",
        "FLOAT_VECTOR": "float3[]",
        "FLOAT_COLOR": "color4f[]",
        "BYTE_COLOR": "color4f[]",
        "QUATERNION": "quatf[]",
    }
    domains = {"POINT": "vertex", "FACE": "uniform", "CORNER": "faceVarying"}
    for kind in kinds:
        for domain in domains:
            mesh.attributes.new(f"{kind} {domain}", kind, domain)
    mesh.attributes.new("On Edges", "FLOAT", "EDGE")
    mesh.attributes["FLOAT_COLOR POINT"].data[1].color = (0.1, 0.2, 0.3, 0.4)
    mesh.attributes["QUATERNION POINT"].data[1].value = (0.5, 0.5, -0.5, 0.5)
    stage, warnings = streamed()
    api = UsdGeom.PrimvarsAPI(stage.GetPrimAtPath("/root/Grid/Grid"))
    for kind, type_name in kinds.items():
        for domain, interpolation in domains.items():
            primvar = api.GetPrimvar(f"{kind}_{domain}")
            assert str(primvar.GetTypeName()) == type_name
            assert primvar.GetInterpolation() == interpolation
            assert len(primvar.Get()) == mesh.attributes.domain_size(domain)
    assert tuple(api.GetPrimvar("FLOAT_COLOR_POINT").Get()[1]) == pytest.approx(
        (0.1, 0.2, 0.3, 0.4)
    )
    turn = api.GetPrimvar("QUATERNION_POINT").Get()[1]
    assert (turn.GetReal(), *turn.GetImaginary()) == (0.5, 0.5, -0.5, 0.5)
    (warning,) = warnings
    assert "“On Edges”" in warning and "Grid" in warning


def test_faces_keep_their_materials() -> None:
    mesh = grid(cells=3).data
    for name in ("Red", "Blue", "Unused"):
        mesh.materials.append(bpy.data.materials.new(name))
    chosen = [i % 2 for i in range(len(mesh.polygons))]
    mesh.polygons.foreach_set("material_index", chosen)
    stage, _ = streamed()
    prim = stage.GetPrimAtPath("/root/Grid/Grid")
    subsets = UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
    faces = {s.GetPrim().GetName(): list(s.GetIndicesAttr().Get()) for s in subsets}
    assert faces == {
        "Red": [i for i, c in enumerate(chosen) if c == 0],
        "Blue": [i for i, c in enumerate(chosen) if c == 1],
    }


@pytest.mark.parametrize(("smooth", "interpolation"), [(True, "vertex"), (False, "uniform")])
def test_normals_are_on_the_coarsest_elements_that_hold_them(
    smooth: bool, interpolation: str
) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=8, ring_count=6)
    mesh = bpy.context.object.data
    mesh.polygons.foreach_set("use_smooth", [smooth] * len(mesh.polygons))
    stage, _ = streamed()
    usd = UsdGeom.Mesh(stage.GetPrimAtPath("/root/Sphere/Sphere"))
    assert usd.GetNormalsInterpolation() == interpolation
    normals = np.array(usd.GetNormalsAttr().Get())
    if smooth:
        normals = normals[np.array(usd.GetFaceVertexIndicesAttr().Get())]
    else:
        normals = np.repeat(normals, usd.GetFaceVertexCountsAttr().Get(), axis=0)
    expected = np.array([tuple(n.vector) for n in mesh.corner_normals])
    assert np.allclose(normals, expected, atol=1e-6)


def animated() -> None:
    mover = triangle("Mover")
    mover.rotation_euler = (0, 0, 0)
    mover.keyframe_insert("rotation_euler", frame=1)
    mover.rotation_euler = (0, 0, radians(720))
    mover.keyframe_insert("rotation_euler", frame=9)
    child = triangle("Child", mover)
    child.location = (2, 0, 0)
    shaped = grid("Shaped", cells=3)
    shaped.shape_key_add(name="Basis")
    key = shaped.shape_key_add(name="Up")
    key.data[0].co.z = 3
    key.value = 0
    key.keyframe_insert("value", frame=1)
    key.value = 1
    key.keyframe_insert("value", frame=9)
    held = triangle("Held")
    held.constraints.new("COPY_TRANSFORMS").target = mover
    part = bpy.data.collections.new("Part")
    part.objects.link(shaped)
    instance = link(bpy.data.objects.new("Instance", None))
    instance.instance_type, instance.instance_collection = "COLLECTION", part
    instance.location = (0, 0, 5)
    triangle("Still")


def test_every_frame_is_as_blender_has_it_and_what_rests_is_written_once() -> None:
    animated()
    frames = (1.0, 2.0, 3.5, 9.0)
    stage, _ = streamed(frames=frames)
    for frame in frames:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        assert differences(stage_meshes(stage, frame), scene_meshes()) < 1e-5
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (1, 9)
    timed = {
        str(prim.GetPath()): [a.GetName() for a in prim.GetAttributes() if a.GetNumTimeSamples()]
        for prim in stage.Traverse()
    }
    assert timed["/root/Mover"] == ["xformOp:rotateXYZ"]
    assert not any(names for path, names in timed.items() if "Still" in path or "Child" in path)
    turned = stage.GetAttributeAtPath("/root/Mover.xformOp:rotateXYZ").Get(9)
    assert turned[2] == pytest.approx(720)


def test_a_hidden_frame_is_invisible() -> None:
    item = triangle("Blinking")
    for frame, hidden in ((1, False), (3, True), (5, False)):
        item.hide_render = hidden
        item.keyframe_insert("hide_render", frame=frame)
    stage, _ = streamed(frames=(1.0, 2.0, 3.0, 4.0, 5.0))
    prim = UsdGeom.Imageable(stage.GetPrimAtPath("/root/Blinking"))
    seen = [prim.ComputeVisibility(frame) == "inherited" for frame in range(1, 6)]
    assert seen == [True, True, False, False, True]


def test_edits_and_deletions_between_two_steps_do_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(objects, "REPORT_EVERY", 0.0)  # a step before each object
    for number in range(60):
        triangle(f"Item {number:02}")
    scene_objects = list(bpy.context.scene.objects)
    layer = Sdf.Layer.CreateAnonymous(".usdc")
    deleted = []
    for event in write_stream(read_stream(scene_objects, "root"), layer):
        if isinstance(event, Progress) and event.step == "scene.read" and len(deleted) < 20:
            left = bpy.data.objects[f"Item {59 - len(deleted):02}"]
            deleted.append(left.name)
            bpy.data.objects.remove(left)
            bpy.data.objects["Item 00"].data.clear_geometry()
    assert len(deleted) == 20
    names = {f"Item_{number:02}" for number in range(60 - len(deleted))}
    assert names <= set(layer.GetPrimAtPath("/root").nameChildren.keys())


def test_loose_edges_are_told_and_empty_meshes_are_written() -> None:
    mesh = bpy.data.meshes.new("Wire")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0), (5, 5, 5)], [(0, 3)], [(0, 1, 2)])
    link(bpy.data.objects.new("Wire", mesh))
    link(bpy.data.objects.new("Empty", bpy.data.meshes.new("Nothing")))
    stage, warnings = streamed()
    (warning,) = warnings
    assert "Wire: 1 edge" in warning
    assert len(UsdGeom.Mesh(stage.GetPrimAtPath("/root/Wire/Wire")).GetPointsAttr().Get()) == 4
    assert not len(UsdGeom.Mesh(stage.GetPrimAtPath("/root/Empty/Nothing")).GetPointsAttr().Get())


def test_names_that_are_one_in_usd_stay_apart() -> None:
    for name in ("Lid.001", "Lid 001", "Lid_001", "№ 7", "7"):
        triangle(name)
    stage, _ = streamed()
    shown = {
        p.GetAttribute("userProperties:blender:object_name").Get()
        for p in stage.GetPrimAtPath("/root").GetChildren()
    }
    assert shown == {"Lid.001", "Lid 001", "Lid_001", "№ 7", "7"}
