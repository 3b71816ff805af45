# SPDX-License-Identifier: GPL-3.0-or-later
"""Images mended, continued, varied and enlarged, from files to files.

Several images are maps of one material: what is decided on the first of them holds for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.compose import part
from ..jobs.errors import StagewrightError
from ..jobs.events import Job
from .edited_files import Array, edit_files, require_equal_sizes
from .images import read_image
from .patches import fill, rearrange, taken
from .png import MAX_PIXELS
from .upscale import upscale

_SMALLEST = 16
"""Rows and columns from which patches make sense."""

Edited = tuple[Mapping[str, Array], None]


def inpaint_files(
    images: Sequence[Path],
    mask: Path,
    folder: Path,
    *,
    wraps: bool = False,
    seed: int = 0,
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Fill what is white in ``mask`` with patches of the rest (see :func:`.patches.fill`).

    Raises:
        StagewrightError: those of :func:`.edited_files.edit_files`, ``different-sizes``,
            ``mask-size``, ``nothing-marked``, ``nothing-known``, ``image-too-small``.
    """
    hole = read_image(mask, data=True).mean(2) > 0.5
    if not hole.any():
        raise StagewrightError(
            "nothing-marked",
            f"Nothing in {mask.name} is white.",
            "Paint white what is to be filled.",
        )

    def edit(maps: Mapping[str, Array], vectors: frozenset[str]) -> Job[Edited]:
        if _sizes(maps) != hole.shape:
            raise StagewrightError(
                "mask-size",
                f"{mask.name} has {hole.shape[1]} x {hole.shape[0]} pixels, the image has others.",
                "Give a mask of the image's size.",
            )
        places = yield from fill(_guide(maps, vectors), hole, wraps=wraps, seed=seed)
        return {name: taken(values, places) for name, values in maps.items()}, None

    value, _ = yield from edit_files(images, folder, edit, force=force)
    return value


def outpaint_files(
    images: Sequence[Path],
    pixels: int,
    folder: Path,
    *,
    wraps: bool = False,
    seed: int = 0,
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Continue images beyond their borders.

    Args:
        images: as for :func:`.edited_files.edit_files`.
        pixels: how far, on all four sides.
        folder: likewise.
        wraps: whether the larger image repeats.
        seed: another one is another continuation.
        force: likewise.

    Raises:
        StagewrightError: as :func:`inpaint_files`, ``image-too-large``.
    """

    def edit(maps: Mapping[str, Array], vectors: frozenset[str]) -> Job[Edited]:
        rows, columns = _sizes(maps)
        _refuse_huge(rows + 2 * pixels, columns + 2 * pixels)
        border = ((pixels, pixels), (pixels, pixels))
        hole = np.pad(np.zeros((rows, columns), bool), border, constant_values=True)
        wide = {name: np.pad(each, (*border, (0, 0)), mode="edge") for name, each in maps.items()}
        places = yield from fill(_guide(wide, vectors), hole, wraps=wraps, seed=seed)
        return {name: taken(values, places) for name, values in wide.items()}, None

    value, _ = yield from edit_files(images, folder, edit, force=force)
    return value


def vary_files(
    images: Sequence[Path],
    strength: float,
    folder: Path,
    *,
    wraps: bool = False,
    seed: int = 0,
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Make another piece of the same material (see :func:`.patches.rearrange`).

    Raises:
        StagewrightError: as :func:`inpaint_files`.
    """

    def edit(maps: Mapping[str, Array], vectors: frozenset[str]) -> Job[Edited]:
        _sizes(maps)
        places = yield from rearrange(_guide(maps, vectors), strength, wraps=wraps, seed=seed)
        return {name: taken(values, places) for name, values in maps.items()}, None

    value, _ = yield from edit_files(images, folder, edit, force=force)
    return value


def upscale_files(
    images: Sequence[Path],
    factor: int,
    folder: Path,
    *,
    wraps: bool = False,
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Make images ``factor`` times as large (see :func:`.upscale.upscale`).

    Raises:
        StagewrightError: those of :func:`.edited_files.edit_files`, ``image-too-large``.
    """

    def edit(maps: Mapping[str, Array], vectors: frozenset[str]) -> Job[Edited]:
        large: dict[str, Array] = {}
        for number, (name, values) in enumerate(maps.items()):
            _refuse_huge(values.shape[0] * factor, values.shape[1] * factor)
            shown = values * np.float32(0.5) + np.float32(0.5) if name in vectors else values
            job = upscale(shown, factor, wraps=wraps)
            made = yield from part(job, number / len(maps), (number + 1) / len(maps))
            large[name] = _unit(2 * made - 1) if name in vectors else made
        return large, None

    value, _ = yield from edit_files(images, folder, edit, force=force)
    return value


def _sizes(maps: Mapping[str, Array]) -> tuple[int, int]:
    rows, columns = require_equal_sizes(maps)
    if min(rows, columns) < _SMALLEST:
        raise StagewrightError(
            "image-too-small",
            f"An image of {columns} x {rows} pixels has no patches.",
            f"Give at least {_SMALLEST} x {_SMALLEST} pixels.",
        )
    return rows, columns


def _guide(maps: Mapping[str, Array], vectors: frozenset[str]) -> Array:
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
