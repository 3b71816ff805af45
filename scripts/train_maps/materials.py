# SPDX-License-Identifier: GPL-3.0-or-later
"""Random materials: patterns composed to a relief, layers of stuff laid on it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .patterns import NOISES, SHAPES, VALIDATION, Pattern, Sheet, blurred, sheet, smooth, stretched

CHANNELS = 9  # height, slopes (2), base colour (3), roughness, metallic, occlusion
_NEAR, _FAR = (1, 2, 3, 4, 6), (4, 5, 8, 11, 16, 23, 32)
_AZIMUTHS = 16

_METALS = torch.tensor(
    [  # linear reflectances: silver, aluminium, iron, chrome, gold, brass, copper, titanium, bronze
        [0.96, 0.95, 0.92], [0.91, 0.92, 0.92], [0.56, 0.57, 0.58], [0.55, 0.55, 0.56],
        [1.00, 0.77, 0.34], [0.89, 0.70, 0.36], [0.95, 0.64, 0.54], [0.54, 0.50, 0.45],
        [0.71, 0.46, 0.25],
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Materials:
    """Batches of maps.

    Args:
        maps: (batch, 9, n, n): height in pixels; slopes to the right and up the image, as a
            normal's x/z and y/z; base colour linear; roughness; metallic; occlusion.
    """

    maps: Tensor


def draw(
    groups: int, each: int, n: int, dice: random.Random, noise: torch.Generator, validation: bool
) -> Materials:
    """``groups`` kinds of ``each`` pictures of n x n pixels."""
    drawn = [_one(sheet(each, n, dice, noise), validation) for _ in range(groups)]
    height = torch.cat([d[0] for d in drawn])
    right, up = slopes(height)
    rest = torch.cat([d[1] for d in drawn])
    ao = occlusion(height)
    return Materials(torch.cat([torch.stack([height, right, up], 1), rest, ao[:, None]], 1))


def slopes(height: Tensor) -> tuple[Tensor, Tensor]:
    """x/z and y/z of the normals of (batch, n, n), by central differences."""
    wide = F.pad(height[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    right = (wide[:, 1:-1, :-2] - wide[:, 1:-1, 2:]) / 2
    up = (wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]) / 2
    return right, up


def occlusion(height: Tensor) -> Tensor:
    """The part of a cosine-weighted sky that the horizons of sixteen directions leave."""
    n = height.shape[-1]
    fine = F.pad(height[:, None], (_NEAR[-1],) * 4, mode="replicate")[:, 0]
    half = F.avg_pool2d(height[:, None], 2)
    coarse = F.pad(half, (_FAR[-1],) * 4, mode="replicate")[:, 0]
    half = half[:, 0]
    total = torch.zeros_like(height)
    for i in range(_AZIMUTHS):
        cos, sin = math.cos(2 * math.pi * i / _AZIMUTHS), math.sin(2 * math.pi * i / _AZIMUTHS)
        near = _horizon(fine, height, _NEAR, cos, sin, 1)
        far = _horizon(coarse, half, _FAR, cos, sin, 2)
        far = F.interpolate(far[:, None], size=(n, n), mode="bilinear", align_corners=False)[:, 0]
        total += 1 / (1 + torch.maximum(near, far) ** 2)
    return total / _AZIMUTHS


def _horizon(
    padded: Tensor, height: Tensor, steps: tuple[int, ...], cos: float, sin: float, pixel: int
) -> Tensor:
    n, pad = height.shape[-1], steps[-1]
    slope = torch.zeros_like(height)
    for step in steps:
        dx, dy = round(step * cos), round(step * sin)
        other = padded[:, pad + dy : pad + dy + n, pad + dx : pad + dx + n]
        slope = torch.maximum(slope, (other - height) / (math.hypot(dx, dy) * pixel))
    return slope


def _one(s: Sheet, validation: bool) -> tuple[Tensor, Tensor]:
    """Heights (batch, n, n), and base colour, roughness and metallic (batch, 5, n, n)."""
    if validation:
        main: tuple[Pattern, ...] = VALIDATION
    else:
        main = SHAPES if s.dice.random() < 0.72 else NOISES
    other = SHAPES if s.dice.random() < 0.35 else NOISES
    first = stretched(s.dice.choice(main)(s))
    masks = [first]
    height = _profiled(s, first)
    for _ in range(s.dice.choice((0, 1, 1, 1, 2, 2))):
        field = stretched(s.dice.choice(other)(_again(s)))
        height = _joined(s, height, field, first)
        masks.append(field)
    if s.dice.random() < 0.35:
        height = height + s.scale(0.002, 0.06) * _grain(s)
    if s.dice.random() < 0.65:
        height = blurred(height, s.dice.uniform(0.6, 3.0))
    height = _leaning(s, height)
    return height, _stuff(s, height, masks)


def _again(s: Sheet) -> Sheet:
    """Often a sheet of its own, sometimes the same turn and warp."""
    return s if s.dice.random() < 0.3 else sheet(len(s.u), s.u.shape[-1], s.dice, s.noise)


def _profiled(s: Sheet, field: Tensor) -> Tensor:
    kind = s.dice.random()
    if kind < 0.35:
        return field
    if kind < 0.55:
        return 1 - field
    if kind < 0.75:
        middle, soft = s.one(0.25, 0.75), s.scale(0.05, 0.5)
        return smooth(middle - soft, middle + soft, field)
    return field.clamp_min(1e-4) ** s.scale(0.4, 2.5)


def _joined(s: Sheet, height: Tensor, field: Tensor, first: Tensor) -> Tensor:
    weight = s.scale(0.04, 1)
    kind = s.dice.random()
    if kind < 0.45:
        return height + weight * field
    if kind < 0.6:
        return height + weight * field * smooth(0.3, 0.7, first)
    if kind < 0.7:
        return height + weight * field * smooth(0.7, 0.3, first)
    if kind < 0.8:
        return torch.maximum(height, field * s.one(0.5, 1.2))
    if kind < 0.9:
        return torch.minimum(height, field * s.one(0.8, 1.6))
    return height * (1 - weight * field)


def _grain(s: Sheet) -> Tensor:
    white = s.normal(*s.u.shape)
    return blurred(white, s.dice.uniform(0.5, 1.5)) * 2


def _leaning(s: Sheet, height: Tensor) -> Tensor:
    """Scaled so that normals lean by a drawn angle in the mean: 1.5 to 32 degrees."""
    right, up = slopes(height)
    steep = (right**2 + up**2).sqrt()
    aim = torch.where(s.one(0, 1) < 0.7, s.one(8, 30), s.scale(1.5, 32))
    scale = torch.tan(torch.deg2rad(aim)) / steep.mean((1, 2), keepdim=True).clamp_min(1e-6)
    for _ in range(4):  # the mean of angles is not the angle of the mean
        lean = torch.rad2deg(torch.atan(steep * scale).mean((1, 2), keepdim=True))
        scale = scale * (aim / lean.clamp_min(0.1)).clamp(0.3, 3)
    return height * scale


def _colour(s: Sheet, metal: Tensor) -> Tensor:
    """(batch, 3, 1, 1) linear: a paint, a stone, a metal."""
    batch, device = len(s.u), s.u.device
    value = torch.exp(s.one(math.log(0.015), math.log(0.85)))[:, None]
    hue, strength = s.one(0, 1)[:, None], (s.one(0, 1) ** 1.6)[:, None]
    if s.dice.random() < 0.4:  # earths
        hue = 0.02 + 0.14 * hue
    shift = torch.tensor([0.0, 2 / 3, 1 / 3], device=device)[None, :, None, None]
    wheel = ((torch.remainder(hue + shift, 1) * 6 - 3).abs() - 1).clamp(0, 1)
    paint = value * (1 - strength + strength * wheel)
    pick = torch.randint(len(_METALS), (batch,), generator=s.noise, device=device)
    shine = _METALS.to(device)[pick][:, :, None, None] * s.one(0.55, 1)[:, None]
    tinted = torch.where(
        s.one(0, 1)[:, None] < 0.12, (0.25 + 0.7 * wheel) * s.one(0.5, 1)[:, None], shine
    )
    return torch.where(metal[:, None] > 0.5, tinted, paint).clamp(0.01, 0.97)


def _layer(s: Sheet, masks: list[Tensor], metal: Tensor) -> Tensor:
    """(batch, 5, n, n): one stuff, its colour and roughness varying over it."""
    a, b = _colour(s, metal), _colour(s, metal)
    vary = s.dice.random()
    if vary < 0.25:
        part = s.dice.choice(masks)
    elif vary < 0.9:
        part = stretched(s.dice.choice(NOISES if s.dice.random() < 0.7 else SHAPES)(_again(s)))
    else:
        part = torch.zeros_like(s.u)
    amount = torch.where(s.one(0, 1) < 0.2, s.one(0.3, 1), s.one(0, 0.25))
    amount = torch.where(metal > 0.5, amount * 0.4, amount)
    base = a + (b - a) * (amount * part)[:, None]
    if s.dice.random() < 0.5:
        base = base * torch.exp(s.scale(0.01, 0.3) * _grain(s))[:, None]
    rough = torch.where(metal > 0.5, s.one(0.08, 0.75), s.one(0.08, 1.0) ** 0.7)
    field = part if s.dice.random() < 0.5 else stretched(s.dice.choice(NOISES)(_again(s)))
    rough = rough + s.one(-0.35, 0.35) * (field - 0.5)
    return torch.cat([base, rough[:, None].clamp(0.06, 1), metal.expand_as(rough)[:, None]], 1)


def _stuff(s: Sheet, height: Tensor, masks: list[Tensor]) -> Tensor:
    metal = (s.one(0, 1) < s.dice.choice((0.1, 0.45, 0.45, 0.9))).float()
    stuff = _layer(s, masks, metal)
    for _ in range(s.dice.choice((0, 0, 0, 1, 1, 2))):
        metal = (s.one(0, 1) < 0.35).float()
        stuff = stuff + (_layer(s, masks, metal) - stuff) * _cover(s, height, masks)[:, None]
    if s.dice.random() < 0.35:  # dirt in the low places, dull and dark
        deep = blurred(height, s.dice.uniform(2, 14)) - height
        deep = (deep / deep.std((1, 2), keepdim=True).clamp_min(1e-6) - s.one(0, 1)).clamp(0, 1)
        dirt = torch.cat(
            [
                _colour(s, torch.zeros_like(metal)) * 0.5 + torch.zeros_like(stuff[:, :3]),
                torch.full_like(stuff[:, 3:4], 0.9),
                torch.zeros_like(stuff[:, 4:]),
            ],
            1,
        )
        stuff = stuff + (dirt - stuff) * (deep * s.one(0.2, 1))[:, None]
    return torch.cat([stuff[:, :3].clamp(0.005, 0.97), stuff[:, 3:].clamp(0, 1)], 1)


def _cover(s: Sheet, height: Tensor, masks: list[Tensor]) -> Tensor:
    """(batch, n, n): where the next layer lies, sharp or soft."""
    kind = s.dice.random()
    if kind < 0.4:
        field = s.dice.choice(masks)
    elif kind < 0.6:
        field = stretched(height)
    elif kind < 0.75:
        field = stretched(height - blurred(height, s.dice.uniform(2, 10)))
    else:
        field = stretched(s.dice.choice(NOISES + SHAPES)(_again(s)))
    if s.dice.random() < 0.3:
        field = field + s.one(0.05, 0.4) * (stretched(s.dice.choice(NOISES)(_again(s))) - 0.5)
    if s.dice.random() < 0.5:
        field = 1 - field
    level, soft = s.one(0.25, 0.75), s.scale(0.015, 0.25)
    return smooth(level - soft, level + soft, field)
