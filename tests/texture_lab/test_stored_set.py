# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets read back: what was written, and refusals of what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.make import draw
from stagewright.texture_lab.request import TextureRequest
from stagewright.texture_lab.stored_set import read_set
from stagewright.texture_lab.texture_set import MAPS, write_set


def written(folder: Path, normals: Literal["opengl", "directx"] = "opengl") -> Path:
    request = TextureRequest("red brick", 48, 3, normals=normals)
    return write_set(draw(understand("red brick"), 48, 3), folder, "b", request, {})[-1]


@pytest.mark.parametrize("normals", ["opengl", "directx"])
def test_a_set_comes_back_as_it_was(tmp_path: Path, normals: Literal["opengl", "directx"]) -> None:
    textures, about = read_set(written(tmp_path, normals))
    expected = draw(understand("red brick"), 48, 3)
    for name in MAPS:
        step = 1 / 65535 if name == "height" else 1 / 127 if name == "normal" else 1 / 255
        assert np.allclose(getattr(textures, name), getattr(expected, name), atol=step)
    assert textures.height_range_m == expected.height_range_m
    assert about["request"]["seed"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"maps": {}},
        {"maps": dict.fromkeys(MAPS, "../b_ao.png")},
        {"maps": dict.fromkeys(MAPS, "/etc/hostname")},
        {"maps": dict.fromkeys(MAPS, "gone.png")},
        {"maps": {n: f"b_{'ao' if n == 'basecolor' else n}.png" for n in MAPS}},
        {"tile_size_m": 0},
        {"tile_size_m": "1"},
        {"normals": "up"},
        {"request": None},
    ],
)
def test_a_sidecar_that_is_none_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    sidecar = written(tmp_path)
    about = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**about, **change}))
    with pytest.raises(StagewrightError) as caught:
        read_set(sidecar)
    assert caught.value.code == "bad-set"


@pytest.mark.parametrize("text", ["", "[]", "3", "[" * 100_000, "\udcff"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(StagewrightError, match="b.json"):
        read_set(tmp_path / "b.json")
