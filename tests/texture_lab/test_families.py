# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every family of materials."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.texture_lab.canvas import Canvas
from stagewright.texture_lab.families import FAMILIES
from stagewright.texture_lab.family import Family, Values
from stagewright.texture_lab.surface import Surface, color

_ALL = pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)


def _draw(family: Family, size: int, seed: int, **changed: float) -> Surface:
    sliders = {slider.name: slider.default for slider in family.sliders} | changed
    values = Values(sliders, color(family.color), color(family.accent))
    return family.draw(Canvas(size, seed), values)


@_ALL
def test_a_family_has_four_sliders_that_each_matter(family: Family) -> None:
    assert len(family.sliders) >= 4
    assert family.repeats in {slider.name for slider in family.sliders}
    base = _draw(family, 192, 1)
    for slider in family.sliders:
        assert slider.low <= slider.default <= slider.high
        seen = (_draw(family, 192, 1, **{slider.name: end}) for end in (slider.low, slider.high))
        assert any(_differ(base, other) for other in seen), slider.name


def _differ(a: Surface, b: Surface) -> bool:
    return any(
        not np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("height", "color", "roughness", "metallic")
    )


@_ALL
def test_a_surface_is_whole(family: Family) -> None:
    for size in (100, 65):
        s = _draw(family, size, 2)
        assert s.height.shape == s.roughness.shape == s.metallic.shape == (size, size)
        assert s.color.shape == (size, size, 3)
        for field in (s.height, s.color, s.roughness, s.metallic):
            assert field.dtype == np.float32 and np.isfinite(field).all()
        for field in (s.color, s.roughness, s.metallic):
            assert field.min() >= 0 and field.max() <= 1
        assert s.height.max() > s.height.min()


@_ALL
def test_a_surface_repeats_and_varies(family: Family) -> None:
    """The step over the tile's border is among the steps within it, along both axes."""
    s = _draw(family, 192, 3)
    assert _differ(s, _draw(family, 192, 4)) and not _differ(s, _draw(family, 192, 3))
    for axis in (0, 1):
        for field in (s.height, s.color.mean(2)):
            steps = abs(np.roll(field, -1, axis) - field).mean(1 - axis)
            assert steps[-1] <= 1.3 * steps[:-1].max() + 1e-9
