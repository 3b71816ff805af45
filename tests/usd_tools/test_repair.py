# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of asset paths: planned, applied whole, and undone by their backups."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pxr import Sdf, Usd

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.inspect.layers import select_variant
from stagewright.usd_tools.repair import (
    PathEdit,
    Rule,
    apply_edits,
    make_absolute,
    make_relative,
    plan_edits,
    remap,
    replace_text,
    save_overrides,
    search_missing,
    set_stage_metadata,
)
from stagewright.usd_tools.stages import is_binary

Finish = Callable[[Any], Any]


@pytest.fixture(name="root")
def root_fixture(tmp_path: Path) -> Path:
    """A text root, a binary sublayer in a .usd, textures in another folder."""
    (tmp_path / "tex").mkdir()
    for name in ("wood.png", "tile.1001.exr", "tile.1002.exr"):
        (tmp_path / "tex" / name).write_bytes(b"x")
    sub = Sdf.Layer.CreateAnonymous(".usda")
    sub.ImportFromString(
        """#usda 1.0
        def Scope "A" {
            asset one = @/old/maps/wood.png@
            asset two = @/old/maps/wood.png@
            asset[] tiles = [@/old/maps/tile.<UDIM>.exr@]
            variantSet "v" = {
                "x" {
                    asset three = @/old/maps/wood.png@
                }
            }
        }
        """
    )
    sub.Export(str(tmp_path / "sub.usd"), args={"format": "usdc"})
    root = tmp_path / "root.usda"
    root.write_text('#usda 1.0\n(\n    subLayers = [@./sub.usd@]\n)\nover "A"\n{\n}\n')
    return root


def paths(root: Path, rule: Rule) -> set[tuple[str, str]]:
    return {(edit.before, edit.after) for edit in plan_edits(root, rule)}


def test_a_plan_tells_every_use_and_changes_nothing(root: Path) -> None:
    before = {file: file.read_bytes() for file in root.parent.rglob("*") if file.is_file()}
    edits = plan_edits(root, replace_text("/old/maps", "./tex"))
    assert {(Path(e.layer).name, e.before, e.after, e.uses, e.found) for e in edits} == {
        ("sub.usd", "/old/maps/wood.png", "./tex/wood.png", 3, True),
        ("sub.usd", "/old/maps/tile.<UDIM>.exr", "./tex/tile.<UDIM>.exr", 1, True),
    }
    after = {file: file.read_bytes() for file in root.parent.rglob("*") if file.is_file()}
    assert after == before


def test_an_applied_plan_rewrites_in_place_and_keeps_a_backup(root: Path, finish: Finish) -> None:
    sub = root.parent / "sub.usd"
    original, text = sub.read_bytes(), root.read_bytes()
    changed = finish(apply_edits(plan_edits(root, replace_text("/old/maps", "./tex"))))
    assert changed == [sub]
    assert is_binary(sub)
    assert (root.parent / "sub.usd.bak").read_bytes() == original
    assert root.read_bytes() == text and not (root.parent / "root.usda.bak").exists()
    assert plan_edits(root, replace_text("/old", "")) == []
    stage = Usd.Stage.Open(str(root))
    for name in ("one", "two"):
        value = stage.GetAttributeAtPath(f"/A.{name}").Get()
        assert Path(value.resolvedPath) == root.parent / "tex/wood.png"
    # A second edit keeps the first backup.
    finish(apply_edits(plan_edits(root, make_absolute)))
    assert (root.parent / "sub.usd.bak").read_bytes() == original
    assert (root.parent / "sub.usd.bak1").exists()


def test_rules(root: Path) -> None:
    wood, tile = "/old/maps/wood.png", "/old/maps/tile.<UDIM>.exr"
    assert paths(root, replace_text(r"/(\w+)/maps", r"/\1/m", regex=True)) == {
        (wood, "/old/m/wood.png"),
        (tile, "/old/m/tile.<UDIM>.exr"),
    }
    assert paths(root, remap({"/old": "/new", "/old/maps/wood.png": "w.png"})) == {
        (wood, "w.png"),
        (tile, "/new/maps/tile.<UDIM>.exr"),
    }
    assert paths(root, remap({"/ol": "/new"})) == set()
    assert paths(root, search_missing([root.parent / "tex"])) == {
        (wood, "./tex/wood.png"),
        (tile, "./tex/tile.<UDIM>.exr"),
    }
    assert paths(root, make_relative) == set()  # what is not there stays as it is
    assert paths(root, make_absolute) == {("./sub.usd", str(root.parent / "sub.usd"))}


def test_relative_and_absolute_are_each_others_opposite(root: Path, finish: Finish) -> None:
    finish(apply_edits(plan_edits(root, search_missing([root.parent]))))
    first = paths(root, make_absolute)
    finish(apply_edits(plan_edits(root, make_absolute)))
    assert paths(root, make_relative) == {(after, before) for before, after in first}


def test_a_bad_pattern_is_refused() -> None:
    for find, replacement in (("(", ""), ("a", r"\2")):
        with pytest.raises(StagewrightError, match="regular expression"):
            replace_text(find, replacement, regex=True)("a", Path())


def test_one_file_that_cannot_be_written_leaves_all_as_they_were(
    root: Path, finish: Finish
) -> None:
    edits = plan_edits(root, lambda path, folder: f"{path}x")
    assert {Path(edit.layer).name for edit in edits} == {"root.usda", "sub.usd"}
    before = {file: file.read_bytes() for file in root.parent.iterdir() if file.is_file()}
    gone = root.parent / "gone" / "none.usda"
    gone.parent.mkdir()
    with pytest.raises(StagewrightError, match=r"none\.usda"):
        finish(apply_edits([*edits, PathEdit(str(gone), "a", "b", 1, False)]))
    after = {file: file.read_bytes() for file in root.parent.iterdir() if file.is_file()}
    assert after == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_layer_stays_as_it_is(root: Path, finish: Finish) -> None:
    sub = root.parent / "sub.usd"
    sub.chmod(0o444)
    with pytest.raises(StagewrightError, match="read-only"):
        finish(apply_edits(plan_edits(root, replace_text("/old", "/new"))))
    assert not (root.parent / "sub.usd.bak").exists()


def test_metadata_is_corrected_in_the_layers_own_format(root: Path, finish: Finish) -> None:
    sub = root.parent / "sub.usd"
    finish(
        set_stage_metadata(
            sub, up_axis="Y", meters_per_unit=0.01, default_prim="A", kind="component"
        )
    )
    assert is_binary(sub)
    layer = Sdf.Layer.OpenAsAnonymous(str(sub))
    assert (layer.defaultPrim, layer.GetPrimAtPath("/A").kind) == ("A", "component")
    assert layer.pseudoRoot.GetInfo("metersPerUnit") == 0.01
    assert layer.pseudoRoot.GetInfo("upAxis") == "Y"
    with pytest.raises(StagewrightError, match="no root prim B"):
        finish(set_stage_metadata(sub, default_prim="B"))


def test_session_edits_become_a_layer_over_the_file(tmp_path: Path) -> None:
    root = tmp_path / "root.usda"
    root.write_text(
        """#usda 1.0
        (
            defaultPrim = "A"
            upAxis = "Z"
        )
        def "A" (
            prepend variantSets = "v"
            variants = { string v = "x" }
        ) {
            variantSet "v" = {
                "x" {
                    int n = 1
                }
                "y" {
                    int n = 2
                }
            }
        }
        """
    )
    stage = Usd.Stage.Open(str(root))
    select_variant(stage, "/A", "v", "y")
    (tmp_path / "over").mkdir()
    target = tmp_path / "over/mine.usda"
    save_overrides(stage, target)
    assert Usd.Stage.Open(str(target)).GetAttributeAtPath("/A.n").Get() == 2
    assert Usd.Stage.Open(str(root)).GetAttributeAtPath("/A.n").Get() == 1
    with pytest.raises(StagewrightError, match="exists"):
        save_overrides(stage, target)
