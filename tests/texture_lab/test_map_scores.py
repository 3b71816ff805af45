# SPDX-License-Identifier: GPL-3.0-or-later
"""The scores against answers known beforehand."""

import ast
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stagewright.texture_lab import map_scores
from stagewright.texture_lab.map_scores import Maps

_ROOT = Path(__file__).parents[2]
_FROZEN = ("sample", "photographer", "held_out")


def _maps(seed=0, size=32):
    rng = np.random.default_rng(seed)
    normal = rng.normal(0, 0.3, (size, size, 3)) + [0, 0, 1]
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    grey = [rng.random((size, size)) for _ in range(4)]
    return Maps(rng.uniform(0.1, 0.7, (size, size, 3)), normal, *grey)


def test_the_truth_scores_best():
    scores = map_scores.compare(_maps(), _maps())
    assert scores.normal_deg == pytest.approx(0, abs=1e-4)
    assert scores.roughness_rmse == scores.ao_rmse == 0
    assert scores.basecolor_psnr > 50
    assert scores.basecolor_ssim == pytest.approx(1, abs=1e-3)
    assert scores.height_correlation == pytest.approx(1)
    assert scores.relit_psnr > 50
    assert map_scores.balanced_accuracy([scores]) == 1


def test_a_tilt_is_told_in_degrees():
    flat = np.broadcast_to([0.0, 0, 1], (4, 4, 3))
    tilted = np.broadcast_to([np.sin(0.3), 0, np.cos(0.3)], (4, 4, 3))
    assert map_scores.angle(flat, tilted) == pytest.approx(np.degrees(0.3))


def test_the_best_strength_undoes_a_weak_relief():
    truth = _maps()
    weak = replace(truth, normal=map_scores.steepened(truth.normal, 0.25))
    scores = map_scores.compare(weak, truth)
    assert scores.normal_deg > 5
    assert scores.normal_best_deg == pytest.approx(0, abs=1e-4)


def test_exposure_does_not_count_but_colour_does():
    truth = _maps()
    darker = map_scores.encoded(map_scores.linear(truth.basecolor) * 0.5)
    assert map_scores.psnr(map_scores.exposed(darker, truth.basecolor), truth.basecolor) > 40
    swapped = truth.basecolor[..., ::-1]
    assert map_scores.psnr(map_scores.exposed(swapped, truth.basecolor), truth.basecolor) < 20


def test_metals_and_others_weigh_the_same():
    truth = _maps()
    rare = replace(truth, metallic=np.zeros((32, 32)))
    rare.metallic[0, :4] = 1
    none = replace(rare, metallic=np.zeros((32, 32)))
    assert map_scores.balanced_accuracy([map_scores.compare(none, rare)]) == 0.5


def test_new_lights_see_a_flipped_relief():
    truth = _maps()
    flipped = replace(truth, normal=truth.normal * [-1, -1, 1])
    assert map_scores.compare(flipped, truth).relit_psnr < 30


def test_training_never_sees_the_measuring_sets():
    for file in (_ROOT / "scripts/train_maps").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any("map_sets" in name or "bench" in name for name in names), file.name


def test_the_measuring_set_stays_as_it_was_before_the_first_training():
    """Its sources' hash; a change makes every earlier figure another measure's."""
    sources = [_ROOT / "bench/map_sets" / f"{name}.py" for name in _FROZEN]
    digest = hashlib.sha256(b"".join(s.read_bytes() for s in sources)).hexdigest()
    assert digest == "3f8968e386bfebff00cf25f291ec5b8299fe5caff9ee9a33e9c5a0d874539be1"
