# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields from files to files: what ``stagewright field …`` does.

A file's ending says what it is: ``.vdb`` and ``.npz`` are fields, ``.obj``, ``.ply`` and USD's
are surfaces or points, ``.png`` is a picture of a slice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..field_tools.advect import streamlines
from ..field_tools.diffuse import diffuse
from ..field_tools.field_files import describe, is_field, read_field, write_field
from ..field_tools.grid import Grid
from ..field_tools.isosurface import isosurface
from ..field_tools.kernels import KERNELS
from ..field_tools.mesh_files import (
    Polygons,
    is_mesh,
    polygons_of,
    read_polygons,
    write_polygons,
)
from ..field_tools.renormalize import renormalize
from ..field_tools.vdb import VdbGrid
from ..field_tools.work import make_field
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from ..jobs.files import written_whole
from ..texture_lab.png import write_png
from .field_slices import slice_picture
from .targets import require_suffix

_FIELDS, _SURFACES = (".vdb", ".npz"), (".obj", ".ply", ".usd", ".usda", ".usdc")
USD_SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")
# What `make_field` reads, where a command has no option for it.
_DEFAULTS: Mapping[str, Any] = {
    "operation": "CONVERT",
    "output": "MESH",
    "detail": "VOXELS",
    "voxels": 128,
    "voxel_size": 0.0,
    "boolean": "UNION",
    "blend": 0.0,
    "distance": 0.0,
    "thickness": 0.0,
    "width": 0.0,
    "radius": 0.0,
    "fluid": "SPHERES",
    "sign": "auto",
    "sharp": False,
    "threshold": 0.0,
}


def solid(sources: Sequence[Path], output: Path, **chosen: Any) -> Job[dict[str, Any]]:
    """Make a solid of surfaces, points and fields, and write it as a field or a surface.

    Args:
        sources: the files; several are joined, or whatever the operation says.
        output: the file to write.
        chosen: options of :func:`~..field_tools.work.make_solid`; ``points=True`` takes a
            surface's points for particles.

    Returns:
        ``path``, ``voxels``, ``voxel_size``, and of a surface ``vertices`` and ``faces``.

    Raises:
        StagewrightError: ``field-output`` for another ending, what the files or the work are
            refused for.
    """
    require_suffix(output, "it", (*_FIELDS, *_SURFACES))
    arrays: dict[str, NDArray[Any]] = {}
    told: list[dict[str, Any]] = []
    as_points = bool(chosen.pop("points", False))
    for number, source in enumerate(sources):
        yield Progress("field.read", 0.1 * number / len(sources), f"Reading {source.name}")
        if is_field(source):
            told.append({"path": str(source), "grid": "", "matrix": np.eye(4).tolist()})
            continue
        mesh = read_mesh(source)
        _require_shape(source, mesh, as_points=as_points)
        told.append({})
        if as_points:
            arrays[f"{number}.points"] = mesh.points
        else:
            arrays[f"{number}.vertices"] = mesh.points
            arrays[f"{number}.triangles"] = mesh.triangles()
    kind = "VOLUME" if is_field(output) else "MESH"
    options = {**_DEFAULTS, "output": kind, **chosen, "sources": told}
    made = yield from make_field(arrays, options)
    value: dict[str, Any] = {"voxels": made.values.size, "voxel_size": made.voxel_size}
    yield Progress("field.write", 0.9, f"Writing {output.name}")
    if kind == "VOLUME":
        write_field(output, made, level_set=True, name="surface")
        return {"path": str(output), **value}
    return value | write_mesh(output, _surface(made, sharp=options["sharp"]))


def convert(source: Path, output: Path, name: str, level: float) -> Job[dict[str, Any]]:
    """Write a field as another kind of file: a field, or the surface where it is ``level``."""
    require_suffix(output, "it", (*_FIELDS, *_SURFACES))
    yield Progress("field.read", 0.0, f"Reading {source.name}")
    found = read_field(source, name)
    yield Progress("field.write", 0.5, f"Writing {output.name}")
    if is_field(output):
        write_field(output, found.grid, level_set=found.is_level_set, name=found.name)
        return {"path": str(output)}
    mesh = isosurface(found.grid, level)
    return write_mesh(output, polygons_of(mesh.vertices, mesh.quads))


def distances(
    source: Path, output: Path, name: str, half_width: float, level: float
) -> Job[dict[str, Any]]:
    """Make a field distances again, its surface kept where it is ``level``."""
    require_suffix(output, "it", _FIELDS)
    found = yield from _read(source, name)
    write_field(output, renormalize(found.grid, half_width, level), level_set=True, name=found.name)
    return {"path": str(output)}


def operate(
    source: Path, output: Path, name: str, operator: str, amount: float
) -> Job[dict[str, Any]]:
    """Apply one of the kernels, or ``diffuse`` by ``amount`` (a square length)."""
    require_suffix(output, "it", _FIELDS)
    found = yield from _read(source, name)
    if operator == "diffuse":
        result = diffuse(found.grid, amount)
    else:
        result = KERNELS[operator].function(found.grid)
    yield Progress("field.write", 0.8, f"Writing {output.name}")
    write_field(output, result, level_set=False, name=operator)
    return {"path": str(output), "operator": operator}


def lines_through(
    source: Path, output: Path, name: str, seeds: int, length: float, steps: int, seed: int
) -> Job[dict[str, Any]]:
    """Write streamlines of a vector field as lines of an OBJ file.

    A scalar field's are those of its gradient. Lines start at random voxels.
    """
    require_suffix(output, "lines", (".obj",))
    found = yield from _read(source, name)
    grid = found.grid if found.grid.is_vector else KERNELS["gradient"].function(found.grid)
    random = np.random.default_rng(seed)
    voxels = random.random((seeds, 3)) * (np.array(grid.shape) - 1)
    lines = streamlines(grid, grid.index_to_world(voxels), length, steps)
    write_lines(output, lines)
    return {"path": str(output), "lines": len(lines)}


def picture_of(
    source: Path,
    output: Path,
    name: str,
    axis: str,
    position: float | None,
    lines: int,
    size: int,
) -> Job[dict[str, Any]]:
    """Write a slice of a field as a PNG (see `slice_picture`).

    ``size`` is its longer side in pixels.
    """
    require_suffix(output, "a slice", (".png",))
    found = yield from _read(source, name)
    pixels, place = slice_picture(found.grid, "xyz".index(axis), position, lines, size)
    try:
        write_png(output, pixels)
    except OSError as error:
        raise StagewrightError(
            "picture-unwritable",
            f"{output.name} cannot be written ({error.strerror or error}).",
            "Make room there, or choose another folder.",
        ) from error
    return {"path": str(output), "axis": axis, "position": place}


def tell(source: Path, name: str) -> Job[dict[str, Any]]:
    """What a field or a surface is."""
    yield Progress("field.read", 0.0, f"Reading {source.name}")
    if is_field(source):
        return {"path": str(source), **describe(read_field(source, name))}
    mesh = read_mesh(source)
    value = {"path": str(source), "points": len(mesh.points), "faces": len(mesh.counts)}
    if not len(mesh.points):
        return value
    low, high = mesh.points.min(axis=0).tolist(), mesh.points.max(axis=0).tolist()
    return value | {"lower": low, "upper": high}


def read_mesh(path: Path) -> Polygons:
    """A surface or points, from OBJ, PLY or USD.

    Raises:
        StagewrightError: ``field-input`` for another ending; what the files are refused for.
    """
    if path.suffix.lower() in USD_SUFFIXES:
        from ..usd_tools.surface_files import read_surface

        return Polygons(*read_surface(path))
    if not is_mesh(path):
        raise StagewrightError(
            "field-input",
            f"“{path.name}” is neither a field nor a surface.",
            "Give a .vdb, .npz, .obj, .ply or USD file.",
        )
    return read_polygons(path)


def write_mesh(path: Path, mesh: Polygons) -> dict[str, Any]:
    """Write a surface; returns its path and counts."""
    if path.suffix.lower() in USD_SUFFIXES:
        from ..usd_tools.surface_files import write_surface

        write_surface(path, (mesh.points, mesh.counts, mesh.corners))
    else:
        write_polygons(path, mesh)
    return {"path": str(path), "vertices": len(mesh.points), "faces": len(mesh.counts)}


def write_lines(path: Path, lines: NDArray[np.floating[Any]]) -> None:
    """Write (n, k, 3) polylines as lines of an OBJ file."""
    text = [f"v {x!r} {y!r} {z!r}" for x, y, z in lines.reshape(-1, 3).tolist()]
    count = lines.shape[1]
    for number in range(len(lines)):
        first = number * count + 1
        text.append("l " + " ".join(map(str, range(first, first + count))))
    try:
        with written_whole(path) as partial:
            partial.write_text("\n".join(text) + "\n", encoding="ascii")
    except OSError as error:
        raise StagewrightError(
            "mesh-unwritable",
            f"{path.name} cannot be written ({error.strerror or error}).",
            "Make room there, or choose another folder.",
        ) from error


def _require_shape(source: Path, mesh: Polygons, *, as_points: bool) -> None:
    """Refuse what no field can be made of, by the file's name."""
    points = mesh.points
    bad = int((~np.isfinite(points).all(axis=1)).sum())
    if not len(points):
        raise StagewrightError("no-points", f"{source.name} has no points.", "Choose another file.")
    if bad:
        raise StagewrightError(
            "not-finite",
            f"{source.name} has {bad} of {len(points)} points at no place (NaN or infinite).",
            "Mend them where the file was made.",
        )
    if as_points:
        return
    if not len(mesh.counts):
        raise StagewrightError(
            "no-faces",
            f"{source.name} has points, but no faces.",
            "Take its points: stagewright field points-to-surface.",
        )
    if (np.ptp(points, axis=0) == 0).all():
        raise StagewrightError(
            "no-extent",
            f"All points of {source.name} lie at one place.",
            "Choose another file.",
        )


def _surface(field: Grid, *, sharp: bool) -> Polygons:
    mesh = isosurface(field, sharp=sharp)
    return polygons_of(mesh.vertices, mesh.quads)


def _read(source: Path, name: str) -> Job[VdbGrid]:
    yield Progress("field.read", 0.0, f"Reading {source.name}")
    if not is_field(source):
        raise StagewrightError(
            "field-input",
            f"“{source.name}” is no field.",
            "Make one of a surface first: stagewright field mesh-to-sdf.",
        )
    found = read_field(source, name)
    yield Progress("field.work", 0.3, "Working on the field")
    return found
