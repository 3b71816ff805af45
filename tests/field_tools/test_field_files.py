# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields in .npz files: exact round trips, and refusals of what is none."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from stagewright.field_tools.field_files import describe, read_field, write_field
from stagewright.field_tools.grid import Grid
from stagewright.jobs.errors import StagewrightError


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
    elif how == "missing":
        path.unlink()


@pytest.mark.parametrize("how", ["empty", "cut", "text", "other arrays", "objects", "missing"])
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
