# SPDX-License-Identifier: GPL-3.0-or-later
"""What has moved or gone between two versions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pxr import Sdf, Usd

from stagewright.usd_tools.path_changes import path_changes


def version(path: Path, objects: Mapping[str, str]) -> Path:
    stage = Usd.Stage.CreateNew(str(path))
    for place, name in objects.items():
        prim = stage.DefinePrim(place, "Xform")
        if name:
            prim.CreateAttribute(
                "userProperties:blender:object_name", Sdf.ValueTypeNames.String
            ).Set(name)
    stage.Save()
    return path


def test_what_moved_and_what_is_gone_is_told_once_for_a_branch(tmp_path: Path) -> None:
    before = version(
        tmp_path / "before.usda",
        {
            "/a/Lid": "Lid",
            "/a/Lid/Mesh": "",
            "/a/Hook": "Hook",
            "/a/Hook/Ring": "Ring",
            "/a/_materials/Red": "",
            "/a/Body": "Body",
        },
    )
    after = version(
        tmp_path / "after.usda",
        {"/a/Body": "Body", "/a/Body/Lid": "Lid", "/a/Body/Lid/Mesh": "", "/a/New": "New"},
    )
    found = {(f.check, f.prim, f.object) for f in path_changes(before, after)}
    assert found == {
        ("path-changed", "/a/Body/Lid", "Lid"),
        ("path-gone", "/a/Hook", ""),
        ("path-gone", "/a/_materials", ""),
    }
    assert list(path_changes(before, before)) == []
