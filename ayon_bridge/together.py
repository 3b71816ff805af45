# SPDX-License-Identifier: GPL-3.0-or-later
"""Enter many versions into a server with few requests, each still all of it or nothing.

Versions go in batches that the server takes as a whole or not at all. Where one of
them is in the way, it is taken out and the rest is sent again: so each ends either
complete, or with its own error and nothing on the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .connection import TRANSIENT

if TYPE_CHECKING:
    from .publication import StagedPublication
    from .server_shelf import ServerShelf

AT_ONCE = 25
"""Versions in one batch, and in one query."""


def enter_together(
    publications: Sequence[StagedPublication],
) -> Job[list[StagewrightError | None]]:
    """Enter publications to one project of a server whose files are moved to their places.

    Args:
        publications: each opened, staged, sealed and moved.

    Returns:
        For each, None when it is entered, with all that belongs to it, or why it is not:
        after ``version-taken``, renumber and commit it by itself.

    Raises:
        StagewrightError: what is no fault of one version (``server-down``, ...); what was
            entered before stays, and running again completes the rest.
    """
    errors: list[StagewrightError | None] = []
    for start in range(0, len(publications), AT_ONCE):
        chunk = publications[start : start + AT_ONCE]
        yield Progress("server.batch", start / len(publications), f"Entering {len(chunk)} versions")
        errors += yield from _enter_chunk(chunk)
    return errors


def _enter_chunk(chunk: Sequence[StagedPublication]) -> Job[list[StagewrightError | None]]:
    errors: list[StagewrightError | None] = [None] * len(chunk)
    operations = []
    for each in chunk:
        operations.append((yield from _shelf(each).operations(each.record)))
    waiting = list(range(len(chunk)))
    while waiting:
        batch: dict[str, dict[str, Any]] = {}
        owners: dict[str, int] = {}
        for index in waiting:
            for operation in operations[index]:
                # Two versions may need the same folder made.
                batch.setdefault(operation["entityId"], operation)
                owners.setdefault(operation["id"], index)
        first = chunk[waiting[0]]
        yield Progress("server.batch", message=f"Entering {len(waiting)} versions")
        try:
            refused = _shelf(first).send(first.record, list(batch.values()))
        except StagewrightError as error:
            # The answer may be lost, and the work done: of all, or of none.
            if error.code not in TRANSIENT or not _shelf(first).has(first.record.version):
                raise
            refused = None
        if refused is None:
            break
        guilty = owners[refused["id"]]
        if refused.get("status") == 409:
            # The client may have sent all of it twice; or another publish has entered one.
            there = _shelf(first).those_of([chunk[index].record.version for index in waiting])
            waiting = [i for i in waiting if chunk[i].record.version.id not in there]
        if guilty in waiting:
            errors[guilty] = _shelf(chunk[guilty]).refusal(chunk[guilty].record, refused)
            waiting.remove(guilty)
    for publication, refusal in zip(chunk, errors, strict=True):
        if refusal is None:
            yield from publication.finish()
    return errors


def _shelf(publication: StagedPublication) -> ServerShelf:
    shelf: Any = publication.shelf
    made: ServerShelf = shelf
    return made
