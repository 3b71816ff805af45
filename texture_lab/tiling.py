# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that repeat, of images that do not.

A tile is cut shorter than its source, by a period at which the source looks most like itself; what
is left over goes on beyond the tile's end, and is laid over its beginning. So the pixels on both
sides of the seam were neighbours in the source. Where one picture passes into the other:

- *cut*: along the way of least difference, for structure (A. Efros and W. Freeman, "Image
  Quilting", 2001), which starts and ends alike, so that it repeats, too.
- *blend*: gradually, for what is random; variance is kept by blending Gaussian values (E. Heitz
  and F. Neyret, "High-Performance By-Example Noise using a Histogram-Preserving Blending
  Operator", 2018).

All maps of a material are cut alike.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .tiling_metric import TilingReport, measure

Maps = Mapping[str, NDArray[np.floating[Any]]]
Array = NDArray[np.float32]
Method = Literal["auto", "cut", "blend"]

SMALLEST = 64
"""Rows and columns that a source has at least."""
_STRIP = 0.25
"""Greatest width of the overlap, in parts of the source."""
_LEAST = 0.55
"""Least length of a tile, in parts of the source."""
_TRIED, _APART = 3, 6
"""Periods that are tried, and how far they lie apart where they are searched."""
_STARTS = 32
"""Columns that a cut which ends where it began is begun at: the work grows with them."""
_RANDOM = 0.5
"""From this difference on, in parts of that of unrelated pixels, a cut finds no way through."""


@dataclass(frozen=True)
class Tile:
    """Maps that repeat.

    Attributes:
        maps: by name, (rows, columns) or (rows, columns, channels) float32, smaller than
            those they were made of.
        methods: what was done between columns, and between rows.
        report: how well the first map repeats.
    """

    maps: dict[str, Array]
    methods: tuple[str, str]
    report: TilingReport


def make_tile(maps: Maps, method: Method = "auto", vectors: Container[str] = ()) -> Tile:
    """Make maps of one material repeat in both directions.

    The periods that look best are tried until a tile repeats well; else the best of them is it.

    Args:
        maps: of equal rows and columns; the first one is measured.
        method: how; ``auto`` cuts wherever a cut finds a way.
        vectors: names of the maps (rows, columns, 3) whose values are unit vectors, and stay so.

    Raises:
        StagewrightError: ``tile-shape`` for maps that differ in size or are too small.
    """
    shapes = {image.shape[:2] for image in maps.values()}
    if len(shapes) != 1 or min(next(iter(shapes))) < SMALLEST:
        raise StagewrightError(
            "tile-shape",
            f"Maps of {', '.join(f'{w} x {h}' for h, w in sorted(shapes))} pixels make no tile.",
            f"Give maps of one size, at least {SMALLEST} pixels each way.",
        )
    widths = [1 if image.ndim == 2 else image.shape[2] for image in maps.values()]
    stack = np.concatenate(
        [np.asarray(m, np.float32).reshape(*m.shape[:2], -1) for m in maps.values()], axis=2
    )
    source = stack[:, :, : widths[0]]
    best: tuple[float, Array, tuple[str, str], TilingReport] | None = None
    for rows, methods in _tiles(stack, method):
        report = measure(rows[:, :, : widths[0]], source)
        if best is None or report.fault < best[0]:
            best = report.fault, rows, methods, report
        if report.is_seamless:
            break
    assert best is not None
    _, rows, methods, report = best
    parts = np.split(rows, np.cumsum(widths)[:-1].tolist(), axis=2)
    made = {
        name: np.ascontiguousarray(
            part[:, :, 0] if image.ndim == 2 else _unit(part) if name in vectors else part
        )
        for (name, image), part in zip(maps.items(), parts, strict=True)
    }
    return Tile(made, methods, report)


def _unit(vectors: Array) -> Array:
    """Vectors of length one, along z where they have none."""
    length = np.linalg.norm(vectors, axis=2, keepdims=True)
    up = np.array([0.0, 0.0, 1.0], np.float32)
    return np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), up).astype(np.float32)


def _tiles(stack: Array, method: Method) -> Iterator[tuple[Array, tuple[str, str]]]:
    """Tiles by the best periods first."""
    for length, overlap in _periods(_even(stack)):
        columns, first = _wrap(stack, length, overlap, method, cyclic=False)
        turned = columns.transpose(1, 0, 2)
        for height, below in _periods(_even(turned)):
            rows, second = _wrap(turned, height, below, method, cyclic=True)
            yield rows.transpose(1, 0, 2), (first, second)


def _even(stack: Array) -> Array:
    """Every channel by its own spread, so that all count alike."""
    spread = stack.reshape(-1, stack.shape[2]).std(axis=0)
    return np.divide(stack, np.where(spread > 1e-6, spread, 1.0), dtype=np.float32)


def _wrap(
    stack: Array, length: int, overlap: int, method: Method, *, cyclic: bool
) -> tuple[Array, str]:
    """Make (rows, columns, channels) repeat from column to column.

    Args:
        stack: the maps.
        length: columns of the tile.
        overlap: columns beyond it that are laid over its beginning.
        method: how.
        cyclic: whether it repeats from row to row already, and has to go on doing so.
    """
    even = _even(stack)
    ahead, start = even[:, length : length + overlap], even[:, :overlap]
    cost = ((ahead - start) ** 2).mean(axis=2)
    # What lies on the seam itself goes on from the tile's end.
    cost[:, : overlap // 8] = np.float32(1e6)
    way = _least_way(cost, cyclic=cyclic)
    rows = np.arange(len(way))
    # Twice its variance is what two unrelated pixels of an image differ by.
    share = float(cost[rows, way].mean()) / (2.0 * float(even.var(axis=(0, 1)).mean()) or 1.0)
    chosen = method if method != "auto" else ("blend" if share > _RANDOM else "cut")
    made = stack[:, :length].copy()
    beyond, own = stack[:, length : length + overlap], stack[:, :overlap]
    if chosen == "cut":
        before = np.arange(overlap)[None, :] < way[:, None]
        made[:, :overlap] = np.where(before[:, :, None], beyond, own)
    else:
        made[:, :overlap] = _blended(beyond, own, stack)
    return made, chosen


def _periods(even: Array) -> list[tuple[int, int]]:
    """Lengths of the tile and widths of the overlap at which both ends look most alike.

    Searched on fewer pixels first, then around each of the best that lie apart.
    """
    count = even.shape[1]
    overlap = max(SMALLEST // 4, int(_STRIP * count))
    step = max(1, count // 256)
    coarse = even[::step, ::step]
    low, high = int(_LEAST * count), count - overlap
    ends = {
        e: _difference(coarse, e, overlap // step) for e in range(low // step, high // step + 1)
    }
    found: list[int] = []
    for end in sorted(ends, key=lambda e: ends[e]):
        if all(abs(end - other) > _APART for other in found):
            found.append(end)
        if len(found) == _TRIED:
            break
    return [(_refined(even, end * step, overlap, step, (low, high)), overlap) for end in found]


def _refined(even: Array, end: int, overlap: int, step: int, limits: tuple[int, int]) -> int:
    low, high = limits
    near = range(max(low, end - step), min(high, end + step) + 1)
    return min(near, key=lambda each: _difference(even, each, overlap))


def _difference(even: Array, end: int, overlap: int) -> float:
    width = min(overlap, even.shape[1] - end)
    return float(((even[:, end : end + width] - even[:, :width]) ** 2).mean())


def _least_way(cost: Array, *, cyclic: bool) -> NDArray[np.int64]:
    """The column of each row on the way of least cost from the first row to the last.

    It moves by one column at most. A ``cyclic`` one ends where it began: the best way of those
    from `_STARTS` columns, which is all of them where there are no more.
    """
    count = cost.shape[1]
    if not cyclic:
        return _way(cost, np.zeros((1, count), np.float32))[0]
    columns = np.unique(np.rint(np.linspace(0, count - 1, min(count, _STARTS))).astype(int))
    closed = np.full((len(columns), count), np.inf, np.float32)
    closed[np.arange(len(columns)), columns] = 0.0
    ways = _way(cost, closed, ends=columns)
    rows = np.arange(len(cost))
    return min(ways, key=lambda way: float(cost[rows, way].sum()))


def _way(cost: Array, start: Array, ends: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Ways (k, rows) through ``cost`` (rows, columns).

    Args:
        cost: of each pixel.
        start: (k, columns), what it costs each way to begin there.
        ends: (k,) columns where they end; the cheapest ones if None.
    """
    total = start + cost[0]
    moves = np.empty((len(cost), *total.shape), np.int8)
    for row in range(1, len(cost)):
        padded = np.pad(total, ((0, 0), (1, 1)), constant_values=np.inf)
        three = np.stack([padded[:, :-2], total, padded[:, 2:]])
        move = three.argmin(axis=0)
        moves[row] = move - 1
        total = np.take_along_axis(three, move[None], axis=0)[0] + cost[row]
    here = total.argmin(axis=1) if ends is None else ends
    found = np.empty((len(total), len(cost)), np.int64)
    each = np.arange(len(total))
    for row in range(len(cost) - 1, -1, -1):
        found[:, row] = here
        if row:
            here = here + moves[row, each, here]
    return found


def _blended(beyond: Array, own: Array, source: Array) -> Array:
    """From ``beyond`` to ``own``, with the histogram of ``source`` all along."""
    t = np.linspace(0.0, 1.0, beyond.shape[1] + 2, dtype=np.float32)[1:-1]
    t = t * t * (3 - 2 * t)
    ours, theirs = t[None, :], 1 - t[None, :]
    norm = np.sqrt(ours**2 + theirs**2)
    made = np.empty_like(own)
    for channel in range(own.shape[2]):
        levels = np.sort(source[:, :, channel], axis=None)
        mixed = theirs * _gaussian(beyond[:, :, channel], levels)
        mixed += ours * _gaussian(own[:, :, channel], levels)
        made[:, :, channel] = _values(mixed / norm, levels)
    return made


_BINS = 4096
_NORMAL = NormalDist()
_QUANTILES = np.array([_NORMAL.inv_cdf((k + 0.5) / _BINS) for k in range(_BINS)], np.float32)


def _gaussian(values: Array, levels: Array) -> Array:
    """Values by their rank among ``levels``, as those of a normal distribution."""
    low = np.searchsorted(levels, values, "left")
    high = np.searchsorted(levels, values, "right")
    rank = (low + high) / (2.0 * len(levels))  # the middle one of equal values
    return np.interp(rank, (np.arange(_BINS) + 0.5) / _BINS, _QUANTILES).astype(np.float32)


def _values(gaussian: NDArray[np.floating[Any]], levels: Array) -> Array:
    """The other way round."""
    rank = np.interp(gaussian, _QUANTILES, (np.arange(_BINS) + 0.5) / _BINS)
    return np.interp(rank * len(levels) - 0.5, np.arange(len(levels)), levels).astype(np.float32)
