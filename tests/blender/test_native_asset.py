# SPDX-License-Identifier: GPL-3.0-or-later
"""What the exporter writes, made into an asset and held against the scene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom

from stagewright.addon.scene.host import BlenderHost
from stagewright.addon.scene.reading import read_scene
from stagewright.addon.scene.scope import exported_objects
from stagewright.pipeline.cli import main
from stagewright.usd_tools.asset import AssetFiles, author_asset
from stagewright.usd_tools.check import check_asset
from stagewright.usd_tools.findings import CheckReport
from stagewright.usd_tools.scene_record import SceneRecord
from stagewright.usd_tools.stages import object_name

from .scenes import (
    add_material,
    add_mesh,
    add_square,
    empty_scene,
    finish,
    instance_collection,
    instance_cubes,
)


@pytest.fixture(autouse=True)
def _empty() -> None:
    empty_scene()


def _record(frames: tuple[float, ...] = (1.0,)) -> SceneRecord:
    return finish(read_scene(exported_objects(bpy.context.scene.collection), frames))


def _export(folder: Path, *, animation: bool = False) -> Path:
    """The scene through the native exporter, as it is: nothing is prepared."""
    folder.mkdir(parents=True, exist_ok=True)
    native = folder / "native.usdc"
    bpy.ops.wm.usd_export(
        filepath=str(native),
        root_prim_path="/thing",
        author_blender_name=True,
        export_textures_mode="KEEP",
        relative_paths=False,
        export_animation=animation,
        export_subdivision="TESSELLATE",
        use_instancing=False,
        evaluation_mode="VIEWPORT",
        convert_world_material=False,
    )
    return native


def _asset(folder: Path, record: SceneRecord, **options: Any) -> AssetFiles:
    native = _export(folder, **options)
    root = folder / "asset" / "thing.usda"
    return finish(author_asset(native, root, name="thing", materials=record.materials))


def _check(folder: Path, frames: tuple[float, ...] = (1.0,)) -> CheckReport:
    record = _record(frames)
    files = _asset(folder, record, animation=len(frames) > 1)
    return finish(check_asset(files.root, record))


def _serious(report: CheckReport) -> list[tuple[str, str]]:
    return [(f.check, f.object) for f in report.findings if f.severity in ("error", "loss")]


def test_a_plain_scene_loses_nothing(tmp_path: Path) -> None:
    glass = add_material("Glass été", **{"Alpha": 0.25, "Roughness": 0.1, "Metallic": 0.5})
    parent = add_square("Base plate")
    parent.location, parent.rotation_euler = (3, -2, 40), (0.4, -2.5, 3.0)
    child = add_square("Lid.001")
    child.parent, child.location, child.scale = parent, (1, 1, 1), (2, 2, 2)
    child.data.materials.append(glass)
    twin = bpy.data.objects.new("Lid_001", child.data)
    bpy.context.scene.collection.objects.link(twin)
    instance_collection("Group", add_square("Part"))
    report = _check(tmp_path)
    assert _serious(report) == []
    assert report.compared >= 4
    assert report.greatest_distance is not None
    assert report.greatest_distance < 1e-4


def test_moving_and_deformed_parts_are_followed(tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 5
    mover = add_square("Mover")
    mover.keyframe_insert("location", frame=1)
    mover.location = (0, 0, 8)
    mover.keyframe_insert("location", frame=5)
    armature = bpy.data.armatures.new("Rig")
    rig = bpy.data.objects.new("Rig", armature)
    scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for index, name in enumerate("ab"):
        bone = armature.edit_bones.new(name)
        bone.head, bone.tail = (0, 0, index), (0, 0, index + 1)
        bone.parent = armature.edit_bones["a"] if index else None
    bpy.ops.object.mode_set(mode="OBJECT")
    flag = add_mesh(
        "Flag",
        [(0, 0, 0), (1, 0, 0), (1, 0, 1.5), (0, 0, 1.5)],
        [(0, 1, 2, 3)],
    )
    for name, vertices in (("a", [0, 1]), ("b", [2, 3])):
        flag.vertex_groups.new(name=name).add(vertices, 1.0, "REPLACE")
    flag.modifiers.new("Armature", "ARMATURE").object = rig
    flag.parent = rig
    bone = rig.pose.bones["b"]
    bone.rotation_mode = "XYZ"
    bone.keyframe_insert("rotation_euler", frame=1)
    bone.rotation_euler = (1.2, 0.3, 0)
    bone.keyframe_insert("rotation_euler", frame=5)
    scene.frame_set(1)
    record = _record((1.0, 3.0, 5.0))
    moved = [m.world_points[0] for m in record.meshes if m.object == "Flag"]
    assert np.abs(moved[0] - moved[2]).max() > 0.3
    report = _check(tmp_path, (1.0, 3.0, 5.0))
    assert _serious(report) == []
    assert report.compared == 2


def test_a_sheared_part_is_a_loss(tmp_path: Path) -> None:
    parent = add_square("Parent")
    parent.scale = (4, 1, 1)
    child = add_square("Child")
    child.parent = parent
    child.rotation_euler = (0, 0, 0.6)
    child.matrix_parent_inverse.identity()
    # Under its own parent the shear lives in the parent's transform, which the
    # file keeps; made its own, three angles and three scales cannot hold it.
    matrix = child.matrix_basis.copy()
    bpy.context.view_layer.update()
    world = child.matrix_world.copy()
    child.parent = None
    child.matrix_parent_inverse = world @ matrix.inverted()
    sheared = bpy.data.objects.new("Holder", None)
    bpy.context.scene.collection.objects.link(sheared)
    child.parent = sheared
    child.matrix_parent_inverse = world @ matrix.inverted()
    report = _check(tmp_path)
    assert ("mesh-points", "Child") in _serious(report)
    assert ("mesh-points", "Parent") not in _serious(report)


def test_instances_of_a_node_tree_are_lost_by_the_exporter_and_found(tmp_path: Path) -> None:
    scatter = add_square("Scatter")
    instance_cubes(scatter, 0.1)
    report = _check(tmp_path)
    lost = [check for check, name in _serious(report) if name == "Scatter"]
    assert lost, report.findings


def test_names_that_the_exporter_has_to_change_give_the_same_bytes(tmp_path: Path) -> None:
    hub = add_square("Hub")
    for name in ("Part.001", "Part_001", "Part 001", "Part_002", "Pärt"):
        add_square(name).parent = hub
    record = _record()
    contents = set()
    for index in range(6):
        files = _asset(tmp_path / str(index), record)
        contents.add(tuple(f.read_bytes() for f in files.layers))
        assert _serious(finish(check_asset(files.root, record))) == []
    assert len(contents) == 1


def test_what_the_exporter_writes_over_each_other_is_found(tmp_path: Path) -> None:
    hub = add_square("Hub")
    hub.data.name = "Part"  # the exporter's name for the mesh and for the child
    part = add_square("Part")
    part.parent, part.location = hub, (0, 0, 5)
    for name in ("Red.1", "Red 1"):
        add_square(f"In {name}").data.materials.append(add_material(name))
    found = _serious(_check(tmp_path))
    assert {name for _, name in found} & {"Part", "Hub"}
    assert "material-missing" in {check for check, _ in found}


def test_images_of_one_name_from_two_folders_stay_apart(tmp_path: Path) -> None:
    for index, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        image = bpy.data.images.new(f"{folder}", 4 + index, 4)
        image.filepath_raw = str(tmp_path / folder / "paint.png")
        image.file_format = "PNG"
        image.save()
        material = add_material(folder)
        tree = material.node_tree
        texture = tree.nodes.new("ShaderNodeTexImage")
        texture.image = image
        surface = next(n for n in tree.nodes if n.type == "BSDF_PRINCIPLED")
        tree.links.new(texture.outputs["Color"], surface.inputs["Base Color"])
        add_square(f"Square {folder}").data.materials.append(material)
    record = _record()
    files = _asset(tmp_path / "out", record)
    assert _serious(finish(check_asset(files.root, record))) == []
    assert len(files.textures) == 2
    look = Sdf.Layer.FindOrOpen(str(files.root.with_name("thing_look.usda")))
    assert str(tmp_path) not in look.ExportToString()


def test_what_lies_on_faces_reaches_the_native_file(tmp_path: Path) -> None:
    item = add_mesh(
        "Plate",
        [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (2, 0, 1), (2, 1, 1)],
        [(0, 1, 2, 3), (1, 4, 5, 2)],
    )
    mesh = item.data
    for index, name in enumerate(("First", "Second")):
        layer = mesh.uv_layers.new(name=name)
        layer.uv.foreach_set("vector", np.linspace(0, 1 + index, 16, dtype=np.float32))
    mesh.uv_layers["Second"].active_render = True
    colour = mesh.color_attributes.new("Col", "FLOAT_COLOR", "CORNER")
    colour.data.foreach_set("color", np.linspace(0, 1, 32, dtype=np.float32))
    heat = mesh.attributes.new("heat", "FLOAT", "POINT")
    heat.data.foreach_set("value", np.linspace(0, 1, 6, dtype=np.float32))
    for name in ("Red", "Blue"):
        mesh.materials.append(add_material(name))
    mesh.polygons[1].material_index = 1
    mesh.polygons[0].use_smooth = True
    assert _serious(_check(tmp_path)) == []
    record = _record()
    root = tmp_path / "asset" / "thing.usda"
    layer.uv.foreach_set("vector", np.zeros(16, np.float32))
    heat.data[3].value = 0.9
    mesh.polygons[1].material_index = 0
    mesh.polygons[0].material_index = 1
    mesh.polygons[0].use_smooth = False
    mesh.shade_flat()
    mesh.update()
    assert _serious(finish(check_asset(root, record))) == []
    found = _serious(finish(check_asset(root, _record())))
    expected = ["mesh-attribute", "mesh-materials", "mesh-uv"]
    assert [c for c, name in found if name == "Plate" and c != "mesh-normals"] == expected


def test_any_file_is_checked_against_a_blend(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    item = add_square("Plate")
    item.data.uv_layers.new(name="UVMap")
    scatter = add_square("Scatter")
    instance_cubes(scatter, 0.1)
    blend, native = tmp_path / "scene.blend", _export(tmp_path / "out")
    item.data.uv_layers[0].uv[2].vector = (0.25, 0.75)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    words = ["usd", "check", str(native), "--against", str(blend), "--json"]
    # A raw export is no published asset, which errors say; the losses are the point.
    assert main(words, BlenderHost()) == 1
    result = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert result["event"] == "result"
    lost = [f for f in result["value"]["findings"] if f["severity"] == "loss"]
    assert ("mesh-uv", "Plate") in {(f["check"], f["object"]) for f in lost}
    assert {f["object"] for f in lost} == {"Plate", "Scatter"}


def test_a_keyed_visibility_is_lost_by_the_exporter_and_found(tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 3
    blink = add_square("Blink")
    add_square("Still")
    for frame, hidden in ((1, False), (3, True)):
        blink.hide_render = hidden
        blink.keyframe_insert("hide_render", frame=frame)
    scene.frame_set(1)
    assert ("object-visibility", "Blink") in _serious(_check(tmp_path, (1.0, 3.0)))
    assert "Still" not in {name for _, name in _serious(_check(tmp_path / "b", (1.0, 3.0)))}
    path = tmp_path / "out" / "asset" / "thing.usda"
    record = _record((1.0, 3.0))
    _asset(tmp_path / "out", record, animation=True)
    stage = Usd.Stage.Open(str(path))
    prim = next(p for p in stage.Traverse() if object_name(p) == "Blink")
    for time, value in ((1.0, "inherited"), (3.0, "invisible")):
        UsdGeom.Imageable(prim).CreateVisibilityAttr().Set(value, time)
    stage.GetRootLayer().Save()
    assert _serious(finish(check_asset(path, record))) == []
