# SPDX-License-Identifier: GPL-3.0-or-later
"""Variants, collections and purposes, read back through USD's own composition."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from pxr import Usd, UsdGeom, UsdShade

from stagewright.addon.scene.host import BlenderHost
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Message
from stagewright.pipeline.export import CheckedAsset, check_against, export_asset
from stagewright.pipeline.host import SceneRequest

from .scenes import add_material, empty_scene, finish
from .streaming import triangle


@pytest.fixture(autouse=True)
def _empty() -> None:
    empty_scene()


def collection(name: str, *objects: bpy.types.Object) -> bpy.types.Collection:
    made = bpy.data.collections.new(name)
    bpy.context.scene.collection.children.link(made)
    for item in objects:
        bpy.context.scene.collection.objects.unlink(item)
        made.objects.link(item)
    return made


def exported(folder: Path) -> CheckedAsset:
    folder.mkdir()
    request = SceneRequest("", "thing", engine="stagewright")
    return finish(export_asset(BlenderHost(), request, folder / "thing.usda", folder, []))


def meshes(stage: Usd.Stage) -> set[str]:
    return {
        str(p.GetParent().GetPath())
        for p in stage.Traverse(Usd.TraverseInstanceProxies())
        if p.IsA(UsdGeom.Mesh)
    }


def test_collections_called_set_and_variant_are_variants(tmp_path: Path) -> None:
    body = triangle("Body")
    high, low = triangle("High", body), triangle("Low", body)
    high.location.x, low.location.x = 1, 2
    detail = triangle("Detail", high)
    both = triangle("Both")
    collection("lod=high", high, detail, both)
    collection("lod=low", low).objects.link(both)
    bpy.context.view_layer.update()
    asset = exported(tmp_path / "out")
    assert [f.message for f in asset.checks.findings if f.severity != "info"] == []
    assert asset.checks.compared == 4
    stage = Usd.Stage.Open(str(asset.files.root))
    lod = stage.GetPrimAtPath("/thing").GetVariantSet("lod")
    assert (lod.GetVariantNames(), lod.GetVariantSelection()) == (["high", "low"], "high")
    always = {"/thing/Body", "/thing/Both"}
    assert meshes(stage) == always | {"/thing/Body/High", "/thing/Body/High/Detail"}
    lod.SetVariantSelection("low")
    assert meshes(stage) == always | {"/thing/Body/Low"}
    place = UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath("/thing/Body/Low"))
    assert place.ExtractTranslation() == (2, 0, 0)
    points = UsdGeom.Mesh(stage.GetPrimAtPath("/thing/Body/Low/Low")).GetPointsAttr().Get()
    assert [tuple(p) for p in points] == [(0, 0, 0), (1, 0, 0), (0, 2, 0.5)]
    unloaded = Usd.Stage.Open(str(asset.files.root), Usd.Stage.LoadNone)
    names = unloaded.GetPrimAtPath("/thing").GetVariantSet("lod").GetVariantNames()
    assert names == ["high", "low"]


@pytest.mark.parametrize("engine", ["native", "stagewright"])
def test_only_what_is_selected_is_exported_on_request(tmp_path: Path, engine: str) -> None:
    top = triangle("Top")
    kept, left = triangle("Kept", top), triangle("Left")
    top.location.x = 2
    for item in (top, kept, left):
        item.select_set(item == kept)
    bpy.context.view_layer.update()
    request = SceneRequest("", "thing", engine=engine, selected=True)
    root = tmp_path / "thing.usda"
    asset = finish(export_asset(BlenderHost(), request, root, tmp_path, []))
    stage = Usd.Stage.Open(str(root))
    (mesh,) = [p for p in stage.Traverse() if p.IsA(UsdGeom.Mesh)]
    place = UsdGeom.XformCache().GetLocalToWorldTransform(mesh)
    assert (mesh.GetParent().GetName(), place.ExtractTranslation()) == ("Kept", (2, 0, 0))
    assert asset.checks.compared == 1
    kept.select_set(False)
    with pytest.raises(StagewrightError, match="selected"):
        finish(export_asset(BlenderHost(), request, root, tmp_path, []))


def test_what_a_variant_instances_is_compared_where_it_shows(tmp_path: Path) -> None:
    """Objects of collections that variants instance are in no variant themselves."""
    tree = bpy.data.collections.new("Tree")
    leaf = bpy.data.objects.new("Leaf", triangle("Leaf data").data)
    tree.objects.link(leaf)
    for number, name in enumerate(("lod=high", "lod=low")):
        use = bpy.data.objects.new(f"Use {number}", None)
        use.instance_type, use.instance_collection = "COLLECTION", tree
        use.location.x = 3.0 * number
        bpy.context.scene.collection.objects.link(use)
        collection(name, use)
    bpy.context.view_layer.update()
    asset = exported(tmp_path / "out")
    assert [f.message for f in asset.checks.findings if f.severity != "info"] == []


@pytest.mark.parametrize("engine", ["native", "stagewright"])
def test_files_with_and_without_variants_are_checked_against_the_scene(
    tmp_path: Path, engine: str
) -> None:
    collection("lod=high", triangle("High"))
    collection("lod=low", triangle("Low"))
    triangle("Always")
    bpy.context.view_layer.update()
    request = SceneRequest("", "thing", engine=engine)
    root = tmp_path / "out" / "thing.usda"
    root.parent.mkdir()
    finish(export_asset(BlenderHost(), request, root, tmp_path / "work", []))
    checks = check_against(
        BlenderHost(), SceneRequest("", "thing"), root, tmp_path / "check", [], "usd"
    )
    report = finish(checks)
    assert [f.message for f in report.findings if f.severity == "loss"] == []
    assert report.compared == (3 if engine == "native" else 2)


def test_variants_give_the_same_bytes(tmp_path: Path) -> None:
    for number in range(6):
        collection(f"lod={number % 3}.{number:03}", triangle(f"Item {number}"))
    bpy.context.view_layer.update()
    first, second = (exported(tmp_path / name) for name in ("first", "second"))
    for one, other in zip(first.files.layers, second.files.layers, strict=True):
        assert one.read_bytes() == other.read_bytes()


def messages(folder: Path) -> list[str]:
    folder.mkdir()
    job = export_asset(BlenderHost(), SceneRequest("", "thing"), folder / "thing.usda", folder, [])
    return [event.text for event in job if isinstance(event, Message)]


def test_variants_may_be_called_anything_and_what_usd_calls_them_is_told(tmp_path: Path) -> None:
    names = ["Größe=hoch", "Größe=sehr hoch", "Größe=sehr_hoch", "2 lod=v1.2", "2 lod=v1.3.001"]
    for number, name in enumerate(names):
        collection(name, triangle(f"Item {number}"))
    bpy.context.view_layer.update()
    told = messages(tmp_path / "out")
    assert [text for text in told if "is called" in text] == [
        "The variant 2 lod=v1.2 is called _2_lod=v1_2 in USD.",
        "The variant 2 lod=v1.3 is called _2_lod=v1_3 in USD.",
        "The variant Größe=sehr hoch is called Größe=sehr_hoch_1 in USD.",
    ]
    stage = Usd.Stage.Open(str(tmp_path / "out" / "thing.usda"))
    sets = stage.GetPrimAtPath("/thing").GetVariantSets()
    assert {name: sets.GetVariantSet(name).GetVariantNames() for name in sets.GetNames()} == {
        "Größe": ["hoch", "sehr_hoch", "sehr_hoch_1"],
        "_2_lod": ["v1_2", "v1_3"],
    }
    sets.GetVariantSet("Größe").SetVariantSelection("sehr_hoch_1")
    assert meshes(stage) == {"/thing/Item_1", "/thing/Item_3"}


def test_a_variant_of_which_nothing_is_shown_is_told(tmp_path: Path) -> None:
    collection("lod=high", triangle("High"))
    collection("lod=low", triangle("Low")).hide_viewport = True
    bpy.context.view_layer.update()
    (told,) = (text for text in messages(tmp_path / "out") if "lod" in text)
    assert told.startswith("The variant lod=low is empty")


@pytest.mark.usefixtures("addon")
def test_collections_cannot_take_the_variant_set_of_looks(tmp_path: Path) -> None:
    item = triangle("Item")
    item.data.materials.append(add_material("Paint"))
    collection("look=worn", item)
    look = bpy.context.scene.stagewright.looks.add()
    look.name = "golden"
    swap = look.swaps.add()
    swap.material, swap.instead = item.data.materials[0], add_material("Gold")
    bpy.context.view_layer.update()
    with pytest.raises(StagewrightError) as refused:
        exported(tmp_path / "out")
    assert refused.value.code == "look-taken"
    bpy.context.scene.stagewright.looks.clear()
    exported(tmp_path / "again")


def test_other_collections_are_usds_collections(tmp_path: Path) -> None:
    body = triangle("Body")
    lid = triangle("Lid", body)
    hook = triangle("Hook", lid)
    collection("Blue parts", body, hook)
    bpy.context.view_layer.update()
    stage = Usd.Stage.Open(str(exported(tmp_path / "out").files.root))
    parts = Usd.CollectionAPI(stage.GetPrimAtPath("/thing"), "Blue_parts")
    query = parts.ComputeMembershipQuery()
    inside = {str(p) for p in Usd.CollectionAPI.ComputeIncludedPaths(query, stage)}
    assert inside == {
        "/thing/Body",
        "/thing/Body/Body",
        "/thing/Body/Lid/Hook",
        "/thing/Body/Lid/Hook/Hook",
    }


def test_an_objects_own_purpose_is_stronger_than_its_collections(
    tmp_path: Path, addon: None
) -> None:
    fine, coarse, ruler = triangle("Fine"), triangle("Coarse"), triangle("Ruler")
    collection("Proxies", coarse, ruler).stagewright.purpose = "proxy"
    ruler.stagewright.purpose = "guide"
    bpy.context.view_layer.update()
    stage = Usd.Stage.Open(str(exported(tmp_path / "out").files.root))
    found = [
        UsdGeom.Imageable(stage.GetPrimAtPath(f"/thing/{name}/{name}")).ComputePurpose()
        for name in (fine.name, coarse.name, ruler.name)
    ]
    assert found == ["default", "proxy", "guide"]


@pytest.mark.usefixtures("addon")
def test_a_collection_is_the_variant_that_its_settings_say(tmp_path: Path) -> None:
    high, low = triangle("High"), triangle("Low")
    for name, item in (("high", high), ("low", low)):
        chosen = collection(f"Any {name}", item).stagewright
        chosen.variant_set, chosen.variant = "lod", name
    bpy.context.view_layer.update()
    stage = Usd.Stage.Open(str(exported(tmp_path / "out").files.root))
    sets = stage.GetPrimAtPath("/thing").GetVariantSets()
    assert sets.GetVariantSet("lod").GetVariantNames() == ["high", "low"]
    assert meshes(stage) == {"/thing/High"}


def bound(stage: Usd.Stage, path: str) -> str:
    """Name of the material that the mesh below an object shows."""
    (mesh,) = (
        prim
        for prim in Usd.PrimRange(stage.GetPrimAtPath(path), Usd.TraverseInstanceProxies())
        if prim.IsA(UsdGeom.Mesh)
    )
    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    return str(material.GetPrim().GetName())


@pytest.mark.usefixtures("addon")
def test_another_look_is_a_variant_that_binds_other_materials(tmp_path: Path) -> None:
    paint, gold, wood = (add_material(name) for name in ("Paint", "Gold", "Wood"))
    first = triangle("First")
    first.data.materials.append(paint)
    copy = bpy.data.objects.new("Copy", first.data)  # an instance, by a prototype
    bpy.context.scene.collection.objects.link(copy)
    plain = triangle("Plain")
    plain.data.materials.append(wood)
    look = bpy.context.scene.stagewright.looks.add()
    look.name = "golden"
    swap = look.swaps.add()
    swap.material, swap.instead = paint, gold
    bpy.context.view_layer.update()
    asset = exported(tmp_path / "out")
    assert [f.message for f in asset.checks.findings if f.severity != "info"] == []
    stage = Usd.Stage.Open(str(asset.files.root))
    variants = stage.GetPrimAtPath("/thing").GetVariantSets().GetVariantSet("look")
    assert (variants.GetVariantNames(), variants.GetVariantSelection()) == (
        ["default", "golden"],
        "default",
    )
    found = []
    for name in variants.GetVariantNames():
        variants.SetVariantSelection(name)
        found.append([bound(stage, f"/thing/{each}") for each in ("First", "Copy", "Plain")])
    assert found == [["Paint", "Paint", "Wood"], ["Gold", "Gold", "Wood"]]
