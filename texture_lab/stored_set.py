# SPDX-License-Identifier: GPL-3.0-or-later
"""Texture sets read back from disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ..jobs.errors import StagewrightError
from ..jobs.text_files import read_json
from . import png
from .request import Normals
from .texture_set import MAPS, OPTIONAL, TextureSet


def read_set(sidecar: Path) -> tuple[TextureSet, Mapping[str, Any]]:
    """A set that :func:`.texture_set.write_set` wrote, and what its sidecar holds.

    Raises:
        StagewrightError: ``bad-set``; what the maps are refused for.
    """
    about = read_about(sidecar)
    pixels = {name: png.read_png(path)[0] for name, path in map_files(sidecar, about).items()}
    if len({each.shape[:2] for each in pixels.values()}) != 1:
        raise _bad_set(sidecar, "its maps have different sizes")
    coloured = {"basecolor", "normal", "emission"} & set(pixels)
    if any(pixels[name].shape[2] != 3 for name in coloured):
        raise _bad_set(sidecar, "its base colour, its normals or its emission are no colours")
    maps = {n: p.astype(np.float32) / np.float32(np.iinfo(p.dtype).max) for n, p in pixels.items()}
    green = -1 if about["normals"] == "directx" else 1
    normal = (maps["normal"] * 2 - 1) * np.array([1, green, 1], np.float32)
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), np.float32(1e-6))
    flat = {name: maps[name][:, :, 0] for name in set(maps) - coloured}
    return TextureSet(
        maps["basecolor"],
        normal,
        **flat,
        emission=maps.get("emission"),
        emission_strength=about.get("emission_strength", 1.0),
        tile_size_m=about["tile_size_m"],
        height_range_m=about["height_range_m"],
    ), about


def fingerprint(sidecar: Path) -> str:
    """A hash of a set's maps and of what its sidecar says of them, in hexadecimal digits.

    It does not depend on the files' names, which change when a .blend is saved elsewhere.

    Raises:
        StagewrightError: ``bad-set``.
    """
    about = read_about(sidecar)
    told = ("tile_size_m", "height_range_m", "normals", "emission_strength")
    total = hashlib.sha256(json.dumps([about.get(name) for name in told]).encode())
    try:
        for name, path in map_files(sidecar, about).items():
            with path.open("rb") as stream:
                total.update(name.encode() + hashlib.file_digest(stream, "sha256").digest())
    except OSError as error:
        raise _bad_set(sidecar, error.strerror or "its maps cannot be read") from None
    return total.hexdigest()


def read_about(sidecar: Path) -> Mapping[str, Any]:
    """What the sidecar of a set holds.

    Raises:
        StagewrightError: ``bad-set``.
    """
    try:
        about: Any = read_json(sidecar)
        sizes = about["tile_size_m"], about["height_range_m"]
        strength = about.get("emission_strength", 1.0)
        files = map_files(sidecar, about)
        sane = (
            all(isinstance(size, int | float) and 0 < size < 1e5 for size in sizes)
            and isinstance(strength, int | float)
            and 0 <= strength < 1e5
            and about["normals"] in get_args(Normals)
            and isinstance(about["request"], dict)
        )
    except OSError as error:
        raise _bad_set(sidecar, error.strerror or "it cannot be read") from None
    except (ValueError, KeyError, TypeError):
        raise _bad_set(sidecar, "it is not what Stagewright writes") from None
    missing = [path.name for path in files.values() if not path.is_file()]
    if not sane or missing:
        raise _bad_set(sidecar, f"{missing[0]} is not there" if missing else "its sizes are none")
    return dict(about)


def title_of(request: Mapping[str, Any]) -> str:
    """The words that a set was made of, or its photo's name; "" where there are neither."""
    nodes = request.get("nodes")
    settings = [node.get("settings", {}) for node in nodes] if isinstance(nodes, list) else []
    said = [words["prompt"] for words in settings if words.get("prompt")]
    return str(request.get("prompt") or request.get("photo") or next(iter(said), ""))


def map_files(sidecar: Path, about: Mapping[str, Any]) -> dict[str, Path]:
    """The maps of a set, which lie beside its sidecar, or in a folder there."""
    names = (*MAPS, *(name for name in OPTIONAL if name in about["maps"]))
    return {name: sidecar.parent / _below(about["maps"][name]) for name in names}


def _below(file: str) -> Path:
    path = Path(file)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{file} leads elsewhere")
    return path


def _bad_set(sidecar: Path, why: str) -> StagewrightError:
    return StagewrightError(
        "bad-set",
        f"{sidecar.name} is not the sidecar of a whole texture set: {why}.",
        "Give the .json that lies beside the maps.",
    )
