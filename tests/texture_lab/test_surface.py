# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals and occlusion follow from the height."""

from __future__ import annotations

import numpy as np

from stagewright.texture_lab.surface import normals, occlusion

_TAU = 2 * np.pi


def _wave(size: int, amplitude: float) -> tuple[np.ndarray, np.ndarray]:
    """A wave that rises to the right and up the image, and its slope (dx, dy), y up."""
    x = (np.arange(size) + 0.5) / size
    phase = _TAU * (x[None, :] - x[:, None])
    height = amplitude * np.sin(phase)
    slope = amplitude * _TAU * np.cos(phase)
    return height.astype(np.float32), np.stack([slope, slope], 2)


def test_normals_of_a_wave() -> None:
    height, slope = _wave(256, 0.05)
    expected = np.concatenate([-slope, np.ones((256, 256, 1))], 2)
    expected /= np.linalg.norm(expected, axis=2, keepdims=True)
    assert abs(normals(height, 1.0) - expected).max() < 1e-3


def test_a_larger_tile_is_flatter() -> None:
    height, _ = _wave(64, 0.05)
    assert np.allclose(normals(2 * height, 2.0), normals(height, 1.0), atol=1e-6)


def test_a_plane_is_open_and_a_slot_is_not() -> None:
    plane = np.zeros((64, 64), np.float32)
    assert np.all(occlusion(plane, 1.0) == 1)
    slot = plane.copy()
    slot[:, 28:36] = -1.0
    seen = occlusion(slot, 1.0)
    assert seen[:, 31:33].max() < 0.45
    assert seen[:, :16].min() > 0.95


def test_occlusion_of_a_slot_against_the_integral() -> None:
    """At the middle of an endless slot of depth d and width w, a horizon in each direction."""
    size, depth = 128, 0.0625
    slot = np.zeros((size, size), np.float32)
    slot[:, 56:72] = -depth
    seen = occlusion(slot, 1.0)[64, 64]
    angles = np.arange(8) * np.pi / 4
    run = np.where(abs(np.cos(angles)) > 0.1, 0.0625 / np.maximum(abs(np.cos(angles)), 0.1), np.inf)
    assert abs(seen - np.mean(1 / (1 + (depth / run) ** 2))) < 0.1
