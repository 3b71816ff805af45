# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps of one material, in memory and on disk."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from ..jobs.text_files import read_json
from ..jobs.threads import share
from . import png
from .request import Normals

Map = NDArray[np.floating[Any]]

REQUEST_KEY = "stagewright:request"
MAPS = ("basecolor", "normal", "roughness", "metallic", "height", "ao")
OPTIONAL = ("emission", "opacity")
"""Maps that sets of what glows and of what has holes have, too."""
ALL_MAPS = (*MAPS, *OPTIONAL)

_COLOURS = frozenset({"basecolor", "emission"})
_LARGEST_FIRST = ("basecolor", "normal", "height", "emission", *MAPS, *OPTIONAL)
"""What takes longest to write does not begin last."""


@dataclass(frozen=True)
class TextureSet:
    """The maps of one tile; a photo's may have other rows than columns, with square pixels.

    Args:
        basecolor: float32 (size, size, 3), 0 to 1, sRGB-encoded.
        normal: float32 (size, size, 3), unit vectors in tangent space: x to the
            right, y up the image (OpenGL), z out of the surface.
        roughness: float32 (size, size), 0 to 1.
        metallic: the same.
        height: the same; 0 and 1 are the ends of ``height_range_m``.
        ao: the same; 1 is open.
        tile_size_m: the side of the tile along its rows' way down, metres.
        height_range_m: from the lowest to the highest point, metres.
        emission: what it glows with, as ``basecolor``; None where nothing glows.
        opacity: as ``roughness``, 0 where there is a hole; None where it is solid.
        emission_strength: radiance of an emission of 1, scene-linear: 1 looks as bright as white.
    """

    basecolor: Map
    normal: Map
    roughness: Map
    metallic: Map
    height: Map
    ao: Map
    tile_size_m: float
    height_range_m: float
    emission: Map | None = None
    opacity: Map | None = None
    emission_strength: float = 1.0

    @property
    def maps(self) -> dict[str, Map]:
        """The maps that it has, by their names, in the order of ``ALL_MAPS``."""
        every = {name: getattr(self, name) for name in ALL_MAPS}
        return {name: values for name, values in every.items() if values is not None}


class Request(Protocol):
    """What a set is made from; it goes into every map."""

    @property
    def normals(self) -> Normals:
        """The direction of the normal map's green."""

    def to_json(self) -> str:
        """All of it, as JSON."""


def file_of(folder: Path, name: str, map_name: str) -> Path:
    """Where a map of a set lies."""
    return folder / f"{name}_{map_name}.png"


def write_set(
    textures: TextureSet,
    folder: Path,
    name: str,
    request: Request,
    about: Mapping[str, Any],
) -> list[Path]:
    """Write the maps and the sidecar ``<name>.json``.

    All are written aside first, so that a full disk leaves an earlier set as it was.
    The height has 16 bits, the others 8; every map carries the request.

    Args:
        textures: the maps.
        folder: created if need be.
        name: what the files' names begin with.
        request: what the set was made from.
        about: plain JSON data for the sidecar (the family, its parameters).

    Returns:
        The files, the sidecar last.

    Raises:
        StagewrightError: ``bad-name``, ``write-failed``.
    """
    text = {REQUEST_KEY: request.to_json(), "Software": "Stagewright"}
    maps = textures.maps
    paths = _paths(folder, name, maps)
    glow = {"emission_strength": textures.emission_strength} if "emission" in maps else {}
    sidecar = {
        "request": json.loads(request.to_json()),
        **about,
        "tile_size_m": textures.tile_size_m,
        "height_range_m": textures.height_range_m,
        **glow,
        "normals": request.normals,
        "maps": {map_name: path.name for map_name, path in zip(maps, paths, strict=False)},
        "color_spaces": {map_name: _color_space(map_name) for map_name in maps},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".stagewright-", dir=folder) as aside:
            drafts = [Path(aside) / path.name for path in paths]

            def write(names: Iterable[str]) -> None:
                for map_name in names:
                    pixels = _pixels(maps[map_name], map_name, request)
                    png.write_png(file_of(Path(aside), name, map_name), pixels, text)

            share(sorted(maps, key=_LARGEST_FIRST.index), write)
            drafts[-1].write_text(json.dumps(sidecar, indent=1, sort_keys=True) + "\n", "utf-8")
            before = _paths(folder, name, _optional(_sidecar(folder, name)))
            for draft, path in zip(drafts, paths, strict=True):
                os.replace(draft, path)
            for path in set(before) - set(paths):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise StagewrightError(
            "write-failed",
            f"The texture set cannot be written to {folder}: {error.strerror}.",
            "Make room there, or choose another folder.",
        ) from None
    return paths


def preview_of(sidecar: Path) -> Path:
    """Where a small picture of a set lies, if one was written."""
    return sidecar.with_name(f"{sidecar.stem}_preview.png")


def is_done(request: Request, folder: Path, name: str) -> bool:
    """Whether ``folder`` holds the set ``name`` of that very request, with all its maps."""
    maps = (*MAPS, *_optional(_sidecar(folder, name)))
    whole = all(path.is_file() for path in _paths(folder, name, maps))
    return whole and _is_of(request, folder, name)


def require_free(request: Request, folder: Path, name: str) -> None:
    """Refuse a name whose files are not those of that very request.

    Raises:
        StagewrightError: ``bad-name``, ``file-exists``.
    """
    there = [path for path in _paths(folder, name, ALL_MAPS) if path.exists()]
    if there and not _is_of(request, folder, name):
        raise StagewrightError(
            "file-exists",
            f"“{there[0].name}” is there already, and was made otherwise.",
            "Give another name or folder, or --force.",
        )


def _is_of(request: Request, folder: Path, name: str) -> bool:
    """Whether a set's sidecar tells of that very request."""
    return bool(_sidecar(folder, name).get("request") == json.loads(request.to_json()))


def _sidecar(folder: Path, name: str) -> Mapping[str, Any]:
    """What the sidecar of a set holds; nothing if there is none, or it is damaged."""
    try:
        about = read_json(folder / f"{name}.json")
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _optional(about: Mapping[str, Any]) -> list[str]:
    """Which of the optional maps a set has."""
    maps = about.get("maps")
    return [name for name in OPTIONAL if isinstance(maps, dict) and name in maps]


def _paths(folder: Path, name: str, maps: Iterable[str]) -> list[Path]:
    """The files of a set that has these maps, the sidecar last.

    Raises:
        StagewrightError: ``bad-name`` for a name that would lead out of the folder.
    """
    if not name or set(name) & set("/\\\0"):
        raise StagewrightError(
            "bad-name",
            f"A set cannot be called “{name}”.",
            "Give a name without slashes; folders are named apart from it.",
        )
    return [*(file_of(folder, name, map_name) for map_name in maps), folder / f"{name}.json"]


def request_text(path: Path) -> str:
    """The request that a map was made from, as it was written.

    Raises:
        StagewrightError: those of :func:`png.read_png`; ``no-request``: the image does
            not carry one.
    """
    _, text = png.read_png(path)
    if REQUEST_KEY not in text:
        raise StagewrightError(
            "no-request",
            f"{path.name} does not say what it was made from.",
            "Choose a map that Stagewright wrote and no other program saved again.",
        )
    return text[REQUEST_KEY]


def _color_space(map_name: str) -> str:
    return "sRGB" if map_name in _COLOURS else "Non-Color"


def _pixels(values: Map, map_name: str, request: Request) -> NDArray[Any]:
    if map_name == "height":
        return (np.clip(values, 0, 1) * 65535 + 0.5).astype(np.uint16)
    if map_name == "normal":
        flip = -1 if request.normals == "directx" else 1
        values = values * np.array([0.5, 0.5 * flip, 0.5], np.float32) + np.float32(0.5)
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
