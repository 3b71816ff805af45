# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays and files as Blender's objects: meshes and volumes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import beside

KIND = "fields"
"""The folder of volumes (see `beside`)."""


def fill_mesh(mesh: bpy.types.Mesh, vertices: NDArray[Any], faces: NDArray[Any]) -> None:
    """Replace all that a mesh holds.

    Args:
        mesh: any mesh of the file.
        vertices: (n, 3) positions in the object's space.
        faces: (f, c) vertex indices, c corners each.
    """
    mesh.clear_geometry()
    count, corners = faces.shape
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    mesh.loops.add(count * corners)
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(faces, np.int32).ravel())
    mesh.polygons.add(count)
    mesh.polygons.foreach_set("loop_start", corners * np.arange(count, dtype=np.int32))
    mesh.update(calc_edges=True)


def add_object(data: bpy.types.ID, name: str, beside: bpy.types.Object | None) -> bpy.types.Object:
    """A new object in the collections of another, or in the scene's."""
    item = bpy.data.objects.new(name, data)
    scene = bpy.context.scene
    owners = [c for c in beside.users_collection if c.library is None] if beside else []
    for owner in owners or [scene.collection]:
        owner.objects.link(item)
    return item


def keep_volume(made: Path, name: str) -> Path:
    """Move a new .vdb file to where the open file keeps its volumes; nothing is replaced."""
    path = _free_path(beside.home(KIND), bpy.path.clean_name(name))
    shutil.move(made, path)
    return path


def take_along(temporary: Path, folder: Path) -> None:
    """Copy volumes from one folder to another, and let the file's volumes be those."""
    for volume in bpy.data.volumes:
        path = Path(bpy.path.abspath(volume.filepath))
        if path.parent == temporary and path.exists():
            kept = _free_path(folder, path.stem)
            shutil.copyfile(path, kept)
            volume.filepath = str(kept)


def _free_path(folder: Path, stem: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{beside.free_stem(folder, stem, '.vdb')}.vdb"
