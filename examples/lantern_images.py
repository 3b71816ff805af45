# SPDX-License-Identifier: GPL-3.0-or-later
"""The lantern's images, painted with numpy: tileable, small, the same every time."""

from __future__ import annotations

import struct
import zlib

import bpy
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SEED = 7


def png_bytes(pixels: Array) -> bytes:
    """A PNG of ``pixels``: (height, width, channels) in 0..1, first row at the bottom.

    Written here and not by Blender so that no text chunk (file, date, host) comes along.
    """
    rows = np.clip(np.rint(pixels[::-1] * 255), 0, 255).astype(np.uint8)
    height, width, channels = rows.shape
    colour_type = {1: 0, 3: 2, 4: 6}[channels]
    flat = rows.reshape(height, width * channels)
    # PNG's filter 2 (difference to the row above) compresses paint far better than none.
    above = np.vstack([np.zeros_like(flat[:1]), flat[:-1]])
    filtered = np.hstack([np.full((height, 1), 2, np.uint8), flat - above])
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def tile_noise(
    shape: tuple[int, int], cells: tuple[int, int], seed: int, octaves: int = 4
) -> Array:
    """Periodic value noise in 0..1 of ``shape`` (rows, columns), ``cells`` per tile."""
    total = np.zeros(shape)
    weight = 0.0
    for octave in range(octaves):
        rows, columns = (c * 2**octave for c in cells)
        lattice = np.random.default_rng([SEED, seed, octave]).random((rows, columns))
        y = np.arange(shape[0]) * rows / shape[0]
        x = np.arange(shape[1]) * columns / shape[1]
        y0, x0 = y.astype(int), x.astype(int)
        fy, fx = (smooth(f) for f in (y - y0, x - x0))
        y1, x1 = (y0 + 1) % rows, (x0 + 1) % columns
        low = lattice[np.ix_(y0, x0)] * (1 - fx) + lattice[np.ix_(y0, x1)] * fx
        high = lattice[np.ix_(y1, x0)] * (1 - fx) + lattice[np.ix_(y1, x1)] * fx
        total += 0.5**octave * (low * (1 - fy[:, None]) + high * fy[:, None])
        weight += 0.5**octave
    return total / weight


def smooth(t: Array) -> Array:
    """The smoothstep of ``t``, clamped to 0..1."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def step(low: float, high: float, values: Array) -> Array:
    """0 below ``low``, 1 above ``high``, smooth between (either order)."""
    return smooth((values - low) / (high - low))


def mix(a: Array | tuple[float, ...], b: Array | tuple[float, ...], factor: Array) -> Array:
    """Colour ``a`` where ``factor`` is 0, ``b`` where it is 1."""
    return np.asarray(a) * (1 - factor[..., None]) + np.asarray(b) * factor[..., None]


def normals(height: Array, strength: float) -> Array:
    """Tangent-space normal map (OpenGL, Y up) of a periodic height in 0..1."""
    dx = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) * strength
    dy = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) * strength
    normal = np.stack([-dx, -dy, np.ones_like(height)], -1)
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True) * 0.5 + 0.5


def posterise(colour: Array, levels: int = 64) -> Array:
    """Fewer levels: invisible on paint, and half the file."""
    return np.rint(colour * levels) / levels


def enamel(size: int = 512) -> dict[str, Array]:
    """Chipped teal enamel: ``base``, ``orm`` (roughness in G, metallic in B) and ``normal``."""
    shape = (size, size)
    cloud = tile_noise(shape, (3, 3), 1)
    brush = tile_noise(shape, (24, 4), 2, 3)
    fine = tile_noise(shape, (48, 48), 3, 2)
    wear = tile_noise(shape, (9, 9), 4, 5)
    where = tile_noise(shape, (2, 2), 5, 2)
    paint = mix((0.045, 0.225, 0.235), (0.085, 0.345, 0.335), smooth(cloud * 1.4 - 0.2))
    paint = paint * (0.90 + 0.20 * brush[..., None])
    chance = wear + 0.22 * where + 0.03 * fine
    chip = step(0.80, 0.812, chance)
    halo = step(0.765, 0.80, chance) * (1 - chip)
    steel = mix((0.27, 0.25, 0.24), (0.36, 0.215, 0.125), step(0.4, 0.6, fine))
    base = mix(mix(paint, (0.30, 0.42, 0.37), halo * 0.45), steel, chip)
    rough = 0.30 + 0.18 * cloud + 0.10 * (brush - 0.5) + 0.22 * chip
    orm = np.stack([np.ones(shape), rough, 0.75 * chip], -1)
    height = 0.25 * tile_noise(shape, (9, 9), 6, 2) + 0.05 * brush - 0.10 * chip
    return {
        "base": posterise(base),
        "orm": posterise(orm, 32),
        "normal": posterise(normals(height, 9.0), 96),
    }


def brass(size: int = 256) -> dict[str, Array]:
    """Aged brass: ``base`` and ``rough``."""
    shape = (size, size)
    cloud = tile_noise(shape, (3, 3), 11, 5)
    spots = tile_noise(shape, (14, 14), 12, 3)
    base = mix((0.84, 0.68, 0.37), (0.68, 0.48, 0.23), smooth(cloud * 1.6 - 0.3))
    patina = step(0.62, 0.80, 0.6 * cloud + 0.4 * spots)
    base = mix(base, (0.33, 0.27, 0.15), patina * 0.85)
    rough = 0.24 + 0.20 * cloud + 0.25 * patina
    return {"base": posterise(base), "rough": posterise(rough[..., None], 48)}


def wood(height: int = 256, width: int = 512) -> dict[str, Array]:
    """Turned beech with the grain along U: ``base`` and ``normal``."""
    shape = (height, width)
    warp = tile_noise(shape, (3, 2), 21, 3)
    v = np.arange(height)[:, None] / height
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (7 * v + 2.2 * warp))
    fibre = tile_noise(shape, (64, 3), 22, 3)
    grain = smooth(0.65 * rings + 0.5 * fibre - 0.1)
    base = mix((0.33, 0.165, 0.075), (0.66, 0.40, 0.20), grain)
    base = base * (0.86 + 0.28 * tile_noise(shape, (2, 3), 23, 2)[..., None])
    return {"base": posterise(base), "normal": normals(0.5 * grain + 0.4 * fibre, 1.6)}


def nameplate(width: int = 512, height: int = 256) -> Array:
    """Etched brass plate: black enamel ground, brass letters and border."""
    shape = (height, width)
    y, x = np.mgrid[0:height, 0:width]
    edge = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    border = step(10, 12, edge) * step(20, 18, edge)
    rim = step(6, 4, edge)
    letters = np.maximum(
        text_mask("STAGEWRIGHT", shape, (0.5, 0.63), 0.235),
        text_mask("STORM LANTERN  No 7", shape, (0.5, 0.30), 0.125),
    )
    metal = np.clip(letters + border + rim, 0, 1)
    worn = tile_noise(shape, (6, 12), 31, 4)
    gold = mix((0.90, 0.70, 0.34), (0.66, 0.46, 0.20), worn)
    black = mix((0.040, 0.045, 0.045), (0.10, 0.09, 0.075), worn)
    return posterise(mix(black, gold, np.maximum(metal, step(0.74, 0.80, worn))))


def paper_tag(width: int = 256, height: int = 384) -> Array:
    """A luggage tag: warm paper, a painted sun, a number."""
    shape = (height, width)
    y, x = np.mgrid[0:height, 0:width]
    fibre = tile_noise(shape, (24, 16), 41, 3)
    stain = tile_noise(shape, (3, 2), 42, 4)
    paper = mix((0.86, 0.76, 0.57), (0.74, 0.60, 0.39), smooth(0.5 * fibre + 0.9 * stain - 0.3))
    edge = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    paper = mix(paper, (0.52, 0.36, 0.20), step(14, 0, edge + 10 * (stain - 0.5)))
    frame = step(17, 19, edge) * step(25, 23, edge)
    dx, dy = x - width / 2, y - height * 0.56
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    ray = 62 + 16 * np.cos(12 * angle)
    disc = step(39, 36, radius)
    rays = step(46, 49, radius) * step(2, -2, radius - ray)
    ink = np.maximum(frame, text_mask("No 7", shape, (0.5, 0.19), 0.14))
    worn = 0.75 + 0.25 * step(0.35, 0.5, fibre)
    red = mix(paper, (0.62, 0.13, 0.06), np.maximum(disc, rays) * worn)
    return posterise(mix(red, (0.13, 0.09, 0.07), ink * worn))


def text_mask(text: str, shape: tuple[int, int], centre: tuple[float, float], size: float) -> Array:
    """``text`` in Blender's own font as a mask in 0..1.

    Args:
        text: one line.
        shape: (height, width) in pixels.
        centre: of the line, as fractions of width and height.
        size: of the letters, as a fraction of the height.
    """
    curve = bpy.data.curves.new("Text", "FONT")
    curve.body = text
    curve.align_x, curve.align_y = "CENTER", "CENTER"
    curve.size = 1.0
    # A word that is wider than the picture's border allows shrinks to fit.
    holder = bpy.data.objects.new("Text", curve)
    mesh = holder.to_mesh()
    mesh.calc_loop_triangles()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    flat = points.reshape(-1, 3)[:, :2].astype(float)
    holder.to_mesh_clear()
    bpy.data.objects.remove(holder)
    bpy.data.curves.remove(curve)
    over = 3
    height, width = shape[0] * over, shape[1] * over
    scale = size * height / 0.7
    scale = min(scale, 0.84 * width / np.ptp(flat[:, 0]))
    middle = (flat.min(0) + flat.max(0)) / 2
    placed = (flat - middle) * scale + np.array([centre[0] * width, centre[1] * height])
    mask = np.zeros((height, width), bool)
    for triangle in placed[corners.reshape(-1, 3)]:
        fill_triangle(mask, triangle)
    return mask.reshape(shape[0], over, shape[1], over).mean((1, 3))


def fill_triangle(mask: NDArray[np.bool_], triangle: Array) -> None:
    """Set the pixels of ``mask`` whose centres lie in ``triangle`` ((3, 2), pixels)."""
    low = np.maximum(np.floor(triangle.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(triangle.max(0)).astype(int) + 1, mask.shape[::-1])
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    sides = []
    for a, b in zip(triangle, np.roll(triangle, -1, 0), strict=True):
        sides.append((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]))
    side = np.stack(sides)
    inside = (side >= 0).all(0) | (side <= 0).all(0)
    mask[low[1] : high[1], low[0] : high[0]] |= inside
