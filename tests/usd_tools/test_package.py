# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders, packages and flattened layers hold all that the file needs."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pxr import Sdf, Usd, UsdGeom, UsdUtils

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.inspect.layers import stage_dependencies
from stagewright.usd_tools.materialx_files import named_files
from stagewright.usd_tools.package import flatten, localize, package

Finish = Callable[[Any], Any]
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40

MTLX = """<?xml version="1.0"?>
<materialx version="1.39" fileprefix="maps/">
  <nodegraph name="NG">
    <image name="color" type="color3">
      <input name="file" type="filename" value="wood.&lt;UDIM&gt;.png" colorspace="srgb_texture" />
    </image>
    <nodegraph name="deep" fileprefix="fine/">
      <image name="bump" type="float">
        <input name="file" type="filename" value="bump.png" />
      </image>
    </nodegraph>
  </nodegraph>
</materialx>
"""


@pytest.fixture(name="project")
def project_fixture(tmp_path: Path) -> Path:
    """A shot that names a shared asset outside its folder, textures, tiles and a document."""
    shot, shared = tmp_path / "show/shot", tmp_path / "show/shared"
    for folder in (shot / "look/maps/fine", shared):
        folder.mkdir(parents=True)
    (shot / "shot.usda").write_text(
        """#usda 1.0
(
    defaultPrim = "Shot"
    subLayers = [@./look/look.usda@]
)
def Xform "Shot"
{
    def "Chair" (
        prepend references = @../shared/chair.usda@
    )
    {
    }
}
"""
    )
    (shot / "look/look.usda").write_text(
        """#usda 1.0
(
    defaultPrim = "Shot"
)
over "Shot"
{
    def "Wood" (
        prepend references = @./wood.mtlx@
    )
    {
        asset inputs:file = @maps/wood.<UDIM>.png@
        asset inputs:lost = @maps/lost.png@
    }
}
"""
    )
    (shot / "look/wood.mtlx").write_text(MTLX)
    for name in ("wood.1001.png", "wood.1002.png", "fine/bump.png"):
        (shot / "look/maps" / name).write_bytes(PNG + name.encode())
    stage = Usd.Stage.CreateNew(str(shared / "chair.usda"))
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/Chair").GetPrim())
    mesh = UsdGeom.Mesh.Define(stage, "/Chair/Seat")
    mesh.CreateFaceVertexCountsAttr([3])
    mesh.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (0, 1, 0)])
    file = mesh.GetPrim().CreateAttribute("file", Sdf.ValueTypeNames.Asset)
    file.Set(str(shared / "seat.png"))
    stage.Save()
    (shared / "seat.png").write_bytes(PNG)
    return shot / "shot.usda"


EVERYTHING = {
    "shot.usda",
    "look/look.usda",
    "look/wood.mtlx",
    "look/maps/wood.1001.png",
    "look/maps/wood.1002.png",
    "look/maps/fine/bump.png",
    "external/chair.usda",
    "external/seat.png",
}


def test_a_document_names_its_images_under_all_prefixes(project: Path) -> None:
    names = named_files(project.parent / "look/wood.mtlx")
    assert names == ["maps/wood.<UDIM>.png", "maps/fine/bump.png"]


def test_a_localized_folder_needs_nothing_outside(
    project: Path, tmp_path: Path, finish: Finish
) -> None:
    target = tmp_path / "out"
    result = finish(localize(project, target))
    files = {f.relative_to(target).as_posix() for f in target.rglob("*") if f.is_file()}
    assert files == set(result.files) == EVERYTHING
    assert result.missing == ("maps/lost.png",)
    moved = tmp_path / "elsewhere"
    target.rename(moved)
    (tmp_path / "show").rename(tmp_path / "gone")
    stage = Usd.Stage.Open(str(moved / "shot.usda"))
    assert stage.GetPrimAtPath("/Shot/Chair/Seat")
    broken = {row.path for row in stage_dependencies(stage) if row.broken}
    assert broken == {"maps/lost.png"}
    named = named_files(moved / "look/wood.mtlx")
    assert named == ["./maps/wood.<UDIM>.png", "./maps/fine/bump.png"]


def test_a_package_holds_the_images_of_documents(
    project: Path, tmp_path: Path, finish: Finish
) -> None:
    target = tmp_path / "shot.usdz"
    finish(package(project, target))
    with zipfile.ZipFile(target) as archive:
        assert set(archive.namelist()) == EVERYTHING
        assert archive.namelist()[0] == "shot.usda"
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
    (tmp_path / "show").rename(tmp_path / "gone")
    stage = Usd.Stage.Open(str(target))
    assert len(UsdGeom.Mesh(stage.GetPrimAtPath("/Shot/Chair/Seat")).GetPointsAttr().Get()) == 3
    assert stage.GetAttributeAtPath("/Shot/Chair/Seat.file").Get().resolvedPath


def test_an_arkit_package_is_one_binary_layer(
    project: Path, tmp_path: Path, finish: Finish
) -> None:
    target = tmp_path / "shot.usdz"
    finish(package(project, target, arkit=True))
    with zipfile.ZipFile(target) as archive:
        layers = [name for name in archive.namelist() if name.endswith((".usda", ".usdc"))]
        assert layers == ["shot.usdc"] and archive.namelist()[0] == "shot.usdc"
    stage = Usd.Stage.Open(str(target))
    assert stage.GetAttributeAtPath("/Shot/Chair/Seat.file").Get().resolvedPath


@pytest.mark.parametrize("what", ["stage", "layers"])
def test_a_flattened_layer_composes_to_the_same(
    project: Path, tmp_path: Path, finish: Finish, what: Any
) -> None:
    target = tmp_path / "flat" / "flat.usda"
    finish(flatten(project, target, what))
    layer = Sdf.Layer.FindOrOpen(str(target))
    assert bool(layer.GetPrimAtPath("/Shot/Chair/Seat")) == (what == "stage")
    assert not layer.subLayerPaths
    stage = Usd.Stage.Open(layer)
    seat = stage.GetAttributeAtPath("/Shot/Chair/Seat.file").Get()
    assert Path(seat.resolvedPath).name == "seat.png"
    assert str(tmp_path) not in target.read_text()


def test_what_is_there_already_is_left_alone(project: Path, tmp_path: Path, finish: Finish) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine.txt").write_text("precious")
    with pytest.raises(StagewrightError) as error:
        finish(localize(project, target))
    assert error.value.code == "not-empty"
    assert [file.name for file in target.iterdir()] == ["mine.txt"]


def test_a_damaged_root_is_told_and_nothing_is_written(tmp_path: Path, finish: Finish) -> None:
    root = tmp_path / "bad.usda"
    root.write_text("#usda 1.0\n{{{")
    with pytest.raises(StagewrightError) as error:
        finish(package(root, tmp_path / "bad.usdz"))
    assert error.value.code == "asset-unreadable"
    assert [file.name for file in tmp_path.iterdir()] == ["bad.usda"]


@pytest.mark.parametrize(
    "text", ["", "<materialx", "<other/>", '<!DOCTYPE x [<!ENTITY a "b">]><materialx/>']
)
def test_what_is_no_document_is_refused(tmp_path: Path, text: str) -> None:
    document = tmp_path / "bad.mtlx"
    document.write_text(text)
    with pytest.raises(StagewrightError, match=r"bad\.mtlx"):
        named_files(document)


def test_the_package_of_a_real_asset_has_no_unresolved_path(
    project: Path, tmp_path: Path, finish: Finish
) -> None:
    (project.parent / "look/maps/lost.png").write_bytes(PNG)
    target = tmp_path / "shot.usdz"
    finish(package(project, target))
    _, _, unresolved = UsdUtils.ComputeAllDependencies(Sdf.AssetPath(str(target)))
    assert [path for path in unresolved if not path.endswith(".mtlx")] == []


@pytest.mark.parametrize("udim", ["<UDIM>", "&lt;UDIM&gt;"])
def test_sets_of_tiles_are_named_as_materialx_and_as_xml_writes_them(
    tmp_path: Path, udim: str
) -> None:
    document = tmp_path / "wood.mtlx"
    value = f'<input name="file" type="filename" value="wood.{udim}.png"/>'
    image = f'<image name="i" type="color3">{value}</image>'
    document.write_text(f'<?xml version="1.0"?><materialx version="1.39">{image}</materialx>')
    assert named_files(document) == ["wood.<UDIM>.png"]
