# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot's layer over an asset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pxr import Sdf, Usd, UsdGeom

from stagewright.usd_tools.shot import place_shot
from stagewright.usd_tools.stages import OBJECT_NAME

NAMES = ("always", "keyed", "hidden", "shown")


def scene(keys: dict[str, dict[float, str] | str]) -> Sdf.Layer:
    """A layer with an empty for each name, hidden as ``keys`` has it."""
    layer = Sdf.Layer.CreateAnonymous(".usda")
    stage = Usd.Stage.Open(layer)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, "Z")
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/lamp").GetPrim())
    for name in NAMES:
        prim = UsdGeom.Xform.Define(stage, f"/lamp/{name}")
        prim.GetPrim().CreateAttribute(OBJECT_NAME, Sdf.ValueTypeNames.String).Set(name)
        key = keys.get(name)
        if isinstance(key, str):
            prim.GetVisibilityAttr().Set(key)
        for frame, value in key.items() if isinstance(key, dict) else ():
            prim.GetVisibilityAttr().Set(value, frame)
    return layer


def visible(stage: Usd.Stage, name: str, frame: float) -> bool:
    prim = UsdGeom.Imageable(stage.GetPrimAtPath(f"/lamp/{name}"))
    return bool(prim.ComputeVisibility(frame) != "invisible")


@pytest.mark.parametrize("frame", [1.0, 5.0])
def test_what_the_asset_hides_and_the_shot_shows_is_visible(
    tmp_path: Path, finish: Callable[[Any], Any], frame: float
) -> None:
    asset = tmp_path / "lamp.usda"
    hides = {1.0: "inherited", 5.0: "invisible"}
    scene({"keyed": hides, "hidden": "invisible"}).Export(str(asset))
    root = tmp_path / "shot.usda"
    finish(place_shot(scene({"shown": hides}), root, name="shot", asset=asset, whole=True))
    stage = Usd.Stage.Open(str(root))
    assert [visible(stage, name, frame) for name in NAMES] == [True, True, True, frame < 5]
    # What does not differ has no opinion in the shot.
    overs = Sdf.Layer.FindOrOpen(str(tmp_path / "shot_overs.usdc"))
    assert not overs.GetPrimAtPath("/lamp/always")
