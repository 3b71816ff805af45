# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions in a library that wait for the AYON server, in the order of their publishes.

A version enters the queue with its own transaction, so that none is published
and forgotten. It leaves it when the server has it, or when somebody decides
that it is to stay in the library.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..jobs.errors import StagewrightError
from .database import database_errors
from .entities import Version
from .version_record import VersionRecord

if TYPE_CHECKING:
    from .library import Library

MARK = "queued"
"""Key of a version's ``data`` that puts it into the queue."""

State = Literal["waiting", "sent", "skipped"]


def waiting(library: Library) -> list[Version]:
    """The versions that wait, the one published first before all others."""
    with database_errors(library.database):
        rows = library.connection.execute(
            "SELECT version_id FROM outbox WHERE state = 'waiting' ORDER BY position"
        ).fetchall()
    return [library.select(Version, "id = ?", row[0])[0] for row in rows]


def settle(library: Library, version: Version, state: State) -> None:
    """Say what has become of a version that waited."""
    with database_errors(library.database):
        library.connection.execute(
            "UPDATE outbox SET state = ? WHERE version_id = ?", (state, version.id)
        )


def record_of(library: Library, version: Version) -> tuple[Path, VersionRecord]:
    """The folder of a version, and all that was published with it.

    Raises:
        StagewrightError: ``missing-file`` when its record is not there.
    """
    made = library.get_representations(version.project_name, version_ids=[version.id])
    for each in made:
        folder = library.main_file(each).parent
        record = VersionRecord.read(folder)
        if record is not None and record.version.id == version.id:
            return folder, record
    raise StagewrightError(
        "missing-file",
        f'The files of {version.name}, "{version.id}", are not in the library "{library.root}".',
        "Bring them back from a backup, or skip the version.",
    )
