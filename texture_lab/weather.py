# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a material: paint, rust, cracks, wear, dust, moss, polish, water."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .canvas import Canvas, Field, mix, smoothstep
from .layouts import stones
from .surface import Color, Surface, color, drawn


def _spread(height: Field, radius: float) -> Field:
    """A height smoothed by a Gaussian whose deviation is ``radius`` widths of the tile."""
    size = len(height)
    kx, ky = np.arange(size // 2 + 1), np.fft.fftfreq(size, 1 / size)
    fade = np.exp(-2 * (np.pi * radius) ** 2 * (kx[None] ** 2 + ky[:, None] ** 2))
    return np.fft.irfft2(np.fft.rfft2(height) * fade, height.shape).astype(np.float32)


def _proud(s: Surface, radius: float = 0.02) -> Field:
    """How far a place stands above its surroundings, in deviations: hollows are below 0."""
    above = s.height - _spread(s.height, radius)
    return above / np.float32(max(float(np.std(above)), 1e-9))


def _span(s: Surface) -> float:
    return float(np.ptp(s.height))


def _changed(
    s: Surface,
    height: Field,
    base: Color,
    roughness: Field,
    metallic: Field,
    cover: Field | float = 0.0,
) -> Surface:
    """A surface whose glow is hidden as far as something covers it, and whose holes stay."""
    made = drawn(height, base, roughness, metallic)
    glow = s.emission
    if glow is not None:
        open_part = 1 - np.asarray(cover, np.float32)
        glow = glow * open_part[..., None]
    return replace(made, emission=glow, opacity=s.opacity, emission_strength=s.emission_strength)


def _painted(c: Canvas, s: Surface, paint: Color) -> Surface:
    chips = 0.8 * c.noise(801, 6, falloff=0.7) + 0.5 * _proud(s)
    cover = 1 - smoothstep(1.15, 1.3, chips)
    coat = paint * (1 + 0.03 * c.noise(802, 5))[..., None]
    height = s.height + np.float32(0.0004) * cover
    rough = mix(s.roughness, 0.42, cover)
    return _changed(s, height, mix(s.color, coat, cover), rough, s.metallic * (1 - cover), cover)


def _rusty(c: Canvas, s: Surface, paint: Color) -> Surface:
    fine = c.noise(812, 40, falloff=0.4)
    patches = c.noise(811, 4, falloff=0.8) + 0.35 * fine - 0.3 * _proud(s)
    streaks = c.noise(813, 7, stretch=(0.3, 4), falloff=0.8)
    cover = smoothstep(-0.1, 0.7, patches + 0.35 * streaks)
    hue = mix(color("4f2412"), color("b55a20"), np.clip(0.45 + 0.3 * fine + 0.2 * streaks, 0, 1))
    height = s.height + np.float32(0.0004) * cover * (1 + 0.5 * fine)
    rough = mix(s.roughness, 0.92, cover)
    return _changed(s, height, mix(s.color, hue, cover), rough, s.metallic * (1 - cover), cover)


def _cracked(c: Canvas, s: Surface, paint: Color) -> Surface:
    x = c.x + np.float32(0.02) * c.noise(821, 6, falloff=1.0)
    y = c.y + np.float32(0.02) * c.noise(822, 6, falloff=1.0)
    cells = stones(c, 823, x, y, 4, 4, 1.0)
    width = np.float32(0.0035) * np.clip(1 + 0.8 * c.noise(824, 5), 0.1, 2.5)
    crack = np.clip(1 - cells.edge / width, 0, 1)
    deep = max(0.003, 0.3 * _span(s))
    dark = (1 - 0.75 * np.minimum(1, 2 * crack))[..., None]
    return _changed(
        s,
        s.height - np.float32(deep) * crack,
        s.color * dark,
        mix(s.roughness, 0.95, crack),
        s.metallic,
    )


def _worn(c: Canvas, s: Surface, paint: Color) -> Surface:
    proud = _proud(s, 0.008)
    rub = smoothstep(0.4, 1.8, proud + 0.6 * c.noise(831, 8, falloff=0.7))
    fade = smoothstep(-1, 1.5, c.noise(832, 3, falloff=0.9)) * np.float32(0.35)
    grey = s.color.mean(2, keepdims=True)
    pale = mix(s.color, (grey + s.color) * 0.5 * 0.9 + 0.07, fade)
    height = s.height + (_spread(s.height, 0.004) - s.height) * np.float32(0.6)
    scratch = smoothstep(1.9, 2.6, c.noise(833, 8, stretch=(3, 0.15), falloff=0.1))
    worn = mix(pale, pale * 1.3 + 0.04, np.maximum(0.6 * rub, 0.5 * scratch))
    return _changed(s, height, worn, s.roughness + 0.12 * fade + 0.08 * rub, s.metallic)


def _dusty(c: Canvas, s: Surface, paint: Color) -> Surface:
    grime = c.noise(841, 3, falloff=0.8) - 0.5 * _proud(s) + 0.2 * c.noise(842, 60, falloff=0.2)
    cover = smoothstep(-1.2, 1.8, grime) * np.float32(0.75)
    dust = mix(s.color, color("8d8069"), cover)
    rough = mix(s.roughness, 0.97, cover)
    return _changed(s, s.height, dust, rough, s.metallic * (1 - cover), cover)


def _mossy(c: Canvas, s: Surface, paint: Color) -> Surface:
    tufts = c.noise(852, 50, falloff=0.4)
    where = c.noise(851, 4, falloff=0.8) - 0.7 * _proud(s) + 0.25 * tufts
    cover = smoothstep(0.0, 0.7, where)
    hue = mix(color("2c3a14"), color("7d9438"), np.clip(0.45 + 0.28 * tufts, 0, 1))
    thick = max(0.002, 0.15 * _span(s))
    height = s.height + np.float32(thick) * cover * (1 + 0.3 * tufts)
    rough = mix(s.roughness, 0.95, cover)
    return _changed(s, height, mix(s.color, hue, cover), rough, s.metallic * (1 - cover), cover)


def _polished(c: Canvas, s: Surface, paint: Color) -> Surface:
    height = s.height + (_spread(s.height, 0.002) - s.height) * np.float32(0.5)
    return _changed(s, height, s.color, 0.05 + 0.25 * s.roughness, s.metallic)


def _wet(c: Canvas, s: Surface, paint: Color) -> Surface:
    """Water darkens what is porous, smooths what it covers, and fills the lowest places."""
    swell = s.height + np.float32(0.12 * _span(s)) * c.noise(861, 3, falloff=1.2)
    level = np.float32(np.quantile(swell[::4, ::4], 0.22))
    depth = level - swell
    pool = smoothstep(-0.01 * _span(s), 0.03 * _span(s) + 1e-6, depth)
    porous = s.roughness * (1 - s.metallic)
    dark = s.color ** (1 + 0.7 * porous[..., None]) * (1 - 0.12 * pool)[..., None]
    height = s.height + np.maximum(depth, 0) * np.float32(0.9)
    rough = mix(0.12 + 0.3 * s.roughness, 0.03, pool)
    return _changed(s, height, dark, rough, s.metallic)


# In the order they are applied: paint first, water last.
WEATHER: dict[str, Callable[[Canvas, Surface, Color], Surface]] = {
    "painted": _painted,
    "rusty": _rusty,
    "cracked": _cracked,
    "worn": _worn,
    "polished": _polished,
    "dusty": _dusty,
    "mossy": _mossy,
    "wet": _wet,
}
