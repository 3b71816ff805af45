# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright texture make --backend …`` and ``texture check``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from comfy_server import ComfyServer
from small_server import serving

from stagewright.pipeline.cli import main
from stagewright.texture_lab.png import write_png
from stagewright.texture_lab.stored_set import read_set


@pytest.fixture
def server() -> Iterator[ComfyServer]:
    with serving(ComfyServer()) as running:
        yield running


def make(folder: Path, *options: str) -> int:
    words = ["texture", "make", "red brick wall", "--backend", "comfyui", "--steps", "2"]
    return main([*words, "--size", "128", *options, "-o", str(folder)])


def test_a_set_is_made_and_made_again(
    server: ComfyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a b", tmp_path / "again"
    assert make(first, "--server", server.url, "--seed", "3", "--tile-size", "2") == 0
    sidecar = first / "red_brick_wall_3.json"
    _, about = read_set(sidecar)
    assert about["tile_size_m"] == 2 and len(list(first.iterdir())) == 7
    assert server.url not in sidecar.read_text()
    monkeypatch.setenv("STAGEWRIGHT_COMFYUI", server.url)
    again = ["texture", "rerun", str(first / "red_brick_wall_3_ao.png"), "-o", str(second)]
    assert main([*again, "--name", sidecar.stem]) == 0
    for file in first.iterdir():
        assert (second / file.name).read_bytes() == file.read_bytes()


def test_an_image_is_mended_by_a_workflow_of_one_s_own(server: ComfyServer, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (64, 72, 3)).astype(np.uint8)
    write_png(tmp_path / "wall.png", pixels)
    nodes = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "%image%"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "a"}},
    }
    (tmp_path / "mine.json").write_text(json.dumps(nodes))
    words = ["--server", server.url, "--image", str(tmp_path / "wall.png"), "--no-repeat"]
    words += ["--workflow", str(tmp_path / "mine.json"), "--name", "w"]
    assert make(tmp_path / "out", *words) == 0
    textures, _ = read_set(tmp_path / "out" / "w.json")
    assert textures.basecolor.shape == (64, 72, 3)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--set", "rows=3"], "bad-arguments"),
        (["--strength", "0.5"], "bad-arguments"),
        (["--image", "gone.png"], "no-file"),
        (["--workflow", "gone.json"], "no-file"),
        (["--steps", "0"], "bad-graph"),
        (["--size", "100"], "bad-request"),
        (["--lora", "moss:much"], "bad-request"),
        (["--model", "dreams"], "missing-model"),
    ],
)
def test_refusals_write_nothing(
    server: ComfyServer,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    options: list[str],
    code: str,
) -> None:
    assert make(tmp_path / "out", "--server", server.url, *options, "--json") != 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["code"] == code
    assert not (tmp_path / "out").exists()


def test_options_of_large_models_are_not_for_drawn_materials(tmp_path: Path) -> None:
    words = ["texture", "make", "red brick", "-o", str(tmp_path / "out")]
    assert main([*words, "--steps", "3"]) == 2
    assert main([*words, "--server", "localhost"]) == 2
    assert not (tmp_path / "out").exists()


def test_check_tells_what_is_there(server: ComfyServer, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["texture", "check", "comfyui", "--server", server.url]) == 0
    told = capfd.readouterr().err
    assert "has: Models: brick_v1" in told and "lacks: Nodes that make images repeat" in told
    assert main(["texture", "check", "comfyui"]) == 1
    assert "STAGEWRIGHT_COMFYUI" in capfd.readouterr().err
