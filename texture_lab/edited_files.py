# SPDX-License-Identifier: GPL-3.0-or-later
"""Images read together, changed together, and written together, as PNGs of 16 bits."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.compose import part
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from . import png
from .images import read_image
from .map_names import kind_of

Array = NDArray[np.float32]
Edit = Callable[[Mapping[str, Array], frozenset[str]], Job[tuple[Mapping[str, Array], Any]]]


def edit_files(
    images: Sequence[Path], folder: Path, edit: Edit, *, force: bool = False
) -> Job[tuple[dict[str, Any], Any]]:
    """Change images and write what came of them.

    Which of them are normal maps, and stay so, is told by their sidecars or names.

    Args:
        images: the files.
        folder: created if need be; the files keep their names, ending in ``.png``.
        edit: is given the images by their names, (rows, columns, channels), 0 to 1 or of
            normal maps vectors, and which those are; gives them changed, and what it has
            to tell.
        force: replace files that are there already.

    Returns:
        ``files`` and ``size`` (columns, rows); and what ``edit`` told.

    Raises:
        StagewrightError: what the images are refused for, ``same-name``, ``file-exists``,
            ``write-failed``.
    """
    targets = _targets(images, folder, force)
    maps: dict[str, Array] = {}
    vectors = set()
    for number, image in enumerate(images):
        yield Progress("images.read", 0.2 * number / len(images), f"Reading {image.name}")
        kind = kind_of(image)
        values = read_image(image, data=kind != "colour")
        if kind == "normal" and values.shape[2] == 3:
            vectors.add(image.stem)
            values = 2 * values - 1
        maps[image.stem] = values
    edited, told = yield from part(edit(maps, frozenset(vectors)), 0.2, 0.8)
    yield Progress("images.write", 0.8, f"Writing to {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".stagewright-", dir=folder) as aside:
            drafts = [Path(aside) / target.name for target in targets]
            for draft, (name, values) in zip(drafts, edited.items(), strict=True):
                if name in vectors:
                    values = np.float32(0.5) * values + np.float32(0.5)
                pixels = (np.clip(values, 0, 1) * 65535 + 0.5).astype(np.uint16)
                png.write_png(draft, pixels, {"Software": "Stagewright"})
            for draft, target in zip(drafts, targets, strict=True):
                os.replace(draft, target)
    except OSError as error:
        raise StagewrightError(
            "write-failed",
            f"The images cannot be written to {folder}: {error.strerror}.",
            "Make room there, or choose another folder.",
        ) from None
    rows, columns = next(iter(edited.values())).shape[:2]
    return {"files": [str(target) for target in targets], "size": [columns, rows]}, told


def require_equal_sizes(maps: Mapping[str, Array]) -> tuple[int, int]:
    """The rows and columns that all have.

    Raises:
        StagewrightError: ``different-sizes``.
    """
    (first, shape), *others = ((name, values.shape[:2]) for name, values in maps.items())
    for name, other in others:
        if other != shape:
            raise StagewrightError(
                "different-sizes",
                f"{name} has {other[1]} x {other[0]} pixels, {first} {shape[1]} x {shape[0]}.",
                "Give maps of one material and one size.",
            )
    return shape[0], shape[1]


def _targets(images: Sequence[Path], folder: Path, force: bool) -> list[Path]:
    targets = [folder / f"{image.stem}.png" for image in images]
    if len({target.name.casefold() for target in targets}) != len(targets) or any(
        target.resolve() == image.resolve() for target, image in zip(targets, images, strict=True)
    ):
        raise StagewrightError(
            "same-name",
            f"The images in {folder} would be written over one another, or over themselves.",
            "Give another folder, and images of different names.",
        )
    there = [target.name for target in targets if target.exists()]
    if there and not force:
        raise StagewrightError(
            "file-exists", f"“{there[0]}” is there already.", "Give another folder, or --force."
        )
    return targets
