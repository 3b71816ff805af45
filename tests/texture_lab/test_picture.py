# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of sets, and the tasks of the child process that draws them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from stagewright.jobs.drive import drain
from stagewright.jobs.events import Event, Preview
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.make import draw, make
from stagewright.texture_lab.picture import picture
from stagewright.texture_lab.request import TextureRequest
from stagewright.texture_lab.tasks import draw_previews
from stagewright.texture_lab.texture_set import TextureSet


def flat(**maps: float) -> TextureSet:
    """A flat, mid-grey, rough set; ``maps`` are set to a number everywhere."""
    textures = draw(understand("concrete"), 32, 0)
    one = np.ones((32, 32), np.float32)
    up = np.broadcast_to(np.array([0, 0, 1], np.float32), (32, 32, 3))
    plain = {"roughness": 0.9, "metallic": 0.0, "ao": 1.0, **maps}
    grey = np.full((32, 32, 3), 0.5, np.float32)
    values = {name: one * np.float32(value) for name, value in plain.items()}
    return replace(textures, basecolor=grey, normal=up, **values)


def test_a_picture_is_lit_from_the_upper_left() -> None:
    level = picture(flat())[0, 0, 0]
    tilted = {}
    for name, x, y in (("left", -0.5, 0.0), ("right", 0.5, 0.0), ("up", 0.0, 0.5)):
        normal = np.array([x, y, 0.75**0.5], np.float32)
        textures = replace(flat(), normal=np.broadcast_to(normal, (32, 32, 3)))
        tilted[name] = picture(textures)[0, 0, 0]
    assert tilted["left"] > level > tilted["right"] and tilted["up"] > level


def test_hollows_are_darker_and_the_rest_stays_a_picture() -> None:
    seen = picture(flat(ao=0.2))
    assert seen[0, 0, 0] < picture(flat())[0, 0, 0]
    for maps in ({"metallic": 1.0, "roughness": 0.02}, {"roughness": 0.0}, {}):
        seen = picture(flat(**maps))
        assert seen.shape == (32, 32, 4) and seen.dtype == np.float32
        assert np.isfinite(seen).all() and seen.min() >= 0 and seen.max() <= 1
        assert (seen[:, :, 3] == 1).all()


def test_a_set_tells_its_preview_before_it_is_made(tmp_path: Path) -> None:
    told: list[Event] = []
    request = TextureRequest("red brick", 300, 3)
    drain(make(request, tmp_path / "out", preview=tmp_path / "seen.npy"), told.append)
    (at,) = (n for n, event in enumerate(told) if isinstance(event, Preview))
    assert at < len(told) - 2
    expected = picture(draw(understand("red brick"), 256, 3))
    assert np.array_equal(np.load(tmp_path / "seen.npy"), expected)


def test_previews_are_drawn_at_their_own_sizes(tmp_path: Path) -> None:
    told: list[Event] = []
    requests = [TextureRequest("bark", size, 1).to_json() for size in (64, 32)]
    files = [str(tmp_path / f"{n}.npy") for n in (0, 1)]
    drain(draw_previews(requests, files), told.append)
    assert [event.path for event in told if isinstance(event, Preview)] == files
    assert [np.load(file).shape for file in files] == [(64, 64, 4), (32, 32, 4)]
