# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar on the labelled prompts, which were written before it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.families import FAMILIES
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.make import draw

PROMPTS = json.loads(Path(__file__).with_name("prompts.json").read_text())


def test_the_prompts_of_artists() -> None:
    families = modifiers = wanted = 0
    for row in PROMPTS["prompts"]:
        wanted += len(row["modifiers"])
        try:
            material = understand(row["prompt"])
        except StagewrightError:
            continue
        families += material.family.name in row["families"]
        modifiers += len(set(row["modifiers"]) & set(material.found))
    assert families >= 0.9 * len(PROMPTS["prompts"])
    assert modifiers >= 0.8 * wanted


def test_what_is_no_material_is_refused() -> None:
    refused = 0
    for prompt in PROMPTS["impossible"]:
        try:
            understand(prompt)
        except StagewrightError as error:
            assert error.code == "no-match"
            assert any(f"nearest: {name}." in error.message for name in FAMILIES)
            refused += 1
    assert refused >= 0.9 * len(PROMPTS["impossible"])


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_word_of_a_family_finds_it_or_one_that_shares_it(family: object) -> None:
    for phrase in family.words:  # type: ignore[attr-defined]
        found = understand(phrase).family
        assert found is family or phrase in found.words


def test_words_are_understood_together() -> None:
    material = understand("mossy red brick wall, wet, 20 rows")
    assert material.family.name == "brick"
    assert material.found == ("mossy", "wet", "colour:red", "count:20")
    assert material.values["rows"] == 20
    assert material.values.color[0] > 2 * material.values.color[1]
    assert understand("Brick, WET!").weather == ("wet",)
    assert understand("herringbne floor").family.name == "herringbone"


def test_sliders_override_words() -> None:
    assert understand("brick", {"rows": 6}).values["rows"] == 6
    assert understand("brick", {"rows": 1e9}).values["rows"] == 40
    with pytest.raises(StagewrightError, match="no slider called waves"):
        understand("brick", {"waves": 3})


@pytest.mark.parametrize("prompt", ["", "???", "\0", "🧱", "9" * 400, "a " * 200])
def test_hostile_prompts_are_refused(prompt: str) -> None:
    with pytest.raises(StagewrightError) as caught:
        understand(prompt)
    assert caught.value.code == "no-match"


def test_weather_does_what_it_says() -> None:
    plain = draw(understand("steel plate"), 128, 1)
    for word in ("rusty", "painted", "dusty", "mossy"):
        assert (
            draw(understand(f"{word} steel plate"), 128, 1).metallic.mean() < plain.metallic.mean()
        )
    stone = draw(understand("concrete"), 128, 1)
    wet = draw(understand("wet concrete"), 128, 1)
    assert wet.roughness.mean() < 0.6 * stone.roughness.mean()
    assert wet.basecolor.mean() < stone.basecolor.mean()
    moss = draw(understand("mossy concrete"), 128, 1).basecolor.mean((0, 1))
    assert moss[1] > moss[0] > moss[2]
    cracked = draw(understand("cracked concrete"), 128, 1)
    assert cracked.height_range_m > stone.height_range_m
    polished = draw(understand("polished concrete"), 128, 1)
    assert polished.roughness.mean() < 0.5 * stone.roughness.mean()
    worn, new = (draw(understand(f"{word} brick"), 128, 1) for word in ("worn", ""))
    slope = [np.arccos(np.clip(s.normal[..., 2], 0, 1)).mean() for s in (worn, new)]
    assert slope[0] < slope[1]
