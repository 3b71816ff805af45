# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of volumes, read back through UsdVol."""

from __future__ import annotations

from pxr import Usd, UsdGeom, UsdVol

from stagewright.usd_tools.direct.records import (
    FrameRecord,
    Record,
    StageRecord,
    VolumeField,
    VolumeRecord,
)

from ..both_ways import both_ways


def test_fields_that_appear_later_and_files_that_change_are_kept() -> None:
    def record(*names: str, frame: int) -> VolumeRecord:
        fields = (VolumeField(name, 0, name, f"/smoke@{frame}.vdb", "float") for name in names)
        return VolumeRecord("/root/V", "Vapour", tuple(fields))

    records: list[Record] = [StageRecord("root")]
    shown = {1: ("density",), 2: ("density", "heat"), 3: ()}
    for frame, names in shown.items():
        records += [FrameRecord(float(frame)), record(*names, frame=frame)]
    stage = Usd.Stage.Open(both_ways(records))
    volume = UsdVol.Volume(stage.GetPrimAtPath("/root/V"))
    paths = volume.GetFieldPaths()
    assert {n: str(p) for n, p in paths.items()} == {
        "density": "/root/V/density",
        "heat": "/root/V/heat",
    }
    files = UsdVol.OpenVDBAsset(stage.GetPrimAtPath("/root/V/density")).GetFilePathAttr()
    assert [files.Get(frame).path for frame in (1, 2)] == ["/smoke@1.vdb", "/smoke@2.vdb"]
    seen = [UsdGeom.Imageable(volume).ComputeVisibility(frame) for frame in (1, 2, 3)]
    assert seen == ["inherited", "inherited", "invisible"]
