# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces and points in OBJ and PLY files."""

from __future__ import annotations

from pathlib import Path

from ..jobs.errors import StagewrightError
from ..jobs.files import reason, require_file, written_whole
from .obj_files import obj_bytes, read_obj
from .ply_files import ply_bytes, read_ply
from .polygons import Polygons

SUFFIXES = (".obj", ".ply")


def is_mesh(path: Path) -> bool:
    """Whether a file is one of these, by its suffix."""
    return path.suffix.lower() in SUFFIXES


def read_polygons(path: str | Path) -> Polygons:
    """Read an OBJ or PLY file.

    Raises:
        StagewrightError: ``no-file``, ``mesh-unreadable``, ``mesh-suffix``.
    """
    file = Path(path)
    read = read_ply if _is_ply(file) else read_obj
    require_file(file)
    try:
        found = read(file)
        if (found.counts < 0).any() or found.counts.sum() != len(found.corners):
            raise ValueError("it ends within a face")
        if ((found.corners < 0) | (found.corners >= len(found.points))).any():
            raise ValueError("a face names a point that is not there")
    except (OSError, ValueError, KeyError, IndexError, OverflowError, StopIteration) as error:
        raise StagewrightError(
            "mesh-unreadable",
            f"{file.name} is no mesh that can be read ({reason(error) or 'it ends too soon'}).",
            "Choose another file, or export it again.",
        ) from error
    return found


def write_polygons(path: str | Path, mesh: Polygons) -> None:
    """Write an OBJ or a binary PLY file; it appears whole or not at all.

    Raises:
        StagewrightError: ``mesh-suffix``, ``mesh-unwritable``.
    """
    file = Path(path)
    is_ply = _is_ply(file)
    try:
        with written_whole(file) as partial:
            partial.write_bytes(ply_bytes(mesh) if is_ply else obj_bytes(mesh, file))
    except OSError as error:
        raise StagewrightError(
            "mesh-unwritable",
            f"{file.name} cannot be written ({reason(error)}).",
            "Make room there, or choose another folder.",
        ) from error


def _is_ply(file: Path) -> bool:
    if not is_mesh(file):
        raise StagewrightError(
            "mesh-suffix",
            f"A mesh is not kept as “{file.name}”.",
            f"Give the file one of the endings {', '.join(SUFFIXES)}.",
        )
    return file.suffix.lower() == ".ply"
