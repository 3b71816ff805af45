# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloth, knits, leather and ropes."""

from __future__ import annotations

import numpy as np

from ..canvas import Canvas, Field, mix, smoothstep
from ..family import Family, Slider, Values
from ..layouts import bricks, scales, stones, weave
from ..surface import Surface, drawn

_FUZZ = Slider("fuzz", 0.4, 0, 1)
_VARIETY = Slider("variety", 0.4, 0, 1)
_RELIEF = Slider("relief", 0.7, 0.1, 1)
_TAU = np.float32(2 * np.pi)


def _cloth(c: Canvas, v: Values, threads: int, over: int, under: int, tile: float) -> Surface:
    """Woven threads; those of the weft have the accent's colour."""
    k = np.float32(0.25 * v["unevenness"] / threads)
    x, y = c.x + k * c.noise(1, 12, falloff=1.2), c.y + k * c.noise(2, 12, falloff=1.2)
    cells, z = weave(x, y, threads, over, under)
    tone = c.per_cell(3, cells.cell, cells.count) - 0.5
    fuzz = v["fuzz"] * c.noise(4, threads, falloff=0.2)
    shade = 0.55 + 0.55 * z + 0.5 * v["variety"] * tone + 0.08 * fuzz
    thread = mix(v.color, v.accent, (cells.cell >= threads).astype(np.float32))
    height = 0.35 * tile / threads * v["relief"] * (z + 0.08 * fuzz)
    return drawn(height, thread * shade[..., None], 0.9)


def _fabric(c: Canvas, v: Values) -> Surface:
    return _cloth(c, v, v.count("threads", 2), 1, 1, 0.06)


def _burlap(c: Canvas, v: Values) -> Surface:
    threads = v.count("threads", 2)
    s = _cloth(c, v, threads, 1, 1, 0.15)
    k = np.float32(0.25 * v["unevenness"] / threads)
    x, y = c.x + k * c.noise(1, 12, falloff=1.2), c.y + k * c.noise(2, 12, falloff=1.2)
    across, down = abs(x * threads % 1 - 0.5), abs(y * threads % 1 - 0.5)
    hole = smoothstep(0.5 - 0.35 * v["holes"], 0.52 - 0.2 * v["holes"], np.minimum(across, down))
    return drawn(s.height - 0.004 * hole, s.color * (1 - 0.85 * hole)[..., None], 0.95)


def _denim(c: Canvas, v: Values) -> Surface:
    s = _cloth(c, v, v.count("threads", 4), 3, 1, 0.05)
    fade = smoothstep(-0.5, 2, c.noise(6, 3, falloff=1.0)) * v["fading"]
    return drawn(s.height, mix(s.color, s.color * 0.5 + 0.4, fade), 0.9)


def _tartan(c: Canvas, v: Values) -> Surface:
    threads = v.count("threads", 4)
    cells, z = weave(c.x, c.y, threads, 2, 2)
    repeats = v.count("checks")

    def sett(place: Field) -> Field:  # bands: 0 ground, 1 second colour, 2 thin line
        at = abs((place * repeats) % 1 * 2 - 1)
        band = ((at > 0.42) & (at < 0.42 + 0.4 * v["band"])).astype(np.float32)
        return np.where((at < 0.05) | (abs(at - 0.97) < 0.02), np.float32(2), band)

    tone = 0.15 * (c.per_cell(1, cells.cell, cells.count) - 0.5)
    warp = (cells.cell < threads).astype(np.float32)
    kind = np.where(warp > 0, sett(c.x), sett(c.y))
    line = np.where((kind == 2)[..., None], np.float32(0.92), v.color)
    thread = np.where((kind == 1)[..., None], v.accent, line)
    return drawn(0.0004 * v["relief"] * z, thread * (0.65 + 0.45 * z + tone)[..., None], 0.92)


def _knit(c: Canvas, v: Values) -> Surface:
    columns = v.count("stitches")
    rows = max(2, round(columns * 1.3))
    k = np.float32(0.12 / columns * v["unevenness"])
    x = (c.x + k * c.noise(1, 8, falloff=1.2)) * columns
    y = (c.y + k * c.noise(2, 8, falloff=1.2)) * rows
    across = (x - np.floor(x)) * 2 - 1  # a V of two leaning loops
    v_row = y + np.float32(1.1) * abs(across)
    row = np.floor(v_row)
    part = v_row - row
    loop = np.sqrt(np.clip(1 - (2 * part - 1) ** 2, 0, 1))
    column = np.sqrt(np.clip(1 - (2 * abs(across) - 1) ** 2, 0, 1))
    z = loop * (0.35 + 0.65 * column)
    ply = np.cos(_TAU * (part * 2 + np.where(across > 0, 1, -1) * y * 3 + abs(across) * 2))
    stitch = ((row % rows) * columns + np.floor(x) % columns).astype(np.int32)
    tone = c.per_cell(3, stitch, rows * columns) - 0.5
    fuzz = v["fuzz"] * c.noise(4, 60, falloff=0.2)
    height = 0.25 / columns * v["relief"] * (z + 0.06 * ply * v["ply"] + 0.03 * fuzz)
    shade = 0.4 + 0.65 * z + 0.07 * ply * v["ply"] + 0.3 * v["variety"] * tone + 0.06 * fuzz
    return drawn(height, v.color * shade[..., None], 0.95)


def _felt(c: Canvas, v: Values) -> Surface:
    hairs = np.zeros(c.x.shape, np.float32)
    for key in range(3):
        lines = c.noise(key, v["fibres"], falloff=0.6)
        hairs = np.maximum(hairs, 1 - smoothstep(0, 0.10 + 0.1 * v["fuzz"], abs(lines)))
    cloud = c.noise(5, 8, falloff=0.8)
    shade = 0.85 + 0.25 * (hairs - 0.3) + 0.10 * v["variety"] * cloud
    face = mix(v.color, v.accent, v["flecks"] * hairs)
    return drawn(0.0006 * v["relief"] * (hairs + 0.4 * cloud), face * shade[..., None], 1.0)


def _carpet(c: Canvas, v: Values) -> Surface:
    n = v.count("tufts")
    k = np.float32(0.4 / n * v["mess"])
    x, y = c.x + k * c.noise(1, n / 3, falloff=1), c.y + k * c.noise(2, n / 3, falloff=1)
    tufts = stones(c, 3, x, y, n, n, 0.8)
    dome = smoothstep(0, 0.45, tufts.edge * n)
    tone = c.per_cell(4, tufts.cell, tufts.count) - 0.5
    fuzz = c.noise(5, 90, falloff=0.1)
    shade = 0.45 + 0.55 * dome + 0.3 * v["variety"] * tone + 0.08 * fuzz
    height = 0.006 * v["relief"] * (dome * (1 + 0.4 * tone) + 0.1 * fuzz)
    return drawn(height, v.color * shade[..., None], 1.0)


def _leather(c: Canvas, v: Values) -> Surface:
    n = v.count("pebbles")
    k = np.float32(0.5 / n)
    x, y = c.x + k * c.noise(1, n / 4, falloff=1.2), c.y + k * c.noise(2, n / 4, falloff=1.2)
    grain = stones(c, 3, x, y, n, n, 1.0)
    pebble = smoothstep(0, 0.35, grain.edge * n)
    folds = 1 - smoothstep(0, 0.12, abs(c.noise(4, 4, falloff=1.2, detail=40)))
    cloud = c.noise(5, 5, falloff=0.9)
    height = 0.0006 * v["relief"] * pebble - 0.0012 * v["creases"] * folds
    shade = 0.75 + 0.22 * pebble - 0.25 * v["creases"] * folds + 0.08 * v["variety"] * cloud
    rough = 0.75 - 0.45 * v["gloss"] * pebble + 0.1 * folds
    return drawn(height, v.color * shade[..., None], rough)


def _quilted(c: Canvas, v: Values) -> Surface:
    n = v.count("diamonds")
    a, b = (c.x + c.y) * n, (c.x - c.y) * n
    da, db = a - np.floor(a), b - np.floor(b)
    near = np.minimum(np.minimum(da, 1 - da), np.minimum(db, 1 - db))
    pillow = np.sqrt(np.clip(np.sin(np.pi * da) * np.sin(np.pi * db), 0, 1)).astype(np.float32)
    seam = 1 - smoothstep(0.0, 0.03, near)
    run = np.where(np.minimum(da, 1 - da) < np.minimum(db, 1 - db), b, a)
    stitch = seam * smoothstep(-0.2, 0.2, np.sin(_TAU * run * round(v["stitches"])))
    folds = c.noise(2, 3 * n, falloff=1) * (1 - smoothstep(0, 0.3, near)) * v["wrinkles"]
    grain = c.noise(3, 80, falloff=0.3)
    height = 0.12 / n * v["puff"] * (pillow + 0.06 * folds) + 0.0008 * stitch + 0.0001 * grain
    shade = 0.8 + 0.2 * pillow + 0.03 * grain
    return drawn(height, mix(v.color * shade[..., None], v.accent, stitch), 0.5)


def _reptile(c: Canvas, v: Values) -> Surface:
    n = v.count("scales")
    k = np.float32(0.35 / n * v["unevenness"])
    x, y = c.x + k * c.noise(1, 3, falloff=1.4), c.y + k * c.noise(2, 3, falloff=1.4)
    cells = stones(c, 3, x, y, n, max(2, round(n * v["aspect"])), 0.75)
    dome = smoothstep(0, 0.3, cells.edge * n)
    bump = c.noise(4, 50, falloff=0.4)
    tone = c.per_cell(5, cells.cell, cells.count) - 0.5
    blotch = smoothstep(0.2, 0.8, c.noise(6, 4, falloff=1.2)) * v["blotches"]
    face = mix(v.color, v.accent, blotch * 0.8)
    shade = 0.35 + 0.6 * dome + 0.3 * tone * v["variety"] + 0.03 * bump
    return drawn(0.03 / n * (dome + 0.04 * bump), face * shade[..., None], 0.6 - 0.25 * dome)


def _scales(c: Canvas, v: Values) -> Surface:
    rows = v.count("rows", 2)
    cells = scales(c.x, c.y, max(1, round(rows * 0.75)), rows, v["reach"], v["shape"])
    rim = smoothstep(0, 0.35, cells.edge * rows)
    keel = np.exp(-((cells.u * 6) ** 2)) * v["keel"]
    tone = c.per_cell(2, cells.cell, cells.count) - 0.5
    height = 0.10 / rows * (cells.v + 0.35 * rim - 0.25 * cells.u**2 + 0.25 * keel)
    shade = 0.35 + 0.6 * cells.v + 0.2 * rim + 0.3 * v["variety"] * tone + 0.03 * c.noise(3, 40)
    face = mix(v.accent, v.color, np.clip(shade, 0, 1))
    return drawn(height, face * (0.6 + 0.4 * rim)[..., None], 0.4)


def _rope(c: Canvas, v: Values) -> Surface:
    n = v.count("ropes")
    cells = bricks(c.y, c.x, 1, n, 0)
    across = 2 * cells.v - 1
    round_ = np.sqrt(np.clip(1 - across**2, 0.0, 1))
    twist = (
        c.y * round(v["twists"]) * 3 + np.arcsin(across * np.float32(0.98)) / _TAU * v["lay"] * 3
    )
    strand = abs(np.sin(np.float32(np.pi) * twist)) ** np.float32(0.6)
    yarn = np.sin(_TAU * (twist * 5 - c.y * round(v["twists"]) * 30))
    fuzz = v["fuzz"] * c.noise(3, 60, falloff=0.2)
    height = 0.5 / n * 0.6 * (round_ * (0.75 + 0.25 * strand) + 0.015 * yarn + 0.01 * fuzz)
    shade = (0.35 + 0.7 * strand) * (0.4 + 0.6 * round_) + 0.05 * yarn + 0.06 * fuzz
    return drawn(height, v.color * shade[..., None], 0.95)


_UNEVEN = Slider("unevenness", 0.4, 0, 1)
FAMILIES = (
    Family(
        "fabric",
        ("fabric", "cloth", "linen", "cotton", "canvas", "textile", "silk", "satin"),
        0.06,
        (Slider("threads", 48, 8, 120, True), _RELIEF, _VARIETY, _UNEVEN, _FUZZ),
        "c8bda6",
        "b9ad95",
        "threads",
        _fabric,
    ),
    Family(
        "burlap",
        ("burlap", "sack", "hessian", "jute", "sackcloth"),
        0.15,
        (
            Slider("threads", 36, 8, 80, True),
            Slider("holes", 0.6, 0, 1),
            _RELIEF,
            _VARIETY,
            _UNEVEN,
            _FUZZ,
        ),
        "a9854f",
        "9c7a46",
        "threads",
        _burlap,
    ),
    Family(
        "denim",
        ("denim", "jean", "twill"),
        0.05,
        (
            Slider("threads", 48, 12, 120, True),
            Slider("fading", 0.3, 0, 1),
            _RELIEF,
            _VARIETY,
            _UNEVEN,
            _FUZZ,
        ),
        "2c4a78",
        "a9b6c6",
        "threads",
        _denim,
    ),
    Family(
        "tartan",
        ("tartan", "plaid", "gingham"),
        0.2,
        (
            Slider("checks", 3, 1, 12, True),
            Slider("threads", 96, 24, 160, True),
            Slider("band", 0.6, 0.1, 1),
            _RELIEF,
        ),
        "9a1c22",
        "153b28",
        "checks",
        _tartan,
    ),
    Family(
        "knit",
        ("knit", "knitted", "sweater", "jumper", "crochet"),
        0.25,
        (
            Slider("stitches", 12, 4, 60, True),
            Slider("ply", 0.7, 0, 1),
            _RELIEF,
            _VARIETY,
            _UNEVEN,
            _FUZZ,
        ),
        "b04b45",
        "ffffff",
        "stitches",
        _knit,
    ),
    Family(
        "felt",
        ("felt", "wool"),
        0.1,
        (Slider("fibres", 10, 4, 40), Slider("flecks", 0.15, 0, 1), _RELIEF, _VARIETY, _FUZZ),
        "7d8086",
        "c4c6c9",
        "fibres",
        _felt,
    ),
    Family(
        "carpet",
        ("carpet", "rug", "velvet"),
        0.3,
        (Slider("tufts", 48, 12, 120, True), Slider("mess", 0.4, 0, 1), _RELIEF, _VARIETY),
        "8a5a44",
        "3a2018",
        "tufts",
        _carpet,
    ),
    Family(
        "leather",
        ("leather", "hide", "suede"),
        0.2,
        (
            Slider("pebbles", 60, 16, 120, True),
            Slider("creases", 0.4, 0, 1),
            Slider("gloss", 0.6, 0, 1),
            _RELIEF,
            _VARIETY,
        ),
        "6b3f24",
        "2a170c",
        "pebbles",
        _leather,
    ),
    Family(
        "quilted",
        ("quilted", "quilt", "padded", "upholstery", "tufted"),
        0.5,
        (
            Slider("diamonds", 4, 1, 16, True),
            Slider("puff", 0.6, 0.1, 1),
            Slider("stitches", 12, 4, 40, True),
            Slider("wrinkles", 0.5, 0, 1),
        ),
        "5a2f2a",
        "c9b08a",
        "diamonds",
        _quilted,
    ),
    Family(
        "reptile_skin",
        ("reptile", "crocodile", "alligator", "lizard", "snake", "snakeskin"),
        0.3,
        (
            Slider("scales", 16, 6, 60, True),
            Slider("aspect", 0.8, 0.4, 2),
            Slider("blotches", 0.6, 0, 1),
            _VARIETY,
            _UNEVEN,
        ),
        "6f7a3c",
        "2b2a17",
        "scales",
        _reptile,
    ),
    Family(
        "scales",
        ("scale", "dragon", "fish scale", "mermaid"),
        0.4,
        (
            Slider("rows", 12, 4, 40, True),
            Slider("reach", 0.9, 0.3, 1),
            Slider("shape", 2, 1, 5),
            Slider("keel", 0.3, 0, 1),
            _VARIETY,
        ),
        "3f8a6a",
        "12302a",
        "rows",
        _scales,
    ),
    Family(
        "rope",
        ("rope", "cord", "twine", "hawser"),
        0.2,
        (
            Slider("ropes", 5, 1, 16, True),
            Slider("twists", 3, 1, 8, True),
            Slider("lay", 2, 0.5, 4),
            _FUZZ,
        ),
        "b8965c",
        "5a4526",
        "ropes",
        _rope,
    ),
)
