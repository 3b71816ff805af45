# SPDX-License-Identifier: GPL-3.0-or-later
"""Solids from surfaces, points and volumes, through one field: the work of a child process.

What comes in and out lies as arrays in files of the job's folder, so that neither side waits for
the other, and what is cancelled or dies leaves nothing behind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from . import views
from .anisotropic import points_to_anisotropic_sdf
from .band import NarrowBand, dense
from .csg import difference, intersection, offset, shell, union
from .field_files import read_field, write_field
from .grid import Grid, grid_over
from .isosurface import isosurface
from .mesh_sdf import mesh_to_sdf
from .points_sdf import points_to_sdf, points_to_smooth_sdf
from .remesh import Attribute, remesh
from .renormalize import renormalize
from .reshape import displace, image_heights, smooth
from .vdb import has_openvdb

INPUTS, RESULT = "inputs.npz", "result.npz"
VOLUME, VOLUME_BLOCKS = "result.vdb", "volume.npz"
"""A volume, and what stands for it where Python has no OpenVDB module."""
BAND = 3.0
"""Voxels of distances on each side of a surface that becomes a mesh."""
_PLACES = {"vertices", "points"}
_ON_THE_GRID = {"CONVERT", "REMESH", "RENORMALIZE", "SMOOTH"}
"""Work that leaves a volume its own voxels."""
_BETWEEN = 0.37
"""Where between two voxels a box's faces lie, best far from all simple fractions."""
_LEVEL = 1e-4
"""Voxels from the surface that are rounding."""
SHOWN_LINES = 3
"""Iso-lines of a slice on each side of the surface."""
BOOLEANS = {"UNION": union, "DIFFERENCE": difference, "INTERSECTION": intersection}


def make_solid(folder: str, options: Mapping[str, Any]) -> Job[Mapping[str, Any]]:
    """Make a field of each source, work on it, and leave the result in ``folder``.

    Args:
        folder: holds ``inputs.npz``: for source ``i`` either ``i.vertices`` (n, 3) and
            ``i.triangles`` (m, 3), or ``i.points`` (n, 3).
        options: ``sources``, for each a mapping: of a volume ``path``, ``grid`` (name) and
            ``matrix`` (4 x 4, to the space of the result); of a surface to remesh ``attributes``
            (``domain`` and ``key`` of each, its values in ``i.KEY``: see `remesh.Attribute`); else
            empty. ``operation``: ``CONVERT``, ``REMESH`` (of one source), ``RENORMALIZE`` (of one
            volume, to a volume), ``BOOLEAN``, ``OFFSET``, ``SHELL``, ``SMOOTH`` or ``DISPLACE``
            (``picture`` (u, v) in ``inputs.npz`` along ``axis``, over the box of the sources; 1 is
            ``height``). ``output``: ``MESH`` leaves ``result.npz`` with vertices, quads, and the
            attributes by their keys; ``VOLUME`` leaves ``result.vdb``, ``half_width`` voxels of
            distances on each side. And what these need: ``detail``, ``voxels``, ``voxel_size``,
            ``boolean``, ``blend``, ``distance``, ``thickness``, ``width``, ``radius``, ``fluid``,
            ``sign``, ``exact`` (see `mesh_to_sdf`), ``sharp``, ``angle``, ``threshold``.

    Returns:
        ``voxels`` (their number), ``voxel_size``, and of a mesh ``vertices`` and ``faces``.

    Raises:
        StagewrightError: what the sources or the work are refused for.
    """
    with np.load(Path(folder) / INPUTS) as stored:
        arrays = {name: stored[name] for name in stored.files}
    field = yield from make_field(arrays, options)
    value: dict[str, Any] = {"voxels": math.prod(field.shape), "voxel_size": field.voxel_size}
    if options["output"] == "VOLUME":
        yield Progress("field.write", 0.8, "Writing the volume")
        file = VOLUME if has_openvdb() else VOLUME_BLOCKS
        write_field(Path(folder) / file, field, level_set=True, name="surface")
        return value
    solid = dense(field)
    yield Progress("field.surface", 0.8, "Making the surface")
    carried: dict[str, NDArray[Any]] = {}
    if options["operation"] == "REMESH" and "0.triangles" in arrays:
        told = options["sources"][0]["attributes"]
        made = remesh(
            arrays["0.vertices"],
            arrays["0.triangles"],
            solid,
            [Attribute(entry["domain"], arrays[f"0.{entry['key']}"]) for entry in told],
            angle=options["angle"] if options["sharp"] else None,
        )
        mesh = made.mesh
        carried = {entry["key"]: array for entry, array in zip(told, made.values, strict=True)}
    else:
        mesh = isosurface(solid, sharp=options["sharp"])
    result: dict[str, Any] = {"vertices": mesh.vertices, "quads": mesh.quads, **carried}
    np.savez(Path(folder) / RESULT, **result)
    return value | {"vertices": len(mesh.vertices), "faces": len(mesh.quads)}


def show_field(folder: str, options: Mapping[str, Any]) -> Job[Mapping[str, Any]]:
    """Make a field of the sources as `make_solid` does, and leave what shows it in ``folder``.

    Args:
        folder: as for `make_solid`; ``result.npz`` holds what the view returns (see `views`).
        options: those of `make_solid`, and ``view`` (``SLICE``, ``ARROWS``, ``STREAMLINES``,
            ``CURVATURE``), ``axis`` (``X``, ``Y``, ``Z``), ``place``, ``spacing``, ``length``.

    Returns:
        ``least`` and ``greatest`` of the values shown.

    Raises:
        StagewrightError: as `make_solid` and the view.
    """
    with np.load(Path(folder) / INPUTS) as stored:
        arrays = {name: stored[name] for name in stored.files}
    if options["view"] == "SLICE":
        options = {**options, "reach": SHOWN_LINES * float(options["spacing"])}
    flow = _flow(options["sources"])
    field = dense((yield from make_field(arrays, options)) if flow is None else flow)
    yield Progress("field.show", 0.8, "Making it visible")
    view, spacing = options["view"], float(options["spacing"])
    if view == "SLICE":
        axis = "XYZ".index(options["axis"])
        result = views.show_slice(field, views.Slice(axis, float(options["place"]), spacing))
    elif view == "CURVATURE":
        result = views.show_curvature(field)
    elif view == "ARROWS":
        result = views.show_arrows(field, spacing)
    else:
        result = views.show_streamlines(field, spacing, float(options["length"]))
    files: dict[str, Any] = dict(result)
    np.savez(Path(folder) / RESULT, **files)
    values = result["values"]
    return {"least": float(values.min()), "greatest": float(values.max())}


def _flow(sources: list[Mapping[str, Any]]) -> Grid | None:
    """The vectors of a single volume that holds some, in the space of the result."""
    if len(sources) != 1 or "path" not in sources[0]:
        return None
    field = read_field(sources[0]["path"], sources[0]["grid"]).grid
    if not field.is_vector:
        return None
    matrix = np.array(sources[0]["matrix"])
    signs = np.sign(np.diag(matrix)[:3]).astype(field.dtype)
    return _moved(field.with_values(field.values * signs), matrix)


def make_field(
    arrays: Mapping[str, NDArray[Any]], options: Mapping[str, Any]
) -> Job[Grid | NarrowBand]:
    """The field of all sources after the work on it, negative inside.

    A volume that is a single source's distances stays the band that it is measured as.
    Arguments and errors are those of `make_solid`, the arrays by their names in its file.
    """
    sources = options["sources"]
    volumes = [_volume(source, options) if "path" in source else None for source in sources]
    on_the_grid = len(sources) == 1 and options["operation"] in _ON_THE_GRID
    shapes = [
        _own(arrays, number) if volume is None else
        {} if on_the_grid else _surface(volume, np.array(source["matrix"]))
        for number, (source, volume) in enumerate(zip(sources, volumes, strict=True))
    ]  # fmt: skip
    clouds = [array for own in shapes for name, array in own.items() if name in _PLACES]
    size = _voxel_size(clouds, sources, volumes, options)
    band = float(options["half_width"]) if options["output"] == "VOLUME" else BAND
    half_width = band + _reach(options) / size
    shift = _shift(clouds, size) if options["output"] == "MESH" else np.zeros(3)
    fields: list[NarrowBand | Grid] = []
    for number, (source, volume, own) in enumerate(zip(sources, volumes, shapes, strict=True)):
        yield Progress("field.measure", 0.6 * number / len(sources), "Measuring distances")
        if volume is not None and on_the_grid:
            own_space = _scaled(volume, np.array(source["matrix"]))
            room = band * size if options["operation"] == "RENORMALIZE" else _reach(options)
            fields.append(_padded(own_space, room))
            continue
        own = {name: array + shift if name in _PLACES else array for name, array in own.items()}
        fields.append(_field(own, options, size, half_width))
    is_distance = options["operation"] == "CONVERT" and len(fields) == 1
    if options["output"] == "VOLUME" and is_distance and isinstance(fields[0], NarrowBand):
        return fields[0]
    yield Progress("field.work", 0.6, "Working on the field")
    grids = _on_one_lattice(fields)
    solid = Grid(grids[0].values, grids[0].voxel_size, tuple(np.array(grids[0].origin) - shift))
    operation = options["operation"]
    join = BOOLEANS[options["boolean"] if operation == "BOOLEAN" else "UNION"]
    for other in grids[1:]:
        other = solid.with_values(other.values)
        solid = join(solid, other, options["blend"] if operation == "BOOLEAN" else 0.0)
    if operation == "OFFSET":
        solid = offset(solid, options["distance"])
    elif operation == "SHELL":
        solid = shell(solid, options["thickness"])
    elif operation == "SMOOTH":
        solid = smooth(solid, options["width"])
    elif operation == "DISPLACE":
        axis, box = "XYZ".index(options["axis"]), _bounds(clouds)
        bumps = image_heights(solid, arrays["picture"], axis, options["height"], box)
        solid = displace(solid, bumps)
    if options["output"] == "VOLUME":
        solid = renormalize(solid, band)
    return solid


def _field(
    own: Mapping[str, NDArray[Any]], options: Mapping[str, Any], size: float, half_width: float
) -> NarrowBand | Grid:
    """Distances to a surface or points."""
    if "triangles" in own:
        return mesh_to_sdf(
            own["vertices"],
            own["triangles"],
            size,
            half_width=half_width,
            sign=options["sign"],
            exact=options["exact"],
        )
    points, radius = own["points"], options["radius"]
    if options["fluid"] == "SPHERES":
        return points_to_sdf(points, radius, size, half_width=half_width)
    if options["fluid"] == "SMOOTH":
        field = points_to_smooth_sdf(points, radius, size)
    else:
        field = points_to_anisotropic_sdf(points, 4 * radius, size)
    if options["operation"] == "CONVERT" and len(options["sources"]) == 1:
        return field
    surface = isosurface(field)
    return mesh_to_sdf(surface.vertices, surface.triangles(), size, half_width=half_width)


def _volume(source: Mapping[str, Any], options: Mapping[str, Any]) -> Grid:
    """A volume's field in the space of its object, negative inside."""
    found = read_field(source["path"], source["grid"])
    if found.grid.is_vector:
        raise StagewrightError(
            "grid-shape",
            f"The grid “{found.name}” holds vectors, which have no surface.",
            "Choose a grid of distances or densities.",
        )
    if found.is_level_set:
        return _settled(found.grid)
    return found.grid.with_values(found.grid.dtype.type(options["threshold"]) - found.grid.values)


def _settled(field: Grid) -> Grid:
    """Distances whose voxels on the surface lie on it exactly, and so all on its outer side.

    Of a box whose faces lie on voxels rounding would put some of these inside and others outside.
    Edges and corners can be told only from the planes beside them, which these distances are on
    the inner side of a convex one alone.
    """
    level = np.abs(field.values) < _LEVEL * field.voxel_size
    return field.with_values(np.where(level, field.dtype.type(0), field.values))


def _surface(volume: Grid, matrix: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """A volume's surface in the result's space.

    Through the surface its distances are right however far from it, and for every transform.
    """
    mesh = isosurface(volume, sharp=True)
    vertices = mesh.vertices.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    triangles = mesh.triangles()
    mirrored = np.linalg.det(matrix[:3, :3]) < 0
    return {"vertices": vertices, "triangles": triangles[:, ::-1] if mirrored else triangles}


def _scaled(field: Grid, matrix: NDArray[np.float64]) -> Grid:
    """A level set in the space of the result, from that of an object scaled equally."""
    distances = field.with_values(field.values * field.dtype.type(_scale(matrix)))
    return _moved(distances, matrix)


def _moved(field: Grid, matrix: NDArray[np.float64]) -> Grid:
    """A field through a matrix that moves, scales equally and mirrors, but does not turn."""
    ends = field.index_to_world(np.array([(0, 0, 0), np.array(field.shape) - 1]))
    origin = (ends @ matrix[:3, :3].T + matrix[:3, 3]).min(axis=0)
    ways = tuple(slice(None, None, -1 if side < 0 else 1) for side in np.diag(matrix)[:3])
    values = np.ascontiguousarray(field.values[ways])
    return Grid(values, _scale(matrix) * field.voxel_size, tuple(origin.tolist()))


def _scale(matrix: NDArray[np.float64]) -> float:
    return float(np.cbrt(abs(np.linalg.det(matrix[:3, :3]))))


def _padded(field: Grid, reach: float) -> Grid:
    """A field with room on every side, in which the values at its rim go on."""
    pad = int(np.ceil(reach / field.voxel_size))
    if not pad:
        return field
    origin = np.array(field.origin) - pad * field.voxel_size
    return Grid(np.pad(field.values, pad, mode="edge"), field.voxel_size, tuple(origin))


def _reach(options: Mapping[str, Any]) -> float:
    """How far from the surface its distances are needed, in world units."""
    return {
        "CONVERT": float(options.get("reach", 0.0)),
        "BOOLEAN": float(options["blend"]),
        "OFFSET": abs(float(options["distance"])),
        "SHELL": float(options["thickness"]) / 2,
        "SMOOTH": 3 * float(options["width"]),
        "DISPLACE": abs(float(options.get("height", 0.0))),
    }.get(options["operation"], 0.0)


def _own(arrays: Mapping[str, NDArray[Any]], number: int) -> dict[str, NDArray[Any]]:
    """The arrays of one source, by their names without its number."""
    prefix = f"{number}."
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _voxel_size(
    clouds: list[NDArray[Any]],
    sources: list[Mapping[str, Any]],
    volumes: list[Grid | None],
    options: Mapping[str, Any],
) -> float:
    """Of volumes alone their own, else what is told, or so many voxels along the longest side.

    ``clouds`` are the points of all sources, those of volumes' surfaces too.
    """
    found = [volume for volume in volumes if volume is not None]
    if len(found) == len(volumes):
        scales = [_scale(np.array(source["matrix"])) for source in sources]
        return min(v.voxel_size * scale for v, scale in zip(found, scales, strict=True))
    if options["detail"] == "SIZE":
        return float(options["voxel_size"])
    low, high = _bounds(clouds)
    longest = float(np.max(high - low))
    return longest / options["voxels"] if longest > 0 else float(options["radius"]) / 4


def _shift(clouds: list[NDArray[Any]], size: float) -> NDArray[np.float64]:
    """What moves all sources so that a box's faces lie between voxels.

    On the voxels themselves, where modelled things like to be, inside and outside are a toss-up,
    and edges have no room to be found in.
    """
    if not clouds:
        return np.zeros(3)
    return _BETWEEN * size - _bounds(clouds)[0]


def _bounds(clouds: list[NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and greatest corner of the box around points."""
    low: NDArray[np.float64] = np.min([cloud.min(axis=0) for cloud in clouds], axis=0)
    high: NDArray[np.float64] = np.max([cloud.max(axis=0) for cloud in clouds], axis=0)
    return low, high


def _on_one_lattice(fields: list[NarrowBand | Grid]) -> list[Grid]:
    """Dense grids of one lattice over all fields; a single field keeps its own.

    All are made with one voxel size and centres on its multiples, so that nothing is resampled.
    """
    grids = [dense(field) for field in fields]
    if len(grids) == 1:
        return grids
    size = grids[0].voxel_size
    low = np.min([grid.origin for grid in grids], axis=0)
    high = np.max([grid.index_to_world(np.array(grid.shape) - 1) for grid in grids], axis=0)
    # Half a voxel less on each side: rounding must not add one.
    lattice = grid_over((low + 0.4 * size).tolist(), (high - 0.4 * size).tolist(), size)
    return [_onto(grid, lattice) for grid in grids]


def _onto(grid: Grid, lattice: Grid) -> Grid:
    """A field with its greatest distance where it has no voxels."""
    values = np.full(lattice.shape, np.abs(grid.values).max(), np.float32)
    first = np.rint(lattice.world_to_index(grid.origin)).astype(int)
    values[tuple(slice(s, s + n) for s, n in zip(first, grid.shape, strict=True))] = grid.values
    return lattice.with_values(values)
