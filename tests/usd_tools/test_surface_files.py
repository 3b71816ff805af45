# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces out of and into USD files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.surface_files import Surface, read_surface, write_surface

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
    write_surface(tmp_path / f"a{suffix}", Surface(POINTS, COUNTS, CORNERS))
    found = read_surface(tmp_path / f"a{suffix}")
    assert found.points.tolist() == POINTS.tolist()
    assert (found.counts.tolist(), found.corners.tolist()) == (COUNTS.tolist(), CORNERS.tolist())
    assert found.uvs is None and found.colours is None and found.materials is None


def test_looks_come_back(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    written = Surface(
        POINTS,
        COUNTS,
        CORNERS,
        uvs=random.random((12, 2)),
        colours=random.random((4, 3)),
        materials=np.array([1, -1, 0, 1]),
        names=("red paint", "steel"),
    )
    write_surface(tmp_path / "a.usda", written)
    found = read_surface(tmp_path / "a.usda")
    np.testing.assert_allclose(found.uvs, written.uvs, atol=1e-6)
    np.testing.assert_allclose(found.colours, written.colours, atol=1e-6)
    assert found.materials is not None and found.materials.tolist() == [1, -1, 0, 1]
    assert found.names == ("red_paint", "steel")


@pytest.mark.parametrize(
    ("interpolation", "expected"),
    [
        ("constant", [[0, 0, 1]] * 4),
        ("vertex", [[0, 0, 1], [1, 0, 1], [2, 0, 1], [3, 0, 1]]),
        # Faces 0, 1 and 2 meet at point 0, faces 0, 1 and 3 at point 1, and so on.
        ("uniform", [[1, 0, 1], [4 / 3, 0, 1], [5 / 3, 0, 1], [2, 0, 1]]),
    ],
)
def test_colours_become_those_of_points(
    tmp_path: Path, interpolation: str, expected: list[list[float]]
) -> None:
    stage = new_stage(tmp_path / "a.usda")
    mesh = define(stage, "/a")
    values = [(float(n), 0.0, 1.0) for n in range(1 if interpolation == "constant" else 4)]
    mesh.CreateDisplayColorPrimvar(interpolation).Set(values)
    define(stage, "/b")
    stage.Save()
    colours = read_surface(tmp_path / "a.usda").colours
    assert colours is not None
    np.testing.assert_allclose(colours, [*expected, *[[1, 1, 1]] * 4], atol=1e-6)


def test_uvs_follow_the_corners_of_a_mirrored_mesh(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda")
    mesh = define(stage, "/a")
    mesh.AddScaleOp().Set((-1, 1, 1))
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        "map", Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying"
    )
    primvar.Set([Gf.Vec2f(*POINTS[corner][:2].tolist()) for corner in CORNERS])
    stage.Save()
    found = read_surface(tmp_path / "a.usda")
    assert found.uvs is not None
    np.testing.assert_allclose(found.uvs, found.points[found.corners][:, :2] * [-1, 1])


def test_materials_of_meshes_and_of_their_faces_are_told(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda")
    for name in ("Oak", "Steel"):
        UsdShade.Material.Define(stage, f"/looks/{name}")

    def bind(prim: Usd.Prim, name: str) -> None:
        material = UsdShade.Material.Get(stage, f"/looks/{name}")
        UsdShade.MaterialBindingAPI.Apply(prim).Bind(material)

    bind(define(stage, "/a").GetPrim(), "Steel")
    mesh = define(stage, "/b")
    bind(mesh.GetPrim(), "Oak")
    subset = UsdShade.MaterialBindingAPI(mesh).CreateMaterialBindSubset("top", [1, 3])
    bind(subset.GetPrim(), "Steel")
    define(stage, "/c")
    stage.Save()
    found = read_surface(tmp_path / "a.usda")
    assert found.materials is not None
    told = [found.names[n] if n >= 0 else "" for n in found.materials.tolist()]
    assert told == ["Steel"] * 4 + ["Oak", "Steel", "Oak", "Steel"] + [""] * 4


def test_meshes_are_joined_in_the_world_with_their_outside_outside(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda")
    define(stage, "/plain").AddTranslateOp().Set((10, 0, 0))
    define(stage, "/mirrored").AddScaleOp().Set((-2, 1, 1))
    define(stage, "/left", left=True).AddTranslateOp().Set((0, 10, 0))
    define(stage, "/hidden").MakeInvisible()
    stage.Save()
    found = read_surface(tmp_path / "a.usda")
    assert (len(found.points), found.counts.tolist()) == (12, [3] * 12)
    assert found.points[0].tolist() == [10, 0, 0]
    assert volume(found.points, found.corners) == pytest.approx(4 / 6)


def test_units_and_axis_of_the_stage_do_not_matter(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda", metres=0.01, up="Y")
    define(stage, "/a").AddTranslateOp().Set((100, 200, 300))
    stage.Save()
    found = read_surface(tmp_path / "a.usda")
    # 200 cm up the stage's Y are 2 m up Z; 300 cm to its front are 3 m towards -Y.
    assert found.points[0].tolist() == pytest.approx([1, -3, 2])
    assert volume(found.points, found.corners) == pytest.approx(1e-6 / 6)


def test_what_stands_in_for_a_render_is_left_out(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda")
    for name, count in (("default", 1), ("render", 2), ("proxy", 4), ("guide", 8)):
        group = UsdGeom.Xform.Define(stage, f"/{name}")
        group.CreatePurposeAttr(name)
        for number in range(count):
            define(stage, f"/{name}/m{number}")
    stage.Save()
    assert len(read_surface(tmp_path / "a.usda").counts) == 3 * 4


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
    found = read_surface(tmp_path / "a.usda")
    assert found.points.tolist() == [[1, 2, 4], [4, 5, 7]]
    assert len(found.counts) == len(found.corners) == 0


def test_a_file_without_shapes_is_refused(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "a.usda")
    UsdGeom.Xform.Define(stage, "/empty")
    stage.Save()
    with pytest.raises(StagewrightError, match="neither meshes nor points"):
        read_surface(tmp_path / "a.usda")
