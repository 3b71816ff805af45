# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on USD files apart from this process: a damaged one may end whoever reads it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..jobs.errors import StagewrightError
from ..jobs.events import Job
from ..jobs.process import run_child


@contextmanager
def blaming(*files: Path) -> Iterator[None]:
    """Tell the death of a process that reads ``files`` as what it comes of.

    Raises:
        StagewrightError: ``asset-unreadable`` for ``child-died``; any other as it is.
    """
    try:
        yield
    except StagewrightError as error:
        if error.code != "child-died":
            raise
        raise StagewrightError(
            "asset-unreadable",
            f"USD itself ends as it reads {' and '.join(file.name for file in files)}: "
            "it, or a file that it needs, is damaged.",
            "Export it again or restore it from a backup.",
        ) from error


def command_apart(words: Sequence[str], files: Sequence[Path]) -> Job[Mapping[str, Any]]:
    """The job of the command ``words``, which reads ``files``, in a process of its own.

    Raises:
        StagewrightError: what the command raises, and ``asset-unreadable`` when it dies.
    """
    return (yield from _apart(files, "pipeline.cli:command", words=list(words)))


def tried(files: Sequence[Path]) -> Job[None]:
    """Let another process open each of ``files`` before this one does.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    from ..usd_tools.inspect.session import unopened

    for file in files:
        state = unopened(file.absolute(), load=True)
        yield from _apart([file], "usd_tools.inspect.trial:trial", state=state)


def _apart(files: Sequence[Path], task: str, **arguments: Any) -> Job[Mapping[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="stagewright-") as folder, blaming(*files):
        return (yield from run_child(task, arguments, folder=Path(folder)))
