# SPDX-License-Identifier: GPL-3.0-or-later
"""Images filled with patches of themselves: where each missing pixel is copied from.

From coarse to fine, every patch that touches what is missing looks for its nearest neighbour
among the whole ones (C. Barnes et al., "PatchMatch", 2009), and what is missing becomes the mean
of what the neighbours say of it (Y. Wexler et al., "Space-Time Completion of Video", 2007). In the
end each pixel is copied from the middle of its own neighbour, not averaged: nothing blurs, and
all maps of a material can be filled alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from ..jobs.threads import share

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
Places = NDArray[np.int32]

RADIUS = 3
"""Of the patches, which are squares of 2 * RADIUS + 1 pixels."""
_SMALLEST = 24
"""Rows and columns of the coarsest level, about."""
_ROUNDS = 4
"""Times that neighbours and pixels are found in turns on the coarsest level; less on finer ones."""
_STRIP = 1 << 13
"""Patches compared at a time."""
_OFFSETS = [(y, x) for y in range(-RADIUS, RADIUS + 1) for x in range(-RADIUS, RADIUS + 1)]


@dataclass(frozen=True)
class _Level:
    """One size of the image, with a border of RADIUS pixels around it.

    Args:
        image: (rows + 2 RADIUS, columns + 2 RADIUS, channels), what is being filled.
        hole: what is missing, without the border.
        todo: middles of patches that touch what is missing.
        source: where patches come from, with a border as well.
        whole: middles of patches there that miss nothing.
        wraps: whether both go on at their other sides.
        number: 0 for the finest.
    """

    image: Image
    hole: Mask
    todo: Mask
    source: Image
    whole: Mask
    wraps: bool
    number: int

    @property
    def inner(self) -> Image:
        """The image without its border."""
        rows, columns = self.hole.shape
        return self.image[RADIUS : RADIUS + rows, RADIUS : RADIUS + columns]

    @property
    def inner_source(self) -> Image:
        """The source without its border."""
        rows, columns = self.whole.shape
        return self.source[RADIUS : RADIUS + rows, RADIUS : RADIUS + columns]


def fill(image: Image, hole: Mask, *, wraps: bool = False, seed: int = 0) -> Job[Places]:
    """Where each pixel of a filled image comes from.

    Args:
        image: (rows, columns, channels), 0 to 1; what is in the hole does not matter.
        hole: (rows, columns), True where pixels are missing.
        wraps: whether the image repeats, and has to go on doing so.
        seed: another one is another filling.

    Returns:
        (rows, columns, 2) int32: row and column of the source; a known pixel is its own.

    Raises:
        StagewrightError: ``nothing-known``: too little is left to take patches from.
    """
    levels = [
        _level(each, missing, each, missing, wraps, number)
        for number, (each, missing) in enumerate(_pyramid(image, hole))
    ]
    random = np.random.default_rng([seed, *hole.shape])
    places = yield from _filled(levels, random)
    return np.where(hole[:, :, None], places, _own_places(hole.shape)).astype(np.int32)


def rearrange(image: Image, strength: float, *, wraps: bool = False, seed: int = 0) -> Job[Places]:
    """Where each pixel of another piece of the same texture comes from.

    Args:
        image: (rows, columns, channels), 0 to 1.
        strength: 0 to 1, how far things may move: all over the image at 1.
        wraps: whether the image repeats; the other piece does, too, then.
        seed: another one is another piece.

    Returns:
        As :func:`fill`.
    """
    everything = np.ones(image.shape[:2], bool)
    sizes = _pyramid(image, ~everything)
    levels = [
        _level(each, np.ones(known.shape, bool), each, known, wraps, number)
        for number, (each, known) in enumerate(sizes)
    ]
    random = np.random.default_rng([seed, *everything.shape])
    shape = levels[-1].hole.shape
    reach = np.array(shape) * (strength / 2)
    moved = _own_places(shape) + random.uniform(-1, 1, (*shape, 2)) * reach
    limits = np.array(shape)
    start = (moved % limits if wraps else np.clip(moved, 0, limits - 1)).astype(np.int32)
    lost = ~levels[-1].whole[start[:, :, 0], start[:, :, 1]]
    start[lost] = _any_of(levels[-1], random, int(lost.sum()))
    return (yield from _filled(levels, random, start))


def _filled(
    levels: Sequence[_Level], random: np.random.Generator, places: Places | None = None
) -> Job[Places]:
    """Places for the finest level, from those of the coarsest one where they are given."""
    total = sum(int(level.hole.sum()) for level in levels) or 1
    done = 0
    begun = False
    for level in reversed(levels):
        if not level.whole.any():
            continue  # A coarser hole is larger: there may be enough on a finer level.
        yield Progress("patches.fill", done / total, f"Filling {level.hole.shape[1]} columns")
        if begun:
            assert places is not None
            places = _finer(places, level, random)
        elif places is None:
            places = _any_of(level, random, level.hole.size).reshape(*level.hole.shape, 2)
        begun = True
        _show(level, taken(level.inner_source, places)[level.hole])
        for _ in range(min(_ROUNDS, level.number + 1)):
            places = _searched(level, places, random)
            _vote(level, places)
            yield Progress("patches.fill", done / total, f"Filling {level.hole.shape[1]} columns")
        places = _searched(level, places, random)
        done += int(level.hole.sum())
    if places is None or not begun:
        raise StagewrightError(
            "nothing-known",
            "Too little of the image is left to fill the rest with.",
            "Mark less of it, or give a larger image.",
        )
    return places


def _own_places(shape: tuple[int, ...]) -> Places:
    grid = np.meshgrid(*(np.arange(length) for length in shape), indexing="ij")
    return np.stack(grid, 2).astype(np.int32)


def taken(values: NDArray[Any], places: Places) -> NDArray[Any]:
    """A map with each pixel copied from its place."""
    copied: NDArray[Any] = values[places[:, :, 0], places[:, :, 1]]
    return copied


def _pyramid(image: Image, hole: Mask) -> list[tuple[Image, Mask]]:
    """Halved images, each pixel the mean of the known ones; the finest first."""
    sizes = [(image.astype(np.float32), hole)]
    while min(sizes[-1][1].shape) >= 2 * _SMALLEST:
        fine, missing = sizes[-1]
        rows, columns = (length // 2 * 2 for length in missing.shape)
        known = (~missing[:rows, :columns]).astype(np.float32)[:, :, None]
        folded = (fine[:rows, :columns] * known).reshape(rows // 2, 2, columns // 2, 2, -1)
        weight = known.reshape(rows // 2, 2, columns // 2, 2, 1).sum((1, 3))
        coarse = folded.sum((1, 3)) / np.maximum(weight, 1)
        sizes.append((coarse.astype(np.float32), weight[:, :, 0] < 4))
    return sizes


def _level(
    image: Image, hole: Mask, source: Image, missing: Mask, wraps: bool, number: int
) -> _Level:
    border = ((RADIUS, RADIUS), (RADIUS, RADIUS))
    mode: Any = "wrap" if wraps else "edge"
    if wraps:
        todo, whole = (
            _spread(np.pad(hole, border, mode="wrap")),
            ~_spread(np.pad(missing, border, mode="wrap")),
        )
    else:
        todo = _spread(np.pad(hole, border))
        whole = ~_spread(np.pad(missing, border, constant_values=True))
    filled, given = (np.pad(each, (*border, (0, 0)), mode=mode) for each in (image, source))
    return _Level(filled, hole, todo, given, whole, wraps, number)


def _indices(places: Places, bordered: Image) -> NDArray[np.int64]:
    """Places (n, 2) as indices into the pixels of an image with its border."""
    rows = places[:, 0].astype(np.int64) + RADIUS
    return rows * bordered.shape[1] + places[:, 1] + RADIUS


def _spread(padded: Mask) -> Mask:
    """Whether any pixel of the patch about each one is marked; without the border."""
    rows, columns = (length - 2 * RADIUS for length in padded.shape)
    found = np.zeros((rows, columns), bool)
    for y, x in _OFFSETS:
        found |= padded[RADIUS + y : RADIUS + y + rows, RADIUS + x : RADIUS + x + columns]
    return found


def _any_of(level: _Level, random: np.random.Generator, count: int) -> Places:
    sources = np.argwhere(level.whole).astype(np.int32)
    return sources[random.integers(0, len(sources), count)]


def _finer(coarse: Places, level: _Level, random: np.random.Generator) -> Places:
    """The places of a level of half the size, on this one."""
    rows, columns = level.hole.shape
    y, x = np.arange(rows), np.arange(columns)
    near_y = np.minimum(y // 2, coarse.shape[0] - 1)
    near_x = np.minimum(x // 2, coarse.shape[1] - 1)
    places = 2 * coarse[near_y[:, None], near_x[None, :]]
    places[:, :, 0] += (y - 2 * near_y)[:, None].astype(np.int32)
    places[:, :, 1] += (x - 2 * near_x)[None, :].astype(np.int32)
    for axis, length in enumerate(level.whole.shape):
        np.clip(places[:, :, axis], 0, length - 1, out=places[:, :, axis])
    lost = ~level.whole[places[:, :, 0], places[:, :, 1]]
    places[lost] = _any_of(level, random, int(lost.sum()))
    return places


def _searched(level: _Level, places: Places, random: np.random.Generator) -> Places:
    """Better places: those of the neighbours' neighbours, and ever nearer ones by chance."""
    rows, columns = level.hole.shape
    targets = np.argwhere(level.todo).astype(np.int32)
    best = places.copy()
    own = best[targets[:, 0], targets[:, 1]]
    cost = _distances(level, targets, own)
    fine = level.number == 0  # What is found on the coarser levels is near already.
    for step in (1, 1) if fine else (8, 4, 2, 1):
        for dy, dx in ((0, step), (step, 0), (0, -step), (-step, 0)):
            y, x = targets[:, 0] + dy, targets[:, 1] + dx
            if level.wraps:
                y, x = y % rows, x % columns
                there = level.todo[y, x]
            else:
                there = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
                y, x = np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)
                there &= level.todo[y, x]
            moved = best[y, x] - np.array([dy, dx], np.int32)
            own, cost = _improved(level, targets, own, cost, moved, there)
            best[targets[:, 0], targets[:, 1]] = own
    reach = 8 if fine else max(level.whole.shape) // 2
    while reach >= 1:
        jump = random.integers(-reach, reach + 1, own.shape).astype(np.int32)
        own, cost = _improved(level, targets, own, cost, own + jump, np.ones(len(own), bool))
        reach //= 2
    best[targets[:, 0], targets[:, 1]] = own
    return best


def _improved(
    level: _Level,
    targets: Places,
    own: Places,
    cost: NDArray[np.float32],
    offered: Places,
    there: Mask,
) -> tuple[Places, NDArray[np.float32]]:
    """The places (n, 2) and their costs, with those offered where they are better."""
    rows, columns = level.whole.shape
    if level.wraps:
        offered = offered % np.array([rows, columns], np.int32)
    y, x = offered[:, 0], offered[:, 1]
    fine = there & (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
    fine &= level.whole[np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)]
    fine &= (offered != own).any(1)
    tried = np.flatnonzero(fine)
    found = _distances(level, targets[tried], offered[tried])
    better = found < cost[tried]
    own, cost = own.copy(), cost.copy()
    own[tried[better]], cost[tried[better]] = offered[tried[better]], found[better]
    return own, cost


def _distances(level: _Level, targets: Places, sources: Places) -> NDArray[np.float32]:
    """Squared differences of patches, summed; (n,) float32."""
    channels = level.image.shape[2]
    ours, theirs = level.image.reshape(-1, channels), level.source.reshape(-1, channels)
    first, second = _indices(targets, level.image), _indices(sources, level.source)
    total = np.empty(len(targets), np.float32)

    def work(strips: Iterable[slice]) -> None:
        for at in strips:
            part = np.zeros(len(first[at]), np.float32)
            for y, x in _OFFSETS:
                here = first[at] + (y * level.image.shape[1] + x)
                there = second[at] + (y * level.source.shape[1] + x)
                apart = ours[here] - theirs[there]
                part += np.einsum("nc,nc->n", apart, apart)
            total[at] = part

    share([slice(at, at + _STRIP) for at in range(0, len(targets), _STRIP)], work)
    return total


def _vote(level: _Level, places: Places) -> None:
    """Make what is missing the weighted mean of what the neighbours of its patches say."""
    rows, columns = level.hole.shape
    targets = np.argwhere(level.todo).astype(np.int32)
    own = places[targets[:, 0], targets[:, 1]]
    cost = _distances(level, targets, own)
    weight = np.zeros((rows, columns), np.float32)
    typical = max(float(np.quantile(cost, 0.75)), 1e-12)
    weight[targets[:, 0], targets[:, 1]] = np.exp(-cost / (np.float32(0.5) * typical)) + 1e-6
    missing = np.argwhere(level.hole).astype(np.int32)
    channels = level.source.shape[2]
    pixels, stride = level.source.reshape(-1, channels), level.source.shape[1]
    total = np.zeros((len(missing), channels), np.float32)
    weights = np.zeros(len(missing), np.float32)
    for dy, dx in _OFFSETS:
        y, x = missing[:, 0] + dy, missing[:, 1] + dx
        if level.wraps:
            y, x = y % rows, x % columns
            share_of = weight[y, x]
        else:
            inside = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
            y, x = np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)
            share_of = weight[y, x] * inside
        said = pixels[_indices(places[y, x], level.source) - (dy * stride + dx)]
        total += said * share_of[:, None]
        weights += share_of
    _show(level, total / weights[:, None])


def _show(level: _Level, values: Image) -> None:
    """Put pixels into the hole, in its order, and into the border where it repeats them."""
    level.inner[level.hole] = values
    border = ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0))
    mode: Any = "wrap" if level.wraps else "edge"
    level.image[...] = np.pad(level.inner.copy(), border, mode=mode)
