# SPDX-License-Identifier: GPL-3.0-or-later
"""Noises and layouts against brute force; they repeat, and do not depend on the resolution."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.jobs import threads
from stagewright.texture_lab import layouts
from stagewright.texture_lab.canvas import Canvas
from stagewright.texture_lab.layouts import bricks, herringbone, hexagons, scales, stones, weave


def test_noise_has_unit_deviation_and_its_scale() -> None:
    noise = Canvas(256, 1).noise(1, 8, detail=16)
    assert abs(noise.mean()) < 1e-4 and 0.8 < noise.std() < 1.2
    power = abs(np.fft.fft2(noise)) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256, 1 / 256), np.fft.fftfreq(256, 1 / 256)))
    outside = (frequency < 5.9) | (frequency > 16.1)
    assert power[outside].sum() < 1e-6 * power.sum()


def test_a_larger_picture_shows_the_same_noise() -> None:
    """The waves of one seed at the same places: pixel centres differ by a quarter of a pixel."""
    small, large = Canvas(128, 5).noise(2, 4, detail=8), Canvas(256, 5).noise(2, 4, detail=8)
    fold = large.reshape(128, 2, 128, 2).mean((1, 3))
    shifted = Canvas(128, 5).lookup(
        small, Canvas(128, 5).x + 0.25 / 128, Canvas(128, 5).y + 0.25 / 128
    )
    assert np.corrcoef(fold.ravel(), shifted.ravel())[0, 1] > 0.999


def test_lookup_is_periodic() -> None:
    c = Canvas(32, 0)
    field = c.noise(1, 3)
    assert np.allclose(c.lookup(field, c.x + 1, c.y - 2), field, atol=1e-4)
    moved = c.lookup(field, c.x + np.float32(3 / 32), c.y)
    assert np.allclose(moved, np.roll(field, -3, 1), atol=1e-4)


def _random_places(count: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.random.default_rng(3).random((2, count, 1), np.float32)
    return x, y


def test_all_layouts_repeat() -> None:
    c = Canvas(8, 2)
    x, y = _random_places(4000)
    layouts = [
        lambda x, y: bricks(x, y, 5, 8),
        lambda x, y: herringbone(x, y, 2, 3),
        lambda x, y: hexagons(x, y, 7),
        lambda x, y: stones(c, 1, x, y, 6, 9),
        lambda x, y: scales(x, y, 5, 6, 0.8, 2),
        lambda x, y: weave(x, y, 8, 3, 1)[0],
    ]
    for layout in layouts:
        here, there = layout(x, y), layout(x + 1, y + 2)
        assert here.cell.min() >= 0 and here.cell.max() < here.count
        same = here.cell == there.cell
        assert same.mean() > 0.999  # rounding moves a few across a border
        assert np.allclose(here.edge[same], there.edge[same], atol=1e-4)
        assert here.edge.min() > -1e-5


def test_herringbone_bricks_are_of_equal_size() -> None:
    c = Canvas(96, 0)
    cells = herringbone(c.x, c.y, 2, 2)
    counts = np.bincount(cells.cell.ravel())
    assert set(counts[counts > 0]) == {2 * 12 * 12}


def test_stones_against_brute_force() -> None:
    c = Canvas(8, 4)
    x, y = _random_places(500)
    cells = stones(c, 1, x, y, 5, 5, 0.7)
    offset = 0.5 + (c.random(1).random((2, 25), np.float32) - 0.5) * 0.7
    own = np.arange(25)
    points = np.stack([own % 5 + offset[0], own // 5 + offset[1]], 1) / 5
    shifts = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    every = (points[:, None] + shifts).reshape(-1, 2)
    distance = np.hypot(x - every[:, 0], y - every[:, 1])
    assert np.array_equal(cells.cell[:, 0], distance.argmin(1) // 9)


def test_hexagons_are_regular() -> None:
    """The largest circle inside a cell touches its border: half a column."""
    c = Canvas(256, 0)
    cells = hexagons(c.x, c.y, 7)
    assert cells.edge.max() * 7 == pytest.approx(0.5, abs=0.02)
    assert len(np.unique(cells.cell)) == cells.count


def test_stones_are_the_same_bits_in_any_threads_and_strips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    canvas = Canvas(96, 3)
    whole = layouts.stones(canvas, 1, canvas.x, canvas.y, 7, 5)
    monkeypatch.setattr(layouts, "_STRIP", 500)
    monkeypatch.setattr(threads, "thread_count", lambda: 3)
    pieces = layouts.stones(canvas, 1, canvas.x, canvas.y, 7, 5)
    for name in ("cell", "u", "v", "edge"):
        one, other = getattr(whole, name), getattr(pieces, name)
        assert one.dtype == other.dtype and np.array_equal(one, other)
        assert one.dtype == (np.int32 if name == "cell" else np.float32)
