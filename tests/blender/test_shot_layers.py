# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of shots: only what is otherwise than in the published asset, as overs on it."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from pxr import Sdf, Usd, UsdGeom

from stagewright.addon.scene.host import BlenderHost
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Message
from stagewright.pipeline.export import CheckedAsset, export_asset
from stagewright.pipeline.host import SceneRequest
from stagewright.pipeline.order import PublishOrder
from stagewright.pipeline.publish import publish_scene

from .scenes import add_mesh, add_square, empty_scene, finish


@pytest.fixture(autouse=True)
def door() -> bpy.types.Object:
    """A frame, and a door on it, in a file of ten frames."""
    empty_scene()
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 10
    frame = add_square("Frame", 2.0)
    door = add_square("Door")
    door.parent = frame
    return door


def publish(library: Path, **scene: object) -> dict[str, object]:
    order = PublishOrder(
        scene=SceneRequest("", "gate", **scene),
        blend=Path("scene.blend"),
        library=library,
        project="show",
        project_code="sh",
        folder="/shots/sh010" if scene else "/assets/gate",
        task="anim",
        product="animationMain" if scene else "usdMain",
    )
    value: dict[str, object] = finish(publish_scene(BlenderHost(), order))
    return value


@pytest.fixture
def asset(door: bpy.types.Object, tmp_path: Path) -> Path:
    """The root layer of the gate, published as it stands at frame 1."""
    return Path(str(publish(tmp_path / "library")["path"]))


def export(folder: Path, asset: Path, notes: list[str] | None = None) -> CheckedAsset:
    folder.mkdir()
    request = SceneRequest("", "gate", over=str(asset))
    job = export_asset(BlenderHost(), request, folder / "sh010.usda", folder / "work", [])
    while True:
        try:
            event = next(job)
        except StopIteration as end:
            checked: CheckedAsset = end.value
            return checked
        if notes is not None and isinstance(event, Message):
            notes.append(event.text)


def opinions(asset: CheckedAsset) -> set[str]:
    """Paths of the attributes that the overs hold."""
    layer = Sdf.Layer.FindOrOpen(str(asset.files.root.with_name("sh010_overs.usdc")))
    found: set[str] = set()
    layer.Traverse("/", lambda path: found.add(str(path)) if path.IsPropertyPath() else None)
    return found


def losses(asset: CheckedAsset) -> list[str]:
    return [f.check for f in asset.checks.findings if f.severity in {"error", "loss"}]


def swing(door: bpy.types.Object) -> None:
    door.keyframe_insert("rotation_euler", frame=1)
    door.rotation_euler.z = 1.5
    door.keyframe_insert("rotation_euler", frame=10)


def test_a_shot_holds_nothing_but_what_moves(
    door: bpy.types.Object, asset: Path, tmp_path: Path
) -> None:
    swing(door)
    shot = export(tmp_path / "shot", asset)
    assert losses(shot) == []
    assert shot.checks.compared == 2
    assert "/gate/Frame/Door.xformOp:rotateXYZ" in opinions(shot)
    assert {path.partition("xformOp")[0] for path in opinions(shot)} == {"/gate/Frame/Door."}
    stage = Usd.Stage.Open(str(shot.files.root))
    turned = UsdGeom.XformCache(10).GetLocalToWorldTransform(
        stage.GetPrimAtPath("/gate/Frame/Door")
    )
    bpy.context.scene.frame_set(10)
    assert tuple(turned.Transform((1, 0, 0))) == pytest.approx(
        tuple(door.matrix_world.col[0].xyz), abs=1e-6
    )
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (1, 10)


def test_an_unchanged_scene_gives_an_empty_layer(
    door: bpy.types.Object, asset: Path, tmp_path: Path
) -> None:
    shot = export(tmp_path / "shot", asset)
    assert (losses(shot), opinions(shot)) == ([], set())


def test_a_door_at_rest_in_the_shot_overrules_one_that_moves_in_the_asset(
    door: bpy.types.Object, tmp_path: Path
) -> None:
    swing(door)
    asset = Path(str(publish(tmp_path / "library")["path"]))
    door.animation_data_clear()
    door.rotation_euler = (0, 0, 0.25)
    shot = export(tmp_path / "shot", asset)
    assert losses(shot) == []
    assert "/gate/Frame/Door.xformOp:rotateXYZ" in opinions(shot)


def test_deformed_points_come_along(door: bpy.types.Object, asset: Path, tmp_path: Path) -> None:
    door.modifiers.new("Wave", "WAVE").height = 0.5
    door.keyframe_insert("location", frame=1)  # something moves
    shot = export(tmp_path / "shot", asset)
    assert losses(shot) == []
    assert "/gate/Frame/Door/Door.points" in opinions(shot)
    assert "/gate/Frame/Door/Door.faceVertexIndices" not in opinions(shot)


def test_what_is_not_in_the_scene_is_hidden_in_the_shot(
    door: bpy.types.Object, asset: Path, tmp_path: Path
) -> None:
    door.hide_render = True
    notes: list[str] = []
    shot = export(tmp_path / "shot", asset, notes)
    assert "Door is not in the scene, so the shot hides it." in notes
    assert losses(shot) == []
    stage = Usd.Stage.Open(str(shot.files.root))
    door_prim = UsdGeom.Imageable(stage.GetPrimAtPath("/gate/Frame/Door"))
    assert door_prim.ComputeVisibility() == "invisible"


def test_what_the_asset_has_not_is_left_out_and_told(
    door: bpy.types.Object, asset: Path, tmp_path: Path
) -> None:
    add_square("Bell").parent = door
    notes: list[str] = []
    shot = export(tmp_path / "shot", asset, notes)
    assert "Bell is not in the published asset, so it is left out of the shot." in notes
    assert losses(shot) == ["mesh-missing", "object-missing"]


def test_other_faces_are_left_out_and_told(
    door: bpy.types.Object, asset: Path, tmp_path: Path
) -> None:
    door.data = add_mesh("Other", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)]).data
    bpy.data.objects.remove(bpy.data.objects["Other"])
    door.data.name, door.data = "Door.001", door.data
    bpy.data.meshes["Door"].name, door.data.name = "Old", "Door"
    notes: list[str] = []
    shot = export(tmp_path / "shot", asset, notes)
    assert any("Door has other faces" in note for note in notes)
    assert losses(shot)


def test_another_asset_is_refused(door: bpy.types.Object, asset: Path, tmp_path: Path) -> None:
    request = SceneRequest("", "fence", over=str(asset))
    job = export_asset(BlenderHost(), request, tmp_path / "s" / "s.usda", tmp_path / "w", [])
    with pytest.raises(StagewrightError, match="default prim .* is “gate”, not “fence”"):
        finish(job)
    assert not (tmp_path / "s").exists()


def test_a_published_shot_names_its_asset_by_a_relative_path(
    door: bpy.types.Object, asset: Path, tmp_path: Path
) -> None:
    swing(door)
    first, again = (publish(tmp_path / "library", over=str(asset)) for _ in range(2))
    root = Path(str(first["path"]))
    assert "/animation/animationMain/v001/" in root.as_posix()
    assert again["unchanged"]
    layer = Sdf.Layer.FindOrOpen(str(root))
    overs, below = layer.subLayerPaths
    assert (overs, below.startswith("../")) == ("./gate_overs.usdc", True)
    assert Path(layer.ComputeAbsolutePath(below)) == asset
    stage = Usd.Stage.Open(layer)
    assert stage.GetPrimAtPath("/gate").GetAssetInfoByKey("version") == "v001"
    assert stage.GetPrimAtPath("/gate/Frame/Door/Door").IsA(UsdGeom.Mesh)


def test_a_shot_is_not_written_over_its_asset(
    door: bpy.types.Object, asset: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in asset.parent.iterdir() if path.is_file()}
    request = SceneRequest("", "gate", over=str(asset))
    with pytest.raises(StagewrightError, match="which it needs"):
        finish(export_asset(BlenderHost(), request, asset, tmp_path / "work", []))
    assert {path: path.read_bytes() for path in before} == before


def test_what_stands_where_its_parent_does_is_moved_there(
    door: bpy.types.Object, tmp_path: Path
) -> None:
    door.location = (1, 2, 3)
    asset = Path(str(publish(tmp_path / "library")["path"]))
    door.location = (0, 0, 0)
    shot = export(tmp_path / "shot", asset)
    assert losses(shot) == []
    stage = Usd.Stage.Open(str(shot.files.root))
    place = UsdGeom.Xformable(stage.GetPrimAtPath("/gate/Frame/Door")).GetLocalTransformation()
    assert tuple(place.ExtractTranslation()) == (0, 0, 0)


def test_other_axes_than_the_assets_are_refused(
    door: bpy.types.Object, asset: Path, tmp_path: Path
) -> None:
    request = SceneRequest("", "gate", over=str(asset), up_axis="Y")
    job = export_asset(BlenderHost(), request, tmp_path / "s" / "s.usda", tmp_path / "w", [])
    with pytest.raises(StagewrightError, match="Z up"):
        finish(job)
