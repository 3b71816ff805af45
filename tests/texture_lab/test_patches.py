# SPDX-License-Identifier: GPL-3.0-or-later
"""Images filled with patches of themselves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stagewright.jobs import threads
from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab import patches
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.make import draw
from stagewright.texture_lab.patches import fill, rearrange, taken

Array = NDArray[np.float32]


def quiet(event: object) -> None:
    """Nobody reads the progress."""


def checkers(size: int = 64, cell: int = 8) -> Array:
    y, x = np.indices((size, size)) // cell
    board = ((y + x) % 2).astype(np.float32)
    return np.repeat(board[:, :, None], 3, 2)


def hole_in(size: int, start: int, end: int) -> NDArray[np.bool_]:
    hole = np.zeros((size, size), bool)
    hole[start:end, start:end] = True
    return hole


def filled(
    image: Array, hole: NDArray[np.bool_], **options: bool
) -> tuple[Array, NDArray[np.int32]]:
    given = np.where(hole[:, :, None], np.float32(0.3), image)
    places = drain(fill(given, hole, **options), quiet)
    return taken(image, places), places


def test_a_regular_pattern_is_completed_exactly() -> None:
    image, hole = checkers(), hole_in(64, 26, 38)
    result, places = filled(image, hole)
    assert np.array_equal(result, image)
    assert not hole[places[:, :, 0], places[:, :, 1]].any()  # Nothing comes from the hole.


def test_what_is_known_stays() -> None:
    image = draw(understand("granite"), 96, 1).basecolor
    hole = hole_in(96, 30, 60)
    _, places = filled(image, hole)
    y, x = np.indices((96, 96))
    assert np.array_equal(places[~hole], np.stack([y, x], 2)[~hole])


@pytest.mark.parametrize("words", ["granite", "bark", "leather", "gravel"])
def test_a_filled_hole_has_the_contrast_of_its_surroundings_and_no_edge(words: str) -> None:
    image = draw(understand(words), 128, 1).basecolor
    hole = hole_in(128, 40, 80)
    result, _ = filled(image, hole)
    inside = result[40:80, 40:80]
    assert inside.std() > 0.6 * image.std()
    steps = abs(np.diff(result.mean(2), axis=1))
    border = np.median([steps[40:80, 39], steps[40:80, 79]])
    assert border <= np.percentile(steps[40:80].mean(0), 98) + np.median(steps)


def test_a_filled_tile_still_repeats() -> None:
    image = checkers(64, 8)
    hole = np.zeros((64, 64), bool)
    hole[:6], hole[-6:], hole[:, :6], hole[:, -6:] = True, True, True, True
    result, _ = filled(image, hole, wraps=True)
    assert np.array_equal(result, image)


def test_the_same_seed_is_the_same_filling_in_any_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    image, hole = draw(understand("bark"), 64, 1).basecolor, hole_in(64, 20, 40)
    _, first = filled(image, hole)
    monkeypatch.setattr(threads, "thread_count", lambda: 3)
    monkeypatch.setattr(patches, "_STRIP", 100)
    _, second = filled(image, hole)
    assert np.array_equal(first, second)


def test_nothing_known_is_refused() -> None:
    with pytest.raises(StagewrightError, match="Too little"):
        filled(checkers(), np.ones((64, 64), bool))


def test_another_piece_has_the_same_contrast_and_is_another() -> None:
    image = draw(understand("granite"), 96, 1).basecolor
    for strength in (0.1, 1.0):
        places = drain(rearrange(image, strength, wraps=True, seed=1), quiet)
        other = taken(image, places)
        assert 0.8 < other.std() / image.std() < 1.2
        assert abs(other - image).mean() > 0.3 * abs(np.roll(image, 40, 0) - image).mean()
    again = drain(rearrange(image, 1.0, wraps=True, seed=2), quiet)
    assert not np.array_equal(places, again)


def test_patches_of_another_piece_are_those_of_the_source() -> None:
    """Most neighbours in the other piece were neighbours in the source."""
    image = draw(understand("bark"), 96, 1).basecolor
    places = drain(rearrange(image, 1.0, wraps=True, seed=1), quiet).astype(int)
    step = (places[:, 1:] - places[:, :-1]) % 96
    assert (step == [0, 1]).all(2).mean() > 0.6
