# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields from files to files: what ``stagewright field …`` does.

A file's ending says what it is: ``.vdb`` and ``.npz`` are fields, ``.obj``, ``.ply`` and USD's
are surfaces or points, ``.png`` is a picture of a slice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..field_tools.advect import streamlines
from ..field_tools.band import dense
from ..field_tools.block_grid import BlockGrid
from ..field_tools.contours import slice_values
from ..field_tools.diffuse import diffuse
from ..field_tools.field_files import StoredField, describe, is_field, read_field, write_field
from ..field_tools.grid import Grid
from ..field_tools.isosurface import isosurface
from ..field_tools.kernels import KERNELS
from ..field_tools.mesh_files import is_mesh, read_polygons, write_polygons
from ..field_tools.pictures import in_plane, is_flat
from ..field_tools.polygons import Polygons, polygons_of
from ..field_tools.renormalize import renormalize
from ..field_tools.work import BAND, make_field
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from ..jobs.files import require_file, written_whole
from ..texture_lab.png import write_png
from .field_slices import slice_picture, slice_place
from .picture_files import is_picture, read_picture, write_picture
from .targets import PICTURES_WRITTEN, require_suffix

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
    "exact": False,
    "sharp": False,
    "angle": 40.0,
    "threshold": 0.0,
    "half_width": BAND,
    "axis": "Z",
    "height": 0.0,
}


def solid(sources: Sequence[Path], output: Path, **chosen: Any) -> Job[dict[str, Any]]:
    """Make a solid of surfaces, points and fields, and write it as a field or a surface.

    Args:
        sources: the files; several are joined, or whatever the operation says.
        output: the file to write.
        chosen: options of :func:`~..field_tools.work.make_solid`; ``points=True`` takes a
            surface's points for particles; ``picture`` is the file of an image to displace by.

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
    picture: Path | None = chosen.pop("picture", None)
    if picture is not None:
        arrays["picture"] = _heights(picture)
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
    if kind == "VOLUME" and options["operation"] == "REMESH":
        options["operation"] = "CONVERT"  # A field has none of a mesh's looks.
    made = yield from make_field(arrays, options)
    value: dict[str, Any] = {"voxels": math.prod(made.shape), "voxel_size": made.voxel_size}
    yield Progress("field.write", 0.9, f"Writing {output.name}")
    if kind == "VOLUME":
        write_field(output, made, level_set=True, name="surface")
        return {"path": str(output), **value}
    field = dense(made)
    if options["operation"] == "REMESH" and not is_field(sources[0]):
        angle = math.radians(options["angle"]) if options["sharp"] else None
        return value | write_mesh(output, mesh.remeshed(field, angle))
    surface = isosurface(field, sharp=options["sharp"])
    return value | write_mesh(output, polygons_of(surface.vertices, surface.quads))


def convert(source: Path, output: Path, name: str, level: float) -> Job[dict[str, Any]]:
    """Write a field as another kind of file: a field, or the surface where it is ``level``."""
    require_suffix(output, "it", (*_FIELDS, *_SURFACES, *PICTURES_WRITTEN))
    found = yield from _read(source, name)
    yield Progress("field.write", 0.5, f"Writing {output.name}")
    if is_field(output) or is_picture(output):
        return _write(output, found.field, level_set=found.is_level_set, name=found.name)
    mesh = isosurface(found.grid, level)
    return write_mesh(output, polygons_of(mesh.vertices, mesh.quads))


def distances(
    source: Path, output: Path, name: str, half_width: float, level: float
) -> Job[dict[str, Any]]:
    """Make a field distances again, its surface kept where it is ``level``."""
    require_suffix(output, "it", (*_FIELDS, *PICTURES_WRITTEN))
    found = yield from _read(source, name)
    made = _applied(found.grid, lambda grid: renormalize(grid, half_width, level))
    return _write(output, made, level_set=True, name=found.name)


def operate(
    source: Path, output: Path, name: str, operator: str, amount: float
) -> Job[dict[str, Any]]:
    """Apply one of the kernels, or ``diffuse`` by ``amount`` (a square length).

    What is stored in blocks stays so: the kernel's answer there, 0 elsewhere.
    """
    require_suffix(output, "it", (*_FIELDS, *PICTURES_WRITTEN))
    found = yield from _read(source, name)
    result: Grid | BlockGrid
    if operator == "diffuse":
        result = diffuse(found.grid, amount)
    elif isinstance(found.field, BlockGrid):
        result = found.field.apply(KERNELS[operator])
    else:
        result = _applied(found.grid, KERNELS[operator].function)
    yield Progress("field.write", 0.8, f"Writing {output.name}")
    return _write(output, result, level_set=False, name=operator) | {"operator": operator}


def lines_through(
    source: Path, output: Path, name: str, seeds: int, length: float, steps: int, seed: int
) -> Job[dict[str, Any]]:
    """Write streamlines of a vector field as lines of an OBJ file.

    A scalar field's are those of its gradient. Lines start at random voxels.
    """
    require_suffix(output, "lines", (".obj",))
    found = yield from _read(source, name)
    grid = found.grid
    if not grid.is_vector:
        grid = _applied(grid, KERNELS["gradient"].function)
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


def values_of_slice(
    source: Path, output: Path, name: str, axis: str, position: float | None
) -> Job[dict[str, Any]]:
    """Write the values on a slice as an image or a field of two dimensions, a pixel for a voxel."""
    require_suffix(output, "a slice", (*PICTURES_WRITTEN, *_FIELDS))
    found = yield from _read(source, name)
    number = "xyz".index(axis)
    place = slice_place(found.grid, number, position)
    values = slice_values(found.grid, number, place)[:, :, None]
    half = found.grid.voxel_size / 2
    flat = Grid(values, found.grid.voxel_size, (half, half, 0.0))
    told = _write(output, flat, level_set=False, name=found.name)
    return {**told, "axis": axis, "position": place}


def tell(source: Path, name: str) -> Job[dict[str, Any]]:
    """What a field or a surface is."""
    yield Progress("field.read", 0.0, f"Reading {source.name}")
    if is_field(source) or is_picture(source):
        return {"path": str(source), **describe((yield from _read(source, name)))}
    mesh = read_mesh(source)
    value = {"path": str(source), "points": len(mesh.points), "faces": len(mesh.counts)}
    if not len(mesh.points):
        return value
    low, high = mesh.points.min(axis=0).tolist(), mesh.points.max(axis=0).tolist()
    return value | {"lower": low, "upper": high}


def read_mesh(path: Path) -> Polygons:
    """A surface or points, from OBJ, PLY or USD.

    Raises:
        StagewrightError: ``field-input`` for another ending, ``no-file``; what the files are
            refused for.
    """
    if path.suffix.lower() in USD_SUFFIXES:
        from ..usd_tools.surface_files import read_surface

        require_file(path)
        return Polygons(**vars(read_surface(path)))
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
        from ..usd_tools.surface_files import Surface, write_surface

        write_surface(path, Surface(**{f.name: getattr(mesh, f.name) for f in fields(Surface)}))
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


def _heights(picture: Path) -> NDArray[np.floating[Any]]:
    """The heights (u, v) of an image: its grey, or the mean of its colours."""
    values = read_picture(picture).values[:, :, 0]
    return values.mean(axis=2) if values.ndim == 3 else values


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


def _write(output: Path, field: Grid | BlockGrid, *, level_set: bool, name: str) -> dict[str, Any]:
    """Write a field, of two dimensions as an image if the ending says so."""
    if not is_picture(output):
        write_field(output, field, level_set=level_set, name=name)
        return {"path": str(output)}
    low, high = write_picture(output, field if isinstance(field, Grid) else field.to_grid())
    return {"path": str(output), "black": low, "white": high}


def _applied(grid: Grid, function: Callable[[Grid], Grid]) -> Grid:
    return in_plane(grid, function) if is_flat(grid) else function(grid)


def _read(source: Path, name: str) -> Job[StoredField]:
    yield Progress("field.read", 0.0, f"Reading {source.name}")
    if is_picture(source):
        return StoredField(source.stem, False, read_picture(source))
    if not is_field(source):
        raise StagewrightError(
            "field-input",
            f"“{source.name}” is no field.",
            "Make one of a surface first: stagewright field mesh-to-sdf.",
        )
    found = read_field(source, name)
    yield Progress("field.work", 0.3, "Working on the field")
    return found
