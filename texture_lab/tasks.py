# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's work as a child process does it: plain JSON in, plain JSON out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..jobs.events import Job, Preview
from . import image_makers
from .grammar import understand
from .make import draw
from .picture import picture, write_picture
from .png import write_png
from .request import TextureRequest
from .requests import make_any, request_from_json
from .services import Services, require_services
from .texture_set import preview_of


def make_set(
    request: str,
    folder: str,
    name: str,
    sources: str = "",
    preview: str = "",
    services: Services = MappingProxyType({}),
    force: bool = False,
    keep: str = "",
) -> Job[Mapping[str, Any]]:
    """:func:`.requests.make_any` of a request's JSON.

    The preview is kept beside the set, too (see :func:`.texture_set.preview_of`).
    """
    wanted = request_from_json(request)
    shown = Path(preview) if preview else None
    place = Path(sources) if sources else None
    kept = Path(keep) if keep else None
    value = yield from make_any(
        wanted, place, Path(folder), name, shown, services=services, force=force, keep=kept
    )
    if shown is not None and value["files"]:
        pixels = (np.load(shown)[:, :, :3] * 255 + 0.5).astype(np.uint8)
        write_png(preview_of(Path(value["files"][-1])), pixels)
    return value


def check_service(name: str, services: Services) -> Job[Mapping[str, Any]]:
    """:func:`.image_makers.check_service`."""
    return (yield from image_makers.check_service(name, services))


def suggest(idea: str, services: Services, picture: str = "") -> Job[Mapping[str, Any]]:
    """:func:`.servers.chat.suggest` by the chat server of ``services``."""
    from .servers import chat

    require_services(frozenset({"chat"}), services)
    server = chat.chat_at(services["chat"]["url"], services["chat"].get("key", ""))
    found = yield from chat.suggest(server, idea, Path(picture) if picture else None)
    return asdict(found)


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
