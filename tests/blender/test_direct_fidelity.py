# SPDX-License-Identifier: GPL-3.0-or-later
"""The fidelity check of files by the direct writer: nothing is found that is not lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom

from stagewright.addon.scene.host import BlenderHost
from stagewright.pipeline.export import CheckedAsset, export_asset
from stagewright.pipeline.host import SceneRequest
from stagewright.usd_tools.fidelity import compare
from stagewright.usd_tools.scene_record import SceneRecord

from .scenes import empty_scene, finish
from .streaming import grid, link, triangle
from .test_stream import scattered
from .test_stream_duplis import emitter, instanced_collection

LANTERN = Path(__file__).resolve().parents[2] / "examples" / "lantern.blend"


@pytest.fixture(autouse=True)
def _empty() -> None:
    empty_scene()


def exported(folder: Path) -> CheckedAsset:
    bpy.context.view_layer.update()
    request = SceneRequest("", "thing", engine="stagewright")
    return finish(export_asset(BlenderHost(), request, folder / "thing.usda", folder, []))


def losses(asset: CheckedAsset) -> list[str]:
    return [f.message for f in asset.checks.findings if f.severity in {"loss", "error"}]


def nodes_with_a_mesh(cells: int) -> None:
    scattered(grid("Grid", cells), lambda add: add("GeometryNodeMeshCube"), joined=True)


def nodes_with_an_object(cells: int) -> None:
    source = triangle("Source")
    source.rotation_euler = (0.3, 0, 0)
    item = grid("Grid", cells)
    item.location, item.rotation_euler = (5, 6, 7), (0, 0, 1)
    scattered(
        item,
        lambda add: add("GeometryNodeObjectInfo", Object=source, As_Instance=True),
        joined=False,
    )


def nested_nodes(cells: int) -> None:
    inner = grid("Inner", cells)
    scattered(inner, lambda add: add("GeometryNodeMeshCube"), joined=True)
    outer = grid("Outer", 4)
    outer.location = (0, 0, 9)
    scattered(
        outer,
        lambda add: add("GeometryNodeObjectInfo", Object=inner, As_Instance=True),
        joined=False,
    )


def nodes_with_a_collection(cells: int) -> None:
    collection, _ = instanced_collection()
    hidden = bpy.data.objects.new("Hidden", triangle("Data").data)
    collection.objects.link(hidden)
    hidden.hide_render = True
    scattered(
        grid("Grid", cells),
        lambda add: add("GeometryNodeCollectionInfo", Collection=collection),
        joined=False,
    )


def collection_instances(cells: int) -> None:
    collection, first = instanced_collection()
    hidden = bpy.data.objects.new("Hidden", triangle("Data").data)
    collection.objects.link(hidden)
    hidden.hide_render = True
    for number in range(cells):
        other = link(bpy.data.objects.new(f"Other {number}", None))
        other.instance_type, other.instance_collection = "COLLECTION", collection
        other.location = (number, number, 3)


def linked_duplicates(cells: int) -> None:
    first = triangle("First")
    for number in range(cells):
        link(bpy.data.objects.new(f"Copy {number}", first.data)).location = (number, 1, 0)


def particles(cells: int) -> None:
    collection, _ = instanced_collection()
    emitter(
        cells * cells,
        type="HAIR",
        use_advanced_hair=True,
        render_type="COLLECTION",
        instance_collection=collection,
    )


def on_faces(cells: int) -> None:
    top = grid("Top", cells)
    top.location, top.scale = (1, 2, 3), (2, 2, 2)
    top.instance_type = "FACES"
    child = triangle("Child", top)
    child.location = (0.1, 0, 0.2)


@pytest.mark.parametrize("cells", [2, 6])
@pytest.mark.parametrize(
    "make",
    [
        nodes_with_a_mesh,
        nodes_with_an_object,
        nested_nodes,
        nodes_with_a_collection,
        collection_instances,
        linked_duplicates,
        particles,
        on_faces,
    ],
)
def test_instances_of_every_kind_are_found(
    tmp_path: Path, make: Callable[[int], None], cells: int
) -> None:
    make(cells)
    asset = exported(tmp_path)
    assert losses(asset) == []
    assert asset.checks.compared > 0


@pytest.mark.parametrize("make", [nodes_with_a_mesh, nodes_with_an_object, nested_nodes])
def test_one_moved_instance_is_found_under_its_object(
    tmp_path: Path, make: Callable[[int], None]
) -> None:
    make(6)
    asset = exported(tmp_path)
    stage = Usd.Stage.Open(str(asset.files.root))
    path = next(p.GetPath() for p in stage.Traverse() if p.IsA(UsdGeom.PointInstancer))
    (layer,) = (
        layer for layer in map(Sdf.Layer.FindOrOpen, map(str, asset.files.layers))
        if layer.GetPrimAtPath(path) and layer.GetAttributeAtPath(path.AppendProperty("positions"))
    )  # fmt: skip
    positions = layer.GetAttributeAtPath(path.AppendProperty("positions"))
    values = np.array(positions.default)
    values[7, 2] += 0.01
    positions.default = type(positions.default).FromNumpy(values)
    layer.Save()
    record = SceneRecord.load(tmp_path / "scene")
    found = finish(compare(asset.files.root, record)).findings
    name = {nodes_with_a_mesh: "Grid", nodes_with_an_object: "Source", nested_nodes: "Inner"}[make]
    assert [(f.check, f.object) for f in found] == [("mesh-points", name)]
