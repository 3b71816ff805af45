# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of other programs, as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from . import png

Image = NDArray[np.float32]


def read_image(path: Path) -> Image:
    """Read an image as it is encoded, 0 to 1, without its alpha.

    PNG is read everywhere, other files through OpenImageIO, which Blender brings.

    Returns:
        (rows, columns, 1 or 3) float32.

    Raises:
        StagewrightError: those of :func:`.png.read_png`; ``image-unsupported``.
    """
    if path.suffix.lower() == ".png":
        pixels, _ = png.read_png(path)
        scale = np.float32(65535 if pixels.dtype == np.uint16 else 255)
        return _colours(pixels.astype(np.float32) / scale)
    if not path.is_file():
        raise StagewrightError("no-file", f"There is no file “{path}”.", "Check its path.")
    return _read_other(path)


def linear(encoded_colour: NDArray[np.floating[Any]]) -> Image:
    """Linear light of sRGB (IEC 61966-2-1)."""
    c = np.asarray(encoded_colour, np.float32)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encoded(light: NDArray[np.floating[Any]]) -> Image:
    """SRGB of linear light: the other way round."""
    c = np.asarray(light, np.float32)
    high = 1.055 * np.maximum(c, 1e-9) ** np.float32(1 / 2.4) - 0.055
    return np.where(c <= 0.0031308, 12.92 * c, high).astype(np.float32)


def _read_other(path: Path) -> Image:
    try:
        import OpenImageIO
    except ImportError:
        raise StagewrightError(
            "image-unsupported",
            f"{path.name} cannot be read without OpenImageIO.",
            "Save it as a PNG, or run this inside Blender.",
        ) from None
    opened = OpenImageIO.ImageInput.open(str(path))
    if opened is None:
        raise _damaged(path, OpenImageIO.geterror())
    try:
        spec = opened.spec()
        if spec.width * spec.height > png.MAX_PIXELS:
            raise StagewrightError(
                "image-too-large",
                f"{path.name} has {spec.width} x {spec.height} pixels.",
                f"Give an image of at most {png.MAX_PIXELS} pixels.",
            )
        pixels: NDArray[Any] | None = opened.read_image("float")
    finally:
        opened.close()
    if pixels is None:
        raise _damaged(path, OpenImageIO.geterror())
    return _colours(np.asarray(pixels, np.float32).reshape(spec.height, spec.width, -1))


def _colours(pixels: NDArray[np.float32]) -> Image:
    """Grey or colour, without alpha and what else there may be."""
    kept = 3 if pixels.shape[2] >= 3 else 1
    return np.clip(np.nan_to_num(pixels[:, :, :kept]), 0.0, 1.0)


def _damaged(path: Path, why: str) -> StagewrightError:
    return StagewrightError(
        "bad-image",
        f"{path.name} is no image that can be read ({why.strip() or 'it is damaged'}).",
        "Choose another file, or save it again.",
    )
