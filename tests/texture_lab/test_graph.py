# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures made in several steps: the record, and what it makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.graph import IMAGE_KINDS, KINDS, Node, TextureGraph
from stagewright.texture_lab.graph_nodes import make_graph
from stagewright.texture_lab.make import draw
from stagewright.texture_lab.photo import make_maps, request_of, sha256_of
from stagewright.texture_lab.png import write_png
from stagewright.texture_lab.request import TextureRequest
from stagewright.texture_lab.rerun import rerun
from stagewright.texture_lab.stored_set import fingerprint, read_set
from stagewright.texture_lab.surface import normals
from stagewright.texture_lab.texture_set import MAPS, TextureSet, write_set


def quiet(event: object) -> None:
    """Nobody reads the progress."""


def text(name: str, prompt: str, **settings: Any) -> Node:
    return Node(name, "text_to_texture", settings={"prompt": prompt, "size": 64, **settings})


def graph_of(*nodes: Node, **settings: Any) -> TextureGraph:
    """The nodes, and an output of the last one."""
    return TextureGraph((*nodes, Node("out", "output", {"set": nodes[-1].id}, settings)))


def made(graph: TextureGraph, folder: Path) -> TextureSet:
    value = drain(make_graph(graph, folder, folder, "made"), quiet)
    return read_set(Path(value["files"][-1]))[0]


def assert_equal(one: TextureSet, other: TextureSet, but: frozenset[str] = frozenset()) -> None:
    """Whether two sets are the same but for the rounding of files."""
    for name in set(MAPS) - but:
        step = 2.5 / 255 if name == "normal" else 1.01 / 255
        assert np.allclose(getattr(one, name), getattr(other, name), atol=step), name


def photo(folder: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 255, (80, 96, 3)).astype(np.uint8)
    write_png(folder / "wall ü.png", pixels)
    return folder / "wall ü.png"


def every_kind(folder: Path) -> TextureGraph:
    wall = photo(folder)
    write_png(folder / "mask.png", np.pad(np.full((8, 8), 255, np.uint8), ((20, 52), (30, 58))))
    old = write_set(draw(understand("sand"), 32, 1), folder, "old", TextureRequest("sand"), {})[-1]
    same = {"source": "inpaint"}
    return graph_of(
        Node("photo", "photo", settings={"file": wall.name, "sha256": sha256_of(wall)}),
        Node("delight", "delight", {"image": "photo"}, {"strength": 0.4}),
        Node(
            "inpaint",
            "inpaint",
            {"source": "delight"},
            {"mask": "mask.png", "sha256": sha256_of(folder / "mask.png"), "seed": 3},
        ),
        Node("vary", "vary", same, {"strength": 0.5, "seed": 2}),
        Node("tile", "tile", {"source": "vary"}, {"method": "blend"}),
        Node("pbr", "photo_to_pbr", {"image": "tile"}, {"relief": 0.02}),
        Node("up", "upscale", {"source": "pbr"}, {"factor": 2, "repeats": True}),
        Node("wider", "outpaint", {"source": "pbr"}, {"pixels": 8, "repeats": True}),
        text("brick", "red brick"),
        Node("stored", "stored_set", settings={"file": "old.json", "sha256": fingerprint(old)}),
        Node("darker", "adjust", {"set": "up"}, {"brightness": -0.1, "relief": 2.0}),
        Node("blend", "blend", {"below": "darker", "above": "darker"}),
        normals="directx",
    )


def test_a_graph_of_every_kind_comes_back_from_json(tmp_path: Path) -> None:
    graph = every_kind(tmp_path)
    again = TextureGraph.from_json(graph.to_json())
    assert again.to_json() == graph.to_json()
    # Images of large models: see test_comfyui.py.
    assert {node.kind for node in again.nodes} == set(KINDS) - set(IMAGE_KINDS)
    shuffled = TextureGraph(tuple(reversed(graph.nodes)))
    assert shuffled.to_json() == graph.to_json()


def test_a_graph_of_every_kind_is_made_and_made_again_from_a_map(tmp_path: Path) -> None:
    graph = every_kind(tmp_path)
    value = drain(make_graph(graph, tmp_path, tmp_path, "made"), quiet)
    textures, about = read_set(Path(value["files"][-1]))
    assert about["normals"] == "directx" and about["request"] == json.loads(graph.to_json())
    assert textures.height_range_m == pytest.approx(0.04, rel=1e-3)
    drain(rerun(tmp_path / "made_ao.png", tmp_path / "again", "made", tmp_path / "mask.png"), quiet)
    for file in value["files"]:
        assert (tmp_path / "again" / Path(file).name).read_bytes() == Path(file).read_bytes()


def test_words_alone_make_what_they_make(tmp_path: Path) -> None:
    graph = graph_of(text("a", "mossy brick", seed=4, **{"slider:rows": 8}))
    assert_equal(made(graph, tmp_path), draw(understand("mossy brick", {"rows": 8}), 64, 4))


def test_photo_to_pbr_makes_what_the_command_makes(tmp_path: Path) -> None:
    wall = photo(tmp_path)
    graph = graph_of(
        Node("photo", "photo", settings={"file": wall.name, "sha256": sha256_of(wall)}),
        Node("delight", "delight", {"image": "photo"}),
        Node("tile", "tile", {"source": "delight"}),
        # Here it is what the tile shows, in the command what the photo does.
        Node("pbr", "photo_to_pbr", {"image": "tile"}, {"tile_size_m": 47 / 80}),
    )
    value = drain(make_maps(wall, request_of(wall, tile="auto"), tmp_path / "o"), quiet)
    expected, _ = read_set(Path(value["files"][-1]))
    assert expected.height.shape == (47, 62)
    assert_equal(made(graph, tmp_path), expected)


@pytest.mark.parametrize("by", ["amount", "height"])
def test_a_blend_of_none_and_of_all_is_either(tmp_path: Path, by: str) -> None:
    below, above = text("below", "brick"), text("above", "sand")
    for amount, words in ((0.0, "brick"), (1.0, "sand")):
        settings: Mapping[str, Any] = {"amount": amount, "by": by}
        node = Node("mix", "blend", {"below": "below", "above": "above"}, settings)
        folder = tmp_path / str(amount)
        expected = draw(understand(words), 64, 0)
        tile = draw(understand("brick"), 64, 0).tile_size_m
        depth = expected.height * expected.height_range_m
        expected = replace(expected, normal=normals(depth, tile))
        if by == "height" and amount == 1.0:
            continue  # The highest places stay uncovered at the edge of the step.
        assert_equal(made(graph_of(below, above, node), folder), expected, frozenset({"ao"}))


def test_by_height_the_lowest_is_filled_first(tmp_path: Path) -> None:
    below, above = text("below", "white brick"), text("above", "black sand")
    settings: Mapping[str, Any] = {"amount": 0.3, "by": "height"}
    node = Node("mix", "blend", {"below": "below", "above": "above"}, settings)
    mixed = made(graph_of(below, above, node), tmp_path)
    source = draw(understand("white brick"), 64, 0)
    covered = abs(mixed.basecolor - source.basecolor).sum(2) > 0.3
    assert 0.15 < covered.mean() < 0.6
    assert source.height[covered].mean() < source.height[~covered].mean()


def test_adjusting_changes_what_it_says(tmp_path: Path) -> None:
    plain = made(graph_of(text("a", "red brick")), tmp_path / "a")
    node = Node("adjust", "adjust", {"set": "a"}, {"saturation": 0.0, "relief": 3.0})
    gray = made(graph_of(text("a", "red brick"), node), tmp_path / "b")
    assert np.ptp(gray.basecolor, axis=2).max() < 0.01 < np.ptp(plain.basecolor, axis=2).max()
    assert gray.height_range_m == pytest.approx(3 * plain.height_range_m)
    deep = normals(gray.height * gray.height_range_m, gray.tile_size_m)
    assert abs(gray.normal - deep).max() < 2.5 / 127


def test_a_changed_photo_is_told(tmp_path: Path) -> None:
    graph = every_kind(tmp_path)
    write_png(tmp_path / "wall ü.png", np.zeros((80, 96, 3), np.uint8))
    with pytest.raises(StagewrightError, match="wall ü.png") as caught:
        made(graph, tmp_path)
    assert caught.value.code == "photo-changed" and not (tmp_path / "made.json").exists()


A = {"id": "a", "kind": "text_to_texture", "settings": {"prompt": "brick"}}
OUT = {"id": "o", "kind": "output", "inputs": {"set": "a"}}


@pytest.mark.parametrize(
    "nodes",
    [
        [],
        [A],
        [A, OUT, {**OUT, "id": "p"}],
        [A, A, OUT],
        [{**A, "id": ""}, OUT],
        [{**A, "id": 3}, OUT],
        [{**A, "kind": "shell"}, OUT],
        [{**A, "kind": ["x"]}, OUT],
        [{**A, "settings": {}}, OUT],
        [{**A, "settings": {"prompt": ""}}, OUT],
        [{**A, "settings": {"prompt": "x" * 10_000}}, OUT],
        [{**A, "settings": {"prompt": "brick", "size": 1e9}}, OUT],
        [{**A, "settings": {"prompt": "brick", "size": 64.5}}, OUT],
        [{**A, "settings": {"prompt": "brick", "size": True}}, OUT],
        [{**A, "settings": {"prompt": "brick", "slider:rows": "8"}}, OUT],
        [{**A, "settings": {"prompt": "brick", "color": 1}}, OUT],
        [A, {**OUT, "inputs": {}}],
        [A, {**OUT, "inputs": {"set": "gone"}}],
        [A, {**OUT, "inputs": {"set": "o"}}],
        [A, {**OUT, "settings": {"normals": "up"}}],
        [A, {"id": "d", "kind": "delight", "inputs": {"image": "a"}}, OUT],
        [{"id": "a", "kind": "photo", "settings": {"file": "../x.png", "sha256": "0" * 64}}, OUT],
        [
            {"id": "a", "kind": "adjust", "inputs": {"set": "b"}},
            {"id": "b", "kind": "adjust", "inputs": {"set": "a"}},
            OUT,
        ],
        [{**A, "more": 1}, OUT],
        [A, OUT, *({**A, "id": f"n{number}"} for number in range(300))],
        [1],
        3,
        None,
    ],
)
def test_what_is_no_graph_is_refused(nodes: Any) -> None:
    with pytest.raises(StagewrightError) as caught:
        TextureGraph.from_json(json.dumps({"nodes": nodes}))
    assert caught.value.code == "bad-graph"


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"nodes": [], "generator": "0"}'])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(StagewrightError) as caught:
        TextureGraph.from_json(text)
    assert caught.value.code == "bad-graph"
