# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright texture make`` and ``rerun``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stagewright.pipeline.cli import main
from stagewright.texture_lab.png import read_png
from stagewright.texture_lab.surface import normals


def _make(folder: Path, *options: str) -> int:
    return main(["texture", "make", *options, "--size", "128", "-o", str(folder)])


def test_a_rerun_makes_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a b" / "é", tmp_path / "again"
    assert _make(first, "mossy red brick wall, wet", "--seed", "7", "--set", "rows=8") == 0
    files = sorted(first.iterdir())
    assert [file.suffix for file in files].count(".png") == 6 and len(files) == 7
    assert main(["texture", "rerun", str(first / "brick_7_height.png"), "-o", str(second)]) == 0
    for file in files:
        assert (second / file.name).read_bytes() == file.read_bytes()


def test_the_normal_map_is_that_of_the_height_map(tmp_path: Path) -> None:
    assert _make(tmp_path, "cobblestone", "--name", "c") == 0
    sidecar = json.loads((tmp_path / "c.json").read_text())
    assert sidecar["family"] == "cobblestone" and sidecar["parameters"]["rows"] == 10
    height = read_png(tmp_path / "c_height.png")[0][..., 0].astype(np.float64) / 65535
    expected = normals(height * sidecar["height_range_m"], sidecar["tile_size_m"])
    stored = read_png(tmp_path / "c_normal.png")[0] / 127.5 - 1
    assert abs(stored - expected).max() < 1.5 / 127.5


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["a smiling cat"], "no-match"),
        (["brick", "--seed", "-1"], "bad-request"),
        (["brick", "--normals", "up"], "bad-request"),
        (["brick", "--set", "waves=2"], "bad-request"),
        (["x" * 10_000], "bad-request"),
        ([""], "bad-request"),
    ],
)
def test_refusals_write_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], options: list[str], code: str
) -> None:
    assert _make(tmp_path / "out", *options, "--json") == 1
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["code"] == code
    assert not (tmp_path / "out").exists()


def test_a_number_that_is_none_is_a_wrong_command_line(tmp_path: Path) -> None:
    assert _make(tmp_path, "brick", "--set", "rows=many") == 2
