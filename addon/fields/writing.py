# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays and files as Blender's objects: meshes and volumes."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

FOLDER = "fields"
"""Where volumes lie beside the .blend."""


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
    """Move a new .vdb file to where the open file keeps its volumes; nothing is replaced.

    Beside the .blend, or in Blender's temporary folder while it has not been saved.
    """
    home = bpy.path.abspath("//") if bpy.data.filepath else bpy.app.tempdir
    path = _free_path(Path(home) / FOLDER, bpy.path.clean_name(name))
    shutil.move(made, path)
    return path


def take_along(folder: Path) -> None:
    """Copy volumes from the temporary folder to ``folder``, where the .blend is being saved."""
    temporary = Path(bpy.app.tempdir) / FOLDER
    for volume in bpy.data.volumes:
        path = Path(bpy.path.abspath(volume.filepath))
        if path.parent == temporary and path.exists():
            kept = _free_path(folder / FOLDER, path.stem)
            shutil.copyfile(path, kept)
            volume.filepath = str(kept)


def _free_path(folder: Path, stem: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    names = (f"{stem}.{number:03}.vdb" for number in itertools.count(1))
    for name in itertools.chain([f"{stem}.vdb"], names):
        if not (folder / name).exists():
            return folder / name
    raise AssertionError("numbers do not end")
