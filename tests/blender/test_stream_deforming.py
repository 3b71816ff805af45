# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes whose shape, faces or very being changes, at every frame as in Blender."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdShade

from .test_stream import grid, nodes, streamed
from .usd_world import differences, scene_meshes, stage_meshes

FRAMES = (1.0, 2.0, 3.25, 6.0, 9.0)


def assert_every_frame_as_in_blender(stage: Usd.Stage, frames: tuple[float, ...] = FRAMES) -> None:
    for frame in frames:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        assert differences(stage_meshes(stage, frame), scene_meshes()) < 1e-5


def sampled(stage: Usd.Stage, path: str) -> set[str]:
    attributes = stage.GetPrimAtPath(path).GetAttributes()
    return {a.GetName() for a in attributes if a.GetNumTimeSamples()}


def test_points_and_normals_of_a_wave_are_sampled_and_nothing_else() -> None:
    item = grid(cells=6)
    item.modifiers.new("Wave", "WAVE")
    item.data.polygons.foreach_set("use_smooth", [True] * len(item.data.polygons))
    frames = (1.0, 10.0, 10.5, 40.0)
    stage, warnings = streamed(frames=frames)
    assert warnings == []
    assert_every_frame_as_in_blender(stage, frames)
    assert sampled(stage, "/root/Grid/Grid") == {"points", "normals", "extent"}
    usd = UsdGeom.Mesh(stage.GetPrimAtPath("/root/Grid/Grid"))
    for frame in frames:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        shown = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
        expected = np.array([n.vector for n in shown.data.corner_normals])
        assert np.allclose(usd.GetNormalsAttr().Get(frame), expected, atol=1e-6)


def test_a_mesh_whose_faces_come_and_go_is_whole_at_every_frame() -> None:
    item = grid(cells=6)
    for name in ("Red", "Blue"):
        item.data.materials.append(bpy.data.materials.new(name))
    item.data.polygons.foreach_set("material_index", [i % 2 for i in range(36)])
    build = item.modifiers.new("Build", "BUILD")
    build.frame_start, build.frame_duration = 1, 8
    stage, warnings = streamed(frames=FRAMES)
    assert warnings == []
    assert_every_frame_as_in_blender(stage)
    prim = stage.GetPrimAtPath("/root/Grid/Grid")
    usd = UsdGeom.Mesh(prim)
    st = UsdGeom.PrimvarsAPI(prim).GetPrimvar("st")
    counts = set()
    for frame in FRAMES:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        mesh = item.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        faces = usd.GetFaceVertexCountsAttr().Get(frame)
        counts.add(len(faces))
        assert len(faces) == len(mesh.polygons)
        corners = np.array(usd.GetFaceVertexIndicesAttr().Get(frame), np.int32)
        assert list(corners) == [loop.vertex_index for loop in mesh.loops]
        uvs = np.array([uv.vector for uv in mesh.uv_layers[0].uv]).reshape(-1, 2)
        assert np.allclose(np.array(st.ComputeFlattened(frame)).reshape(-1, 2), uvs)
        assert len(usd.GetNormalsAttr().Get(frame)) == len(corners)
        by_name = {
            s.GetPrim().GetName(): list(s.GetIndicesAttr().Get(frame))
            for s in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
        }
        for slot, name in enumerate(("Red", "Blue")):
            expected = [p.index for p in mesh.polygons if p.material_index == slot]
            assert by_name[name] == expected
    assert len(counts) > 3


def test_a_mesh_that_nodes_take_away_is_invisible_meanwhile() -> None:
    item = grid(cells=3)
    tree, add = nodes(item)
    group, out = add("NodeGroupInput"), add("NodeGroupOutput")
    delete = add("GeometryNodeDeleteGeometry")
    tree.links.new(group.outputs[0], delete.inputs[0])
    tree.links.new(delete.outputs[0], out.inputs[0])
    selection = delete.inputs["Selection"]
    for frame, gone in ((1, True), (2, False), (6, True), (9, False)):
        selection.default_value = gone
        selection.keyframe_insert("default_value", frame=frame)
    frames = (1.0, 2.0, 3.0, 6.0, 7.0, 9.0)
    stage, _ = streamed(frames=frames)
    imageable = UsdGeom.Imageable(stage.GetPrimAtPath("/root/Grid/Grid"))
    seen = [imageable.ComputeVisibility(frame) == "inherited" for frame in frames]
    assert seen == [False, True, True, False, False, True]
    assert_every_frame_as_in_blender(stage, frames)


@pytest.mark.parametrize("frames", [(1.0, 9.0), FRAMES])
def test_a_still_mesh_has_no_samples_in_an_animation(frames: tuple[float, ...]) -> None:
    grid()
    stage, _ = streamed(frames=frames)
    assert sampled(stage, "/root/Grid/Grid") == sampled(stage, "/root/Grid") == set()
