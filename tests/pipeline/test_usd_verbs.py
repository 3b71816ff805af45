# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright usd …`` on files, as a program and a person meet it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .test_cli import MAIN, environment, run

ASSET = """#usda 1.0
(
    defaultPrim = "A"
    subLayers = [@./over.usda@]
)
def Xform "A" (
    kind = "component"
    prepend variantSets = "lod"
    variants = {
        string lod = "high"
    }
)
{
    asset picture = @./old/wood.png@
    variantSet "lod" = {
        "high" {
            def Mesh "Fine"
            {
                int[] faceVertexCounts = [3, 3]
            }
        }
        "low" {
        }
    }
}
"""
OVER = """#usda 1.0
over "A"
{
    custom int n = 2
}
"""


@pytest.fixture(name="asset")
def asset_fixture(tmp_path: Path) -> Path:
    (tmp_path / "over.usda").write_text(OVER)
    (tmp_path / "new").mkdir()
    (tmp_path / "new/wood.png").write_bytes(b"x")
    asset = tmp_path / "asset.usda"
    asset.write_text(ASSET)
    return asset


def text(*words: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment({}),
        check=False,
    )
    return done.stderr


def test_inspect_tells_numbers_layers_and_files(asset: Path) -> None:
    code, last = run("usd", "inspect", asset)
    assert code == 0
    value = last["value"]
    assert value["statistics"]["prims"] == {"Mesh": 1, "Xform": 1}
    assert value["statistics"]["polygons"] == 2
    assert [row["name"] for row in value["layers"]][1:] == ["asset.usda", "over.usda"]
    assert [row["path"] for row in value["dependencies"] if row["broken"]] == ["./old/wood.png"]
    code, last = run("usd", "inspect", asset, "--variant", "/A:lod=low")
    assert last["value"]["statistics"]["polygons"] == 0
    said = text("usd", "inspect", asset)
    assert "1 Mesh, 1 Xform" in said and "./old/wood.png [broken]" in said


def test_inspect_tells_all_about_a_prim(asset: Path) -> None:
    code, last = run("usd", "inspect", asset, "/A")
    rows = {row["name"]: row for row in last["value"]["prim"]["properties"]}
    assert rows["n"]["value"] == "2"
    assert Path(rows["n"]["opinions"][0]["layer"]).name == "over.usda"
    code, last = run("usd", "inspect", asset, "/A", "--mute", "over.usda")
    assert "n" not in {row["name"] for row in last["value"]["prim"]["properties"]}
    said = text("usd", "inspect", asset, "/A")
    assert "int n = 2" in said and "over.usda: 2" in said


def test_tree_lists_and_finds(asset: Path) -> None:
    _, last = run("usd", "tree", asset)
    assert [row["path"] for row in last["value"]["rows"]] == ["/A", "/A/Fine"]
    _, last = run("usd", "tree", asset, "--depth", "1")
    assert [row["path"] for row in last["value"]["rows"]] == ["/A"]
    _, last = run("usd", "tree", asset, "--search", "type:Mesh")
    assert [row["path"] for row in last["value"]["rows"]] == ["/A/Fine"]
    assert "  Fine  Mesh" in text("usd", "tree", asset)
    assert "No prim fits." in text("usd", "tree", asset, "--search", "zebra")


def test_diff_tells_by_its_exit_code(asset: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.usda"
    other.write_text(ASSET.replace("component", "assembly"))
    code, last = run("usd", "diff", asset, other)
    (change,) = last["value"]["changes"]
    assert (code, change["path"], change["field"]) == (1, "/A", "kind")
    assert run("usd", "diff", asset, asset)[0] == 0
    (tmp_path / "over.usda").write_text(OVER.replace("2", "3"))
    assert "~ /A kind: component → assembly" in text("usd", "diff", "--stage", asset, other)


def test_replace_shows_first_and_writes_when_asked(asset: Path) -> None:
    words = ("usd", "replace", asset, "--find", "./old", "--with", "./new")
    before = asset.read_text()
    said = text(*words)
    assert "./old/wood.png → ./new/wood.png" in said and "--apply" in said
    assert asset.read_text() == before
    code, last = run(*words, "--apply")
    assert code == 0 and last["value"]["changed"] == [str(asset)]
    assert "@./new/wood.png@" in asset.read_text()
    assert asset.with_name("asset.usda.bak").read_text() == before
    table = asset.with_name("table.json")
    table.write_text(json.dumps({"./new": "./old"}))
    _, last = run("usd", "replace", asset, "--remap", table)
    assert last["value"]["edits"][0]["after"] == "./old/wood.png"
    table.write_text("[1]")
    code, last = run("usd", "replace", asset, "--remap", table)
    assert (code, last["code"]) == (1, "bad-table")


def test_set_corrects_metadata(asset: Path) -> None:
    assert run("usd", "set", asset, "--up-axis", "Y", "--kind", "assembly")[0] == 0
    assert 'upAxis = "Y"' in asset.read_text() and 'kind = "assembly"' in asset.read_text()
    assert run("usd", "set", asset)[0] == 2


def test_package_flatten_and_localize(asset: Path, tmp_path: Path) -> None:
    packed = tmp_path / "asset.usdz"
    code, last = run("usd", "package", asset, "-o", packed)
    assert code == 1 and last["value"]["missing"] == ["./old/wood.png"]
    assert zipfile.ZipFile(packed).namelist() == ["asset.usda", "over.usda"]
    assert run("usd", "package", asset, "-o", packed)[1]["code"] == "exists"
    flat = tmp_path / "flat.usda"
    assert run("usd", "flatten", asset, "-o", flat)[0] == 0
    assert "int n = 2" in flat.read_text()
    run("usd", "localize", asset, "-o", tmp_path / "out")
    assert (tmp_path / "out/over.usda").is_file()


@pytest.mark.parametrize("verb", [("inspect",), ("tree",), ("flatten", "-o", "x.usda")])
def test_what_is_no_usd_is_told(tmp_path: Path, verb: tuple[str, ...]) -> None:
    bad = tmp_path / "bad.usda"
    for content in (b"", b"#usda 1.0\n{{{", b"PXR-USDC\0\0"):
        bad.write_bytes(content)
        name, *rest = verb
        code, last = run("usd", name, bad, *rest)
        assert (code, last["event"], last["code"]) == (1, "error", "asset-unreadable")


def test_what_ends_the_usd_library_is_told_as_any_other_damage(tmp_path: Path) -> None:
    deadly = tmp_path / "deadly.usda"
    deadly.write_text("#usda 1.0\n" + 'def "a" {\n' * 200_000 + "}\n" * 200_000)
    for verb in ("tree", "check"):
        code, last = run("usd", verb, deadly)
        assert (code, last["event"], last["code"]) == (1, "error", "asset-unreadable"), verb
        assert "deadly.usda" in last["message"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes")
def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.usda")
    code, last = run("usd", "inspect", tmp_path / "pipe.usda")
    assert (code, last["message"]) == (1, "pipe.usda is no file.")


def test_inspect_tells_what_could_not_be_composed(tmp_path: Path) -> None:
    file = tmp_path / "loop.usda"
    file.write_text('#usda 1.0\ndef "A" (\n    references = @loop.usda@</A>\n)\n{\n}\n')
    code, last = run("usd", "inspect", file)
    assert code == 0
    (problem,) = last["value"]["problems"]
    assert "Cycle" in problem and "loop.usda" in problem and "anon:" not in problem
