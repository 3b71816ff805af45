# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright texture inpaint|outpaint|upscale|vary``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stagewright.pipeline.cli import main
from stagewright.texture_lab.png import read_png, write_png


@pytest.fixture
def made(tmp_path: Path) -> list[str]:
    """A colour, a normal and a height map, of 64 pixels."""
    words = ["texture", "make", "red brick", "--size", "64", "--name", "b", "-o", str(tmp_path)]
    assert main(words) == 0
    return [str(tmp_path / f"b_{name}.png") for name in ("basecolor", "normal", "height")]


def pixels(path: Path) -> np.ndarray:
    values, _ = read_png(path)
    return values / np.float32(np.iinfo(values.dtype).max)


def are_unit(normals: np.ndarray) -> bool:
    return bool(abs(np.linalg.norm(2 * normals - 1, axis=2) - 1).max() < 0.03)


def test_all_maps_are_filled_alike(made: list[str], tmp_path: Path) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[20:36, 24:44] = 255
    write_png(tmp_path / "mask ü.png", mask)
    out = tmp_path / "out"
    words = ["texture", "inpaint", *made, "--mask", str(tmp_path / "mask ü.png"), "-o", str(out)]
    assert main(words) == 0
    for file in made:
        before, after = pixels(Path(file)), pixels(out / Path(file).name)
        assert np.allclose(before[mask == 0], after[mask == 0], atol=1e-4)
        known = {tuple(np.round(v * 255).astype(int)) for v in before.reshape(-1, before.shape[2])}
        assert {tuple(np.round(v * 255).astype(int)) for v in after[mask > 0]} <= known
    assert are_unit(pixels(out / "b_normal.png"))
    assert main(words) == 1  # They are there already.
    assert main([*words, "--force"]) == 0


def test_images_are_continued(made: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["texture", "outpaint", *made, "--pixels", "8", "--repeats", "-o", str(out)]
    assert main(words) == 0
    after = pixels(out / "b_basecolor.png")
    assert after.shape == (80, 80, 3)
    assert np.allclose(after[8:-8, 8:-8], pixels(Path(made[0])), atol=1e-4)
    assert after[:8].std() > 0.05


def test_images_are_enlarged_and_normals_stay_unit(made: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["texture", "upscale", *made, "--factor", "4", "--repeats", "-o", str(out)]
    assert main(words) == 0
    assert pixels(out / "b_height.png").shape == (256, 256, 1)
    assert are_unit(pixels(out / "b_normal.png"))


def test_another_piece_keeps_the_maps_together(made: list[str], tmp_path: Path) -> None:
    words = ["texture", "vary", *made, "--seed", "4", "--repeats", "-o"]
    for folder in ("one", "two"):
        assert main([*words, str(tmp_path / folder)]) == 0
    before = [pixels(Path(file)) for file in made]
    after = [pixels(tmp_path / "one" / Path(file).name) for file in made]
    pairs = [
        {tuple(np.round(v * 255).astype(int)) for v in np.concatenate(maps, 2).reshape(-1, 7)}
        for maps in (after, before)
    ]
    assert pairs[0] <= pairs[1] and not np.allclose(before[0], after[0])
    for file in made:
        name = Path(file).name
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (np.zeros((64, 64), np.uint8), "nothing-marked"),
        (np.full((64, 64), 255, np.uint8), "nothing-known"),
        (np.full((32, 32), 255, np.uint8), "mask-size"),
    ],
)
def test_masks_that_do_not_fit_are_refused(
    made: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    mask: np.ndarray,
    code: str,
) -> None:
    write_png(tmp_path / "mask.png", mask)
    out = tmp_path / "out"
    words = ["texture", "inpaint", made[0], "--mask", str(tmp_path / "mask.png")]
    assert main([*words, "-o", str(out), "--json"]) == 1
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["code"] == code
    assert not out.exists()


def test_maps_of_other_sizes_are_refused(
    made: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_png(tmp_path / "small.png", np.zeros((32, 32), np.uint8))
    words = ["texture", "vary", made[0], str(tmp_path / "small.png"), "-o", str(tmp_path / "o")]
    assert main(words) == 1
    assert "32 x 32" in capfd.readouterr().err
