# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of curves and points, read back through UsdGeom."""

from __future__ import annotations

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom

from stagewright.usd_tools.direct.records import (
    BasisCurvesRecord,
    FrameRecord,
    NurbsCurvesRecord,
    PointsRecord,
    Primvar,
    Record,
    StageRecord,
)

from ..both_ways import both_ways

POINTS = np.array([[0, 0, 0], [1, 0, 0], [1, 2, 0], [0, 1, 3]], np.float32)


def written(*records: Record) -> Usd.Stage:
    return Usd.Stage.Open(both_ways([StageRecord("root"), *records]))


def strands(**fields: object) -> BasisCurvesRecord:
    made = {
        "path": "/root/Hair",
        "data": "Hair",
        "counts": np.array([4], np.int32),
        "points": POINTS,
        "basis": "bezier",
        "wrap": "nonperiodic",
    }
    return BasisCurvesRecord(**{**made, **fields})


@pytest.mark.parametrize(
    ("basis", "wrap", "interpolation", "values"),
    [
        ("bezier", "nonperiodic", "varying", 2),
        ("bspline", "nonperiodic", "varying", 2),
        ("catmullRom", "periodic", "varying", 4),
        ("catmullRom", "pinned", "vertex", 4),
        ("linear", "periodic", "vertex", 4),
    ],
)
def test_curves_are_what_usd_counts_them_to_be(
    basis: str, wrap: str, interpolation: str, values: int
) -> None:
    diameters = np.linspace(1, 2, values, dtype=np.float32)
    widths = Primvar("widths", "float[]", interpolation, diameters)
    stage = written(strands(basis=basis, wrap=wrap, widths=widths))
    usd = UsdGeom.BasisCurves(stage.GetPrimAtPath("/root/Hair"))
    assert usd.GetTypeAttr().Get() == ("linear" if basis == "linear" else "cubic")
    assert usd.GetWidthsInterpolation() == interpolation
    # USD's own reading of a size: what elements have so many values.
    size = {"varying": usd.ComputeVaryingDataSize, "vertex": usd.ComputeVertexDataSize}
    assert size[interpolation](0) == values
    bounds = UsdGeom.Boundable.ComputeExtentFromPlugins(usd, 0)
    assert np.array_equal(usd.GetExtentAttr().Get(), bounds)


def test_nurbs_keep_orders_knots_ranges_and_weights() -> None:
    knots = np.array([0, 0, 0, 1, 2, 2, 2], np.float64)
    record = NurbsCurvesRecord(
        path="/root/N",
        data="Nurbs",
        counts=np.array([4], np.int32),
        points=POINTS,
        orders=np.array([3], np.int32),
        knots=knots,
        ranges=np.array([[0.0, 2.0]]),
        weights=np.array([1, 0.5, 0.25, 1], np.float64),
    )
    stage = written(record)
    usd = UsdGeom.NurbsCurves(stage.GetPrimAtPath("/root/N"))
    assert list(usd.GetOrderAttr().Get()) == [3]
    assert np.array_equal(usd.GetKnotsAttr().Get(), knots)
    assert usd.GetRangesAttr().Get()[0] == Gf.Vec2d(0, 2)
    assert list(usd.GetPointWeightsAttr().Get()) == [1, 0.5, 0.25, 1]
    assert usd.GetPrim().GetAttribute("userProperties:blender:data_name").Get() == "Nurbs"


def test_points_that_come_and_go_are_sampled_with_all_that_belongs_to_them() -> None:
    records: list[Record] = []
    for frame, count in ((1.0, 2), (2.0, 4), (3.0, 4)):
        width = np.full(count, frame, np.float32)
        records.append(FrameRecord(frame))
        records.append(
            PointsRecord(
                "/root/P",
                "P",
                POINTS[:count],
                Primvar("widths", "float[]", "vertex", width),
                ids=np.arange(count, dtype=np.int64),
            )
        )
    stage = written(*records)
    usd = UsdGeom.Points(stage.GetPrimAtPath("/root/P"))
    for frame, count in ((1, 2), (2, 4), (3, 4)):
        assert np.array_equal(usd.GetPointsAttr().Get(frame), POINTS[:count])
        assert list(usd.GetIdsAttr().Get(frame)) == list(range(count))
        assert list(usd.GetWidthsAttr().Get(frame)) == [frame] * count
        bounds = UsdGeom.Boundable.ComputeExtentFromPlugins(usd, frame)
        assert np.array_equal(usd.GetExtentAttr().Get(frame), bounds)
    assert usd.GetIdsAttr().GetTimeSamples() == [1, 2]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_lies_nowhere_leaves_the_bounds_of_the_others(bad: float) -> None:
    points = np.concatenate([POINTS, [[bad, 0, 0]]]).astype(np.float32)
    widths = Primvar("widths", "float[]", "vertex", np.array([1, 2, 1, 1, bad], np.float32))
    stage = written(PointsRecord("/root/P", "P", points, widths))
    usd = UsdGeom.Points(stage.GetPrimAtPath("/root/P"))
    assert np.array_equal(usd.GetExtentAttr().Get(), [[-1, -1, -1], [2, 3, 4]])
