# SPDX-License-Identifier: GPL-3.0-or-later
"""What USD's validators lack: each fault is planted, found where it is, and nothing else is."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pxr import Sdf, Usd, UsdGeom

from stagewright.usd_tools.check import check_asset
from stagewright.usd_tools.findings import Finding
from stagewright.usd_tools.package import package
from stagewright.usd_tools.profiles import PROFILES
from stagewright.usd_tools.repair import mend_extents

Finish = Callable[[Any], Any]

HEAD = '#usda 1.0\n(\n    defaultPrim = "A"\n    upAxis = "Y"\n    metersPerUnit = 1\n)\n'
ASSET = HEAD + (
    'def Xform "A" (\n    kind = "component"\n'
    '    assetInfo = {\n        string name = "A"\n    }\n)\n{\n%s}\n'
)
SQUARE = """    def Mesh "Mesh"
    {
        float3[] extent = [(0, 0, 0), (1, 1, 0)]
        int[] faceVertexCounts = [4]
        int[] faceVertexIndices = [0, 1, 2, 3]
        point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
    }
"""


def png(size: tuple[int, int] = (1, 1), depth: int = 8, kind: int = 2) -> bytes:
    """A PNG file whose header says this; there are no pixels in it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


@pytest.fixture
def check(tmp_path: Path, finish: Finish) -> Callable[..., list[Finding]]:
    """What a profile finds in a text, apart from USD's own validators."""

    def run(body: str, profile: str = "asset", text: str = "") -> list[Finding]:
        number = len(list(tmp_path.glob("a*.usda")))
        root = tmp_path / f"a{number}.usda"
        root.write_text(text or ASSET % body)
        report = finish(check_asset(root, None, (), PROFILES[profile]))
        return [f for f in report.findings if f.check != "validators"]

    return run


def test_a_sound_asset_has_no_findings_in_any_profile(check: Callable[..., list[Finding]]) -> None:
    assert check(SQUARE) == check(SQUARE, "shot") == []
    # A phone wants it binary, that is all.
    assert [f.check for f in check(SQUARE, "usdz")] == ["usdz-content"]


@pytest.mark.parametrize(
    ("before", "after", "words", "severity"),
    [
        ("[4]", "[3]", "faces of 3 corners, but names 4", "error"),
        ("1, 2, 3]", "1, 2, 4]", "1 corners at points that it has not", "error"),
        ("1, 2, 3]", "-1, 2, 3]", "1 corners at points that it has not", "error"),
        ("1, 2, 3]", "0, 2, 3]", "1 edges of no length", "warning"),
        ("[0, 1, 2, 3]", "[0, 1, 2, 0]", "1 edges of no length", "warning"),
        ("[4]", "[2, 2]", "2 faces of fewer than three corners", "warning"),
        ("(0, 1, 0)]", "(0, nan, 0)]", "points that are not numbers", "error"),
        (
            "[4]",
            "[4]\n        normal3f[] normals = [(0, 0, 1)]",
            "1 normals for 4 places",
            "error",
        ),
        (
            "[4]",
            '[4]\n        texCoord2f[] primvars:st = [(0, 0), (1, 1)] (\n'
            '            interpolation = "faceVarying"\n        )',
            "2 values of st for 4 places",
            "error",
        ),
        (
            "[4]",
            '[4]\n        texCoord2f[] primvars:st = [(0, 0), (1, 1)] (\n'
            '            interpolation = "faceVarying"\n        )\n'
            "        int[] primvars:st:indices = [0, 1, 2, 0]",
            "indices of st beyond its 2 values",
            "error",
        ),
    ],
)  # fmt: skip
def test_a_broken_mesh_is_found(
    check: Callable[..., list[Finding]], before: str, after: str, words: str, severity: str
) -> None:
    assert before in SQUARE
    found = [f for f in check(SQUARE.replace(before, after)) if f.check == "topology"]
    assert [(words in f.message, f.severity, f.prim) for f in found] == [
        (True, severity, "/A/Mesh")
    ]


def test_edges_of_three_faces_are_told_and_curves_and_instancers_judged(
    check: Callable[..., list[Finding]],
) -> None:
    fins = SQUARE.replace("[4]", "[3, 3, 3]").replace("[0, 1, 2, 3]", "[0, 1, 2, 0, 1, 3, 0, 1, 4]")
    fins = fins.replace("(0, 1, 0)]", "(0, 1, 0), (1, 1, 0)]")
    curves = '    def BasisCurves "C"\n    {\n        int[] curveVertexCounts = [4, 3]\n'
    curves += "        point3f[] points = [(0, 0, 0), (1, 0, 0)]\n    }\n"
    copies = '    def PointInstancer "P"\n    {\n        rel prototypes = </A/Mesh>\n'
    copies += (
        "        int[] protoIndices = [0, 1]\n        point3f[] positions = [(0, 0, 0)]\n    }\n"
    )
    found = {(f.prim, f.severity) for f in check(fins + curves + copies) if f.check == "topology"}
    assert found == {("/A/Mesh", "info"), ("/A/C", "error"), ("/A/P", "error")}


def test_what_instances_share_is_told_once(check: Callable[..., list[Finding]]) -> None:
    broken = SQUARE.replace("[4]", "[3]")
    text = (
        HEAD
        + f'class "Shape"\n{{\n{broken}}}\n'
        + (
            'def Xform "A" (\n    kind = "component"\n'
            '    assetInfo = {\n        string name = "A"\n    }\n)\n{\n'
        )
    )
    for name in "ab":
        text += f'    def Xform "{name}" (\n        instanceable = true\n'
        text += "        inherits = </Shape>\n    )\n    {\n    }\n"
    found = [f for f in check("", text=text + "}\n") if f.check == "topology"]
    assert len(found) == 1 and found[0].prim in ("/A/a/Mesh", "/A/b/Mesh")


def test_kinds_make_a_hierarchy_or_are_told(check: Callable[..., list[Finding]]) -> None:
    def nested(*kinds: str) -> str:
        text = ""
        for depth, kind in enumerate(kinds):
            said = f'    kind = "{kind}"\n' if kind else ""
            text += f'def Xform "{"ABCDE"[depth]}" (\n{said})\n{{\n'
        return HEAD + text + "}\n" * len(kinds)

    def found(*kinds: str) -> list[str]:
        return [
            f.prim
            for f in check("", "shot", text=nested(*kinds))
            if f.check == "kind-hierarchy"
        ]  # fmt: skip

    assert found("assembly", "group", "component", "subcomponent") == []
    assert found("component", "subcomponent") == []
    assert found("component", "component") == ["/A/B"]
    assert found("assembly", "", "component") == ["/A/B/C"]
    assert found("component", "", "group") == ["/A/B/C"]
    assert found("assembly", "subcomponent") == ["/A/B"]
    assert found("nonsense") == ["/A"]


TEXTURED = """    def Material "M"
    {
        token outputs:surface.connect = </A/M/S.outputs:surface>
        def Shader "S"
        {
            uniform token info:id = "UsdPreviewSurface"
            color3f inputs:diffuseColor.connect = </A/M/Colour.outputs:rgb>
            float inputs:roughness.connect = </A/M/Rough.outputs:r>
            token outputs:surface
        }
        def Shader "Colour"
        {
            uniform token info:id = "UsdUVTexture"
            asset inputs:file = @./colour.png@
            token inputs:sourceColorSpace = "%s"
            color3f outputs:rgb
        }
        def Shader "Rough"
        {
            uniform token info:id = "UsdUVTexture"
            asset inputs:file = @./rough.png@
            token inputs:sourceColorSpace = "%s"
            float outputs:r
        }
    }
"""


def test_textures_that_are_read_as_the_wrong_colours(
    check: Callable[..., list[Finding]], tmp_path: Path
) -> None:
    def found(colour: str, rough: str, depth: int = 8, kind: int = 2) -> list[str]:
        (tmp_path / "colour.png").write_bytes(png())
        (tmp_path / "rough.png").write_bytes(png(depth=depth, kind=kind))
        shown = check(TEXTURED % (colour, rough))
        return [f.prim for f in shown if f.check == "texture-color-space"]

    assert found("sRGB", "raw") == found("auto", "raw") == []
    assert found("raw", "sRGB") == ["/A/M/Colour", "/A/M/Rough"]
    # "auto" is sRGB for three channels of 8 bits, raw for one channel or 16 bits.
    assert found("auto", "auto") == ["/A/M/Rough"]
    assert found("auto", "auto", kind=0) == found("auto", "auto", depth=16) == []


def test_textures_that_not_everyone_reads(
    check: Callable[..., list[Finding]], tmp_path: Path
) -> None:
    names = {
        "big.png": png((9000, 2)),
        "odd.tga": b"",
        "lie.png": b"\xff\xd8",
        "mid.png": png((5000, 9)),
    }
    body = ""
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
        body += f"    asset {name.split('.')[0]} = @./{name}@\n"
    judged = {
        profile: {(f.check, f.severity, f.layer) for f in check(body, profile) if f.layer in names}
        for profile in ("asset", "usdz")
    }
    asset = {
        ("texture-size", "warning", "big.png"),
        ("texture-format", "warning", "odd.tga"),
        ("texture-format", "error", "lie.png"),
    }
    assert judged["asset"] == asset
    assert judged["usdz"] == asset | {
        ("texture-size", "warning", "mid.png"), ("usdz-content", "warning", "odd.tga"),
    }  # fmt: skip


def test_a_shot_may_use_assets_from_elsewhere_but_not_by_paths_of_one_machine(
    check: Callable[..., list[Finding]], tmp_path: Path
) -> None:
    other = tmp_path.parent / f"{tmp_path.name}_other.usda"
    other.write_text(ASSET % SQUARE)
    for path, asset, shot in (
        (f"../{other.name}", [("outside-path", "error")], []),
        (other.as_posix(), [("absolute-path", "error")], [("absolute-path", "warning")]),
    ):
        body = f'    def "B" (\n        references = @{path}@\n    )\n    {{\n    }}\n'
        for profile, expected in (("asset", asset), ("shot", shot)):
            found = [
                (f.check, f.severity)
                for f in check(body, profile)
                if f.check in ("outside-path", "absolute-path", "missing-asset")
            ]
            assert found == expected


MATERIALX = """    def Material "M"
    {
        def Shader "S"
        {
            uniform token info:id = "ND_standard_surface_surfaceshader"
            float inputs:base = 1
            %s
        }
        def Shader "T"
        {
            uniform token info:id = "%s"
        }
    }
"""


def test_materialx_nodes_are_held_against_the_library(
    check: Callable[..., list[Finding]], tmp_path: Path
) -> None:
    right = MATERIALX % ("color3f inputs:base_color = (1, 0, 0)", "ND_image_color3")
    wrong = MATERIALX % ("float inputs:base_color = 1\n float inputs:bass = 1", "ND_no_such")
    document = '<?xml version="1.0"?>\n<materialx version="1.39">\n'
    document += '<standard_surface name="ss" type="surfaceshader">'
    document += '<input name="base_colour" type="color3" value="1, 0, 0"/></standard_surface>\n'
    (tmp_path / "m.mtlx").write_text(document + '<nosuch name="q" type="color3"/>\n</materialx>\n')
    (tmp_path / "good.mtlx").write_text(
        document.replace("base_colour", "base_color") + "</materialx>\n"
    )
    named = "    asset one = @./m.mtlx@\n    asset two = @./good.mtlx@\n"
    found = [f for f in check(right + named) if f.check == "materialx"]
    if find_spec("MaterialX") is None:
        assert [f.severity for f in found] == ["info"]
        return
    assert {(f.severity, f.layer) for f in found} == {("error", "m.mtlx")}
    assert sorted(f.message.split()[1:5] for f in found) == [
        ["q", "is", "a", "nosuch,"], ["ss", "has", "the", "input"],
    ]  # fmt: skip
    found = [f for f in check(wrong) if f.check == "materialx"]
    assert sorted(f.message.split(" ", 1)[1] for f in found) == [
        "has a float as base_color, which is a color3.",
        "has the input bass, which ND_standard_surface_surfaceshader has not.",
        "is a ND_no_such, which MaterialX does not define.",
    ]


def test_a_package_is_checked_as_it_was_packed(tmp_path: Path, finish: Finish) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "t.png").write_bytes(png())
    root = source / "a.usda"
    root.write_text(ASSET % (SQUARE + "    asset t = @./t.png@\n"))
    target = tmp_path / "elsewhere" / "a.usdz"
    target.parent.mkdir()
    finish(package(root, target, arkit=True))
    found = finish(check_asset(target, None, (), PROFILES["usdz"])).findings
    assert [f.check for f in found] == ["validators"]
    # What is not in it is missing, whatever lies beside it.
    with zipfile.ZipFile(tmp_path / "elsewhere" / "b.usdz", "w") as archive:
        archive.writestr("odd.txt", "x")
        archive.writestr("a.usda", root.read_text(), compress_type=zipfile.ZIP_DEFLATED)
    (tmp_path / "elsewhere" / "t.png").write_bytes(png())
    report = finish(check_asset(tmp_path / "elsewhere" / "b.usdz", None, (), PROFILES["usdz"]))
    words = " ".join(f.message for f in report.findings if f.check == "usdz-layout")
    assert "The first file in b.usdz is no layer" in words
    assert "a.usda in b.usdz is compressed" in words
    assert "odd.txt in b.usdz does not begin at a multiple of 64" in words


@pytest.mark.parametrize("name", ["../../out.usda", "/out.usda", "C:/out.usda", "..\\out.usda"])
def test_a_package_never_writes_outside_of_its_folder(
    tmp_path: Path, finish: Finish, name: str
) -> None:
    folder = tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "evil.usdz", "w") as archive:
        archive.writestr("a.usda", ASSET % SQUARE)
        archive.writestr(name, "#usda 1.0\n")
    report = finish(check_asset(folder / "evil.usdz", None))
    assert "would lie outside" in " ".join(f.message for f in report.findings)
    assert [f.name for f in tmp_path.rglob("*") if f.is_file()] == ["evil.usdz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"#usda 1.0\n"])
def test_what_is_no_package_is_told(tmp_path: Path, finish: Finish, content: bytes) -> None:
    (tmp_path / "a.usdz").write_bytes(content)
    report = finish(check_asset(tmp_path / "a.usdz", None, (), PROFILES["usdz"]))
    assert [(f.check, f.severity) for f in report.findings] == [("usdz-layout", "error")]


def test_extents_are_mended_in_the_layers_that_hold_the_points(
    tmp_path: Path, finish: Finish
) -> None:
    wrong = SQUARE.replace("[(0, 0, 0), (1, 1, 0)]", "[(0, 0, 0), (9, 9, 9)]")
    none = wrong.replace('"Mesh"', '"Bare"').replace("        float3[] extent = ", "        # ")
    moving = none.replace("Bare", "Moving").replace(
        "point3f[] points =",
        "point3f[] points.timeSamples = { 1: [(0, 0, 0)], 2: [(0, 0, 4)] }\n #",
    ).replace("[4]", "[]").replace("[0, 1, 2, 3]", "[]")  # fmt: skip
    layer = tmp_path / "geometry.usdc"
    text = Sdf.Layer.CreateAnonymous(".usda")
    text.ImportFromString(ASSET % (wrong + none + moving + SQUARE.replace('"Mesh"', '"Right"')))
    text.Export(str(layer))
    root = tmp_path / "root.usda"
    root.write_text(HEAD.replace("(\n", "(\n    subLayers = [@./geometry.usdc@]\n", 1))
    before = finish(check_asset(root, None)).findings
    told = [(f.prim, f.fix) for f in before if f.check == "extent"]
    fix = ("set", "--extents")
    assert told == [("/A/Bare", fix), ("/A/Mesh", fix), ("/A/Moving", fix)]
    assert finish(mend_extents(root)) == [layer]
    assert not [f for f in finish(check_asset(root, None)).findings if f.check == "extent"]
    stage = Usd.Stage.Open(Sdf.Layer.OpenAsAnonymous(str(layer)))
    moved = UsdGeom.Mesh.Get(stage, "/A/Moving").GetExtentAttr()
    assert [tuple(map(tuple, moved.Get(t))) for t in (1, 2)] == [
        ((0, 0, 0), (0, 0, 0)), ((0, 0, 4), (0, 0, 4)),
    ]  # fmt: skip
    assert finish(mend_extents(root)) == []
