# SPDX-License-Identifier: GPL-3.0-or-later
"""Sixteen procedural materials that no network was trained on, each under three lights.

Their patterns come from simulations and constructions (reaction-diffusion, erosion, packing,
mazes, folding, growth); the training families' come from noise, cells and lattices. The scores on
this set are reported, never used to choose anything: it was written before the first training and
stays as it is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .photographer import LIGHTS, cosine_occlusion, photograph, slopes
from .sample import Sample

Array = NDArray[np.float64]
Random = np.random.Generator

SIZE = 384
_SEED = 20261


@dataclass(frozen=True)
class Truth:
    """A material's maps, (SIZE, SIZE): colour in sRGB with a last axis of 3, height in pixels."""

    height: Array
    color: Array
    roughness: Array
    metallic: Array


def samples(quick: bool = False) -> Iterator[Sample]:
    """Every family under three of the lights (one if ``quick``), always the same."""
    for index, (name, draw) in enumerate(FAMILIES.items()):
        truth = draw(np.random.default_rng((_SEED, index)))
        slope = np.stack(slopes(truth.height), -1)
        normal = np.concatenate([-slope * [1, -1], np.ones((SIZE, SIZE, 1))], -1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        ao = cosine_occlusion(truth.height)
        lights = list(LIGHTS)
        for turn in range(1 if quick else 3):
            light = lights[(index + turn) % len(lights)]
            rng = np.random.default_rng((_SEED, index, turn))
            photo, highlight = photograph(truth, normal, ao, light, rng)
            maps = (truth.color, normal, truth.roughness, truth.metallic, ao, truth.height)
            yield Sample(name, light, photo, *(m.astype(np.float32) for m in maps), highlight)


def _truth(
    height: Array, angle: float, color: Array, roughness: Array | float, metallic: Array | float = 0
) -> Truth:
    """Scaled so that normals lean by ``angle`` degrees in the mean."""
    low, high = 0.0, 1e4
    for _ in range(60):
        scale = (low + high) / 2
        lean = np.degrees(np.arctan(np.hypot(*slopes(height * scale)))).mean()
        low, high = (scale, high) if lean < angle else (low, scale)
    flat = np.zeros((SIZE, SIZE))
    return Truth(
        height * scale,
        np.clip(np.broadcast_to(color, (SIZE, SIZE, 3)), 0, 1),
        np.clip(flat + roughness, 0.05, 1),
        np.clip(flat + metallic, 0, 1),
    )


# ---- the means of drawing ----


def _at() -> tuple[Array, Array]:
    """X and y of the pixels' centres, 0 to 1."""
    x, y = np.meshgrid(*[(np.arange(SIZE) + 0.5) / SIZE] * 2)
    return x, y


def _rgb(*colors: tuple[float, float, float]) -> list[Array]:
    return [np.array(c) for c in colors]


def _mix(a: Array | float, b: Array | float, part: Array) -> Array:
    """``a`` where ``part`` is 0, ``b`` where it is 1; colours if either is one."""
    wide = part[..., None] if np.ndim(a) in (1, 3) or np.ndim(b) in (1, 3) else part
    mixed: Array = a * (1 - wide) + b * wide
    return mixed


def _step(low: float, high: float, value: Array) -> Array:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _midpoints(rng: Random, first: int = 6, roughness: float = 0.55) -> Array:
    """Plasma on a torus by midpoint displacement (Fournier et al., 1982), 0 to 1."""
    grid = rng.uniform(-1, 1, (first, first))
    amount = 1.0
    while len(grid) < SIZE:
        amount *= roughness
        n = len(grid)
        fine = np.zeros((2 * n, 2 * n))
        fine[::2, ::2] = grid
        east, south = np.roll(grid, -1, 1), np.roll(grid, -1, 0)
        fine[1::2, 1::2] = (grid + east + south + np.roll(east, -1, 0)) / 4
        fine[1::2, 1::2] += rng.uniform(-amount, amount, (n, n))
        middle = fine[1::2, 1::2]
        fine[::2, 1::2] = (grid + east + middle + np.roll(middle, 1, 0)) / 4
        fine[1::2, ::2] = (grid + south + middle + np.roll(middle, 1, 1)) / 4
        for odd in (fine[::2, 1::2], fine[1::2, ::2]):
            odd += rng.uniform(-amount, amount, odd.shape)
        grid = fine
    grid = grid[:SIZE, :SIZE] if len(grid) == SIZE else _resized(grid)
    return (grid - grid.min()) / np.ptp(grid)


def _resized(grid: Array) -> Array:
    """Periodic resampling by its Fourier series."""
    n = len(grid)
    k = np.fft.fftfreq(n, 1 / n)
    wave = np.exp(2j * np.pi * np.outer((np.arange(SIZE) + 0.5) / SIZE - 0.5 / n, k))
    wave[:, n // 2] = wave[:, n // 2].real if n % 2 == 0 else wave[:, n // 2]
    resized: Array = (wave @ (np.fft.fft2(grid) / n**2) @ wave.T).real
    return resized


def _smoothed(field: Array, times: int) -> Array:
    """That many passes of a binomial kernel."""
    for _ in range(times):
        for axis in (0, 1):
            field = (np.roll(field, 1, axis) + 2 * field + np.roll(field, -1, axis)) / 4
    return field


def _spheres(x: Array, y: Array, z: Array, radius: Array) -> tuple[Array, NDArray[np.intp]]:
    """The upper envelope of balls on a torus: heights and which ball; 0 and -1 where none is.

    Centres 0 to 1 across, z and radius in units of the tile.
    """
    height, which = np.zeros((SIZE, SIZE)), np.full((SIZE, SIZE), -1)
    for i in range(len(x)):
        reach = int(np.ceil(radius[i] * SIZE)) + 1
        around = np.arange(-reach, reach + 1)
        column, row = int(x[i] * SIZE), int(y[i] * SIZE)
        dx = (column + around + 0.5) / SIZE - x[i]
        dy = (row + around + 0.5) / SIZE - y[i]
        inside = radius[i] ** 2 - dx[None] ** 2 - dy[:, None] ** 2
        top = np.where(inside > 0, z[i] + np.sqrt(np.maximum(inside, 0)), 0)
        at = np.ix_((row + around) % SIZE, (column + around) % SIZE)
        higher = (inside > 0) & (top > height[at])
        height[at] = np.where(higher, top, height[at])
        which[at] = np.where(higher, i, which[at])
    return height, which


# ---- the materials ----


def _coral(rng: Random) -> Truth:
    """Ridges of a reaction-diffusion (J. Pearson, 1993)."""
    n = 128
    u, v = np.ones((n, n)), (rng.random((n, n)) < 0.06) * 0.6
    u -= v / 2
    for _ in range(3200):
        reaction = u * v * v
        lap_u, lap_v = (
            sum(np.roll(w, s, a) for s in (1, -1) for a in (0, 1)) - 4 * w for w in (u, v)
        )
        u, v = (
            u + 0.16 * lap_u - reaction + 0.037 * (1 - u),
            v + 0.08 * lap_v + reaction - 0.097 * v,
        )
    ridge = _resized(v / v.max())
    grain = _midpoints(rng, 24)
    sand, rose = _rgb((0.80, 0.66, 0.52), (0.74, 0.38, 0.34))
    tint = _mix(sand, rose, _step(0.2, 0.8, ridge)) * (0.8 + 0.3 * grain[..., None])
    return _truth(ridge + 0.05 * grain, 22, tint, 0.95 - 0.2 * ridge)


def _truchet(rng: Random) -> Truth:
    """Glazed tiles with raised arcs in two random turns (S. Truchet, 1704)."""
    x, y = _at()
    cells = 6
    turn = rng.integers(0, 2, (cells, cells))
    u, v = x * cells % 1, y * cells % 1
    u = np.where(turn[(y * cells).astype(int), (x * cells).astype(int)] == 1, 1 - u, u)
    arc = np.minimum(np.abs(np.hypot(u, v) - 0.5), np.abs(np.hypot(1 - u, 1 - v) - 0.5))
    rope = np.sqrt(np.maximum(0.15**2 - arc**2, 0))
    edge = np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v))
    joint = 1 - _step(0.01, 0.05, edge)
    glaze, cobalt, grout = _rgb((0.86, 0.84, 0.76), (0.10, 0.20, 0.48), (0.42, 0.40, 0.38))
    tint = _mix(_mix(glaze, cobalt, _step(0.02, 0.12, rope)), grout, joint)
    uneven = _midpoints(rng, 6)
    return _truth(
        rope - 0.12 * joint + 0.03 * uneven,
        15,
        tint * (0.92 + 0.1 * uneven[..., None]),
        _mix(0.12 + 0.1 * uneven, 0.9, joint),
    )


def _chainmail(rng: Random) -> Truth:
    """Interlinked steel rings over felt."""
    rows, turns = 8, 64
    xs, ys, zs = [], [], []
    for row in range(rows):
        for column in range(rows):
            angle = np.linspace(0, 2 * np.pi, turns, endpoint=False)
            lean = 0.35 if row % 2 else -0.35
            xs.append(((column + 0.5 * (row % 2)) / rows + 0.078 * np.cos(angle)) % 1)
            ys.append((row / rows + 0.078 * np.sin(angle) * np.cos(lean)) % 1)
            zs.append(0.045 + 0.078 * np.sin(angle) * np.sin(lean))
    x, y, z = (np.concatenate(c) for c in (xs, ys, zs))
    height, which = _spheres(x, y, z, np.full(len(x), 0.018))
    steel = which >= 0
    worn = _midpoints(rng, 12)
    felt = _midpoints(rng, 96, 0.8)
    grey, black = _rgb((0.60, 0.59, 0.57), (0.07, 0.07, 0.09))
    tint = _mix(black * (0.7 + 0.6 * felt[..., None]), grey * (0.85 + 0.2 * worn[..., None]), steel)
    return _truth(
        _smoothed(height + 0.004 * felt * ~steel, 1),
        27,
        tint,
        _mix(0.95, 0.22 + 0.25 * worn, steel),
        steel.astype(float),
    )


def _guilloche(rng: Random) -> Truth:
    """Rosettes of a turning lathe in brass."""
    x, y = _at()
    height, band = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    for row in range(2):
        for column in range(2):
            dx, dy = x - (column + 0.5) / 2, y - (row + 0.5) / 2
            r, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
            inside = (abs(dx) <= 0.25) & (abs(dy) <= 0.25)
            petals = 9 + 3 * row + 2 * column
            wave = np.cos(2 * np.pi * (r * 42 + 0.55 * np.cos(petals * angle)))
            rim = _step(0.0, 0.01, 0.235 - r)
            height = np.where(inside, rim * wave + (1 - rim) * 1.1, height)
            band = np.where(inside, rim, band)
    grime = _midpoints(rng, 8)
    brass, dark = _rgb((0.78, 0.62, 0.30), (0.45, 0.32, 0.14))
    tint = _mix(brass, dark, _step(0.3, 0.9, grime) * _step(0.2, -0.8, -height) * 0.6)
    return _truth(height, 19, tint, _mix(0.42, 0.16, band) + 0.25 * grime, 1.0)


def _knurl(rng: Random) -> Truth:
    """A knurled steel grip, its red paint worn off the points."""
    x, y = _at()
    fold = [abs(((14 * x + s * 10 * y) % 1) - 0.5) * 2 for s in (1, -1)]
    points = np.minimum(np.minimum(*fold), 0.8)
    chips = _midpoints(rng, 10, 0.7)
    bare = _step(0.42, 0.5, 0.6 * points + 0.55 * chips - 0.1)
    steel, red = _rgb((0.62, 0.62, 0.64), (0.62, 0.07, 0.06))
    return _truth(
        _smoothed(points, 1) - 0.04 * bare,
        24,
        _mix(red * (0.8 + 0.3 * chips[..., None]), steel, bare),
        _mix(0.45, 0.25 + 0.2 * chips, bare),
        bare,
    )


def _hammered(rng: Random) -> Truth:
    """A copper sheet struck many times, verdigris in its pits."""
    x, y = _at()
    height = np.zeros((SIZE, SIZE))
    for _ in range(420):
        cx, cy, reach = rng.random(), rng.random(), rng.uniform(0.035, 0.08)
        dx, dy = (x - cx + 0.5) % 1 - 0.5, (y - cy + 0.5) % 1 - 0.5
        near = (dx * dx + dy * dy) / reach**2
        bowl = height[int(cy * SIZE), int(cx * SIZE)] - 0.3 * reach * (1 - near)
        height = np.where(near < 1, np.minimum(height, bowl), height)
    height = _smoothed(height, 2)
    low = height - _smoothed(height, 120)
    green = _step(0.45, 0.62, 0.5 - low / np.ptp(low) + 0.5 * (_midpoints(rng, 8, 0.7) - 0.5))
    copper, verdigris = _rgb((0.78, 0.45, 0.33), (0.32, 0.58, 0.50))
    worn = _midpoints(rng, 16)
    return _truth(
        height,
        16,
        _mix(copper * (0.85 + 0.2 * worn[..., None]), verdigris, green),
        _mix(0.2 + 0.15 * worn, 0.9, green),
        1 - green,
    )


def _phyllotaxis(rng: Random) -> Truth:
    """A sunflower's seeds on a spiral of golden angles (H. Vogel, 1979)."""
    count = 420
    n = np.arange(count) + 0.5
    angle, r = n * np.pi * (3 - np.sqrt(5)), 0.72 * np.sqrt(n / count)
    x, y = 0.5 + r * np.cos(angle), 0.5 + r * np.sin(angle)
    kept = (abs(x - 0.5) < 0.52) & (abs(y - 0.5) < 0.52)
    x, y = x[kept] % 1, y[kept] % 1
    height, which = _spheres(x, y, np.zeros(len(x)), np.full(len(x), 0.031))
    shade = rng.uniform(0, 1, len(x) + 1)[which]
    stripes = _midpoints(rng, 48, 0.7)
    black, straw, pith = _rgb((0.13, 0.10, 0.09), (0.70, 0.62, 0.44), (0.30, 0.22, 0.10))
    hull = _mix(black, straw, _step(0.45, 0.6, 0.6 * stripes + 0.4 * shade))
    seed = (which >= 0).astype(float)
    return _truth(
        _smoothed(height, 2), 24, _mix(pith, hull, seed), _mix(0.9, 0.42 + 0.2 * stripes, seed)
    )


def _dunes(rng: Random) -> Truth:
    """Wind ripples of hopping and creeping sand (H. Nishimori and N. Ouchi, 1993)."""
    n = 192
    height = rng.uniform(0, 1, (n, n))
    rows = np.arange(n)[:, None]
    for _ in range(260):
        hop = np.round(5.5 + 1.2 * (height - height.mean())).astype(int)
        moved = np.zeros_like(height)
        np.add.at(
            moved, (np.broadcast_to(rows, hop.shape), (np.arange(n) + np.maximum(hop, 1)) % n), 0.12
        )
        height = height - 0.12 + moved
        near = sum(np.roll(height, s, a) for s in (1, -1) for a in (0, 1)) / 6
        far = sum(np.roll(height, (s, t), (0, 1)) for s in (1, -1) for t in (1, -1)) / 12
        height += 0.3 * (near + far - height)
    ripple = _resized(height)
    grain = _midpoints(rng, 192, 0.9)
    light, dark = _rgb((0.80, 0.68, 0.48), (0.55, 0.42, 0.28))
    coarse = _step(0.35, 0.75, (ripple - ripple.min()) / np.ptp(ripple))
    tint = _mix(dark, light, coarse) * (0.85 + 0.25 * grain[..., None])
    return _truth(ripple / np.ptp(ripple) + 0.03 * grain, 15, tint, 0.85 + 0.12 * grain)


def _creases(rng: Random, folds: int) -> Array:
    """A sheet folded along many straight lines of a torus, each fold shifting the next."""
    x, y = _at()
    height = np.zeros((SIZE, SIZE))
    for i in range(folds):
        k = rng.integers(-3, 4, 2) * (1 + i // 6)
        phase = k[0] * x + k[1] * y + rng.random() + 0.12 * height
        height += np.abs((phase % 1) - 0.5) * rng.uniform(0.4, 1) / (1 + np.abs(k).sum())
    return height


def _paper(rng: Random) -> Truth:
    """Crumpled wrapping paper with printed rings."""
    x, y = _at()
    rings = np.hypot((x * 5) % 1 - 0.5, (y * 5) % 1 - 0.5)
    print_ = _step(0.02, 0.0, abs(rings - 0.3) - 0.06)
    kraft, ink = _rgb((0.72, 0.55, 0.38), (0.16, 0.36, 0.30))
    fibre = _midpoints(rng, 96, 0.8)
    tint = _mix(kraft, ink, print_) * (0.88 + 0.2 * fibre[..., None])
    return _truth(_smoothed(_creases(rng, 16), 1), 18, tint, _mix(0.82, 0.6, print_))


def _foil(rng: Random) -> Truth:
    """Crumpled aluminium."""
    haze = _midpoints(rng, 6)
    sheet = _smoothed(_creases(rng, 22), 1)
    tint = np.array([0.86, 0.86, 0.87]) * (0.94 + 0.06 * haze[..., None])
    return _truth(sheet, 15, tint, 0.14 + 0.22 * haze, 1.0)


def _eroded(rng: Random) -> Truth:
    """Sandstone cut by running water: stream power by drainage area, then slumping."""
    n = 192
    height = _midpoints(rng, 6, 0.6)[::2, ::2] * 40
    hard = _midpoints(rng, 6, 0.6)[::2, ::2]
    shifts = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]
    for _ in range(14):
        drops = [(height - np.roll(height, s, (0, 1))) / np.hypot(*s) for s in shifts]
        steepest = np.argmax(drops, 0)
        slope = np.maximum(np.max(drops, 0), 0)
        area = np.ones((n, n))
        order = np.argsort(-height, axis=None)
        for at in order:
            row, column = divmod(int(at), n)
            if slope[row, column] > 0:
                down, across = shifts[steepest[row, column]]
                area[(row - down) % n, (column - across) % n] += area[row, column]
        height -= np.minimum(0.25 * np.sqrt(area) * slope * (1.2 - hard), 0.5 * slope)
        height += 0.12 * (_smoothed(height, 1) - height)
    deep = np.log(area)
    layers = 0.5 + 0.5 * np.sin(_resized(height) * 0.9)
    rust, cream, grey = _rgb((0.60, 0.32, 0.20), (0.80, 0.66, 0.48), (0.42, 0.38, 0.35))
    tint = _mix(_mix(rust, cream, layers), grey, _step(0.5, 1.0, _resized(deep) / deep.max()))
    return _truth(_resized(height), 25, tint, 0.92 - 0.1 * layers)


def _lichen(rng: Random) -> Truth:
    """Lichen grown over slate by the weakest neighbour first (invasion percolation)."""
    n = 192
    weight = rng.random((n, n)) + 0.7 * _midpoints(rng, 12)[::2, ::2]
    grown = np.zeros((n, n))
    edge = [(0.0, int(a), int(b)) for a, b in rng.integers(0, n, (14, 2))]
    taken = {(a, b) for _, a, b in edge}
    for age in range(n * n // 3):
        _, a, b = heapq.heappop(edge)
        grown[a, b] = 1 - age / (n * n / 3) * 0.6
        for da, db in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            near = ((a + da) % n, (b + db) % n)
            if near not in taken:
                taken.add(near)
                heapq.heappush(edge, (weight[near], *near))
    crust = np.clip(_resized(_smoothed(grown, 1)), 0, 1)
    cleft = _midpoints(rng, 6, 0.62)
    x, y = _at()
    cleft = cleft + 0.2 * np.floor(cleft * 9 + y) / 9
    slate, pale, gold = _rgb((0.23, 0.26, 0.29), (0.66, 0.70, 0.60), (0.76, 0.58, 0.18))
    plant = _mix(pale, gold, _step(0.4, 0.6, _midpoints(rng, 6)))
    cover = _step(0.15, 0.35, crust)
    tint = _mix(slate * (0.8 + 0.4 * cleft[..., None]), plant, cover)
    return _truth(cleft + 0.12 * crust, 16, tint, _mix(0.48, 0.95, cover))


def _cords(rng: Random) -> Truth:
    """Stocking stitch of thick yarn: each loop a closed curve through its neighbours."""
    columns, rows = 7, 9
    t = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    xs, ys, zs, tone = [], [], [], []
    for row in range(rows):
        for column in range(columns):
            xs.append(((column + 0.5 + 0.30 * np.sin(t) + 0.16 * np.sin(2 * t)) / columns) % 1)
            ys.append(((row + 0.5 - 0.72 * np.cos(t)) / rows) % 1)
            zs.append(0.03 + 0.016 * np.cos(2 * t))
            tone.append(np.full(90, rng.random()))
    x, y, z = (np.concatenate(c) for c in (xs, ys, zs))
    height, which = _spheres(x, y, z, np.full(len(x), 0.020))
    shade = np.concatenate(tone)[which]
    fuzz = _midpoints(rng, 96, 0.85)
    wool, moss = _rgb((0.56, 0.20, 0.24), (0.70, 0.42, 0.36))
    tint = _mix(wool, moss, 0.7 * shade + 0.3 * fuzz) * (0.8 + 0.25 * fuzz[..., None])
    return _truth(_smoothed(height, 1) + 0.004 * fuzz, 27, tint, 0.9 + 0.08 * fuzz)


def _cloisonne(rng: Random) -> Truth:
    """Enamel between the brass walls of a maze (depth-first, on a torus)."""
    n = 12
    open_ = np.zeros((2 * n, 2 * n), bool)
    stack, seen = [(0, 0)], {(0, 0)}
    open_[0, 0] = True
    while stack:
        a, b = stack[-1]
        ways = [
            (da, db)
            for da, db in ((0, 1), (1, 0), (0, -1), (-1, 0))
            if ((a + da) % n, (b + db) % n) not in seen
        ]
        if not ways:
            stack.pop()
            continue
        da, db = ways[rng.integers(len(ways))]
        c, d = (a + da) % n, (b + db) % n
        open_[(2 * a + da) % (2 * n), (2 * b + db) % (2 * n)] = open_[2 * c, 2 * d] = True
        seen.add((c, d))
        stack.append((c, d))
    wall = 1 - _smoothed(np.kron(open_, np.ones((SIZE // (2 * n),) * 2)).astype(float), 6)
    brass_ = _step(0.42, 0.55, wall)
    cell = _step(0.35, 0.6, _midpoints(rng, 6))
    blue, green, brass = _rgb((0.08, 0.22, 0.50), (0.12, 0.48, 0.40), (0.80, 0.62, 0.32))
    pits = _midpoints(rng, 48, 0.8)
    return _truth(
        _step(0.2, 0.8, wall) + 0.06 * pits * (1 - brass_),
        17,
        _mix(_mix(blue, green, cell), brass, brass_),
        _mix(0.12 + 0.08 * pits, 0.35 + 0.2 * pits, brass_),
        brass_,
    )


_GLYPHS = {  # five columns of seven bits, lowest bit on top
    "A": (124, 18, 17, 18, 124),
    "E": (127, 73, 73, 73, 65),
    "R": (127, 9, 25, 41, 70),
    "T": (1, 1, 127, 1, 1),
    "N": (127, 4, 8, 16, 127),
    "O": (62, 65, 65, 65, 62),
    "S": (38, 73, 73, 73, 50),
    "8": (54, 73, 73, 73, 54),
    "3": (34, 65, 73, 73, 54),
}


def _castings(rng: Random) -> Truth:
    """Cast iron plates with raised letters, rust spreading by a cellular automaton."""
    cells = np.zeros((48, 48), bool)
    for line in range(6):
        for column in range(8):
            bits = _GLYPHS["AERTNOS83"[rng.integers(9)]]
            glyph = np.array([[bit >> row & 1 for bit in bits] for row in range(7)], bool)
            cells[8 * line : 8 * line + 7, 6 * column : 6 * column + 5] = glyph
    raised = _smoothed(np.kron(cells, np.ones((8, 8))).astype(float), 5)
    rust = rng.random((96, 96)) < 0.47
    for _ in range(6):
        near = sum(
            np.roll(rust, (a, b), (0, 1)).astype(int) for a in (-1, 0, 1) for b in (-1, 0, 1)
        )
        rust = near >= 5
    rusty = _step(0.4, 0.6, np.clip(_resized(_smoothed(rust.astype(float), 1)), 0, 1))
    rusty = rusty * (1 - 0.8 * _step(0.6, 0.9, raised))
    sand = _midpoints(rng, 96, 0.8)
    iron, orange = _rgb((0.36, 0.36, 0.37), (0.44, 0.22, 0.10))
    tint = _mix(iron, orange * (0.6 + 0.8 * sand[..., None]), rusty)
    height = raised + 0.1 * sand * (0.4 + rusty)
    return _truth(height, 19, tint, _mix(0.38 + 0.1 * sand, 0.93, rusty), 1 - rusty)


def _bubbles(rng: Random) -> Truth:
    """Domes of a random packing in glossy plastic film."""
    x, y, radius = np.zeros(0), np.zeros(0), np.zeros(0)
    for _ in range(4000):
        cx, cy = rng.random(2)
        d = np.hypot((x - cx + 0.5) % 1 - 0.5, (y - cy + 0.5) % 1 - 0.5) - radius
        room = min(d.min(initial=0.06), 0.06)
        if room > 0.012:
            x, y, radius = np.append(x, cx), np.append(y, cy), np.append(radius, room * 0.96)
    height, which = _spheres(x, y, -0.35 * radius, radius)
    dome = (which >= 0).astype(float)
    hue = rng.random(len(x) + 1)[which]
    teal, plum, base = _rgb((0.10, 0.42, 0.44), (0.44, 0.16, 0.36), (0.62, 0.62, 0.60))
    scuff = _midpoints(rng, 24, 0.7)
    tint = _mix(base, _mix(teal, plum, _step(0.45, 0.55, hue)), dome)
    return _truth(_smoothed(height, 2), 20, tint, _mix(0.6, 0.1, dome) + 0.2 * scuff)


FAMILIES: dict[str, Callable[[Random], Truth]] = {
    "coral": _coral,
    "truchet": _truchet,
    "chainmail": _chainmail,
    "guilloche": _guilloche,
    "knurl": _knurl,
    "hammered": _hammered,
    "phyllotaxis": _phyllotaxis,
    "dunes": _dunes,
    "paper": _paper,
    "foil": _foil,
    "eroded": _eroded,
    "lichen": _lichen,
    "cords": _cords,
    "cloisonne": _cloisonne,
    "castings": _castings,
    "bubbles": _bubbles,
}
