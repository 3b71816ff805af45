# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles for the eye: they lie where USD's own bounds are, and a ray finds the nearest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom, Vt

from stagewright.jobs.drive import drain
from stagewright.usd_tools.inspect.preview import (
    Preview,
    fans,
    load_preview,
    pick,
    preview,
    save_preview,
    triangles_of,
)
from stagewright.usd_tools.inspect.session import Session


def look(stage: Usd.Stage, time: float | None = None) -> Preview:
    return drain(preview(stage, time), lambda event: None)


def square(stage: Usd.Stage, path: str, at: tuple[float, float, float] = (0, 0, 0)) -> UsdGeom.Mesh:
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)])
    mesh.CreateFaceVertexCountsAttr([4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    UsdGeom.Xformable(mesh).AddTranslateOp().Set(at)
    return mesh


@pytest.fixture
def stage() -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, "Z")
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.Xform.Define(stage, "/World")
    return stage


def test_everything_lies_where_usd_has_its_bounds(stage: Usd.Stage) -> None:
    UsdGeom.SetStageUpAxis(stage, "Y")
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    square(stage, "/World/A", (100, 200, 300))
    UsdGeom.Sphere.Define(stage, "/World/Ball").CreateRadiusAttr(50)
    for name in ("One", "Two"):
        prim = stage.DefinePrim(f"/World/{name}")
        prim.GetReferences().AddInternalReference("/World/A")
        prim.SetInstanceable(True)
    found = look(stage)
    box = UsdGeom.BBoxCache(Usd.TimeCode.Default(), ["default", "render"])
    bounds = box.ComputeWorldBound(stage.GetPrimAtPath("/World")).ComputeAlignedRange()
    low, high = np.array(bounds.GetMin()) * 0.01, np.array(bounds.GetMax()) * 0.01
    points = found.corners.reshape(-1, 3)
    # Y up to Z up: (x, y, z) to (x, -z, y).
    np.testing.assert_allclose(points.min(0), [low[0], -high[2], low[1]], atol=1e-5)
    np.testing.assert_allclose(points.max(0), [high[0], -low[2], high[1]], atol=1e-5)
    assert found.paths == ("/World/A", "/World/Ball", "/World/One", "/World/Two")


def test_what_is_invisible_or_of_another_purpose_is_not_shown(stage: Usd.Stage) -> None:
    square(stage, "/World/Seen")
    UsdGeom.Imageable(square(stage, "/World/Hidden")).MakeInvisible()
    square(stage, "/World/Proxy").CreatePurposeAttr("proxy")
    square(stage, "/World/Render").CreatePurposeAttr("render")
    assert look(stage).paths == ("/World/Seen", "/World/Render")


def test_point_instancers_show_each_instance(stage: Usd.Stage) -> None:
    instancer = UsdGeom.PointInstancer.Define(stage, "/World/Leaves")
    square(stage, "/World/Leaves/Leaf", (0, 0, 5))
    instancer.CreatePrototypesRel().AddTarget("/World/Leaves/Leaf")
    instancer.CreateProtoIndicesAttr([0, 0, 0])
    instancer.CreatePositionsAttr([(0, 0, 0), (10, 0, 0), (20, 0, 0)])
    instancer.CreateInvisibleIdsAttr([1])
    UsdGeom.Xformable(instancer).AddTranslateOp().Set((0, 7, 0))
    found = look(stage)
    assert found.paths == ("/World/Leaves",) and len(found.corners) == 4
    places = {tuple(each) for each in found.corners.reshape(-1, 3).round(5).tolist()}
    assert places == {(x + i, 7.0 + j, 5.0) for x in (0, 20) for i in (0, 1) for j in (0, 1)}


def test_polygons_become_fans() -> None:
    counts, corners = np.array([3, 5, 2, 4]), np.arange(14) * 10
    expected = []
    start = 0
    for count in counts:
        expected += [
            [corners[start], corners[start + n], corners[start + n + 1]]
            for n in range(1, count - 1)
        ]
        start += count
    assert fans(counts, corners).tolist() == np.array(expected).tolist()
    assert len(fans(np.array([3]), np.array([0, 1]))) == 0


def test_a_damaged_mesh_is_left_out(stage: Usd.Stage) -> None:
    square(stage, "/World/Bad").GetFaceVertexIndicesAttr().Set([0, 1, 2, 9])
    square(stage, "/World/Short").GetFaceVertexCountsAttr().Set([3])
    square(stage, "/World/Good")
    assert look(stage).paths == ("/World/Good",)


def test_a_ray_finds_what_it_meets_first(stage: Usd.Stage) -> None:
    random = np.random.default_rng(3)
    for number in range(60):
        square(stage, f"/World/S{number}", tuple(random.uniform(-2, 2, 3).tolist()))
    found = look(stage)
    hits = 0
    for _ in range(200):
        origin = np.append(random.uniform(-3, 3, 2), random.choice([-9.0, 9.0]))
        direction = np.array([0, 0, -np.sign(origin[2])])
        # Each square lies flat, so it is met where the ray's x and y are within it.
        met = {
            path: abs(origin[2] - low[2])
            for path, start in zip(found.paths, found.starts, strict=False)
            for low in [found.corners[start : start + 2].reshape(-1, 3).min(0)]
            if (origin[:2] > low[:2]).all() and (origin[:2] < low[:2] + 1).all()
        }
        expected = min(met, key=met.__getitem__) if met else ""
        assert pick(found, origin, direction) == expected
        hits += bool(expected)
    assert hits > 50


def test_the_triangles_of_a_prim_are_those_below_it(stage: Usd.Stage) -> None:
    UsdGeom.Xform.Define(stage, "/World/A")
    for path in ("/World/A/One", "/World/A/Two", "/World/AB"):
        square(stage, path)
    found = look(stage)
    assert len(triangles_of(found, "/World/A")) == 4
    assert len(triangles_of(found, "/World/AB")) == 2
    assert len(triangles_of(found, "/")) == 6 and len(triangles_of(found, "/Nobody")) == 0


def test_points_are_those_of_the_time_and_colours_those_of_the_prim(stage: Usd.Stage) -> None:
    mesh = square(stage, "/World/A")
    mesh.CreateDisplayColorAttr(Vt.Vec3fArray([Gf.Vec3f(1, 0, 0.5)]))
    UsdGeom.XformCommonAPI(mesh).SetTranslate((0, 0, 0), 1)
    UsdGeom.XformCommonAPI(mesh).SetTranslate((4, 0, 0), 5)
    assert look(stage, 5).corners[..., 0].min() == 4 and look(stage, 3).corners[..., 0].min() == 2
    np.testing.assert_allclose(look(stage).colors, [[1, 0, 0.5]])


def test_another_process_finds_the_same(stage: Usd.Stage, tmp_path: Path) -> None:
    square(stage, "/World/A", (1, 2, 3))
    stage.Export(str(tmp_path / "a.usda"))
    state = json.loads(json.dumps(Session(tmp_path / "a.usda").state()))
    value = drain(save_preview(state, str(tmp_path)), lambda event: None)
    again = load_preview(tmp_path, json.loads(json.dumps(value)))
    np.testing.assert_array_equal(again.corners, look(stage).corners)
    assert again.paths == ("/World/A",)
