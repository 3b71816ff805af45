# SPDX-License-Identifier: GPL-3.0-or-later
"""How near estimated maps are to known ones.

A photo tells neither the exposure nor, in full, the depth: base colour is compared after one fit
of its exposure, normals both as they are and at the one strength that suits them best. Every
score has a naive answer beside it (flat normals, the best constant), for a score alone says little.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .images import encoded, linear
from .photo import blurred

Field = NDArray[np.floating[Any]]

_STRENGTHS = np.exp2(np.linspace(-3, 3, 49))
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709
# Directions to three lights that no photo was taken under.
_LIGHTS = ((0.5, 0.2, 0.84), (-0.64, 0.48, 0.6), (0.0, -0.28, 0.96))


@dataclass(frozen=True)
class Maps:
    """What is compared: (rows, columns[, 3]) float; colours sRGB 0 to 1, normals unit, +Y up."""

    basecolor: Field
    normal: Field
    roughness: Field
    metallic: Field
    ao: Field
    height: Field


@dataclass(frozen=True)
class Scores:
    """One photo's scores; errors are smaller the better, PSNR, SSIM and correlation larger.

    Args:
        normal_deg: mean angle between the normals, degrees.
        normal_best_deg: the same at the best single strength.
        normal_flat_deg: of a flat normal.
        roughness_rmse, ao_rmse: root mean squares of the difference.
        roughness_mean_rmse, ao_mean_rmse: of the photo's own true mean everywhere.
        metal_hits, metal_pixels: metallic pixels found, and all there are.
        plain_hits, plain_pixels: the same of pixels that are no metal.
        basecolor_psnr, basecolor_ssim: after one exposure; dB, and -1 to 1.
        height_correlation: Pearson's, -1 to 1; 0 of a flat one.
        relit_psnr: of pictures of both under three new lights, dB.
    """

    normal_deg: float
    normal_best_deg: float
    normal_flat_deg: float
    roughness_rmse: float
    roughness_mean_rmse: float
    ao_rmse: float
    ao_mean_rmse: float
    metal_hits: int
    metal_pixels: int
    plain_hits: int
    plain_pixels: int
    basecolor_psnr: float
    basecolor_ssim: float
    height_correlation: float
    relit_psnr: float


def compare(estimate: Maps, truth: Maps) -> Scores:
    """All scores of one estimate; both of the same size."""
    metal = truth.metallic >= 0.5
    found = estimate.metallic >= 0.5
    colour = exposed(estimate.basecolor, truth.basecolor)
    flat = np.broadcast_to(np.array([0.0, 0.0, 1.0]), truth.normal.shape)
    return Scores(
        normal_deg=angle(estimate.normal, truth.normal),
        normal_best_deg=min(angle(steepened(estimate.normal, s), truth.normal) for s in _STRENGTHS),
        normal_flat_deg=angle(flat, truth.normal),
        roughness_rmse=rmse(estimate.roughness, truth.roughness),
        roughness_mean_rmse=rmse(truth.roughness, float(truth.roughness.mean())),
        ao_rmse=rmse(estimate.ao, truth.ao),
        ao_mean_rmse=rmse(truth.ao, float(truth.ao.mean())),
        metal_hits=int((metal & found).sum()),
        metal_pixels=int(metal.sum()),
        plain_hits=int((~metal & ~found).sum()),
        plain_pixels=int((~metal).sum()),
        basecolor_psnr=psnr(colour, truth.basecolor),
        basecolor_ssim=ssim(colour, truth.basecolor),
        height_correlation=correlation(estimate.height, truth.height),
        relit_psnr=_relit_psnr(estimate, truth),
    )


def balanced_accuracy(scores: Iterable[Scores]) -> float:
    """The mean of the parts of metallic and of other pixels that were called so."""
    rows = list(scores)
    metal = sum(s.metal_pixels for s in rows)
    plain = sum(s.plain_pixels for s in rows)
    parts = [sum(s.metal_hits for s in rows) / metal] if metal else []
    parts += [sum(s.plain_hits for s in rows) / plain] if plain else []
    return float(np.mean(parts))


def angle(a: Field, b: Field) -> float:
    """The mean angle between unit vectors, degrees."""
    cosine = np.clip((a * b).sum(-1), -1, 1)
    return float(np.degrees(np.arccos(cosine)).mean())


def steepened(normal: Field, strength: float) -> Field:
    """Unit normals whose slopes are ``strength`` times as steep."""
    scaled = normal * np.array([strength, strength, 1.0])
    unit: Field = scaled / np.linalg.norm(scaled, axis=-1, keepdims=True)
    return unit


def rmse(a: Field, b: Field | float) -> float:
    """The root of the mean square of the difference."""
    return float(np.sqrt(np.mean((a - b) ** 2)))


def psnr(a: Field, b: Field) -> float:
    """Peak signal-to-noise ratio of values 0 to 1, dB; at most 100."""
    return float(-20 * np.log10(max(rmse(a, b), 1e-5)))


def exposed(estimate: Field, truth: Field) -> Field:
    """The sRGB ``estimate`` times the one factor of its light that suits ``truth`` best."""
    a, b = linear(estimate), linear(truth)
    gain = float((a * b).sum() / max(float((a * a).sum()), 1e-9))
    for _ in range(3):  # clipping and the encoding shift the least-squares factor a little
        tries = gain * np.exp2(np.linspace(-0.2, 0.2, 9))
        gain = min(tries, key=lambda g: rmse(encoded(np.clip(a * g, 0, 1)), truth))
    return encoded(np.clip(a * np.float32(gain), 0, 1))


def ssim(a: Field, b: Field) -> float:
    """Structural similarity of two images' brightness, sRGB 0 to 1.

    (Z. Wang et al., "Image quality assessment", 2004: Gaussian of 1.5 pixels.)
    """
    x, y = (np.asarray(i, np.float32) @ _LUMINANCE for i in (a, b))
    mean_x, mean_y = blurred(x, 1.5), blurred(y, 1.5)
    var_x = blurred(x * x, 1.5) - mean_x**2
    var_y = blurred(y * y, 1.5) - mean_y**2
    both = blurred(x * y, 1.5) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    alike = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    return float((alike / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def correlation(a: Field, b: Field) -> float:
    """Pearson's correlation; 0 if either is constant."""
    x, y = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum() / spread) if spread > 1e-12 else 0.0


def relit(maps: Maps, light: tuple[float, float, float]) -> Field:
    """Linear radiance of maps lit from one direction and a little from everywhere.

    Lambert and GGX (B. Walter et al., 2007) seen from straight above.
    """
    to = np.array(light)
    half = (to + [0, 0, 1]) / np.linalg.norm(to + [0, 0, 1])
    normal = maps.normal
    nl, nh, nv = (np.clip(normal @ d, 0, 1) for d in (to, half, np.array([0.0, 0.0, 1.0])))
    a2 = np.clip(maps.roughness, 0.1, 1) ** 4
    spread = a2 / (np.pi * (nh * nh * (a2 - 1) + 1) ** 2)
    smith = (nl + np.sqrt(a2 + (1 - a2) * nl * nl)) * (nv + np.sqrt(a2 + (1 - a2) * nv * nv))
    metal = maps.metallic[..., None]
    base = linear(maps.basecolor)
    f0 = 0.04 * (1 - metal) + base * metal
    direct = base * (1 - metal) / np.pi + (spread / np.maximum(smith, 1e-4))[..., None] * f0
    ambient = 0.25 * maps.ao[..., None] * (base * (1 - metal) + f0)
    return np.asarray(direct * nl[..., None] * 2.5 + ambient)


def _relit_psnr(estimate: Maps, truth: Maps) -> float:
    ratios = []
    for light in _LIGHTS:
        a, b = (encoded(np.clip(relit(m, light), 0, 1)) for m in (estimate, truth))
        ratios.append(psnr(exposed(a, b), b))
    return float(np.mean(ratios))
