# SPDX-License-Identifier: GPL-3.0-or-later
"""Wax, paper, cork, rubber, plastics and electronics."""

from __future__ import annotations

import numpy as np

from ..canvas import Canvas, mix, smoothstep
from ..family import Family, Slider, Values
from ..layouts import bricks, hexagons, stones
from ..surface import Surface, drawn

_RELIEF = Slider("relief", 0.6, 0.05, 1)
_VARIETY = Slider("variety", 0.5, 0, 1)
_GLOSS = Slider("gloss", 0.4, 0, 1)


def _honeycomb(c: Canvas, v: Values) -> Surface:
    n = v.count("columns")
    k = np.float32(0.05 / n)
    x = c.x + k * c.noise(1, n, falloff=1.5)
    y = c.y + k * c.noise(2, n, falloff=1.5)
    cells = hexagons(x, y, n)
    wall = 1 - smoothstep(0.03 + 0.08 * v["wall"], 0.08 + 0.12 * v["wall"], cells.edge * n)
    filled = (c.per_cell(3, cells.cell, cells.count) < v["honey"]).astype(np.float32)
    tone = c.per_cell(4, cells.cell, cells.count)
    deep = (1 - wall) * (1 - 0.7 * filled)
    shade = 0.8 + 0.4 * wall - 0.45 * deep + 0.2 * v["variety"] * (tone - 0.5)
    face = mix(v.color, v.accent, filled * (1 - wall))
    height = -0.08 / n * 4 * v["relief"] * deep + 0.001 * wall * c.noise(5, 20)
    return drawn(height, face * shade[..., None], 0.6 - 0.5 * filled * (1 - wall))


def _paper(c: Canvas, v: Values) -> Surface:
    """Flat facets between straight folds: the largest of many tilted planes."""
    n = v.count("folds")
    height = np.zeros(c.x.shape, np.float32)
    for layer in range(2):
        m = n * (1 + layer)
        cells = stones(c, 10 + layer, c.x, c.y, m, m, 1.0)
        a, b = (c.per_cell(20 + 2 * layer + i, cells.cell, cells.count) - 0.5 for i in (0, 1))
        ridge = smoothstep(0, 0.5, cells.edge * m)
        height += (ridge * (1 + a * cells.u + b * cells.v)) / (1 + layer)
    fibres = c.noise(3, 50, falloff=0.2)
    blot = smoothstep(0.2, 1.8, c.noise(4, 3, falloff=0.9)) * v["stains"]
    shade = 0.92 + 0.06 * height + 0.02 * fibres * v["fibres"]
    face = mix(v.color, v.accent, 0.6 * blot) * shade[..., None]
    return drawn(0.01 / n * 4 * v["crumple"] * height + 0.00004 * fibres * v["fibres"], face, 0.92)


def _cork(c: Canvas, v: Values) -> Surface:
    n = v.count("grains")
    k = np.float32(0.2 / n)
    x = c.x + k * c.noise(1, n, falloff=1)
    y = c.y + k * c.noise(2, n, falloff=1)
    cells = stones(c, 3, x, y, n, n, 1.0)
    tone = c.per_cell(4, cells.cell, cells.count)
    dark = (tone < 0.3 * v["dark"]).astype(np.float32)
    body = smoothstep(0, 0.15, cells.edge * n)
    shade = 0.75 + 0.25 * body + 0.5 * v["variety"] * (tone - 0.5) + 0.05 * c.noise(5, 60)
    height = 0.001 * v["relief"] * (body + tone - dark)
    return drawn(height, mix(v.color * shade[..., None], v.accent, 0.8 * dark), 0.9)


def _rubber(c: Canvas, v: Values) -> Surface:
    n = v.count("blocks")
    zig = abs((c.y * 2 * n) % 1 - np.float32(0.5)) * np.float32(v["zigzag"])
    cells = bricks(c.x + zig / n, c.y, n, 2 * n, 0.5)
    block = smoothstep(0.06, 0.14, cells.edge * n)
    sipe = 1 - smoothstep(0.0, 0.06, abs((cells.u * round(v["sipes"])) % 1 - np.float32(0.5)))
    grain = c.noise(1, 70, falloff=0.2)
    height = 0.008 * v["relief"] * (block - 0.4 * sipe * block) + 0.00005 * grain
    shade = 0.6 + 0.4 * block - 0.3 * sipe * block + 0.05 * grain
    return drawn(height, v.color * shade[..., None], 0.8)


def _studs(c: Canvas, v: Values) -> Surface:
    n = v.count("studs")
    u, w = (c.x * n) % 1 - np.float32(0.5), (c.y * n) % 1 - np.float32(0.5)
    stud = 1 - smoothstep(
        0.0, 0.04 + 0.2 * v["bevel"], np.hypot(u, w) - np.float32(0.5 * v["width"])
    )
    plate = bricks(
        c.x, c.y, max(1, n // 4), max(1, n // 2), c.random(1).random(max(1, n // 2), np.float32)
    )
    tone = c.per_cell(2, plate.cell, plate.count) - 0.5
    dust = c.noise(3, 5)
    shade = 0.9 + 0.1 * stud + 0.3 * v["variety"] * tone
    return drawn(
        0.15 / n * 0.25 * stud, v.color * shade[..., None], 0.5 - 0.35 * v["gloss"] + 0.02 * dust
    )


def _plastic(c: Canvas, v: Values) -> Surface:
    n = v.count("grains")
    cells = stones(c, 1, c.x, c.y, n, n, 1.0)
    bump = smoothstep(0, 0.4, cells.edge * n)
    speck = (c.per_cell(2, cells.cell, cells.count) > 1 - 0.2 * v["specks"]).astype(np.float32)
    shade = 0.95 + 0.05 * bump
    face = mix(v.color * shade[..., None], v.accent, speck * 0.7)
    return drawn(0.0003 * v["relief"] * bump, face, 0.65 - 0.5 * v["gloss"])


def _circuit(c: Canvas, v: Values) -> Surface:
    """Tracks on a grid: every square joins two of its sides, straight or by a corner."""
    n = v.count("tracks")
    i, j = np.floor(c.x * n).astype(np.int32), np.floor(c.y * n).astype(np.int32)
    u, w = c.x * n - i - np.float32(0.5), c.y * n - j - np.float32(0.5)
    kind = c.per_cell(1, j * n + i, n * n)
    half = 0.08 + 0.12 * v["width"]
    cross = np.minimum(abs(u), abs(w))
    arc = np.minimum(abs(abs(u + w) - 0.5), abs(abs(u + w) - 0.5)) * np.float32(0.7)
    back = abs(abs(u - w) - np.float32(0.5)) * np.float32(0.7)
    distance = np.where(kind < 0.45, arc, np.where(kind < 0.9, back, cross))
    track = 1 - smoothstep(half * 0.8, half, distance)
    pad = (kind > 0.9) | (c.per_cell(2, j * n + i, n * n) < 0.12 * v["pads"])
    ring = np.hypot(u, w)
    via = pad * (1 - smoothstep(0.28, 0.32, ring))
    hole = pad * (1 - smoothstep(0.11, 0.14, ring))
    track = track * (1 - hole)
    metal = via * (1 - hole)
    mask = v.color * (0.85 + 0.35 * track + 0.03 * c.noise(3, 60, falloff=0.2))[..., None]
    face = mix(mask, v.accent, metal) * (1 - 0.9 * hole)[..., None]
    height = 0.0006 * v["relief"] * (0.5 * track + via) - 0.001 * hole
    return drawn(height, face, 0.45 - 0.2 * metal, metal)


FAMILIES = (
    Family(
        "honeycomb",
        ("honeycomb", "beehive", "beeswax"),
        0.1,
        (
            Slider("columns", 8, 3, 30, True),
            Slider("wall", 0.4, 0, 1),
            Slider("honey", 0.35, 0, 1),
            _VARIETY,
            _RELIEF,
        ),
        "d69a2e",
        "a85a0c",
        "columns",
        _honeycomb,
    ),
    Family(
        "paper",
        ("paper", "parchment", "kraft", "papyrus", "cardboard"),
        0.4,
        (
            Slider("folds", 4, 2, 16, True),
            Slider("crumple", 0.5, 0, 1),
            Slider("stains", 0.3, 0, 1),
            Slider("fibres", 0.5, 0, 1),
        ),
        "eae4d4",
        "a8875a",
        "folds",
        _paper,
    ),
    Family(
        "cork",
        ("cork", "cork board", "corkboard"),
        0.3,
        (Slider("grains", 36, 10, 90, True), Slider("dark", 0.5, 0, 1), _VARIETY, _RELIEF),
        "b88a58",
        "4a3018",
        "grains",
        _cork,
    ),
    Family(
        "rubber",
        ("rubber", "tyre", "tire", "tread"),
        0.3,
        (
            Slider("blocks", 5, 2, 16, True),
            Slider("zigzag", 0.5, 0, 1),
            Slider("sipes", 2, 1, 6, True),
            _RELIEF,
        ),
        "2b2b2d",
        "101010",
        "blocks",
        _rubber,
    ),
    Family(
        "studs",
        ("stud", "studded", "lego", "lego brick", "building brick", "anti slip"),
        0.2,
        (
            Slider("studs", 12, 2, 40, True),
            Slider("width", 0.6, 0.2, 0.9),
            Slider("bevel", 0.3, 0, 1),
            _VARIETY,
            _GLOSS,
        ),
        "b8281f",
        "101010",
        "studs",
        _studs,
    ),
    Family(
        "plastic",
        ("plastic", "vinyl", "polymer", "bakelite"),
        0.1,
        (Slider("grains", 70, 20, 140, True), Slider("specks", 0, 0, 1), _GLOSS, _RELIEF),
        "54565a",
        "e0e0e0",
        "grains",
        _plastic,
    ),
    Family(
        "circuit",
        ("circuit", "circuit board", "pcb", "motherboard"),
        0.1,
        (
            Slider("tracks", 18, 6, 60, True),
            Slider("width", 0.5, 0, 1),
            Slider("pads", 0.6, 0, 1),
            _RELIEF,
        ),
        "15532e",
        "d0a848",
        "tracks",
        _circuit,
    ),
)
