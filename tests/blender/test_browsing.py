# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels Browse and Workfiles, on the library and on a demo server over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from stagewright.addon.ayon import browser, workfiles
from stagewright.addon.textures import pictures

from .published_files import HOMES, Home, blend_file, volume_file
from .recorder import draw
from .scenes import add_square

pytestmark = pytest.mark.usefixtures("addon")


@pytest.fixture(params=HOMES)
def home(
    request: pytest.FixtureRequest, addon: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    """A home of each kind, chosen by the scene."""
    with HOMES[request.param](tmp_path, monkeypatch) as made:
        made.choose()
        yield made


def fill(home: Home, folder: Path) -> dict[str, str]:
    """A crate of two versions, and a shelf made with the first one; ids by name."""
    old = home.publish(
        "modelMain", "model", "blend", [blend_file(folder, 1.0, "crate")], comment="Blocked out"
    )
    new = home.publish("modelMain", "model", "blend", [blend_file(folder, 2.0, "crate")])
    shelf = home.publish(
        "vdbMain",
        "vdbcache",
        "vdb",
        [volume_file(folder, 0.5)],
        folder_path="/assets/shelf",
        data={"inputVersionIds": [old.id]},
    )
    home.choose()
    return {"old": old.id, "new": new.id, "shelf": shelf.id, "product": old.product_id}


def listed() -> list[str]:
    return [row.name for row in bpy.context.window_manager.stagewright_browser.rows]


def test_products_are_searched_for_and_looked_at(home: Home, tmp_path: Path) -> None:
    ids = fill(home, tmp_path)
    assert "The arrows ask what is published there" in draw(browser.STAGEWRIGHT_PT_browse).texts
    assert bpy.ops.stagewright.browse() == {"FINISHED"}
    assert listed() == ["crate  modelMain", "shelf  vdbMain"]
    state = bpy.context.window_manager.stagewright_browser
    state.search = "SHELF vdb"
    assert listed() == ["shelf  vdbMain"]
    state.search = "nothing like it"
    assert listed() == [] and "0 products in show" in draw(browser.STAGEWRIGHT_PT_browse).texts
    state.search = ""
    state.active = 0
    chosen = browser.chosen_version()
    assert chosen is not None and chosen.version_id == ids["new"]
    drawn = draw(browser.STAGEWRIGHT_PT_browse)
    assert {"Link", "Append"} <= set(drawn.texts)
    assert "Used by" not in drawn.texts
    state.version = ids["old"]
    drawn = draw(browser.STAGEWRIGHT_PT_browse)
    assert "ann: Blocked out" in drawn.texts
    assert {"Used by", "shelf  vdbMain  v001"} <= set(drawn.texts)
    (link,) = [arguments for name, arguments in drawn.buttons if name.endswith("browse_to")]
    assert bpy.ops.stagewright.browse_to(product_id=link.product_id) == {"FINISHED"}
    drawn = draw(browser.STAGEWRIGHT_PT_browse)
    assert {"Made with", "crate  modelMain  v001", "Add Volume"} <= set(drawn.texts)
    (button,) = [a for name, a in drawn.buttons if name.endswith("add_published_asset")]
    assert (button.version_id, button.kind) == (ids["shelf"], "VOLUME")


def test_another_project_is_not_shown_as_this_one(home: Home, tmp_path: Path) -> None:
    fill(home, tmp_path)
    bpy.ops.stagewright.browse()
    bpy.context.scene.stagewright.project = "other"
    drawn = draw(browser.STAGEWRIGHT_PT_browse)
    assert "crate" not in " ".join(drawn.texts)
    bpy.ops.stagewright.browse()
    assert "There is no project other. Projects: show." in " ".join(
        draw(browser.STAGEWRIGHT_PT_browse).texts
    )


def test_the_list_outlives_the_file_that_was_open(home: Home, tmp_path: Path) -> None:
    fill(home, tmp_path)
    bpy.ops.stagewright.browse()
    bpy.ops.wm.read_homefile(use_empty=True)
    assert listed() == ["crate  modelMain", "shelf  vdbMain"]


def test_a_server_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HOMES["server"](tmp_path, monkeypatch) as home:
        fill(home, tmp_path)
        bpy.ops.stagewright.browse()
        assert home.demo is not None
        home.demo.__exit__(None, None, None)
        bpy.context.scene.stagewright.folder = "/assets/crate"
        with pytest.raises(RuntimeError, match="cannot be reached"):
            bpy.ops.stagewright.browse()
        with pytest.raises(RuntimeError, match="cannot be reached"):
            bpy.ops.stagewright.list_workfiles()
        # What is known stays, to go on with as soon as it is back.
        assert listed() == ["crate  modelMain", "shelf  vdbMain"]


def test_a_wrong_key_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HOMES["server"](tmp_path, monkeypatch) as home:
        home.choose()
        monkeypatch.setenv("AYON_API_KEY", "nonsense")
        with pytest.raises(RuntimeError, match="does not accept the API key"):
            bpy.ops.stagewright.browse()


def test_five_thousand_products_are_drawn_as_fast_as_a_few(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home, tmp_path)
    bpy.ops.stagewright.browse()
    (one, *_) = browser.newest_versions(bpy.context.scene)
    many = [
        {**one.to_json(), "product": f"usd{n:04}", "product_id": f"{n:032}", "has_picture": False}
        for n in range(5000)
    ]
    answer = {"projects": ["show"], "project": "show", "versions": many}

    def told(task: str, *_: object, **__: object) -> Iterator[object]:
        yield from ()
        return answer if task == "published:products" else _nothing()

    monkeypatch.setattr("stagewright.addon.ayon.asking.ask", told)
    bpy.ops.stagewright.browse()
    assert len(listed()) == browser.LIMIT
    texts = " ".join(draw(browser.STAGEWRIGHT_PT_browse).texts)
    assert "5,000 products in show, 4,700 of them not listed" in texts
    bpy.context.window_manager.stagewright_browser.search = "usd4999"
    assert listed() == ["crate  usd4999"]


def _nothing() -> dict[str, object]:
    return {"versions": [], "comments": {}, "inputs": {}, "outputs": {}, "pictures": {}}


def test_pictures_are_shown_when_they_have_come(home: Home, tmp_path: Path) -> None:
    ids = fill(home, tmp_path)
    assert pictures.icon(f"version {ids['new']}") is None
    bpy.ops.stagewright.browse()
    for name in ("new", "shelf"):
        shown = pictures._Shown.collection[f"version {ids[name]}"]
        assert tuple(shown.image_size) == (32, 32)


def test_a_file_is_saved_by_the_template_listed_and_opened(home: Home, tmp_path: Path) -> None:
    chosen = bpy.context.scene.stagewright
    chosen.folder, chosen.task = "/assets/crate", "modeling"
    add_square("Crate")
    assert bpy.ops.stagewright.save_workfile(comment="Blocked out") == {"FINISHED"}
    first = home.root / "show/assets/crate/work/modeling/shw_crate_modeling_v001.blend"
    assert Path(bpy.data.filepath) == first and first.read_bytes()[:4] != b""
    add_square("Lid")
    assert bpy.ops.stagewright.save_workfile() == {"FINISHED"}
    second = first.with_name("shw_crate_modeling_v002.blend")
    assert Path(bpy.data.filepath) == second
    drawn = draw(workfiles.STAGEWRIGHT_PT_workfiles)
    lines = [text for text in drawn.texts if text.startswith("v0")]
    assert [line[:4] for line in lines] == ["v002", "v001"]
    assert "Blocked out" in lines[1]
    opened = [arguments for name, arguments in drawn.buttons if name.endswith("open_workfile")]
    assert [Path(each.filepath) for each in opened] == [second, first]
    assert bpy.ops.stagewright.open_workfile(filepath=str(first)) == {"FINISHED"}
    assert "Crate" in bpy.data.objects and "Lid" not in bpy.data.objects
    with pytest.raises(RuntimeError, match="not on this machine"):
        bpy.ops.stagewright.open_workfile(filepath=str(tmp_path / "none.blend"))


def test_what_cannot_be_saved_leaves_no_claim(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = bpy.context.scene.stagewright
    chosen.folder, chosen.task = "/assets/crate", "modeling"
    add_square("Crate")

    def fail(path: Path) -> None:
        raise workfiles.StagewrightError("not-saved", "No room.", "Make some.")

    monkeypatch.setattr(workfiles, "_save_as", fail)
    with pytest.raises(RuntimeError, match="No room"):
        bpy.ops.stagewright.save_workfile()
    assert not list(home.root.rglob("*.blend")) and not bpy.data.filepath
    assert home.home.get_workfiles_info("show") == []


def test_without_a_folder_or_task_the_button_says_so(home: Home) -> None:
    with pytest.raises(RuntimeError, match="Name the folder"):
        bpy.ops.stagewright.save_workfile()
    bpy.context.scene.stagewright.folder = "/assets/crate"
    bpy.context.scene.stagewright.task = ""
    with pytest.raises(RuntimeError, match="Name the task"):
        bpy.ops.stagewright.save_workfile()
