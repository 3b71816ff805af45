# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that commands are about to write: refused before the work, not after it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..jobs.errors import StagewrightError

PICTURES_WRITTEN = (".png", ".exr", ".tif", ".tiff")
PICTURES_READ = (*PICTURES_WRITTEN, ".hdr", ".jpg", ".jpeg", ".tga", ".bmp")


def require_target(output: Path, sources: Sequence[Path], *, force: bool) -> None:
    """Refuse a file that cannot or should not be written.

    Args:
        output: the file to write.
        sources: what is read for it, which is never replaced.
        force: whether a file that is there already may be replaced.

    Raises:
        StagewrightError: ``output-is-input``, ``file-exists``, ``folder-unwritable``.
    """
    if output.exists() and any(each.exists() and output.samefile(each) for each in sources):
        raise StagewrightError(
            "output-is-input",
            f"“{output.name}” would be written over what it is made from.",
            "Give another name.",
        )
    if output.is_dir() or (output.exists() and not force):
        raise StagewrightError(
            "file-exists",
            f"“{output.name}” is there already.",
            "Give another name." if output.is_dir() else "Give another name, or --force.",
        )
    folder = output.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        why = "is not there" if not folder.is_dir() else "may not be written to"
        raise StagewrightError(
            "folder-unwritable",
            f"The folder {folder} {why}.",
            "Make it first, or choose another one.",
        )


def require_suffix(output: Path, what: str, suffixes: Sequence[str]) -> None:
    """Refuse a file whose ending does not say what it is (``field-output``).

    Args:
        output: the file to write.
        what: what is to be written, for the message.
        suffixes: the endings there are, in lower case.
    """
    if output.suffix.lower() not in suffixes:
        raise StagewrightError(
            "field-output",
            f"“{output.name}” does not say how {what} is to be written.",
            f"Give the file one of the endings {', '.join(suffixes)}.",
        )
