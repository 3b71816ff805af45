# SPDX-License-Identifier: GPL-3.0-or-later
"""Random scalar fields, many at a time: what heights, colours and masks are composed of.

Each pattern takes a :class:`Sheet` and returns fields of (batch, n, n) between about 0 and 1. The
kind of a pattern is drawn once per batch, its parameters once per picture.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sheet:
    """Where patterns are drawn.

    Args:
        u, v: (batch, n, n), pixels, turned and warped.
        dice: chooses kinds.
        noise: draws numbers, on the device of ``u``.
    """

    u: Tensor
    v: Tensor
    dice: random.Random
    noise: torch.Generator

    def one(self, low: float, high: float) -> Tensor:
        """(batch, 1, 1): a number for each picture."""
        number = torch.rand(len(self.u), 1, 1, generator=self.noise, device=self.u.device)
        return low + (high - low) * number

    def scale(self, low: float, high: float) -> Tensor:
        """(batch, 1, 1): a size for each picture, equally likely in every octave."""
        return torch.exp(self.one(math.log(low), math.log(high)))

    def normal(self, *shape: int) -> Tensor:
        """Gaussian numbers."""
        return torch.randn(*shape, generator=self.noise, device=self.u.device)


def sheet(batch: int, n: int, dice: random.Random, noise: torch.Generator) -> Sheet:
    """A sheet for ``batch`` pictures of n x n pixels, each turned, some warped."""
    device = noise.device
    steps = torch.arange(n, device=device, dtype=torch.float32) - n / 2
    flat = Sheet(
        steps[None, None].expand(batch, n, n), steps[None, :, None].expand(batch, n, n), dice, noise
    )
    turn = flat.one(0, 2 * math.pi)
    if dice.random() < 0.45:  # many real materials are laid straight
        turn = torch.round(turn / (math.pi / 2)) * (math.pi / 2) + flat.one(-0.06, 0.06)
    cos, sin = torch.cos(turn), torch.sin(turn)
    u = cos * flat.u + sin * flat.v + flat.one(0, 4096)
    v = -sin * flat.u + cos * flat.v + flat.one(0, 4096)
    if dice.random() < 0.5:
        amount = flat.scale(0.5, 24) * (flat.one(0, 1) < 0.7)
        width = flat.scale(20, 160)
        u = u + amount * gaussian(flat, width)
        v = v + amount * gaussian(flat, width)
    return replace(flat, u=u, v=v)


# ---- helpers ----


def gaussian(s: Sheet, width: Tensor) -> Tensor:
    """Smooth noise of zero mean and unit deviation whose features are ``width`` pixels wide."""
    r2 = _frequencies(s)[2]
    spectrum = torch.exp(-((r2.sqrt() * width - 1) ** 2) * 2) + 0.15 * torch.exp(-r2 * width**2)
    return _spectral(s, spectrum)


def _frequencies(s: Sheet) -> tuple[Tensor, Tensor, Tensor]:
    n = s.u.shape[-1]
    fy = torch.fft.fftfreq(n, device=s.u.device)[None, :, None]
    fx = torch.fft.rfftfreq(n, device=s.u.device)[None, None]
    return fx, fy, fx**2 + fy**2


def _spectral(s: Sheet, amplitude: Tensor) -> Tensor:
    n = s.u.shape[-1]
    white = torch.fft.rfft2(s.normal(len(s.u), n, n))
    field = torch.fft.irfft2(white * amplitude, s=(n, n))
    field = field - field.mean((1, 2), keepdim=True)
    return field / field.std((1, 2), keepdim=True).clamp_min(1e-6)


def hashed(a: Tensor, b: Tensor, salt: Tensor | float) -> Tensor:
    """A random number 0 to 1 of a cell's integer place."""
    value = torch.sin(a * 127.1 + b * 311.7 + salt * 74.7) * 43758.5453
    return value - torch.floor(value)


def stretched(field: Tensor) -> Tensor:
    """From 0 to 1 by the picture's own range."""
    low, high = field.amin((1, 2), keepdim=True), field.amax((1, 2), keepdim=True)
    return (field - low) / (high - low).clamp_min(1e-6)


def smooth(low: Tensor | float, high: Tensor | float, x: Tensor) -> Tensor:
    """A smooth step."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def _triangle(x: Tensor) -> Tensor:
    return (2 * (x - torch.floor(x + 0.5))).abs()


# ---- noise ----


def clouds(s: Sheet) -> Tensor:
    """Power-law noise, sometimes longer one way."""
    fx, fy, _ = _frequencies(s)
    ratio = s.scale(1, 8) if s.dice.random() < 0.3 else 1.0
    r2 = fx**2 + (fy * ratio) ** 2 + 1e-9
    cut = 1 / s.scale(12, 250)
    amplitude = (r2 + cut**2) ** (-s.one(0.6, 1.7) / 1)
    return smooth(-2.2, 2.2, _spectral(s, amplitude))


def ridges(s: Sheet) -> Tensor:
    """Creases: the absolute value of noise in octaves."""
    width, total, weight = s.scale(20, 120), 0.0, 1.0
    for octave in range(s.dice.randint(1, 4)):
        total = total + weight * gaussian(s, width / 2**octave).abs()
        weight *= s.dice.uniform(0.3, 0.6)
    field = stretched(total) if isinstance(total, Tensor) else s.u
    return 1 - field if s.dice.random() < 0.5 else field


def band(s: Sheet) -> Tensor:
    """Noise of about one size."""
    return smooth(-2, 2, gaussian(s, s.scale(5, 60)))


def islands(s: Sheet) -> Tensor:
    """Plateaus with soft or steep shores."""
    level, soft = s.one(-0.7, 0.7), s.scale(0.05, 0.8)
    noise = gaussian(s, s.scale(12, 90)) + 0.25 * gaussian(s, s.scale(4, 12)) * s.one(0, 1)
    return smooth(level - soft, level + soft, noise)


def tubes(s: Sheet) -> Tensor:
    """Winding cords of round section where noise crosses zero."""
    noise, width = gaussian(s, s.scale(14, 60)), s.one(0.25, 0.9)
    return (1 - (noise / width) ** 2).clamp_min(0).sqrt()


def pits(s: Sheet) -> Tensor:
    """Small holes or grains scattered in a surface."""
    noise = gaussian(s, s.scale(3, 14))
    field = smooth(s.one(0.6, 1.4), s.one(1.6, 2.6), noise)
    return 1 - field if s.dice.random() < 0.6 else field


def brushed(s: Sheet) -> Tensor:
    """Fine lines along one direction."""
    fx, fy, _ = _frequencies(s)
    turn = s.one(0, math.pi) if s.dice.random() < 0.5 else s.one(0, 0.05)
    along = fx * torch.cos(turn) + fy * torch.sin(turn)
    across = -fx * torch.sin(turn) + fy * torch.cos(turn)
    amplitude = torch.exp(-((along * s.scale(40, 300)) ** 2)) * torch.exp(
        -((across * s.scale(1, 4)) ** 2)
    )
    return smooth(-2.5, 2.5, _spectral(s, amplitude))


def terraces(s: Sheet) -> Tensor:
    """Noise cut into steps."""
    field, steps = smooth(-2, 2, gaussian(s, s.scale(30, 140))), s.one(3, 9)
    level = field * steps
    whole = torch.floor(level)
    return (whole + smooth(0.5 - s.one(0.05, 0.5), 0.5 + s.one(0.05, 0.5), level - whole)) / steps


# ---- cells ----


@dataclass(frozen=True)
class _Cells:
    """Nearest and next feature points: distances in cells, the cell's own number, the offset."""

    first: Tensor
    second: Tensor
    number: Tensor
    dx: Tensor
    dy: Tensor


def _worley(s: Sheet, size: Tensor, jitter: Tensor | float, power: float = 2.0) -> _Cells:
    u, v = s.u / size, s.v / (size * (s.scale(0.5, 2) if s.dice.random() < 0.3 else 1.0))
    cu, cv = torch.floor(u), torch.floor(v)
    first = torch.full_like(u, 9.0)
    second, number = first.clone(), torch.zeros_like(u)
    dx, dy = torch.zeros_like(u), torch.zeros_like(u)
    for a in (-1, 0, 1):
        for b in (-1, 0, 1):
            gu, gv = cu + a, cv + b
            px = u - gu - 0.5 - jitter * (hashed(gu, gv, 1.3) - 0.5)
            py = v - gv - 0.5 - jitter * (hashed(gu, gv, 2.7) - 0.5)
            if power == 2.0:
                distance = (px * px + py * py).sqrt()
            elif power == 1.0:
                distance = px.abs() + py.abs()
            else:
                distance = torch.maximum(px.abs(), py.abs())
            nearer = distance < first
            second = torch.where(nearer, first, torch.minimum(second, distance))
            number = torch.where(nearer, hashed(gu, gv, 5.1), number)
            dx, dy = torch.where(nearer, px, dx), torch.where(nearer, py, dy)
            first = torch.minimum(first, distance)
    return _Cells(first, second, number, dx, dy)


def cells(s: Sheet) -> Tensor:
    """Stones, plates or cracked earth: cells with bevelled joints."""
    c = _worley(s, s.scale(10, 90), s.one(0.3, 1), s.dice.choice((2.0, 2.0, 1.0, 9.0)))
    edge = c.second - c.first
    field = smooth(s.one(0, 0.05), s.scale(0.06, 0.6), edge)
    kind = s.dice.random()
    if kind < 0.3:
        field = field * (0.5 + 0.5 * c.number)
    elif kind < 0.5:  # each leans its own way
        lean = torch.sin(c.number * 40) * c.dx + torch.cos(c.number * 40) * c.dy
        field = field * (0.6 + 0.5 * lean)
    return field


def domes(s: Sheet) -> Tensor:
    """Round bumps or hollows at the cells' points."""
    c = _worley(s, s.scale(8, 70), s.one(0, 1))
    radius = s.one(0.3, 0.75) * (1 - s.one(0, 0.6) * c.number)
    field = (1 - (c.first / radius) ** 2).clamp_min(0)
    field = field.sqrt() if s.dice.random() < 0.5 else field
    return 1 - field if s.dice.random() < 0.35 else field


def facets(s: Sheet) -> Tensor:
    """Crystals or hammer marks: a plane or a bowl in each cell."""
    c = _worley(s, s.scale(12, 80), s.one(0.5, 1))
    if s.dice.random() < 0.5:
        turn = c.number * 77
        return stretched(torch.sin(turn) * c.dx + torch.cos(turn) * c.dy + 0.6 * c.number)
    return stretched(c.first**2)


def cracks(s: Sheet) -> Tensor:
    """Thin clefts between cells."""
    c = _worley(s, s.scale(20, 120), s.one(0.6, 1))
    return smooth(0, s.scale(0.02, 0.15), c.second - c.first)


def shards(s: Sheet) -> Tensor:
    """Shapes scattered over each other: pebbles, leaves, flakes or chips."""
    kind = s.dice.choice(("pebble", "leaf", "chip", "rod"))
    total = torch.zeros_like(s.u)
    for layer in range(s.dice.randint(1, 3)):
        size = s.scale(10, 60)
        u, v = s.u / size + 7.3 * layer, s.v / size + 3.1 * layer
        cu, cv = torch.floor(u), torch.floor(v)
        for a in (-1, 0, 1):
            for b in (-1, 0, 1):
                gu, gv = cu + a, cv + b
                px, py = u - gu - hashed(gu, gv, 1.7), v - gv - hashed(gu, gv, 3.9)
                turn = hashed(gu, gv, 8.3) * 2 * math.pi
                x = torch.cos(turn) * px + torch.sin(turn) * py
                y = -torch.sin(turn) * px + torch.cos(turn) * py
                reach = 0.35 + 0.6 * hashed(gu, gv, 4.4)
                if kind == "pebble":
                    shape = (1 - (x / reach) ** 2 - (y / (0.7 * reach)) ** 2).clamp_min(0).sqrt()
                elif kind == "leaf":
                    shape = (1 - (x / reach) ** 2 - (y / reach).abs() * 3).clamp_min(0)
                    shape = shape.sqrt() * (0.7 + 0.3 * (y.abs() * 40).clamp(0, 1))
                elif kind == "chip":
                    box = torch.maximum(x.abs(), (y * 1.6).abs())
                    shape = ((reach - box) * 12).clamp(0, 1) * (0.6 + 0.4 * x)
                else:
                    shape = (1 - (y * 9) ** 2).clamp_min(0).sqrt() * (x.abs() < reach)
                rank = hashed(gu, gv, 6.6)
                total = torch.maximum(total, (shape > 0) * (0.4 * rank + 0.6 * shape))
    return total


def scratches(s: Sheet) -> Tensor:
    """Straight cuts, each of its own direction."""
    total = torch.ones_like(s.u)
    for layer in range(s.dice.randint(1, 4)):
        size = s.scale(25, 140)
        u, v = s.u / size + 11.7 * layer, s.v / size + 5.9 * layer
        cu, cv = torch.floor(u), torch.floor(v)
        turn = hashed(cu, cv, 2.2) * math.pi
        px, py = u - cu - 0.5, v - cv - 0.5
        across = -torch.sin(turn) * px + torch.cos(turn) * py + 0.5 * (hashed(cu, cv, 9) - 0.5)
        along = (px * px + py * py).sqrt()
        depth = (1 - (across * size / s.one(0.8, 2.5)).abs()).clamp(0, 1) * smooth(0.5, 0.3, along)
        total = torch.minimum(total, 1 - depth * hashed(cu, cv, 3))
    return total


# ---- lattices ----


def bricks(s: Sheet) -> Tensor:
    """Courses of bricks, boards or slabs with joints."""
    width, ratio = s.scale(24, 140), s.scale(0.2, 1)
    row = torch.floor(s.v / (width * ratio))
    shift = s.dice.choice((0.5, 0.33, 0.0)) * row
    if s.dice.random() < 0.3:
        shift = hashed(row, row, 4)
    u, v = s.u / width + shift, s.v / (width * ratio)
    column = torch.floor(u)
    number = hashed(column, row, 1)
    edge = torch.minimum(_edge(u) * width, _edge(v) * width * ratio)
    joint, bevel = s.scale(0.6, 5), s.scale(0.8, 10)
    face = smooth(joint, joint + bevel, edge)
    lean = (u - column - 0.5) * torch.sin(number * 50) + (v - row - 0.5) * torch.cos(number * 50)
    return face * (0.7 + 0.3 * number * s.one(0, 1) + 0.25 * lean * s.one(0, 1))


def _edge(x: Tensor) -> Tensor:
    part = x - torch.floor(x)
    return torch.minimum(part, 1 - part)


def grooves(s: Sheet) -> Tensor:
    """Parallel profiles: waves, ribs, saws, rounds and slits."""
    x = s.u / s.scale(6, 70)
    kind = s.dice.choice(("wave", "triangle", "saw", "round", "slit", "step"))
    part = x - torch.floor(x)
    if kind == "wave":
        return 0.5 + 0.5 * torch.cos(2 * math.pi * x)
    if kind == "triangle":
        return _triangle(x)
    if kind == "saw":
        return part * smooth(1.0, 0.94, part)
    if kind == "round":
        return (1 - (2 * part - 1) ** 2).clamp_min(0).sqrt()
    if kind == "slit":
        return smooth(0, s.one(0.03, 0.15), _edge(x))
    return smooth(0.2, 0.3, part) * smooth(0.8, 0.7, part)


def crossed(s: Sheet) -> Tensor:
    """Two profiles across each other."""
    a = grooves(s)
    b = grooves(replace(s, u=s.v, v=s.u))
    op = s.dice.choice((torch.minimum, torch.maximum, torch.mul))
    return op(a, b)


def chevrons(s: Sheet) -> Tensor:
    """Zigzag profiles."""
    fold = _triangle(s.v / s.scale(20, 120)) * s.scale(4, 40)
    return grooves(replace(s, u=s.u + fold))


def studs(s: Sheet) -> Tensor:
    """Bumps, cones, pins or holes on a lattice."""
    size = s.scale(9, 70)
    row = torch.floor(s.v / size)
    u, v = s.u / size + 0.5 * row * s.dice.choice((0, 1)), s.v / size
    number = hashed(torch.floor(u), row, 3)
    px, py = u - torch.floor(u) - 0.5, v - row - 0.5
    power = s.dice.choice((2.0, 2.0, 1.0, 6.0))
    r = (px.abs() ** power + py.abs() ** power) ** (1 / power) if power != 2 else px.hypot(py)
    radius = s.one(0.18, 0.5)
    kind = s.dice.choice(("cap", "cone", "disc", "ring"))
    if kind == "cap":
        shape = (1 - (r / radius) ** 2).clamp_min(0).sqrt()
    elif kind == "cone":
        shape = (1 - r / radius).clamp_min(0)
    elif kind == "disc":
        shape = smooth(radius, radius * s.one(0.6, 0.95), r)
    else:
        shape = (1 - ((r - radius * 0.8) / (radius * s.one(0.2, 0.45))) ** 2).clamp_min(0).sqrt()
    if s.dice.random() < 0.3:
        shape = shape * (0.4 + 0.6 * number)
    return 1 - shape if s.dice.random() < 0.35 else shape


def lozenges(s: Sheet) -> Tensor:
    """Bars leaning by turns left and right, as on tread plate."""
    size = s.scale(16, 70)
    u, v = s.u / size, s.v / size
    cu, cv = torch.floor(u), torch.floor(v)
    side = 1 - 2 * torch.remainder(cu + cv, 2)
    px, py = u - cu - 0.5, v - cv - 0.5
    along, across = (px + side * py) * 0.7071, (py - side * px) * 0.7071
    shape = 1 - (along / 0.42) ** 2 - (across / s.one(0.08, 0.2)) ** 2
    return shape.clamp(0, 0.6).sqrt() / 0.775


def woven(s: Sheet) -> Tensor:
    """Yarns over and under each other: plain, twill, basket or random."""
    size = s.scale(6, 40)
    u, v = s.u / size, s.v / size
    cu, cv = torch.floor(u), torch.floor(v)
    kind = s.dice.choice(("plain", "twill", "basket", "random"))
    if kind == "plain":
        over = torch.remainder(cu + cv, 2)
    elif kind == "twill":
        over = (torch.remainder(cu + cv, 4) < 2).float()
    elif kind == "basket":
        over = torch.remainder(torch.floor(cu / 2) + torch.floor(cv / 2), 2)
    else:
        over = (hashed(cu, cv, 7) > 0.5).float()
    thick = s.one(0.6, 1)
    px, py = (u - cu - 0.5) / 0.5, (v - cv - 0.5) / 0.5
    warp = (1 - (px / thick) ** 2).clamp_min(0).sqrt() * (
        0.55 + 0.45 * (over * 2 - 1) * (1 - py**2)
    )
    weft = (1 - (py / thick) ** 2).clamp_min(0).sqrt() * (
        0.55 - 0.45 * (over * 2 - 1) * (1 - px**2)
    )
    return torch.maximum(warp, weft)


def ropes(s: Sheet) -> Tensor:
    """Parallel cords, twisted or braided."""
    size = s.scale(10, 60)
    x = s.u / size
    part = 2 * (x - torch.floor(x)) - 1
    side = 1 - 2 * torch.remainder(torch.floor(x), 2) if s.dice.random() < 0.5 else 1.0
    body = (1 - part**2).clamp_min(0).sqrt()
    twist = s.v / size * s.one(0.8, 3) + side * part * s.one(0.4, 1.2)
    return body * (
        0.7 + 0.3 * (1 - (2 * (twist - torch.floor(twist)) - 1) ** 2).clamp_min(0).sqrt()
    )


def mosaic(s: Sheet) -> Tensor:
    """Squares that are raised, sunk or missing at random, in two sizes."""
    size = s.scale(8, 50)
    number = hashed(torch.floor(s.u / size), torch.floor(s.v / size), 5)
    big = hashed(torch.floor(s.u / size / 3), torch.floor(s.v / size / 3), 6)
    level = torch.where(big < s.one(0, 0.6), big * 2, number)
    if s.dice.random() < 0.5:
        level = (level > s.one(0.3, 0.7)).float()
    return blurred(level, s.dice.uniform(0.6, 2.5))


def scales(s: Sheet) -> Tensor:
    """Rows of rounded plates overlapping the next row."""
    size, ratio = s.scale(16, 70), s.one(0.5, 1)
    u, v = s.u / size, s.v / (size * ratio)
    total = torch.zeros_like(u)
    row0 = torch.floor(v)
    for step in (1, 0, -1):
        row = row0 + step
        x = u + 0.5 * torch.remainder(row, 2)
        px, py = x - torch.floor(x) - 0.5, v - row
        number = hashed(torch.floor(x), row, 2)
        inside = (px / 0.56) ** 2 + (py.clamp_min(0) / 1.5) ** 2 < 1
        plate = 0.35 + 0.45 * py / 1.5 + 0.12 * number - 0.3 * px**2
        total = (
            torch.where(inside & (py > -0.2), plate, total)
            if step == 1
            else torch.where(inside & (py > 0) & (plate > total), plate, total)
        )
    return total.clamp(0, 1)


def rings(s: Sheet) -> Tensor:
    """Growth rings or turned grooves about a far or near middle."""
    far = s.scale(30, 1500)
    middle_u, middle_v = s.u.mean((1, 2), keepdim=True), s.v.mean((1, 2), keepdim=True)
    r = (s.u - middle_u + far).hypot((s.v - middle_v) * s.one(0.1, 1))
    x = (r + s.one(0, 8) * gaussian(s, s.scale(30, 100))) / s.scale(6, 50)
    part = x - torch.floor(x)
    return part if s.dice.random() < 0.5 else 0.5 + 0.5 * torch.cos(2 * math.pi * x)


def hexagons(s: Sheet) -> Tensor:
    """Honeycomb plates or holes."""
    size = s.scale(12, 80)
    u, v = s.u / size, s.v / size
    root = math.sqrt(3)
    best, number = torch.full_like(u, 9.0), torch.zeros_like(u)
    for shift in (0.0, 0.5):
        gu, gv = torch.round(u - shift), torch.round(v / root - shift)
        px, py = (u - shift - gu).abs(), (v - (gv + shift) * root).abs()
        distance = torch.maximum(px, 0.5 * px + root / 2 * py)
        number = torch.where(distance < best, hashed(gu + shift, gv, 4), number)
        best = torch.minimum(best, distance)
    edge = 0.5 - best
    joint = s.one(0.01, 0.15)
    field = smooth(joint, joint + s.scale(0.03, 0.3), edge) * (0.75 + 0.25 * number)
    return 1 - field if s.dice.random() < 0.3 else field


def drapes(s: Sheet) -> Tensor:
    """Soft folds of cloth."""
    total = torch.zeros_like(s.u)
    for _ in range(s.dice.randint(1, 3)):
        turn = s.one(0, math.pi)
        x = (torch.cos(turn) * s.u + torch.sin(turn) * s.v) / s.scale(20, 110)
        x = x + s.one(0, 2) * gaussian(s, s.scale(40, 160))
        total = total + torch.sin(2 * math.pi * x).abs() ** s.dice.choice((1.0, 0.5, 2.0))
    return stretched(total)


def cords(s: Sheet) -> Tensor:
    """Round strings laid in waves beside each other."""
    size, wave = s.scale(10, 60), s.scale(20, 120)
    x = (s.u + size * s.one(0.1, 0.9) * torch.sin(2 * math.pi * s.v / wave)) / size
    part = 2 * (x - torch.floor(x)) - 1
    return (1 - (part / s.one(0.5, 1)) ** 2).clamp_min(0).sqrt()


def bumps(s: Sheet) -> Tensor:
    """Rounded lumps in several sizes, the larger first."""
    total, size = torch.zeros_like(s.u), s.scale(30, 90)
    for octave in range(s.dice.randint(2, 4)):
        c = _worley(s, size / 1.8**octave, 1.0)
        total = torch.maximum(total, (1 - (c.first / 0.6) ** 2).clamp_min(0) / 1.4**octave)
    return total


def blurred(field: Tensor, width: float) -> Tensor:
    """A Gaussian blur of ``width`` pixels, borders repeated."""
    reach = max(1, math.ceil(2.5 * width))
    x = torch.arange(-reach, reach + 1, device=field.device, dtype=field.dtype)
    kernel = torch.exp(-0.5 * (x / width) ** 2)
    kernel = kernel / kernel.sum()
    padded = torch.nn.functional.pad(field[:, None], (reach,) * 4, mode="replicate")
    across = torch.nn.functional.conv2d(padded, kernel[None, None, None])
    return torch.nn.functional.conv2d(across, kernel[None, None, :, None])[:, 0]


Pattern = Callable[[Sheet], Tensor]

NOISES: tuple[Pattern, ...] = (
    clouds,
    ridges,
    band,
    islands,
    tubes,
    pits,
    brushed,
    terraces,
    drapes,
)
SHAPES: tuple[Pattern, ...] = (
    cells,
    domes,
    facets,
    cracks,
    shards,
    scratches,
    bricks,
    grooves,
    crossed,
    chevrons,
    studs,
    lozenges,
    woven,
    ropes,
    rings,
    cords,
    bumps,
)
# Never trained on: what the checkpoint is chosen by.
VALIDATION: tuple[Pattern, ...] = (mosaic, scales, hexagons)
