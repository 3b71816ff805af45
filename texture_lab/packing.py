# SPDX-License-Identifier: GPL-3.0-or-later
"""Three maps of a set in the channels of one image, as game engines read them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..jobs.errors import StagewrightError
from .png import write_png
from .stored_set import map_files, read_about, read_set
from .texture_set import REQUEST_KEY, request_text

CHANNELS = {"o": "ao", "r": "roughness", "m": "metallic", "h": "height"}
"""Maps by the letters that name them."""


def pack(sidecar: Path, order: str = "orm", *, force: bool = False) -> Path:
    """Write ``<set>_<order>.png`` beside a set: 8 bits, linear.

    Args:
        sidecar: of the set.
        order: three letters of ``CHANNELS``, for red, green and blue.
        force: replace a file that is there already.

    Raises:
        StagewrightError: ``bad-order``, ``bad-set``, ``file-exists``, ``write-failed``.
    """
    if len(order) != 3 or not set(order) <= set(CHANNELS):
        raise StagewrightError(
            "bad-order",
            f"“{order}” does not name three maps.",
            "Give three of the letters o (occlusion), r (roughness), m (metallic), h (height).",
        )
    target = sidecar.with_name(f"{sidecar.stem}_{order}.png")
    if target.exists() and not force:
        raise StagewrightError(
            "file-exists", f"“{target.name}” is there already.", "Remove it, or use --force."
        )
    textures, _ = read_set(sidecar)
    channels = [getattr(textures, CHANNELS[letter]) for letter in order]
    pixels = (np.clip(np.stack(channels, 2), 0, 1) * 255 + 0.5).astype(np.uint8)
    text = {"Software": "Stagewright"}
    carried = map_files(sidecar, read_about(sidecar))["basecolor"]
    text[REQUEST_KEY] = request_text(carried)
    try:
        write_png(target, pixels, text)
    except OSError as error:
        why = error.strerror or os.strerror(error.errno or 0)
        raise StagewrightError(
            "write-failed",
            f"{target.name} cannot be written: {why}.",
            "Make room there, or choose another folder.",
        ) from None
    return target
