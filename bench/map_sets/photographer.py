# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of a relief by brute force: horizons for shadows, sampled directions for light.

One bounce of light: a Lambert base and a GGX lobe (B. Walter et al., 2007; Schlick's Fresnel and
Smith's shadowing), each direction blocked where the relief's horizon stands above it (N. Max,
1988). The camera looks straight down from a finite distance.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .sample import Field, jpeg

Array = NDArray[np.float64]
Random = np.random.Generator

LIGHTS = ("sun", "window", "overcast", "flash")
_AZIMUTHS = 24
_REACH = 72  # pixels


class Material(Protocol):
    """What is photographed: (n, n) maps, colour in sRGB (n, n, 3), height in pixels, periodic."""

    height: Array
    color: Array
    roughness: Array
    metallic: Array


def slopes(height: Array) -> tuple[Array, Array]:
    """dh/dx and dh/dy (y down the image) by central differences on a torus."""
    return tuple((np.roll(height, -1, a) - np.roll(height, 1, a)) / 2 for a in (1, 0))  # type: ignore[return-value]


def horizons(height: Array) -> Array:
    """Tangents of the horizon's elevation, (azimuths, n, n); azimuth 0 is +x, then +y up."""
    found = np.zeros((_AZIMUTHS, *height.shape))
    for i in range(_AZIMUTHS):
        angle = 2 * np.pi * i / _AZIMUTHS
        distance = 1.0
        while distance <= _REACH:
            dx, dy = distance * np.cos(angle), -distance * np.sin(angle)
            found[i] = np.maximum(found[i], (_shifted(height, dx, dy) - height) / distance)
            distance *= 1.12
    return found


def cosine_occlusion(height: Array) -> Array:
    """The part of a cosine-weighted sky over a flat sensor that the horizons leave, (n, n)."""
    ao: Array = (1 / (1 + horizons(height) ** 2)).mean(0)
    return ao


def photograph(
    material: Material, normal: Array, ao: Array, light: str, rng: Random
) -> tuple[Field, bool]:
    """An sRGB photo (n, n, 3) under one of ``LIGHTS``, and whether it mirrors a light."""
    shade = _Shading(material, normal, ao, rng)
    azimuth = rng.uniform(0, 2 * np.pi)
    if light == "sun":
        tint = np.array([1.0, 0.93, 0.82])
        shade.add_points(_cone(azimuth, rng.uniform(30, 62), 1.5, 6, rng), 2.6 * tint)
        shade.add_sky(np.array([0.35, 0.45, 0.65]), 0.15, azimuth)
    elif light == "window":
        shade.add_points(
            _cone(azimuth, rng.uniform(28, 50), 14, 24, rng), np.full(3, 2.0), near=2.2
        )
        shade.add_sky(np.array([0.40, 0.38, 0.35]), 0.3, azimuth)
    elif light == "overcast":
        shade.add_sky(np.array([1.0, 1.0, 1.05]), 0.75, azimuth)
    else:
        shade.add_points(
            _cone(azimuth, rng.uniform(76, 86), 1.0, 6, rng), np.full(3, 2.2), near=1.3
        )
        shade.add_sky(np.array([0.30, 0.28, 0.25]), 0.2, azimuth)
    # Light that neighbours throw into the pits, with their colour (J. Jimenez et al., 2016).
    image = shade.diffuse * shade.albedo * (1 + shade.albedo * (1 - ao[..., None])) + shade.specular
    highlight = bool(np.quantile(shade.direct.mean(-1), 0.995) > 0.5 * np.median(image))
    return _developed(image, rng), highlight


class _Shading:
    """Sums diffuse irradiance / pi and specular radiance light by light."""

    def __init__(self, material: Material, normal: Array, ao: Array, rng: Random) -> None:
        base = np.where(
            material.color <= 0.04045,
            material.color / 12.92,
            ((material.color + 0.055) / 1.055) ** 2.4,
        )
        metal = material.metallic[..., None]
        self.albedo = base * (1 - metal)
        self.f0 = 0.04 * (1 - metal) + base * metal
        self.alpha = np.maximum(material.roughness, 0.08) ** 2
        self.normal, self.ao, self.rng = normal, ao, rng
        self.horizon = horizons(material.height)
        n = len(ao)
        x, y = np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5] * 2)
        self.place = np.stack([x, -y, np.zeros_like(x)], -1)
        view = np.array([0, 0, rng.uniform(1.6, 3.0)]) - self.place
        self.view = view / np.linalg.norm(view, axis=-1, keepdims=True)
        self.diffuse, self.specular, self.direct = (np.zeros((n, n, 3)) for _ in range(3))

    def open_to(self, direction: Array) -> Array:
        """1 where the horizon lies below a direction, 0 where above, soft over four degrees."""
        turn = np.arctan2(direction[..., 1], direction[..., 0]) / (2 * np.pi) * _AZIMUTHS
        low = np.floor(turn).astype(int)
        part = turn - low
        rows, columns = np.indices(self.ao.shape)
        a = self.horizon[low % _AZIMUTHS, rows, columns]
        b = self.horizon[(low + 1) % _AZIMUTHS, rows, columns]
        above = np.arctan2(direction[..., 2], np.hypot(direction[..., 0], direction[..., 1]))
        over = above - np.arctan(a + part * (b - a))
        return np.clip(0.5 + over / np.radians(4), 0, 1)

    def lobe(self, direction: Array, cosine: Array) -> Array:
        """GGX times the cosine over a light's direction, (n, n, 3)."""
        half = direction + self.view
        half /= np.linalg.norm(half, axis=-1, keepdims=True)
        nh = np.clip((self.normal * half).sum(-1), 0, 1)
        nv = np.clip((self.normal * self.view).sum(-1), 0.05, 1)
        vh = np.clip((self.view * half).sum(-1), 0, 1)[..., None]
        a2 = self.alpha**2
        spread = a2 / (np.pi * (nh * nh * (a2 - 1) + 1) ** 2)
        smith = [c + np.sqrt(a2 + (1 - a2) * c * c) for c in (np.maximum(cosine, 1e-3), nv)]
        fresnel = self.f0 + (1 - self.f0) * (1 - vh) ** 5
        return (spread * cosine / (smith[0] * smith[1]))[..., None] * fresnel

    def add_points(self, directions: Array, radiance: Array, near: float = 0.0) -> None:
        """Lights of equal power far away, or ``near`` that many tile widths from the middle."""
        for direction in directions:
            to = np.broadcast_to(direction, self.normal.shape)
            power = 1.0
            if near:
                to = near * direction - self.place
                away = np.linalg.norm(to, axis=-1, keepdims=True)
                to, power = to / away, (near / away) ** 2
            cosine = np.clip((self.normal * to).sum(-1), 0, None)
            lit = self.open_to(to)[..., None] * power * radiance / len(directions)
            self.diffuse += lit * cosine[..., None] / np.pi * 1.6
            mirrored = lit * self.lobe(to, cosine) * 1.6
            self.specular += mirrored
            self.direct += mirrored

    def add_sky(self, zenith: Array, side: float, azimuth: float) -> None:
        """A dome, brighter towards one side by ``side``, and what surfaces mirror of it."""
        toward = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])

        def sky(direction: Array) -> Array:
            up = np.clip(direction[..., 2:], 0, 1)
            lean = (direction * toward).sum(-1, keepdims=True)
            streak = np.exp(-(((direction[..., :1] * 3 + direction[..., 1:2]) * 2.2) ** 2))
            glow: Array = zenith * (0.45 + 0.55 * up + side * lean + 0.35 * streak)
            return np.maximum(glow, 0.02)

        count = 40
        for i in range(count):
            up, turn = np.sqrt((i + 0.5) / count), 2.39996 * i
            r = np.sqrt(1 - up * up)
            direction = np.array([r * np.cos(turn), r * np.sin(turn), up])
            to = np.broadcast_to(direction, self.normal.shape)
            cosine = np.clip((self.normal * to).sum(-1), 0, None)
            weight = (self.open_to(to) * cosine / up / count)[..., None]
            self.diffuse += weight * sky(direction)
        picks = 20
        tangent = np.cross(self.normal, [0.0, 1.0, 0.0])
        tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True)
        across = np.cross(self.normal, tangent)
        for i in range(picks):
            u, turn = (i + 0.5) / picks, 2.39996 * i
            c = np.sqrt((1 - u) / (1 + (self.alpha**2 - 1) * u))[..., None]
            s = np.sqrt(1 - c * c)
            half = s * (np.cos(turn) * tangent + np.sin(turn) * across) + c * self.normal
            vh = (self.view * half).sum(-1, keepdims=True)
            to = 2 * vh * half - self.view
            fresnel = self.f0 + (1 - self.f0) * (1 - np.clip(vh, 0, 1)) ** 5
            blocked = (self.open_to(to) * (to[..., 2] > 0))[..., None]
            self.specular += fresnel * sky(to) * (blocked + 0.06 * (1 - blocked)) / picks


def _cone(azimuth: float, elevation: float, spread: float, count: int, rng: Random) -> Array:
    """Directions around one, all within about ``spread`` degrees."""
    angles = np.radians(elevation + rng.normal(0, spread / 2, count))
    turns = azimuth + np.radians(rng.normal(0, spread / 2, count))
    return np.stack(
        [np.cos(angles) * np.cos(turns), np.cos(angles) * np.sin(turns), np.sin(angles)], -1
    )


def _developed(image: Array, rng: Random) -> Field:
    """Exposure, white balance, lens, noise, tone curve and JPEG."""
    image = image * (rng.uniform(0.16, 0.28) / np.median(image)) * rng.uniform(0.95, 1.05, 3)
    width = rng.uniform(0.3, 0.7)
    for axis in (0, 1):
        side = np.exp(-0.5 / width**2)
        image = image + side * (np.roll(image, 1, axis) + np.roll(image, -1, axis))
        image /= 1 + 2 * side
    image = image + rng.normal(0, 1, image.shape) * (0.002 + 0.01 * np.sqrt(np.maximum(image, 0)))
    image = np.maximum(image, 0)
    shoulder = np.where(image < 0.7, image, 0.7 + 0.3 * np.tanh((image - 0.7) / 0.3))
    curve = np.where(
        shoulder <= 0.0031308,
        12.92 * shoulder,
        1.055 * np.maximum(shoulder, 1e-9) ** (1 / 2.4) - 0.055,
    )
    return jpeg(np.clip(curve, 0, 1), int(rng.integers(84, 96)))


def _shifted(field: Array, dx: float, dy: float) -> Array:
    """``field`` at places that far right and down, linear between pixels, on a torus."""
    for axis, by in ((1, dx), (0, dy)):
        whole = int(np.floor(by))
        part = by - whole
        field = (1 - part) * np.roll(field, -whole, axis) + part * np.roll(field, -whole - 1, axis)
    return field
