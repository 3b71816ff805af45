# SPDX-License-Identifier: GPL-3.0-or-later
"""The pixels of Blender's images, as one sees them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np

from ...jobs.errors import StagewrightError
from ...usd_tools.flip import Picture
from ...usd_tools.render_compare import displayed


def seen(image: bpy.types.Image, exposure: float) -> Picture:
    """An image as a display shows it, over black where it is transparent.

    Floats are scene-linear light: they are exposed and cut off at white. Of a render's
    result only what the view transform of the scene makes of it can be had.

    Args:
        image: any image.
        exposure: stops, for images of floats.

    Returns:
        (rows, columns, 3) float32 in sRGB, 0 to 1, the first row on top.

    Raises:
        StagewrightError: ``no-pixels``.
    """
    if image.type == "RENDER_RESULT":
        with _saved(image) as saved:
            return seen(saved, exposure)
    columns, rows = image.size
    pixels = np.empty(len(image.pixels), np.float32)
    if not pixels.size or pixels.size != rows * columns * image.channels:
        raise StagewrightError(
            "no-pixels",
            f"The image “{image.name}” has no pixels to compare.",
            "Render it, or find its file; of a file of many layers, save the one that counts.",
        )
    image.pixels.foreach_get(pixels)
    values = pixels.reshape(rows, columns, image.channels)[::-1]
    colours = values[..., :3] if image.channels >= 3 else np.repeat(values[..., :1], 3, axis=2)
    if image.channels == 4 and image.alpha_mode == "STRAIGHT":
        colours = colours * values[..., 3:]
    shown = displayed(colours, exposure)[0] if image.is_float else np.clip(colours, 0, 1)
    return np.ascontiguousarray(shown, np.float32)


@contextmanager
def _saved(image: bpy.types.Image) -> Iterator[bpy.types.Image]:
    """A render's result as an image with pixels, gone after the block."""
    with tempfile.TemporaryDirectory(prefix="stagewright-", dir=bpy.app.tempdir or None) as folder:
        file = Path(folder) / "render.png"
        try:
            with _as_png(bpy.context.scene.render.image_settings):
                image.save_render(str(file))
        except RuntimeError as error:
            raise StagewrightError(
                "no-pixels", "There is no render's result to compare.", "Render first."
            ) from error
        saved = bpy.data.images.load(str(file))
        try:
            yield saved
        finally:
            bpy.data.images.remove(saved)


@contextmanager
def _as_png(settings: bpy.types.ImageFormatSettings) -> Iterator[None]:
    names = ("media_type", "file_format", "color_mode", "color_depth")  # one allows the next
    kept = {name: getattr(settings, name) for name in names if hasattr(settings, name)}
    wanted = dict(zip(names, ("IMAGE", "PNG", "RGB", "8"), strict=True))
    try:
        for name in kept:
            setattr(settings, name, wanted[name])
        yield
    finally:
        for name, value in kept.items():
            setattr(settings, name, value)
