# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of what glows and of what has holes: consistent, carried through, and absent elsewhere."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.families import FAMILIES
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.graph import Node, TextureGraph
from stagewright.texture_lab.graph_nodes import make_graph
from stagewright.texture_lab.images import linear
from stagewright.texture_lab.make import draw, make
from stagewright.texture_lab.map_names import kind_of
from stagewright.texture_lab.picture import picture
from stagewright.texture_lab.png import read_png, write_png
from stagewright.texture_lab.request import TextureRequest
from stagewright.texture_lab.rerun import rerun
from stagewright.texture_lab.stored_set import read_set
from stagewright.texture_lab.texture_set import OPTIONAL, TextureSet

HAVE = {
    "lava": {"emission"},
    **dict.fromkeys(("perforated", "wire_mesh", "chain_mail"), {"opacity"}),
}


def quiet(event: object) -> None:
    """Nobody reads the progress."""


def lava(**sliders: float) -> TextureSet:
    return draw(understand("lava", sliders), 256, 7)


def light(textures: TextureSet) -> np.ndarray:
    assert textures.emission is not None
    return linear(textures.emission).sum(2) * textures.emission_strength


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_only_what_glows_or_has_holes_has_such_maps(name: str) -> None:
    made = draw(understand(FAMILIES[name].words[0]), 32, 0)
    assert set(made.maps) & set(OPTIONAL) == HAVE.get(name, set())
    assert all(values.dtype == np.float32 for values in made.maps.values())
    assert all(
        0 <= values.min() and values.max() <= 1 for n, values in made.maps.items() if n != "normal"
    )


def test_lava_glows_where_it_is_cracked_and_nowhere_else() -> None:
    made = lava()
    glows = light(made)
    hot, cold = glows > 1, glows == 0
    assert 0.03 < hot.mean() < 0.5 and cold.mean() > 0.3
    # What glows lies in the cracks, and the crust beside it is dark.
    assert made.height[hot].mean() < made.height[cold].mean() - 0.2
    assert made.basecolor[cold].max() < 0.4
    assert made.emission is not None
    assert abs(made.emission - made.basecolor)[glows > 3].max() < 0.2
    shares = [light(lava(heat=heat, seep=0)).mean() for heat in (0, 0.5, 1)]
    assert shares[0] < 0.7 * shares[1] < 0.7 * shares[2]


def test_holes_are_as_large_as_their_geometry() -> None:
    made = draw(understand("perforated", {"holes": 8, "hole_size": 0.6}), 512, 0)
    assert made.opacity is not None
    # A circle in each hexagon whose inner radius is 1, of the radius where it is half open.
    expected = math.pi * 0.56**2 / (2 * 3**0.5)
    assert 1 - made.opacity.mean() == pytest.approx(expected, abs=0.004)
    mesh = draw(understand("wire mesh", {"wires": 8, "thickness": 0.5}), 512, 0)
    assert mesh.opacity is not None
    half = 0.06 + 0.22 * 0.5 - 0.01
    assert 1 - mesh.opacity.mean() == pytest.approx((1 - 2 * half) ** 2, abs=0.01)
    for textures in (made, mesh):
        assert textures.opacity is not None
        assert textures.height[textures.opacity == 0].max() < 0.2


def test_what_covers_lava_hides_its_glow_and_holes_stay_open() -> None:
    plain = light(lava()).mean()
    for words, least in (("mossy", 0.3), ("dusty", 0.3), ("rusty", 0.2), ("painted", 0.01)):
        covered = light(draw(understand(f"{words} lava"), 256, 7)).mean()
        assert least * plain < covered < 0.98 * plain
    for words in ("worn", "wet", "cracked", "polished"):
        assert light(draw(understand(f"{words} lava"), 256, 7)).mean() == pytest.approx(plain)
    mesh = draw(understand("wire mesh"), 128, 3).opacity
    rusty = draw(understand("rusty painted wet wire mesh"), 128, 3).opacity
    assert mesh is not None and rusty is not None and np.array_equal(mesh, rusty)


@pytest.mark.parametrize(("words", "name"), [("lava", "emission"), ("chain mail", "opacity")])
def test_they_are_written_told_read_and_made_again(tmp_path: Path, words: str, name: str) -> None:
    value = drain(make(TextureRequest(words, 64, 3), tmp_path / "a", "x"), quiet)
    file = tmp_path / "a" / f"x_{name}.png"
    assert str(file) in value["files"] and len(list(file.parent.iterdir())) == 8
    expected = draw(understand(words), 64, 3)
    textures, about = read_set(Path(value["files"][-1]))
    assert about["maps"][name] == file.name
    assert about["color_spaces"][name] == ("sRGB" if name == "emission" else "Non-Color")
    assert kind_of(file) == ("colour" if name == "emission" else "data")
    assert textures.emission_strength == expected.emission_strength
    assert abs(textures.maps[name] - expected.maps[name]).max() <= 0.5 / 255 + 1e-6
    assert set(textures.maps) == set(expected.maps)
    drain(rerun(file, tmp_path / "b", "x"), quiet)
    for made in (tmp_path / "a").iterdir():
        assert (tmp_path / "b" / made.name).read_bytes() == made.read_bytes()


def test_a_set_that_replaces_another_leaves_no_map_of_it(tmp_path: Path) -> None:
    mine = tmp_path / "x_opacity.png"
    drain(make(TextureRequest("lava", 32), tmp_path, "x"), quiet)
    write_png(mine, np.zeros((4, 4), np.uint8))
    drain(make(TextureRequest("brick", 32), tmp_path, "x", force=True), quiet)
    assert not (tmp_path / "x_emission.png").exists() and mine.exists()
    (tmp_path / "x.json").unlink()
    for map_file in tmp_path.glob("x_*.png"):
        if map_file != mine:
            map_file.unlink()
    with pytest.raises(StagewrightError, match="x_opacity"):
        drain(make(TextureRequest("brick", 32), tmp_path, "x"), quiet)


@pytest.mark.parametrize("value", [-1, "6", None, [1], 1e9])
def test_a_strength_that_is_none_is_refused(tmp_path: Path, value: Any) -> None:
    made = drain(make(TextureRequest("lava", 32), tmp_path, "x"), quiet)
    sidecar = Path(made["files"][-1])
    about = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**about, "emission_strength": value}))
    with pytest.raises(StagewrightError) as caught:
        read_set(sidecar)
    assert caught.value.code == "bad-set"


def through(folder: Path, *nodes: Node) -> TextureSet:
    """A set by nodes of which the last is the result."""
    graph = TextureGraph((*nodes, Node("out", "output", {"set": nodes[-1].id})))
    value = drain(make_graph(graph, folder, folder / "out", "made"), quiet)
    return read_set(Path(value["files"][-1]))[0]


def words(name: str, prompt: str) -> Node:
    return Node(name, "text_to_texture", {}, {"prompt": prompt, "size": 128, "seed": 7})


def changed(folder: Path, kind: str, **settings: Any) -> TextureSet:
    """Lava changed by a node."""
    if kind == "inpaint":
        write_png(folder / "mask.png", np.pad(np.full((16, 16), 255, np.uint8), 56))
        from stagewright.texture_lab.photo import sha256_of

        settings |= {"mask": "mask.png", "sha256": sha256_of(folder / "mask.png")}
    source = "set" if kind == "adjust" else "source"
    return through(folder, words("a", "lava"), Node("b", kind, {source: "a"}, settings))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("tile", {}),
        ("vary", {"repeats": True, "seed": 5}),
        ("upscale", {"factor": 2, "repeats": True}),
        ("inpaint", {"repeats": True}),
        ("outpaint", {"pixels": 16, "repeats": True}),
        ("adjust", {"relief": 2.0}),
    ],
)
def test_every_step_carries_the_glow_along_with_the_colours(
    tmp_path: Path, kind: str, settings: dict[str, Any]
) -> None:
    made = changed(tmp_path, kind, **settings)
    before = draw(understand("lava"), 128, 7)
    assert made.emission is not None and made.opacity is None
    assert made.emission.shape == made.basecolor.shape
    assert made.emission_strength == before.emission_strength
    # In lava what glows has the colour that it glows with, and all else is dark.
    glows = light(made) > 3
    assert 0.02 < glows.mean() < 0.5
    assert abs(made.emission - made.basecolor)[glows].mean() < 0.08
    assert made.basecolor[made.emission.max(2) == 0].mean() < 0.15


def test_a_blend_mixes_light_and_takes_what_has_no_holes_for_solid(tmp_path: Path) -> None:
    both = {"below": "a", "above": "b"}
    half = Node("c", "blend", both, {"amount": 0.25})
    mixed = through(tmp_path / "1", words("a", "brick"), words("b", "lava"), half)
    alone = draw(understand("lava"), 128, 7)
    assert abs(light(mixed) - 0.25 * light(alone)).max() < 0.15
    mixed = through(tmp_path / "2", words("a", "wire mesh"), words("b", "lava"), half)
    holes = draw(understand("wire mesh"), 128, 7).opacity
    assert mixed.opacity is not None and holes is not None and mixed.emission is not None
    assert abs(mixed.opacity - (0.75 * holes + 0.25)).max() < 0.01
    plain = through(tmp_path / "3", words("a", "brick"), words("b", "sand"), half)
    assert not set(plain.maps) & set(OPTIONAL)


def test_a_picture_shows_the_glow_and_the_ground_behind_holes() -> None:
    made = lava()
    dark = picture(replace(made, emission=None))
    glows = light(made) > 3
    assert (picture(made)[glows, 0] >= dark[glows, 0]).all()
    assert np.array_equal(picture(made)[light(made) == 0], dark[light(made) == 0])
    mesh = draw(understand("wire mesh"), 128, 3)
    assert mesh.opacity is not None
    seen = picture(mesh)[mesh.opacity == 0]
    assert np.ptp(seen) > 0 and np.ptp(seen[:, :3]) == 0 and 0.3 < seen[0, 0] < 0.7


def test_the_emission_has_eight_bits_and_the_request(tmp_path: Path) -> None:
    drain(make(TextureRequest("lava", 32, normals="directx"), tmp_path, "x"), quiet)
    pixels, text = read_png(tmp_path / "x_emission.png")
    assert pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8
    assert json.loads(text["stagewright:request"])["prompt"] == "lava"
