# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of files, composition and metadata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pxr import Sdf, UsdShade

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.asset import AssetFiles, author_asset
from stagewright.usd_tools.check import check_asset, check_task
from stagewright.usd_tools.findings import CheckReport
from stagewright.usd_tools.scene_record import SceneRecord

Finish = Callable[[Any], Any]


@pytest.fixture
def asset(textured: Any, tmp_path: Path, finish: Finish) -> Any:
    textured.save()
    root = tmp_path / "out" / "lantern.usda"
    return finish(author_asset(textured.path, root, name="lantern", materials=[]))


def _errors(report: CheckReport) -> Any:
    return [(f.check, f.layer) for f in report.findings if f.severity == "error"]


def _edit(file: Path, change: Any) -> Any:
    layer = Sdf.Layer.FindOrOpen(str(file))
    change(layer)
    layer.Save()


def test_a_sound_asset_has_no_errors_and_says_which_validators_ran(
    asset: AssetFiles, finish: Finish
) -> None:
    report = finish(check_asset(asset.root, None))
    assert [f.check for f in report.findings] == ["validators"]
    assert "MaterialBindingApiAppliedValidator" in report.findings[0].message
    assert not report.blocking


def test_a_missing_texture_is_named_with_its_cure(asset: AssetFiles, finish: Finish) -> None:
    asset.root.with_name("lantern_textures").joinpath("paint.png").unlink()
    (found,) = (f for f in finish(check_asset(asset.root, None)).findings if f.severity == "error")
    assert (found.check, found.layer) == ("missing-texture", "paint.png")
    assert "paint.png" in found.message
    assert str(asset.root.parent) not in found.message
    assert found.cure


def test_a_udim_set_without_tiles_is_missing_and_with_one_tile_is_not(
    asset: AssetFiles, finish: Finish
) -> None:
    folder = asset.root.with_name("lantern_textures")
    (folder / "wood.1001.png").unlink()
    assert not _errors(finish(check_asset(asset.root, None)))
    (folder / "wood.1002.png").unlink()
    report = finish(check_asset(asset.root, None))
    assert _errors(report) == [("missing-texture", "wood.<UDIM>.png")]


def test_a_broken_payload_is_named(asset: AssetFiles, finish: Finish) -> None:
    asset.root.with_name("lantern_geometry.usdc").unlink()
    report = finish(check_asset(asset.root, None))
    assert _errors(report) == [("missing-asset", "lantern_geometry.usdc")]


@pytest.mark.parametrize("name", ["lantern.usda", "lantern_look.usda", "lantern_geometry.usdc"])
def test_a_damaged_layer_is_named(asset: AssetFiles, finish: Finish, name: str) -> None:
    file = asset.root.with_name(name)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    report = finish(check_asset(asset.root, None))
    assert ("composition", name) in _errors(report)
    assert not [f for f in report.findings if str(asset.root.parent) in f.message]


def test_paths_that_leave_the_folder_are_named(asset: AssetFiles, finish: Finish) -> None:
    textures = asset.root.with_name("lantern_textures")
    elsewhere = asset.root.parent.parent / "elsewhere.png"
    elsewhere.write_bytes(b"")
    look = asset.root.with_name("lantern_look.usda")

    def change(layer: Sdf.Layer) -> Any:
        for material, path in (("Red", str(textures / "copy.png")), ("Blue", "../elsewhere.png")):
            file = f"/lantern/_materials/{material}/diffuseColor_texture.inputs:file"
            layer.GetAttributeAtPath(file).default = Sdf.AssetPath(path)

    _edit(look, change)
    report = finish(check_asset(asset.root, None))
    assert _errors(report) == [("absolute-path", "copy.png"), ("outside-path", "elsewhere.png")]
    assert not [f for f in report.findings if str(asset.root.parent) in f.message]


def test_a_machine_path_in_a_custom_property_is_a_warning(
    textured: Any, tmp_path: Path, finish: Finish
) -> None:
    plate = textured.stage.GetPrimAtPath("/lantern/Plate")
    plate.CreateAttribute("userProperties:source", Sdf.ValueTypeNames.String).Set("/home/ann/x")
    plate.CreateAttribute("userProperties:note", Sdf.ValueTypeNames.String).Set("brass/home/made")
    textured.save()
    root = tmp_path / "out" / "lantern.usda"
    files = finish(author_asset(textured.path, root, name="lantern", materials=[]))
    report = finish(check_asset(files.root, None))
    found = [f for f in report.findings if f.check == "machine-path"]
    assert [(f.severity, f.prim) for f in found] == [("warning", "/lantern/Plate")]
    assert "userProperties:source" in found[0].message


@pytest.mark.parametrize(
    ("text", "warns"),
    [
        (r"\\server\textures\x.png", True),
        (r"D:\textures\x.png", True),
        ("/home/ann/x", True),
        ("brass/home/made", False),
        ("at /work/ all day", False),
    ],
)
def test_machine_paths_of_every_system_are_known(
    textured: Any, tmp_path: Path, finish: Finish, text: str, warns: bool
) -> None:
    plate = textured.stage.GetPrimAtPath("/lantern/Plate")
    plate.CreateAttribute("userProperties:source", Sdf.ValueTypeNames.String).Set(text)
    textured.save()
    root = tmp_path / "out" / "lantern.usda"
    finish(author_asset(textured.path, root, name="lantern", materials=[]))
    report = finish(check_asset(root, None))
    assert ("machine-path" in {f.check for f in report.findings}) == warns


def test_findings_name_the_object_that_a_copy_stands_for(
    native: Any, tmp_path: Path, finish: Finish
) -> None:
    points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]
    native.mesh("Emitter.inst.0001", points, [(0, 1, 2)]).GetExtentAttr().Set(
        [(0, 0, 0), (9, 9, 9)]
    )
    root = tmp_path / "out" / "lantern.usda"
    finish(author_asset(native.save(), root, name="lantern", materials=[]))
    record = SceneRecord((), (), (), {"Emitter.inst.0001": "Emitter"}, (1.0,))
    report = finish(check_asset(root, record))
    assert {f.object for f in report.findings if f.check == "extent"} == {"Emitter"}


def test_a_normal_map_that_is_not_raw_is_cured_in_blender(
    native: Any, tmp_path: Path, finish: Finish
) -> None:
    (tmp_path / "bumps.png").write_bytes(b"")
    native.material("Wood", normal=tmp_path / "bumps.png")
    texture = UsdShade.Shader.Get(native.stage, "/lantern/_materials/Wood/normal_texture")
    texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
    root = tmp_path / "out" / "lantern.usda"
    finish(author_asset(native.save(), root, name="lantern", materials=[]))
    cures = [
        f.cure
        for f in finish(check_asset(root, None)).findings
        if f.check == "normal-map-texture-validator"
    ]
    assert any("Non-Color" in cure for cure in cures)


def test_what_the_root_does_not_say_is_an_error(asset: AssetFiles, finish: Finish) -> None:
    def change(layer: Sdf.Layer) -> Any:
        layer.pseudoRoot.ClearInfo("upAxis")
        layer.GetPrimAtPath("/lantern").ClearInfo("kind")

    _edit(asset.root, change)
    report = finish(check_asset(asset.root, None))
    messages = [f.message for f in report.findings if f.check == "stage-metadata"]
    assert messages == ["lantern.usda lacks kind.", "lantern.usda lacks upAxis."]


def test_a_validator_speaks_through_a_finding_with_the_object(
    asset: AssetFiles, finish: Finish
) -> None:
    def change(layer: Sdf.Layer) -> Any:
        schemas = layer.GetPrimAtPath("/lantern/Lid/Mesh")
        schemas.ClearInfo("apiSchemas")

    _edit(asset.root.with_name("lantern_look.usda"), change)
    report = finish(check_asset(asset.root, None))
    found = [f for f in report.findings if f.check == "material-binding-api-applied-validator"]
    assert [(f.severity, f.object) for f in found] == [("error", "Lid")]


def test_unknown_shaders_are_errors_but_those_of_materialx_are_not(
    textured: Any, tmp_path: Path, finish: Finish
) -> None:
    for name in ("ND_open_pbr_surface_surfaceshader", "NoSuchShader"):
        shader = UsdShade.Shader.Define(textured.stage, f"/lantern/_materials/Red/{name}")
        shader.CreateIdAttr(name)
    textured.save()
    root = tmp_path / "out" / "lantern.usda"
    files = finish(author_asset(textured.path, root, name="lantern", materials=[]))
    report = finish(check_asset(files.root, None))
    found = [f.prim for f in report.findings if f.severity == "error"]
    assert found == ["/lantern/_materials/Red/NoSuchShader.info:id"]


def test_allowed_checks_do_not_block_and_are_recorded(asset: AssetFiles, finish: Finish) -> None:
    asset.root.with_name("lantern_textures").joinpath("paint.png").unlink()
    report = finish(check_asset(asset.root, None, ["missing-texture"]))
    assert report.allowed == ("missing-texture",)
    assert _errors(report) and not report.blocking


def test_a_changed_file_is_judged_as_it_is_now(asset: AssetFiles, finish: Finish) -> None:
    first = finish(check_asset(asset.root, None))
    text = asset.root.read_text()
    asset.root.write_text(text.replace('kind = "component"', ""))
    second = finish(check_asset(asset.root, None))
    assert not _errors(first)
    assert _errors(second) == [("stage-metadata", "lantern.usda")]


def test_the_task_gives_the_report_as_json(asset: AssetFiles, finish: Finish) -> None:
    data = finish(check_task(str(asset.root), None, []))
    assert CheckReport.from_json(data) == finish(check_asset(asset.root, None))


def test_a_root_that_is_not_there_is_an_error(tmp_path: Path, finish: Finish) -> None:
    with pytest.raises(StagewrightError) as error:
        finish(check_asset(tmp_path / "none.usda", None))
    assert error.value.code == "asset-missing"
    assert "none.usda" in error.value.message
