# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


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
