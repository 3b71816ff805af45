# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's objects as arrays: surfaces, points, and the files of volumes.

All are read into the space of a *frame*: where the result will lie, which has a place and a
rotation but no scale, so that lengths stay the world's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...field_tools.field_files import write_field
from ...jobs.errors import StagewrightError
from . import node_volumes
from .attributes import read_attributes

SURFACES = {"MESH", "CURVE", "SURFACE", "META", "FONT"}


def frame_of(item: bpy.types.Object) -> NDArray[np.float64]:
    """The place and rotation of an object, as a matrix (4, 4) to world space."""
    place, rotation, _scale = item.matrix_world.decompose()
    return np.array(Matrix.LocRotScale(place, rotation, None), np.float64)


def into(frame: NDArray[np.float64], item: bpy.types.Object) -> NDArray[np.float64]:
    """The matrix (4, 4) from an object's space to a frame's."""
    return np.linalg.inv(frame) @ np.array(item.matrix_world, np.float64)


def moved(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 3) through an affine matrix (4, 4)."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def read_surface(
    item: bpy.types.Object, frame: NDArray[np.float64], *, attributes: bool = False
) -> tuple[dict[str, NDArray[Any]], list[dict[str, str]]]:
    """The faces of an evaluated object, cut into triangles, counter-clockwise from outside.

    Args:
        item: an evaluated object that has, or makes, a mesh.
        frame: see `frame_of`.
        attributes: whether to read all that the mesh knows, too.

    Returns:
        ``vertices`` (n, 3) float64 in the frame and ``triangles`` (m, 3) int32; what
        `read_attributes` tells of the attributes, whose arrays are there by their keys.

    Raises:
        StagewrightError: ``no-faces`` or ``not-finite``.
    """
    mesh = item.to_mesh()
    try:
        if mesh is None or not len(mesh.polygons):
            raise StagewrightError(
                "no-faces",
                f"“{item.name}” has no faces.",
                "Choose an object with faces, or take its points.",
            )
        mesh.calc_loop_triangles()
        triangles = np.empty((len(mesh.loop_triangles), 3), np.int32)
        mesh.loop_triangles.foreach_get("vertices", triangles.reshape(-1))
        told, arrays = read_attributes(item, mesh) if attributes else ([], {})
        matrix = into(frame, item)
        if np.linalg.det(matrix[:3, :3]) < 0:  # Mirrored: what was outside is inside.
            triangles = triangles[:, ::-1]
            for entry in told:
                if entry["domain"] == "CORNER":
                    arrays[entry["key"]] = arrays[entry["key"]][:, ::-1]
        vertices = _positions(mesh.vertices, "co", matrix)
        _require_finite(vertices, item)
        return {"vertices": vertices, "triangles": triangles, **arrays}, told
    finally:
        item.to_mesh_clear()


def read_points(item: bpy.types.Object, frame: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """The vertices of an evaluated mesh, or the points of a point cloud: ``points`` (n, 3).

    Raises:
        StagewrightError: ``no-points`` or ``not-finite``.
    """
    if item.type == "POINTCLOUD":
        points = _positions(item.data.points, "co", into(frame, item))
    else:
        mesh = item.to_mesh()
        points = _positions(mesh.vertices, "co", into(frame, item)) if mesh else np.empty((0, 3))
        item.to_mesh_clear()
    return _some(points, item)


def read_particles(item: bpy.types.Object, frame: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """The particles of an evaluated object that are alive: ``points`` (n, 3).

    Raises:
        StagewrightError: ``no-points`` or ``not-finite``.
    """
    found = [np.empty((0, 3))]
    for system in item.particle_systems:
        points = _positions(system.particles, "location", np.linalg.inv(frame))
        alive = np.array([particle.alive_state == "ALIVE" for particle in system.particles], bool)
        found.append(points[alive])
    return _some(np.concatenate(found), item)


def read_volume(item: bpy.types.Object, frame: NDArray[np.float64], folder: Path) -> dict[str, Any]:
    """Where an evaluated volume object's grid lies on disk: ``path``, ``grid`` and ``matrix``.

    A volume that nodes make is saved into ``folder``.

    Raises:
        StagewrightError: ``no-volume``, or ``volume-scale``: distances scaled unequally are none.
    """
    volume, matrix = item.data, into(frame, item)
    sides = np.linalg.norm(matrix[:3, :3], axis=0)
    if not np.allclose(sides, sides.mean(), rtol=1e-4, atol=0):
        raise StagewrightError(
            "volume-scale",
            f"The volume “{item.name}” is scaled by {' x '.join(f'{s:.4g}' for s in sides)}, so "
            "what it holds are no distances.",
            "Scale it equally along all axes.",
        )
    if not volume.grids.load() or not len(volume.grids):
        raise StagewrightError(
            "no-volume",
            f"The volume “{item.name}” has no grids that can be read.",
            "Choose its file again in the volume's properties.",
        )
    if node_volumes.are_needed():
        path = folder / f"{item.session_uid}.npz"
        _keep_grid(item, path)
        return {"path": str(path), "grid": "", "matrix": matrix.tolist()}
    path = Path(bpy.path.abspath(volume.grids.frame_filepath))
    if volume.packed_file or item.modifiers or not path.is_file():
        path = folder / f"{item.session_uid}.vdb"
        volume.grids.save(filepath=str(path))
    return {"path": str(path), "grid": "", "matrix": matrix.tolist()}


def read_heights(name: str) -> NDArray[np.float32]:
    """The brightness (columns, rows) of an image of the file, as it is kept, rows upwards.

    Raises:
        StagewrightError: ``no-image``.
    """
    image = bpy.data.images.get(name)
    if image is None or not image.has_data and not len(image.pixels):
        raise StagewrightError(
            "no-image", f"There are no pixels of the image “{name}”.", "Choose another one."
        )
    columns, rows = image.size
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    shown = pixels.reshape(rows, columns, image.channels)[:, :, : min(image.channels, 3)]
    return np.ascontiguousarray(shown.mean(axis=2).T)


def _keep_grid(item: bpy.types.Object, path: Path) -> None:
    """Save the first scalar grid of an evaluated volume object; distances are told by signs."""
    names = [grid.name for grid in item.data.grids if grid.data_type == "FLOAT"]
    if not names:
        raise StagewrightError(
            "vdb-no-grid", f"The volume “{item.name}” has no grid of numbers.", "Choose another."
        )
    grid = node_volumes.read_grid(item, names[0])
    write_field(path, grid, level_set=bool((grid.values < 0).any()), name=names[0])


def _positions(items: Any, name: str, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = np.empty(len(items) * 3, np.float32)
    items.foreach_get(name, flat)
    return moved(flat.reshape(-1, 3).astype(np.float64), matrix)


def _some(points: NDArray[np.float64], item: bpy.types.Object) -> dict[str, NDArray[Any]]:
    if not len(points):
        raise StagewrightError(
            "no-points",
            f"“{item.name}” has no points at this frame.",
            "Choose an object with points or particles, or another frame.",
        )
    _require_finite(points, item)
    return {"points": points}


def _require_finite(points: NDArray[np.float64], item: bpy.types.Object) -> None:
    bad = int((~np.isfinite(points).all(axis=1)).sum())
    if bad:
        raise StagewrightError(
            "not-finite",
            f"“{item.name}” has {bad} of {len(points)} points at no place (NaN or infinite).",
            "Mend them: in a mesh, Mesh > Clean Up; else look at the modifiers.",
        )
