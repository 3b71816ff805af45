# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that take the places of others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pxr import Sdf

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.placing import replace_file
from stagewright.usd_tools.stages import write_layer


def write(path: Path) -> None:
    write_layer(Sdf.Layer.CreateAnonymous(".usda"), path)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such rights")
@pytest.mark.parametrize("suffix", [".usda", ".usdc"])
def test_a_file_keeps_its_rights_and_a_new_one_has_those_of_any_other(
    tmp_path: Path, suffix: str
) -> None:
    kept, new, other = (tmp_path / f"{name}{suffix}" for name in ("kept", "new", "other"))
    kept.touch()
    kept.chmod(0o640)
    other.touch()
    for file in (kept, new):
        replace_file(file, write)
        assert Sdf.Layer.FindOrOpen(str(file))
    assert kept.stat().st_mode & 0o777 == 0o640
    assert new.stat().st_mode == other.stat().st_mode


def test_what_cannot_be_written_is_an_error_and_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a.usda"
    file.write_text("before")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(StagewrightError, match="a.usda cannot be written") as refused:
        replace_file(file, fail)
    assert refused.value.code == "target-unwritable"
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("a.usda", "before")]
