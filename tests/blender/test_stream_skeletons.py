# SPDX-License-Identifier: GPL-3.0-or-later
"""Skeletons and blend shapes: what USD's own skinning makes of them, beside Blender."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel

from stagewright.addon.scene.stream.objects import read_stream
from stagewright.jobs.events import Progress
from stagewright.usd_tools.direct.stream_writer import write_stream

from .test_stream import link, streamed
from .usd_world import differences, scene_meshes, stage_meshes

FRAMES = (1.0, 2.5, 4.0, 9.0)


def tube(name: str) -> bpy.types.Object:
    bpy.ops.mesh.primitive_cylinder_add(vertices=12, depth=4, end_fill_type="TRIFAN")
    item = bpy.context.object
    item.name = item.data.name = name
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide(number_cuts=3)
    bpy.ops.object.mode_set(mode="OBJECT")
    return item


def armature(name: str = "Rig") -> bpy.types.Object:
    """Three bones in a chain along Z, and one beside them."""
    data = bpy.data.armatures.new(name)
    item = link(bpy.data.objects.new(name, data))
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.mode_set(mode="EDIT")
    above = None
    for number in range(3):
        bone = data.edit_bones.new(f"Bone.{number}")
        bone.head, bone.tail = (0, 0, -2 + 4 * number / 3), (0, 0.1, -2 + 4 * (number + 1) / 3)
        bone.parent, bone.roll = above, 0.3 * number
        above = bone
    side = data.edit_bones.new("Side")
    side.head, side.tail = (1, 0, 0), (2, 0, 0)
    bpy.ops.object.mode_set(mode="OBJECT")
    for number in range(3):
        bone = item.pose.bones[f"Bone.{number}"]
        bone.rotation_mode = "XYZ"
        for frame, angle in ((1, 0.0), (9, 0.7)):
            bone.rotation_euler = (angle, angle / 2, -angle)
            bone.location = (0, angle / 4, 0)
            bone.keyframe_insert("rotation_euler", frame=frame)
            bone.keyframe_insert("location", frame=frame)
    return item


def rigged(mesh: bpy.types.Object, rig: bpy.types.Object) -> bpy.types.ArmatureModifier:
    """Smooth weights along Z, not normalised."""
    heights = np.array([v.co.z for v in mesh.data.vertices])
    for number in range(3):
        group = mesh.vertex_groups.new(name=f"Bone.{number}")
        middle = -2 + 4 * (number + 0.5) / 3
        for index, height in enumerate(heights):
            weight = max(0.0, 0.9 - abs(height - middle) / 1.6)
            if weight:
                group.add([index], weight, "REPLACE")
    mesh.parent = rig
    modifier = mesh.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    bpy.context.view_layer.update()
    return modifier


def keyed(mesh: bpy.types.Object) -> None:
    """Two shape keys whose values move, one of them masked by a vertex group."""
    mesh.shape_key_add(name="Basis")
    mask = mesh.vertex_groups.new(name="Mask")
    mask.add([0, 1, 2, 3], 0.5, "REPLACE")
    for number, name in enumerate(("Wide", "Tall.L")):
        key = mesh.shape_key_add(name=name)
        for index in range(8):
            key.data[index].co[number] += 0.2 * (index + 1)
        for frame, value in ((1, 0.0), (9, 0.8 - 0.3 * number)):
            key.value = value
            key.keyframe_insert("value", frame=frame)
    mesh.data.shape_keys.key_blocks["Tall.L"].vertex_group = "Mask"


def assert_skinned_as_in_blender(stage: Usd.Stage, meshes: int) -> None:
    """Let USD bake its skinning, and compare all meshes in the world."""
    bound = [p for p in stage.Traverse() if p.HasAPI(UsdSkel.BindingAPI) and p.IsA(UsdGeom.Mesh)]
    assert len(bound) == meshes
    for prim in bound:
        assert UsdGeom.Mesh(prim).GetPointsAttr().GetNumTimeSamples() == 0
    # It leaves prims alone that it cannot skin: their points would stay as they were bound.
    assert UsdSkel.BakeSkinning(stage.Traverse(), Gf.Interval(FRAMES[0], FRAMES[-1]))
    for frame in FRAMES:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        assert differences(stage_meshes(stage, frame), scene_meshes()) < 2e-4


@pytest.mark.parametrize("keys", [False, True])
def test_a_rigged_mesh_moves_as_in_blender(keys: bool) -> None:
    rig, mesh = armature(), tube("Tube")
    rig.location, rig.rotation_euler, rig.scale = (1, 2, 3), (0.1, 0.2, 0.3), (2, 2, 2)
    mesh.location = (0.1, 0, 0.05)
    if keys:
        keyed(mesh)
    rigged(mesh, rig)
    stage, warnings = streamed(frames=FRAMES, skeletons=True)
    assert warnings == []
    assert stage.GetPrimAtPath("/root/Rig").IsA(UsdSkel.Root)
    skeleton = UsdSkel.Skeleton(stage.GetPrimAtPath("/root/Rig/Rig"))
    joints = list(skeleton.GetJointsAttr().Get())
    assert joints[0] == "Bone_0"
    assert "Bone_0/Bone_1/Bone_2" in joints
    assert UsdSkel.Topology(joints).Validate()
    mesh_prim = UsdSkel.BindingAPI(stage.GetPrimAtPath("/root/Rig/Tube/Tube"))
    size = mesh_prim.GetJointIndicesPrimvar().GetElementSize()
    weights = np.array(mesh_prim.GetJointWeightsPrimvar().Get()).reshape(-1, size)
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert size <= 3
    assert bool(mesh_prim.GetBlendShapesAttr().Get()) is keys
    assert_skinned_as_in_blender(stage, 1)


def test_rest_and_bind_transforms_are_the_armatures() -> None:
    rig = armature()
    stage, _ = streamed(frames=FRAMES, skeletons=True)
    skeleton = UsdSkel.Skeleton(stage.GetPrimAtPath("/root/Rig/Rig"))
    joints = [str(joint) for joint in skeleton.GetJointsAttr().Get()]
    for path, matrix in zip(joints, skeleton.GetBindTransformsAttr().Get(), strict=True):
        name = path.rpartition("/")[2].replace("_", ".")
        if name in rig.data.bones:
            expected = np.array(rig.data.bones[name].matrix_local).T
            assert np.allclose(np.array(matrix), expected, atol=1e-6)
    query = UsdSkel.Cache().GetSkelQuery(skeleton)
    rest = query.ComputeJointSkelTransforms(Usd.TimeCode(1), True)
    assert np.allclose(np.array(rest), np.array(query.GetJointWorldBindTransforms()), atol=1e-5)
    for frame in FRAMES:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        posed = query.ComputeJointSkelTransforms(Usd.TimeCode(frame))
        for path, matrix in zip(joints, posed, strict=True):
            name = path.rpartition("/")[2].replace("_", ".")
            if name in rig.pose.bones:
                expected = np.array(rig.pose.bones[name].matrix).T
                assert np.allclose(np.array(matrix), expected, atol=1e-5)


def test_what_has_no_weights_stays_where_its_object_is() -> None:
    rig, mesh = armature(), tube("Tube")
    rigged(mesh, rig)
    for group in mesh.vertex_groups:
        group.remove(range(30))
    mesh.vertex_groups.new(name="Not A Bone").add(range(10), 1.0, "REPLACE")
    mesh.vertex_groups["Bone.0"].add([5], 0.0, "REPLACE")
    stage, warnings = streamed(frames=FRAMES, skeletons=True)
    assert warnings == []
    assert_skinned_as_in_blender(stage, 1)


def test_constructive_modifiers_before_the_armature_are_kept() -> None:
    rig, mesh = armature(), tube("Tube")
    mesh.modifiers.new("Subdivision", "SUBSURF").levels = 1
    rigged(mesh, rig)
    stage, warnings = streamed(frames=FRAMES, skeletons=True)
    assert warnings == []
    assert_skinned_as_in_blender(stage, 1)


def test_shape_keys_alone_are_blend_shapes() -> None:
    mesh = tube("Face")
    mesh.location = (3, 0, 0)
    keyed(mesh)
    stage, warnings = streamed(frames=FRAMES, skeletons=True)
    assert warnings == []
    shape = UsdSkel.BlendShape(stage.GetPrimAtPath("/root/Face/Face/Tall_L"))
    assert list(shape.GetPointIndicesAttr().Get()) == [0, 1, 2, 3]
    key = mesh.data.shape_keys.key_blocks["Tall.L"]
    offsets = [key.data[i].co.y - mesh.data.vertices[i].co.y for i in range(4)]
    assert np.allclose(np.array(shape.GetOffsetsAttr().Get())[:, 1], 0.5 * np.array(offsets))
    assert_skinned_as_in_blender(stage, 1)


def test_two_meshes_share_a_skeleton_under_one_root() -> None:
    rig, first, second = armature(), tube("First"), tube("Second")
    second.location = (4, 0, 0)
    for mesh in (first, second):
        keyed(mesh)
        rigged(mesh, rig)
    second.parent = None  # deformed all the same
    bpy.context.view_layer.update()
    stage, warnings = streamed(frames=FRAMES, skeletons=True)
    assert warnings == []
    roots = [str(p.GetPath()) for p in stage.Traverse() if p.IsA(UsdSkel.Root)]
    assert roots == ["/root"]
    assert_skinned_as_in_blender(stage, 2)


def preserve_volume(mesh: bpy.types.Object, rig: bpy.types.Object) -> None:
    mesh.modifiers["Armature"].use_deform_preserve_volume = True


def modifier_after(mesh: bpy.types.Object, rig: bpy.types.Object) -> None:
    mesh.modifiers.new("Subdivision", "SUBSURF")


def bendy_bones(mesh: bpy.types.Object, rig: bpy.types.Object) -> None:
    rig.data.bones["Bone.1"].bbone_segments = 8
    rig.pose.bones["Bone.1"].bbone_curveinx = 0.5


def moving_mesh(mesh: bpy.types.Object, rig: bpy.types.Object) -> None:
    for frame, x in ((1, 0), (9, 2)):
        mesh.location.x = x
        mesh.keyframe_insert("location", frame=frame)


def sheared(mesh: bpy.types.Object, rig: bpy.types.Object) -> None:
    rig.pose.bones["Bone.0"].scale = (3, 0.5, 1)
    rig.data.bones["Bone.1"].inherit_scale = "NONE"


def flattened(mesh: bpy.types.Object, rig: bpy.types.Object) -> None:
    rig.pose.bones["Bone.0"].scale = (0, 0, 0)


@pytest.mark.parametrize(
    "spoil", [preserve_volume, modifier_after, bendy_bones, moving_mesh, sheared]
)
def test_what_a_skeleton_cannot_do_has_its_points_at_every_frame(spoil: object) -> None:
    rig, mesh = armature(), tube("Tube")
    rigged(mesh, rig)
    spoil(mesh, rig)
    bpy.context.view_layer.update()
    stage, warnings = streamed(frames=FRAMES, skeletons=True)
    assert any(w.startswith("Tube: ") and "points" in w for w in warnings), warnings
    prim = stage.GetPrimAtPath("/root/Rig/Tube/Tube")
    assert not prim.HasAPI(UsdSkel.BindingAPI)
    for frame in FRAMES:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        assert differences(stage_meshes(stage, frame), scene_meshes()) < 1e-5
    assert mesh.modifiers["Armature"].show_viewport


def test_a_bone_of_no_size_does_no_harm() -> None:
    rig, mesh = armature(), tube("Tube")
    rigged(mesh, rig)
    flattened(mesh, rig)
    stage, _ = streamed(frames=FRAMES, skeletons=True)
    query = UsdSkel.Cache().GetSkelQuery(UsdSkel.Skeleton(stage.GetPrimAtPath("/root/Rig/Rig")))
    assert np.isfinite(np.array(query.ComputeJointSkelTransforms(Usd.TimeCode(4)))).all()


def test_without_skeletons_points_are_written() -> None:
    rig, mesh = armature(), tube("Tube")
    rigged(mesh, rig)
    stage, warnings = streamed(frames=FRAMES)
    assert warnings == []
    assert not any(p.IsA(UsdSkel.Root) for p in stage.Traverse())
    for frame in FRAMES:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        assert differences(stage_meshes(stage, frame), scene_meshes()) < 1e-5


@pytest.mark.parametrize("step", ["scene.skin", "scene.read"])
@pytest.mark.parametrize("names", [["Rig"], ["Tube"], ["Rig", "Tube"]])
def test_what_is_deleted_between_two_steps_does_no_harm(step: str, names: list[str]) -> None:
    rig, mesh = armature(), tube("Tube")
    keyed(mesh)
    rigged(mesh, rig)
    layer = Sdf.Layer.CreateAnonymous(".usdc")
    stream = read_stream([rig, mesh], "root", FRAMES, skeletons=True)
    left = list(names)
    for event in write_stream(stream, layer):
        if isinstance(event, Progress) and event.step == step:
            while left:
                bpy.data.objects.remove(bpy.data.objects[left.pop()])
    assert not left
    assert layer.GetPrimAtPath("/root")
