# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright field …``, on solids whose volume and distances are known."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stagewright.field_tools.block_grid import BlockGrid
from stagewright.field_tools.field_files import read_field, write_field
from stagewright.field_tools.grid import grid_over
from stagewright.field_tools.mesh_files import read_polygons, write_polygons
from stagewright.field_tools.operators import gradient
from stagewright.field_tools.pictures import grid_of_picture, picture_of_grid
from stagewright.field_tools.polygons import Polygons
from stagewright.field_tools.primitives import box, sampled, sphere
from stagewright.field_tools.views import colours
from stagewright.pipeline.cli import main
from stagewright.pipeline.fields import read_mesh, write_mesh
from stagewright.texture_lab.png import read_png, write_png

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


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".usda"])
def test_remeshing_carries_what_the_file_knows(tmp_path: Path, suffix: str) -> None:
    plain = read_polygons(write_box(tmp_path / "plain.obj", (-1, -1, -1), (1, 1, 1)))
    source = tmp_path / f"box{suffix}"
    corners = plain.points[plain.corners]
    written = Polygons(
        plain.points,
        plain.counts,
        plain.corners,
        uvs=corners[:, :2] / 2 + 0.5,  # Seen from above: all around it is a linear function.
        colours=plain.points / 2 + 0.5,
        materials=np.array([0, 0, 0, 0, 0, 1]),  # The last face is the upper one.
        names=("oak", "steel"),
    )
    write_mesh(source, written)
    output = tmp_path / f"out{suffix}"
    assert run("remesh", source, "-o", output, "--voxels", 20, "--sharp") == 0
    made = read_mesh(output)
    assert len(made.counts) > 6 * 15**2 and (made.counts == 4).all()
    assert made.uvs is not None and made.colours is not None and made.materials is not None
    assert np.abs(made.uvs - (made.points[made.corners][:, :2] / 2 + 0.5)).max() < 1e-3
    assert np.abs(made.colours - (made.points / 2 + 0.5)).max() < 0.6 / 255 + 1e-4
    middle = made.points[made.corners].reshape(-1, 4, 3).mean(axis=1)
    told = np.array([made.names[number] for number in made.materials])
    clear = np.abs(middle[:, 2] - 1) > 0.02
    assert set(told[clear]) == {"oak"} and set(told[~clear]) <= {"oak", "steel"}
    assert (told[middle[:, 2] > 0.999] == "steel").all()


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


def test_a_band_stays_in_blocks_through_an_operator(tmp_path: Path) -> None:
    source = write_box(tmp_path / "box.obj", (-1, -1, -1), (1, 1, 1))
    assert run("mesh-to-sdf", source, "-o", tmp_path / "b.npz", "--voxels", 120) == 0
    assert run("operators", tmp_path / "b.npz", "gradient", "-o", tmp_path / "g.npz") == 0
    band, slopes = read_field(tmp_path / "b.npz"), read_field(tmp_path / "g.npz")
    assert isinstance(band.field, BlockGrid) and isinstance(slopes.field, BlockGrid)
    assert slopes.field.nbytes < 0.7 * slopes.grid.values.nbytes
    near = np.abs(band.grid.values) < 1.5 * band.grid.voxel_size
    exact = gradient(band.grid).values
    assert np.array_equal(slopes.grid.values[near], exact[near])


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


def test_colours_of_a_slice_are_those_of_the_panel(ball: Path, tmp_path: Path) -> None:
    assert run("slice", ball, "-o", tmp_path / "s.png", "--size", 21, "--lines", 0) == 0
    pixels, _ = read_png(tmp_path / "s.png")
    values = read_field(ball).grid.values[:, :, 10]
    light = colours(values.ravel(), np.abs(values).max())[:, :3].reshape(21, 21, 3)
    # sRGB after IEC 61966-2-1, rows from the top.
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    expected = srgb.transpose(1, 0, 2)[::-1] * 255
    plain = pixels.max(axis=2) > 0  # The line of zero is black.
    assert np.abs(pixels - expected)[plain].max() < 0.51 and plain.mean() > 0.8


def test_voxels_are_counted_along_the_longest_side_of_fields_and_meshes(tmp_path: Path) -> None:
    lattice = grid_over((-1, -1, -1), (9, 1, 1), 0.1)
    beam = sampled(lambda points: box(points - (4, 0, 0), (4.5, 0.5, 0.5)), lattice)
    write_field(tmp_path / "beam.npz", beam, level_set=True)
    cube = write_box(tmp_path / "cube.obj", (0, 0, 0), (1, 1, 1))
    words = ("boolean", "union", cube, tmp_path / "beam.npz", "-o", tmp_path / "out.npz")
    assert run(*words, "--voxels", 90) == 0
    assert read_field(tmp_path / "out.npz").grid.voxel_size == pytest.approx(0.1, rel=0.02)


def test_what_is_there_is_replaced_only_if_told(ball: Path, tmp_path: Path) -> None:
    output = tmp_path / "g.npz"
    output.write_text("somebody's")
    assert run("operators", ball, "gradient", "-o", output) == 1
    assert output.read_text() == "somebody's"
    assert run("operators", ball, "gradient", "-o", output, "--force") == 0
    assert read_field(output).grid.is_vector
    before = ball.read_bytes()
    (tmp_path / "link.npz").symlink_to(ball)
    for name in ("ball.npz", "link.npz"):
        assert run("renormalize", ball, "-o", tmp_path / name, "--force") == 1
    assert ball.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("mesh-to-sdf", "a.obj", "--voxel-size", "0"),
        ("mesh-to-sdf", "a.obj", "--voxel-size=-1"),
        ("mesh-to-sdf", "a.obj", "--voxel-size", "nan"),
        ("mesh-to-sdf", "a.obj", "--voxel-size", "inf"),
        ("mesh-to-sdf", "a.obj", "--voxels", "0"),
        ("mesh-to-sdf", "a.obj", "--voxels", "12.5"),
        ("shell", "a.obj", "--thickness=-1"),
        ("smooth", "a.obj", "--width", "0"),
        ("offset", "a.obj", "--distance", "nan"),
        ("boolean", "union", "a.obj", "b.obj", "--blend=-1"),
        ("points-to-surface", "a.obj", "--radius", "0"),
        ("renormalize", "a.npz", "--half-width", "0.5"),
        ("operators", "a.npz", "diffuse", "--amount=-1"),
        ("streamlines", "a.npz", "--length", "1", "--steps", "0"),
        ("streamlines", "a.npz", "--length", "1", "--seed=-1"),
        ("slice", "a.npz", "--size", "1"),
        ("slice", "a.npz", "--lines=-1"),
        ("slice", "a.npz", "--position", "nan"),
    ],
)
def test_numbers_that_make_no_sense_are_a_wrong_command_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run(*words, "-o", tmp_path / "out") == 2
    said = capfd.readouterr().err
    option = next(word for word in reversed(words) if word.startswith("--")).partition("=")[0]
    assert f"argument {option}" in said


def write_points(path: Path, rows: list[tuple[float, ...]], faces: list[int] | None = None) -> Path:
    corners = np.array(faces or [], np.int64)
    counts = np.full(len(corners) // 3, 3)
    write_polygons(path, Polygons(np.array(rows, float).reshape(-1, 3), counts, corners))
    return path


@pytest.mark.parametrize(
    ("rows", "faces", "verb", "said"),
    [
        ([], None, "points-to-surface", "has no points"),
        ([(0, 0, 0), (1, np.nan, 0)], None, "points-to-surface", "1 of 2 points at no place"),
        ([(0, 0, 0), (1, np.inf, 0), (0, 1, 0)], [0, 1, 2], "remesh", "1 of 3 points at no place"),
        ([(1, 2, 3)] * 3, [0, 1, 2], "mesh-to-sdf", "lie at one place"),
        ([(1, 2, 3), (1, 2, 4)], None, "mesh-to-sdf", "has points, but no faces"),
        ([], None, "mesh-to-sdf", "has no points"),
    ],
)
def test_files_without_a_shape_are_named(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    rows: list[tuple[float, ...]],
    faces: list[int] | None,
    verb: str,
    said: str,
) -> None:
    source = write_points(tmp_path / "odd.ply", rows, faces)
    radius = ("--radius", "1") if verb == "points-to-surface" else ()
    assert run(verb, source, "-o", tmp_path / "out.ply", *radius) == 1
    told = capfd.readouterr().err
    assert said in told and "odd.ply" in told
    assert not (tmp_path / "out.ply").exists()


def test_points_at_one_place_are_a_ball(tmp_path: Path) -> None:
    source = write_points(tmp_path / "p.ply", [(1, 2, 3)] * 5)
    words = ("points-to-surface", source, "-o", tmp_path / "out.ply", "--radius", 2)
    assert run(*words, "--fluid", "spheres") == 0
    away = np.linalg.norm(read_polygons(tmp_path / "out.ply").points - [1, 2, 3], axis=1)
    assert np.abs(away - 2).max() < 0.1


def test_folders_that_take_no_file_are_refused_before_the_work(
    ball: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stagewright.pipeline.targets.os.access", lambda *_: False)
    for name, said in (("nowhere/s.png", "is not there"), ("s.png", "may not be written to")):
        assert run("slice", ball, "-o", tmp_path / name) == 1
        assert said in capfd.readouterr().err


def ramp(rows: int = 40, columns: int = 50) -> np.ndarray:
    i, j = np.indices((rows, columns))
    return (j + 0.25 * i).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_operators_work_on_pictures(tmp_path: Path, dtype: type) -> None:
    most = np.iinfo(dtype).max
    pixels = np.rint(ramp() / 64 * most).astype(dtype)
    write_png(tmp_path / "a.png", pixels)
    assert run("operators", tmp_path / "a.png", "gradient", "-o", tmp_path / "g.npz") == 0
    slope = read_field(tmp_path / "g.npz").grid.values[:, :, 0]
    assert slope.shape == (50, 40, 3)
    # A column is a step along x; a row further up one along y.
    expected = np.array([1 / 64, -0.25 / 64, 0])
    assert np.abs(slope.mean(axis=(0, 1)) - expected).max() < 1e-3
    assert run("operators", tmp_path / "a.png", "laplacian", "-o", tmp_path / "l.png") == 0
    assert run("slice", tmp_path / "a.png", "-o", tmp_path / "s.png", "--size", 50) == 0
    assert read_png(tmp_path / "s.png")[0].shape == (40, 50, 3)


def test_a_field_of_two_dimensions_is_a_picture_and_back(tmp_path: Path) -> None:
    values = np.random.default_rng(8).normal(size=(12, 9)).astype(np.float32)
    write_field(tmp_path / "a.npz", grid_of_picture(values), level_set=False)
    assert run("convert", tmp_path / "a.npz", "-o", tmp_path / "a.png") == 0
    assert read_png(tmp_path / "a.png")[0].dtype == np.uint16
    assert run("convert", tmp_path / "a.png", "-o", tmp_path / "b.npz") == 0
    back = picture_of_grid(read_field(tmp_path / "b.npz").grid)
    assert np.abs(back - values).max() < 1e-5 + np.ptp(values) / 65535


def test_values_of_a_slice_are_those_of_the_field(ball: Path, tmp_path: Path) -> None:
    words = ("slice", ball, "--values", "--axis", "y", "--position", 0.1)
    assert run(*words, "-o", tmp_path / "v.npz") == 0
    flat = read_field(tmp_path / "v.npz").grid
    np.testing.assert_allclose(flat.values[:, :, 0], read_field(ball).grid.values[:, 11], atol=1e-6)
    assert run(*words, "-o", tmp_path / "v.png") == 0


@pytest.mark.parametrize("kind", ["mesh", "field"])
def test_a_solid_is_displaced_by_a_picture(tmp_path: Path, kind: str) -> None:
    source = write_box(tmp_path / "a.obj", (-1, -1, -1), (1, 1, 1))
    if kind == "field":
        assert run("mesh-to-sdf", source, "-o", tmp_path / "a.npz", "--voxel-size", 0.05) == 0
        source = tmp_path / "a.npz"
    halves = np.zeros((8, 8), np.uint8)
    halves[:, 4:] = 255  # White where x is above 0.
    write_png(tmp_path / "p.png", halves)
    words = ("displace", source, "--picture", tmp_path / "p.png", "--height", 0.2)
    assert run(*words, "-o", tmp_path / "out.ply", "--voxel-size", 0.05) == 0
    points = read_polygons(tmp_path / "out.ply").points
    middle = np.abs(points[:, 1]) < 0.5
    for side, height in ((-0.6, 1.0), (0.6, 1.2)):
        above = middle & (np.abs(points[:, 0] - side) < 0.2) & (points[:, 2] > 0)
        assert above.sum() > 20 and np.abs(points[above, 2] - height).max() < 0.02


def test_json_tells_the_result(ball: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("info", ball, "--json") == 0
    lines: list[dict[str, Any]] = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert (lines[-1]["event"], lines[-1]["value"]["shape"]) == ("result", [21, 21, 21])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mesh-to-sdf", "{none}", "-o", "{out}.npz"), "none.obj”. Check its path."),
        (("mesh-to-sdf", "{box}", "-o", "{out}.txt"), "does not say how it is to be written"),
        (("mesh-to-sdf", "{box}", "-o", "{out}.npz", "--voxel-size", "1e-7"), "larger voxel size"),
        (("boolean", "union", "{box}", "-o", "{out}.ply"), "takes two files"),
        (("renormalize", "{box}", "-o", "{out}.npz"), "is no field"),
        (("slice", "{ball}", "-o", "{out}.jpg"), ".png"),
        (("operators", "{ball}", "curl", "-o", "{out}.npz"), "vector"),
        (("convert", "{ball}", "-o", "{out}.ply", "--level", "9"), "no surface at 9"),
        (("slice", "{ball}", "-o", "{out}.png", "--position", "3"), "no field at z = 3"),
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


ON_A_SOLID: dict[str, tuple[str, ...]] = {
    "mesh-to-sdf": (),
    "remesh": (),
    "boolean": ("union", "{box}"),
    "offset": ("--distance", "1"),
    "shell": ("--thickness", "1"),
    "smooth": ("--width", "1"),
    "displace": ("--height", "1", "--picture", "{picture}"),
    "points-to-surface": ("--radius", "1"),
}
ON_A_FIELD: dict[str, tuple[str, ...]] = {
    "renormalize": (),
    "operators": ("gradient",),
    "convert": (),
    "streamlines": ("--length", "1"),
    "slice": (),
}


READ = [
    *itertools.product(ON_A_SOLID, (".obj", ".ply", ".usda", ".npz")),
    *itertools.product(ON_A_FIELD, (".npz", ".png")),
    *itertools.product(["info"], (".obj", ".ply", ".usda", ".npz", ".png")),
]


@pytest.mark.parametrize(("verb", "suffix"), READ)
def test_files_that_are_not_there_are_named_with_a_cure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], verb: str, suffix: str
) -> None:
    places = {"box": tmp_path / "box.obj", "picture": tmp_path / "picture.png"}
    write_box(places["box"], (0, 0, 0), (1, 1, 1))
    write_png(places["picture"], np.zeros((2, 2), np.uint8))
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    words = [word.format(**places) for word in (ON_A_SOLID | ON_A_FIELD).get(verb, ())]
    ending = {"streamlines": "obj", "slice": "png"}.get(verb, "npz")
    output = () if verb == "info" else ("-o", tmp_path / f"out.{ending}")
    for path, said in ((tmp_path / f"none{suffix}", "There is no file"), (folder, "is a folder")):
        first, rest = (words[:1], words[1:]) if verb == "boolean" else ([], words)
        assert run(verb, *first, path, *rest, *output) == 1
        told = capfd.readouterr().err
        assert "Errno" not in told and path.name in told
        assert said in told or suffix == ".png"  # Textures have words of their own.
        assert not (tmp_path / f"out.{ending}").exists()
