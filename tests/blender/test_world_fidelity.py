# SPDX-License-Identifier: GPL-3.0-or-later
"""The world of a scene against the dome of its file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
from pxr import Gf, Usd, UsdGeom, UsdLux

from stagewright.addon.scene.host import BlenderHost
from stagewright.pipeline.export import CheckedAsset, export_asset
from stagewright.pipeline.host import SceneRequest
from stagewright.usd_tools.fidelity import compare
from stagewright.usd_tools.scene_record import SceneRecord

from .scenes import empty_scene, finish
from .streaming import triangle
from .test_direct_fidelity import losses
from .test_fidelity_mutations import write
from .test_stream_world import environment, image, mapped, world

Spoil = Callable[[UsdLux.DomeLight], object]


@pytest.fixture(autouse=True)
def _empty() -> None:
    empty_scene()
    triangle("Item")


def exported(folder: Path, up_axis: str = "Z", *, wanted: bool = True) -> CheckedAsset:
    folder.mkdir()
    request = SceneRequest("", "thing", world=wanted, up_axis=up_axis)
    return finish(export_asset(BlenderHost(), request, folder / "thing.usda", folder, []))


def found(root: Path, record: SceneRecord) -> list[str]:
    return [finding.message for finding in finish(compare(root, record)).findings]


def room(folder: Path) -> bpy.types.Node:
    """A world of an image that is turned."""
    made = world()
    made.node_tree.nodes["Background"].inputs["Strength"].default_value = 3
    node = environment(made, image("file", folder))
    mapped(made, node, Rotation=(0.3, -0.5, 1.0), vector_type="TEXTURE")
    return node


@pytest.mark.parametrize("up_axis", ["Y", "Z"])
def test_nothing_is_lost_of_an_image(tmp_path: Path, up_axis: str) -> None:
    room(tmp_path)
    assert losses(exported(tmp_path / "out", up_axis)) == []


SPOILS: list[tuple[str, Spoil]] = [
    ("light", lambda dome: dome.GetIntensityAttr().Set(3.1)),
    ("light", lambda dome: dome.GetExposureAttr().Set(1.0)),
    ("light", lambda dome: dome.GetColorAttr().Set((1, 0.9, 1))),
    ("light", lambda dome: UsdGeom.Imageable(dome).MakeInvisible()),
    ("image", lambda dome: dome.GetTextureFileAttr().Set("other.exr")),
    ("direction", lambda dome: orient(dome, Gf.Quatf(1, 0, 0, 0))),
    ("no dome", lambda dome: dome.GetPrim().SetActive(False)),
]


def orient(dome: UsdLux.DomeLight, turn: Gf.Quatf) -> None:
    dome.GetPrim().GetAttribute("xformOp:orient").Set(turn)


def test_every_spoil_is_found(tmp_path: Path) -> None:
    room(tmp_path)
    asset = exported(tmp_path / "out")
    record = SceneRecord.load(tmp_path / "out" / "scene")
    for number, (word, spoil) in enumerate(SPOILS):
        root = tmp_path / f"spoil {number}" / asset.files.root.name
        shutil.copytree(asset.files.root.parent, root.parent)
        stage = Usd.Stage.Open(str(root))
        (dome,) = (UsdLux.DomeLight(p) for p in stage.Traverse() if p.IsA(UsdLux.DomeLight))
        spoil(dome)
        stage.Save()
        told = found(root, record)
        assert told and all(word in text and "Sky" in text for text in told), (number, told)


def test_an_animated_colour_is_compared_at_every_frame_read(tmp_path: Path) -> None:
    inputs = world().node_tree.nodes["Background"].inputs
    for frame, value in ((1, (1, 0, 0, 1)), (9, (0, 0, 1, 1))):
        inputs["Color"].default_value = value
        inputs["Color"].keyframe_insert("default_value", frame=frame)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 9
    triangle("Moving").keyframe_insert("location", frame=1)
    asset = exported(tmp_path / "out")
    assert losses(asset) == []
    record = SceneRecord.load(tmp_path / "out" / "scene")
    assert [sky.frame for sky in record.world] == [1, 5, 9]
    stage = Usd.Stage.Open(str(asset.files.root))
    (dome,) = (UsdLux.DomeLight(p) for p in stage.Traverse() if p.IsA(UsdLux.DomeLight))
    write(dome.GetPrim(), "inputs:color", lambda color: Gf.Vec3f(0, 0.1, 1), 9.0)
    (told,) = found(asset.files.root, record)
    assert "at frame 9" in told


def test_a_world_is_missing_only_where_it_is_wanted(tmp_path: Path) -> None:
    room(tmp_path)
    assert losses(exported(tmp_path / "plain", wanted=False)) == []
    root = tmp_path / "plain" / "thing.usda"
    record = finish(BlenderHost().record(SceneRequest("", "thing", world=True)))
    (told,) = found(root, record)
    assert told.startswith("The file holds no dome light")


def test_what_no_dome_holds_is_told_as_missing(tmp_path: Path) -> None:
    made = world()
    sky = made.node_tree.nodes.new("ShaderNodeTexSky")
    made.node_tree.links.new(sky.outputs[0], made.node_tree.nodes["Background"].inputs["Color"])
    (told,) = losses(exported(tmp_path / "out"))
    assert told == "The file holds no dome light for the world Sky."
