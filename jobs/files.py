# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are read are there; those written appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from .errors import StagewrightError


def require_file(path: Path) -> None:
    """Refuse a path where no file is to be read (``no-file``)."""
    if os.path.isdir(path):
        raise StagewrightError("no-file", f"“{path}” is a folder.", "Give a file.")
    if not os.path.exists(path):
        raise StagewrightError("no-file", f"There is no file “{path}”.", "Check its path.")


def reason(error: Exception) -> str:
    """What an error says for a person: of the system's without number and path."""
    return getattr(error, "strerror", None) or str(error)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A hidden path beside ``path`` to write to; the file there becomes ``path`` at the end.

    If the block fails, or writes nothing, what ``path`` held stays as it was and the other
    file is gone. The path ends like ``path``, so that writers that go by endings work, and is
    no other writer's.

    Raises:
        OSError: the file cannot take its place; FileNotFoundError when there is none.
    """
    partial = path.with_name(f".{path.stem}.{uuid4().hex[:8]}{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
