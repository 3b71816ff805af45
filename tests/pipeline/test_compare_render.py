# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright usd compare-render``: figures, pictures, the page and the exit code."""

from __future__ import annotations

import base64
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.cli import main
from stagewright.texture_lab.images import read_picture
from stagewright.texture_lab.png import read_png, write_png
from stagewright.usd_tools.render_compare import compare


def ramp() -> np.ndarray:
    y, x = np.mgrid[:24, :32]
    return np.stack([x * 8, y * 10, (x + y) * 4], axis=-1).astype(np.uint8)


@pytest.fixture(name="files")
def files_fixture(tmp_path: Path) -> tuple[Path, Path]:
    first = ramp()
    second = first.copy()
    second[4:9, 6:20] = (255, 0, 40)
    paths = tmp_path / "a <b>.png", tmp_path / "after.png"
    write_png(paths[0], first)
    write_png(paths[1], second)
    return paths


def run(*words: object) -> int:
    return main(["usd", "compare-render", *map(str, words)])


def test_equal_pictures_pass_and_others_fail(
    files: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(files[0], files[0]) == 0
    said = capfd.readouterr().err
    assert "PSNR: equal" in said and "within the threshold of 0.02" in said
    assert run(*files) == 1
    assert "above the threshold" in capfd.readouterr().err
    assert run(*files, "--threshold", "0.9") == 0


def test_json_tells_the_figures_of_the_pixels(
    files: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*files, "--json") == 1
    value: dict[str, Any] = json.loads(capfd.readouterr().out.splitlines()[-1])["value"]
    figures, _ = compare(*(read_png(file)[0].astype(np.float32) / 255 for file in files))
    assert {key: value[key] for key in figures.to_json()} == pytest.approx(figures.to_json())
    assert (value["passes"], value["first"]["light"]) == (False, False)


class Page(HTMLParser):
    """What the page holds: balanced tags, no other file."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ways: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        assert "href" not in values and not (values.get("src") or "data:").startswith("http")
        if tag == "input" and values.get("type") == "radio":
            self.ways.append(str(values["value"]))
        if tag not in ("meta", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pictures_and_page_hold_what_was_compared(files: tuple[Path, Path], tmp_path: Path) -> None:
    out = [tmp_path / name for name in ("page.html", "diff.png", "flip.png")]
    run(*files, "--html", out[0], "--diff", out[1], "--flip-map", out[2], "--gain", "2")
    first, second = (read_png(file)[0].astype(int) for file in files)
    expected = np.minimum(2 * np.abs(first - second), 255)
    assert np.array_equal(read_png(out[1])[0], expected)
    flip = read_png(out[2])[0].astype(int)
    assert (flip[6, 10] > 100).any() and (flip[20, 30] < 8).all()
    text = out[0].read_text("utf-8")
    page = Page(text)
    assert page.ways == ["wiped", "beside", "alternate", "differs", "flipped"]
    assert "a &lt;b&gt;.png" in text and "<b>" not in text
    assert {f'id="{way}"' in text for way in page.ways} == {True}
    said = re.search(r"const pictures = (.*);", text)
    assert said is not None
    pictures = json.loads(said[1])
    for key, pixels in (("first", first), ("second", second), ("difference", expected)):
        (tmp_path / "back.png").write_bytes(base64.b64decode(pictures[key]))
        assert np.array_equal(read_png(tmp_path / "back.png")[0], pixels)


def test_nothing_is_overwritten_unasked_and_errors_name_the_file(
    files: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "diff.png"
    kept.write_bytes(b"mine")
    assert run(*files, "--diff", kept) == 1
    assert kept.read_bytes() == b"mine"
    assert run(files[0], files[0], "--diff", kept, "--overwrite") == 0
    small = tmp_path / "small.png"
    write_png(small, ramp()[:10])
    capfd.readouterr()
    assert run(files[0], small) == 1
    assert "32 x 24 and 32 x 10" in capfd.readouterr().err
    assert run(files[0], tmp_path / "none.png") == 1
    assert "none.png" in capfd.readouterr().err
    assert run(files[0], files[1], "--gain", "0") == 2


def test_transparent_pixels_are_seen_over_black(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 4), 200, np.uint8)
    pixels[:2, :, 3], pixels[2:, :, 3] = 0, 51
    write_png(tmp_path / "a.png", pixels)
    seen = read_picture(tmp_path / "a.png")
    assert seen.pixels.shape == (4, 4, 3) and not seen.light
    assert (seen.pixels[:2] == 0).all()
    assert seen.pixels[2:] == pytest.approx(200 / 255 * 51 / 255, abs=1e-6)


def test_other_formats_need_openimageio_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.exr").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "OpenImageIO", None)
    with pytest.raises(StagewrightError, match=r"a\.exr .* OpenImageIO"):
        read_picture(tmp_path / "a.exr")
