# SPDX-License-Identifier: GPL-3.0-or-later
"""Bricks, tiles and paving: cells with joints."""

from __future__ import annotations

import numpy as np

from ..canvas import Canvas, Field, mix, smoothstep
from ..family import Family, Slider, Values
from ..layouts import Cells, bricks, herringbone, hexagons, scales, stones
from ..surface import Surface, drawn

_JOINT = Slider("joint", 0.5, 0, 1)
_VARIETY = Slider("variety", 0.5, 0, 1)
_ROUGH = Slider("unevenness", 0.5, 0, 1)


def _warped(c: Canvas, amount: float, scale: float = 12) -> tuple[Field, Field]:
    k = np.float32(amount)
    return c.x + k * c.noise(901, scale, falloff=1.5), c.y + k * c.noise(902, scale, falloff=1.5)


def _laid(
    c: Canvas, v: Values, cells: Cells, depth: float, bevel: float, gloss: float, rough: float = 1
) -> Surface:
    """Cells of the main colour in joints of the accent; ``depth`` in metres."""
    width = 0.0008 + 0.006 * v["joint"]
    solid = smoothstep(width * 0.6, width + bevel, cells.edge)
    tone = c.per_cell(1, cells.cell, cells.count)
    lift = c.per_cell(2, cells.cell, cells.count) - np.float32(0.5)
    grain = np.float32(rough) * c.noise(3, 40, falloff=0.6)
    height = depth * (solid * (1 + 0.25 * v["variety"] * lift) + 0.06 * v["unevenness"] * grain)
    shade = 1 + 0.35 * v["variety"] * (tone - 0.5) + 0.05 * v["unevenness"] * grain
    face = v.color * shade[..., None]
    joint = v.accent * (1 + 0.08 * c.noise(4, 80, falloff=0.3))[..., None]
    return drawn(height, mix(joint, face, solid), mix(0.9, gloss, solid))


def _brick(c: Canvas, v: Values) -> Surface:
    rows = v.count("rows", 2)
    x, y = _warped(c, 0.0012 * v["unevenness"])
    cells = bricks(x, y, max(1, round(rows / 2.9)), rows)
    s = _laid(c, v, cells, 0.008, 0.004, 0.85)
    pits = smoothstep(1.0, 2.2, c.noise(5, 60, falloff=0.3)) * v["unevenness"]
    burn = smoothstep(0.6, 1.4, c.noise(6, 9, falloff=0.7)) * 0.25 * v["variety"]
    return drawn(s.height - 0.002 * pits, s.color * (1 - burn)[..., None], s.roughness)


def _tiles(c: Canvas, v: Values) -> Surface:
    rows = v.count("rows", 2)
    cells = bricks(c.x, c.y, rows, rows, 0)
    s = _laid(c, v, cells, 0.0025, 0.0015, 0.5 - 0.4 * v["gloss"], 0.15)
    check = ((cells.cell % rows + cells.cell // rows) % 2) * np.float32(v["checker"])
    body = smoothstep(0.004, 0.008, cells.edge)
    return drawn(s.height, mix(s.color, v.accent, check * body), s.roughness)


def _mosaic(c: Canvas, v: Values) -> Surface:
    rows = v.count("rows", 2)
    wobble = 0.16 / rows * v["unevenness"]
    x, y = _warped(c, wobble, rows / 3)
    cells = bricks(x, y, rows, rows, c.random(7).random(rows, np.float32))
    s = _laid(c, v, cells, 0.002, 0.002, 0.18)
    hue = c.random(8).random((cells.count, 3), np.float32)[cells.cell] - np.float32(0.5)
    body = smoothstep(0.002, 0.006, cells.edge)[..., None]
    return drawn(s.height, s.color + body * hue * np.float32(0.45 * v["variety"]), s.roughness)


def _hex_tiles(c: Canvas, v: Values) -> Surface:
    cells = hexagons(c.x, c.y, v.count("columns"))
    return _laid(c, v, cells, 0.003, 0.003, 0.5 - 0.4 * v["gloss"], 0.15)


def _herringbone(c: Canvas, v: Values) -> Surface:
    cells = herringbone(c.x, c.y, v.count("blocks"), v.count("length", 1))
    grain = np.sin(
        cells.u * 9 + 5 * c.noise(9, 4, detail=64) + 40 * c.per_cell(5, cells.cell, cells.count)
    )
    s = _laid(c, v, cells, 0.003, 0.002, 0.55)
    streak = 0.10 * v["grain"] * grain * smoothstep(0.002, 0.004, cells.edge)
    return drawn(s.height + 0.0003 * streak, s.color * (1 + streak)[..., None], s.roughness)


def _cobblestone(c: Canvas, v: Values) -> Surface:
    rows = v.count("rows", 2)
    x, y = _warped(c, 0.004 * v["unevenness"], rows / 2)
    moved = c.random(9).random(rows, np.float32)
    cells = bricks(x, y, rows, rows, moved)
    across, along = abs(2 * cells.u - 1), abs(2 * cells.v - 1)
    ring = (across**3 + along**3) ** np.float32(1 / 3) * np.float32(1.02 + 0.25 * v["joint"])
    dome = np.clip(1 - ring**4, 0, 1)
    tone = c.per_cell(1, cells.cell, cells.count)
    height = 0.03 * np.sqrt(dome) * (0.8 + 0.3 * tone) + 0.0008 * c.noise(3, 30, falloff=0.5)
    shade = (
        0.7 + 0.5 * v["variety"] * (tone - 0.4) + 0.3 * dome + 0.06 * c.noise(4, 70, falloff=0.3)
    )
    solid = smoothstep(0.02, 0.3, dome)
    return drawn(height, mix(v.accent, v.color * shade[..., None], solid), 0.95 - 0.3 * dome)


def _flagstone(c: Canvas, v: Values) -> Surface:
    n = v.count("columns")
    x, y = _warped(c, 0.006 * v["unevenness"], 6)
    cells = stones(c, 5, x, y, n, n, 1.0)
    s = _laid(c, v, cells, 0.02, 0.012, 0.75)
    slabs = c.noise(6, 6, falloff=1.0)
    height = s.height + 0.0012 * np.round(slabs * 2) / 2
    return drawn(height, s.color * (1 + 0.06 * slabs)[..., None], s.roughness)


def _stone_wall(c: Canvas, v: Values) -> Surface:
    rows = v.count("rows", 2)
    x, y = _warped(c, 0.005 * v["unevenness"], rows)
    moved = c.random(9).random(rows, np.float32)
    cells = bricks(x, y, max(1, round(rows / 1.7)), rows, moved)
    face = smoothstep(0.002, 0.01 + 0.012 * v["joint"], cells.edge)
    tilt = (c.per_cell(5, cells.cell, cells.count) - 0.5) * (cells.u - 0.5)
    rough = c.noise(6, 8, falloff=0.8)
    height = 0.03 * face * (1 + 0.5 * tilt) + 0.005 * v["unevenness"] * rough
    tone = c.per_cell(1, cells.cell, cells.count) - 0.5
    shade = 1 + 0.5 * v["variety"] * tone + 0.10 * rough
    return drawn(height, mix(v.accent, v.color * shade[..., None], face), 0.9)


def _shingles(c: Canvas, v: Values) -> Surface:
    rows = v.count("rows", 2)
    cells = scales(c.x, c.y, rows, rows, 0.25 * v["unevenness"], 6)
    split = c.per_cell(1, cells.cell, cells.count)
    gap = smoothstep(0.0, 0.10 * (0.3 + v["joint"]), 1 - abs(cells.u))
    fibres = c.noise(3, 10, stretch=(0.08, 4), falloff=0.3)
    height = 0.012 * cells.v * gap + 0.002 * split + 0.0006 * fibres * v["grain"]
    shade = (0.75 + 0.3 * cells.v) * (
        1 + 0.4 * v["variety"] * (split - 0.5) + 0.1 * fibres * v["grain"]
    )
    return drawn(height, mix(v.accent, v.color * shade[..., None], gap), 0.85)


def _roof_tiles(c: Canvas, v: Values) -> Surface:
    rows, columns = v.count("rows", 2), v.count("columns")
    cells = bricks(c.x, c.y, columns, rows, 0)
    barrel = np.sin(np.float32(np.pi) * cells.u) ** np.float32(0.8)
    under = smoothstep(0, 0.12, cells.v)  # the shadow of the row above
    tone = c.per_cell(1, cells.cell, cells.count) - 0.5
    height = 0.06 * v["curve"] * barrel - 0.03 * cells.v + 0.0004 * c.noise(3, 50, falloff=0.4)
    stain = c.noise(4, 5, stretch=(0.5, 2))
    shade = (0.6 + 0.4 * barrel) * (0.5 + 0.5 * under) + 0.3 * v["variety"] * tone + 0.04 * stain
    return drawn(height, v.color * shade[..., None], 0.8)


FAMILIES = (
    Family(
        "brick",
        ("brick", "brickwork", "masonry"),
        1.0,
        (Slider("rows", 14, 4, 40, True), _JOINT, _VARIETY, _ROUGH),
        "9c4a34",
        "b5aca0",
        "rows",
        _brick,
    ),
    Family(
        "tiles",
        ("tile", "subway", "checkerboard"),
        1.2,
        (
            Slider("rows", 6, 2, 40, True),
            _JOINT,
            _VARIETY,
            _ROUGH,
            Slider("gloss", 0.7, 0, 1),
            Slider("checker", 0, 0, 1, True),
        ),
        "e4e2dc",
        "8f8c86",
        "rows",
        _tiles,
    ),
    Family(
        "mosaic",
        ("mosaic", "tessera"),
        0.5,
        (Slider("rows", 24, 6, 80, True), _JOINT, _VARIETY, _ROUGH),
        "4f8fa0",
        "cfc8ba",
        "rows",
        _mosaic,
    ),
    Family(
        "hex_tiles",
        ("hex", "hexagon", "hexagonal"),
        0.8,
        (Slider("columns", 8, 2, 40, True), _JOINT, _VARIETY, _ROUGH, Slider("gloss", 0.6, 0, 1)),
        "dcdad4",
        "6b6966",
        "columns",
        _hex_tiles,
    ),
    Family(
        "herringbone",
        ("herringbone", "parquet", "chevron"),
        1.6,
        (
            Slider("blocks", 2, 1, 8, True),
            Slider("length", 4, 2, 8, True),
            _JOINT,
            _VARIETY,
            _ROUGH,
            Slider("grain", 0.6, 0, 1),
        ),
        "a3723f",
        "3b2716",
        "blocks",
        _herringbone,
    ),
    Family(
        "cobblestone",
        ("cobblestone", "cobble", "sett", "street paving"),
        1.5,
        (Slider("rows", 10, 4, 30, True), _JOINT, _VARIETY, _ROUGH),
        "86827c",
        "4a443c",
        "rows",
        _cobblestone,
    ),
    Family(
        "flagstone",
        ("flagstone", "crazy paving", "paving", "patio", "slab"),
        2.0,
        (Slider("columns", 4, 2, 16, True), _JOINT, _VARIETY, _ROUGH),
        "96908a",
        "57524a",
        "columns",
        _flagstone,
    ),
    Family(
        "stone_wall",
        ("stone wall", "castle", "stone block", "ashlar", "dry stone", "rubble"),
        2.0,
        (Slider("rows", 8, 2, 24, True), _JOINT, _VARIETY, _ROUGH),
        "908676",
        "4e483f",
        "rows",
        _stone_wall,
    ),
    Family(
        "shingles",
        ("shingle", "shake", "slate roof"),
        1.5,
        (Slider("rows", 10, 4, 30, True), _JOINT, _VARIETY, _ROUGH, Slider("grain", 0.6, 0, 1)),
        "8a6b4d",
        "1f1a15",
        "rows",
        _shingles,
    ),
    Family(
        "roof_tiles",
        ("roof tile", "clay tile", "pantile", "roof"),
        2.0,
        (
            Slider("rows", 6, 2, 20, True),
            Slider("columns", 8, 2, 24, True),
            _VARIETY,
            Slider("curve", 0.6, 0.1, 1),
        ),
        "b0593a",
        "4a2a1c",
        "rows",
        _roof_tiles,
    ),
)
