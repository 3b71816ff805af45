# SPDX-License-Identifier: GPL-3.0-or-later
"""FLIP beside its authors' program, and beside the paper's sums written out pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stagewright.usd_tools.flip import PIXELS_PER_DEGREE, flip_map


def pair(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth colours, and the same with a rectangle, a thin line and a shade that are not there."""
    y, x = np.mgrid[:rows, :columns].astype(np.float64)
    first = np.stack(
        [0.5 + 0.5 * np.sin(x / 7 + y / 13), 0.5 + 0.5 * np.cos(y / 5), (x + y) / (rows + columns)],
        axis=-1,
    )
    second = first * (0.9 + 0.1 * np.cos(x / 3))[..., None]
    second[rows // 3 : rows // 2, columns // 3 : columns // 2] = (0, 1, 0)
    second[:, columns - 3] = 1
    return first.astype(np.float32), second.astype(np.float32)


# Of flip-evaluator 1.7, its authors' own program: mean and greatest of pair(rows, columns).
PUBLISHED = {
    (48, 64): (0.428094, 0.994662),
    (9, 150): (0.426666, 0.801882),
    (130, 131): (0.399763, 0.996136),
}


@pytest.mark.parametrize("size", PUBLISHED)
def test_it_says_what_its_authors_program_says(size: tuple[int, int]) -> None:
    found = flip_map(*pair(*size))
    mean, greatest = PUBLISHED[size]
    assert found.mean(dtype=np.float64) == pytest.approx(mean, abs=2e-5)
    assert found.max() == pytest.approx(greatest, abs=2e-4)


def test_every_pixel_is_that_of_its_authors_program_where_it_is_installed() -> None:
    evaluator = pytest.importorskip("flip_evaluator")
    first, second = pair(130, 131)
    expected, _, _ = evaluator.evaluate(first, second, "LDR", applyMagma=False)
    assert np.abs(flip_map(first, second) - expected[..., 0]).max() < 5e-4


def decode(v: float) -> float:
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


# CIE XYZ of linear sRGB under D65, as IEC 61966-2-1 rounds it; divided by its own white.
MATRIX = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # fmt: skip
RELATIVE = MATRIX / MATRIX.sum(axis=1, keepdims=True)


def opponent(picture: np.ndarray) -> np.ndarray:
    linear = np.vectorize(decode)(picture.astype(np.float64))
    x, y, z = np.moveaxis(linear @ RELATIVE.T, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def hunt(rgb: np.ndarray) -> np.ndarray:
    def f(t: float) -> float:
        return t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29

    x, y, z = (f(v) for v in RELATIVE @ np.clip(rgb, 0, 1))
    lightness = 116 * y - 16
    return np.array([lightness, 5 * lightness * (x - y), 2 * lightness * (y - z)])


def hyab(a: np.ndarray, b: np.ndarray) -> float:
    return abs(a[0] - b[0]) + math.hypot(a[1] - b[1], a[2] - b[2])


def window(values: np.ndarray, y: int, x: int, kernel: np.ndarray) -> float:
    """The sum around a pixel, term by term."""
    radius = len(kernel) // 2
    rows, columns = values.shape
    return sum(
        kernel[i + radius, j + radius]
        * values[min(max(y + i, 0), rows - 1), min(max(x + j, 0), columns - 1)]
        for i in range(-radius, radius + 1)
        for j in range(-radius, radius + 1)
    )


def by_the_paper(first: np.ndarray, second: np.ndarray, ppd: float) -> np.ndarray:
    radius = math.ceil(3 * math.sqrt(0.04 / (2 * math.pi**2)) * ppd)
    i, j = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    squares = (i**2 + j**2) / ppd**2
    bells = []
    for terms in ([(1, 0.0047)], [(1, 0.0053)], [(34.1, 0.04), (13.5, 0.025)]):
        bell = sum(a * math.sqrt(math.pi / b) * np.exp(-(math.pi**2) * squares / b)
                   for a, b in terms)  # fmt: skip
        bells.append(bell / bell.sum())
    sigma = 0.041 * ppd
    reach = math.ceil(3 * sigma)
    v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    smooth = np.exp(-(u**2 + v**2) / (2 * sigma**2))
    features = []
    for kernel in (-u * smooth, (u**2 / sigma**2 - 1) * smooth):
        kernel = np.where(kernel < 0, kernel / -kernel[kernel < 0].sum(), kernel)
        features.append(np.where(kernel > 0, kernel / kernel[kernel > 0].sum(), kernel))
    pictures = [opponent(first), opponent(second)]
    green, blue = hunt(np.array([0, 1, 0])), hunt(np.array([0, 0, 1]))
    greatest = hyab(green, blue) ** 0.7
    result = np.zeros(first.shape[:2])
    for y, x in np.ndindex(result.shape):
        seen, strengths = [], []
        for picture in pictures:
            c = [window(picture[..., k], y, x, bells[k]) for k in range(3)]
            luminance = (c[0] + 16) / 116
            xyz = np.array([luminance + c[1] / 500, luminance, luminance - c[2] / 200])
            seen.append(hunt(np.linalg.inv(RELATIVE) @ xyz))
            grey = (picture[..., 0] + 16) / 116
            strengths.append(
                [math.hypot(window(grey, y, x, k), window(grey, y, x, k.T)) for k in features]
            )
        power = hyab(*seen) ** 0.7
        if power < 0.4 * greatest:
            colour = power * 0.95 / (0.4 * greatest)
        else:
            colour = 0.95 + (power - 0.4 * greatest) / (0.6 * greatest) * 0.05
        feature = max(abs(a - b) for a, b in zip(*strengths, strict=True)) / math.sqrt(2)
        result[y, x] = colour ** (1 - min(feature, 1) ** 0.5)
    return result


@pytest.mark.parametrize("ppd", [PIXELS_PER_DEGREE / 4, 11.0])
def test_every_pixel_is_the_papers_sum_written_out(ppd: float) -> None:
    first, second = pair(11, 14)
    assert np.abs(flip_map(first, second, ppd) - by_the_paper(first, second, ppd)).max() < 1e-3


def test_equal_pictures_differ_nowhere_and_extremes_by_almost_all() -> None:
    first, second = pair(20, 30)
    assert not flip_map(first, first).any()
    black, white = np.zeros((40, 40, 3), np.float32), np.ones((40, 40, 3), np.float32)
    # Green beside blue differ the most; black beside white by HyAB 100, worked out here.
    green, blue = black.copy(), black.copy()
    green[..., 1] = blue[..., 2] = 1
    assert flip_map(green, blue) == pytest.approx(1.0, abs=1e-5)
    reach = (100 / hyab(hunt(np.array([0, 1, 0])), hunt(np.array([0, 0, 1])))) ** 0.7
    expected = 0.95 + (reach - 0.4) / 0.6 * 0.05
    assert flip_map(black, white) == pytest.approx(expected, abs=1e-4)


def test_the_order_does_not_matter_and_nearer_viewers_see_more() -> None:
    first, second = pair(40, 60)
    assert np.allclose(flip_map(first, second), flip_map(second, first), atol=1e-6)
    checks = np.indices((64, 64)).sum(axis=0) % 2
    grain = np.repeat((0.4 + 0.2 * checks)[..., None], 3, axis=2).astype(np.float32)
    flat = np.full_like(grain, 0.5)
    near, far = (flip_map(grain, flat, ppd).mean() for ppd in (10.0, 80.0))
    assert far < near
