# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields in .npz files: exact round trips, and refusals of what is none."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from stagewright.field_tools.block_grid import BlockGrid, blocks_of_band, blocks_of_grid
from stagewright.field_tools.field_files import describe, read_field, write_field
from stagewright.field_tools.grid import Grid
from stagewright.field_tools.mesh_sdf import mesh_to_sdf
from stagewright.jobs.errors import StagewrightError

from . import mesh_shapes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 3)])
def test_a_field_comes_back_bit_for_bit(
    tmp_path: Path, dtype: type, shape: tuple[int, ...]
) -> None:
    values = np.random.default_rng(1).normal(size=shape).astype(dtype)
    values.flat[0] = np.nan
    path = tmp_path / "Größe 1.npz"
    write_field(path, Grid(values, 0.1, (1 / 3, -2.0, 1e9)), level_set=True, name="Höhe")
    found = read_field(path)
    assert (found.name, found.is_level_set) == ("Höhe", True)
    assert (found.grid.voxel_size, found.grid.origin) == (0.1, (1 / 3, -2.0, 1e9))
    assert found.grid.values.dtype == dtype
    assert found.grid.values.tobytes() == values.tobytes()
    assert [p.name for p in tmp_path.iterdir()] == ["Größe 1.npz"]


def assert_blocks_come_back(path: Path, blocks: BlockGrid) -> None:
    found = read_field(path).field
    assert isinstance(found, BlockGrid)
    assert (found.shape, found.background) == (blocks.shape, blocks.background)
    assert (found.voxel_size, found.origin) == (blocks.voxel_size, blocks.origin)
    for one, other in ((found.table, blocks.table), (found.pool, blocks.pool)):
        assert one.dtype == other.dtype and np.array_equal(one, other)


def test_a_band_is_kept_in_blocks(tmp_path: Path) -> None:
    band = mesh_to_sdf(*mesh_shapes.ball(4), 0.6 / 150)
    write_field(tmp_path / "band.npz", band, level_set=True, name="ball")
    assert_blocks_come_back(tmp_path / "band.npz", blocks_of_band(band))
    found = read_field(tmp_path / "band.npz")
    assert (found.name, found.is_level_set) == ("ball", True)
    assert np.array_equal(found.grid.values, band.to_grid().values)
    with np.load(tmp_path / "band.npz") as stored:
        assert sum(stored[name].nbytes for name in stored.files) < 0.5 * 4 * np.prod(band.shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("side", [8, 16])
@pytest.mark.parametrize("vector", [(), (3,)])
def test_blocks_come_back_bit_for_bit(
    tmp_path: Path, dtype: type, side: int, vector: tuple[int, ...]
) -> None:
    values = np.zeros((37, 20, 50, *vector), dtype)
    values[5:12, 3:9, 20:44] = np.random.default_rng(4).normal(size=(7, 6, 24, *vector))
    blocks = blocks_of_grid(Grid(values, 0.1, (1 / 3, -2.0, 1e9)), 0.0, side)
    write_field(tmp_path / "a.npz", blocks, level_set=False)
    assert_blocks_come_back(tmp_path / "a.npz", blocks)
    assert np.array_equal(read_field(tmp_path / "a.npz").grid.values, values)
    told = describe(read_field(tmp_path / "a.npz"))
    assert told["shape"] == [37, 20, 50] and told["blocks"] == len(blocks.pool)
    assert (told["least"], told["greatest"]) == (values.min(), values.max())


def test_a_field_without_blocks_comes_back(tmp_path: Path) -> None:
    blocks = blocks_of_grid(Grid(np.full((9, 9, 9), 2.5, np.float32)), 2.5)
    write_field(tmp_path / "a.npz", blocks, level_set=False)
    assert_blocks_come_back(tmp_path / "a.npz", blocks)
    assert (read_field(tmp_path / "a.npz").grid.values == 2.5).all()


@pytest.mark.parametrize(
    "change",
    [
        {"table": np.zeros((2, 2, 2), np.int32)},  # two blocks at one place
        {"table": np.full((2, 2, 2), -3, np.int32)},
        {"table": np.full((2, 2, 3), -1, np.int32)},
        {"pool": np.zeros((1, 8, 8, 4), np.float32)},
        {"pool": np.zeros((1, 4, 4, 4), np.float32)},
        {"pool": np.zeros((8, 8, 8), np.float32)},
        {"shape": np.array([9, 9])},
        {"shape": np.array([9, 9, 0])},
    ],
)
def test_blocks_that_do_not_fit_are_refused(tmp_path: Path, change: dict[str, np.ndarray]) -> None:
    values = np.zeros((9, 9, 9), np.float32)
    values[2, 2, 2] = 1
    path = tmp_path / "field.npz"
    write_field(path, blocks_of_grid(Grid(values), 0.0), level_set=False)
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    np.savez(path, **{**arrays, **change})
    with pytest.raises(StagewrightError) as caught:
        read_field(path)
    assert caught.value.code in {"field-unreadable", "grid-shape"}


def test_a_field_describes_itself(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    values[0, 0, 0] = np.inf
    write_field(tmp_path / "a.npz", Grid(values, 0.5, (1, 2, 3)), level_set=False)
    told = describe(read_field(tmp_path / "a.npz"))
    assert (told["least"], told["greatest"], told["not_finite"]) == (1.0, 23.0, 1)
    assert (told["lower"], told["upper"]) == ([1, 2, 3], [1.5, 3.0, 4.5])


def damaged(path: Path, how: str) -> None:
    write_field(path, Grid(np.zeros((4, 4, 4), np.float32)), level_set=False)
    if how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif how == "text":
        path.write_text("no field")
    elif how == "other arrays":
        np.savez(path, x=np.zeros(3))
    elif how == "objects":
        with path.open("wb") as stream:
            np.savez(stream, values=np.array([{}], object), voxel_size=1, origin=[0, 0, 0],
                     level_set=False, name="x")  # fmt: skip


@pytest.mark.parametrize("how", ["empty", "cut", "text", "other arrays", "objects"])
def test_what_is_no_field_is_refused_by_its_name(tmp_path: Path, how: str) -> None:
    path = tmp_path / "field.npz"
    damaged(path, how)
    with pytest.raises(StagewrightError, match="field.npz") as caught:
        read_field(path)
    assert caught.value.code == "field-unreadable"


def test_a_damaged_file_is_an_error_wherever_the_damage_is(tmp_path: Path) -> None:
    path = tmp_path / "field.npz"
    values = np.random.default_rng(2).normal(size=(4, 5, 6)).astype(np.float32)
    write_field(path, Grid(values), level_set=False)
    whole = path.read_bytes()
    random = np.random.default_rng(3)
    for at in range(len(whole)):
        cut, changed = whole[:at], bytearray(whole)
        changed[at] ^= int(random.integers(1, 256))
        for content in (cut, bytes(changed)):
            path.write_bytes(content)
            try:
                found = read_field(path)
            except StagewrightError as error:
                assert "field.npz" in str(error)
            else:  # The byte stood where nothing depends on it: a time, a version.
                assert np.array_equal(found.grid.values, values)


def test_a_field_larger_than_memory_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("values.npy", b"")
        members.filelist[0].file_size = 1 << 50
    with pytest.raises(StagewrightError, match="needs about"):
        read_field(path)


def test_a_field_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    grid = Grid(np.zeros((2, 2, 2), np.float32))
    with pytest.raises(StagewrightError, match="endings"):
        write_field(tmp_path / "a.txt", grid, level_set=False)
    with pytest.raises(StagewrightError) as caught:
        write_field(tmp_path / "nowhere" / "a.npz", grid, level_set=False)
    assert caught.value.code == "field-unwritable"
