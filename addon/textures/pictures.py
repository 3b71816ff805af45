# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that panels show: loaded when they come, so that drawing reads no file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy.utils.previews
import numpy as np


class _Shown:
    """Blender's collection of them, while the add-on is on."""

    collection: Any = None


def folder() -> Path:
    """Where the processes write pictures."""
    place = Path(bpy.app.tempdir) / "texture-lab" / "pictures"
    place.mkdir(parents=True, exist_ok=True)
    return place


def steps() -> Path:
    """Where the processes keep what the nodes of trees gave, and their pictures."""
    return Path(bpy.app.tempdir) / "texture-lab" / "steps"


def show(name: str, path: Path) -> None:
    """Show the picture of an ``.npy`` file (see ``Preview``) under a name."""
    seen = np.load(path)
    found = _Shown.collection.get(name) or _Shown.collection.new(name)
    found.image_size = seen.shape[1], seen.shape[0]
    found.image_pixels_float.foreach_set(np.ascontiguousarray(seen[::-1]).ravel())


def load(name: str, image: Path) -> None:
    """Show an image file under a name, unless that shows already."""
    if name not in _Shown.collection:
        _Shown.collection.load(name, str(image), "IMAGE")


def give_to(block: bpy.types.ID, image: Path) -> None:
    """Make an image file the picture of a datablock, which the asset browser shows."""
    load(str(image), image)
    seen = _Shown.collection[str(image)]
    columns, rows = seen.image_size
    pixels = np.empty(columns * rows * 4, np.float32)
    seen.image_pixels_float.foreach_get(pixels)
    preview = block.preview_ensure()
    preview.image_size = columns, rows
    preview.image_pixels_float.foreach_set(pixels)


def icon(name: str) -> int | None:
    """The icon that shows the picture of this name; None where there is none."""
    found = _Shown.collection.get(name)
    return None if found is None else int(found.icon_id)


def forget() -> None:
    """Forget all pictures."""
    _Shown.collection.clear()


def register() -> None:
    """Make room for them."""
    _Shown.collection = bpy.utils.previews.new()


def unregister() -> None:
    """Give it back."""
    bpy.utils.previews.remove(_Shown.collection)
    _Shown.collection = None
