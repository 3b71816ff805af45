# SPDX-License-Identifier: GPL-3.0-or-later
"""Earth, plants, snow, water and lava."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..canvas import Canvas, Field, mix, smoothstep
from ..family import Family, Slider, Values
from ..layouts import stones
from ..surface import Surface, color, drawn, ramp

_RELIEF = Slider("relief", 0.6, 0.05, 1)
_VARIETY = Slider("variety", 0.5, 0, 1)
_WET = Slider("gloss", 0.3, 0, 1)


def _cracked_earth(c: Canvas, v: Values) -> Surface:
    n = v.count("plates")
    k = np.float32(0.10 / n)
    x = c.x + k * c.noise(1, n, falloff=1.2)
    y = c.y + k * c.noise(2, n, falloff=1.2)
    cells = stones(c, 3, x, y, n, n, 1.0)
    fine = stones(c, 4, x, y, 3 * n, 3 * n, 1.0)
    gap = smoothstep(0.01, 0.03 + 0.09 * v["cracks"], cells.edge * n)
    hair = smoothstep(0.0, 0.08, fine.edge * 3 * n) * v["hairlines"] + 1 - v["hairlines"]
    curl = smoothstep(0.5, 0.0, cells.edge * n) * v["curl"]
    grain = c.noise(5, 40, falloff=0.4)
    tone = c.per_cell(6, cells.cell, cells.count) - 0.5
    height = 0.03 * v["relief"] * (gap * (0.8 + 0.4 * curl) + 0.05 * hair + 0.02 * grain)
    shade = (0.9 + 0.15 * curl + 0.2 * tone + 0.04 * grain) * (0.85 + 0.15 * hair)
    return drawn(height, mix(v.accent, v.color * shade[..., None], gap), 0.95)


def _mud(c: Canvas, v: Values) -> Surface:
    churn = c.noise(1, v["lumps"], falloff=1.0)
    ruts = c.noise(2, 3, stretch=(0.4, 3), falloff=1.3)
    fine = c.noise(3, 50, falloff=0.3)
    height = 0.6 * churn + 0.8 * v["ruts"] * ruts
    level = np.float32(2.4 * v["water"] - 2.0)
    pool = 1 - smoothstep(-0.1, 0.15, height - level)
    height = np.maximum(height, level)
    shade = 1 + 0.12 * churn + 0.05 * fine * (1 - pool) - 0.35 * pool
    rough = 0.7 - 0.35 * v["gloss"] + (0.03 - 0.7 + 0.35 * v["gloss"]) * pool
    return drawn(
        0.02 * v["relief"] * (height + 0.05 * fine * (1 - pool)), v.color * shade[..., None], rough
    )


def _soil(c: Canvas, v: Values) -> Surface:
    n = v.count("clods")
    k = np.float32(0.3 / n)
    x = c.x + k * c.noise(1, n, falloff=0.8)
    y = c.y + k * c.noise(2, n, falloff=0.8)
    clods = stones(c, 3, x, y, n, n, 1.0)
    size = c.per_cell(4, clods.cell, clods.count)
    lump = smoothstep(0, 0.5, clods.edge * n) * size**2
    crumbs = c.noise(5, 40, falloff=0.2)
    broad = c.noise(6, 4, falloff=1)
    root = np.exp(-abs(c.noise(7, 3, falloff=1.6, detail=20)) * 60) * v["roots"]
    height = 0.02 * v["relief"] * (lump + 0.15 * crumbs * v["crumbs"] + 0.3 * broad + 0.15 * root)
    shade = 0.75 + 0.35 * lump + 0.13 * crumbs * v["crumbs"] + 0.1 * broad
    return drawn(height, mix(v.color * shade[..., None], v.accent, 0.7 * root), 0.97)


def _leaves(c: Canvas, v: Values) -> Surface:
    """Layers of pointed leaves, one about each point that lies far enough from others."""
    height = np.float32(0.1) * c.noise(1, 20, falloff=0.5)
    face = v.accent * (1 + 0.3 * c.noise(2, 30, falloff=0.4))[..., None]
    n = v.count("leaves")
    red = np.array([1.15, 0.75, 0.6], np.float32)
    hues = (v.color, v.color * red, v.color * 0.55, v.color * 1.25)
    for layer in range(3):
        cells = stones(c, 10 + layer, c.x, c.y, n, n, 0.8)
        turn = 6.283 * c.per_cell(20 + layer, cells.cell, cells.count)
        along = cells.u * np.cos(turn) + cells.v * np.sin(turn)
        across = cells.v * np.cos(turn) - cells.u * np.sin(turn)
        across = across + np.float32(0.15) * along * along
        half = np.float32(0.45 * v["width"]) * np.clip(1 - (along / np.float32(1.05)) ** 2, 0, 1)
        serrated = half * (1 + 0.08 * np.sin(along * 40))
        inside = (abs(across) < serrated) & (abs(along) < 1.05)
        inside &= c.per_cell(30 + layer, cells.cell, cells.count) < v["cover"]
        vein = np.exp(-((across * 25) ** 2)) + 0.4 * np.exp(
            -((np.sin((along + abs(across)) * 16) * 3) ** 2)
        )
        curl = (abs(across) / np.maximum(serrated, 0.01)) ** 2 * v["curl"]
        tone = c.per_cell(40 + layer, cells.cell, cells.count)
        leaf = ramp(0.5 + (tone - 0.5) * (0.2 + 1.6 * v["variety"]), *hues)
        shade = (0.75 + 0.12 * layer + 0.12 * curl - 0.12 * vein)[..., None]
        face = np.where(inside[..., None], leaf * shade, face)
        height = np.where(inside, layer + 1 + 0.8 * curl - 0.1 * vein + 0.6 * tone * along, height)
    return drawn(0.004 * height, face, 0.75)


def _blades(c: Canvas, repeats: float, mess: float, curl: float) -> Field:
    """Overlapping hairs, 0 to 1, each layer leaning its own way."""
    total = np.full(c.x.shape, -3, np.float32)
    for key in range(4):
        lean = np.float32(0.035 * mess / max(1.0, repeats / 24))
        x = c.x + lean * c.noise(20 + key, 3, falloff=2, detail=7)
        y = c.y + np.float32(0.5) * lean * curl * c.noise(30 + key, 4, falloff=2, detail=9)
        hairs = c.noise(40 + key, repeats, stretch=(0.4, 5), falloff=0.2)
        if key % 2:
            hairs = hairs - 0.4
        total = np.maximum(total, c.lookup(hairs, x, y))
    return np.clip(0.15 + total / 3, 0, 1)


def _grass(c: Canvas, v: Values) -> Surface:
    blades = _blades(c, v["blades"], 0.4 + v["mess"], 1)
    patch = c.noise(1, 4, falloff=0.9)
    tips = smoothstep(0.5, 1, blades)
    face = mix(v.accent, v.color, np.clip(0.1 + 1.1 * blades, 0, 1))
    face = mix(face, v.color * np.array([1.5, 1.25, 0.8], np.float32), tips * 0.6)
    dry = smoothstep(0.2, 1.8, patch) * v["dry"]
    face = mix(face, color("b8a45c") * (0.4 + 0.7 * blades)[..., None], dry)
    return drawn(0.04 * v["length"] * (blades + 0.12 * patch), face, 0.8)


def _fur(c: Canvas, v: Values) -> Surface:
    hairs = _blades(c, v["hairs"], v["mess"], v["curl"])
    clump = c.noise(1, 6, stretch=(0.7, 2), falloff=1)
    shade = 0.45 + 0.8 * hairs + 0.08 * clump
    face = mix(v.color, v.accent, smoothstep(0.4, 1.6, c.noise(2, 3)) * v["patches"])
    return drawn(0.01 * (hairs + 0.2 * clump), face * shade[..., None], 0.85)


def _sand(c: Canvas, v: Values) -> Surface:
    n = v.count("ripples")
    warp = np.float32(0.06 * v["waviness"]) * c.noise(1, 2, stretch=(1, 1.5), falloff=1.6)
    phase = (c.y + warp) * n + np.float32(0.2 * v["waviness"]) * c.noise(2, 6, falloff=1.2)
    t = phase - np.floor(phase)
    crest = np.where(t < 0.7, t / 0.7, (1 - t) / 0.3)
    crest = smoothstep(0, 1, crest) * v["ripple_height"]
    grains = c.noise(3, 90, falloff=0.0)
    shade = 0.92 + 0.10 * crest + 0.06 * grains * v["grain"] + 0.03 * c.noise(4, 4)
    return drawn(
        0.25 / n * 0.2 * crest + 0.0004 * v["grain"] * grains, v.color * shade[..., None], 0.95
    )


def _snow(c: Canvas, v: Values) -> Surface:
    drift = c.noise(1, v["drifts"], falloff=1.6)
    crust = c.noise(2, 12, falloff=1.0)
    sparkle = smoothstep(2.2, 2.8, c.noise(3, 60, falloff=-0.3)) * v["sparkle"]
    height = (
        0.05
        * v["relief"]
        * (drift + 0.12 * v["crust"] * crust + 0.01 * c.noise(4, 80, falloff=0.1))
    )
    hollow = np.clip(0.5 - 0.25 * drift, 0, 1)
    return drawn(height, mix(v.color, v.accent, 0.45 * hollow), 0.75 - 0.55 * sparkle)


def _ice(c: Canvas, v: Values) -> Surface:
    cloud = c.noise(1, 3, falloff=1.1)
    n = v.count("cracks")
    k = np.float32(0.2 / n)
    lines = np.zeros(c.x.shape, np.float32)
    for layer in range(2):
        x = c.x + k * c.noise(10 + layer, n, falloff=1.2)
        y = c.y + k * c.noise(20 + layer, n, falloff=1.2)
        cells = stones(c, 30 + layer, x, y, n * (1 + layer), n * (1 + layer), 1.0)
        width = 0.02 + 0.06 * v["width"] * c.per_cell(40 + layer, cells.cell, cells.count)
        lines += np.exp(-cells.edge * n / width) * (1 - 0.5 * layer)
    bubbles = smoothstep(1.6, 2.4, c.noise(5, 30, falloff=0.1)) * v["bubbles"]
    white = np.clip(0.35 + 0.22 * cloud * v["cloud"] + 0.7 * lines + 0.6 * bubbles, 0, 1)
    return drawn(
        0.001 * (0.3 * cloud - lines),
        mix(v.accent, v.color, white),
        0.08 + 0.3 * np.clip(lines, 0, 1),
    )


def _lava(c: Canvas, v: Values) -> Surface:
    n = v.count("plates")
    k = np.float32(0.25 / n)
    x = c.x + k * c.noise(1, n, falloff=1.0)
    y = c.y + k * c.noise(2, n, falloff=1.0)
    cells = stones(c, 3, x, y, n, n, 1.0)
    rough = c.noise(4, 12, falloff=0.7)
    heat = np.exp(-cells.edge * n / (0.03 + 0.10 * v["heat"])) * (1 + 0.25 * rough)
    seep = smoothstep(0.9, 2, c.noise(5, 5, falloff=0.9)) * v["seep"]
    heat = np.clip(np.maximum(heat, seep), 0, 1)
    crust = v.accent * (0.8 + 0.3 * rough * v["roughness"])[..., None]
    glow = ramp(
        heat,
        v.accent,
        v.color * 0.6,
        v.color,
        v.color * 0.6 + 0.4 * color("ffe070"),
        color("fff2b0"),
    )
    ridge = smoothstep(0, 0.4, cells.edge * n)
    height = 0.06 * (ridge + 0.2 * rough * v["roughness"]) * (1 - 0.6 * heat)
    hot = smoothstep(0.1, 0.4, heat)
    cold = drawn(height, mix(crust, glow, hot), 0.9 - 0.4 * heat)
    light = np.clip(glow, 0, 1) * hot[..., None]
    return replace(cold, emission=light, emission_strength=_LAVA)


_LAVA = 6.0
"""How many times as bright as white the hottest of it glows."""


def _water(c: Canvas, v: Values) -> Surface:
    swell = c.noise(1, v["waves"], stretch=(1.5, 0.8), falloff=1.8, detail=v["waves"] * 3)
    chop = 1 - abs(c.noise(2, v["waves"] * 2, falloff=1.3))
    waves = swell + v["chop"] * 0.5 * chop + 0.06 * v["ripples"] * c.noise(3, 40, falloff=0.8)
    foam = smoothstep(1.6, 2.6, waves) * v["foam"]
    face = mix(mix(v.accent, v.color, np.clip(0.45 + 0.2 * waves, 0, 1)), 0.95, foam)
    return drawn(0.03 * waves, face, 0.05 + 0.6 * foam)


def _coral(c: Canvas, v: Values) -> Surface:
    n = v["lobes"]
    k = np.float32(0.12 / n)
    field = c.noise(1, n, falloff=0.3, detail=1.5 * n)
    field = c.lookup(field, c.x + k * c.noise(2, n, falloff=2), c.y + k * c.noise(3, n, falloff=2))
    ridge = 0.5 + 0.5 * np.cos(field * np.float32(2 + 2 * v["width"]))
    dome = np.sqrt(ridge)
    polyp = c.noise(4, 70, falloff=0.1) * v["polyps"]
    shade = 0.4 + 0.65 * dome + 0.07 * polyp
    face = mix(v.accent, v.color, dome)
    return drawn(0.03 * v["relief"] * (dome + 0.04 * polyp), face * shade[..., None], 0.8)


FAMILIES = (
    Family(
        "cracked_earth",
        (
            "cracked earth",
            "cracked mud",
            "parched",
            "dried mud",
            "desert ground",
            "dry mud",
            "dirt",
        ),
        1.5,
        (
            Slider("plates", 7, 3, 24, True),
            Slider("cracks", 0.5, 0, 1),
            Slider("hairlines", 0.5, 0, 1),
            Slider("curl", 0.5, 0, 1),
            _RELIEF,
        ),
        "b08f6a",
        "3a2a1c",
        "plates",
        _cracked_earth,
    ),
    Family(
        "mud",
        ("mud", "muddy", "bog", "swamp"),
        2.0,
        (
            Slider("lumps", 9, 3, 30),
            Slider("ruts", 0.4, 0, 1),
            Slider("water", 0.45, 0, 1),
            _WET,
            _RELIEF,
        ),
        "5e4632",
        "2a1d12",
        "lumps",
        _mud,
    ),
    Family(
        "soil",
        ("soil", "earth", "ground", "compost", "clay earth", "garden"),
        1.0,
        (
            Slider("clods", 24, 8, 60, True),
            Slider("crumbs", 0.7, 0, 1),
            Slider("roots", 0.3, 0, 1),
            _RELIEF,
        ),
        "5a4330",
        "8a7050",
        "clods",
        _soil,
    ),
    Family(
        "leaves",
        ("leaf", "leaves", "foliage", "forest floor", "autumn", "ivy"),
        1.0,
        (
            Slider("leaves", 9, 4, 24, True),
            Slider("width", 0.8, 0.3, 1),
            Slider("cover", 0.8, 0, 1),
            Slider("curl", 0.5, 0, 1),
            _VARIETY,
        ),
        "b0702c",
        "33261a",
        "leaves",
        _leaves,
    ),
    Family(
        "grass",
        ("grass", "lawn", "meadow", "turf", "pasture"),
        1.0,
        (
            Slider("blades", 34, 12, 60),
            Slider("length", 0.6, 0.1, 1),
            Slider("mess", 0.6, 0, 1),
            Slider("dry", 0.3, 0, 1),
        ),
        "5f8a2c",
        "1e2e10",
        "blades",
        _grass,
    ),
    Family(
        "fur",
        ("fur", "pelt", "hair", "fluffy"),
        0.3,
        (
            Slider("hairs", 40, 12, 60),
            Slider("mess", 0.6, 0, 1),
            Slider("curl", 0.5, 0, 1),
            Slider("patches", 0.2, 0, 1),
        ),
        "8a6440",
        "d8c4a4",
        "hairs",
        _fur,
    ),
    Family(
        "sand",
        ("sand", "dune", "beach", "desert"),
        1.5,
        (
            Slider("ripples", 14, 4, 50, True),
            Slider("ripple_height", 0.7, 0, 1),
            Slider("waviness", 0.6, 0, 1),
            Slider("grain", 0.5, 0, 1),
        ),
        "d9bd8b",
        "a98a5c",
        "ripples",
        _sand,
    ),
    Family(
        "snow",
        ("snow", "snowy", "frost"),
        2.0,
        (
            Slider("drifts", 3, 1, 12),
            Slider("crust", 0.5, 0, 1),
            Slider("sparkle", 0.5, 0, 1),
            _RELIEF,
        ),
        "f4f6fa",
        "b9c8dc",
        "drifts",
        _snow,
    ),
    Family(
        "ice",
        ("ice", "frozen", "glacier"),
        2.0,
        (
            Slider("cracks", 4, 2, 16, True),
            Slider("width", 0.4, 0, 1),
            Slider("bubbles", 0.4, 0, 1),
            Slider("cloud", 0.6, 0, 1),
        ),
        "e6f2f6",
        "4f8eaa",
        "cracks",
        _ice,
    ),
    Family(
        "lava",
        ("lava", "magma", "molten", "volcanic"),
        2.0,
        (
            Slider("plates", 6, 2, 20, True),
            Slider("heat", 0.5, 0, 1),
            Slider("seep", 0.4, 0, 1),
            Slider("roughness", 0.6, 0, 1),
        ),
        "f0500c",
        "1c1614",
        "plates",
        _lava,
    ),
    Family(
        "water",
        ("water", "sea", "ripple", "ocean", "lake", "pond"),
        4.0,
        (
            Slider("waves", 5, 2, 20),
            Slider("chop", 0.5, 0, 1),
            Slider("ripples", 0.5, 0, 1),
            Slider("foam", 0.2, 0, 1),
        ),
        "2f7f8f",
        "0c2f44",
        "waves",
        _water,
    ),
    Family(
        "coral",
        ("coral", "brain coral", "sponge", "reef"),
        0.4,
        (
            Slider("lobes", 9, 3, 30),
            Slider("width", 0.5, 0, 1),
            Slider("polyps", 0.6, 0, 1),
            _RELIEF,
        ),
        "d9806a",
        "6a2c34",
        "lobes",
        _coral,
    ),
)
