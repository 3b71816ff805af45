# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances on elements and of particles, and what hides, as Blender renders them."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from pxr import Usd, UsdGeom

from .streaming import grid, link, streamed, triangle
from .usd_world import differences, stage_meshes


def rendered_meshes() -> list[np.ndarray]:
    """World points of every mesh that renders: the viewport also shows what is instanced itself."""
    found = []
    for instance in bpy.context.evaluated_depsgraph_get().object_instances:
        item, original = instance.object, instance.object.original
        on_elements = {"VERTS", "FACES"}
        top = original if instance.parent is None else instance.parent.original
        if top.parent and top.parent.instance_type in on_elements:
            continue
        if item.type != "MESH" or original.hide_render:
            continue
        if not instance.is_instance:
            is_instancer = original.instance_type in on_elements or original.particle_systems
            if is_instancer and not original.show_instancer_for_render:
                continue
        matrix = np.array(instance.matrix_world)
        points = np.array([v.co for v in item.data.vertices]).reshape(-1, 3)
        found.append(points @ matrix[:3, :3].T + matrix[:3, 3])
    return found


def instanced_collection(name: str = "Parts") -> tuple[bpy.types.Collection, bpy.types.Object]:
    collection = bpy.data.collections.new(name)
    mesh = bpy.data.meshes.new("Part")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], [], [(0, 1, 2), (0, 1, 3)])
    collection.objects.link(bpy.data.objects.new("Part", mesh))
    empty = link(bpy.data.objects.new("Empty", None))
    empty.instance_type, empty.instance_collection = "COLLECTION", collection
    return collection, empty


@pytest.mark.parametrize("kind", ["VERTS", "FACES"])
@pytest.mark.parametrize("cells", [2, 6])
def test_children_are_instanced_on_elements(kind: str, cells: int) -> None:
    top = grid("Top", cells)
    top.location, top.rotation_euler, top.scale = (1, 2, 3), (0.1, 0.2, 0.3), (2, 2, 2)
    top.instance_type = kind
    top.use_instance_vertices_rotation = top.use_instance_faces_scale = True
    child = triangle("Child", top)
    child.location, child.rotation_euler = (0.1, 0, 0.2), (0, 0, 1)
    triangle("Grandchild", child).location = (0, 0, 1)
    _, empty = instanced_collection()
    empty.parent = top
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    grandchildren = len(top.data.vertices if kind == "VERTS" else top.data.polygons)
    assert len(stage_meshes(stage)) > grandchildren
    assert differences(stage_meshes(stage), rendered_meshes()) < 1e-4


def emitter(count: int, **fields: object) -> bpy.types.Object:
    item = grid("Emitter")
    item.location, item.scale = (3, 2, 1), (2, 1, 1)
    item.modifiers.new("Particles", "PARTICLE_SYSTEM")
    settings = item.particle_systems[0].settings
    settings.count, settings.particle_size, settings.size_random = count, 0.3, 0.5
    for name, value in fields.items():
        setattr(settings, name, value)
    return item


@pytest.mark.parametrize("count", [5, 40])
@pytest.mark.parametrize("render_type", ["OBJECT", "COLLECTION"])
@pytest.mark.parametrize("is_shown", [True, False])
def test_particles_show_objects(count: int, render_type: str, is_shown: bool) -> None:
    collection, _ = instanced_collection()
    item = emitter(
        count,
        type="HAIR",
        use_advanced_hair=True,
        render_type=render_type,
        instance_object=triangle("Leaf"),
        instance_collection=collection,
    )
    item.show_instancer_for_render = is_shown
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    assert differences(stage_meshes(stage), rendered_meshes()) < 1e-4
    instancers = [p for p in stage.Traverse() if p.IsA(UsdGeom.PointInstancer)]
    assert len(instancers) == (1 if count == 40 else 0)


def test_particles_are_born_move_and_keep_their_ids() -> None:
    emitter(
        30, frame_start=1, frame_end=10, lifetime=6, render_type="OBJECT",
        instance_object=triangle("Leaf"),
    )  # fmt: skip
    frames = tuple(float(f) for f in range(1, 13))
    for frame in (*frames, 1):  # from its cache a simulation comes otherwise than the first time
        bpy.context.scene.frame_set(int(frame))
    stage, _ = streamed(frames=frames)
    (instancer,) = (
        UsdGeom.PointInstancer(p) for p in stage.Traverse() if p.IsA(UsdGeom.PointInstancer)
    )
    counts, ids = [], []
    for frame in frames:
        bpy.context.scene.frame_set(int(frame))
        assert differences(stage_meshes(stage, frame), rendered_meshes()) < 1e-4
        counts.append(len(instancer.GetPositionsAttr().Get(frame)))
        ids.append(set(instancer.GetIdsAttr().Get(frame)))
    assert counts[0] < counts[5] > 0
    assert ids[4] & ids[5] and ids[2] - ids[11]


def test_fewer_particles_in_the_viewport_are_told() -> None:
    emitter(20, render_type="OBJECT", instance_object=triangle("Leaf"), display_percentage=50)
    _, warnings = streamed()
    assert any("Emitter" in w and "100 %" in w for w in warnings)


def visible(stage: Usd.Stage, path: str, frame: float = 0.0) -> bool:
    imageable = UsdGeom.Imageable(stage.GetPrimAtPath(path))
    return imageable.ComputeVisibility(frame) == "inherited"


def test_a_hidden_parent_does_not_hide_its_children() -> None:
    top = triangle("Top")
    triangle("Child", top)
    for frame, hidden in ((1, False), (3, True), (5, False)):
        top.hide_render = hidden
        top.keyframe_insert("hide_render", frame=frame)
    stage, _ = streamed(frames=(1.0, 2.0, 3.0, 4.0, 5.0))
    seen = [visible(stage, "/root/Top/Top", frame) for frame in range(1, 6)]
    assert seen == [True, True, False, False, True]
    assert all(visible(stage, "/root/Top/Child/Child", frame) for frame in range(1, 6))


def test_hidden_parents_of_every_kind_hide_what_they_show_alone() -> None:
    for name in ("First", "Second"):  # share one mesh: instances of a prototype
        item = triangle(name)
        item.data = bpy.data.meshes[bpy.data.objects["First"].data.name]
        item.hide_render = True
        triangle(f"Below {name}", item)
    stage, _ = streamed()
    assert not visible(stage, "/root/First/First")
    assert visible(stage, "/root/First/Below_First/Below_First")
    assert differences(stage_meshes(stage), rendered_meshes()) < 1e-6


def test_what_a_collection_hides_from_renders_is_invisible_in_its_instances() -> None:
    collection, _ = instanced_collection()
    collection.objects["Part"].hide_render = True
    stage, _ = streamed()
    assert not visible(stage, "/root/Empty/Parts/Part/Part")
