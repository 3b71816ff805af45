# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a file is still the one that was read."""

from __future__ import annotations

from pathlib import Path

Stamp = tuple[int, int, int]
"""What tells that a file was written: node, nanoseconds of its last change, bytes."""


def stamp_of(file: Path) -> Stamp | None:
    """The file's stamp now; None when it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
