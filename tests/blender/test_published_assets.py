# SPDX-License-Identifier: GPL-3.0-or-later
"""Published assets in a scene: added from a library, exported as references, updated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from math import sin
from pathlib import Path
from typing import Any

import addon_utils
import bpy
import pytest
from mathutils import Vector
from pxr import Sdf, Usd, UsdGeom

from stagewright.addon.scene import reading
from stagewright.addon.scene.host import BlenderHost
from stagewright.ayon_bridge.library import Library
from stagewright.pipeline.export import CheckedAsset, export_asset
from stagewright.pipeline.host import SceneRequest
from stagewright.pipeline.order import PublishOrder
from stagewright.pipeline.publish import publish_scene
from stagewright.pipeline.published import one_version, products

from .scenes import add_square, empty_scene, finish, instance_collection

pytestmark = pytest.mark.usefixtures("addon")


def publish(
    library: Path, name: str, folder: str = "", blend: str = "scene.blend"
) -> dict[str, Any]:
    """Publish the whole scene."""
    order = PublishOrder(
        scene=SceneRequest("", name),
        blend=Path(blend),
        library=library,
        project="show",
        project_code="sh",
        folder=folder or f"/assets/{name}",
        task="modeling",
        product="usdMain",
    )
    value: dict[str, Any] = finish(publish_scene(BlenderHost(), order))
    return value


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library with two versions of a chair of two boards, one of them an instance."""
    addon_utils.enable("stagewright", default_set=True)
    library = tmp_path_factory.mktemp("published") / "library"
    for height in (1.0, 2.0):
        empty_scene()
        seat = add_square("Seat")
        back = bpy.data.objects.new("Back", seat.data)
        back.location, back.rotation_euler = (0, 0, height), (1.2, 0, 0)
        bpy.context.scene.collection.objects.link(back)
        publish(library, "chair")
    addon_utils.disable("stagewright", default_set=True)
    yield library


@pytest.fixture
def library(published: Path, tmp_path: Path) -> Path:
    """A copy of that library: it can be moved as a whole."""
    shutil.copytree(published, tmp_path / "library")
    return tmp_path / "library"


def versions(library: Path) -> list[str]:
    """Ids of the versions of the chair, the first one first."""
    with Library.open_existing(library) as opened:
        folder = opened.get_folder_by_path("show", "/assets/chair")
        assert folder is not None
        (product,) = opened.get_products("show", folder_ids=[folder.id])
        return [each.id for each in opened.get_versions("show", product_ids=[product.id])]


def root_of(library: Path, version: str) -> Path:
    """The root layer of a version."""
    return Path(finish(one_version(str(library), "show", version, "USD"))["files"]["USD"])


def add(library: Path, version: str, x: float = 0, y: float = 0, z: float = 0) -> bpy.types.Object:
    bpy.context.scene.cursor.location = x, y, z
    bpy.ops.stagewright.add_published_asset(version_id=version, library=str(library))
    return bpy.context.active_object


def export(folder: Path) -> CheckedAsset:
    folder.mkdir()
    request = SceneRequest("", "hall")
    asset: CheckedAsset = finish(
        export_asset(BlenderHost(), request, folder / "hall.usda", folder / "work", [])
    )
    return asset


def told(asset: CheckedAsset) -> list[str]:
    return [f.check for f in asset.checks.findings if f.severity != "info"]


def test_an_added_asset_becomes_a_reference_to_its_version(library: Path, tmp_path: Path) -> None:
    version = versions(library)[0]
    table = add_square("Table", 3.0)
    group = bpy.data.objects.new("Row", None)
    group.location = (0, 4, 0)
    bpy.context.scene.collection.objects.link(group)
    for number in range(2):
        chair = add(library, version, 2.0 * number)
        chair.name, chair.parent = f"Chair {number}", group
    chair.rotation_euler, chair.scale = (0.1, 0.2, 0.3), (2, 1, 1)
    asset = export(tmp_path / "out")
    assert told(asset) == []
    stage = Usd.Stage.Open(str(asset.files.root))
    model = Usd.ModelAPI(stage.GetPrimAtPath("/hall"))
    assert model.GetKind() == "assembly"
    chairs = [stage.GetPrimAtPath(f"/hall/Row/Chair_{n}/chair") for n in range(2)]
    assert all(Usd.ModelAPI(chair).GetKind() == "component" and chair.IsModel() for chair in chairs)
    assert all(chair.IsInstance() for chair in chairs)
    assert chairs[0].GetAssetInfoByKey("version") == "v001"
    # The set holds no points of a chair: they are read from the published file.
    geometry = Sdf.Layer.FindOrOpen(str(tmp_path / "out" / "hall_geometry.usdc"))
    meshes: list[Sdf.Path] = []
    geometry.Traverse("/", lambda path: meshes.append(path) if path.name == "points" else None)
    assert [path.GetPrimPath().name for path in meshes] == [table.data.name]
    (corner,) = (
        UsdGeom.XformCache().GetLocalToWorldTransform(prim).Transform((1, 1, 0))
        for prim in Usd.PrimRange(chairs[1], Usd.TraverseInstanceProxies())
        if prim.IsA(UsdGeom.Mesh) and "/chair/Seat/" in str(prim.GetPath())
    )
    bpy.context.view_layer.update()
    assert tuple(corner) == pytest.approx(tuple(chair.matrix_world @ Vector((1, 1, 0))), abs=1e-5)


def test_points_of_a_mesh_are_read_once_however_often_it_is_shown(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = versions(library)[0]
    chairs = [add(library, version, 2.0 * number) for number in range(5)]
    table = add_square("Table")
    copy = bpy.data.objects.new("Copy", table.data)
    bpy.context.scene.collection.objects.link(copy)
    read: list[int] = []
    original = reading._read_points

    def counted(mesh: bpy.types.Mesh) -> Any:
        read.append(mesh.as_pointer())
        return original(mesh)

    monkeypatch.setattr(reading, "_read_points", counted)
    scene = finish(reading.read_scene([*chairs, table, copy], (1.0,)))
    assert len(scene.uses) == 5 and [m.object for m in scene.meshes] == ["Table", "Copy"]
    assert len(read) == len(set(read)) == 2  # Seat and back of the chairs share one mesh.


def test_a_set_and_its_assets_can_be_moved_together(library: Path, tmp_path: Path) -> None:
    version = versions(library)[0]
    add(library, version)
    published = publish(library, "hall", "/sets/hall")
    again = publish(library, "hall", "/sets/hall")
    assert (published["version"], again["version"], again["unchanged"]) == ("v001", "v001", True)
    shutil.move(library, tmp_path / "elsewhere")
    moved = Path(published["path"].replace(str(library), str(tmp_path / "elsewhere")))
    stage = Usd.Stage.Open(str(moved))
    meshes = [p for p in stage.Traverse(Usd.TraverseInstanceProxies()) if p.IsA(UsdGeom.Mesh)]
    assert len(meshes) == 2
    text = moved.with_name("hall_references.usda").read_text()
    assert "@../" in text and str(tmp_path) not in text


def test_a_version_keeps_which_versions_it_is_made_of(library: Path, tmp_path: Path) -> None:
    version = versions(library)[0]
    add(library, version)
    publish(library, "hall", "/sets/hall")
    with Library.open_existing(library) as opened:
        (hall,) = (v for v in opened.get_versions("show") if v.data["inputVersionIds"])
    assert hall.data["inputVersionIds"] == [version]


def test_a_published_set_is_itself_an_asset(library: Path, tmp_path: Path) -> None:
    chair = versions(library)[0]
    add(library, chair)
    hall = publish(library, "hall", "/sets/hall")["identity"]["versionId"]
    empty_scene()
    add(library, hall, 1, 2, 3).name = "Use"
    asset = export(tmp_path / "out")
    assert told(asset) == []
    stage = Usd.Stage.Open(str(asset.files.root))
    assert stage.GetPrimAtPath("/hall/Use/hall").GetAssetInfoByKey("name") == "hall"


def test_what_nodes_scatter_is_a_prototype_that_references_the_asset(
    library: Path, tmp_path: Path
) -> None:
    version = versions(library)[0]
    chair = add(library, version)
    collection = chair.instance_collection
    bpy.data.objects.remove(chair)
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=5, y_subdivisions=5, size=20)
    _scatter(bpy.context.object, collection)
    asset = export(tmp_path / "out")
    assert told(asset) == []
    stage = Usd.Stage.Open(str(asset.files.root))
    (instancer,) = (p for p in stage.Traverse() if p.IsA(UsdGeom.PointInstancer))
    assert len(UsdGeom.PointInstancer(instancer).GetPositionsAttr().Get()) == 36


def _scatter(item: bpy.types.Object, collection: bpy.types.Collection) -> None:
    tree = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    nodes, link = tree.nodes, tree.links.new
    info = nodes.new("GeometryNodeCollectionInfo")
    info.inputs["Collection"].default_value = collection
    instance = nodes.new("GeometryNodeInstanceOnPoints")
    link(nodes.new("NodeGroupInput").outputs[0], instance.inputs["Points"])
    link(info.outputs[0], instance.inputs["Instance"])
    link(instance.outputs[0], nodes.new("NodeGroupOutput").inputs[0])
    item.modifiers.new("Scatter", "NODES").node_group = tree


def test_what_is_edited_in_an_added_asset_is_told(library: Path, tmp_path: Path) -> None:
    version = versions(library)[0]
    chair = add(library, version)
    mesh = next(o.data for o in bpy.data.objects if o.type == "MESH")
    mesh.vertices[0].co.x -= 0.5
    asset = export(tmp_path / "out")
    (finding,) = (f for f in asset.checks.findings if f.severity == "loss")
    assert (finding.check, finding.object) == ("reference-differs", chair.name)


def test_a_version_that_is_not_there_is_an_error(library: Path, tmp_path: Path) -> None:
    version = versions(library)[0]
    add(library, version)
    root_of(library, version).unlink()
    asset = export(tmp_path / "out")
    assert "missing-asset" in told(asset)


def test_a_collection_published_from_this_file_is_no_reference(tmp_path: Path) -> None:
    board = add_square("Board")
    shown = instance_collection("Chair", board)
    collection = shown.instance_collection
    collection.stagewright.remember(
        dict.fromkeys(("project", "folder", "product", "version", "identifier", "path"), "x")
        | {"versionId": "0123"}
    )
    asset = export(tmp_path / "out")
    assert told(asset) == []
    stage = Usd.Stage.Open(str(asset.files.root))
    assert Usd.ModelAPI(stage.GetDefaultPrim()).GetKind() == "component"
    assert not (tmp_path / "out" / "hall_references.usda").exists()


@pytest.mark.parametrize(("axis", "metres"), [("Y", 1.0), ("Z", 0.01), ("Y", 0.01)])
def test_other_units_and_axes_are_brought_into_those_of_the_set(
    library: Path, tmp_path: Path, axis: str, metres: float
) -> None:
    version = versions(library)[0]
    root = root_of(library, version)
    for layer in map(Sdf.Layer.FindOrOpen, map(str, [root, *root.parent.glob("chair_*.usd*")])):
        layer.pseudoRoot.SetInfo(UsdGeom.Tokens.upAxis, axis)
        layer.pseudoRoot.SetInfo(UsdGeom.Tokens.metersPerUnit, metres)
        layer.Save()
    add(library, version, 1, 2, 3).rotation_euler = (0, 0, 1)
    asset = export(tmp_path / "out")
    assert told(asset) == []


def test_references_are_in_the_variants_of_their_collections(library: Path, tmp_path: Path) -> None:
    first, second = versions(library)
    table = add_square("Table", 3.0)
    for name, version in (("lod=high", first), ("lod=low", second)):
        chair = add(library, version, 1.0)
        chair.name, chair.parent = f"Chair {name[4:]}", table
        made = bpy.data.collections.new(name)
        bpy.context.scene.collection.children.link(made)
        made.objects.link(chair)
        bpy.context.scene.collection.objects.unlink(chair)
    asset = export(tmp_path / "out")
    assert told(asset) == []
    stage = Usd.Stage.Open(str(asset.files.root))
    lod = stage.GetPrimAtPath("/hall").GetVariantSet("lod")
    found = {}
    for name in lod.GetVariantNames():
        lod.SetVariantSelection(name)
        found[name] = [
            (str(prim.GetPath()), prim.GetAssetInfoByKey("version"))
            for prim in stage.TraverseAll()
            if prim.IsInstance() and prim.IsDefined()
        ]
    assert found == {
        "high": [("/hall/Table/Chair_high/chair", "v001")],
        "low": [("/hall/Table/Chair_low/chair_001", "v002")],
    }
    # Nothing of the other variant is left outside of it.
    lod.SetVariantSelection("low")
    assert not stage.GetPrimAtPath("/hall/Table/Chair_high/chair")
    # Both versions are told, whichever is selected.
    text = (tmp_path / "out" / "hall_references.usda").read_text()
    assert all(name in text for name in ("v001", "v002"))


def test_an_asset_stands_in_a_scene_in_centimetres_at_its_true_size(
    library: Path, tmp_path: Path
) -> None:
    units = bpy.context.scene.unit_settings
    units.system, units.scale_length = "METRIC", 0.01
    add(library, versions(library)[0], 100, 200, 300)
    shown = bpy.context.evaluated_depsgraph_get().object_instances
    corners = [
        tuple(each.matrix_world @ vertex.co)
        for each in shown
        if each.object.type == "MESH"
        for vertex in each.object.data.vertices
    ]
    # Boards of 1 m, and so of 100 units; the back starts 1 m up and leans by 1.2.
    greatest = (200, 300, 400 + 100 * sin(1.2))
    assert [min(axis) for axis in zip(*corners, strict=True)] == pytest.approx([100, 200, 300])
    assert [max(axis) for axis in zip(*corners, strict=True)] == pytest.approx(greatest)
    asset = export(tmp_path / "out")
    assert told(asset) == []
    stage = Usd.Stage.Open(str(asset.files.root))
    bounds = UsdGeom.BBoxCache(Usd.TimeCode.Default(), ["default", "render"])
    box = bounds.ComputeWorldBound(stage.GetDefaultPrim()).ComputeAlignedRange()
    assert UsdGeom.GetStageMetersPerUnit(stage) == pytest.approx(0.01)
    assert tuple(box.GetMin()) == pytest.approx((100, 200, 300), abs=1e-3)
    assert tuple(box.GetMax()) == pytest.approx(greatest, abs=1e-3)


def test_an_update_shows_the_newest_version_everywhere(library: Path, tmp_path: Path) -> None:
    first, second = versions(library)
    shown = [add(library, first, 3.0 * n) for n in range(3)]
    assert len({item.instance_collection.session_uid for item in shown}) == 1
    bpy.ops.stagewright.update_published_asset(version_id=first, library=str(library))
    assert {item.instance_collection.stagewright.version_id for item in shown} == {second}
    assert [c for c in bpy.data.collections if c.stagewright.version_id == first] == []
    asset = export(tmp_path / "out")
    assert told(asset) == []


def test_there_is_nothing_to_update_to(library: Path, tmp_path: Path) -> None:
    version = versions(library)[1]
    add(library, version)
    shown = bpy.context.active_object.instance_collection
    update = bpy.ops.stagewright.update_published_asset
    assert update(version_id=version, library=str(library)) == {"FINISHED"}
    assert bpy.context.active_object.instance_collection == shown
    assert shown.stagewright.version_id == version


def test_an_update_of_a_version_that_the_library_lacks_is_refused_by_its_name(
    library: Path, tmp_path: Path
) -> None:
    version = versions(library)[0]
    add(library, version).instance_collection.stagewright.version_id = "gone"
    update = bpy.ops.stagewright.update_published_asset
    with pytest.raises(RuntimeError, match="holds no chair v001"):
        update(version_id="gone", library=str(library))
    with pytest.raises(RuntimeError, match="Nothing in this file is the version nonsense"):
        update(version_id="nonsense", library=str(library))


def test_a_version_that_the_library_lacks_is_refused(library: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="holds no version nonsense"):
        add(library, "nonsense")
    with pytest.raises(RuntimeError, match="no library"):
        add(tmp_path / "nowhere", "nonsense")


def test_the_newest_version_of_every_product_is_listed(library: Path) -> None:
    _, second = versions(library)
    value = finish(products(str(library), "show"))
    (chair,) = value["versions"]
    assert (chair["version_id"], chair["folder"]) == (second, "/assets/chair")
