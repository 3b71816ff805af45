# SPDX-License-Identifier: GPL-3.0-or-later
"""Images made to repeat, from files to files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from . import png
from .images import read_image
from .map_names import kind_of
from .tiling import Method, make_tile


def tile_files(
    images: Sequence[Path], folder: Path, method: Method, *, force: bool = False
) -> Job[Mapping[str, Any]]:
    """Make images repeat and write them as PNGs of 16 bits; all are cut alike.

    Which of them are normal maps, and stay so, is told by their sidecars or names.

    Args:
        images: of equal size; how well it repeats is measured on the first.
        folder: created if need be; the files keep their names, ending in ``.png``.
        method: see :func:`.tiling.make_tile`.
        force: replace files that are there already.

    Returns:
        ``files``, ``size`` (columns, rows), ``methods``, ``seamless`` and ``report``.

    Raises:
        StagewrightError: what the images are refused for, ``same-name``, ``file-exists``,
            ``tile-shape``, ``write-failed``.
    """
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
    maps = {}
    vectors = set()
    for number, image in enumerate(images):
        yield Progress("tile.read", 0.2 * number / len(images), f"Reading {image.name}")
        kind = kind_of(image)
        values = read_image(image, data=kind != "colour")
        if kind == "normal" and values.shape[2] == 3:
            vectors.add(image.stem)
            values = 2 * values - 1
        maps[image.stem] = values
    yield Progress("tile.cut", 0.2, "Looking for a period")
    tile = make_tile(maps, method, vectors)
    yield Progress("tile.write", 0.8, f"Writing to {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".stagewright-", dir=folder) as aside:
            drafts = [Path(aside) / target.name for target in targets]
            for draft, (name, values) in zip(drafts, tile.maps.items(), strict=True):
                if name in vectors:
                    values = np.float32(0.5) * values + np.float32(0.5)
                pixels = (np.clip(values, 0, 1) * 65535 + 0.5).astype(np.uint16)
                png.write_png(draft, pixels, {"Software": "Stagewright"})
            for draft, target in zip(drafts, targets, strict=True):
                os.replace(draft, target)
    except OSError as error:
        raise StagewrightError(
            "write-failed",
            f"The tile cannot be written to {folder}: {error.strerror}.",
            "Make room there, or choose another folder.",
        ) from None
    rows, columns = next(iter(tile.maps.values())).shape[:2]
    return {
        "files": [str(target) for target in targets],
        "size": [columns, rows],
        "methods": list(tile.methods),
        "seamless": tile.report.is_seamless,
        "report": asdict(tile.report),
    }
