# SPDX-License-Identifier: GPL-3.0-or-later
"""Scanned sets, to see how near the maps estimated from their photos come.

A set is the files of one folder that share all of their names but the word for the map:
``oak_photo.jpg``, ``oak_albedo.png``, ``oak_nor_gl.png``, ``oak_rough.png`` … Base colour and
normals are needed; other maps that are missing take what most materials have, and are not scored.
Without a photo, one is drawn from the maps under a single light, and this is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..jobs.compose import part
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .images import Image, encoded, read_image
from .map_scores import Maps, compare, exposed, relit
from .photo import PhotoRequest, delighted, estimated_maps, maps_of
from .texture_set import TextureSet

_WORDS = {
    "photo": "photo",
    **dict.fromkeys(("basecolor", "albedo", "diffuse", "diff", "color", "colour"), "basecolor"),
    **dict.fromkeys(("normal", "nor", "nrm", "norm"), "normal"),
    **dict.fromkeys(("roughness", "rough"), "roughness"),
    **dict.fromkeys(("metallic", "metalness", "metal"), "metallic"),
    **dict.fromkeys(("ao", "occlusion", "ambientocclusion"), "ao"),
    **dict.fromkeys(("height", "displacement", "disp", "bump"), "height"),
}  # fmt: skip
ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".webp"}
_USUAL = {"roughness": 0.6, "metallic": 0.0, "ao": 1.0, "height": 0.0}
_SCORES = {
    "normal_deg": "normal", "normal_best_deg": "normal", "normal_flat_deg": "normal",
    "roughness_rmse": "roughness", "roughness_mean_rmse": "roughness", "ao_rmse": "ao",
    "ao_mean_rmse": "ao", "basecolor_psnr": "basecolor", "basecolor_ssim": "basecolor",
    "height_correlation": "height",
}  # fmt: skip
_MAX_SIDE = 1024


@dataclass(frozen=True)
class ScannedSet:
    """The files of one material.

    Args:
        name: what their names begin with, below the folder that was searched.
        files: by map; ``photo`` among them if there is one.
        directx: whether the normals' green points down.
    """

    name: str
    files: Mapping[str, Path]
    directx: bool


def find_sets(folder: Path) -> list[ScannedSet]:
    """All sets below a folder, by name.

    Raises:
        StagewrightError: ``no-folder``, ``no-sets``.
    """
    if not folder.is_dir():
        raise StagewrightError(
            "no-folder", f"There is no folder “{folder}”.", "Name the folder of the scans."
        )
    groups: dict[str, dict[str, Path]] = {}
    flipped = set()
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() not in ENDINGS:
            continue
        words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", file.stem)
        at = next((w for w in reversed(words) if w.lower() in _WORDS), None)
        if at is None:
            continue
        name = str(
            file.parent.relative_to(folder) / file.stem[: file.stem.rindex(at)].rstrip("_-. ")
        )
        groups.setdefault(name, {}).setdefault(_WORDS[at.lower()], file)
        if any(w.lower() in ("dx", "directx") for w in words):
            flipped.add(name)
    found = [
        ScannedSet(name, files, name in flipped)
        for name, files in groups.items()
        if {"basecolor", "normal"} <= set(files)
    ]
    if not found:
        raise StagewrightError(
            "no-sets",
            f"No scanned set lies in {folder}: none has both base colour and normals.",
            "Name the files as in oak_albedo.png, oak_normal.png, oak_photo.jpg.",
        )
    return found


def compare_sets(folder: Path) -> Job[Mapping[str, Any]]:
    """Score the network and the classical way on every set below a folder.

    Returns:
        ``sets``: for each its ``name``, whether its photo was ``drawn``, and the scores of
        ``network`` and ``classical`` (see :class:`.map_scores.Scores`) of the maps it has.

    Raises:
        StagewrightError: those of :func:`find_sets` and :func:`.images.read_image`;
            ``sizes-differ``.
    """
    rows = []
    sets = find_sets(folder)
    for at, each in enumerate(sets):
        yield Progress("scanned.compare", at / len(sets), f"Comparing {each.name}")
        truth = _truth(each)
        drawn = "photo" not in each.files
        photo = _drawn(truth) if drawn else _cut(read_image(each.files["photo"]))
        if photo.shape[:2] != truth.height.shape:
            raise StagewrightError(
                "sizes-differ",
                f"The photo of {each.name} has another size than its maps.",
                "Crop it to what the maps show, at their size.",
            )
        request = PhotoRequest("photo", "", tile_size_m=float(len(photo)))
        network, _ = yield from part(
            estimated_maps(photo, request), at / len(sets), (at + 1) / len(sets)
        )
        classical = maps_of(delighted(photo, request.delight), request)
        rows.append(
            {
                "name": each.name,
                "drawn": drawn,
                **{
                    way: _kept(asdict(compare(maps_in(made), truth)), each)
                    for way, made in (("network", network), ("classical", classical))
                },
            }
        )
    return {"sets": rows}


def maps_in(made: TextureSet) -> Maps:
    """The maps of a set as they are scored, the height in metres."""
    height = made.height * made.height_range_m
    return Maps(made.basecolor, made.normal, made.roughness, made.metallic, made.ao, height)


def _kept(scores: dict[str, Any], each: ScannedSet) -> dict[str, float]:
    return {n: scores[n] for n, of in _SCORES.items() if of in each.files}


def _truth(each: ScannedSet) -> Maps:
    colour = _cut(read_image(each.files["basecolor"]))
    normal = 2 * _cut(read_image(each.files["normal"], data=True)) - 1
    normal = normal * np.array([1, -1 if each.directx else 1, 1], np.float32)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    grey = {}
    for name, usual in _USUAL.items():
        if name in each.files:
            grey[name] = _cut(read_image(each.files[name], data=True))[..., 0]
        else:
            grey[name] = np.full(colour.shape[:2], usual, np.float32)
    shapes = {colour.shape[:2], normal.shape[:2], *(g.shape for g in grey.values())}
    if len(shapes) > 1:
        raise StagewrightError(
            "sizes-differ", f"The maps of {each.name} differ in size.", "Save them at one size."
        )
    return Maps(colour, normal, **grey)


def _drawn(truth: Maps) -> Image:
    """A photo of the maps under one light, as bright as the base colour."""
    light = encoded(np.clip(relit(truth, (-0.5, 0.45, 0.74)), 0, 1))
    return np.asarray(exposed(light, truth.basecolor), np.float32)


def _cut(image: Image) -> Image:
    """At most so large; three channels if more than one."""
    image = image[:_MAX_SIDE, :_MAX_SIDE]
    return image if image.shape[2] == 3 else np.repeat(image, 3, 2)
