# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of other programs, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from ..jobs.files import written_whole
from . import png

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """An image as one sees it: over black where it is transparent.

    Attributes:
        pixels: (rows, columns, 1 or 3) float32.
        light: whether they are light, from 0 without an end, as files of floats hold it;
            else they are encoded for a display, 0 to 1.
    """

    pixels: Image
    light: bool


def image_size(path: Path) -> tuple[int, int]:
    """Rows and columns of an image, by its first bytes alone.

    Raises:
        StagewrightError: those of :func:`read_pixels`.
    """
    if path.suffix.lower() == ".png":
        return png.png_size(path)
    _require_file(path)
    with _opened(path) as opened:
        spec = opened.spec()
        return spec.height, spec.width


def read_image(path: Path, *, data: bool = False) -> Image:
    """Read an image, 0 to 1, without its alpha.

    Colours come as sRGB: those of files of floating-point numbers are linear light, and are
    encoded.

    Args:
        path: the file.
        data: whether it holds no colours, but normals, heights or the like: as they are.

    Returns:
        (rows, columns, 1 or 3) float32.

    Raises:
        StagewrightError: those of :func:`read_pixels`.
    """
    pixels, is_light = read_pixels(path)
    shown: Image = np.clip(np.nan_to_num(_colours(pixels)), 0.0, 1.0)
    return encoded(shown) if is_light and not data else shown


def read_picture(path: Path) -> Picture:
    """Read an image as one sees it.

    Raises:
        StagewrightError: those of :func:`read_pixels`.
    """
    pixels, is_light = read_pixels(path)
    colours = np.nan_to_num(_colours(pixels), posinf=65504.0)  # the greatest half float
    if path.suffix.lower() == ".png" and pixels.shape[2] in (2, 4):
        colours = colours * pixels[:, :, -1:]  # OpenImageIO does so with other files
    return Picture(np.maximum(colours, 0.0), is_light)


def read_pixels(path: Path) -> tuple[Image, bool]:
    """Read the numbers of an image as they are; whole ones are scaled to 0 to 1.

    PNG is read everywhere, other files through OpenImageIO, which Blender brings.

    Returns:
        (rows, columns, channels) float32, and whether the file holds floating-point numbers.

    Raises:
        StagewrightError: those of :func:`.png.read_png`; ``image-unsupported``.
    """
    if path.suffix.lower() == ".png":
        pixels, _ = png.read_png(path)
        scale = np.float32(65535 if pixels.dtype == np.uint16 else 255)
        return pixels.astype(np.float32) / scale, False
    _require_file(path)
    return _read_other(path)


def write_floats(path: Path, pixels: Image) -> None:
    """Write floating-point numbers as they are, through OpenImageIO; whole or not at all.

    Args:
        path: its ending says the format, one that holds them (``.exr``, ``.tif``).
        pixels: (rows, columns) or (rows, columns, channels).

    Raises:
        StagewrightError: ``image-unsupported``.
        OSError: the file cannot be written.
    """
    oiio = _openimageio(path)
    image = np.ascontiguousarray(pixels[:, :, None] if pixels.ndim == 2 else pixels, np.float32)
    rows, columns, channels = image.shape
    with written_whole(path) as partial:
        output = oiio.ImageOutput.create(str(partial))
        spec = oiio.ImageSpec(columns, rows, channels, "float")
        done = output is not None and output.open(str(partial), spec)
        done = done and output.write_image(image) and output.close()
        if not done:
            raise OSError(oiio.geterror().strip() or "OpenImageIO could not write it")


def linear(encoded_colour: NDArray[np.floating[Any]]) -> Image:
    """Linear light of sRGB (IEC 61966-2-1)."""
    c = np.asarray(encoded_colour, np.float32)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encoded(light: NDArray[np.floating[Any]]) -> Image:
    """The other way round: linear light as sRGB."""
    c = np.asarray(light, np.float32)
    high = 1.055 * np.maximum(c, 1e-9) ** np.float32(1 / 2.4) - 0.055
    return np.where(c <= 0.0031308, 12.92 * c, high).astype(np.float32)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise StagewrightError("no-file", f"There is no file “{path}”.", "Check its path.")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """OpenImageIO's reader of a file."""
    oiio = _openimageio(path)
    opened = oiio.ImageInput.open(str(path))
    if opened is None:
        raise _damaged(path, oiio.geterror())
    try:
        yield opened
    finally:
        opened.close()


def _read_other(path: Path) -> tuple[Image, bool]:
    with _opened(path) as opened:
        spec = opened.spec()
        if spec.width * spec.height > png.MAX_PIXELS:
            raise StagewrightError(
                "image-too-large",
                f"{path.name} has {spec.width} x {spec.height} pixels.",
                f"Give an image of at most {png.MAX_PIXELS} pixels.",
            )
        pixels: NDArray[Any] | None = opened.read_image("float")
        if pixels is None:
            raise _damaged(path, opened.geterror())
    values = np.asarray(pixels, np.float32).reshape(spec.height, spec.width, -1)
    values = np.ascontiguousarray(values[:, :, _channels(spec.channelnames)])
    return values, str(spec.format) in {"half", "float", "double"}


def _openimageio(path: Path) -> Any:
    try:
        import OpenImageIO
    except ImportError:
        raise StagewrightError(
            "image-unsupported",
            f"{path.name} cannot be read or written without OpenImageIO.",
            "Make it a PNG, or run this inside Blender.",
        ) from None
    return OpenImageIO


def _channels(names: Sequence[str]) -> list[int]:
    """Which channels are the picture: those of the layer Combined, else of the first.

    Blender's files of many layers call them ``ViewLayer.Combined.R``.
    """
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    layers.sort(key=lambda layer: not layer.endswith("Combined"))
    for layer in layers:
        wanted = [f"{layer}.{channel}" if layer else channel for channel in "RGB"]
        if set(wanted) <= set(names):
            return [names.index(name) for name in wanted]
    return list(range(min(len(names), 4)))


def _colours(pixels: Image) -> Image:
    """Grey or colour, without alpha."""
    return pixels[:, :, : 3 if pixels.shape[2] >= 3 else 1]


def _damaged(path: Path, why: str) -> StagewrightError:
    return StagewrightError(
        "bad-image",
        f"{path.name} is no image that can be read ({why.strip() or 'it is damaged'}).",
        "Choose another file, or save it again.",
    )
