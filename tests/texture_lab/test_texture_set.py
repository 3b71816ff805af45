# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests round trip and refuse; sets are written whole and say what they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.png import read_png, write_png
from stagewright.texture_lab.request import TextureRequest
from stagewright.texture_lab.texture_set import TextureSet, request_text, require_free, write_set


def test_a_request_round_trips() -> None:
    request = TextureRequest("mossy bricks, façade", 512, 7, {"rows": 8, "joint": 0.1}, "directx")
    text = request.to_json()
    assert TextureRequest.from_json(text) == request
    assert TextureRequest.from_json(text).to_json() == text
    assert text.isascii()


@pytest.mark.parametrize(
    "values",
    [
        {"prompt": " "},
        {"prompt": "x" * 10_000},
        {"prompt": 3},
        {"prompt": "a", "size": 0},
        {"prompt": "a", "size": 1e3},
        {"prompt": "a", "seed": -1},
        {"prompt": "a", "seed": True},
        {"prompt": "a", "normals": "up"},
        {"prompt": "a", "generator": 99},
        {"prompt": "a", "parameters": {"rows": "8"}},
        {"prompt": "a", "parameters": {"rows": float("nan")}},
        {"prompt": "a", "parameters": [1]},
        {"prompt": "a", "__class__": 1},
        {},
        [],
        None,
    ],
)
def test_hostile_requests_are_refused(values: object) -> None:
    with pytest.raises(StagewrightError) as caught:
        TextureRequest.from_json(json.dumps(values))
    assert caught.value.code == "bad-request"


def test_requests_that_are_not_json_are_refused() -> None:
    for text in ["", "{", "[" * 100_000]:
        with pytest.raises(StagewrightError):
            TextureRequest.from_json(text)


def _set() -> TextureSet:
    one = np.linspace(0, 1, 16 * 16, dtype=np.float32).reshape(16, 16)
    normal = np.zeros((16, 16, 3), np.float32)
    normal[..., 1], normal[..., 2] = 0.6, 0.8
    return TextureSet(np.stack([one] * 3, 2), normal, one, one, one, one, 2.0, 0.01)


def test_a_set_on_disk(tmp_path: Path) -> None:
    request = TextureRequest("bricks", 16, 3)
    paths = write_set(_set(), tmp_path / "a b" / "ü", "wall", request, {"family": "brick"})
    assert len(paths) == 7
    assert sorted(path.name for path in paths[0].parent.iterdir()) == sorted(p.name for p in paths)
    height, _ = read_png(paths[4])
    assert height.dtype == np.uint16 and height.max() == 65535
    assert read_png(paths[1])[0][0, 0].tolist() == [128, 204, 230]
    assert TextureRequest.from_json(request_text(paths[0])) == request
    sidecar = json.loads(paths[-1].read_text())
    assert sidecar["family"] == "brick" and sidecar["tile_size_m"] == 2.0
    assert sidecar["color_spaces"]["basecolor"] == "sRGB"
    assert sidecar["color_spaces"]["height"] == "Non-Color"


def test_directx_turns_green_around(tmp_path: Path) -> None:
    request = TextureRequest("bricks", 16, normals="directx")
    paths = write_set(_set(), tmp_path, "wall", request, {})
    assert read_png(paths[1])[0][0, 0].tolist() == [128, 51, 230]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StagewrightError) as caught:
        write_set(_set(), tmp_path / "file", "wall", TextureRequest("bricks", 16), {})
    assert caught.value.code == "write-failed"


@pytest.mark.parametrize("name", ["../wall", "a/b", "a\\b", "", "a\0b"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StagewrightError) as caught:
        write_set(_set(), tmp_path / "out", name, TextureRequest("bricks", 16), {})
    assert caught.value.code == "bad-name"
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_free_for_its_own_request_alone(tmp_path: Path) -> None:
    request = TextureRequest("bricks", 16)
    require_free(request, tmp_path, "wall")
    write_set(_set(), tmp_path, "wall", request, {})
    require_free(request, tmp_path, "wall")
    (tmp_path / "wall_ao.png").unlink()
    require_free(request, tmp_path, "wall")
    (tmp_path / "other_normal.png").write_text("somebody's")
    for other, name in ((TextureRequest("bricks", 16, 1), "wall"), (request, "other")):
        with pytest.raises(StagewrightError, match="is there already"):
            require_free(other, tmp_path, name)


def test_an_image_without_a_request(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(StagewrightError) as caught:
        request_text(tmp_path / "a.png")
    assert caught.value.code == "no-request"
