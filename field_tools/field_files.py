# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields in files: numpy's ``.npz`` everywhere, ``.vdb`` where OpenVDB's module is."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from ..jobs.errors import StagewrightError
from ..jobs.files import written_whole
from .band import NarrowBand
from .grid import Grid, count_text
from .memory import require_memory
from .vdb import VdbGrid, read_vdb, write_grid, write_sdf

SUFFIXES = (".npz", ".vdb")
# What zipfile and numpy raise of damaged, encrypted and foreign archives.
_UNREADABLE = (
    KeyError, TypeError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error
)  # fmt: skip
_ARRAYS = ("values", "voxel_size", "origin", "level_set", "name")


def is_field(path: Path) -> bool:
    """Whether a file is a field, by its suffix."""
    return path.suffix.lower() in SUFFIXES


def read_field(path: str | Path, name: str = "") -> VdbGrid:
    """Read one grid as a dense one.

    Args:
        path: a ``.npz`` of :func:`write_field`, or a ``.vdb``.
        name: the grid's name in a ``.vdb``; the first level set, or else the first grid, if empty.

    Raises:
        StagewrightError: ``field-unreadable``, ``field-suffix``, ``out-of-memory``, what `Grid`
            refuses, and for a ``.vdb`` what `read_vdb` does.
    """
    file = Path(path)
    if file.suffix.lower() == ".vdb":
        return read_vdb(file, name)
    _require_suffix(file)
    try:
        with zipfile.ZipFile(file) as members:
            needed = members.getinfo("values.npy").file_size
        require_memory(needed, f"The field {file.name}")
        with np.load(file, allow_pickle=False) as stored:
            values, size, origin, level_set, own = (stored[key] for key in _ARRAYS)
    except (*_UNREADABLE, OSError) as error:
        raise StagewrightError(
            "field-unreadable",
            f"{file.name} is no field that can be read ({error}).",
            "Choose another file, or write it again.",
        ) from error
    return VdbGrid(str(own), bool(level_set), Grid(values, float(size), tuple(origin.tolist())))


def write_field(
    path: str | Path, field: Grid | NarrowBand, *, level_set: bool, name: str = "field"
) -> None:
    """Write a field; the file appears whole or not at all.

    Args:
        path: a ``.npz``, which holds values as they are, or a ``.vdb``.
        field: the field.
        level_set: whether its values are signed distances.
        name: the grid's name.

    Raises:
        StagewrightError: ``field-suffix``, ``field-unwritable``, and for a ``.vdb``
            ``no-openvdb``.
    """
    file = Path(path)
    _require_suffix(file)
    try:
        with written_whole(file) as partial:
            if file.suffix.lower() == ".vdb":
                (write_sdf if level_set else write_grid)(partial, field, name)
            else:
                grid = field.to_grid() if isinstance(field, NarrowBand) else field
                with partial.open("wb") as stream:  # numpy appends an ending to ".NPZ"
                    np.savez_compressed(
                        stream,
                        values=grid.values,
                        voxel_size=np.float64(grid.voxel_size),
                        origin=np.array(grid.origin),
                        level_set=np.bool_(level_set),
                        name=np.str_(name),
                    )
    except OSError as error:
        raise StagewrightError(
            "field-unwritable",
            f"{file.name} cannot be written ({error.strerror or error}).",
            "Make room there, or choose another folder.",
        ) from error


def describe(field: VdbGrid) -> dict[str, object]:
    """What a field is, as plain JSON data: name, kind, voxels, size, bounds, range."""
    grid = field.grid
    finite = grid.values[np.isfinite(grid.values)]
    return {
        "name": field.name,
        "level_set": field.is_level_set,
        "vector": grid.is_vector,
        "dtype": str(grid.dtype),
        "shape": list(grid.shape),
        "voxels": count_text(grid.shape),
        "voxel_size": grid.voxel_size,
        "lower": list(grid.origin),
        "upper": grid.index_to_world(np.array(grid.shape) - 1).tolist(),
        "least": float(np.min(finite)) if finite.size else None,
        "greatest": float(np.max(finite)) if finite.size else None,
        "not_finite": int(grid.values.size - finite.size),
    }


def _require_suffix(file: Path) -> None:
    if not is_field(file):
        raise StagewrightError(
            "field-suffix",
            f"A field is not written as “{file.name}”.",
            f"Give the file one of the endings {', '.join(SUFFIXES)}.",
        )
