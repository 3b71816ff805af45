# SPDX-License-Identifier: GPL-3.0-or-later
"""Metals, plates, meshes and other things that are made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..canvas import Canvas, Field, mix, smoothstep
from ..family import Family, Slider, Values
from ..layouts import bricks, hexagons, stones, weave
from ..surface import Surface, drawn

_GLOSS = Slider("gloss", 0.6, 0, 1)
_DEPTH = Slider("relief", 0.6, 0.1, 1)
_DIRT = Slider("stains", 0.3, 0, 1)
_TAU = np.float32(2 * np.pi)


def _steel(c: Canvas, v: Values, height: Field, shade: Field | float = 1.0) -> Surface:
    cloud = c.noise(91, 4, falloff=0.9)
    stain = smoothstep(0.3, 1.6, cloud) * v["stains"]
    rough = 0.5 - 0.35 * v["gloss"] + 0.3 * stain + 0.02 * c.noise(92, 40, falloff=0.3)
    return drawn(height, v.color * (shade * (1 - 0.35 * stain))[..., None], rough, 1 - 0.3 * stain)


def _brushed(c: Canvas, v: Values) -> Surface:
    lines = c.noise(1, 2, stretch=(v["length"], 0.02), falloff=-0.2)
    deep = smoothstep(1.8, 3, c.noise(2, 4, stretch=(6, 0.03), falloff=-0.3)) * v["scratches"]
    return _steel(
        c, v, 0.00004 * v["relief"] * lines - 0.0001 * deep, 1 + 0.09 * lines - 0.2 * deep
    )


def _hammered(c: Canvas, v: Values) -> Surface:
    n = v.count("dents")
    cells = stones(c, 1, c.x, c.y, n, n, v["irregularity"])
    r = cells.u**2 + cells.v**2
    height = 0.035 / n * v["relief"] * np.minimum(r, 1.2)
    return _steel(c, v, height.astype(np.float32), 0.85 + 0.15 * np.minimum(r, 1))


def _diamond_plate(c: Canvas, v: Values) -> Surface:
    n = v.count("lozenges", 2)
    x, y = c.x * n, c.y * n
    i, j = np.floor(x), np.floor(y)
    u, w = x - i - np.float32(0.5), y - j - np.float32(0.5)
    turn = np.where((i + j) % 2 == 0, 1, -1)
    along, across = (u + turn * w) * np.float32(0.707), (u - turn * w) * np.float32(0.707)
    lens = 1 - (along / np.float32(0.4 + 0.4 * v["length"])) ** 2 - abs(across) / np.float32(0.2)
    bump = smoothstep(0, 0.5, lens.astype(np.float32))
    scuff = c.noise(3, 30, falloff=0.4)
    return _steel(c, v, 0.08 / n * v["relief"] * bump + 0.00005 * scuff, 0.85 + 0.15 * bump)


def _corrugated(c: Canvas, v: Values) -> Surface:
    n = v.count("waves")
    wave = np.cos(_TAU * c.x * n)
    wave = np.sign(wave) * abs(wave) ** np.float32(1.3 - v["sharpness"])
    streak = c.noise(2, 6, stretch=(0.3, 5), falloff=0.7)
    sheet = smoothstep(0.0, 0.004, abs(c.y - np.float32(0.5)))
    height = 0.5 / n * v["relief"] * wave + 0.002 * sheet
    return _steel(c, v, height, 0.85 + 0.02 * streak + 0.14 * wave)


def _perforated(c: Canvas, v: Values) -> Surface:
    cells = hexagons(c.x, c.y, v.count("holes"))
    r = np.hypot(cells.u, cells.v)
    lip = v["hole_size"]
    solid = smoothstep(lip - 0.06, lip + 0.02, r)
    s = _steel(c, v, 0.003 * v["relief"] * solid)
    rim = drawn(
        s.height,
        s.color * (0.03 + 0.97 * solid)[..., None],
        1 - (1 - s.roughness) * solid,
        s.metallic * solid,
    )
    return replace(rim, opacity=smoothstep(lip - 0.05, lip - 0.03, r))


def _panels(c: Canvas, v: Values) -> Surface:
    height = np.zeros(c.x.shape, np.float32)
    tone, seam = height.copy(), height.copy()
    for level in range(max(1, round(v["levels"]))):
        rows = 2 * v.count("panels") * 2**level // 2
        moved = c.random(10 + level).random(rows, np.float32)
        columns = max(1, rows // 2)
        cells = bricks(c.x, c.y, columns, rows, np.round(moved * 4) / 4)
        here = c.per_cell(20 + level, cells.cell, cells.count) > (0.45 if level else -1)
        lift = c.per_cell(30 + level, cells.cell, cells.count)
        line = 1 - smoothstep(0.001, 0.003, cells.edge)
        bolt_u = abs(abs(cells.u - 0.5) * 2 - 0.88) / columns
        bolt_v = abs(abs(cells.v - 0.5) * 2 - 0.76) / rows
        bolt = 1 - smoothstep(0.0025, 0.004, np.hypot(bolt_u, bolt_v))
        seam = np.where(here, np.maximum(line, seam * (level > 0)), seam)
        height = np.where(here, height + 0.4 * lift + 0.25 * bolt * v["rivets"], height)
        tone = np.where(here, tone + 0.5 * (lift - 0.5), tone)
    shade = 1 + 0.5 * v["variety"] * tone - 0.6 * seam
    return _steel(c, v, 0.01 * v["relief"] * (height - 0.6 * seam), shade)


def _metal_plate(c: Canvas, v: Values) -> Surface:
    n = v.count("plates")
    cells = bricks(c.x, c.y, n, n, 0)
    line = 1 - smoothstep(0.001, 0.005, cells.edge)
    k = round(v["rivets"])
    place = np.where(
        np.minimum(cells.u, 1 - cells.u) < np.minimum(cells.v, 1 - cells.v), cells.v, cells.u
    )
    near = (place * k) % 1 - np.float32(0.5)
    row = cells.edge - np.float32(0.025)
    head = np.sqrt(np.clip(1 - (np.hypot(near / (k * n), row) / np.float32(0.009)) ** 2, 0, 1))
    dent = c.noise(3, 5, falloff=1.4)
    height = 0.006 * v["relief"] * (head + 0.1 * dent - 0.6 * line)
    return _steel(c, v, height, 1 - 0.5 * line + 0.08 * head + 0.03 * dent)


def _rust(c: Canvas, v: Values) -> Surface:
    broad, fine = c.noise(1, 4, falloff=0.8), c.noise(2, 30, falloff=0.5)
    cover = smoothstep(-0.4, 0.4, broad + 0.4 * fine + 3 * (v["cover"] - 0.5))
    flakes = np.round((c.noise(3, 9, falloff=0.8) + 0.3 * fine) * 2) / 2
    scab = cover * (0.6 + 0.25 * flakes * v["flaking"] + 0.35 * fine * v["pitting"])
    orange = np.array([0.72, 0.34, 0.12], np.float32)
    rust = mix(v.color, orange, np.clip(0.35 + 0.35 * fine + 0.15 * flakes, 0, 1))
    height = 0.0012 * v["relief"] * scab
    return drawn(height, mix(v.accent, rust, cover), 0.4 + 0.55 * cover, 1 - cover)


def _patina(c: Canvas, v: Values) -> Surface:
    runs = c.noise(1, 6, stretch=(0.35, 4), falloff=0.7)
    cloud, fine = c.noise(2, 4, falloff=0.9), c.noise(3, 50, falloff=0.3)
    cover = smoothstep(-0.5, 0.5, 0.7 * runs + 0.5 * cloud + 3 * (v["cover"] - 0.5))
    crust = mix(
        v.color, v.color * 0.6 + 0.35, np.clip(0.4 + 0.3 * runs * v["runs"] + 0.15 * fine, 0, 1)
    )
    return drawn(
        0.0005 * v["relief"] * cover * (1 + 0.5 * fine * v["grain"]),
        mix(v.accent, crust, cover),
        0.4 + 0.45 * cover,
        1 - cover,
    )


def _mail(c: Canvas, v: Values) -> Surface:
    n = v.count("rings")
    best = np.full(c.x.shape, -1, np.float32)
    shade = np.full(c.x.shape, 0.04, np.float32)
    inside = np.zeros(c.x.shape, np.float32)
    thick, radius = np.float32(0.10 + 0.06 * v["thickness"]), np.float32(0.42 + 0.12 * v["overlap"])
    for half in (0.0, 0.5):
        for step_y in (-1, 0, 1):
            for step_x in (-1, 0, 1):
                px, py = c.x * n - half, c.y * n - half
                dx = px - np.floor(px) - np.float32(0.5) + step_x
                dy = py - np.floor(py) - np.float32(0.5) + step_y
                off = (np.hypot(dx, dy) - radius) / thick
                body = np.sqrt(np.clip(1 - off * off, 0, 1)) * thick
                tilt = (dx if half else -dx) * np.float32(0.35)
                inside = np.maximum(inside, 1 - abs(off))
                z = np.where(body > 0, body + tilt + np.float32(0.4), np.float32(-1))
                top = z > best
                best = np.where(top, z, best)
                shade = np.where(top & (body > 0), 0.55 + 0.5 * body / thick, shade)
    s = _steel(c, v, 0.4 / n * np.maximum(best, 0) * 0.3, shade)
    gap = (best > 0).astype(np.float32)
    rings = drawn(s.height, s.color, s.roughness, s.metallic * gap)
    return replace(rings, opacity=smoothstep(0, 0.15, inside))


def _mesh(c: Canvas, v: Values) -> Surface:
    n = v.count("wires", 2)
    cells, z = weave(c.x, c.y, n, 1, 1)
    px, py = abs(c.x * n % 1 - 0.5), abs(c.y * n % 1 - 0.5)
    half = np.float32(0.06 + 0.22 * v["thickness"])
    on_x, on_y = px < half, py < half
    warp = cells.cell < n
    body = np.where(on_x & on_y, np.where(warp, px, py), np.where(on_x, px, py))
    wire = np.sqrt(np.clip(1 - (body / half) ** 2, 0, 1)) * (on_x | on_y)
    s = _steel(c, v, 0.06 / n * v["relief"] * wire * (0.7 + 0.3 * z), 0.03 + 0.97 * wire)
    wires = drawn(s.height, s.color, s.roughness, s.metallic * (wire > 0))
    return replace(wires, opacity=smoothstep(0, 0.02, half - np.minimum(px, py)))


def _carbon(c: Canvas, v: Values) -> Surface:
    n = v.count("tows", 4)
    cells, z = weave(c.x, c.y, n, 2, 2)
    fibres = np.sin(_TAU * cells.u * round(v["fibres"]))
    warp = (cells.cell < n).astype(np.float32)
    sheen = 0.55 + 0.6 * mix(smoothstep(0, 1, z), 1 - smoothstep(0, 1, z), warp)
    tone = c.per_cell(1, cells.cell, cells.count) - 0.5
    shade = sheen + 0.10 * fibres + 0.08 * tone
    height = 0.0002 * v["relief"] * (z + 0.02 * fibres)
    return drawn(height, mix(v.accent, v.color, shade), 0.35 - 0.25 * v["gloss"], 0.0)


_METAL = (_GLOSS, _DIRT)
FAMILIES = (
    Family(
        "brushed_metal",
        (
            "brushed metal",
            "brushed",
            "steel",
            "aluminium",
            "aluminum",
            "metal",
            "chrome",
            "stainless",
            "titanium",
            "silver",
            "gold leaf",
        ),
        0.3,
        (Slider("length", 4, 1, 10), Slider("scratches", 0.3, 0, 1), _DEPTH, *_METAL),
        "c4c6c9",
        "55585c",
        "length",
        _brushed,
    ),
    Family(
        "hammered_metal",
        ("hammered", "dented", "beaten", "copper", "brass", "bronze", "gold"),
        0.3,
        (Slider("dents", 14, 4, 60, True), Slider("irregularity", 0.9, 0, 1), _DEPTH, *_METAL),
        "c98450",
        "5a3018",
        "dents",
        _hammered,
    ),
    Family(
        "diamond_plate",
        ("diamond plate", "tread plate", "checker plate", "treadplate", "tear plate"),
        0.4,
        (Slider("lozenges", 12, 4, 40, True), Slider("length", 0.5, 0, 1), _DEPTH, *_METAL),
        "a9adb1",
        "55585c",
        "lozenges",
        _diamond_plate,
    ),
    Family(
        "corrugated",
        ("corrugated", "corrugated iron", "ribbed", "tin roof"),
        1.0,
        (Slider("waves", 10, 3, 40, True), Slider("sharpness", 0.4, 0, 1), _DEPTH, *_METAL),
        "b4b8ba",
        "55585c",
        "waves",
        _corrugated,
    ),
    Family(
        "perforated",
        ("perforated", "grille", "speaker", "punched", "vent"),
        0.2,
        (Slider("holes", 14, 4, 60, True), Slider("hole_size", 0.55, 0.2, 0.8), _DEPTH, *_METAL),
        "8d9094",
        "101010",
        "holes",
        _perforated,
    ),
    Family(
        "panels",
        ("sci-fi", "spaceship", "hull", "panel", "greeble", "spacecraft"),
        2.0,
        (
            Slider("panels", 3, 1, 8, True),
            Slider("levels", 3, 1, 4, True),
            Slider("rivets", 0.6, 0, 1),
            Slider("variety", 0.6, 0, 1),
            _DEPTH,
            *_METAL,
        ),
        "8a929a",
        "2c3034",
        "panels",
        _panels,
    ),
    Family(
        "metal_plate",
        (
            "metal plate",
            "riveted",
            "rivet",
            "plate",
            "sheet metal",
            "painted steel",
            "armour plate",
        ),
        1.0,
        (Slider("plates", 2, 1, 8, True), Slider("rivets", 8, 2, 30, True), _DEPTH, *_METAL),
        "9a9ea2",
        "3c4044",
        "plates",
        _metal_plate,
    ),
    Family(
        "rust",
        ("rust", "corroded", "corrosion", "rusted iron", "iron"),
        0.5,
        (
            Slider("cover", 0.75, 0, 1),
            Slider("flaking", 0.6, 0, 1),
            Slider("pitting", 0.6, 0, 1),
            _DEPTH,
        ),
        "5a2a14",
        "7a7c7e",
        "cover",
        _rust,
    ),
    Family(
        "patina",
        ("patina", "verdigris", "oxidised", "oxidized"),
        0.8,
        (Slider("cover", 0.7, 0, 1), Slider("runs", 0.6, 0, 1), Slider("grain", 0.5, 0, 1), _DEPTH),
        "4f9c86",
        "7a4a2c",
        "cover",
        _patina,
    ),
    Family(
        "chain_mail",
        ("chainmail", "chain mail", "chain", "ring mail"),
        0.1,
        (
            Slider("rings", 9, 3, 30, True),
            Slider("thickness", 0.5, 0, 1),
            Slider("overlap", 0.5, 0, 1),
            *_METAL,
        ),
        "a8abaf",
        "101010",
        "rings",
        _mail,
    ),
    Family(
        "wire_mesh",
        ("wire", "mesh", "fence", "gauze", "screen"),
        0.2,
        (Slider("wires", 16, 4, 60, True), Slider("thickness", 0.4, 0, 1), _DEPTH, *_METAL),
        "a0a3a7",
        "101010",
        "wires",
        _mesh,
    ),
    Family(
        "carbon_fibre",
        ("carbon", "carbon fibre", "carbon fiber", "kevlar"),
        0.1,
        (
            Slider("tows", 16, 4, 60, True),
            Slider("fibres", 5, 1, 12, True),
            Slider("gloss", 0.8, 0, 1),
            _DEPTH,
        ),
        "3a3d42",
        "0a0a0c",
        "tows",
        _carbon,
    ),
)
