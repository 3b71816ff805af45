# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers in the text editor: shown, followed along their links, saved back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from stagewright.addon.usd import looking, text_view

from .recorder import Recorder, draw
from .test_panels import no_input_or_output
from .test_usd_inspector import BRIGHT, BULB, LAMP

pytestmark = pytest.mark.usefixtures("addon")


@pytest.fixture
def lamp(tmp_path: Path) -> Iterator[Path]:
    for name, text in {"lamp": LAMP, "bright": BRIGHT, "bulb": BULB}.items():
        (tmp_path / f"{name}.usda").write_text(text)
    yield tmp_path / "lamp.usda"


def show(file: Path) -> bpy.types.Text:
    bpy.ops.stagewright.view_layer(identifier=str(file))
    text = text_view.text_of(str(file))
    assert text is not None
    return text


def drawn(text: bpy.types.Text) -> Recorder:
    with bpy.context.temp_override(edit_text=text):
        return draw(text_view.STAGEWRIGHT_PT_layer_text)


def test_a_layer_is_shown_as_it_is_with_its_links_and_what_is_missing(lamp: Path) -> None:
    text = show(lamp)
    assert text.as_string() == LAMP and text.name == "lamp.usda"
    panel = drawn(text)
    assert {"lamp.usda", "USD text", "bright.usda", "bulb.usda", "lost.png"} <= set(panel.texts)
    assert "3 asset paths, 1 missing" in panel.texts
    followed = [a.index for name, a in panel.buttons if name.endswith("follow_listed_link")]
    assert followed == [0, 1]  # what is missing leads nowhere
    assert show(lamp) == text and len(bpy.data.texts) == 1


def test_links_are_followed_and_the_way_leads_back_and_forth(lamp: Path) -> None:
    text = show(lamp)
    with bpy.context.temp_override(edit_text=text):
        bpy.ops.stagewright.follow_listed_link(index=1)
    assert text_view._book.way == [str(lamp), str(lamp.with_name("bulb.usda"))]
    for step, name in ((-1, "lamp.usda"), (1, "bulb.usda"), (-1, "lamp.usda")):
        buttons = {a.step: a.identifier for n, a in drawn(text).buttons
                   if n.endswith("view_layer") and hasattr(a, "step") and a.step}  # fmt: skip
        assert Path(buttons[step]).name == name
        bpy.ops.stagewright.view_layer(identifier=buttons[step], step=step)
    with bpy.context.temp_override(edit_text=text):
        bpy.ops.stagewright.follow_listed_link(index=0)
    # Another way taken from the middle ends what lay ahead.
    assert [Path(p).name for p in text_view._book.way] == ["lamp.usda", "bright.usda"]


def test_the_link_at_the_cursor_is_found_where_the_text_stands_now(lamp: Path) -> None:
    text = show(lamp)
    text.from_string("# a new line\n" + LAMP)
    line = next(n for n, each in enumerate(text.lines) if "bulb.usda" in each.body)
    text.cursor_set(line, character=text.lines[line].body.index("bulb"))
    with bpy.context.temp_override(edit_text=text):
        bpy.ops.stagewright.follow_link()
    assert text_view.text_of(str(lamp.with_name("bulb.usda"))) is not None
    line = next(n for n, each in enumerate(text.lines) if "lost.png" in each.body)
    text.cursor_set(line, character=text.lines[line].body.index("lost"))
    with bpy.context.temp_override(edit_text=text), pytest.raises(RuntimeError, match="is missing"):
        bpy.ops.stagewright.follow_link()


def test_a_chosen_link_is_marked_in_the_text(lamp: Path) -> None:
    text = show(lamp)
    shown = bpy.context.window_manager.stagewright_text
    shown.line = 2
    line = text.lines[text.current_line_index].body
    marked = line[text.current_character : text.select_end_character]
    assert "@lost.png@" in (marked, line[text.select_end_character : text.current_character])


def test_saving_writes_the_file_keeps_a_backup_and_the_inspector_notices(lamp: Path) -> None:
    bpy.ops.stagewright.inspect_usd(filepath=str(lamp))
    text = show(lamp)
    text.from_string(
        LAMP.replace('kind = "component"', 'kind = "assembly"').replace("@lost.png@", "@bulb.usda@")
    )
    with bpy.context.temp_override(edit_text=text):
        bpy.ops.stagewright.save_layer()
    assert 'kind = "assembly"' in lamp.read_text()
    assert lamp.with_name("lamp.usda.bak").read_text() == LAMP
    assert looking.changed() == ("lamp.usda",)
    assert "3 asset paths" in drawn(text).texts
    with bpy.context.temp_override(edit_text=text):
        bpy.ops.stagewright.save_layer()  # once more, on what was just saved


def test_an_error_is_marked_at_its_line_and_nothing_is_written(lamp: Path) -> None:
    text = show(lamp)
    text.from_string(LAMP.replace("float glow = 1", "float glow ="))
    with bpy.context.temp_override(edit_text=text):
        with pytest.raises(RuntimeError, match="Line "):
            bpy.ops.stagewright.save_layer()
    assert (
        "glow" in text.lines[text.current_line_index - 1].body or "glow" in text.current_line.body
    )
    assert lamp.read_text() == LAMP


def test_what_someone_else_wrote_meanwhile_stays(lamp: Path) -> None:
    text = show(lamp)
    lamp.write_text(LAMP + "# theirs\n")
    with bpy.context.temp_override(edit_text=text):
        with pytest.raises(RuntimeError, match="changed on disk"):
            bpy.ops.stagewright.save_layer()
    assert lamp.read_text().endswith("# theirs\n")
    bpy.ops.stagewright.view_layer(identifier=str(lamp), again=True)
    assert text.as_string().endswith("# theirs\n")


def test_another_text_is_no_layer_and_drawing_reads_nothing(
    lamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, other = show(lamp), bpy.data.texts.new("notes")
    with no_input_or_output(monkeypatch):
        drawn(text)
        assert "This text shows no USD layer" in drawn(other).texts
    with bpy.context.temp_override(edit_text=other):
        assert not bpy.ops.stagewright.save_layer.poll()
        assert not bpy.ops.stagewright.follow_link.poll()
