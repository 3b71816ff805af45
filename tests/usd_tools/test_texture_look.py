# SPDX-License-Identifier: GPL-3.0-or-later
"""Texture sets as USD assets: both networks show what the set holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdShade

from stagewright.jobs.drive import drain
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.make import draw
from stagewright.texture_lab.request import TextureRequest
from stagewright.texture_lab.stored_set import map_files, read_about
from stagewright.texture_lab.texture_set import write_set
from stagewright.usd_tools.check import check_asset
from stagewright.usd_tools.texture_look import TextureMaps, author_texture_asset


def authored(folder: Path, words: str = "red brick", *, directx: bool = False) -> Usd.Stage:
    """The stage of a set whose tile is 0.5 m by 0.25 m."""
    request = TextureRequest(words, 64, 3, normals="directx" if directx else "opengl")
    files = write_set(draw(understand(words), 64, 3), folder / "set", "b", request, {})
    about = read_about(files[-1])
    strength = about.get("emission_strength", 1.0)
    found = map_files(files[-1], about)
    maps = TextureMaps("Brick", found, (0.5, 0.25), 0.03, directx, {"seed": 3}, strength)
    (folder / "asset").mkdir()
    root = folder / "asset" / "Brick.usda"
    drain(author_texture_asset(maps, root), lambda event: None)
    report = drain(check_asset(root, None), lambda event: None)
    serious = [f for f in report.findings if f.severity in ("error", "loss")]
    assert not serious and (directx or {f.severity for f in report.findings} <= {"info"})
    return Usd.Stage.Open(str(root))


def material(stage: Usd.Stage) -> UsdShade.Material:
    (mesh,) = (prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh))
    return UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()[0]


def texture_of(shader: UsdShade.Shader, name: str) -> tuple[UsdShade.Shader, str]:
    """The texture reader that feeds an input, and its output."""
    source = shader.GetInput(name).GetConnectedSources()[0][0]
    return UsdShade.Shader(source.source.GetPrim()), source.sourceName


def test_the_preview_surface_reads_all_maps(tmp_path: Path) -> None:
    stage = authored(tmp_path)
    surface = material(stage).ComputeSurfaceSource("")[0]
    read = {
        "diffuseColor": ("basecolor", "rgb", "sRGB"),
        "occlusion": ("ao", "r", "raw"),
        "roughness": ("roughness", "r", "raw"),
        "metallic": ("metallic", "r", "raw"),
        "normal": ("normal", "rgb", "raw"),
        "displacement": ("height", "r", "raw"),
    }
    for name, (map_name, output, space) in read.items():
        reader, found = texture_of(surface, name)
        file = Path(reader.GetInput("file").Get().resolvedPath)
        assert file.name == f"b_{map_name}.png" and file.parent.name == "Brick_textures"
        assert found == output and reader.GetInput("sourceColorSpace").Get() == space
    height, _ = texture_of(surface, "displacement")
    assert height.GetInput("scale").Get()[0] == pytest.approx(0.03)
    assert height.GetInput("bias").Get()[0] == pytest.approx(-0.015)


def test_openpbr_has_the_same_maps(tmp_path: Path) -> None:
    stage = authored(tmp_path)
    surface = material(stage).ComputeSurfaceSource("mtlx")[0]
    assert surface.GetShaderId() == "ND_open_pbr_surface_surfaceshader"
    files = {
        UsdShade.Shader(prim).GetInput("file").Get().path.rpartition("_")[2]
        for prim in Usd.PrimRange(material(stage).GetPrim())
        if prim.IsA(UsdShade.Shader)
        and str(UsdShade.Shader(prim).GetShaderId()).startswith("ND_image")
    }
    assert files == {
        f"{n}.png" for n in ("basecolor", "ao", "roughness", "metallic", "normal", "height")
    }


def test_what_glows_shines_in_both_networks(tmp_path: Path) -> None:
    stage = authored(tmp_path, "lava")
    preview = material(stage).ComputeSurfaceSource("")[0]
    reader, output = texture_of(preview, "emissiveColor")
    assert reader.GetInput("file").Get().path.endswith("b_emission.png") and output == "rgb"
    assert reader.GetInput("sourceColorSpace").Get() == "sRGB"
    assert tuple(reader.GetInput("scale").Get())[:3] == (6.0, 6.0, 6.0)
    assert not preview.GetInput("opacity") and not preview.GetInput("opacityThreshold")
    openpbr = material(stage).ComputeSurfaceSource("mtlx")[0]
    assert openpbr.GetInput("emission_luminance").Get() == 6.0
    image, _ = texture_of(openpbr, "emission_color")
    assert image.GetInput("file").Get().path.endswith("b_emission.png")
    assert image.GetShaderId() == "ND_image_color3"


def test_what_has_holes_is_cut_out_in_both_networks(tmp_path: Path) -> None:
    stage = authored(tmp_path, "wire mesh")
    preview = material(stage).ComputeSurfaceSource("")[0]
    reader, output = texture_of(preview, "opacity")
    assert reader.GetInput("file").Get().path.endswith("b_opacity.png") and output == "r"
    assert reader.GetInput("sourceColorSpace").Get() == "raw"
    assert preview.GetInput("opacityThreshold").Get() == 0.5
    assert not preview.GetInput("emissiveColor")
    openpbr = material(stage).ComputeSurfaceSource("mtlx")[0]
    files = {
        UsdShade.Shader(prim).GetInput("file").Get().path.rpartition("_")[2]
        for prim in Usd.PrimRange(material(stage).GetPrim())
        if str(UsdShade.Shader(prim).GetShaderId()).startswith("ND_image")
    }
    assert openpbr.GetInput("geometry_opacity").HasConnectedSource() and "opacity.png" in files
    assert not openpbr.GetInput("emission_luminance")


def test_what_neither_glows_nor_has_holes_says_nothing_of_it(tmp_path: Path) -> None:
    stage = authored(tmp_path)
    names = ("emissiveColor", "opacity", "opacityThreshold", "emission_color", "geometry_opacity")
    for context in ("", "mtlx"):
        surface = material(stage).ComputeSurfaceSource(context)[0]
        assert not any(surface.GetInput(name) for name in names)


def test_the_card_is_a_tile_at_its_true_size(tmp_path: Path) -> None:
    stage = authored(tmp_path)
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    (mesh,) = (UsdGeom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh))
    points = np.array(mesh.GetPointsAttr().Get())
    assert np.allclose(np.ptp(points, axis=0), (0.5, 0.25, 0))
    uvs = np.array(UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").Get())
    assert np.allclose(points[:, :2], uvs * (0.5, 0.25))
    assert material(stage).GetPrim().GetAttribute("userProperties:seed").Get() == 3


@pytest.mark.parametrize("directx", [False, True])
def test_normals_point_the_same_way_in_either_convention(tmp_path: Path, directx: bool) -> None:
    stage = authored(tmp_path, directx=directx)
    surface = material(stage).ComputeSurfaceSource("")[0]
    reader, _ = texture_of(surface, "normal")
    scale, bias = (np.array(reader.GetInput(name).Get())[:3] for name in ("scale", "bias"))
    up = np.array([0.5, 0.25 if directx else 0.75, 1.0])
    assert np.allclose(up * scale + bias, (0, 0.5, 1))
