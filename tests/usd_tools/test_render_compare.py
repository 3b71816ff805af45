# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures about two pictures, beside sums written out and beside scikit-image."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.flip import flip_map
from stagewright.usd_tools.image_filters import correlate
from stagewright.usd_tools.render_compare import (
    compare,
    compare_task,
    difference,
    displayed,
    heat,
    psnr,
    side_by_side,
    ssim,
    wiped,
)


def noisy(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    first = random.random((rows, columns, 3), np.float32)
    second = np.clip(first + random.normal(0, 0.1, first.shape), 0, 1).astype(np.float32)
    return first, second


@pytest.mark.parametrize("shape", [(3, 5), (130, 131), (300, 7)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_filter_is_the_sum_over_neighbours(shape: tuple[int, int], axis: int) -> None:
    random = np.random.default_rng(1)
    plane, weights = random.random(shape, np.float32), random.random(7)
    moved = np.moveaxis(plane, axis, 0)
    expected = np.array(
        [
            sum(w * moved[min(max(i + k - 3, 0), len(moved) - 1)] for k, w in enumerate(weights))
            for i in range(len(moved))
        ]
    )
    found = np.moveaxis(correlate(plane, weights, axis), axis, 0)
    assert np.abs(found - expected).max() < 1e-5


def ssim_written_out(first: np.ndarray, second: np.ndarray) -> float:
    """Every window of 11 x 11 by itself, in double precision."""
    offsets = np.arange(-5, 6)
    bell = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    bell /= bell.sum()
    values = []
    rows, columns, channels = first.shape
    for y in range(rows - 10):
        for x in range(columns - 10):
            for c in range(channels):
                a, b = (p[y : y + 11, x : x + 11, c].astype(float) for p in (first, second))
                ma, mb = (bell * a).sum(), (bell * b).sum()
                va, vb = (bell * (a - ma) ** 2).sum(), (bell * (b - mb) ** 2).sum()
                vab = (bell * (a - ma) * (b - mb)).sum()
                values.append(
                    (2 * ma * mb + 1e-4) * (2 * vab + 9e-4)
                    / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4))
                )  # fmt: skip
    return float(np.mean(values))


def test_structural_similarity_is_that_of_every_window_written_out() -> None:
    first, second = noisy(16, 19)
    assert ssim(first, second) == pytest.approx(ssim_written_out(first, second), abs=1e-5)
    smooth = (0.9 + 0.05 * first).astype(np.float32)  # little structure, much light
    assert ssim(smooth, smooth[::-1]) == pytest.approx(
        ssim_written_out(smooth, smooth[::-1]), abs=1e-4
    )


def test_figures_are_those_of_scikit_image_where_it_is_installed() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    first, second = noisy(60, 90)
    assert psnr(first, second) == pytest.approx(
        metrics.peak_signal_noise_ratio(first.astype(float), second.astype(float), data_range=1)
    )
    expected = metrics.structural_similarity(
        first.astype(float), second.astype(float), channel_axis=2, data_range=1,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert ssim(first, second) == pytest.approx(expected, abs=1e-5)


def test_figures_of_pictures_that_are_known() -> None:
    grey = np.full((12, 12, 3), 0.5, np.float32)
    figures, flip = compare(grey, grey)
    assert figures.to_json() == {
        "flip": 0.0, "flip_greatest": 0.0, "psnr": None, "ssim": 1.0, "greatest": 0.0,
    }  # fmt: skip
    assert not flip.any()
    brighter = grey + np.float32(0.1)
    figures, flip = compare(grey, brighter)
    assert figures.psnr == pytest.approx(20.0, abs=1e-4)  # a tenth of the peak everywhere
    # Flat pictures: only the first factor is left of the similarity.
    assert figures.ssim == pytest.approx((0.6 + 1e-4) / (0.25 + 0.36 + 1e-4), abs=1e-5)
    assert figures.greatest == pytest.approx(0.1)
    assert figures.flip == pytest.approx(flip_map(grey, brighter).mean())


def test_pictures_of_other_sizes_are_refused_by_their_sizes() -> None:
    with pytest.raises(StagewrightError, match=r"5 x 4 and 4 x 4") as caught:
        compare(np.zeros((4, 5, 3), np.float32), np.zeros((4, 4, 3), np.float32))
    assert caught.value.code == "sizes-differ"


def test_light_is_exposed_and_cut_off_at_white() -> None:
    light = np.array([[[0.0, 0.18, 1.0], [0.25, 2.0, 9.0]]], np.float32)
    shown, cut_off = displayed(light)
    # IEC 61966-2-1 of 0.18 and 0.25.
    assert shown.ravel() == pytest.approx([0, 0.461356, 1, 0.537099, 1, 1], abs=1e-5)
    assert cut_off == 0.5
    darker, cut_off = displayed(light, exposure=-4.0)
    assert cut_off == 0.0 and darker[0, 1, 2] == pytest.approx(
        1.055 * (9 / 16) ** (1 / 2.4) - 0.055, abs=1e-5
    )


def test_pictures_of_what_differs() -> None:
    first, second = noisy(6, 10)
    assert np.array_equal(difference(first, first, 8.0), np.zeros_like(first))
    expected = np.minimum(4 * np.abs(first.astype(float) - second), 1)
    assert np.abs(difference(first, second, 4.0) - expected).max() < 1e-6
    half = wiped(first, second, 0.5)
    assert np.array_equal(half[:, :5], first[:, :5])
    assert (half[:, 5] == 1).all() and np.array_equal(half[:, 6:], second[:, 6:])
    assert np.array_equal(wiped(first, second, 0.0), second)
    assert np.array_equal(wiped(first, second, 1.0), first)
    both = side_by_side(first, second)
    assert np.array_equal(both[:, :10], first) and np.array_equal(both[:, 10:], second)


def test_the_heat_map_only_grows_brighter() -> None:
    colours = heat(np.linspace(0, 1, 200, dtype=np.float32)[None])[0]
    luminance = colours @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > 0).all()
    assert luminance[0] < 0.01 and luminance[-1] > 0.9


def test_the_task_of_another_process_hands_over_files(
    tmp_path: Path, finish: Callable[[Any], Any]
) -> None:
    first, second = noisy(20, 20)
    for name, picture in (("a", first), ("b", second)):
        np.save(tmp_path / f"{name}.npy", picture)
    paths = [str(tmp_path / f"{name}.npy") for name in ("a", "b", "flip")]
    value = finish(compare_task(*paths))
    figures, flip = compare(first, second)
    assert value == figures.to_json() and not math.isnan(value["flip"])
    assert np.array_equal(np.load(paths[2]), flip)
