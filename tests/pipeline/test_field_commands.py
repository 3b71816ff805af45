# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright field …``, on solids whose volume and distances are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stagewright.field_tools.field_files import read_field, write_field
from stagewright.field_tools.grid import grid_over
from stagewright.field_tools.mesh_files import Polygons, read_polygons, write_polygons
from stagewright.field_tools.primitives import box, sampled, sphere
from stagewright.pipeline.cli import main
from stagewright.texture_lab.png import read_png

CORNERS = [[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]
QUADS = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]


def write_box(path: Path, low: tuple[float, ...], high: tuple[float, ...]) -> Path:
    points = np.array(low) + np.array(CORNERS) * (np.array(high) - np.array(low))
    write_polygons(path, Polygons(points, np.full(6, 4), np.array(QUADS).reshape(-1)))
    return path


def volume(path: Path) -> float:
    """By the divergence theorem, of the closed surface in a file."""
    mesh = read_polygons(path)
    a, b, c = (mesh.points[mesh.triangles()[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def run(*words: object) -> int:
    return main(["field", *map(str, words)])


def test_distances_to_a_box_are_those_of_its_formula(tmp_path: Path) -> None:
    source = write_box(tmp_path / "box.obj", (-1, -1, -1), (1, 1, 1))
    assert run("mesh-to-sdf", source, "-o", tmp_path / "box.npz", "--voxel-size", 0.1) == 0
    found = read_field(tmp_path / "box.npz")
    assert found.is_level_set
    x, y, z = found.grid.centers()
    points = np.stack(np.broadcast_arrays(x, y, z), axis=-1)
    exact = box(points.reshape(-1, 3), (1.0, 1.0, 1.0)).reshape(found.grid.shape)
    near = np.abs(exact) < 0.25
    assert np.abs(found.grid.values - exact)[near].max() < 1e-4


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("remesh", "{a}", "--sharp"), 8.0),
        (("boolean", "union", "{a}", "{b}", "--sharp"), 15.0),
        (("boolean", "difference", "{a}", "{b}", "--sharp"), 7.0),
        (("boolean", "intersection", "{a}", "{b}", "--sharp"), 1.0),
        (("shell", "{a}", "--thickness", "0.2", "--sharp"), 2.2**3 - 1.8**3),
        (("offset", "{a}", "--distance", "-0.25", "--sharp"), 1.5**3),
        # Outwards it is rounded: faces, quarter cylinders along edges, eighths of a ball.
        (
            ("offset", "{a}", "--distance", "0.3"),
            8 + 7.2 + 6 * np.pi * 0.09 + 4 / 3 * np.pi * 0.027,
        ),
    ],
)
def test_solids_have_the_volume_that_they_should(
    tmp_path: Path, words: tuple[str, ...], expected: float
) -> None:
    a = write_box(tmp_path / "a.obj", (-1, -1, -1), (1, 1, 1))
    b = write_box(tmp_path / "b.ply", (0, 0, 0), (2, 2, 2))
    output = tmp_path / "out.ply"
    filled = [word.format(a=a, b=b) for word in words]
    assert run(*filled, "-o", output, "--voxel-size", "0.04") == 0
    # A shell is rounded at its outer edges as an offset is: a little is missing there.
    assert volume(output) == pytest.approx(expected, rel=0.02)


def test_particles_become_the_spheres_that_they_are(tmp_path: Path) -> None:
    points = np.array([[0.0, 0, 0], [3.0, 0, 0]])
    none = np.zeros(0, np.int64)
    write_polygons(tmp_path / "p.ply", Polygons(points, none, none))
    output = tmp_path / "drops.ply"
    words = ("points-to-surface", tmp_path / "p.ply", "-o", output)
    assert run(*words, "--radius", 1, "--fluid", "spheres", "--voxel-size", 0.05) == 0
    assert volume(output) == pytest.approx(2 * 4 / 3 * np.pi, rel=0.01)


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    lattice = grid_over((-1, -1, -1), (1, 1, 1), 0.1)
    path = tmp_path / "ball.npz"
    field = sampled(lambda points: sphere(points, 0.7), lattice)
    write_field(path, field, level_set=True)
    return path


def test_operators_are_written_as_fields(ball: Path, tmp_path: Path) -> None:
    assert run("operators", ball, "gradient", "-o", tmp_path / "g.npz") == 0
    slopes = read_field(tmp_path / "g.npz")
    assert slopes.grid.is_vector and not slopes.is_level_set
    lengths = np.linalg.norm(slopes.grid.values[4:8, 4:8, 14:18], axis=3)
    assert np.abs(lengths - 1).max() < 0.02  # a distance rises by one for one
    assert run("operators", tmp_path / "g.npz", "divergence", "-o", tmp_path / "d.npz") == 0
    assert not read_field(tmp_path / "d.npz").grid.is_vector


def test_a_distorted_ball_becomes_distances_again(ball: Path, tmp_path: Path) -> None:
    found = read_field(ball)
    write_field(ball, found.grid.with_values(3 * found.grid.values), level_set=False)
    assert run("renormalize", ball, "-o", tmp_path / "again.npz") == 0
    again = read_field(tmp_path / "again.npz")
    near = np.abs(found.grid.values) < 0.2
    assert np.abs(again.grid.values - found.grid.values)[near].max() < 0.01


def test_streamlines_of_a_ball_run_outwards(ball: Path, tmp_path: Path) -> None:
    output = tmp_path / "lines.obj"
    assert run("streamlines", ball, "-o", output, "--length", 0.2, "--seeds", 20, "--steps", 8) == 0
    lines = read_polygons(output).points.reshape(20, 9, 3)
    outwards = np.linalg.norm(lines, axis=2)
    assert (np.diff(outwards, axis=1) >= -1e-6).all()


def test_a_slice_shows_the_ball(ball: Path, tmp_path: Path) -> None:
    output = tmp_path / "slice.png"
    assert run("slice", ball, "-o", output, "--size", 201, "--lines", 0) == 0
    pixels, _ = read_png(output)
    assert pixels.shape == (201, 201, 3)
    inside, outside = pixels[100, 100].astype(int), pixels[2, 2].astype(int)
    assert inside[2] > inside[0] and outside[0] > outside[2]
    dark = np.argwhere(pixels.max(axis=2) == 0)
    radii = np.linalg.norm((dark - 100) / 100, axis=1)
    assert np.abs(radii - 0.7).max() < 0.02


def test_json_tells_the_result(ball: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("info", ball, "--json") == 0
    lines: list[dict[str, Any]] = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert (lines[-1]["event"], lines[-1]["value"]["shape"]) == ("result", [21, 21, 21])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mesh-to-sdf", "{none}", "-o", "{out}.npz"), "none.obj is no mesh"),
        (("mesh-to-sdf", "{box}", "-o", "{out}.txt"), "does not say how it is to be written"),
        (("mesh-to-sdf", "{box}", "-o", "{out}.npz", "--voxel-size", "1e-7"), "larger voxel size"),
        (("boolean", "union", "{box}", "-o", "{out}.ply"), "takes two files"),
        (("renormalize", "{box}", "-o", "{out}.npz"), "is no field"),
        (("slice", "{ball}", "-o", "{out}.jpg"), ".png"),
        (("operators", "{ball}", "curl", "-o", "{out}.npz"), "vector"),
        (("convert", "{ball}", "-o", "{out}.ply", "--level", "9"), "no surface at 9"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    ball: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    source = write_box(tmp_path / "box.obj", (0, 0, 0), (1, 1, 1))
    places = {"none": tmp_path / "none.obj", "box": source, "ball": ball, "out": tmp_path / "out"}
    assert run(*(word.format(**places) for word in words)) != 0
    assert said in capfd.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ball.npz", "box.obj"]
