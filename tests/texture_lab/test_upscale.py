# SPDX-License-Identifier: GPL-3.0-or-later
"""Larger images, against the ones they were made small from."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stagewright.jobs.drive import drain
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.make import draw
from stagewright.texture_lab.upscale import halved, upscale

Array = NDArray[np.float32]


def larger(image: Array, factor: int = 2, *, wraps: bool = True) -> Array:
    return drain(upscale(image, factor, wraps=wraps), lambda event: None)


def closeness(one: Array, other: Array) -> float:
    """Peak signal to noise, decibels."""
    return float(-10 * np.log10(((one - other) ** 2).mean()))


def cubic(small: Array) -> Array:
    """Twice as large by the cubic of Keys, written as its definition; repeats."""
    for axis in (0, 1):
        length = small.shape[axis]
        at = (np.arange(2 * length) + 0.5) / 2 - 0.5
        first = np.floor(at).astype(int)
        total = np.zeros((*small.shape[:axis], 2 * length, *small.shape[axis + 1 :]))
        for shift in (-1, 0, 1, 2):
            d = abs(at - (first + shift))
            near, far = 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
            weight = np.where(d < 1, near, far)
            shape = [1, 1, 1]
            shape[axis] = 2 * length
            total += small.take((first + shift) % length, axis) * weight.reshape(shape)
        small = total.astype(np.float32)
    return small


@pytest.mark.parametrize("words", ["brick", "honeycomb", "scales", "knit", "bark", "circuit"])
def test_it_is_closer_to_the_truth_than_cubic(words: str) -> None:
    truth = draw(understand(words), 256, 3).basecolor
    small = halved(truth)
    assert closeness(larger(small), truth) > closeness(np.clip(cubic(small), 0, 1), truth) + 0.25


@pytest.mark.parametrize("factor", [2, 4])
def test_made_small_again_it_is_the_same(factor: int) -> None:
    small = draw(understand("marble"), 64, 3).basecolor
    large = larger(small, factor)
    assert large.shape == (64 * factor, 64 * factor, 3)
    boxes = large.reshape(64, factor, 64, factor, 3).mean((1, 3))
    inside = ((large > 0) & (large < 1)).reshape(64, factor, 64, factor, 3).all((1, 3))
    assert inside.mean() > 0.9 and np.allclose(boxes[inside], small[inside], atol=1e-5)


def test_a_tile_stays_one() -> None:
    small = draw(understand("brick"), 64, 3).basecolor
    moved = np.roll(small, (13, 29), (0, 1))
    assert np.allclose(np.roll(larger(small), (26, 58), (0, 1)), larger(moved), atol=1e-5)


def test_without_repeating_the_other_side_does_not_matter() -> None:
    small = draw(understand("brick"), 64, 3).basecolor
    other = small.copy()
    other[:, -8:] = 0
    assert np.array_equal(larger(small, wraps=False)[:, :8], larger(other, wraps=False)[:, :8])
    assert not np.array_equal(larger(small)[:, :8], larger(other)[:, :8])


def test_flat_stays_flat() -> None:
    flat = np.full((16, 16, 1), 0.4, np.float32)
    assert np.allclose(larger(flat), 0.4, atol=1e-6)
