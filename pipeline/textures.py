# SPDX-License-Identifier: GPL-3.0-or-later
"""Many texture sets in one run, by processes that stay or the workers of a cluster."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..jobs.errors import StagewrightError, naming
from ..jobs.events import Event, Job, Message, Progress, Waiting
from ..jobs.text_files import require_text
from ..jobs.warm import WarmChild
from ..texture_lab.backends import Backend, Commission, Embedded
from ..texture_lab.request import TextureRequest
from ..texture_lab.texture_set import is_done


def read_requests(listing: Path, size: int, seed: int) -> list[TextureRequest]:
    """The requests of a file: one a line, as words or as a request's JSON; # begins a remark.

    Args:
        listing: the file, UTF-8.
        size: of those that are words.
        seed: likewise.

    Raises:
        StagewrightError: ``no-file``; ``bad-request``, naming the line.
    """
    lines = require_text(listing).splitlines()
    requests = []
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        with naming(f"Line {number} of {listing.name}"):
            requests.append(
                TextureRequest.from_json(line)
                if line.startswith("{")
                else TextureRequest(line, size, seed)
            )
    return requests


@contextmanager
def processes(count: int) -> Iterator[list[Backend]]:
    """So many processes of this machine that make sets."""
    with tempfile.TemporaryDirectory(prefix="stagewright-") as scratch:
        yield [Embedded(WarmChild(Path(scratch) / str(number))) for number in range(count)]


def make_sets(
    requests: Sequence[TextureRequest],
    folder: Path,
    crew: Sequence[Backend],
    *,
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Make a set of each request; those that are there already are passed over.

    A request that names no material, or a process that dies, does not stop the others.

    Args:
        requests: what to make.
        folder: where all sets go, called by their words and seeds.
        crew: who makes them, each one at a time; closed at the end.
        force: replace files of those names that other requests have made.

    Returns:
        ``made`` (results with their files), ``there`` (how many were), ``refused``.
    """
    waiting = [
        (name, request) for name, request in _named(requests) if not is_done(request, folder, name)
    ]
    there, total = len(requests) - len(waiting), len(waiting)
    made: list[Mapping[str, Any]] = []
    refused: list[dict[str, str]] = []
    busy: dict[int, tuple[TextureRequest, Job[Mapping[str, Any]]]] = {}
    try:
        while waiting or busy:
            for place, backend in enumerate(crew):
                if place not in busy and waiting:
                    name, request = waiting.pop(0)
                    wanted = Commission(request, folder.absolute(), name, force=force)
                    busy[place] = request, backend.submit(wanted)
            for place, (request, job) in list(busy.items()):
                try:
                    yield from _heard(next(job))
                    continue
                except StopIteration as stop:
                    made.append(stop.value)
                except StagewrightError as error:
                    refused.append({"prompt": request.prompt, "code": error.code})
                    yield Message(f"{request.prompt[:60]}: {error}", "warning")
                del busy[place]
                done = len(made) + len(refused)
                yield Progress("texture.set", done / total, f"{done} of {total} sets")
            yield Waiting()
    finally:
        for _request, job in busy.values():
            job.close()
        for backend in crew:
            backend.close()
    return {"made": made, "there": there, "refused": refused}


def _heard(event: Event | Waiting) -> Job[None]:
    """What is said of one set among many: only what a person should read."""
    if isinstance(event, Message):
        yield event


def _named(requests: Sequence[TextureRequest]) -> list[tuple[str, TextureRequest]]:
    """Each request with a name of its own, the same in every run."""
    taken: dict[str, int] = {}
    named = []
    for request in requests:
        words = re.sub(r"\W+", "_", request.prompt.casefold()).strip("_")[:60]
        name = f"{words or 'texture'}_{request.seed}"
        taken[name] = number = taken.get(name, 0) + 1
        named.append((name if number == 1 else f"{name}_{number}", request))
    return named
