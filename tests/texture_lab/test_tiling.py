# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiles, and the metric that judges them, on textures whose tiling is known."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.make import draw
from stagewright.texture_lab.tiling import _least_way, make_tile
from stagewright.texture_lab.tiling_metric import measure

PROMPTS = ("red brick wall", "grass", "leather", "gravel", "wool knit", "plaster", "cork")


@pytest.fixture(scope="module", params=PROMPTS)
def native(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    """Maps that repeat by construction."""
    made = draw(understand(request.param, {}), 384, 3)
    return {"basecolor": made.basecolor, "height": made.height}


def cropped(maps: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same off its period, so that it does not repeat."""
    return {name: np.roll(m, (37, 91), (0, 1))[:330, :301] for name, m in maps.items()}


def test_the_metric_passes_what_repeats_by_construction(native: dict[str, np.ndarray]) -> None:
    assert measure(native["basecolor"], native["basecolor"]).is_seamless


def test_the_metric_fails_a_mirrored_tile(native: dict[str, np.ndarray]) -> None:
    source = cropped(native)["basecolor"]
    half = np.concatenate([source, source[:, ::-1]], axis=1)
    mirrored = np.concatenate([half, half[::-1]], axis=0)
    found = measure(mirrored, source)
    assert not found.is_seamless and found.mirror_excess > 0.05


def test_the_metric_fails_a_crop(native: dict[str, np.ndarray]) -> None:
    source = cropped(native)["basecolor"]
    found = measure(source, source)
    # Where a seam looks like the edges that there are anyway, no measure of lines tells it.
    edges = np.abs(np.diff(source.mean(axis=2), axis=1)).mean(axis=0)
    has_edges = edges.max() > 3 * np.median(edges)
    assert has_edges or not found.is_seamless


def test_the_metric_fails_a_seam_that_was_blurred() -> None:
    noise = np.random.default_rng(5).normal(size=(256, 256))
    blurred = noise.copy()
    blurred[:, :12] = noise.mean()
    found = measure(blurred, noise)
    assert found.weakest_band < 0.5 and not found.is_seamless


def test_a_crop_becomes_a_tile(native: dict[str, np.ndarray]) -> None:
    source = cropped(native)
    tile = make_tile(source)
    found = measure(tile.maps["basecolor"], source["basecolor"])
    assert found.is_seamless, found


def test_all_maps_are_cut_alike(native: dict[str, np.ndarray]) -> None:
    source = cropped(native)
    rows, columns = np.indices(source["height"].shape).astype(np.float32)
    tile = make_tile({**source, "row": rows, "column": columns}, "cut").maps
    # Each pixel says where it came from: all its maps came from there.
    i, j = np.rint(tile["row"]).astype(int), np.rint(tile["column"]).astype(int)
    assert np.array_equal(tile["basecolor"], source["basecolor"].astype(np.float32)[i, j])
    assert np.array_equal(tile["height"], source["height"].astype(np.float32)[i, j])


def test_pixels_across_the_seam_were_neighbours(native: dict[str, np.ndarray]) -> None:
    source = cropped(native)
    rows, columns = np.indices(source["height"].shape).astype(np.float32)
    tile = make_tile({**source, "row": rows, "column": columns}, "cut").maps
    across = tile["column"][:, 0] - tile["column"][:, -1]
    down = tile["row"][0] - tile["row"][-1]
    assert (across == 1).mean() > 0.9 and (down == 1).mean() > 0.9


@pytest.mark.parametrize("columns", [7, 32, 100])
def test_a_closed_cut_is_the_best_there_is(columns: int) -> None:
    cost = np.random.default_rng(columns).random((50, columns)).astype(np.float32)
    best = np.inf
    for first in range(columns):  # By brute force: from every column back to it.
        total = np.full(columns, np.inf)
        total[first] = cost[0, first]
        for row in cost[1:]:
            near = np.pad(total, 1, constant_values=np.inf)
            total = np.min([near[:-2], total, near[2:]], axis=0) + row
        best = min(best, total[first])
    way = _least_way(cost, cyclic=True)
    assert way[0] == way[-1] and np.abs(np.diff(way)).max() <= 1
    found = cost[np.arange(50), way].sum()
    # Up to 32 columns all are begun at; of more, ways from between soon join one of them.
    assert found <= best * (1 + 1e-5 if columns <= 32 else 1.1)


def test_a_blend_keeps_the_histogram_of_noise() -> None:
    noise = np.random.default_rng(2).gamma(2.0, size=(300, 300))
    tile = make_tile({"noise": noise}, "blend")
    assert tile.methods == ("blend", "blend")
    strip = tile.maps["noise"][:, :40]
    levels = np.linspace(0.02, 0.98, 25)
    assert np.abs(np.quantile(strip, levels) - np.quantile(noise, levels)).max() < 0.2
    assert strip.std() == pytest.approx(noise.std(), rel=0.05)


def test_structure_is_cut() -> None:
    rows, columns = np.indices((256, 256))
    bricks = ((columns // 32 + rows // 16) % 2).astype(float)
    assert make_tile({"bricks": bricks}).methods == ("cut", "cut")


@pytest.mark.parametrize("shapes", [[(63, 200)], [(200, 200), (200, 199)]])
def test_maps_that_do_not_fit_are_refused(shapes: list[tuple[int, int]]) -> None:
    with pytest.raises(StagewrightError, match="make no tile"):
        make_tile({str(n): np.zeros(shape) for n, shape in enumerate(shapes)})


def test_a_plain_colour_is_its_own_tile() -> None:
    tile = make_tile({"plain": np.full((100, 100, 3), 0.25)})
    assert np.array_equal(tile.maps["plain"], np.full(tile.maps["plain"].shape, 0.25, np.float32))
