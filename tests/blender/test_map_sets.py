# SPDX-License-Identifier: GPL-3.0-or-later
"""The set that Cycles photographs: its maps against planes, sines and crossed strings."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench"
SIZE = 96
AMPLITUDE, FREQUENCY = 0.05, 9.0


@pytest.fixture(scope="module")
def sets() -> Any:
    """The modules of the set, by name."""
    sys.path.insert(0, str(BENCH))
    yield lambda name: importlib.import_module(f"map_sets.{name}")
    sys.path.remove(str(BENCH))


def studio_of(sets: Any, height: Any) -> Any:
    look = sets("cycles_materials").Look
    studio = sets("cycles_scene").Studio(SIZE, 4, 0.7)
    studio.clad(lambda graph: look(20, height(graph), (0.2, 0.4, 0.6), 0.3, 1.0))
    return studio


def across(graph: Any) -> Any:
    """The sine of x, of no unit."""
    x = graph.node("SeparateXYZ", {0: graph.place}).outputs[0]
    return graph.math("SINE", type(graph.place)(graph, x) * FREQUENCY)


def seen(studio: Any) -> np.ndarray:
    """The x that each column of pixels sees on the sine: nearer where the surface is higher."""
    plane = (np.arange(SIZE) + 0.5) * studio.pixel - 1
    x = plane
    for _ in range(20):
        x = plane * (1 - AMPLITUDE * np.sin(FREQUENCY * x) / studio.distance)
    return x


def test_a_flat_plane_is_flat_open_and_of_its_own_values(sets: Any) -> None:
    studio = studio_of(sets, lambda graph: graph.math("ADD", 0.0))
    truth = studio.truth()
    assert np.allclose(truth["normal"], (0, 0, 1), atol=1e-4)
    # A few of the rays along the plane meet it, by rounding.
    assert truth["ao"].mean() > 0.995 and truth["ao"].min() > 0.95
    assert np.allclose(truth["height"], 0, atol=1e-5)
    assert np.allclose(truth["roughness"], 0.3, atol=1e-5)
    assert np.allclose(truth["metallic"], 1, atol=1e-5)
    # 0.2, 0.4 and 0.6 of light, by the table of IEC 61966-2-1.
    assert np.allclose(truth["basecolor"], (0.4845, 0.6652, 0.7977), atol=1e-4)


def test_a_sine_has_its_slopes_heights_and_occlusion(sets: Any) -> None:
    studio = studio_of(sets, across)
    studio.displacement.inputs["Scale"].default_value = AMPLITUDE
    truth = studio.truth()
    x = seen(studio)
    height = AMPLITUDE * np.sin(FREQUENCY * x) / studio.pixel
    assert np.abs(truth["height"] - height).max() < 0.1
    slope = AMPLITUDE * FREQUENCY * np.cos(FREQUENCY * x)
    normal = np.stack([-slope, 0 * x, 1 + 0 * x], -1) / np.sqrt(1 + slope**2)[:, None]
    assert np.abs(truth["normal"] - normal).max() < 0.02
    # What light falls between two horizons, in a groove without end: (sin a + sin b) / 2.
    far = np.linspace(-3, 3, 6001)
    rise = AMPLITUDE * (np.sin(FREQUENCY * far) - np.sin(FREQUENCY * x)[:, None])
    run = far - x[:, None]
    tilt = np.arctan(slope)
    horizon = np.arctan2(rise, np.abs(run))
    left = np.where(run < -1e-3, horizon, -9).max(1)
    right = np.where(run > 1e-3, horizon, -9).max(1)
    sides = np.sin(np.pi / 2 - right + tilt) + np.sin(np.pi / 2 - left - tilt)
    assert (sides / 2).min() < 0.94
    # The mesh's facets hide a few of the rays along the surface.
    assert np.abs(truth["ao"].mean(0) - sides / 2).max() < 0.04


def test_relief_is_what_was_asked(sets: Any) -> None:
    studio = studio_of(sets, across)
    studio.relieve(20)
    angle = np.degrees(np.arccos(studio.truth()["normal"][..., 2])).mean()
    assert abs(angle - 20) < 1


def test_truth_is_the_same_again(sets: Any) -> None:
    first, second = (sets("cycles_scene").photographed("chipped_paint", 32, 1) for _ in range(2))
    assert first.keys() == second.keys()
    for name in ("basecolor", "normal", "roughness", "metallic", "ao", "height"):
        assert np.array_equal(first[name], second[name]), name


def test_samples_are_rendered_once_and_in_range(sets: Any, tmp_path: Path) -> None:
    cycles = sets("cycles")
    for name, light in (("rusted_steel", "sun"), ("glazed_tiles", "environment")):
        path = cycles.rendered(name, SIZE, 2, tmp_path)
        written = path.stat().st_mtime_ns
        assert cycles.rendered(name, SIZE, 2, tmp_path).stat().st_mtime_ns == written
        sample = cycles.read(path, name)
        assert sample.light == light
        assert sample.photo.shape == sample.basecolor.shape == (SIZE, SIZE, 3)
        for values in (sample.photo, sample.basecolor, sample.roughness, sample.ao):
            assert 0 <= values.min() < values.max() <= 1
        assert 0.1 < sample.photo.mean() < 0.8
        assert np.allclose(np.linalg.norm(sample.normal, axis=-1), 1, atol=1e-5)
        assert 9 < np.degrees(np.arccos(sample.normal[..., 2])).mean() < 29


def test_the_set_has_metals_and_half_metals(sets: Any) -> None:
    looks = sets("cycles_materials").MATERIALS
    assert [make.__name__ for make in looks] == sets("cycles").materials()
    assert len(looks) >= 16
