# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of a list for the AYON server: asked for, and entered, many with one request.

The server is asked what there is for many rows at once; each row's Blender is given the
answer and brings its files to their place; many versions are then entered with one batch.
A version that is in the way is taken back, and its row done again by itself. Killed in
between, the next publish of a product enters what is in its place already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from ..ayon_bridge.connection import TRANSIENT
from ..ayon_bridge.home import PublishRequest
from ..ayon_bridge.prepared import FoundPublication
from ..ayon_bridge.server import Server
from ..ayon_bridge.together import AT_ONCE, enter_together
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message
from .batch import Done, Row, pause, publish_row


class Joint:
    """The rows of one list. Its methods are what :func:`.batch.publish_list` begins and enters."""

    def __init__(self, requests: Mapping[str, PublishRequest], retries: int, folder: Path) -> None:
        """Asks nothing yet.

        Args:
            requests: those of the rows that are for the server, by the rows' keys.
            retries: how often something is tried again.
            folder: for files in between.
        """
        self._requests = requests
        self._retries = retries
        self._folder = folder
        self._known: dict[str, Path | None] = {}
        self._again: set[str] = set()

    def start(self, row: Row) -> Job[Done]:
        """Publish a row, or prepare it where it can be entered with others."""
        if row.key not in self._requests or row.key in self._again:
            done = yield from publish_row(row, self._retries)
            return replace(done, tries=done.tries + (row.key in self._again))
        if row.key not in self._known:
            self._ask(row.key)
        return (yield from publish_row(row, self._retries, self._known[row.key]))

    def _ask(self, key: str) -> None:
        """Ask the server about a row and others to come."""
        keys = list(self._requests)[list(self._requests).index(key) :]
        project = self._requests[key].project_name
        keys = [k for k in keys if self._requests[k].project_name == project][:AT_ONCE]
        path = self._folder / f"known {len(self._known)}.json"
        try:
            with Server.open() as server:
                known = server.known([self._requests[each] for each in keys])
        except StagewrightError:
            # The row by itself tells what is wrong, or waits in the library.
            self._known |= dict.fromkeys(keys)
            return
        path.write_text(json.dumps(known), encoding="utf-8")
        self._known |= dict.fromkeys(keys, path)

    def enter(self, prepared: Sequence[Done]) -> Job[list[Done | None]]:
        """Enter prepared rows; returns for each what came of it, None to do it again."""
        found: dict[str, Done | None] = {}
        for project in {self._requests[each.key].project_name for each in prepared}:
            rows = [e for e in prepared if self._requests[e.key].project_name == project]
            found |= yield from self._enter(rows)
        return [found[each.key] for each in prepared]

    def _enter(self, rows: Sequence[Done]) -> Job[dict[str, Done | None]]:
        tries = 0
        while True:
            tries += 1
            try:
                return (yield from self._try(rows))
            except StagewrightError as error:
                if error.code not in TRANSIENT or tries > self._retries:
                    return {each.key: _failed(each, error) for each in rows}
                yield Message(f"{error.message} Trying again.", "warning")
            yield from pause(tries)

    def _try(self, rows: Sequence[Done]) -> Job[dict[str, Done | None]]:
        ends: dict[str, Done | None] = {}
        adopted: list[tuple[Done, FoundPublication]] = []
        with ExitStack() as ending, Server.open() as server:
            requests = [self._requests[each.key] for each in rows]
            made = server.publications(requests, FoundPublication)
            for row, publication in zip(rows, made, strict=True):
                ending.enter_context(closing(publication))
                ends[row.key] = replace(row, state="published")
                try:
                    if (yield from publication.adopt(Path(row.path).parent)):
                        adopted.append((row, publication))
                    else:
                        publication.close()  # the next may be of the same product
                except StagewrightError as error:
                    if error.code in TRANSIENT:
                        raise
                    ends[row.key] = None  # whoever has the lock, or took it back, decides
            errors = yield from enter_together([publication for _, publication in adopted])
            for (row, publication), refused in zip(adopted, errors, strict=True):
                if refused is not None:
                    publication.refuse()
                    yield Message(f"{Path(row.file).name}: {refused.message}", "warning")
                    ends[row.key] = None
        self._again |= {key for key, end in ends.items() if end is None}
        return ends


def _failed(row: Done, error: StagewrightError) -> Done:
    return replace(row, state="failed", code=error.code, message=str(error), version="", path="")
