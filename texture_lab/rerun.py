# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets made again, from what one of their maps says it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..jobs.errors import naming
from ..jobs.events import Job
from .requests import make_any, request_from_json
from .services import Services
from .texture_set import request_text


def rerun(
    picture: Path,
    folder: Path,
    name: str = "",
    photo: Path | None = None,
    *,
    services: Services = MappingProxyType({}),
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Make the set of a map again, of words, of a photo, or of a graph.

    Args:
        picture: any map of the set.
        folder: created if need be.
        name: what the files' names begin with.
        photo: that of a set of a photo, or one of the files of a graph; those of their names
            beside the map if None.
        services: who makes a graph's images (see :data:`.services.Services`).
        force: replace files of other requests.

    Raises:
        StagewrightError: those of :func:`.texture_set.request_text` and
            :func:`.requests.make_any`.
    """
    text = request_text(picture)
    with naming(picture.name):
        request = request_from_json(text)
    sources = photo or picture.parent
    return (yield from make_any(request, sources, folder, name, services=services, force=force))
