# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder for everything in between, and what its drive refuses."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.work import work_folder


def test_the_folder_is_gone_afterwards() -> None:
    with work_folder() as folder:
        (folder / "a").write_text("b")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk-full"), (errno.EACCES, "unwritable")]
)
def test_what_the_drive_refuses_names_the_place_and_the_cure(number: int, code: str) -> None:
    with pytest.raises(StagewrightError, match="TMPDIR") as caught, work_folder():
        raise OSError(number, os.strerror(number))
    assert caught.value.code == code
    assert tempfile.gettempdir() in caught.value.message


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(FileNotFoundError), work_folder() as folder:
        Path(folder, "missing").read_text()
