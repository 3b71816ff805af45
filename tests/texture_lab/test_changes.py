# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets made of sets that are there, again from their maps, and what they take of memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stagewright.jobs import memory
from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Event, Preview
from stagewright.jobs.warm import WarmChild
from stagewright.texture_lab.backends import Commission, Embedded, refuse_unable
from stagewright.texture_lab.changes import TOOLS, changed, origin_of
from stagewright.texture_lab.changes import repeats as repeats_of
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.graph_nodes import make_graph
from stagewright.texture_lab.images import image_size
from stagewright.texture_lab.make import draw, make
from stagewright.texture_lab.photo import make_maps, request_of
from stagewright.texture_lab.picture import picture
from stagewright.texture_lab.png import read_png, write_png
from stagewright.texture_lab.request import TextureRequest
from stagewright.texture_lab.requests import AnyRequest, make_any, memory_of
from stagewright.texture_lab.rerun import rerun
from stagewright.texture_lab.stored_set import fingerprint, read_set
from stagewright.texture_lab.tasks import make_set
from stagewright.texture_lab.tiling_metric import measure


def quiet(event: object) -> None:
    """Nobody reads the progress."""


def of_words(folder: Path, words: str, name: str, size: int = 64) -> Path:
    request = TextureRequest(words, size, 5, {}, "directx")
    return Path(drain(make(request, folder, name), quiet)["files"][-1])


def photo(folder: Path, rows: int = 80, columns: int = 96) -> Path:
    """A photo of stones that does not repeat."""
    seen = draw(understand("cobblestone"), 256, 3).basecolor[:rows, :columns]
    write_png(folder / "stones.png", (seen * 255).astype(np.uint8))
    return folder / "stones.png"


def of_photo(folder: Path, **chosen: Any) -> Path:
    image = photo(folder)
    return Path(
        drain(make_maps(image, request_of(image, **chosen), folder, "p"), quiet)["files"][-1]
    )


def run(folder: Path, tool: str, *sidecars: Path, **settings: Any) -> Path:
    graph = changed(tool, settings, *map(origin_of, sidecars))
    value = drain(make_graph(graph, folder, folder / "out", tool), quiet)
    return Path(value["files"][-1])


@pytest.mark.parametrize("of", ["words", "photo"])
@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "blend"])
def test_every_tool_changes_a_set_and_is_made_again(tmp_path: Path, of: str, tool: str) -> None:
    source = of_words(tmp_path, "red brick", "w") if of == "words" else of_photo(tmp_path)
    made = run(tmp_path, tool, source)
    before, about = read_set(source)
    after, told = read_set(made)
    assert told["normals"] == about["normals"]
    rows = len(after.height)
    if tool == "upscale":
        assert rows == 2 * len(before.height) and after.tile_size_m == before.tile_size_m
        halves = after.basecolor.reshape(rows // 2, 2, -1, 2, 3).mean((1, 3))
        assert abs(halves - before.basecolor).mean() < 0.005
    elif tool == "tile":
        assert measure(after.basecolor, before.basecolor).is_seamless
    else:
        assert not np.array_equal(after.basecolor, before.basecolor)
        assert abs(after.basecolor.mean() - before.basecolor.mean()) < 0.08
    again = tmp_path / "again"
    drain(rerun(made.with_name(f"{tool}_ao.png"), again, tool, tmp_path / source.name), quiet)
    for file in made.parent.iterdir():
        assert (again / file.name).read_bytes() == file.read_bytes()


def test_what_is_made_of_words_needs_no_file_to_be_made_again(tmp_path: Path) -> None:
    source = of_words(tmp_path, "red brick", "w")
    graph = changed("vary", {"seed": 3}, origin_of(source))
    assert [node.kind for node in graph.order()][0] == "text_to_texture"
    made = run(tmp_path, "vary", source, seed=3)
    source.unlink()
    drain(rerun(made.with_name("vary_ao.png"), tmp_path / "again", "vary"), quiet)
    assert (tmp_path / "again" / "vary_height.png").read_bytes() == made.with_name(
        "vary_height.png"
    ).read_bytes()


def test_a_set_is_laid_over_another_where_it_is_low(tmp_path: Path) -> None:
    below, above = of_words(tmp_path, "white brick", "a"), of_words(tmp_path, "black soil", "b")
    graph = changed("blend", {"amount": 0.3, "by": "height"}, origin_of(below), origin_of(above))
    assert len(graph.nodes) == 4
    value = drain(make_graph(graph, tmp_path, tmp_path / "out", "x"), quiet)
    mixed, wall = read_set(Path(value["files"][-1]))[0], read_set(below)[0]
    covered = abs(mixed.basecolor - wall.basecolor).sum(2) > 0.3
    assert wall.height[covered].mean() < wall.height[~covered].mean()


def test_whether_a_set_repeats_follows_from_what_it_was_made_of(tmp_path: Path) -> None:
    words = of_words(tmp_path, "brick", "w")
    plain = of_photo(tmp_path)
    assert origin_of(words).repeats and not origin_of(plain).repeats
    for tool, source, repeats in (
        ("vary", words, True),
        ("vary", plain, False),
        ("upscale", plain, False),
        ("tile", plain, True),
    ):
        assert repeats_of(changed(tool, {}, origin_of(source))) == repeats
    assert not repeats_of(changed("blend", {}, origin_of(words), origin_of(plain)))
    tiled = run(tmp_path, "tile", plain)
    assert origin_of(tiled).repeats and repeats_of(changed("vary", {}, origin_of(tiled)))


def test_a_set_that_was_changed_since_is_refused(tmp_path: Path) -> None:
    source = of_photo(tmp_path)
    graph = changed("vary", {}, origin_of(source))
    pixels, text = read_png(tmp_path / "p_ao.png")
    pixels[0, 0] ^= 1
    write_png(tmp_path / "p_ao.png", pixels, text)
    with pytest.raises(StagewrightError) as caught:
        drain(make_graph(graph, tmp_path, tmp_path / "out", "x"), quiet)
    assert caught.value.code == "set-changed" and "p.json" in caught.value.message
    (tmp_path / "p_ao.png").unlink()
    with pytest.raises(StagewrightError) as caught:
        drain(make_graph(graph, tmp_path, tmp_path / "out", "x"), quiet)
    assert caught.value.code == "bad-set" and not (tmp_path / "out").exists()


def test_another_name_is_the_same_set_and_another_depth_is_not(tmp_path: Path) -> None:
    source = of_words(tmp_path, "brick", "w")
    about = json.loads(source.read_text())
    renamed = {}
    for name, file in about["maps"].items():
        renamed[name] = file.replace("w_", "v_")
        (tmp_path / renamed[name]).write_bytes((tmp_path / file).read_bytes())
    other = tmp_path / "v.json"
    other.write_text(json.dumps({**about, "maps": renamed}))
    assert fingerprint(other) == fingerprint(source)
    other.write_text(json.dumps({**about, "maps": renamed, "height_range_m": 0.5}))
    assert fingerprint(other) != fingerprint(source)


def requests(folder: Path) -> dict[str, AnyRequest]:
    """One of each kind."""
    image = photo(folder, 128, 128)
    set_ = of_words(folder, "wet mossy lava", "w", 128)
    of_set = origin_of(set_)
    return {
        "words": TextureRequest("wet mossy lava", 128),
        "classical": request_of(image, tile="auto"),
        "network": request_of(image, backend="network"),
        "vary": changed("vary", {}, of_set),
        "tile": changed("tile", {}, of_set),
        "upscale": changed("upscale", {"factor": 2}, of_set),
        "blend": changed("blend", {}, of_set, of_set),
    }


@pytest.mark.parametrize(
    "name", ["words", "classical", "network", "vary", "tile", "upscale", "blend"]
)
def test_the_estimate_is_what_it_takes(tmp_path: Path, name: str) -> None:
    request = requests(tmp_path)[name]
    told = memory_of(request, tmp_path)
    tracemalloc.start()
    drain(make_any(request, tmp_path, tmp_path / "out", "x"), quiet)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.7 * taken < told < 3 * taken, f"{told / taken:.2f}"


@pytest.mark.parametrize("name", ["words", "classical", "vary"])
def test_what_takes_more_than_there_is_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    request = requests(tmp_path)[name]
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 20)
    backend = Embedded(WarmChild(tmp_path / "child"))
    with pytest.raises(StagewrightError) as caught:
        refuse_unable(backend, Commission(request, tmp_path / "out", "x", tmp_path))
    assert caught.value.code == "out-of-memory"
    with pytest.raises(StagewrightError) as caught:
        drain(make_any(request, tmp_path, tmp_path / "out", "x"), quiet)
    assert caught.value.code == "out-of-memory" and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["classical", "upscale"])
def test_what_is_made_of_pictures_is_shown_lit_too(tmp_path: Path, name: str) -> None:
    request = requests(tmp_path)[name]
    told: list[Event] = []
    seen, out = tmp_path / "seen.npy", tmp_path / "out"
    value = drain(make_set(request.to_json(), str(out), "x", str(tmp_path), str(seen)), told.append)
    assert [event.path for event in told if isinstance(event, Preview)] == [str(seen)]
    textures, _ = read_set(Path(value["files"][-1]))
    lit = picture(textures)[:, :, :3]
    shown = read_png(out / "x_preview.png")[0] / 255
    box = len(lit) // len(shown)
    rows, columns = shown.shape[:2]
    boxes = lit[: rows * box, : columns * box].reshape(rows, box, columns, box, 3).mean((1, 3))
    assert abs(shown - boxes).mean() < 0.02
    plain = textures.basecolor[: rows * box, : columns * box]
    plain = plain.reshape(rows, box, columns, box, 3).mean((1, 3))
    assert abs(shown - plain).mean() > 0.05


def test_the_size_of_an_image_is_read_without_its_pixels(tmp_path: Path) -> None:
    image = photo(tmp_path, 40, 60)
    assert image_size(image) == (40, 60)
    image.write_bytes(image.read_bytes()[:30])
    assert image_size(image) == (40, 60)
    for content in (b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" * 9):
        image.write_bytes(content)
        with pytest.raises(StagewrightError, match=r"stones\.png"):
            image_size(image)
    with pytest.raises(StagewrightError, match=r"gone\.png"):
        image_size(tmp_path / "gone.png")
