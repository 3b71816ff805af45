# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras, lights, places and custom properties of written files against the scene."""

from __future__ import annotations

import shutil
from math import radians
from pathlib import Path

import bpy
import pytest
from pxr import Sdf, Usd

from stagewright.usd_tools.fidelity import compare
from stagewright.usd_tools.scene_record import SceneRecord

from .scenes import empty_scene, finish
from .streaming import link, triangle
from .test_direct_fidelity import exported, losses


@pytest.fixture(autouse=True)
def _empty() -> None:
    empty_scene()


def camera(name: str, **fields: object) -> bpy.types.Object:
    data = bpy.data.cameras.new(name)
    for key, value in fields.items():
        setattr(data, key, value)
    return link(bpy.data.objects.new(name, data))


def light(name: str, kind: str, **fields: object) -> bpy.types.Object:
    data = bpy.data.lights.new(name, kind)
    for key, value in fields.items():
        setattr(data, key, value)
    item = link(bpy.data.objects.new(name, data))
    item.location, item.rotation_euler = (1, 2, 3), (0.3, 0.4, 0.5)
    return item


def rich() -> None:
    """One of everything whose settings are compared."""
    triangle("Anchor")
    film = {"sensor_width": 30, "sensor_height": 20, "shift_x": 0.2, "shift_y": -0.1}
    for fit in ("AUTO", "HORIZONTAL", "VERTICAL"):
        eye = camera(f"Eye {fit}", sensor_fit=fit, lens=35, clip_start=0.5, clip_end=300, **film)
        eye.location, eye.rotation_euler, eye.scale = (1, 2, 3), (0.3, 0.4, 0.5), (2, 2, 2)
        camera(f"Flat {fit}", sensor_fit=fit, type="ORTHO", ortho_scale=7, **film)
    focused = camera("Focused")
    focused.data.dof.use_dof = True
    focused.data.dof.focus_object, focused.data.dof.aperture_fstop = eye, 1.4
    colour = {"color": (0.5, 0.6, 0.7), "exposure": 1.5}
    light("Point", "POINT", energy=30, shadow_soft_size=0.25, **colour)
    light("Bare", "POINT", energy=30, shadow_soft_size=0, normalize=False)
    light("Dense", "POINT", energy=30, shadow_soft_size=0.2, normalize=False)
    light("Warm", "POINT", energy=30, use_temperature=True, temperature=3000)
    light("Spot", "SPOT", energy=30, spot_size=radians(50), spot_blend=0.3)
    light("Sun", "SUN", energy=3, angle=radians(2))
    light("Narrow", "AREA", energy=30, size=0.5, spread=radians(60))
    for shape in ("SQUARE", "RECTANGLE", "DISK", "ELLIPSE"):
        item = light(shape, "AREA", energy=30, shape=shape, size=0.5, size_y=0.8)
        item.scale = (2, 1.5, 1)
    tagged = triangle("Tagged")
    tagged["mass"], tagged["tag"], tagged["ints"] = 1.5, "été", [1, 2, 3]
    tagged["a b"], tagged["group"] = True, {"deep": 2}
    tagged.data["on mesh"] = 4
    moving = camera("Moving", lens=20)
    moving.data.keyframe_insert("lens", frame=1)
    moving.data.lens = 40
    moving.data.keyframe_insert("lens", frame=9)
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 9
    bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y = 600, 1000


@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_settings_of_every_kind_are_found(tmp_path: Path, unit: float) -> None:
    rich()
    bpy.context.scene.unit_settings.scale_length = unit
    assert losses(exported(tmp_path)) == []


def spoil(prim: Usd.Prim, name: str, value: object) -> None:
    """Set an attribute to one value at all times, where it is authored or the prim is defined."""
    stack = prim.GetAttribute(name).GetPropertyStack() or prim.GetPrimStack()
    layer, path = stack[0].layer, stack[0].path.GetPrimPath().AppendProperty(name)
    for time in layer.ListTimeSamplesForPath(path):
        layer.EraseTimeSample(path, time)
    spec = layer.GetAttributeAtPath(path) or Sdf.AttributeSpec(
        layer.GetPrimAtPath(path.GetPrimPath()), name, prim.GetAttribute(name).GetTypeName()
    )
    spec.default = value
    layer.Save()


SPOILS = [
    ("Eye AUTO", "focalLength", 0.4),
    ("Eye AUTO", "horizontalAperture", 0.25),
    ("Eye AUTO", "verticalApertureOffset", 0.0),
    ("Eye AUTO", "clippingRange", (0.5, 301)),
    ("Flat AUTO", "projection", "perspective"),
    ("Flat AUTO", "verticalAperture", 71.0),
    ("Focused", "focusDistance", 1.0),
    ("Focused", "fStop", 0.0),
    ("Moving", "focalLength", 0.2),
    ("Point", "inputs:intensity", 9.0),
    ("Point", "inputs:exposure", 1.0),
    ("Point", "inputs:color", (0.5, 0.6, 0.71)),
    ("Point", "inputs:radius", 0.26),
    ("Point", "inputs:normalize", False),
    ("Warm", "inputs:colorTemperature", 3100.0),
    ("Warm", "inputs:enableColorTemperature", False),
    ("Spot", "inputs:shaping:cone:angle", 26.0),
    ("Spot", "inputs:shaping:cone:softness", 0.5),
    ("Sun", "inputs:angle", 2.5),
    ("Sun", "inputs:intensity", 3.1),
    ("Narrow", "inputs:shaping:cone:angle", 35.0),
    ("RECTANGLE", "inputs:width", 0.6),
    ("DISK", "inputs:radius", 0.3),
    ("ELLIPSE", "inputs:specular", 0.5),
    ("Sun", "xformOp:translate", (1, 2, 4)),
    ("Eye AUTO", "xformOp:rotateXYZ", (0, 0, 0)),
    ("Tagged", "userProperties:mass", 1.6),
    ("Tagged", "userProperties:tag", "ete"),
    ("Tagged", "userProperties:a_b", False),
    ("Tagged", "userProperties:group:deep", 3),
]


def test_every_spoiled_setting_is_found_under_its_object(tmp_path: Path) -> None:
    rich()
    (tmp_path / "out").mkdir()
    asset = exported(tmp_path / "out")
    record = SceneRecord.load(tmp_path / "out" / "scene")
    wrong = []
    for number, (name, attribute, value) in enumerate(SPOILS):
        root = tmp_path / f"spoil {number}" / asset.files.root.name
        shutil.copytree(asset.files.root.parent, root.parent)
        stage = Usd.Stage.Open(str(root))
        prims = [
            p for p in stage.Traverse() if name.replace(" ", "_") in str(p.GetPath()).split("/")
        ]
        found = [p for p in prims if p.GetAttribute(attribute)]
        assert found, (name, attribute)
        spoil(found[0], attribute, value)
        blamed = {f.object for f in finish(compare(root, record)).findings}
        if blamed != {name}:
            wrong.append((name, attribute, blamed))
    assert wrong == []
