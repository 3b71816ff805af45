# SPDX-License-Identifier: GPL-3.0-or-later
"""From a drawn surface to a set of maps: the height comes first, the rest follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .canvas import Field
from .texture_set import TextureSet

Color = NDArray[np.floating[Any]]

_DIRECTIONS = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))


@dataclass(frozen=True)
class Surface:
    """A material drawn on a tile; all (size, size), float32.

    Args:
        height: metres, any zero.
        color: (size, size, 3), sRGB, 0 to 1.
        roughness: 0 to 1.
        metallic: 0 to 1.
        emission: as ``color``, what it glows with; None where nothing does.
        opacity: 0 in holes, to 1; None where there are none.
        emission_strength: see :class:`.texture_set.TextureSet`.
    """

    height: Field
    color: Color
    roughness: Field
    metallic: Field
    emission: Color | None = None
    opacity: Field | None = None
    emission_strength: float = 1.0


def color(code: str) -> Color:
    """float32 (3,): an sRGB colour of its six hexadecimal digits."""
    return np.array([int(code[at : at + 2], 16) for at in (0, 2, 4)], np.float32) / np.float32(255)


def ramp(t: Field, *colors: Color) -> Color:
    """Colours at equal distances along ``t``, 0 to 1; (size, size, 3)."""
    places = np.linspace(0, 1, len(colors))
    steps = np.linspace(0, 1, 512)
    table = np.stack([np.interp(steps, places, [c[i] for c in colors]) for i in range(3)], 1)
    return table.astype(np.float32)[(np.clip(t, 0, 1) * 511 + 0.5).astype(np.int32)]


def drawn(
    height: Field, base: Color, roughness: Field | float, metallic: Field | float = 0.0
) -> Surface:
    """A surface of arrays or of numbers that hold everywhere."""
    flat = np.zeros(height.shape, np.float32)
    return Surface(
        height.astype(np.float32),
        np.clip(np.broadcast_to(base, (*height.shape, 3)), 0, 1).astype(np.float32),
        np.clip(flat + roughness, 0.02, 1).astype(np.float32),
        np.clip(flat + metallic, 0, 1).astype(np.float32),
    )


def finish(surface: Surface, tile_size_m: float) -> TextureSet:
    """All maps of a surface whose tile has that side in metres."""
    low, high = float(np.min(surface.height)), float(np.max(surface.height))
    span = max(high - low, 1e-6)
    return TextureSet(
        basecolor=surface.color,
        normal=normals(surface.height, tile_size_m),
        roughness=surface.roughness,
        metallic=surface.metallic,
        height=(surface.height - np.float32(low)) / np.float32(span),
        ao=occlusion(surface.height, tile_size_m),
        tile_size_m=tile_size_m,
        height_range_m=span,
        emission=surface.emission,
        opacity=surface.opacity,
        emission_strength=surface.emission_strength,
    )


def normals(height: Field, tile_size_m: float) -> Field:
    """Unit normals of a height by central differences across the tile's borders.

    Args:
        height: metres, (size, size).
        tile_size_m: the side, metres.

    Returns:
        (size, size, 3): x right, y up the image, z out.
    """
    scale = np.float32(len(height) / (2 * tile_size_m))
    normal = np.empty((*height.shape, 3), np.float32)
    normal[..., 0] = (np.roll(height, 1, 1) - np.roll(height, -1, 1)) * scale
    normal[..., 1] = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) * scale
    length = np.sqrt(normal[..., 0] ** 2 + normal[..., 1] ** 2 + 1)
    normal[..., 2] = 1
    return normal / length[..., None]


def occlusion(height: Field, tile_size_m: float) -> Field:
    """How much of a cosine-weighted sky a height sees, 0 to 1, (size, size).

    Over each of eight directions the horizon hides what lies below its slope s: the rest is
    1 / (1 + s²). Distances grow from one pixel to an eighth of the tile, on half as many
    pixels. (L. Bavoil and M. Sainz, "Image-Space Horizon-Based Ambient Occlusion", 2009.)
    """
    rows, columns = height.shape
    even = rows % 2 == 0 and columns % 2 == 0
    fold = 2 if even and min(rows, columns) >= 64 else 1
    coarse = height.reshape(rows // fold, fold, columns // fold, fold).mean((1, 3))
    pixel = np.float32(tile_size_m * fold / rows)
    open_sky = np.zeros_like(coarse)
    steps = [2**k for k in range(12) if 2**k <= max(1, len(coarse) // 8)]
    for across, down in _DIRECTIONS:
        slope = np.zeros_like(coarse)
        for step in steps:
            other = np.roll(coarse, (-down * step, -across * step), (0, 1))
            run = np.float32(step * np.hypot(across, down)) * pixel
            np.maximum(slope, (other - coarse) / run, out=slope)
        open_sky += 1 / (1 + slope * slope)
    open_sky /= len(_DIRECTIONS)
    return _doubled(open_sky) if fold == 2 else open_sky


def _doubled(field: Field) -> Field:
    """Twice as many pixels each way, linear between, across the borders."""
    for axis in (0, 1):
        near = np.float32(0.75) * field
        before = near + np.float32(0.25) * np.roll(field, 1, axis)
        after = near + np.float32(0.25) * np.roll(field, -1, axis)
        shape = (2 * len(field), field.shape[1]) if axis == 0 else (len(field), 2 * field.shape[1])
        field = np.stack([before, after], axis + 1).reshape(shape)
    return field
