# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies keep every value and depend on names alone."""

from __future__ import annotations

from pathlib import Path

from pxr import Gf, Sdf, Vt

from stagewright.usd_tools.sorted_copy import copy_sorted

# Every field here is one that making a spec does not set.
SOURCE = """#usda 1.0

def Xform "top" (
    prepend apiSchemas = ["ColorSpaceAPI", "GeomModelAPI"]
    customData = {
        double half = 0.5
        int one = 1
    }
    kind = "component"
    active = true
)
{
    float depth = 0.1
    half3[] scales = [(1, 1, 1)]
    quatf[] turns (
        elementSize = 2
        interpolation = "vertex"
    )
    quatf[] turns = [(1, 0, 0, 0)]
    quatf[] turns.timeSamples = {
        1: [(1, 0, 0, 0)],
        2: [(0, 1, 0, 0)],
    }
    float focal.timeSamples = {
        1: 0.1,
        2: 0.2,
    }
    custom uniform token mode = "a" (
        doc = "words"
    )
    float inputs:a.connect = </top/B.outputs:x>
    rel both = [</top/B>, </top/A>]

    def Scope "B"
    {
        float outputs:x
    }

    def Scope "A"
    {
    }
}
"""


def _copy(**options: object) -> Sdf.Layer:
    source, target = Sdf.Layer.CreateAnonymous(".usda"), Sdf.Layer.CreateAnonymous(".usda")
    source.ImportFromString(SOURCE)
    copy_sorted(source, target, Sdf.Path("/top"), **options)  # type: ignore[arg-type]
    return target


def test_values_keep_their_types_and_samples(tmp_path: Path) -> None:
    target = _copy()
    binary = Sdf.Layer.CreateNew(str(tmp_path / "copy.usdc"))
    binary.TransferContent(target)
    binary.Save()
    for layer in (target, binary):
        top = layer.GetPrimAtPath("/top")
        assert isinstance(top.attributes["scales"].default, Vt.Vec3hArray)
        assert top.attributes["turns"].GetInfo("elementSize") == 2
        times = layer.ListTimeSamplesForPath("/top.turns")
        assert times == [1, 2]
        assert layer.QueryTimeSample("/top.turns", 2)[0] == Gf.Quatf(0, 1, 0, 0)
        # A float that had passed through Python would have become a double.
        assert "0.1," in layer.ExportToString() and "0.10000000149" not in layer.ExportToString()
        assert top.attributes["inputs:a"].connectionPathList.explicitItems == ["/top/B.outputs:x"]
        assert top.relationships["both"].targetPathList.explicitItems == ["/top/B", "/top/A"]
        assert dict(top.customData) == {"half": 0.5, "one": 1}
        assert top.attributes["mode"].custom
        assert top.attributes["mode"].variability == Sdf.VariabilityUniform
        assert top.attributes["mode"].documentation == "words"


def test_siblings_and_properties_come_by_name() -> None:
    layer = _copy()
    top = layer.GetPrimAtPath("/top")
    assert list(top.nameChildren.keys()) == ["A", "B"]
    names = list(top.properties.keys())
    assert names == sorted(names)
    assert len(names) == 7


def test_what_is_not_kept_is_left_out() -> None:
    layer = _copy(
        keep=lambda path: path.name not in ("B", "depth"), without_schemas=("GeomModelAPI",)
    )
    top = layer.GetPrimAtPath("/top")
    assert list(top.nameChildren.keys()) == ["A"]
    assert "depth" not in top.properties.keys()
    assert top.GetInfo("apiSchemas").prependedItems == ["ColorSpaceAPI"]
