# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of what an asset contains."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pxr import Usd, UsdGeom, UsdUtils

from stagewright.usd_tools.asset import author_asset
from stagewright.usd_tools.contents import contents
from stagewright.usd_tools.images import image_size

Finish = Callable[[Any], Any]


def _png(width: Any, height: Any) -> Any:
    def chunk(name: str, data: Any) -> Any:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width)) * height)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _jpeg(width: Any, height: Any) -> Any:
    comment = b"\xff\xfe" + struct.pack(">H", 7) + b"hello"
    table = b"\xff\xc4" + struct.pack(">H", 4) + b"\0\0"
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + comment + table + b"\xff" + frame


def _exr(width: Any, height: Any) -> Any:
    def attribute(name: str, kind: Any, data: Any) -> Any:
        return name + b"\0" + kind + b"\0" + struct.pack("<I", len(data)) + data

    window = struct.pack("<iiii", -2, 3, width - 3, height + 2)
    return (
        b"\x76\x2f\x31\x01\x02\0\0\0"
        + attribute(b"compression", b"compression", b"\0")
        + attribute(b"dataWindow", b"box2i", window)
        + b"\0"
    )


@pytest.mark.parametrize("make", [_png, _jpeg, _exr])
def test_resolutions_are_read_from_headers(tmp_path: Path, make: Any) -> None:
    file = tmp_path / "image"
    file.write_bytes(make(640, 360))
    assert image_size(file) == (640, 360)
    for length in range(0, 40, 3):
        file.write_bytes(make(640, 360)[:length])
        assert image_size(file) in (None, (640, 360))
    assert image_size(tmp_path / "none.png") is None


def test_contents_are_those_that_were_put_in(textured: Any, tmp_path: Path, finish: Finish) -> None:
    (tmp_path / "sources/b/paint.png").write_bytes(_png(64, 32))
    op = UsdGeom.Xformable(textured.stage.GetPrimAtPath("/lantern/Lid")).AddTranslateOp()
    op.Set((0, 0, 0), 1)
    op.Set((0, 0, 4), 3)
    textured.stage.SetStartTimeCode(1)
    textured.stage.SetEndTimeCode(3)
    textured.stage.SetTimeCodesPerSecond(25)
    textured.mesh("High", [(0, 0, 0), (0, 0, 5), (0, 3, 5)], [(0, 1, 2)])
    textured.save()
    root = tmp_path / "out" / "lantern.usda"
    files = finish(author_asset(textured.path, root, name="lantern", materials=[]))
    found = contents(files.root)
    assert (found.points, found.polygons, found.instances) == (4 + 4 + 3, 1 + 2 + 1, 0)
    assert found.materials == ("Blue", "Red", "Wood")
    assert found.frames == (1, 3)
    assert found.frames_per_second == 25
    assert found.size == pytest.approx((2, 4, 5))
    assert (found.up_axis, found.metres_per_unit) == ("Z", 1.0)
    assert [layer.name for layer in found.layers] == [
        "lantern.usda",
        "lantern_look.usda",
        "lantern_geometry.usdc",
    ]
    assert [layer.size for layer in found.layers] == [
        (root.parent / layer.name).stat().st_size for layer in found.layers
    ]
    assert [(t.name, t.resolution) for t in found.textures] == [
        ("copy.png", None),
        ("paint.png", (64, 32)),
        ("wood.1001.png", None),
        ("wood.1002.png", None),
    ]
    # USD's own statistics count the same prims, and the classes that the asset inherits.
    stage = Usd.Stage.Open(str(root))
    by_usd = UsdUtils.ComputeUsdStageStats(stage)["primary"]["primCountsByType"]
    assert found.prims.items() == {kv for kv in by_usd.items() if kv[0] not in ("", "untyped")}


def test_a_still_asset_has_no_frames(textured: Any, tmp_path: Path, finish: Finish) -> None:
    textured.save()
    files = finish(
        author_asset(textured.path, tmp_path / "lantern.usda", name="lantern", materials=[])
    )
    assert contents(files.root).frames is None


def test_instances_count_once_for_each_copy(native: Any, tmp_path: Path, finish: Finish) -> None:
    prototype = native.mesh("Proto", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    for index in range(3):
        prim = native.object(f"Copy{index}").GetPrim()
        prim.GetReferences().AddInternalReference(prototype.GetPrim().GetParent().GetPath())
        prim.SetInstanceable(True)
    instancer = UsdGeom.PointInstancer.Define(native.stage, "/lantern/Many")
    instancer.CreateProtoIndicesAttr([0] * 7)
    instancer.CreatePrototypesRel().SetTargets([prototype.GetPath()])
    native.save()
    files = finish(
        author_asset(native.path, tmp_path / "lantern.usda", name="lantern", materials=[])
    )
    found = contents(files.root)
    assert found.instances == 3 + 7
    assert (found.points, found.polygons) == (4 * 3, 4)
