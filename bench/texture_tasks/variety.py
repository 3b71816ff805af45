# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the families are different materials, or one noise in many colours.

Height and normals of several seeds become spectra without colour; each picture is then given to
the family of its nearest neighbour among the pictures of other seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stagewright.texture_lab.families import FAMILIES
from stagewright.texture_lab.family import Family
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.make import draw

_SIZE = 256


def separation(quick: bool) -> Iterator[dict[str, Any]]:
    """Part of the pictures that are told apart by their spectra, leaving one seed out."""
    seeds = 3 if quick else 6
    names, marks = [], []
    for name, family in FAMILIES.items():
        for seed in range(seeds):
            names.append(name)
            marks.append(_spectra(family, seed))
    features = np.array(marks)
    features = (features - features.mean(0)) / (features.std(0) + 1e-9)
    right = wrong = 0
    confused: set[str] = set()
    for i, name in enumerate(names):
        others = np.arange(len(names)) % seeds != i % seeds
        distance = np.where(others, ((features - features[i]) ** 2).sum(1), np.inf)
        nearest = names[int(distance.argmin())]
        right, wrong = right + (nearest == name), wrong + (nearest != name)
        if nearest != name:
            confused.add(f"{name}={nearest}")
    part = right / (right + wrong)
    yield {
        "task": "family-separation",
        "size": f"{len(FAMILIES)} families",
        "value": part,
        "baseline": 0.9,
        "unit": "of all",
        "agree": part >= 0.9,
        "note": " ".join(sorted(confused)[:8]),
    }


def _spectra(family: Family, seed: int) -> NDArray[np.float64]:
    """Logarithmic energies by frequency and direction, and the height's distribution.

    The sliders differ by seed, too: up to a tenth of their range either way.
    """
    moved = np.random.default_rng(seed).uniform(-0.1, 0.1, len(family.sliders))
    sliders = {
        slider.name: slider.default + by * (slider.high - slider.low)
        for slider, by in zip(family.sliders, moved, strict=True)
    }
    textures = draw(understand(family.words[0], sliders), _SIZE, seed)
    fields = (textures.height, textures.normal[..., 0], textures.normal[..., 1])
    k = np.fft.fftfreq(_SIZE, 1 / _SIZE)
    radius = np.hypot(k[None], k[:, None])
    turn = (np.arctan2(k[:, None], k[None]) % np.pi) * 4 / np.pi
    band = np.clip(np.log2(np.maximum(radius, 1)) * 2, 0, 13).astype(int)
    sector = np.round(turn).astype(int) % 4
    marks = []
    for field in fields:
        power = abs(np.fft.fft2(field)) ** 2
        power[0, 0] = 0
        energy = np.bincount((band * 4 + sector).ravel(), power.ravel(), 56)
        marks.append(np.log10(energy / _SIZE**4 + 1e-9))
    shape = textures.height.ravel()
    moments = [*np.quantile(shape, (0.05, 0.25, 0.5, 0.75, 0.95)), textures.ao.mean()]
    return np.concatenate([*marks, np.array(moments)])


TASKS = {"family-separation": separation}
