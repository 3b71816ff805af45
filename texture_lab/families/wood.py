# SPDX-License-Identifier: GPL-3.0-or-later
"""Wood, bark and what is plaited of plants."""

from __future__ import annotations

import numpy as np

from ..canvas import Canvas, Field, mix, smoothstep
from ..family import Family, Slider, Values
from ..layouts import bricks, stones, weave
from ..surface import Surface, drawn

_VARIETY = Slider("variety", 0.5, 0, 1)
_GRAIN = Slider("grain", 0.6, 0, 1)
_GLOSS = Slider("gloss", 0.4, 0, 1)
_TAU = np.float32(2 * np.pi)


def _rings(c: Canvas, rings: float, offset: Field | float = 0.0, key: int = 10) -> Field:
    """Figure of sawn wood along y, 0 to 1: level lines of a long, soft noise."""
    body = c.noise(key, 2, stretch=(0.6, 6), falloff=1.6, detail=24)
    phase = (body + offset) * np.float32(rings)
    saw = phase - np.floor(phase)
    return saw**2 * (1 - smoothstep(0.85, 1, saw))


def _fibres(c: Canvas, key: int = 11) -> Field:
    return c.noise(key, 14, stretch=(0.12, 5), falloff=0.4)


def _planks(c: Canvas, v: Values) -> Surface:
    columns, rows = v.count("columns"), max(1, round(v["breaks"]))
    shift = c.random(2).random(columns, np.float32)
    cells = bricks(c.y, c.x, rows, columns, shift)
    tone = c.per_cell(1, cells.cell, cells.count)
    figure = _rings(c, 3, tone * 7)
    fibres = _fibres(c)
    gap = smoothstep(0.0005, 0.001 + 0.006 * v["gap"], cells.edge)
    shade = 1 + 0.5 * v["variety"] * (tone - 0.5) - v["grain"] * (0.30 * figure - 0.07 * fibres)
    height = 0.006 * gap + v["grain"] * (0.0003 * fibres - 0.0004 * figure) + 0.001 * tone * gap
    return drawn(
        height, mix(v.accent, v.color * shade[..., None], gap), 0.75 - 0.4 * v["gloss"] * gap
    )


def _wood(c: Canvas, v: Values) -> Surface:
    figure, fibres = _rings(c, v["rings"]), _fibres(c)
    pores = smoothstep(1.2, 2.2, c.noise(12, 30, stretch=(0.2, 4), falloff=0.1)) * v["pores"]
    shade = 1 + 0.06 * fibres - 0.25 * pores
    face = mix(v.color, v.accent, v["grain"] * figure) * shade[..., None]
    return drawn(
        0.0003 * v["grain"] * (fibres - figure) - 0.0005 * pores,
        face,
        0.7 - 0.5 * v["gloss"] + 0.1 * pores,
    )


def _bark(c: Canvas, v: Values) -> Surface:
    n = v.count("ridges")
    x = c.x + np.float32(0.22 / n) * c.noise(1, 4, stretch=(1, 2), falloff=1.5)
    y = c.y + np.float32(0.012) * c.noise(2, 5, falloff=1.5)
    plates = stones(c, 3, x, y, n, max(2, round(n / v["length"])), 1.0)
    wall = plates.edge * n
    ridge = smoothstep(0.02, 0.18 + 0.3 * v["grooves"], wall)
    rough = c.noise(4, 16, stretch=(0.7, 2), falloff=0.4)
    flakes = np.round(c.noise(5, 14, stretch=(1, 2)) * 1.5) / 1.5
    height = 0.03 * v["grooves"] * ridge + v["flaking"] * (0.0025 * flakes + 0.0018 * rough)
    shade = 0.75 + 0.3 * ridge + v["flaking"] * (0.10 * rough + 0.06 * flakes)
    return drawn(height, mix(v.accent, v.color * shade[..., None], 0.2 + 0.8 * ridge), 0.95)


def _bamboo(c: Canvas, v: Values) -> Surface:
    n = v.count("poles")
    shift = c.random(1).random(n, np.float32)
    cells = bricks(c.y, c.x, max(1, round(v["joints"])), n, shift)  # u along, v across
    across = 2 * cells.v - 1
    pole = np.sqrt(np.clip(1 - across**2, 0, 1))
    node = np.minimum(cells.u, 1 - cells.u)
    ring = 1 - smoothstep(0.0, 0.03, node)
    tone = c.per_cell(2, cells.cell, cells.count) - 0.5
    height = 0.5 / n * v["roundness"] * pole * (1 + 0.1 * ring) + 0.0001 * _fibres(c)
    shade = 0.45 + 0.6 * pole - 0.35 * ring + 0.3 * v["variety"] * tone + 0.05 * _fibres(c)
    edge = smoothstep(0.03, 0.05, node) * (1 - smoothstep(0.05, 0.09, node))
    return drawn(height, mix(v.color * shade[..., None], v.accent, 0.35 * edge), 0.35)


def _wicker(c: Canvas, v: Values) -> Surface:
    n = v.count("canes", 2)
    cells, z = weave(c.x, c.y, n, 1, 1)
    tone = c.per_cell(1, cells.cell, cells.count) - 0.5
    strands = np.cos(cells.u * _TAU * round(v["splits"])) * np.float32(0.5)
    height = 0.25 / n * (z + 0.08 * strands) * v["relief"]
    shade = 0.45 + 0.75 * z + 0.3 * v["variety"] * tone + 0.1 * strands + 0.04 * c.noise(3, 60)
    return drawn(height, mix(v.accent, v.color * shade[..., None], smoothstep(0.1, 0.45, z)), 0.6)


def _thatch(c: Canvas, v: Values) -> Surface:
    total = np.full(c.x.shape, -3, np.float32)
    for key in range(3):  # layers of stalks, each leaning its own way
        lean = np.float32(0.03 * v["mess"]) * c.noise(20 + key, 2, falloff=2, detail=6)
        stalks = c.noise(30 + key, v["stalks"], stretch=(0.3, 6), falloff=0.1)
        total = np.maximum(total, c.lookup(stalks, c.x + lean, c.y))
    row = c.y * v.count("rows") + np.float32(0.05) * c.noise(40, 30, falloff=0.3)
    lap = row - np.floor(row)
    t = np.clip(0.25 + total / 3, 0, 1)
    shade = 0.55 + 0.8 * t + 0.25 * v["layers"] * (lap - 0.5)
    return drawn(
        0.01 * t + 0.02 * v["layers"] * lap,
        mix(v.accent, v.color * shade[..., None], 0.3 + 0.7 * t),
        0.9,
    )


def _osb(c: Canvas, v: Values) -> Surface:
    height = np.zeros(c.x.shape, np.float32)
    tone = height.copy()
    for layer in range(3):
        turn = layer % 2
        x, y = (c.y, c.x) if turn else (c.x, c.y)
        rows = max(2, round(v["flakes"] / v["length"]))
        cells = stones(c, layer, x, y, v.count("flakes"), rows, 1.0)
        keep = c.per_cell(20 + layer, cells.cell, cells.count) > (0.55 if layer else -1.0)
        grain = c.noise(50 + turn, 14, stretch=(5, 0.15) if turn else (0.15, 5), falloff=0.3)
        mine = c.per_cell(40 + layer, cells.cell, cells.count) + np.float32(0.12) * grain
        tone = np.where(keep, mine, tone)
        height = np.where(keep, layer + 0.3 * mine, height)
    shade = 1 + 0.6 * v["variety"] * (tone - 0.5)
    return drawn(0.0006 * v["relief"] * height, v.color * shade[..., None], 0.75)


FAMILIES = (
    Family(
        "planks",
        ("plank", "floorboard", "board", "deck", "barn wood", "wood floor"),
        1.6,
        (
            Slider("columns", 8, 2, 24, True),
            Slider("breaks", 1, 1, 6, True),
            Slider("gap", 0.4, 0, 1),
            _VARIETY,
            _GRAIN,
            _GLOSS,
        ),
        "a97c4f",
        "2a1c10",
        "columns",
        _planks,
    ),
    Family(
        "wood",
        ("wood", "veneer", "mahogany", "walnut", "oak", "pine", "birch", "timber"),
        1.0,
        (Slider("rings", 4, 1, 12), Slider("pores", 0.5, 0, 1), _GRAIN, _GLOSS),
        "a8743f",
        "6b4020",
        "rings",
        _wood,
    ),
    Family(
        "bark",
        ("bark", "tree trunk"),
        1.0,
        (
            Slider("ridges", 9, 3, 24, True),
            Slider("length", 3, 1, 6),
            Slider("grooves", 0.6, 0, 1),
            Slider("flaking", 0.6, 0, 1),
        ),
        "7a6450",
        "2c2018",
        "ridges",
        _bark,
    ),
    Family(
        "bamboo",
        ("bamboo",),
        0.8,
        (
            Slider("poles", 10, 3, 40, True),
            Slider("joints", 2, 1, 6, True),
            Slider("roundness", 0.8, 0.2, 1),
            _VARIETY,
        ),
        "c9b26a",
        "5a4a24",
        "poles",
        _bamboo,
    ),
    Family(
        "wicker",
        ("wicker", "rattan", "basket", "cane", "straw weave", "woven straw"),
        0.3,
        (
            Slider("canes", 14, 4, 40, True),
            Slider("splits", 2, 1, 5, True),
            Slider("relief", 0.8, 0.2, 1),
            _VARIETY,
        ),
        "b98a4e",
        "2b1a0c",
        "canes",
        _wicker,
    ),
    Family(
        "thatch",
        ("thatch", "thatched", "straw", "hay", "reed"),
        1.5,
        (
            Slider("stalks", 24, 8, 60),
            Slider("rows", 3, 1, 8, True),
            Slider("mess", 0.4, 0, 1),
            Slider("layers", 0.6, 0, 1),
        ),
        "c2a361",
        "4a3a1c",
        "rows",
        _thatch,
    ),
    Family(
        "osb",
        ("osb", "chipboard", "particle board", "strand board"),
        1.0,
        (
            Slider("flakes", 16, 6, 40, True),
            Slider("length", 3, 1, 5),
            Slider("relief", 0.6, 0, 1),
            _VARIETY,
        ),
        "c79c5e",
        "7a5a30",
        "flakes",
        _osb,
    ),
)
