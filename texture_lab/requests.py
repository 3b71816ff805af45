# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of all kinds: read from their JSON, and made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..jobs.errors import StagewrightError
from ..jobs.events import Job
from ..jobs.text_files import parse_json
from .graph import TextureGraph
from .graph_nodes import make_graph
from .graph_nodes import memory_of as memory_of_graph
from .images import image_size
from .make import make
from .make import memory_of as memory_of_words
from .photo import PhotoRequest, make_maps, sha256_of
from .photo import memory_of as memory_of_photo
from .request import TextureRequest
from .services import Services

AnyRequest = TextureRequest | PhotoRequest | TextureGraph


def request_from_json(text: str) -> AnyRequest:
    """The request that a JSON text is.

    Raises:
        StagewrightError: ``bad-request``, ``bad-graph``.
    """
    try:
        value = parse_json(text)
    except ValueError:
        value = None  # What is wrong with it is told by the reader of requests.
    if isinstance(value, dict) and "nodes" in value:
        return TextureGraph.from_json(text)
    if isinstance(value, dict) and "photo" in value:
        return PhotoRequest.from_json(text)
    return TextureRequest.from_json(text)


def make_any(
    request: AnyRequest,
    sources: Path | None,
    folder: Path,
    name: str = "",
    preview: Path | None = None,
    *,
    services: Services = MappingProxyType({}),
    force: bool = False,
    keep: Path | None = None,
) -> Job[Mapping[str, Any]]:
    """Make and write a set.

    Args:
        request: what to make.
        sources: of a photo's set the photo, or its folder; of a graph the folder of its files,
            or one of them.
        folder: created if need be.
        name: what the files' names begin with; what is usual for the request if empty.
        preview: file for small pictures of it, told in ``Preview`` events.
        services: who makes a graph's images (see :data:`.services.Services`).
        force: replace files of that name that another request has made.
        keep: see :func:`.graph_nodes.make_graph`; of graphs alone.

    Raises:
        StagewrightError: those of :func:`require_sources`, :func:`.make.make`,
            :func:`.photo.make_maps` and :func:`.graph_nodes.make_graph`.
    """
    require_sources(request, sources)
    if isinstance(request, TextureRequest):
        return (yield from make(request, folder, name, preview, force=force))
    if isinstance(request, PhotoRequest):
        photo = _photo(request, sources)
        return (yield from make_maps(photo, request, folder, name, preview, force=force))
    place = _folder(sources)
    where = (place, folder, name or "graph", preview)
    return (yield from make_graph(request, *where, services=services, force=force, keep=keep))


def memory_of(request: AnyRequest, sources: Path | None) -> int:
    """About how many bytes a set takes while it is made.

    Raises:
        StagewrightError: what the files that it is made from are refused for.
    """
    if isinstance(request, TextureRequest):
        return memory_of_words(request.size)
    if isinstance(request, PhotoRequest):
        return memory_of_photo(image_size(_photo(request, sources)), request)
    return memory_of_graph(request, _folder(sources))


def require_sources(request: AnyRequest, sources: Path | None) -> None:
    """Refuse a request whose photo is not there, or not the one it was made with.

    The files of a graph are looked at when their nodes are made.

    Raises:
        StagewrightError: ``no-photo``, ``photo-changed``.
    """
    if not isinstance(request, PhotoRequest):
        return
    photo = _photo(request, sources)
    if not photo.is_file():
        raise StagewrightError(
            "no-photo",
            f"The photo {photo.name} that the set is made from is not there.",
            "Name it with --photo.",
        )
    if sha256_of(photo) != request.sha256:
        raise StagewrightError(
            "photo-changed",
            f"{photo.name} is not the photo that the set was made from, or was changed.",
            "Give the very file with --photo, or make new maps: stagewright texture maps.",
        )


def _photo(request: PhotoRequest, sources: Path | None) -> Path:
    place = sources or Path()
    return place / request.photo if place.is_dir() else place


def _folder(sources: Path | None) -> Path:
    place = sources or Path()
    return place if place.is_dir() else place.parent
