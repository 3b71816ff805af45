# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of two dimensions in image files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..field_tools.grid import Grid, require_finite
from ..field_tools.pictures import grid_of_picture, picture_of_grid
from ..jobs.errors import StagewrightError
from ..jobs.text_files import parse_json
from ..texture_lab.images import read_pixels, write_floats
from ..texture_lab.png import read_png, write_png
from .targets import PICTURES_READ

_RANGE = "stagewright:range"


def is_picture(path: Path) -> bool:
    """Whether a file is an image, by its suffix."""
    return path.suffix.lower() in PICTURES_READ


def read_picture(path: Path) -> Grid:
    """An image as a field: grey ones of numbers, colours of vectors; alpha is left out.

    Values are those of the file, as they are encoded, whole numbers scaled to 0 to 1. A PNG of
    :func:`write_picture` gives the values that it was made of, to 16 bits.

    Raises:
        StagewrightError: those of :func:`..texture_lab.images.read_pixels`.
    """
    pixels, text = _read_png(path) if path.suffix.lower() == ".png" else _read_other(path)
    low, high = _range_of(text)
    values = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, 0]
    return grid_of_picture(np.float32(low) + values * np.float32(high - low))


def _read_png(path: Path) -> tuple[NDArray[np.float32], dict[str, str]]:
    pixels, text = read_png(path)
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max), text


def _read_other(path: Path) -> tuple[NDArray[np.float32], dict[str, str]]:
    return read_pixels(path)[0], {}


def write_picture(path: Path, field: Grid) -> tuple[float, float]:
    """Write a field of two dimensions as an image.

    A PNG has 16 bits from its least to its greatest value, and says which these are; other files
    have the values as they are, as floating-point numbers.

    Returns:
        The values that are black and white.

    Raises:
        StagewrightError: ``not-flat``, ``not-finite`` for a PNG, ``image-unsupported``,
            ``picture-unwritable``.
    """
    pixels = picture_of_grid(field).astype(np.float32)
    low, high = 0.0, 1.0
    try:
        if path.suffix.lower() == ".png":
            require_finite(pixels, "The field")
            low, high = float(np.min(pixels)), float(np.max(pixels))
            share = (pixels - np.float32(low)) / np.float32((high - low) or 1.0)
            steps = np.rint(share * 65535).astype(np.uint16)
            write_png(path, steps, {_RANGE: json.dumps([low, high]), "Software": "Stagewright"})
        else:
            write_floats(path, pixels)
    except OSError as error:
        raise StagewrightError(
            "picture-unwritable",
            f"{path.name} cannot be written ({error.strerror or error}).",
            "Make room there, or choose another folder.",
        ) from error
    return low, high


def _range_of(text: Mapping[str, str]) -> tuple[float, float]:
    """What black and white stand for."""
    try:
        low, high = parse_json(text.get(_RANGE, "[0.0, 1.0]"))
        return float(low), float(high)
    except (ValueError, TypeError):
        return 0.0, 1.0  # Another program's words.
