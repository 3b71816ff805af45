# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder for everything between a scene and its asset."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..jobs.errors import StagewrightError

_CURE = "or let TMPDIR (on Windows: TEMP) name another folder for temporary files."
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def work_folder() -> Iterator[Path]:
    """A temporary folder that is gone after the block.

    Raises:
        StagewrightError: ``disk-full`` or ``unwritable``, naming the file or the
            folder, for an OSError of that kind in the block.
    """
    try:
        place = tempfile.gettempdir()
    except FileNotFoundError as error:  # it tries all there are
        raise StagewrightError(
            "unwritable",
            "There is no folder where temporary files can be written.",
            f"Free some space on the drives, {_CURE}",
        ) from error
    try:
        with tempfile.TemporaryDirectory(
            prefix="stagewright-", ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)
    except OSError as error:
        named = error.filename2 or error.filename or place
        if error.errno in _FULL:
            raise StagewrightError(
                "disk-full",
                f'There is no space left to write "{named}".',
                f"Free some space there, {_CURE}",
            ) from error
        if error.errno in _REFUSED:
            raise StagewrightError(
                "unwritable",
                f'There is no permission to use "{named}".',
                f"Ask for permission there, {_CURE}",
            ) from error
        raise
