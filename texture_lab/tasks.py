# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's work as a child process does it: plain JSON in, plain JSON out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..jobs.events import Job, Preview
from .grammar import understand
from .make import draw, make
from .picture import picture, write_picture
from .request import TextureRequest


def make_set(
    request: str, folder: str, name: str, preview: str = "", force: bool = False
) -> Job[Mapping[str, Any]]:
    """:func:`.make.make` of a request's JSON."""
    wanted = TextureRequest.from_json(request)
    shown = Path(preview) if preview else None
    return (yield from make(wanted, Path(folder), name, shown, force=force))


def draw_previews(requests: Sequence[str], files: Sequence[str]) -> Job[Mapping[str, Any]]:
    """Draw pictures of requests, each at its own size, into ``.npy`` files.

    Each is told by a ``Preview`` as soon as it is there.

    Raises:
        StagewrightError: those of :func:`.grammar.understand`.
    """
    for text, file in zip(requests, files, strict=True):
        request = TextureRequest.from_json(text)
        material = understand(request.prompt, request.parameters)
        write_picture(picture(draw(material, request.size, request.seed)), Path(file))
        yield Preview(file)
    return {}
