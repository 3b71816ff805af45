# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of a photo: light taken out, reliefs, files that are made once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.cli import main
from stagewright.texture_lab import png
from stagewright.texture_lab.images import encoded, linear, read_image
from stagewright.texture_lab.map_names import kind_of
from stagewright.texture_lab.photo import (
    PhotoRequest,
    blurred,
    delighted,
    height_of,
    make_maps,
    maps_of,
    request_of,
)
from stagewright.texture_lab.surface import normals, occlusion
from stagewright.texture_lab.tiling_metric import measure


def stones(rows: int = 160, columns: int = 200) -> np.ndarray:
    """Grey stones with dark gaps, a photo without light of its own, sRGB."""
    random = np.random.default_rng(4)
    i, j = np.indices((rows, columns))
    gaps = np.minimum(np.abs(i % 20 - 10), np.abs((j + 7 * (i // 20)) % 25 - 12)) < 1
    light = np.where(gaps, 0.05, 0.35) * random.uniform(0.8, 1.2, (rows, columns))
    return np.repeat(encoded(light)[:, :, None], 3, axis=2)


def write(path: Path, colour: np.ndarray) -> Path:
    png.write_png(path, (np.clip(colour, 0, 1) * 255 + 0.5).astype(np.uint8))
    return path


def test_srgb_and_back() -> None:
    values = np.linspace(0, 1, 1001)
    assert np.abs(encoded(linear(values)) - values).max() < 1e-5
    assert linear(0.5) == pytest.approx(0.21404114, abs=1e-6)  # IEC 61966-2-1


def test_a_blur_is_a_sum_with_gaussian_weights() -> None:
    field = np.random.default_rng(1).normal(size=(40, 48)).astype(np.float32)
    offsets = np.arange(-12, 13)
    weights = np.exp(-(offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()
    expected = sum(w * np.roll(field, o, 0) for o, w in zip(offsets, weights, strict=True))
    expected = sum(w * np.roll(expected, o, 1) for o, w in zip(offsets, weights, strict=True))
    assert np.abs(blurred(field, 1.5) - expected).max() < 1e-4


def test_no_relief_is_flat_and_an_unsaid_one_is_a_centimetre() -> None:
    flat = maps_of(stones(), PhotoRequest("a.png", "0", relief=0.0))
    assert flat.height_range_m == pytest.approx(1e-6)
    assert np.array_equal(flat.normal, np.broadcast_to([0, 0, 1], flat.normal.shape))
    assert maps_of(stones(), PhotoRequest("a.png", "0")).height_range_m == 0.01


def test_light_that_falls_off_is_taken_out_and_the_mean_is_kept() -> None:
    plain = stones()
    fall = np.linspace(0.4, 1.6, plain.shape[1])[None, :, None]
    lit = encoded(linear(plain) * fall)

    def slope(colour: np.ndarray) -> float:
        columns = linear(colour).mean(axis=(0, 2))
        ends = columns[:40].mean(), columns[-40:].mean()
        return abs(ends[1] - ends[0]) / columns.mean()

    assert slope(lit) > 0.7
    assert slope(delighted(lit, 1.0)) < 0.2 * slope(lit)
    assert np.abs(delighted(lit, 0.0) - lit).max() < 1e-5
    assert linear(delighted(lit, 1.0)).mean() == pytest.approx(linear(lit).mean(), rel=0.1)


def test_gaps_lie_deeper_than_stones() -> None:
    brightness = linear(stones())[:, :, 0]
    height = height_of(brightness, 0.0)
    assert (height.min(), height.max()) == (0.0, 1.0)
    assert height[brightness > 0.25].mean() > height[brightness < 0.1].mean() + 0.3


def test_detail_weighs_small_shapes_against_large_ones() -> None:
    brightness = linear(stones())[:, :, 0]

    def fineness(detail: float) -> float:
        height = height_of(brightness, detail)
        return float(np.abs(np.diff(height, axis=0)).mean() / height.std())

    assert fineness(1.0) > 1.2 * fineness(-1.0)


def test_the_maps_fit_one_another() -> None:
    request = PhotoRequest("a.png", "0", tile_size_m=2.0, relief=0.05)
    made = maps_of(stones(), request)
    deep = made.height * np.float32(0.05)
    assert np.array_equal(made.normal, normals(deep, 2.0))
    assert np.array_equal(made.ao, occlusion(deep, 2.0))
    assert (made.tile_size_m, made.height_range_m) == (2.0, 0.05)
    assert np.abs(np.linalg.norm(made.normal, axis=2) - 1).max() < 1e-5


@pytest.mark.parametrize(
    ("pixels", "shape"),
    [
        (np.full((5, 6), 128, np.uint8), (5, 6, 1)),
        (np.full((5, 6, 2), 128, np.uint8), (5, 6, 1)),
        (np.full((5, 6, 4), 32896, np.uint16), (5, 6, 3)),
    ],
)
def test_grey_alpha_and_16_bits_are_read(
    tmp_path: Path, pixels: np.ndarray, shape: tuple[int, ...]
) -> None:
    png.write_png(tmp_path / "a b ü.png", pixels)
    found = read_image(tmp_path / "a b ü.png")
    assert found.shape == shape
    assert np.abs(found - 128 / 255).max() < 1e-3


def run(*words: object) -> int:
    return main(["texture", *map(str, words)])


def lines_of(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(capfd.readouterr().out.splitlines()[-1])["value"]
    return value


def is_made(photo: Path, folder: Path, *, force: bool = False) -> bool:
    """Make the set of a photo; whether it was not there yet."""
    request = request_of(photo, relief=0.02)
    value = drain(make_maps(photo, request, folder, force=force), lambda event: None)
    return not value["done"]


def test_a_set_is_made_once(tmp_path: Path) -> None:
    photo, out = write(tmp_path / "wall.png", stones()), tmp_path / "out"
    assert is_made(photo, out)
    stamps = {p: p.stat().st_mtime_ns for p in out.iterdir()}
    assert len(stamps) == 7
    assert not is_made(photo, out)
    assert {p: p.stat().st_mtime_ns for p in out.iterdir()} == stamps
    sidecar = json.loads((out / "wall.json").read_text())
    assert sidecar["request"]["relief"] == 0.02
    assert sidecar["request"]["photo"] == "wall.png" and str(tmp_path) not in str(sidecar)
    # Another photo under its name is refused unless told; a map that is gone is made anew.
    write(photo, 0.9 * stones())
    with pytest.raises(StagewrightError, match="is there already"):
        is_made(photo, out)
    assert {p: p.stat().st_mtime_ns for p in out.iterdir()} == stamps
    assert is_made(photo, out, force=True)
    (out / "wall_ao.png").unlink()
    assert is_made(photo, out)


def test_one_damaged_photo_does_not_stop_the_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good = [write(tmp_path / f"{n}.png", stones()) for n in range(2)]
    bad = tmp_path / "bad.png"
    bad.write_bytes(good[0].read_bytes()[:300])
    assert run("maps", good[0], bad, good[1], "-o", tmp_path / "out", "--json") == 0
    value = lines_of(capfd)
    assert len(value["made"]) == 2
    assert [each["code"] for each in value["refused"]] == ["bad-image"]
    assert run("maps", bad, "-o", tmp_path / "out") == 1
    worse = tmp_path / "worse.png"
    worse.write_bytes(b"")
    assert run("maps", bad, worse, "-o", tmp_path / "out") == 1  # None was made.


def test_a_photo_becomes_a_tile(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    photo = write(tmp_path / "wall.png", stones(200, 233))
    words = ("--tile", "--tile-size", 2, "--json")
    assert run("maps", photo, *words, "-o", tmp_path / "out") == 0
    assert lines_of(capfd)["made"][0]["tiling"]["methods"] == ["cut", "cut"]
    tile = read_image(tmp_path / "out" / "wall_basecolor.png")
    assert measure(tile, read_image(photo)).is_seamless
    sidecar = json.loads((tmp_path / "out" / "wall.json").read_text())
    assert sidecar["tile_size_m"] == pytest.approx(2 * tile.shape[0] / 200)


def test_a_set_of_a_photo_is_made_again(tmp_path: Path) -> None:
    photo, out = write(tmp_path / "wall.png", stones()), tmp_path / "out"
    assert run("maps", photo, "--relief", 0.03, "--name", "w", "-o", out) == 0
    picture = out / "w_normal.png"
    assert run("rerun", picture, "-o", tmp_path / "a") == 1  # The photo is not beside the map.
    assert run("rerun", picture, "--photo", photo, "--name", "w", "-o", tmp_path / "b") == 0
    for file in out.iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    write(out / "wall.png", 0.9 * stones())
    assert run("rerun", picture, "-o", tmp_path / "c") == 1  # Another one of its name.
    (out / "wall.png").write_bytes(photo.read_bytes())
    assert run("rerun", picture, "-o", tmp_path / "d") == 0
    assert (tmp_path / "d" / "wall_height.png").is_file()
    assert not (tmp_path / "a").exists() and not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"photo": "../../etc/passwd"},
        {"photo": 3},
        {"generator": 0},
        {"tile": "always"},
        {"backend": "oracle"},
        {"weights": "0"},
        {"relief": "deep"},
        {"more": 1},
    ],
)
def test_requests_that_nobody_wrote_are_refused(change: dict[str, Any]) -> None:
    request = PhotoRequest("wall.png", "0" * 64)
    assert PhotoRequest.from_json(request.to_json()) == request
    text = json.dumps({**json.loads(request.to_json()), **change})
    with pytest.raises(StagewrightError) as caught:
        PhotoRequest.from_json(text)
    assert caught.value.code == "bad-request"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bark_color.png", "colour"),
        ("bark_nor_gl_2k.png", "normal"),
        ("BarkNormalDX.png", "normal"),
        ("normandy-stone.png", "colour"),
        ("normal_wall_basecolor.png", "colour"),
        ("Bricks_Roughness.png", "data"),
        ("photo.png", "colour"),
    ],
)
def test_an_image_is_what_its_name_says(tmp_path: Path, name: str, kind: str) -> None:
    assert kind_of(tmp_path / name) == kind


def test_a_sidecar_says_more_than_a_name(tmp_path: Path) -> None:
    sidecar = {"maps": {"normal": "my_wall_color.png", "ao": "my_wall_x.png"}}
    (tmp_path / "my_wall.json").write_text(json.dumps(sidecar))
    (tmp_path / "my.json").write_text("[]")
    assert kind_of(tmp_path / "my_wall_color.png") == "normal"
    assert kind_of(tmp_path / "my_wall_x.png") == "data"
    assert kind_of(tmp_path / "my_wall_height.png") == "data"  # Not in it: by its name.


@pytest.mark.parametrize("method", ["cut", "blend"])
def test_a_normal_map_is_one_after_tiling(tmp_path: Path, method: str) -> None:
    random = np.random.default_rng(6)
    slopes = random.normal(size=(160, 170, 2))
    vectors = np.concatenate([slopes, np.ones((160, 170, 1))], axis=2)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    source = write(tmp_path / "grit_normal.png", vectors / 2 + 0.5)
    assert run("tile", source, "--method", method, "-o", tmp_path / "out") == 0
    made = 2 * read_image(tmp_path / "out" / "grit_normal.png") - 1
    # PNGs of 16 bits: the cut keeps even what 8 bits rounded away.
    assert np.abs(np.linalg.norm(made, axis=2) - 1).max() < 1e-4
    assert made[:, :, 2].min() > 0


def test_tiles_replace_nothing_unless_told(tmp_path: Path) -> None:
    source = write(tmp_path / "c.png", stones())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "c.png").write_text("somebody's")
    assert run("tile", source, "-o", tmp_path / "out") == 1
    assert (tmp_path / "out" / "c.png").read_text() == "somebody's"
    assert run("tile", source, "-o", tmp_path / "out", "--force") == 0


def test_maps_of_one_material_are_tiled_together(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    colour = write(tmp_path / "c.png", stones(200, 233))
    height = write(tmp_path / "h.png", stones(200, 233)[:, :, :1])
    assert run("tile", colour, height, "-o", tmp_path / "out", "--json") == 0
    assert lines_of(capfd)["seamless"]
    made = [read_image(tmp_path / "out" / name) for name in ("c.png", "h.png")]
    assert np.array_equal(made[0][:, :, :1], made[1])
    assert run("tile", colour, "-o", tmp_path) == 1  # over itself
    assert read_image(colour).shape == (200, 233, 3)


@pytest.mark.parametrize("control", [{"delight": 2.0}, {"relief": -1.0}, {"tile_size_m": np.nan}])
def test_controls_beyond_their_range_are_refused(tmp_path: Path, control: dict[str, float]) -> None:
    photo = write(tmp_path / "a.png", stones())
    with pytest.raises(StagewrightError, match="Give"):
        request_of(photo, **control)


def test_the_same_photo_gives_the_same_bytes(tmp_path: Path) -> None:
    photo = write(tmp_path / "a.png", stones())
    for name in ("one", "two"):
        assert run("maps", photo, "--tile", "-o", tmp_path / name) == 0
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
