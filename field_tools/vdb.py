# SPDX-License-Identifier: GPL-3.0-or-later
"""Grids to and from OpenVDB files, through the Python module that Blender brings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..jobs.errors import StagewrightError
from .band import NarrowBand, dense
from .grid import FloatArray, Grid, count_text, require_scalar
from .memory import require_memory

_COMPONENTS = {"float": 1, "double": 1, "vec3s": 3, "vec3d": 3}


@dataclass(frozen=True, eq=False)
class VdbGrid:
    """A grid of a file.

    Attributes:
        name: its name there.
        is_level_set: whether its values are signed distances; else a density, or anything.
        grid: its active voxels and one more on each side, in the file's world space.
    """

    name: str
    is_level_set: bool
    grid: Grid


def openvdb_module() -> Any:
    """OpenVDB's Python module, under either of its names.

    Raises:
        StagewrightError: ``no-openvdb``.
    """
    try:
        import openvdb
    except ImportError:
        try:
            import pyopenvdb as openvdb
        except ImportError:
            raise StagewrightError(
                "no-openvdb",
                "This Python has no OpenVDB module.",
                "Use a Blender from blender.org, which brings it.",
            ) from None
    return openvdb


def has_openvdb() -> bool:
    """Whether this Python has the module."""
    try:
        openvdb_module()
    except StagewrightError:
        return False
    return True


def write_sdf(path: str | Path, field: NarrowBand | Grid, name: str = "surface") -> None:
    """Write signed distances as a level set.

    Args:
        path: the ``.vdb`` file; what was there is replaced.
        field: a band, or a dense grid whose greatest magnitude is the value beyond its band.
        name: the grid's name in the file.

    Raises:
        StagewrightError: ``no-openvdb``, ``grid-shape``, ``out-of-memory``, ``vdb-unwritable``.
    """
    vdb = openvdb_module()
    grid = dense(field)
    require_scalar(grid)
    width = field.width if isinstance(field, NarrowBand) else float(np.abs(grid.values).max())
    made = vdb.FloatGrid(width)
    # What equals the background is not stored; the flood gives it its sign.
    values = np.where(np.abs(grid.values) >= width * (1 - 1e-6), np.float32(width), grid.values)
    made.copyFromArray(np.ascontiguousarray(values, np.float32))
    made.signedFloodFill()
    made.name, made.gridClass = name, vdb.GridClass.LEVEL_SET
    _write(vdb, path, made, grid)


def write_grid(path: str | Path, field: NarrowBand | Grid, name: str = "field") -> None:
    """Write any field, scalar or vector; zeros are not stored.

    Args:
        path: the ``.vdb`` file; what was there is replaced.
        field: the field.
        name: the grid's name in the file.

    Raises:
        StagewrightError: ``no-openvdb``, ``out-of-memory``, ``vdb-unwritable``.
    """
    vdb = openvdb_module()
    grid = dense(field)
    made = vdb.Vec3SGrid() if grid.is_vector else vdb.FloatGrid()
    made.copyFromArray(np.ascontiguousarray(grid.values, np.float32))
    made.name = name
    made.gridClass = vdb.GridClass.UNKNOWN if grid.is_vector else vdb.GridClass.FOG_VOLUME
    _write(vdb, path, made, grid)


def _write(vdb: Any, path: str | Path, made: Any, grid: Grid) -> None:
    transform = vdb.createLinearTransform(grid.voxel_size)
    transform.postTranslate(grid.origin)
    made.transform = transform
    try:
        vdb.write(str(path), [made])
    except (OSError, RuntimeError) as error:
        raise StagewrightError(
            "vdb-unwritable",
            f"{path} cannot be written: {error}.",
            "Make room there, or choose another folder.",
        ) from error


def read_vdb(path: str | Path, name: str = "") -> VdbGrid:
    """Read one grid of scalars or vectors as a dense one.

    Args:
        path: the ``.vdb`` file.
        name: the grid's name; the first level set, or else the first grid, if empty.

    Raises:
        StagewrightError: ``no-openvdb``, ``vdb-unreadable``, ``vdb-no-grid``, ``vdb-empty``,
            ``vdb-transform`` for rotated or sheared voxels, ``anisotropic-voxels``,
            ``out-of-memory``.
    """
    vdb = openvdb_module()
    try:
        found = vdb.readAllGridMetadata(str(path))
        chosen = _choose(found, name, path)
        stored = vdb.read(str(path), chosen)
    except (OSError, RuntimeError, KeyError) as error:
        raise StagewrightError(
            "vdb-unreadable",
            f"{path} is no OpenVDB file that can be read: {error}.",
            "Choose another file, or write it again.",
        ) from error
    components = _COMPONENTS.get(stored.valueTypeName)
    if components is None:
        raise StagewrightError(
            "vdb-no-grid",
            f"The grid “{chosen}” holds {stored.valueTypeName}, not numbers or vectors.",
            "Choose another grid.",
        )
    if stored.empty() or not stored.activeVoxelCount():
        raise StagewrightError(
            "vdb-empty", f"The grid “{chosen}” of {path} is empty.", "Choose another grid."
        )
    low, high = (np.array(corner) for corner in stored.evalActiveVoxelBoundingBox())
    low, high = low - 1, high + 1
    shape = tuple((high - low + 1).tolist())
    double = stored.valueTypeName.endswith(("double", "d"))
    dtype = np.dtype(np.float64 if double else np.float32)
    require_memory(int(np.prod(shape)) * components * dtype.itemsize, count_text(shape))
    values: FloatArray = np.empty(shape if components == 1 else (*shape, 3), dtype)
    stored.copyToArray(values, ijk=tuple(low.tolist()))
    size, origin = _lattice(stored.transform, low, chosen)
    # Geometry nodes tell no class; what is negative somewhere is no density.
    untold = stored.gridClass == vdb.GridClass.UNKNOWN and components == 1
    is_level_set = stored.gridClass == vdb.GridClass.LEVEL_SET or (untold and (values < 0).any())
    return VdbGrid(chosen, bool(is_level_set), Grid(values, size, origin))


def _choose(found: list[Any], name: str, path: str | Path) -> str:
    names = [grid.name for grid in found]
    if name in names:
        return name
    if name or not names:
        raise StagewrightError(
            "vdb-no-grid",
            f"{path} has no grid “{name}”." if name else f"{path} has no grids.",
            f"Choose one of {', '.join(names)}." if names else "Choose another file.",
        )
    level_sets = [g.name for g in found if g.metadata.get("class") == "level set"]
    return str([*level_sets, *names][0])


def _lattice(
    transform: Any, low: np.ndarray[Any, Any], name: str
) -> tuple[float, tuple[float, float, float]]:
    """Voxel size, and the world position of index ``low``."""
    start = np.array(transform.indexToWorld(tuple(low.tolist())))
    steps = np.stack(
        [np.array(transform.indexToWorld(tuple((low + step).tolist()))) - start
         for step in np.eye(3, dtype=int)]
    )  # fmt: skip
    sides = np.diag(steps)
    if not transform.isLinear or np.abs(steps - np.diag(sides)).max() > 1e-5 * sides.max():
        raise StagewrightError(
            "vdb-transform",
            f"The voxels of the grid “{name}” are turned or sheared.",
            "Resample it onto voxels along the axes first.",
        )
    # Grid refuses voxels that are no cubes; rounding in the file's float32 is let through.
    if np.allclose(sides, sides.mean(), rtol=1e-5, atol=0):
        sides = np.full(3, sides.mean())
    Grid(np.zeros((1, 1, 1), np.float32), sides)  # type: ignore[arg-type]
    x, y, z = start.tolist()
    return float(sides[0]), (x, y, z)
