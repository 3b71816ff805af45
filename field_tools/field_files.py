# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields in files: numpy's ``.npz`` everywhere, ``.vdb`` where OpenVDB's module is."""

from __future__ import annotations

import functools
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..jobs.errors import StagewrightError
from ..jobs.files import reason, require_file, written_whole
from .band import NarrowBand
from .block_grid import BLOCK_SIDES, INSIDE, OUTSIDE, BlockGrid, blocks_of_band
from .grid import Grid, count_text
from .memory import require_memory
from .vdb import read_vdb, write_grid, write_sdf

SUFFIXES = (".npz", ".vdb")
# What zipfile and numpy raise of damaged, encrypted and foreign archives, and of arrays that
# promise more than any memory holds.
_UNREADABLE = (
    KeyError, TypeError, ValueError, RuntimeError, EOFError, MemoryError, zipfile.BadZipFile,
    zlib.error
)  # fmt: skip
_ABOUT = ("voxel_size", "origin", "level_set", "name")
_BLOCKS = ("table", "pool", "background", "shape")


def is_field(path: Path) -> bool:
    """Whether a file is a field, by its suffix."""
    return path.suffix.lower() in SUFFIXES


@dataclass(frozen=True, eq=False)
class StoredField:
    """A field of a file, as it is stored there.

    Attributes:
        name: its name there.
        is_level_set: whether its values are signed distances.
        field: dense, or in blocks.
    """

    name: str
    is_level_set: bool
    field: Grid | BlockGrid

    @functools.cached_property
    def grid(self) -> Grid:
        """The field as a dense one.

        Raises:
            StagewrightError: ``out-of-memory`` (nothing was allocated).
        """
        return self.field.to_grid() if isinstance(self.field, BlockGrid) else self.field


def read_field(path: str | Path, name: str = "") -> StoredField:
    """Read one grid; what a ``.npz`` holds in blocks stays in blocks.

    Args:
        path: a ``.npz`` of :func:`write_field`, or a ``.vdb``.
        name: the grid's name in a ``.vdb``; the first level set, or else the first grid, if empty.

    Raises:
        StagewrightError: ``no-file``, ``field-unreadable``, ``field-suffix``, ``out-of-memory``,
            what `Grid` refuses, and for a ``.vdb`` what `read_vdb` does.
    """
    file = Path(path)
    _require_suffix(file)
    require_file(file)
    if file.suffix.lower() == ".vdb":
        found = read_vdb(file, name)
        return StoredField(found.name, found.is_level_set, found.grid)
    try:
        with zipfile.ZipFile(file) as members:
            sizes = {member.filename: member.file_size for member in members.infolist()}
        require_memory(sum(sizes.values()), f"The field {file.name}")
        with np.load(file, allow_pickle=False) as stored:
            size, origin, level_set, own = (stored[key] for key in _ABOUT)
            place = float(size), tuple(origin.tolist())
            if "pool.npy" in sizes:
                field: Grid | BlockGrid = _blocks(stored, *place)
            else:
                field = Grid(stored["values"], *place)
            return StoredField(str(own), bool(level_set), field)
    except (*_UNREADABLE, OSError) as error:
        raise StagewrightError(
            "field-unreadable",
            f"{file.name} is no field that can be read ({reason(error)}).",
            "Choose another file, or write it again.",
        ) from error


def _blocks(stored: Any, voxel_size: float, origin: tuple[float, float, float]) -> BlockGrid:
    """The blocks of a file's arrays, or ValueError."""
    table, pool, background, shape = (stored[key] for key in _BLOCKS)
    nx, ny, nz = (int(count) for count in shape)
    # What grids are refused for: the pool is one, of blocks behind one another.
    row = pool.reshape(-1, *pool.shape[2:]) if len(pool) else np.zeros((1, 1, 1))
    Grid(row, voxel_size, origin)
    side = pool.shape[1]
    blocks = tuple(-(-count // side) for count in (nx, ny, nz))
    numbers = np.sort(table[table >= 0], axis=None)
    if (
        side not in BLOCK_SIDES
        or pool.shape[1:4] != (side, side, side)
        or min(nx, ny, nz) < 1
        or table.shape != blocks
        or table.dtype != np.int32
        or (table < INSIDE).any()
        or not np.array_equal(numbers, np.arange(len(pool)))
    ):
        raise ValueError("its blocks do not fit together")
    return BlockGrid(table, pool, float(background), (nx, ny, nz), voxel_size, origin)


def write_field(
    path: str | Path, field: Grid | NarrowBand | BlockGrid, *, level_set: bool, name: str = "field"
) -> None:
    """Write a field; the file appears whole or not at all.

    Args:
        path: a ``.npz``, which holds values as they are, bands in blocks, or a ``.vdb``.
        field: the field.
        level_set: whether its values are signed distances.
        name: the grid's name.

    Raises:
        StagewrightError: ``field-suffix``, ``field-unwritable``, ``out-of-memory``, and for a
            ``.vdb`` ``no-openvdb``.
    """
    file = Path(path)
    _require_suffix(file)
    try:
        with written_whole(file) as partial:
            if file.suffix.lower() == ".vdb":
                grid = field.to_grid() if isinstance(field, BlockGrid) else field
                (write_sdf if level_set else write_grid)(partial, grid, name)
            else:
                arrays = _arrays(field) | {"level_set": level_set, "name": name}
                with partial.open("wb") as stream:  # numpy appends an ending to ".NPZ"
                    np.savez_compressed(stream, **arrays)
    except OSError as error:
        raise StagewrightError(
            "field-unwritable",
            f"{file.name} cannot be written ({reason(error)}).",
            "Make room there, or choose another folder.",
        ) from error


def _arrays(field: Grid | NarrowBand | BlockGrid) -> dict[str, Any]:
    """What a ``.npz`` holds of a field."""
    if isinstance(field, NarrowBand):
        field = blocks_of_band(field)
    place = {"voxel_size": np.float64(field.voxel_size), "origin": np.array(field.origin)}
    if isinstance(field, Grid):
        return {"values": field.values, **place}
    stored = (field.table, field.pool, np.float64(field.background), np.array(field.shape))
    return {**dict(zip(_BLOCKS, stored, strict=True)), **place}


def describe(stored: StoredField) -> dict[str, object]:
    """What a field is, as plain JSON data: name, kind, voxels, size, bounds, range, blocks."""
    field = stored.field
    if isinstance(field, BlockGrid):
        uniform = [v for v, n in ((field.background, OUTSIDE), (-field.background, INSIDE))
                   if (field.table == n).any()]  # fmt: skip
        values, blocks = np.append(field.pool, np.array(uniform, field.pool.dtype)), len(field.pool)
        vector = field.pool.ndim == 5
    else:
        values, blocks, vector = field.values, None, field.is_vector
    finite = values[np.isfinite(values)]
    upper = np.array(field.origin) + (np.array(field.shape) - 1) * field.voxel_size
    return {
        "name": stored.name,
        "level_set": stored.is_level_set,
        "vector": vector,
        "dtype": str(values.dtype),
        "shape": list(field.shape),
        "voxels": count_text(field.shape),
        "voxel_size": field.voxel_size,
        "lower": list(field.origin),
        "upper": upper.tolist(),
        "least": float(np.min(finite)) if finite.size else None,
        "greatest": float(np.max(finite)) if finite.size else None,
        "not_finite": int(values.size - finite.size),
        "blocks": blocks,
    }


def _require_suffix(file: Path) -> None:
    if not is_field(file):
        raise StagewrightError(
            "field-suffix",
            f"A field is not written as “{file.name}”.",
            f"Give the file one of the endings {', '.join(SUFFIXES)}.",
        )
