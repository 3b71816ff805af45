# SPDX-License-Identifier: GPL-3.0-or-later
"""A set as a small picture: its tile lying flat under one lamp, for windows and lists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.events import Job, Preview
from .images import encoded, linear
from .texture_set import TextureSet

PREVIEW_SIZE = 256
"""Rows and columns of previews."""

_LAMP = np.array([-0.45, 0.5, 0.74], np.float32) / np.float32(np.linalg.norm([0.45, 0.5, 0.74]))
_LIGHT, _SKY, _GROUND = np.float32(2.6), np.float32(0.35), np.float32(0.3)


def picture(textures: TextureSet) -> NDArray[np.float32]:
    """The set lit from the upper left and seen from above, with a sky all around.

    Diffuse by Lambert, reflection by the GGX distribution of B. Walter et al. (2007) with
    Schlick's Fresnel term; the sky is dimmed by the occlusion. Holes show a grey ground.

    Returns:
        float32 (rows, columns, 4), RGBA, sRGB-encoded, 0 to 1.
    """
    base = linear(textures.basecolor)
    metal = textures.metallic[:, :, None]
    alpha = np.maximum(textures.roughness, 0.08) ** 2
    half = _LAMP + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    facing = np.maximum(textures.normal @ _LAMP, 0)[:, :, None]
    slope = np.maximum(textures.normal @ half, 0) ** 2 * (alpha**2 - 1) + 1
    gloss = (alpha**2 / (4 * np.pi * slope**2) * np.pi)[:, :, None]
    mirror = base * metal + np.float32(0.04) * (1 - metal)
    open_sky = textures.ao[:, :, None] * _SKY
    light = (base * (1 - metal) + mirror * np.minimum(gloss, 8)) * facing * _LIGHT
    light += (base * (1 - metal) + mirror) * open_sky
    if textures.emission is not None:
        light += linear(textures.emission) * np.float32(textures.emission_strength)
    if textures.opacity is not None:
        light = _GROUND + (light - _GROUND) * textures.opacity[:, :, None]
    seen = np.ones((*base.shape[:2], 4), np.float32)
    seen[:, :, :3] = encoded(np.clip(light * np.float32(0.7), 0, 1))
    return seen


def shown(textures: TextureSet, preview: Path | None) -> Job[None]:
    """Tell a set's picture, at most twice ``PREVIEW_SIZE`` large, in a ``Preview``.

    Args:
        textures: the set.
        preview: the file to write; nothing is told if None.
    """
    if preview is not None:
        write_picture(picture(_smaller(textures)), preview)
        yield Preview(str(preview))


def _smaller(textures: TextureSet) -> TextureSet:
    """A set of the means of boxes of pixels; what fills no box at its ends is left out."""
    rows, columns = textures.height.shape
    box = max(1, min(rows, columns) // PREVIEW_SIZE)
    down, across = rows // box, columns // box
    made: dict[str, Any] = {}
    for name, values in textures.maps.items():
        boxes = values[: down * box, : across * box]
        boxes = boxes.reshape(down, box, across, box, *values.shape[2:])
        made[name] = boxes.mean((1, 3), dtype=np.float32)
    length = np.linalg.norm(made["normal"], axis=2, keepdims=True)
    made["normal"] = made["normal"] / np.maximum(length, np.float32(1e-6))
    return replace(textures, **made)


def write_picture(seen: NDArray[np.float32], path: Path) -> None:
    """Write a picture for a window of another process; the file appears whole."""
    partial = path.with_suffix(".part.npy")
    np.save(partial, seen)
    partial.replace(path)
