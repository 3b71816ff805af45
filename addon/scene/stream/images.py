# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of images."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ....usd_tools.direct.records.material import UDIM
from ....usd_tools.image_writing import save_image
from ..materials import image_file_name
from .context import StreamContext


def image_file(context: StreamContext, image: bpy.types.Image) -> str:
    """The path of the file that holds ``image``, or "" when there is none, which is noted.

    What is packed, generated or painted is saved into the folder of ``context``.
    """
    uid = image.original.session_uid
    if uid not in context.images:
        context.images[uid] = _found(context, image.original)
    return context.images[uid]


def _found(context: StreamContext, image: bpy.types.Image) -> str:
    if image.source == "TILED":
        return _tiles(context, image)
    if image.source not in {"FILE", "GENERATED"}:
        kind = image.source.lower()
        return _lost(context, image, f"is a {kind}, and only still images are. Use one frame")
    if image.source == "FILE" and not image.packed_file and not image.is_dirty:
        file = Path(bpy.path.abspath(image.filepath, library=image.library))
        if not file.is_file():
            return _lost(context, image, f"is not at “{file}”. Find it or remove it")
        return file.resolve().as_posix()
    if context.folder is None:
        return _lost(context, image, "is in no file. Save it")
    context.folder.mkdir(parents=True, exist_ok=True)
    if image.packed_file and not image.is_dirty:
        file = _free(context.folder / image_file_name(image))
        file.write_bytes(image.packed_file.data)
        return file.as_posix()
    file = context.folder / image_file_name(image)
    if image.is_float:
        return _save_floats(image, _free(file.with_suffix(".exr")))
    file = _free(file.with_suffix(".png"))
    before = image.file_format
    image.file_format = "PNG"
    try:
        image.save(filepath=str(file), save_copy=True)
    except RuntimeError as error:
        return _lost(context, image, f"cannot be saved ({str(error).strip()}). Save it to a file")
    finally:
        image.file_format = before
    return file.as_posix()


def _tiles(context: StreamContext, image: bpy.types.Image) -> str:
    """The path of a set of tiles, with ``<UDIM>`` for their numbers."""
    if image.packed_files or image.is_dirty:
        return _lost(context, image, "is a set of tiles in no files. Save or unpack it")
    pattern = Path(bpy.path.abspath(image.filepath, library=image.library))
    if UDIM not in pattern.name:
        return _lost(context, image, f"has tiles that are not numbered by {UDIM}. Rename them")
    for tile in image.tiles:
        file = pattern.with_name(pattern.name.replace(UDIM, str(tile.number)))
        if not file.is_file():
            return _lost(context, image, f"has no tile at “{file}”. Find it or remove it")
    return (pattern.parent.resolve() / pattern.name).as_posix()


def _save_floats(image: bpy.types.Image, file: Path) -> str:
    """Save the scene-linear pixels of ``image``: Blender's own way is by its colour space."""
    (width, height), channels = image.size, image.channels
    pixels = np.empty(width * height * channels, np.float32)
    image.pixels.foreach_get(pixels)
    save_image(file, pixels.reshape(height, width, channels)[::-1])
    return file.as_posix()


def _free(file: Path) -> Path:
    """``file``, numbered when another image has taken its name."""
    free, number = file, 1
    while free.exists():
        free, number = file.with_stem(f"{file.stem}_{number}"), number + 1
    return free


def _lost(context: StreamContext, image: bpy.types.Image, why: str) -> str:
    context.notes.append(f"The image “{image.name}” is not exported: it {why}.")
    return ""
