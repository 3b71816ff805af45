# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields in .vdb files, read back by Blender's own volumes and OpenVDB's own accessors."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from stagewright.field_tools.field_files import read_field, write_field
from stagewright.field_tools.grid import Grid
from stagewright.field_tools.pictures import grid_of_picture, picture_of_grid
from stagewright.field_tools.vdb import openvdb_module
from stagewright.pipeline.cli import main


@pytest.fixture(autouse=True)
def _modules() -> None:
    bpy.utils.expose_bundled_modules()


def random_field(*shape: int) -> Grid:
    values = np.random.default_rng(7).uniform(0.5, 2.0, shape).astype(np.float32)
    return Grid(values, 0.25, (1.0, -2.0, 3.0))


@pytest.mark.parametrize("shape", [(5, 6, 7), (4, 5, 6, 3)])
def test_any_field_comes_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    field = random_field(*shape)
    write_field(tmp_path / "a.vdb", field, level_set=False, name="wind")
    found = read_field(tmp_path / "a.vdb")
    assert (found.name, found.is_level_set) == ("wind", False)
    # One more voxel on each side, without a value.
    inner = found.grid.values[1:-1, 1:-1, 1:-1]
    assert np.array_equal(inner, field.values)
    assert found.grid.index_to_world((1, 1, 1)).tolist() == [1.0, -2.0, 3.0]


def test_openvdb_and_blender_see_the_same_field(tmp_path: Path) -> None:
    field = random_field(4, 5, 6)
    path = tmp_path / "a.vdb"
    write_field(path, field, level_set=False, name="density")
    stored = openvdb_module().read(str(path), "density")
    accessor = stored.getConstAccessor()
    assert accessor.getValue((1, 2, 3)) == field.values[1, 2, 3]
    assert stored.transform.indexToWorld((1, 2, 3)) == pytest.approx((1.25, -1.5, 3.75))
    volume = bpy.data.volumes.new("a")
    volume.filepath = str(path)
    assert volume.grids.load()
    assert (volume.grids[0].name, volume.grids[0].data_type) == ("density", "FLOAT")


@pytest.mark.parametrize("suffix", [".exr", ".tif"])
def test_a_picture_of_floats_keeps_every_value(tmp_path: Path, suffix: str) -> None:
    values = np.random.default_rng(5).normal(size=(6, 7, 3)).astype(np.float32) * 100
    write_field(tmp_path / "a.npz", grid_of_picture(values), level_set=False)
    picture = tmp_path / f"a{suffix}"
    assert main(["field", "convert", str(tmp_path / "a.npz"), "-o", str(picture)]) == 0
    assert main(["field", "convert", str(picture), "-o", str(tmp_path / "b.npz")]) == 0
    assert np.array_equal(picture_of_grid(read_field(tmp_path / "b.npz").grid), values)


def test_the_command_line_makes_a_level_set(tmp_path: Path) -> None:
    x, y, z = random_field(24, 24, 24).centers(np.float32)
    ball = np.sqrt((x - 4) ** 2 + (y - 1) ** 2 + (z - 6) ** 2) - 1.5
    write_field(tmp_path / "ball.npz", Grid(ball, 0.25, (1.0, -2.0, 3.0)), level_set=True)
    words = ["field", "mesh-to-sdf", str(tmp_path / "ball.npz"), "-o", str(tmp_path / "ball.vdb")]
    assert main(words) == 0
    found = read_field(tmp_path / "ball.vdb")
    assert found.is_level_set
    middle = np.rint(found.grid.world_to_index((4, 1, 6))).astype(int)
    assert found.grid.values[tuple(middle)] < 0


@pytest.mark.parametrize("words", ["info", "mesh-to-sdf", "renormalize", "convert"])
def test_a_vdb_that_is_not_there_is_named_with_a_cure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], words: str
) -> None:
    output = () if words == "info" else ("-o", str(tmp_path / "out.npz"))
    assert main(["field", words, str(tmp_path / "none.vdb"), *output]) == 1
    told = capfd.readouterr().err
    assert "There is no file “" in told and "none.vdb”. Check its path." in told
    assert list(tmp_path.iterdir()) == []
