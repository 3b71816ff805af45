# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are there as a whole, or as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from stagewright.jobs.files import written_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_takes_the_files_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.obj"
    target.write_text("before")
    with written_whole(target) as partial:
        partial.write_text("after")
        assert target.read_text() == "before"
        assert partial.suffix == ".obj"
        assert partial.parent == tmp_path
    assert target.read_text() == "after"
    assert names(tmp_path) == ["a.obj"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), ValueError("bad")])
def test_a_failure_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "a.npz"
    target.write_text("before")
    with pytest.raises(type(error)), written_whole(target) as partial:
        partial.write_text("half")
        raise error
    assert target.read_text() == "before"
    assert names(tmp_path) == ["a.npz"]


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "a.vdb"):
        pass
    assert names(tmp_path) == []


def test_a_place_that_cannot_be_taken_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.ply" / "inside").mkdir(parents=True)
    with pytest.raises(OSError), written_whole(tmp_path / "a.ply") as partial:  # noqa: PT011
        partial.write_text("new")
    assert names(tmp_path) == ["a.ply"]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "a.obj"
    with written_whole(target) as first, written_whole(target) as second:
        first.write_text("first")
        second.write_text("second")
        assert first.read_text() == "first"
    assert target.read_text() == "first"
    assert names(tmp_path) == ["a.obj"]
