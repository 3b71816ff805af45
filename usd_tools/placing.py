# SPDX-License-Identifier: GPL-3.0-or-later
"""Files written as a whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..jobs.errors import StagewrightError
from ..jobs.files import written_whole


@contextlib.contextmanager
def staging(target: Path) -> Iterator[Path]:
    """A hidden folder beside ``target`` that is gone afterwards.

    Raises:
        StagewrightError: ``target-unwritable``, also for an OSError inside.
    """
    folder: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
        yield folder
    except OSError as error:
        raise StagewrightError(
            "target-unwritable",
            f"{target.name} cannot be written ({error.strerror or error}).",
            "Make room on the disk, or choose a folder you may write to.",
        ) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def staging_folders(target: Path) -> list[Path]:
    """The folders of :func:`staging` beside ``target``: of others at work, or left by a kill."""
    if not target.parent.is_dir():
        return []
    return sorted(f for f in target.parent.iterdir() if f.name.startswith(_prefix(target)))


def _prefix(target: Path) -> str:
    return f".{target.stem}-"


def move_into_place(staging: Path, folder: Path, names: Sequence[str]) -> None:
    """Move files from ``staging`` into ``folder``, in the order given.

    Files that stood there are kept aside until all have arrived; if one cannot
    be moved, everything is put back.

    Args:
        staging: a folder on the same disk.
        folder: the folder of the results.
        names: paths relative to both.
    """
    aside = staging / "replaced"
    done: list[str] = []
    try:
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, f"a folder called {name} is in the way")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            done.append(name)
            if (folder / name).exists():
                (folder / name).rename(aside / name)
            (staging / name).rename(folder / name)
    except BaseException:
        for name in reversed(done):
            if (aside / name).exists():
                (aside / name).replace(folder / name)
            elif not (staging / name).exists():
                (folder / name).unlink(missing_ok=True)
        raise


def replace_file(file: Path, write: Callable[[Path], None]) -> None:
    """Make ``file``, or replace it in one step, by what ``write`` writes to its path.

    Raises:
        StagewrightError: ``target-unwritable``, for an OSError of ``write``, too.
    """
    try:
        with written_whole(file) as partial:
            write(partial)
            if file.exists():
                partial.chmod(file.stat().st_mode)
    except OSError as error:
        raise StagewrightError(
            "target-unwritable",
            f"{file.name} cannot be written ({error.strerror or error}).",
            "Make room on the disk, or choose a folder you may write to.",
        ) from error
