# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers as text: links and where they lead, and saving back into the layer's own format."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pxr import Sdf, UsdUtils

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.layer_text import check_text, links, read_text, save_text
from stagewright.usd_tools.stages import is_binary

TEXT = '''#usda 1.0
# a comment about @nothing.usda@
(
    doc = """see @nobody.usda@
and more"""
    subLayers = [@part.usda@, @crate.usdc@]
)
def "A" (
    prepend references = [@@@odd@name.usda@@@</A>, @gone.usda@</A>]
)
{
    string mail = "me@here.org and you@there.org"
    asset a = @tex/a.png@
    asset[] b = [@tex/b.<UDIM>.png@, @tex/none.png@]
    asset c = @look.mtlx@
    asset empty = @@
}
'''
MTLX = """<?xml version="1.0"?>
<materialx version="1.39">
  <tiledimage name="i">
    <input name="file" type="filename" value="tex/a.png"/>
  </tiledimage>
</materialx>
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    part = '#usda 1.0\ndef "A"\n{\n}\n'
    for name in ("part.usda", "odd@name.usda"):
        (tmp_path / name).write_text(part)
    Sdf.Layer.OpenAsAnonymous(str(tmp_path / "part.usda")).Export(str(tmp_path / "crate.usdc"))
    (tmp_path / "tex").mkdir()
    for name in ("a.png", "b.1001.png", "b.1002.png"):
        (tmp_path / "tex" / name).write_bytes(b"")
    (tmp_path / "look.mtlx").write_text(MTLX)
    file = tmp_path / "root.usda"
    file.write_text(TEXT)
    return file


def save(file: Path, text: str) -> None:
    drain(save_text(read_text(str(file)), text), lambda event: None)


def test_every_asset_path_is_a_link_at_its_place_and_tells_what_is_there(root: Path) -> None:
    found = links(TEXT, str(root))
    assert [(link.path, link.state) for link in found] == [
        ("part.usda", "layer"),
        ("crate.usdc", "binary"),
        ("odd@name.usda", "layer"),
        ("gone.usda", "missing"),
        ("tex/a.png", "file"),
        ("tex/b.<UDIM>.png", "tiles"),
        ("tex/none.png", "missing"),
        ("look.mtlx", "layer"),
    ]
    lines = TEXT.split("\n")
    for link in found:
        assert lines[link.line][link.start : link.end].strip("@") == link.path
        assert (link.target == "") == (link.state == "missing")
        assert not link.target or Path(link.target).is_file()


def test_the_links_are_all_that_usd_finds(root: Path) -> None:
    named = {path for paths in UsdUtils.ExtractExternalReferences(str(root)) for path in paths}
    assert {link.path for link in links(TEXT, str(root))} == named


def test_the_files_of_a_materialx_document_are_links(root: Path) -> None:
    (link,) = links(MTLX, str(root.with_name("look.mtlx")))
    assert (link.path, link.state) == ("tex/a.png", "file")
    assert MTLX.split("\n")[link.line][link.start : link.end] == '"tex/a.png"'


def test_text_is_shown_as_it_is_and_a_crate_as_usd_writes_it(root: Path) -> None:
    shown = read_text(str(root))
    assert (shown.text, shown.format, shown.why_locked) == (TEXT, "usda", "")
    crate = read_text(str(root.with_name("crate.usdc")))
    assert crate.format == "usdc" and crate.text.startswith("#usda 1.0") and '"A"' in crate.text


def test_what_is_saved_is_what_was_written_with_a_backup_beside_it(root: Path) -> None:
    edited = TEXT.replace("# a comment", "# another comment")
    save(root, edited)
    assert root.read_text() == edited
    assert root.with_name("root.usda.bak").read_text() == TEXT


@pytest.mark.parametrize("name", ["crate.usdc", "any.usd"])
def test_a_crate_is_saved_as_a_crate(root: Path, name: str) -> None:
    file = root.with_name(name)
    if not file.exists():
        Sdf.Layer.OpenAsAnonymous(str(root)).Export(str(file), args={"format": "usdc"})
    text = read_text(str(file)).text.replace('def "A"', 'def Scope "A"')
    save(file, text)
    assert is_binary(file)
    layer = Sdf.Layer.OpenAsAnonymous(str(file))
    assert layer.GetPrimAtPath("/A").typeName == "Scope"


def test_text_with_an_error_is_refused_at_its_line_and_nothing_is_written(root: Path) -> None:
    for name, text, line in (
        ("root.usda", TEXT.replace("asset a =", "asset a a ="), 13),
        ("root.usda", TEXT.replace("#usda 1.0", ""), 1),
        ("look.mtlx", MTLX.replace("  </tiledimage>\n", ""), 5),
    ):
        file = root.with_name(name)
        before = file.read_bytes()
        with pytest.raises(StagewrightError, match=f"Line {line}:") as error:
            save(file, text)
        assert error.value.code == "bad-syntax" and error.value.details["line"] == line
        assert file.read_bytes() == before
        assert not file.with_name(f"{name}.bak").exists()
    check_text(TEXT, "usda")
    # As MaterialX writes it.
    check_text('<materialx version="1.39"><a value="wood.<UDIM>.png"/></materialx>', "mtlx")


def test_a_file_that_changed_meanwhile_is_not_overwritten(root: Path) -> None:
    shown = read_text(str(root))
    root.write_text(TEXT + "\n# by someone else\n")
    with pytest.raises(StagewrightError, match="has changed on disk"):
        drain(save_text(shown, TEXT), lambda event: None)
    assert "by someone else" in root.read_text()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anything")
def test_a_read_only_file_stays(root: Path) -> None:
    root.chmod(0o444)
    with pytest.raises(StagewrightError, match="cannot be written"):
        save(root, TEXT + "\n")


def test_layers_in_a_package_are_read_and_linked_and_locked(root: Path) -> None:
    root.write_text("#usda 1.0\n(\n    subLayers = [@./part.usda@]\n)\n")
    package = root.with_name("all.usdz")
    assert UsdUtils.CreateNewUsdzPackage(str(root), str(package))
    shown = read_text(str(package))
    (link,) = links(shown.text, str(package))
    assert (shown.format, link.state) == ("usdz", "layer")
    inner = read_text(link.target)
    assert '"A"' in inner.text and inner.identifier == f"{package}[part.usda]"
    for layer in (shown, inner):
        with pytest.raises(StagewrightError, match="cannot be saved"):
            drain(save_text(layer, layer.text), lambda event: None)


@pytest.mark.parametrize("content", [b"", b"PXR-USDC" + b"\1" * 99, b"\xff\xfe\x00"])
def test_what_is_no_layer_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.usd"
    file.write_bytes(content)
    with pytest.raises(StagewrightError, match="bad.usd cannot be read"):
        read_text(str(file))
    with pytest.raises(StagewrightError, match="nowhere.usda is not there"):
        read_text(str(tmp_path / "nowhere.usda"))
