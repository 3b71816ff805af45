# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets made again, from what one of their maps says it was made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..jobs.errors import StagewrightError
from ..jobs.events import Job
from .make import make
from .photo import PhotoRequest, make_maps, sha256_of
from .request import TextureRequest
from .texture_set import request_text


def rerun(
    picture: Path, folder: Path, name: str = "", photo: Path | None = None, *, force: bool = False
) -> Job[Mapping[str, Any]]:
    """Make the set of a map again, of words or of a photo.

    Args:
        picture: any map of the set.
        folder: created if need be.
        name: what the files' names begin with.
        photo: that of a set of a photo; one of its name beside the map if None.
        force: replace files of other requests.

    Raises:
        StagewrightError: those of :func:`.texture_set.request_text`, :func:`.make.make` and
            :func:`.photo.make_maps`; ``no-photo``; ``photo-changed``.
    """
    text = request_text(picture)
    if not _is_of_photo(text):
        return (yield from make(TextureRequest.from_json(text), folder, name, force=force))
    request = PhotoRequest.from_json(text)
    source = photo or picture.parent / request.photo
    if not source.is_file():
        raise StagewrightError(
            "no-photo",
            f"The photo {source.name} that {picture.name} was made from is not beside it.",
            "Name it with --photo.",
        )
    if sha256_of(source) != request.sha256:
        raise StagewrightError(
            "photo-changed",
            f"{source.name} is not the photo that {picture.name} was made from, or was changed.",
            "Give the very file with --photo, or make new maps: stagewright texture maps.",
        )
    return (yield from make_maps(source, request, folder, name, force=force))


def _is_of_photo(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False  # What is wrong with it is told by the reader of requests.
    return isinstance(value, dict) and "photo" in value
