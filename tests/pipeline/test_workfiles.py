# SPDX-License-Identifier: GPL-3.0-or-later
"""Workfiles by the anatomy: claimed once, numbered on, found; in the library and on a server."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.workfiles import claim, enter, listed

from .homes import HOMES, PROJECT, Home, finish

PLACE = (PROJECT, "/assets/crate", "modeling")


@pytest.fixture(params=HOMES)
def home(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    with HOMES[request.param](tmp_path, monkeypatch) as made:
        yield made


def save(home: Home, comment: str) -> Path:
    made = finish(claim(home.library, *PLACE))
    path = Path(made["path"])
    assert path.read_bytes() == b""
    path.write_bytes(b"BLENDER")
    told = made["rootless"], made["task_id"], made["version"], comment, "5.2.0"
    finish(enter(home.library, PROJECT, *told))
    return path


def test_a_workfile_is_saved_by_the_template_and_numbered_on(home: Home) -> None:
    first, second = save(home, "Blocked out"), save(home, "")
    folder = home.root / PROJECT / "assets/crate/work/modeling"
    assert first == folder / "shw_crate_modeling_v001.blend"
    assert second == folder / "shw_crate_modeling_v002.blend"
    rows = finish(listed(home.library, *PLACE))["workfiles"]
    assert [(row["path"], row["version"], row["comment"]) for row in rows] == [
        (str(second), 2, ""),
        (str(first), 1, "Blocked out"),
    ]
    assert all(row["author"] and row["here"] for row in rows)
    (known, _) = home.home.get_workfiles_info(PROJECT)
    assert known.attrib == {"extension": ".blend", "description": "Blocked out"}
    assert known.path.startswith("{root[work]}/show/")


def test_what_lies_in_the_folder_counts_though_nobody_entered_it(home: Home) -> None:
    first = save(home, "")
    first.with_name("shw_crate_modeling_v007_try.blend").write_bytes(b"BLENDER")
    for other in ("shw_crate_modeling_v009.txt", "notes.blend", "shw_crate_modeling_v0.blend1"):
        first.with_name(other).write_bytes(b"")
    rows = finish(listed(home.library, *PLACE))["workfiles"]
    assert [row["version"] for row in rows] == [7, 1]
    assert save(home, "").name == "shw_crate_modeling_v008.blend"
    first.unlink()
    rows = finish(listed(home.library, *PLACE))["workfiles"]
    assert [(row["version"], row["here"]) for row in rows] == [(8, True), (7, True), (1, False)]


def test_a_claim_is_nobody_elses(home: Home) -> None:
    claimed: list[str] = []
    threads = [
        threading.Thread(target=lambda: claimed.append(finish(claim(home.library, *PLACE))["path"]))
        for _ in range(6)
    ]
    save(home, "")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Path(each).name for each in claimed) == [
        f"shw_crate_modeling_v{number:03}.blend" for number in range(2, 8)
    ]


def test_what_is_missing_is_made_by_who_may(home: Home) -> None:
    place = PROJECT, "/assets/new/thing", "lookdev"
    assert finish(listed(home.library, *place)) == {"workfiles": []}
    if home.library:
        made = finish(claim(home.library, *place))
        assert made["path"].endswith(
            "/show/assets/new/thing/work/lookdev/shw_thing_lookdev_v001.blend"
        )
        return
    with pytest.raises(StagewrightError) as caught:
        finish(claim(home.library, *place))
    assert caught.value.code == "no-right"
    assert not list(home.root.rglob("*.blend"))


def test_bad_places_are_refused(home: Home) -> None:
    for place, code in (
        ((PROJECT, "/assets/a b", "x"), "bad-name"),
        (("none", "/assets/crate", "x"), "not-found"),
    ):
        with pytest.raises(StagewrightError) as caught:
            finish(claim(home.library, *place))
        assert caught.value.code == code


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user without all rights")
def test_a_folder_that_may_not_be_written_to_is_told(home: Home) -> None:
    folder = save(home, "").parent
    folder.chmod(0o500)
    try:
        with pytest.raises(StagewrightError) as caught:
            finish(claim(home.library, *PLACE))
    finally:
        folder.chmod(0o700)
    assert caught.value.code == "unwritable"
