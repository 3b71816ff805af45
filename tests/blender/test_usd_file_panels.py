# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair, compare and package of the inspected file, from the panels."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from stagewright.addon import pump
from stagewright.addon.usd import checking, compare, looking, package, repair

from .recorder import draw
from .test_panels import no_input_or_output

pytestmark = pytest.mark.usefixtures("addon")

SHOT = """#usda 1.0
(
    defaultPrim = "Shot"
    upAxis = "Y"
    subLayers = [
        @part.usda@
    ]
)
def Xform "Shot"
{
    asset picture = @old/a.png@
    asset other = @old/b.png@
    float size = 1
    def Scope "Here"
    {
    }
}
"""
PART = """#usda 1.0
over "Shot"
{
    asset third = @old/a.png@
}
"""


@pytest.fixture
def shot(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "shot.usda"
    file.write_text(SHOT)
    (tmp_path / "part.usda").write_text(PART)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.png").write_bytes(b"picture")
    bpy.ops.stagewright.inspect_usd(filepath=str(file))
    yield file


def settings() -> repair.STAGEWRIGHT_PG_repair:
    return bpy.context.window_manager.stagewright_repair


def value(name: str) -> str:
    now = looking.session()
    assert now is not None
    now.look_at("/Shot")
    return next(p.value for p in now.details.properties if p.name == name)


def test_paths_are_listed_before_anything_is_written_and_only_ticked_ones_are(shot: Path) -> None:
    before = {file: file.read_text() for file in shot.parent.glob("*.usda")}
    assert not bpy.ops.stagewright.find_paths.poll()
    assert "Write what to find" in draw(repair.STAGEWRIGHT_PT_usd_repair).texts
    settings().find, settings().replacement = "old/", "new/"
    bpy.ops.stagewright.find_paths()
    texts = draw(repair.STAGEWRIGHT_PT_usd_repair).texts
    assert {"new/a.png", "new/b.png", "No such file"} & set(texts) >= {"new/a.png", "new/b.png"}
    assert {file: file.read_text() for file in shot.parent.glob("*.usda")} == before
    listed = [(Path(edit["layer"]).name, edit["after"]) for edit in repair.edits()]
    assert sorted(listed) == [
        ("part.usda", "new/a.png"), ("shot.usda", "new/a.png"), ("shot.usda", "new/b.png"),
    ]  # fmt: skip
    settings().edits[listed.index(("shot.usda", "new/b.png"))].use = False
    bpy.ops.stagewright.replace_paths()
    assert repair.edits() == ()
    # What was written is what is shown.
    assert value("picture") == "@new/a.png@" and value("third") == "@new/a.png@"
    assert value("other") == "@old/b.png@"
    assert (shot.parent / "shot.usda.bak").read_text() == SHOT


def test_another_rule_needs_another_list(shot: Path) -> None:
    settings().find, settings().replacement = "old/", "new/"
    bpy.ops.stagewright.find_paths()
    assert repair.edits()
    settings().replacement = "other/"
    assert repair.edits() == () and not bpy.ops.stagewright.replace_paths.poll()


def test_missing_files_are_found_by_name(shot: Path) -> None:
    settings().how = "SEARCH"
    assert not bpy.ops.stagewright.find_paths.poll()
    settings().folder = str(shot.parent)
    bpy.ops.stagewright.find_paths()
    assert {edit["after"] for edit in repair.edits()} == {"./new/a.png"}


def test_what_the_file_says_about_its_stage_is_corrected(shot: Path) -> None:
    assert not bpy.ops.stagewright.set_stage.poll()
    settings().up_axis, settings().kind = "Z", "assembly"
    bpy.ops.stagewright.set_stage()
    text = shot.read_text()
    assert 'upAxis = "Z"' in text and 'kind = "assembly"' in text
    assert looking.session().outline.lines[0].row.kind == "assembly"


def test_what_is_chosen_here_is_saved_as_a_layer_over_the_file(shot: Path) -> None:
    target = shot.parent / "over.usda"
    bpy.ops.stagewright.save_overrides(filepath=str(target))
    assert "shot.usda" in target.read_text()
    with pytest.raises(RuntimeError, match=r"over\.usda exists"):
        bpy.ops.stagewright.save_overrides(filepath=str(target))


def test_differences_are_listed_by_kind_and_lead_into_the_tree(shot: Path) -> None:
    other = shot.with_name("other.usda")
    text = SHOT.replace("float size = 1", "float size = 2").replace('Scope "Here"', 'Scope "There"')
    other.write_text(text.replace("    asset other = @old/b.png@\n", ""))
    chosen = bpy.context.window_manager.stagewright_compare
    assert not bpy.ops.stagewright.compare_usd.poll()
    chosen.other = str(other)
    bpy.ops.stagewright.compare_usd()
    found = {(c["path"], c["how"]) for c in compare.changes()}
    assert found == {
        ("/Shot.size", "changed"), ("/Shot.other", "added"), ("/Shot/Here", "moved"),
    }  # fmt: skip
    chosen.kinds = {"changed"}
    assert [c["path"] for c in compare.changes()] == ["/Shot.size"] and len(chosen.lines) == 1
    drawn = draw(compare.STAGEWRIGHT_PT_usd_compare)
    assert {"/Shot.size", "2.0", "1.0", "Since other.usda"} <= set(drawn.texts)
    (button,) = [arguments for name, arguments in drawn.buttons if name.endswith("reveal_prim")]
    bpy.ops.stagewright.reveal_prim(path=button.path)
    assert bpy.context.window_manager.stagewright_usd.chosen() == "/Shot"
    other.write_text(SHOT)
    bpy.ops.stagewright.compare_usd()
    assert compare.changes() == ()
    assert pump.last(compare.KIND) is None  # drained: its words were reported


def test_the_file_is_packed_copied_and_flattened(shot: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "shot.usdz"
    bpy.ops.stagewright.package_usdz(filepath=str(target))
    assert {"shot.usda", "part.usda"} <= set(zipfile.ZipFile(target).namelist())
    bpy.ops.stagewright.localize_usd(filepath=str(tmp_path / "copy"))
    assert {file.name for file in (tmp_path / "copy").iterdir()} == {"shot.usda", "part.usda"}
    bpy.ops.stagewright.flatten_usd(filepath=str(tmp_path / "flat.usda"))
    assert "third" in (tmp_path / "flat.usda").read_text()


def test_a_packing_shows_its_progress_and_what_is_missing(
    shot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = pump.start(package.command("usd", "package", str(shot), "-o", str(tmp_path / "a.usdz")),
                      package.KIND, "Write a.usdz")  # fmt: skip
    assert not bpy.ops.stagewright.package_usdz.poll()
    while task.running:
        pump.tick()
    assert sorted(task.value["missing"]) == ["old/a.png", "old/b.png"]
    with no_input_or_output(monkeypatch):
        texts = draw(package.STAGEWRIGHT_PT_usd_package).texts
    assert "2 files missing" in texts and "old/b.png" in texts


def test_drawing_the_lists_reads_nothing(shot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings().find = "old/"
    bpy.ops.stagewright.find_paths()
    bpy.context.window_manager.stagewright_compare.other = str(shot.with_name("part.usda"))
    bpy.ops.stagewright.compare_usd()
    assert repair.edits() and compare.changes()
    with no_input_or_output(monkeypatch):
        for cls in (repair.STAGEWRIGHT_PT_usd_repair, compare.STAGEWRIGHT_PT_usd_compare):
            draw(cls)


def test_what_is_wrong_is_listed_and_mended_in_the_file(shot: Path) -> None:
    wrong = '    def Mesh "Mesh"\n    {\n        point3f[] points = [(0, 0, 0), (1, 2, 3)]\n    }\n'
    shot.write_text(shot.read_text().rstrip().rstrip("}") + wrong + "}\n")
    bpy.ops.stagewright.inspect_usd(filepath=str(shot))
    checking_now = bpy.context.window_manager.stagewright_checking
    checking_now.profile = "shot"
    bpy.ops.stagewright.check_usd()

    def listed() -> dict[str, str]:
        return {item.check: item.fix for item in checking_now.found.findings}

    assert listed()["extent"] == "set --extents" and "missing-texture" in listed()
    names = [item.check for item in checking_now.found.findings]
    checking_now.found.active = names.index("extent")
    buttons = dict(draw(checking.STAGEWRIGHT_PT_usd_check).buttons)
    assert buttons["stagewright.reveal_prim"].path == "/Shot/Mesh"
    bpy.ops.stagewright.mend_usd(fix=buttons["stagewright.mend_usd"].fix)
    assert "extent" not in listed() and "missing-texture" in listed()
    now = looking.session()
    assert now is not None
    now.look_at("/Shot/Mesh")
    assert next(p.value for p in now.details.properties if p.name == "extent") == (
        "[(0, 0, 0), (1, 2, 3)]"
    )
