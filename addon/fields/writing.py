# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays and files as Blender's objects: meshes and volumes."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import beside

KIND = "fields"
"""The folder of volumes (see `beside`)."""
LIVE = "live_fields"
"""The folder of live objects' volumes, in Blender's temporary one."""


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


def keep_volume(made: Path, volume: bpy.types.Volume, *, live: bool) -> None:
    """Let a volume have a new .vdb file, which moves to where the open file keeps its volumes.

    Nothing is replaced: what undo and saved files come back to keeps its own. A live object's file
    lies in Blender's temporary folder until the .blend is saved, and goes when the next one is
    there: what has lost it is rebuilt (see `is_gone`).
    """
    old, stem = _path_of(volume), bpy.path.clean_name(volume.name)
    if live:
        # Blender keeps in mind what a name has held: none comes twice.
        path = Path(bpy.app.tempdir) / LIVE / f"{stem}.{uuid4().hex[:8]}.vdb"
        path.parent.mkdir(exist_ok=True)
    else:
        path = _free_path(beside.home(KIND), stem)
    shutil.move(made, path)
    _let_be(volume, path)
    volume.grids.load()
    if live and old.parent == path.parent and all(_path_of(v) != old for v in bpy.data.volumes):
        with suppress(OSError):  # Windows: still open. It goes with Blender's temporary folder.
            old.unlink()


def is_gone(item: bpy.types.Object) -> bool:
    """Whether a volume object was live once, and its file is there no more."""
    if item.type != "VOLUME" or not len(item.stagewright_field.sources):
        return False
    path = _path_of(item.data)
    return path.parent.name == LIVE and not path.exists()


def take_along(temporary: Path, folder: Path) -> None:
    """Copy volumes from temporary folders to another, and let the file's volumes be those."""
    for volume in bpy.data.volumes:
        path = _path_of(volume)
        if path.parent in (temporary, temporary.with_name(LIVE)) and path.exists():
            kept = _free_path(folder, bpy.path.clean_name(volume.name))
            shutil.copyfile(path, kept)
            _let_be(volume, kept)


def _path_of(volume: bpy.types.Volume) -> Path:
    return Path(bpy.path.abspath(volume.filepath))


def _let_be(volume: bpy.types.Volume, path: Path) -> None:
    """Let a volume be a file, told from the .blend where that lies beside."""
    is_beside = bpy.data.filepath and path.parent == beside.home(KIND)
    volume.filepath = bpy.path.relpath(str(path)) if is_beside else str(path)


def _free_path(folder: Path, stem: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{beside.free_stem(folder, stem, '.vdb')}.vdb"
