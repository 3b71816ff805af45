# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces out of and into USD files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.surface_files import read_surface, write_surface

POINTS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
COUNTS = np.array([3, 3, 3, 3])
CORNERS = np.array([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3])


def new_stage(path: Path, *, metres: float = 1.0, up: str = "Z") -> Usd.Stage:
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageMetersPerUnit(stage, metres)
    UsdGeom.SetStageUpAxis(stage, up)
    return stage


def volume(points: np.ndarray, corners: np.ndarray) -> float:
    a, b, c = (points[corners.reshape(-1, 3)[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def define(stage: Usd.Stage, path: str, *, left: bool = False) -> UsdGeom.Mesh:
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr([Gf.Vec3f(*p) for p in POINTS.tolist()])
    mesh.CreateFaceVertexCountsAttr(COUNTS.tolist())
    corners = CORNERS.reshape(-1, 3)[:, ::-1].reshape(-1) if left else CORNERS
    mesh.CreateFaceVertexIndicesAttr(corners.tolist())
    if left:
        mesh.CreateOrientationAttr("leftHanded")
    return mesh


@pytest.mark.parametrize("suffix", [".usda", ".usdc"])
def test_a_surface_comes_back(tmp_path: Path, suffix: str) -> None:
    write_surface(tmp_path / f"a{suffix}", (POINTS, COUNTS, CORNERS))
    points, counts, corners = read_surface(tmp_path / f"a{suffix}")
    assert (points.tolist(), counts.tolist()) == (POINTS.tolist(), COUNTS.tolist())
    assert corners.tolist() == CORNERS.tolist()


def test_meshes_are_joined_in_the_world_with_their_outside_outside(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda")
    define(stage, "/plain").AddTranslateOp().Set((10, 0, 0))
    define(stage, "/mirrored").AddScaleOp().Set((-2, 1, 1))
    define(stage, "/left", left=True).AddTranslateOp().Set((0, 10, 0))
    define(stage, "/hidden").MakeInvisible()
    stage.Save()
    points, counts, corners = read_surface(tmp_path / "a.usda")
    assert (len(points), counts.tolist()) == (12, [3] * 12)
    assert points[0].tolist() == [10, 0, 0]
    assert volume(points, corners) == pytest.approx(4 / 6)


def test_units_and_axis_of_the_stage_do_not_matter(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda", metres=0.01, up="Y")
    define(stage, "/a").AddTranslateOp().Set((100, 200, 300))
    stage.Save()
    points, _, corners = read_surface(tmp_path / "a.usda")
    # 200 cm up the stage's Y are 2 m up Z; 300 cm to its front are 3 m towards -Y.
    assert points[0].tolist() == pytest.approx([1, -3, 2])
    assert volume(points, corners) == pytest.approx(1e-6 / 6)


def test_what_stands_in_for_a_render_is_left_out(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda")
    for name, count in (("default", 1), ("render", 2), ("proxy", 4), ("guide", 8)):
        group = UsdGeom.Xform.Define(stage, f"/{name}")
        group.CreatePurposeAttr(name)
        for number in range(count):
            define(stage, f"/{name}/m{number}")
    stage.Save()
    assert len(read_surface(tmp_path / "a.usda")[1]) == 3 * 4


@pytest.mark.parametrize(
    ("counts", "corners"), [([3], [0, 1, 9]), ([3], [0, 1, -1]), ([4], [0, 1, 2]), ([-1], [])]
)
@pytest.mark.parametrize("left", [False, True])
def test_faces_without_points_are_refused_by_their_mesh(
    tmp_path: Path, counts: list[int], corners: list[int], left: bool
) -> None:
    stage = new_stage(tmp_path / "a.usda")
    mesh = define(stage, "/world_mesh", left=left)
    mesh.GetFaceVertexCountsAttr().Set(counts)
    mesh.GetFaceVertexIndicesAttr().Set(corners)
    stage.Save()
    with pytest.raises(StagewrightError, match="/world_mesh") as caught:
        read_surface(tmp_path / "a.usda")
    assert caught.value.code == "mesh-indices"


def test_points_alone_come_as_points(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda")
    cloud = UsdGeom.Points.Define(stage, "/cloud")
    cloud.CreatePointsAttr([(1, 2, 3), (4, 5, 6)])
    cloud.AddTranslateOp().Set((0, 0, 1))
    stage.Save()
    points, counts, corners = read_surface(tmp_path / "a.usda")
    assert points.tolist() == [[1, 2, 4], [4, 5, 7]]
    assert len(counts) == len(corners) == 0


def test_a_file_without_shapes_is_refused(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda")
    UsdGeom.Xform.Define(stage, "/empty")
    stage.Save()
    with pytest.raises(StagewrightError, match="neither meshes nor points"):
        read_surface(tmp_path / "a.usda")
