# SPDX-License-Identifier: GPL-3.0-or-later
"""An asset by the direct writer: the same three layers, held against the scene."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy
import pytest
from pxr import Kind, Sdf, Usd, UsdGeom, UsdLux, UsdShade

from stagewright.addon.scene.host import BlenderHost
from stagewright.pipeline.export import CheckedAsset, export_asset
from stagewright.pipeline.host import SceneRequest

from .scenes import add_mesh, empty_scene, finish


@pytest.fixture(autouse=True)
def _empty() -> None:
    empty_scene()


def _cube(name: str) -> bpy.types.Object:
    bpy.ops.mesh.primitive_cube_add()
    item = bpy.context.object
    item.name = item.data.name = name
    return item


def _exported(folder: Path, **options: object) -> CheckedAsset:
    folder.mkdir()
    request = SceneRequest("", "thing", engine="stagewright", **options)
    return finish(export_asset(BlenderHost(), request, folder / "thing.usda", folder, []))


def test_the_direct_writer_makes_an_asset_that_passes_all_checks(tmp_path: Path) -> None:
    top = _cube("Top")
    top.location = (1, 2, 3)
    low = add_mesh("Низ", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    low.parent = top
    low.keyframe_insert("location", frame=1)
    low.location.z = 5
    low.keyframe_insert("location", frame=10)
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 10
    asset = _exported(tmp_path / "out")
    assert [f for f in asset.checks.findings if f.severity != "info"] == []
    assert asset.checks.compared == 2
    root = Sdf.Layer.FindOrOpen(str(asset.files.root))
    prim = root.GetPrimAtPath("/thing")
    assert prim.kind == Kind.Tokens.component
    assert [p.assetPath for p in prim.payloadList.prependedItems] == ["./thing_geometry.usdc"]
    assert [r.assetPath for r in prim.referenceList.prependedItems] == ["./thing_look.usda"]
    stage = Usd.Stage.Open(root)
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (1, 10)
    moved = UsdGeom.XformCache(10).GetLocalToWorldTransform(stage.GetPrimAtPath("/thing/Top/Низ"))
    assert moved.ExtractTranslation() == (1, 2, 8)


def test_the_same_scene_gives_the_same_bytes(tmp_path: Path) -> None:
    for number in range(20):
        _cube(f"Cube {number}").location.x = 3 * number
    first, second = (_exported(tmp_path / name) for name in ("first", "second"))
    for one, other in zip(first.files.layers, second.files.layers, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_instances_keep_the_look_that_lies_in_a_layer_of_its_own(tmp_path: Path) -> None:
    first = _cube("First")
    first.data.materials.append(bpy.data.materials.new("Red"))
    for number in range(2):
        copy = bpy.data.objects.new(f"Copy {number}", first.data)
        copy.location.x = 3.0 * (number + 1)
        bpy.context.scene.collection.objects.link(copy)
    root = str(_exported(tmp_path / "out").files.root)
    shot = Usd.Stage.CreateInMemory()
    shot.DefinePrim("/Shot/one").GetReferences().AddReference(root)
    for stage, top in ((Usd.Stage.Open(root), "/thing"), (shot, "/Shot/one")):
        meshes = [
            prim for prim in stage.Traverse(Usd.TraverseInstanceProxies()) if prim.IsA(UsdGeom.Mesh)
        ]
        assert len(meshes) == 3 and all(mesh.IsInstanceProxy() for mesh in meshes)
        for mesh in meshes:
            binding = UsdShade.MaterialBindingAPI(mesh).GetDirectBinding()
            assert binding.GetMaterialPath() == f"{top}/_materials/Red"


def test_an_asset_inherits_a_class_by_which_all_its_uses_change(tmp_path: Path) -> None:
    _cube("Crate")
    root = str(_exported(tmp_path / "out").files.root)
    assembly = Usd.Stage.CreateInMemory()
    for number in range(2):
        assembly.DefinePrim(f"/Set/crate_{number}").GetReferences().AddReference(root)
    assembly.CreateClassPrim("/__class__/thing").CreateAttribute(
        "tint", Sdf.ValueTypeNames.Float
    ).Set(0.5)
    uses = [assembly.GetPrimAtPath(f"/Set/crate_{number}") for number in range(2)]
    assert [use.GetAttribute("tint").Get() for use in uses] == [0.5, 0.5]


def test_a_blender_without_usd_loads_everything_that_reads_scenes() -> None:
    source = """
import bpy, sys
sys.modules["pxr"] = None
import stagewright.addon.scene.host
import stagewright.addon
"""
    subprocess.run([sys.executable, "-c", source], check=True, timeout=120)


def test_baked_inputs_are_images_of_the_asset(tmp_path: Path) -> None:
    cube = _cube("Cube")
    material = bpy.data.materials.new("Noisy")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    nodes = material.node_tree.nodes
    noise = nodes.new("ShaderNodeTexNoise")
    material.node_tree.links.new(
        noise.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"]
    )
    cube.data.materials.append(material)
    asset = _exported(tmp_path / "out", bake=64)
    assert [texture.name for texture in asset.files.textures] == ["Noisy_Base_Color.png"]
    serious = [f for f in asset.checks.findings if f.severity in ("error", "loss")]
    assert serious == []


def test_steps_between_frames_are_sampled(tmp_path: Path) -> None:
    item = _cube("Moving")
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 3
    for frame, place in ((1, 0.0), (3, 4.0)):
        item.location.x = place
        item.keyframe_insert("location", frame=frame)
    asset = _exported(tmp_path / "out", step=0.75)
    assert [f for f in asset.checks.findings if f.severity != "info"] == []
    stage = Usd.Stage.Open(str(asset.files.root))
    moved = UsdGeom.Xformable(stage.GetPrimAtPath("/thing/Moving"))
    # Always the last frame, too.
    assert moved.GetTimeSamples() == [1.0, 1.75, 2.5, 3.0]
    bpy.context.scene.frame_set(1, subframe=0.75)
    place = moved.GetLocalTransformation(1.75).ExtractTranslation()
    assert place[0] == pytest.approx(item.matrix_world.translation.x, abs=1e-6)
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (1, 3)


def test_another_axis_may_be_up(tmp_path: Path) -> None:
    _cube("High").location = (0, 0, 5)
    asset = _exported(tmp_path / "out", up_axis="Y")
    assert [f for f in asset.checks.findings if f.severity != "info"] == []
    stage = Usd.Stage.Open(str(asset.files.root))
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    place = UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath("/thing/High"))
    assert tuple(place.ExtractTranslation()) == pytest.approx((0, 5, 0), abs=1e-6)


def test_the_world_comes_along_when_it_is_asked_for(tmp_path: Path) -> None:
    _cube("Lit")
    world = bpy.data.worlds.new("Sky")
    bpy.context.scene.world = world
    if world.node_tree is None:
        world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.5
    found = []
    for name, wanted in (("without", False), ("with", True)):
        asset = _exported(tmp_path / name, world=wanted)
        stage = Usd.Stage.Open(str(asset.files.root))
        found.append([p.GetTypeName() for p in stage.Traverse() if p.IsA(UsdLux.DomeLight)])
    assert found == [[], ["DomeLight"]]
