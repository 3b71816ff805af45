# SPDX-License-Identifier: GPL-3.0-or-later
"""The network's inference against plain sums, and what its maps must keep to."""

import numpy as np
import pytest

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.cli import main
from stagewright.texture_lab import maps_network, png
from stagewright.texture_lab.images import read_image
from stagewright.texture_lab.maps_network import convolved, estimate, joined
from stagewright.texture_lab.photo import make_maps, request_of
from stagewright.texture_lab.surface import normals


def run(job):
    return drain(job, lambda event: None)


def photo_of(rows, columns, seed=0):
    """Blotches of several sizes, sRGB, repeating."""
    rng = np.random.default_rng(seed)
    wave = np.fft.fft2(rng.normal(size=(rows, columns, 3)), axes=(0, 1))
    k = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None])
    field = np.fft.ifft2(wave / (k + 0.01)[..., None], axes=(0, 1)).real
    return np.clip(0.5 + 0.15 * field / field.std(), 0, 1).astype(np.float32)


def summed(x, kernel, bias, relu, wraps):
    """A convolution by its definition, in float64; kernel (outputs, inputs, 3, 3)."""
    x = np.maximum(x, 0) if relu else x
    wide = np.pad(x.astype(float), ((1, 1), (1, 1), (0, 0)), mode="wrap" if wraps else "constant")
    rows, columns = x.shape[:2]
    made = np.zeros((rows, columns, len(kernel))) + bias
    for row in range(3):
        for column in range(3):
            part = wide[row : row + rows, column : column + columns]
            made += np.einsum("rci,oi->rco", part, kernel[:, :, row, column])
    return made


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("wraps", [False, True])
def test_a_convolution_is_its_sum(relu, wraps):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(21, 13, 5)).astype(np.float32)
    kernel, bias = rng.normal(size=(7, 5, 3, 3)).astype(np.float32), rng.normal(size=7)
    weight = maps_network._as_product(kernel)
    made = convolved(x, weight, bias.astype(np.float32), relu, wraps)
    assert np.abs(made - summed(x, kernel, bias, relu, wraps)).max() < 1e-5


def test_slopes_give_back_their_height():
    rng = np.random.default_rng(2)
    k = np.hypot(np.fft.fftfreq(96)[:, None], np.fft.fftfreq(64)[None])
    smooth = np.fft.fft2(rng.normal(size=(96, 64))) * np.exp(-((k * 12) ** 2))
    height = np.fft.ifft2(smooth).real.astype(np.float32)
    height *= 8 / height.std()
    normal = normals(height, 96.0)
    right, up = normal[..., 0] / normal[..., 2], normal[..., 1] / normal[..., 2]
    found = joined(right, up, height, True)
    # Slopes between pixels are means of those at pixels: waves of 16 pixels lose a twenty-fifth.
    assert np.abs(found - (height - height.mean())).max() < 0.06 * np.abs(height).max()
    deeper = joined(right, up, 5 * height, True)
    assert np.abs(deeper - found).max() < 1e-3
    # Without any height to go by, all but the longest waves are there.
    alone = joined(right, up, np.zeros_like(height), True)
    assert np.corrcoef(alone.ravel(), height.ravel())[0, 1] > 0.97


def test_a_photo_that_does_not_repeat_keeps_its_slope_at_the_borders():
    ramp = np.broadcast_to(np.arange(128, dtype=np.float32) * 0.5, (96, 128))
    right = np.full((96, 128), -0.5, np.float32)
    found = joined(right, np.zeros_like(right), ramp - ramp.mean(), False)
    inside = np.diff(found[:, 1:-1], axis=1)
    assert np.abs(inside - 0.5).max() < 0.05


def test_maps_of_what_repeats_repeat():
    photo = photo_of(64, 96)
    made = run(estimate(photo, wraps=True))
    moved = run(estimate(np.roll(photo, (32, 64), (0, 1)), wraps=True))
    for name in ("basecolor", "roughness", "metallic", "ao", "height"):
        rolled = np.roll(getattr(made, name), (32, 64), (0, 1))
        assert np.abs(rolled - getattr(moved, name)).max() < 2e-3, name


def test_any_size_is_covered_and_tiles_agree(monkeypatch):
    photo = photo_of(160, 224)
    whole = run(estimate(photo))
    assert {whole.height.shape, whole.ao.shape} == {(160, 224)}
    odd = run(estimate(photo[:150, :201]))
    assert odd.roughness.shape == (150, 201)
    assert np.abs(odd.roughness[32:-64, 32:-64] - whole.roughness[32:86, 32:137]).mean() < 0.05
    monkeypatch.setattr(maps_network, "_TILE", 384)
    tiled = run(estimate(photo_of(512, 480, 3)))
    monkeypatch.setattr(maps_network, "_TILE", 2048)
    at_once = run(estimate(photo_of(512, 480, 3)))
    assert np.abs(tiled.roughness - at_once.roughness).mean() < 0.03


def test_values_keep_to_their_ranges():
    made = run(estimate(photo_of(64, 64, 5)))
    for name in ("basecolor", "roughness", "metallic", "ao"):
        assert getattr(made, name).min() >= 0 and getattr(made, name).max() <= 1
        assert getattr(made, name).dtype == np.float32
    assert set(made.expected) == {"normal", "roughness", "metallic", "ao"}
    assert all(np.isfinite(v) and v >= 0 for v in made.expected.values())


def test_a_photo_is_refused_below_what_the_network_sees():
    with pytest.raises(StagewrightError, match="too few pixels"):
        run(estimate(photo_of(31, 64)))


def test_missing_weights_are_told(monkeypatch, tmp_path):
    monkeypatch.setattr(maps_network, "WEIGHTS", tmp_path / "maps.npz")
    maps_network._weights.cache_clear()
    with pytest.raises(StagewrightError, match=r"maps\.npz are not there"):
        run(estimate(photo_of(64, 64)))
    maps_network._weights.cache_clear()


def test_the_command_estimates_and_says_how_sure_it_is(tmp_path, capsys):
    photo = tmp_path / "wall.png"
    png.write_png(photo, (photo_of(96, 128) * 255).astype(np.uint8))
    network = ["texture", "maps", str(photo), "--backend", "network"]
    assert main([*network, "-o", str(tmp_path / "out")]) == 0
    assert "trained on synthetic materials" in capsys.readouterr().err
    normal = read_image(tmp_path / "out/wall_normal.png", data=True) * 2 - 1
    assert normal.shape == (96, 128, 3)
    assert np.abs(np.linalg.norm(normal, axis=-1) - 1).max() < 0.02
    assert main([*network, "--detail", "1", "-o", str(tmp_path / "b")]) != 0
    assert not (tmp_path / "b").exists()


def test_the_relief_can_be_said(tmp_path):
    photo = tmp_path / "wall.png"
    png.write_png(photo, (photo_of(64, 64) * 255).astype(np.uint8))
    request = request_of(photo, relief=0.25, backend="network")
    run(make_maps(photo, request, tmp_path))
    assert '"height_range_m": 0.25' in (tmp_path / "wall.json").read_text()


def test_the_same_photo_gives_the_same_bytes(tmp_path):
    photo = tmp_path / "wall.png"
    png.write_png(photo, (photo_of(64, 96) * 255).astype(np.uint8))
    for folder in ("a", "b"):
        run(make_maps(photo, request_of(photo, backend="network"), tmp_path / folder))
    for name in ("normal", "height", "roughness"):
        a, b = ((tmp_path / f / f"wall_{name}.png").read_bytes() for f in ("a", "b"))
        assert a == b
