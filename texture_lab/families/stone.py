# SPDX-License-Identifier: GPL-3.0-or-later
"""Stones, concretes and plaster."""

from __future__ import annotations

import numpy as np

from ..canvas import Canvas, mix, smoothstep
from ..family import Family, Slider, Values
from ..layouts import bricks, stones
from ..surface import Surface, drawn, ramp

_RELIEF = Slider("relief", 0.6, 0.05, 1)
_VARIETY = Slider("variety", 0.5, 0, 1)
_GLOSS = Slider("gloss", 0.6, 0, 1)


def _concrete(c: Canvas, v: Values) -> Surface:
    cloud, fine = c.noise(1, 3, falloff=0.9), c.noise(2, 60, falloff=0.2)
    holes = stones(c, 3, c.x, c.y, 30, 30, 1.0)
    size = c.per_cell(4, holes.cell, holes.count)
    radius = 0.35 * v["pores"] * np.maximum(size - 0.65, 0)
    hole = 1 - smoothstep(-0.02, 0.06, np.hypot(holes.u, holes.v) / 2 - radius)
    hole = hole * (radius > 0.02)
    cells = bricks(c.x, c.y, 2, 2, 0)
    seam = (1 - smoothstep(0.001, 0.004, cells.edge)) * v["seams"]
    tie = np.hypot(abs(cells.u - 0.5) - 0.28, abs(cells.v - 0.5) - 0.28)
    cone = (1 - smoothstep(0.02, 0.026, tie)) * v["seams"]
    dark = np.maximum(np.maximum(hole, seam), cone)
    shade = 1 + 0.16 * v["stains"] * cloud + 0.03 * fine - 0.45 * dark
    height = 0.0012 * v["relief"] * (0.3 * fine + 0.6 * cloud) - 0.004 * dark
    return drawn(height, v.color * shade[..., None], 0.85 + 0.1 * dark)


def _board_concrete(c: Canvas, v: Values) -> Surface:
    n = v.count("boards")
    cells = bricks(c.x, c.y, 1, n, c.random(1).random(n, np.float32))
    tone = c.per_cell(2, cells.cell, cells.count) - 0.5
    grain = c.noise(3, 12, stretch=(6, 0.15), falloff=0.4)
    fin = 1 - smoothstep(0.0005, 0.005, cells.edge)
    shade = (
        1
        + 0.35 * v["variety"] * tone
        + 0.05 * v["grain"] * grain
        + 0.04 * c.noise(4, 3)
        - 0.25 * fin
    )
    height = 0.004 * v["relief"] * (tone + 0.10 * v["grain"] * grain + 0.6 * fin)
    return drawn(height, v.color * shade[..., None], 0.85)


def _asphalt(c: Canvas, v: Values) -> Surface:
    n = v.count("stones")
    cells = stones(c, 1, c.x, c.y, n, n, 1.0)
    tone = c.per_cell(2, cells.cell, cells.count)
    bump = smoothstep(0, 0.3, cells.edge * n) * (tone > 1 - v["cover"])
    cloud = c.noise(3, 3, falloff=0.8)
    light = c.per_cell(4, cells.cell, cells.count)
    stone = v.color * (0.7 + 0.9 * light)[..., None]
    face = mix(v.accent, stone, bump * 0.75) * (1 + 0.12 * v["stains"] * cloud)[..., None]
    return drawn(0.003 * v["relief"] * (bump * tone + 0.15 * cloud), face, 0.95 - 0.15 * bump)


def _loose(c: Canvas, v: Values, n: int, roundness: float, depth: float) -> Surface:
    """Stones lying on smaller stones."""
    height = np.full(c.x.shape, -1, np.float32)
    shade, pick = np.zeros_like(height), np.zeros_like(height)
    for layer, count in enumerate((n, round(n * 1.7))):
        k = np.float32(0.10 / count)
        x = c.x + k * c.noise(60, count / 2, falloff=2)
        y = c.y + k * c.noise(61, count / 2, falloff=2)
        cells = stones(c, 10 + layer, x, y, count, count, 0.85)
        wall = cells.edge * count
        lump = (
            np.clip(wall / 0.45, 0, 1)
            if roundness < 0.5
            else 1 - np.clip(1 - wall / 0.42, 0, 1) ** 2
        )
        facet = c.per_cell(20 + layer, cells.cell, cells.count) - 0.5
        turn = c.per_cell(30 + layer, cells.cell, cells.count) - 0.5
        tilt = (1 - roundness) * 0.6 * (facet * cells.u + turn * cells.v)
        tone = c.per_cell(40 + layer, cells.cell, cells.count)
        here = (lump + tilt + 0.4 * facet) * n / count - 0.35 * layer
        top = here > height
        height = np.where(top, here, height)
        pick = np.where(top, tone, pick)
        shade = np.where(top, (0.25 + 0.8 * np.clip(lump, 0, 1)) * (1 - 0.3 * layer), shade)
    grain = c.noise(50, 60, falloff=0.3)
    face = mix(v.color, v.accent, np.clip(v["variety"] * pick * 1.2, 0, 1))
    shade = shade * (0.8 + 0.4 * v["variety"] * (pick - 0.2) + 0.04 * grain)
    rough = 0.85 - 0.4 * v["gloss"]
    return drawn(depth / n * v["relief"] * (height + 0.02 * grain), face * shade[..., None], rough)


def _pebbles(c: Canvas, v: Values) -> Surface:
    return _loose(c, v, v.count("pebbles"), 1.0, 0.4)


def _gravel(c: Canvas, v: Values) -> Surface:
    return _loose(c, v, v.count("stones"), 0.0, 0.5)


def _rock(c: Canvas, v: Values) -> Surface:
    k = np.float32(0.06)
    x, y = c.x + k * c.noise(1, 3, falloff=1.3), c.y + k * c.noise(2, 3, falloff=1.3)
    big, small = (
        stones(c, 3, x, y, v.count("facets"), v.count("facets"), 1.0),
        c.noise(5, 10, falloff=0.6),
    )
    n = v.count("facets")
    lift, a, b = (c.per_cell(key, big.cell, big.count) - 0.5 for key in (6, 7, 8))
    plane = lift + 0.9 * (a * big.u + b * big.v)
    ridged = 1 - abs(c.noise(9, 4, falloff=1.0))
    crack = 1 - smoothstep(0, 0.05, big.edge * n)
    height = (
        0.12
        * v["relief"]
        * (0.5 * plane + 0.25 * ridged + 0.06 * small * v["roughness"] - 0.15 * crack * v["cracks"])
    )
    shade = 0.9 + 0.2 * plane + 0.12 * ridged + 0.1 * small - 0.35 * crack * v["cracks"]
    face = mix(v.color, v.accent, smoothstep(0, 2, c.noise(10, 3)) * 0.6)
    return drawn(height, face * shade[..., None], 0.9)


def _strata(c: Canvas, v: Values) -> Surface:
    k = np.float32(0.05 * v["waviness"])
    level = c.y * v.count("layers") + k * v["layers"] * c.noise(1, 2, stretch=(2, 1), falloff=1.6)
    index = np.floor(level).astype(np.int32) % v.count("layers")
    part = level - np.floor(level)
    n = v.count("layers")
    tone, proud = c.random(2).random(n, np.float32)[index], c.random(3).random(n, np.float32)[index]
    fine = c.noise(4, 12, stretch=(4, 0.4), falloff=0.6)
    worn = smoothstep(0, 0.15, np.minimum(part, 1 - part))
    height = 0.03 * v["relief"] * (proud * worn + 0.10 * fine)
    shade = (
        0.75
        + 0.4 * v["variety"] * tone
        + 0.2 * worn * proud
        + 0.07 * fine
        + 0.05 * c.noise(5, 60, falloff=0.2)
    )
    return drawn(height, mix(v.color, v.accent, tone * 0.5) * shade[..., None], 0.92)


def _granite(c: Canvas, v: Values) -> Surface:
    n = v.count("grains")
    k = np.float32(0.3 / n)
    cells = stones(c, 1, c.x + k * c.noise(8, n / 2), c.y + k * c.noise(9, n / 2), n, n, 1.0)
    kind = c.per_cell(2, cells.cell, cells.count)
    dark = (kind < 0.25 * v["dark"] * 2).astype(np.float32)
    pale = (kind > 0.7).astype(np.float32)
    shade = 0.85 + 0.3 * (c.per_cell(3, cells.cell, cells.count) - 0.5) * v["variety"] + 0.3 * pale
    face = mix(v.color * shade[..., None], v.accent, dark * 0.9)
    return drawn(0.00005 * kind + 0.0 * dark, face, 0.6 - 0.5 * v["gloss"] + 0.05 * dark)


def _marble(c: Canvas, v: Values) -> Surface:
    warp = np.float32(0.05 + 0.1 * v["turbulence"])
    x, y = c.x + warp * c.noise(1, 2, falloff=1.2), c.y + warp * c.noise(2, 2, falloff=1.2)
    main, thin = c.noise(3, v["veins"], falloff=1.2), c.noise(4, v["veins"] * 2.5, falloff=1.0)
    broad = np.exp(-abs(c.lookup(main, x, y)) * np.float32(7 / (0.3 + v["width"])))
    fine = np.exp(-abs(c.lookup(thin, x, y)) * 16) * smoothstep(-0.5, 1, c.lookup(main, x, y))
    cloud = c.noise(5, 2, falloff=1.0)
    vein = np.clip(0.85 * broad + 0.5 * fine + 0.10 * cloud, 0, 1)
    return drawn(
        -0.00003 * vein, mix(v.color, v.accent, vein), 0.55 - 0.5 * v["gloss"] + 0.03 * vein
    )


def _terrazzo(c: Canvas, v: Values) -> Surface:
    face = np.broadcast_to(v.color, (*c.x.shape, 3))
    solid = np.zeros(c.x.shape, np.float32)
    for layer, count in enumerate((v.count("chips"), 2 * v.count("chips"))):
        k = np.float32(0.10 / count)
        x = c.x + k * c.noise(60, count, falloff=2)
        y = c.y + k * c.noise(61, count, falloff=2)
        cells = stones(c, 10 + layer, x, y, count, count, 1.0)
        pick = c.per_cell(20 + layer, cells.cell, cells.count)
        gap = 0.10 + 0.12 * c.per_cell(30 + layer, cells.cell, cells.count)
        chip = smoothstep(0, 0.02, cells.edge * count - gap) * (pick < v["cover"]) * (1 - solid)
        tone = 0.5 + (c.per_cell(40 + layer, cells.cell, cells.count) - 0.5) * (
            0.2 + 1.6 * v["variety"]
        )
        hues = ramp(
            tone,
            v.accent,
            v.color * 0.55 + 0.4,
            v.accent * 0.4,
            np.array([0.93, 0.9, 0.84], np.float32),
        )
        face = mix(face, hues, chip)
        solid = np.maximum(solid, chip)
    grain = c.noise(50, 80, falloff=0.2)
    face = face * (1 + 0.03 * grain)[..., None]
    return drawn(0.00004 * solid + 0.00001 * grain, face, 0.6 - 0.5 * v["gloss"])


def _travertine(c: Canvas, v: Values) -> Surface:
    bands = c.noise(1, 4, stretch=(4, 0.5), falloff=0.9)
    pits = c.noise(2, 14, stretch=(2.2, 0.8), falloff=0.5)
    pit = smoothstep(0, 0.3, pits + 0.6 * bands - 2.6 + 1.6 * v["pits"])
    face = mix(v.color, v.accent, np.clip(0.4 + 0.3 * v["banding"] * bands, 0, 1))
    return drawn(
        -0.004 * v["relief"] * pit + 0.0001 * bands,
        face * (1 - 0.4 * pit)[..., None],
        0.6 - 0.4 * v["gloss"] + 0.4 * pit,
    )


def _slate(c: Canvas, v: Values) -> Surface:
    body = c.noise(1, 3, falloff=0.9) + 0.15 * c.noise(2, 20, falloff=0.4)
    steps = body * np.float32(v["layers"])
    floor = np.floor(steps)
    lip = smoothstep(0.0, 0.25 - 0.2 * v["sharpness"], steps - floor)
    cleft = (floor + lip) / np.float32(v["layers"])
    streak = c.noise(3, 10, stretch=(0.5, 2.5), falloff=0.6)
    shade = 1 + 0.12 * cleft + 0.06 * streak - 0.25 * (1 - lip)
    rust = smoothstep(0.8, 2, c.noise(4, 3)) * v["variety"] * 0.6
    return drawn(
        0.008 * v["relief"] * (cleft + 0.03 * streak),
        mix(v.color, v.accent, rust) * shade[..., None],
        0.7,
    )


def _plaster(c: Canvas, v: Values) -> Surface:
    lumps = c.noise(1, v["lumps"], falloff=0.7)
    knock = smoothstep(-0.2, 0.6, lumps) * v["knockdown"] + (1 - v["knockdown"]) * lumps * 0.4
    sweeps = c.noise(2, 4, stretch=(2.5, 1), falloff=0.9)
    fine = c.noise(3, 70, falloff=0.2)
    height = 0.004 * v["relief"] * (knock + 0.15 * sweeps * v["trowel"] + 0.06 * fine)
    shade = 0.93 + 0.07 * knock + 0.05 * sweeps * v["trowel"] + 0.02 * fine
    return drawn(height, v.color * shade[..., None], 0.9 - 0.1 * knock)


FAMILIES = (
    Family(
        "concrete",
        ("concrete", "cement"),
        2.0,
        (
            Slider("pores", 0.5, 0, 1),
            Slider("stains", 0.5, 0, 1),
            Slider("seams", 0, 0, 1, True),
            _RELIEF,
        ),
        "9a9894",
        "57554f",
        "pores",
        _concrete,
    ),
    Family(
        "board_concrete",
        ("board formed", "board-formed", "shuttered", "board marked"),
        2.0,
        (Slider("boards", 12, 3, 40, True), Slider("grain", 0.6, 0, 1), _VARIETY, _RELIEF),
        "98958f",
        "57554f",
        "boards",
        _board_concrete,
    ),
    Family(
        "asphalt",
        ("asphalt", "tarmac", "road", "blacktop", "bitumen"),
        1.0,
        (
            Slider("stones", 80, 20, 160, True),
            Slider("cover", 0.7, 0, 1),
            Slider("stains", 0.5, 0, 1),
            _RELIEF,
        ),
        "77767a",
        "2c2c2f",
        "stones",
        _asphalt,
    ),
    Family(
        "pebbles",
        ("pebble", "river stone", "shingle beach", "cobbles of a beach"),
        0.8,
        (Slider("pebbles", 14, 4, 60, True), Slider("gloss", 0.4, 0, 1), _VARIETY, _RELIEF),
        "8c8780",
        "b9a58c",
        "pebbles",
        _pebbles,
    ),
    Family(
        "gravel",
        ("gravel", "crushed stone", "ballast", "grit"),
        0.8,
        (Slider("stones", 22, 6, 80, True), Slider("gloss", 0.1, 0, 1), _VARIETY, _RELIEF),
        "9a958c",
        "5e5850",
        "stones",
        _gravel,
    ),
    Family(
        "rock",
        ("rock", "cliff", "boulder", "stone", "crag"),
        3.0,
        (
            Slider("facets", 6, 2, 20, True),
            Slider("roughness", 0.6, 0, 1),
            Slider("cracks", 0.5, 0, 1),
            _RELIEF,
        ),
        "827a70",
        "5c5048",
        "facets",
        _rock,
    ),
    Family(
        "sandstone",
        ("sandstone", "strata", "layered", "sediment", "canyon"),
        3.0,
        (Slider("layers", 14, 4, 50, True), Slider("waviness", 0.5, 0, 1), _VARIETY, _RELIEF),
        "c79a66",
        "8f5636",
        "layers",
        _strata,
    ),
    Family(
        "granite",
        ("granite", "countertop"),
        0.6,
        (Slider("grains", 70, 20, 160, True), Slider("dark", 0.5, 0, 1), _VARIETY, _GLOSS),
        "a8a29c",
        "232225",
        "grains",
        _granite,
    ),
    Family(
        "marble",
        ("marble", "carrara", "onyx"),
        1.5,
        (
            Slider("veins", 2, 1, 8),
            Slider("width", 0.4, 0, 1),
            Slider("turbulence", 0.5, 0, 1),
            _GLOSS,
        ),
        "eceae6",
        "75777c",
        "veins",
        _marble,
    ),
    Family(
        "terrazzo",
        ("terrazzo",),
        0.8,
        (Slider("chips", 16, 5, 60, True), Slider("cover", 0.7, 0, 1), _VARIETY, _GLOSS),
        "e0dad0",
        "b5634a",
        "chips",
        _terrazzo,
    ),
    Family(
        "travertine",
        ("travertine", "limestone"),
        1.0,
        (Slider("banding", 0.6, 0, 1), Slider("pits", 0.5, 0, 1), _GLOSS, _RELIEF),
        "dccbaa",
        "b59a70",
        "banding",
        _travertine,
    ),
    Family(
        "slate",
        ("slate", "schist"),
        1.0,
        (Slider("layers", 4, 1, 12), Slider("sharpness", 0.6, 0, 1), _VARIETY, _RELIEF),
        "4c5258",
        "6e5238",
        "layers",
        _slate,
    ),
    Family(
        "plaster",
        ("plaster", "stucco", "render", "drywall", "wall paint", "adobe"),
        2.0,
        (
            Slider("lumps", 14, 3, 60),
            Slider("knockdown", 0.6, 0, 1),
            Slider("trowel", 0.5, 0, 1),
            _RELIEF,
        ),
        "ddd6c8",
        "8a8074",
        "lumps",
        _plaster,
    ),
)
