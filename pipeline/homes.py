# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a publish goes: the library, the AYON server, or the queue for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..ayon_bridge.files import file_errors
from ..ayon_bridge.home import Publication, PublishRequest
from ..ayon_bridge.library import Library
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message

if TYPE_CHECKING:
    from ..ayon_bridge.server import Server

To = Literal["library", "server", "queue"]
Publish = Callable[[Publication, bool], Job[dict[str, Any]]]

_UNREACHED = {"server-down", "server-timeout"}


def publish_at(
    to: To,
    library: Path,
    request: PublishRequest,
    publish: Publish,
    *,
    break_lock: bool,
    known: Path | None = None,
) -> Job[dict[str, Any]]:
    """Let ``publish`` do its work where the version is to go.

    What has to be refused is, before the long work begins.

    Args:
        to: ``"library"``; ``"server"``, or the queue in the library while it cannot be
            reached; ``"queue"``: the library, to be sent to the server later.
        library: its folder, which is made when there is none.
        request: what is to be published.
        publish: is given the publication, and whether the version waits in the queue.
        break_lock: take over a lock without proof of its owner's death.
        known: a file with what the server has been asked; who has written it enters the
            version (:mod:`.joint`).
    """
    if to == "server":
        with _open_server() as server:
            try:
                publication: Publication = (
                    server.preparation(request, _read(known))
                    if known
                    else server.publication(request, break_lock=break_lock)
                )
                publication.refuse_early()
            except StagewrightError as error:
                if error.code not in _UNREACHED:
                    raise
                yield Message(f"{error.message} The version will wait in the library.", "warning")
                to = "queue"
            else:
                return (yield from publish(publication, False))
    with Library.open(library) as home:
        publication = home.publication(request, break_lock=break_lock)
        publication.refuse_early()
        return (yield from publish(publication, to == "queue"))


def _read(known: Path) -> dict[str, Any]:
    with file_errors(known):
        told: dict[str, Any] = json.loads(known.read_text("utf-8"))
        return told


def _open_server() -> Server:
    from ..ayon_bridge.server import Server  # a second of imports, for those who have one

    return Server.open()
