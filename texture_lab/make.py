# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures from words, in memory and on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..jobs.compose import part
from ..jobs.events import Job, Preview, Progress
from ..jobs.memory import require_memory
from .canvas import Canvas
from .grammar import Material, understand
from .picture import PREVIEW_SIZE, picture, write_picture
from .request import TextureRequest
from .surface import finish
from .texture_set import TextureSet, require_free, write_set
from .weather import WEATHER

_BYTES = 320
"""Memory that a pixel takes at the peak of the slowest family, measured."""


def draw(material: Material, size: int, seed: int) -> TextureSet:
    """The maps of a material."""
    drawing = _drawn(material, size, seed)
    while True:
        try:
            next(drawing)
        except StopIteration as stop:
            textures: TextureSet = stop.value
            return textures


def _drawn(material: Material, size: int, seed: int) -> Job[TextureSet]:
    """The maps of a material, step by step, so that it can be cancelled in between."""
    yield Progress("texture.draw", 0.0, f"Drawing {material.family.name}.")
    canvas = Canvas(size, seed)
    surface = material.family.draw(canvas, material.values)
    for place, name in enumerate(material.weather):
        yield Progress("texture.weather", 0.6 + 0.05 * place, f"Making it {name}.")
        surface = WEATHER[name](canvas, surface, material.paint)
    yield Progress("texture.maps", 0.9, "Making its normals and its occlusion.")
    return finish(surface, material.family.tile_size_m)


def memory_of(size: int) -> int:
    """About how many bytes a set of ``size`` rows takes while it is made."""
    return _BYTES * size * size


def make(
    request: TextureRequest,
    folder: Path,
    name: str = "",
    preview: Path | None = None,
    *,
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Make a set and write it (see :func:`.texture_set.write_set`).

    Args:
        request: what to make.
        folder: created if need be.
        name: what the files' names begin with; the family's name and the seed if empty.
        preview: file for a small picture of it, told in a ``Preview`` before the work.
        force: replace files of that name that another request has made.

    Returns:
        The family, what was understood of the words, the sliders' values, and the files.

    Raises:
        StagewrightError: those of :func:`.grammar.understand`, ``out-of-memory``,
            ``bad-name``, ``file-exists`` and ``write-failed``.
    """
    material = understand(request.prompt, request.parameters)
    require_memory(memory_of(request.size), f"A set of {request.size} pixels")
    stem = name or f"{material.family.name}_{request.seed}"
    if not force:
        require_free(request, folder, stem)
    about = {
        "family": material.family.name,
        "found": list(material.found),
        "parameters": dict(material.values.sliders),
    }
    if preview is not None:
        write_picture(picture(draw(material, PREVIEW_SIZE, request.seed)), preview)
        yield Preview(str(preview))
    textures = yield from part(_drawn(material, request.size, request.seed), 0.0, 0.7)
    yield Progress("texture.write", 0.7, f"Writing to {folder}.")
    files = write_set(textures, folder, stem, request, about)
    return {**about, "files": [str(path) for path in files]}
