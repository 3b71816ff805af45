# SPDX-License-Identifier: GPL-3.0-or-later
"""Images mended, continued, varied and enlarged.

Several images are maps of one material: what is decided on the first of them holds for all.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.compose import part
from ..jobs.errors import StagewrightError
from ..jobs.events import Job
from .edited_files import Array, edit_files, require_equal_sizes
from .images import read_image
from .patches import Mask, fill, rearrange, taken
from .png import MAX_PIXELS
from .upscale import upscale

_SMALLEST = 16
"""Rows and columns from which patches make sense."""

Maps = Mapping[str, Array]
"""Images by name, (rows, columns, channels): colours and data 0 to 1, normals unit vectors."""


def inpaint(
    maps: Maps, vectors: Container[str], hole: Mask, *, wraps: bool = False, seed: int = 0
) -> Job[Maps]:
    """Fill a hole in all maps with patches of the rest (see :func:`.patches.fill`).

    Args:
        maps: of one material; the first one decides.
        vectors: names of those that are normal maps.
        hole: (rows, columns), True where they are to be filled.
        wraps: whether they repeat.
        seed: another one is another filling.

    Raises:
        StagewrightError: ``different-sizes``, ``image-too-small``, ``mask-size``,
            ``nothing-marked``, ``nothing-known``.
    """
    rows, columns = _sizes(maps)
    if hole.shape != (rows, columns):
        raise StagewrightError(
            "mask-size",
            f"The mask has {hole.shape[1]} x {hole.shape[0]} pixels, the image {columns} x {rows}.",
            "Give a mask of the image's size.",
        )
    if not hole.any():
        raise StagewrightError(
            "nothing-marked", "Nothing in the mask is white.", "Paint white what is to be filled."
        )
    places = yield from fill(_guide(maps, vectors), hole, wraps=wraps, seed=seed)
    return {name: taken(values, places) for name, values in maps.items()}


def outpaint(
    maps: Maps, vectors: Container[str], pixels: int, *, wraps: bool = False, seed: int = 0
) -> Job[Maps]:
    """Continue all maps beyond their borders.

    Args:
        maps: as for :func:`inpaint`.
        vectors: likewise.
        pixels: how far, on all four sides.
        wraps: whether the larger images repeat.
        seed: another one is another continuation.

    Raises:
        StagewrightError: as :func:`inpaint`, ``image-too-large``.
    """
    rows, columns = _sizes(maps)
    _refuse_huge(rows + 2 * pixels, columns + 2 * pixels)
    border = ((pixels, pixels), (pixels, pixels))
    hole = np.pad(np.zeros((rows, columns), bool), border, constant_values=True)
    wide = {name: np.pad(each, (*border, (0, 0)), mode="edge") for name, each in maps.items()}
    return (yield from inpaint(wide, vectors, hole, wraps=wraps, seed=seed))


def vary(
    maps: Maps, vectors: Container[str], strength: float, *, wraps: bool = False, seed: int = 0
) -> Job[Maps]:
    """Another piece of the same material (see :func:`.patches.rearrange`).

    Raises:
        StagewrightError: ``different-sizes``, ``image-too-small``.
    """
    _sizes(maps)
    places = yield from rearrange(_guide(maps, vectors), strength, wraps=wraps, seed=seed)
    return {name: taken(values, places) for name, values in maps.items()}


def enlarge(maps: Maps, vectors: Container[str], factor: int, *, wraps: bool = False) -> Job[Maps]:
    """All maps ``factor`` times as large (see :func:`.upscale.upscale`).

    Raises:
        StagewrightError: ``image-too-large``.
    """
    large: dict[str, Array] = {}
    for number, (name, values) in enumerate(maps.items()):
        _refuse_huge(values.shape[0] * factor, values.shape[1] * factor)
        shown = values * np.float32(0.5) + np.float32(0.5) if name in vectors else values
        job = upscale(shown, factor, wraps=wraps)
        made = yield from part(job, number / len(maps), (number + 1) / len(maps))
        large[name] = _unit(2 * made - 1) if name in vectors else made
    return large


def read_mask(path: Path) -> Mask:
    """Where an image is white."""
    return read_image(path, data=True).mean(2) > 0.5


def change_files(
    images: Sequence[Path],
    folder: Path,
    change: Callable[[Maps, Container[str]], Job[Maps]],
    *,
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Change files by one of these functions (see :func:`.edited_files.edit_files`)."""

    def edit(maps: Maps, vectors: frozenset[str]) -> Job[tuple[Maps, None]]:
        return (yield from change(maps, vectors)), None

    value, _ = yield from edit_files(images, folder, edit, force=force)
    return value


def _sizes(maps: Maps) -> tuple[int, int]:
    rows, columns = require_equal_sizes(maps)
    if min(rows, columns) < _SMALLEST:
        raise StagewrightError(
            "image-too-small",
            f"An image of {columns} x {rows} pixels has no patches.",
            f"Give at least {_SMALLEST} x {_SMALLEST} pixels.",
        )
    return rows, columns


def _guide(maps: Maps, vectors: Container[str]) -> Array:
    """What patches are compared by: the first image."""
    name, values = next(iter(maps.items()))
    return values * np.float32(0.5) + np.float32(0.5) if name in vectors else values


def _refuse_huge(rows: int, columns: int) -> None:
    if rows * columns > MAX_PIXELS:
        raise StagewrightError(
            "image-too-large",
            f"The image would have {columns} x {rows} pixels.",
            f"Stay below {MAX_PIXELS} pixels.",
        )


def _unit(vectors: NDArray[np.float32]) -> Array:
    length = np.sqrt(np.square(vectors).sum(2, keepdims=True))
    return (vectors / np.maximum(length, 1e-6)).astype(np.float32)
