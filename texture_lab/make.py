# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures from words, in memory and on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..jobs.events import Job, Progress
from .canvas import Canvas
from .grammar import Material, understand
from .request import TextureRequest
from .surface import finish
from .texture_set import TextureSet, read_request, write_set
from .weather import WEATHER


def draw(material: Material, size: int, seed: int) -> TextureSet:
    """The maps of a material."""
    canvas = Canvas(size, seed)
    surface = material.family.draw(canvas, material.values)
    for name in material.weather:
        surface = WEATHER[name](canvas, surface, material.paint)
    return finish(surface, material.family.tile_size_m)


def make(request: TextureRequest, folder: Path, name: str = "") -> Job[Mapping[str, Any]]:
    """Make a set and write it (see :func:`.texture_set.write_set`).

    Args:
        request: what to make.
        folder: created if need be.
        name: what the files' names begin with; the family's name and the seed if empty.

    Returns:
        The family, what was understood of the words, the sliders' values, and the files.

    Raises:
        StagewrightError: those of :func:`.grammar.understand` and ``write-failed``.
    """
    material = understand(request.prompt, request.parameters)
    about = {
        "family": material.family.name,
        "found": list(material.found),
        "parameters": dict(material.values.sliders),
    }
    yield Progress("texture.draw", 0.0, f"Drawing {material.family.name}.")
    textures = draw(material, request.size, request.seed)
    yield Progress("texture.write", 0.7, f"Writing to {folder}.")
    stem = name or f"{material.family.name}_{request.seed}"
    files = write_set(textures, folder, stem, request, about)
    return {**about, "files": [str(path) for path in files]}


def rerun(picture: Path, folder: Path, name: str = "") -> Job[Mapping[str, Any]]:
    """Make the set of a map again, from what the map says it was made of.

    Raises:
        StagewrightError: those of :func:`.texture_set.read_request` and :func:`make`.
    """
    return (yield from make(read_request(picture), folder, name))
