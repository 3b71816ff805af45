# SPDX-License-Identifier: GPL-3.0-or-later
"""Scanned sets: found by their names, scored on what they have."""

import json

import numpy as np
import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.cli import main
from stagewright.texture_lab import png
from stagewright.texture_lab.scanned import find_sets
from stagewright.texture_lab.surface import normals


def write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    png.write_png(path, (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8))


def scan(folder, stem, flip=1):
    """Blocks of brown wood with a known relief."""
    i, j = np.indices((64, 96))
    height = 2 * np.sin(i / 64 * 8 * np.pi) * np.cos(j / 96 * 8 * np.pi)
    normal = normals(height.astype(np.float32), 64.0)
    base = np.broadcast_to([0.5, 0.35, 0.2], (64, 96, 3))
    write(folder / f"{stem}_albedo.png", base)
    write(folder / f"{stem}_nor_{'gl' if flip == 1 else 'dx'}.png", normal * [1, flip, 1] / 2 + 0.5)
    write(folder / f"{stem}_rough.png", np.full((64, 96, 1), 0.7))
    return base


def test_sets_are_found_by_their_names(tmp_path):
    scan(tmp_path, "oak")
    scan(tmp_path / "more", "wet oak", flip=-1)
    write(tmp_path / "more" / "readme_albedo.png", np.zeros((8, 8, 3)))
    found = {each.name: each for each in find_sets(tmp_path)}
    assert set(found) == {"oak", "more/wet oak"}
    assert set(found["oak"].files) == {"basecolor", "normal", "roughness"}
    assert not found["oak"].directx and found["more/wet oak"].directx


def test_only_the_maps_that_are_there_are_scored(tmp_path, capfd):
    write(tmp_path / "oak_photo.png", scan(tmp_path, "oak"))
    scan(tmp_path, "ash", flip=-1)
    assert main(["texture", "maps", "--compare", str(tmp_path), "--json"]) == 0
    sets = json.loads(capfd.readouterr().out.splitlines()[-1])["value"]["sets"]
    assert {each["name"]: each["drawn"] for each in sets} == {"oak": False, "ash": True}
    for each in sets:
        assert "roughness_rmse" in each["network"] and "ao_rmse" not in each["network"]
        assert each["network"]["normal_flat_deg"] == pytest.approx(
            each["classical"]["normal_flat_deg"]
        )
    # The photo of oak is flat: no way can see a relief in it.
    oak = next(each for each in sets if each["name"] == "oak")
    assert oak["network"]["normal_deg"] > 0.5 * oak["network"]["normal_flat_deg"]
    # The green of ash points down, and is turned: both sets have one and the same relief.
    flats = [each["network"]["normal_flat_deg"] for each in sets]
    assert flats[0] == pytest.approx(flats[1], abs=0.1)


def test_a_folder_without_sets_is_told(tmp_path):
    with pytest.raises(StagewrightError, match="none has both base colour and normals"):
        find_sets(tmp_path)
    assert main(["texture", "maps", "--compare", str(tmp_path)]) != 0
    with pytest.raises(StagewrightError, match="There is no folder"):
        find_sets(tmp_path / "nowhere")


def test_maps_of_two_sizes_are_refused(tmp_path):
    scan(tmp_path, "oak")
    write(tmp_path / "oak_ao.png", np.ones((32, 32, 1)))
    assert main(["texture", "maps", "--compare", str(tmp_path)]) != 0


def test_photos_need_a_folder(tmp_path):
    assert main(["texture", "maps", str(tmp_path / "a.png")]) != 0
