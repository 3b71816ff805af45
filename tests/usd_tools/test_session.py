# SPDX-License-Identifier: GPL-3.0-or-later
"""The open part of a tree, and what is chosen in a file that is looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pxr import Sdf, Usd

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.inspect.outline import LIMIT, Outline
from stagewright.usd_tools.inspect.session import Session, opened
from stagewright.usd_tools.inspect.survey import survey
from stagewright.usd_tools.inspect.tree import ALL_PRIMS

from .test_inspect import EXTRA, PROP, SET


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name, text in {"prop": PROP, "extra": EXTRA, "set": SET}.items():
        (tmp_path / f"{name}.usda").write_text(text)
    return tmp_path / "set.usda"


def paths(outline: Outline) -> list[str]:
    return [line.row.path for line in outline.lines]


def open_all(outline: Outline) -> None:
    number = 0
    while number < len(outline.lines):
        line = outline.lines[number]
        if line.row.has_children and not line.opened:
            outline.toggle(number)
        number += 1


def test_with_everything_open_the_lines_are_the_stage_in_its_order(file: Path) -> None:
    session = Session(file)
    open_all(session.outline)
    prims = Usd.PrimRange.Stage(session.stage, ALL_PRIMS)
    assert paths(session.outline) == [str(prim.GetPath()) for prim in prims]
    for line in session.outline.lines:
        assert line.depth == line.row.path.count("/") - 1


def test_closing_hides_what_is_below_and_opening_again_shows_it_as_it_was(file: Path) -> None:
    outline = Session(file).outline
    assert paths(outline) == ["/Set"]
    open_all(outline)
    everything = list(outline.lines)
    outline.toggle(0)
    assert paths(outline) == ["/Set"] and not outline.lines[0].opened
    outline.toggle(0)
    assert outline.lines == everything
    inner = paths(outline).index("/Set/A")
    outline.toggle(inner)
    assert [p for p in paths(outline) if p.startswith("/Set/A/")] == []
    assert "/Set/B/Body" in paths(outline)


def test_a_search_shows_what_fits_and_leaving_it_shows_the_tree_again(file: Path) -> None:
    outline = Session(file).outline
    outline.toggle(0)
    tree = list(outline.lines)
    outline.find("type:Mesh path:/Set/A/*")
    assert paths(outline) == ["/Set/A/Detail", "/Set/A/Body"]
    with pytest.raises(StagewrightError, match="does not know"):
        outline.find("colour:red")
    assert paths(outline) == ["/Set/A/Detail", "/Set/A/Body"]
    outline.find("")
    assert outline.lines == tree
    outline.find("detail")
    outline.reveal("/Set/A/Detail")
    assert outline.index("/Set/A/Detail") > 0 and outline.query == ""
    assert outline.index("/Set/nobody") == -1


def test_a_level_that_is_too_long_is_cut_and_says_so() -> None:
    stage = Usd.Stage.CreateInMemory()
    for number in range(LIMIT + 5):
        stage.DefinePrim(f"/p{number}")
    outline = Outline(stage)
    assert outline.cut and len(outline.lines) == LIMIT
    outline.find("p1000")
    assert not outline.cut and len(outline.lines) == 6


def test_a_variant_a_payload_and_a_muted_layer_change_the_session_alone(file: Path) -> None:
    before = {each: each.read_bytes() for each in file.parent.iterdir()}
    session = Session(file)
    session.reveal("/Set/A/Body")
    assert "/Set/A/Detail" in paths(session.outline)
    session.select_variant("/Set/A", "lod", "low")
    assert "/Set/A/Detail" not in paths(session.outline)
    session.look_at("/Set/A")
    (choice,) = session.details.variants
    assert (choice.selected, choice.session, choice.names) == ("low", True, ("high", "low"))
    session.select_variant("/Set/A", "lod", "")
    (choice,) = session.details.variants
    assert (choice.selected, choice.session) == ("high", False)
    session.set_loaded("/Set/Late", False)
    assert session.stage.GetPrimAtPath("/Set/Late/Body").IsValid() is False
    session.look_at("/Set/Late")
    assert session.details.payload == "unloaded"
    session.look_at("/Set/A/Body")
    sizes = [p for p in session.details.properties if p.name == "size"]
    assert sizes[0].samples == 2
    extra = next(row for row in session.layers if row.name == "extra.usda")
    session.set_muted(extra.identifier, True)
    assert next(row for row in session.layers if row.name == "extra.usda").muted
    sizes = [p for p in session.details.properties if p.name == "size"]
    assert sizes[0].value == "1.0"
    assert {each: each.read_bytes() for each in file.parent.iterdir()} == before


def test_values_are_told_at_the_time_asked_for(file: Path) -> None:
    session = Session(file)
    session.look_at("/Set/A/Body")
    # The layer's samples 1 and 5 lie at 10 + 2 t.
    for time, value in ((12.0, "1.0"), (20.0, "2.0"), (None, "1.0")):
        session.set_time(time)
        assert {p.name: p.value for p in session.details.properties}["size"] == value


def test_a_prim_that_is_gone_with_its_variant_is_no_longer_told(file: Path) -> None:
    session = Session(file)
    session.look_at("/Set/A/Detail")
    session.select_variant("/Set/A", "lod", "low")
    assert session.details is None


def test_another_process_sees_the_same(file: Path) -> None:
    session = Session(file)
    session.select_variant("/Set/A", "lod", "low")
    session.set_loaded("/Set/Late", False)
    session.set_muted(str(file.with_name("extra.usda")), True)
    state = json.loads(json.dumps(session.state()))
    again = opened(state)
    seen, same = (
        [(str(prim.GetPath()), prim.GetAttribute("size").Get()) for prim in prims]
        for prims in (Usd.PrimRange.Stage(s, ALL_PRIMS) for s in (session.stage, again))
    )
    assert seen == same
    value = drain(survey(state), lambda event: None)
    assert value["statistics"]["prims"]["Mesh"] == 5
    broken = {row["path"] for row in value["dependencies"] if row["broken"]}
    assert broken == {"gone.usda", "lost.png"}
    json.dumps(value)


def test_a_file_that_changes_on_disk_is_noticed_and_read_again_on_demand(file: Path) -> None:
    session = Session(file)
    session.select_variant("/Set/B", "lod", "low")
    session.reveal("/Set/A/Body")
    assert session.changed() == []
    prop = file.with_name("prop.usda")
    prop.write_text(PROP.replace("float size = 1", "float size = 1\n        float extra = 7"))
    assert session.changed() == [prop]
    assert "extra" not in {p.name for p in session.details.properties}
    session.select_variant("/Set/C", "lod", "low")
    assert session.changed() == [prop]  # a choice reads nothing again
    session.reload()
    assert session.changed() == []
    assert "extra" in {p.name for p in session.details.properties}
    session.look_at("/Set/B")
    assert session.details.variants[0].selected == "low"


def test_a_file_that_is_damaged_or_gone_keeps_what_was_read_before(file: Path) -> None:
    session = Session(file)
    session.reveal("/Set/A/Body")
    whole, text = list(session.outline.lines), file.read_text()
    file.write_text(text[:200])
    with pytest.raises(StagewrightError, match="cannot be read again"):
        session.reload()
    assert session.changed() == [file] and session.outline.lines == whole
    file.unlink()
    with pytest.raises(StagewrightError, match="cannot be read again"):
        session.reload()
    assert session.changed() == [file]
    file.write_text(text)
    session.reload()
    assert session.changed() == [] and session.outline.lines == whole


def test_a_crate_that_is_cut_short_while_it_is_open_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "shot").mkdir()
    stage = Usd.Stage.CreateInMemory()
    values = list(range(5000))
    stage.DefinePrim("/A").CreateAttribute("v", Sdf.ValueTypeNames.IntArray).Set(values)
    stage.SetDefaultPrim(stage.GetPrimAtPath("/A"))
    files = [tmp_path / "shot" / "near.usdc", tmp_path / "far.usdc"]
    for file in files:
        stage.Export(str(file))
    root = tmp_path / "shot" / "root.usda"
    root.write_text("""#usda 1.0
def "Near" (
    references = @./near.usdc@
)
{
}
def "Far" (
    payload = @../far.usdc@
)
{
}
""")
    session = Session(root, load=False)
    session.set_loaded("/Far", True)
    used = {Path(layer.realPath): layer for layer in session.stage.GetUsedLayers(True)}
    # Else what follows would end this process.
    assert all(used[file].IsDetached() for file in files)
    for file in files:
        with file.open("r+b") as stream:
            stream.truncate(100)
    assert sorted(session.changed()) == sorted(files)
    for path in ("/Near", "/Far"):
        assert list(session.stage.GetPrimAtPath(path).GetAttribute("v").Get()) == values
