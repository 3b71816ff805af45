# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's work as a child process does it: plain JSON in, plain JSON out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..jobs.events import Job, Preview
from .grammar import understand
from .image_makers import Services
from .make import draw
from .picture import picture, write_picture
from .png import write_png
from .request import TextureRequest
from .requests import make_any, request_from_json
from .texture_set import preview_of


def make_set(
    request: str,
    folder: str,
    name: str,
    sources: str = "",
    preview: str = "",
    services: Services = MappingProxyType({}),
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """:func:`.requests.make_any` of a request's JSON.

    The preview is kept beside the set, too (see :func:`.texture_set.preview_of`).
    """
    wanted = request_from_json(request)
    shown = Path(preview) if preview else None
    place = Path(sources) if sources else None
    value = yield from make_any(
        wanted, place, Path(folder), name, shown, services=services, force=force
    )
    if shown is not None and value["files"]:
        pixels = (np.load(shown)[:, :, :3] * 255 + 0.5).astype(np.uint8)
        write_png(preview_of(Path(value["files"][-1])), pixels)
    return value


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
