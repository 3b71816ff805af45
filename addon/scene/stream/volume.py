# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluated volumes: the files they come from, and files for those that have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ....field_tools.vdb_headers import VdbHeader, read_headers
from ....usd_tools.direct.records import Property, VolumeField, VolumeRecord
from .context import StreamContext
from .names import usd_name

# Blender's types of grids, and USD's fieldDataType.
_TYPES = {
    "BOOLEAN": "bool",
    "FLOAT": "float",
    "DOUBLE": "double",
    "INT": "int",
    "INT64": "int64",
    "MASK": "mask",
    "VECTOR_FLOAT": "float3",
    "VECTOR_DOUBLE": "double3",
    "VECTOR_INT": "int3",
}
# OpenVDB's grid classes, and USD's fieldClass.
_CLASSES = {"fog volume": "fogVolume", "level set": "levelSet", "staggered": "staggered"}


def read_volume(
    context: StreamContext,
    shown: bpy.types.Object,
    volume: bpy.types.Volume,
    path: str,
    materials: Sequence[str],
    *,
    properties: Mapping[str, Property],
) -> VolumeRecord:
    """The record of an evaluated volume; grids that are in no file are saved to one.

    Args:
        context: the export; its folder takes the files.
        shown: the evaluated object.
        volume: the volume of its evaluated geometry.
        path: path of its prim.
        materials: path of the Material prim of each slot, "" for none.
        properties: custom properties of the data-block.
    """
    grids = volume.grids
    file = _file(context, shown, volume, path)
    fields: list[VolumeField] = []
    before: Counter[str] = Counter()
    headers = read_headers(file) if file else ()
    classes = {header.name: _CLASSES.get(header.grid_class, "") for header in headers}
    for grid in grids if file else ():
        fields.append(
            VolumeField(
                name=grid.name,
                index=before[grid.name],
                prim=usd_name(grid.name, {field.prim for field in fields}),
                file=Path(file).as_posix(),
                data_type=_TYPES.get(grid.data_type, ""),
                field_class=classes.get(grid.name, ""),
            )
        )
        before[grid.name] += 1
    return VolumeRecord(
        path=path,
        data=shown.original.data.name,
        fields=tuple(fields),
        extent=_extent(headers),
        material=materials[0] if materials else "",
        properties=properties,
    )


def _file(
    context: StreamContext, shown: bpy.types.Object, volume: bpy.types.Volume, path: str
) -> str:
    """The file that holds the grids as they are shown, or "" when there is none."""
    grids = volume.grids
    changed = shown.type != "VOLUME" or any(m.show_viewport for m in shown.modifiers)
    if not changed and volume.packed_file is None:
        file = bpy.path.abspath(grids.frame_filepath)
        if grids.load() and len(grids):
            return file
        if file or not volume.is_sequence:  # a sequence has none outside its frames
            why = grids.error_message or f"there are no grids in “{file}”"
            context.notes.append(f"{shown.name}: the volume is left out, as {why}.")
        return ""
    if not len(grids):
        return ""
    if context.folder is None:
        context.notes.append(
            f"{shown.name}: the volume is left out, as it is in no file. "
            "Export to a folder, where it can be saved to one."
        )
        return ""
    context.folder.mkdir(parents=True, exist_ok=True)
    name = context.child("", shown.original.data.name, ("vdb", path))[1:]
    if context.animated:
        frame = bpy.context.scene.frame_current_final
        name += f".{frame:04.0f}" if frame.is_integer() else f".{frame:08.3f}".replace(".", "_")
    saved = context.folder / f"{name}.vdb"
    if not grids.save(filepath=str(saved)):
        context.notes.append(f"{shown.name}: the volume could not be saved to {saved}.")
        return ""
    return str(saved)


def _extent(headers: Sequence[VdbHeader]) -> NDArray[np.float32] | None:
    bounds = [header.bounds for header in headers if header.bounds is not None]
    if not bounds:
        return None
    ends = np.concatenate(bounds)
    return np.stack([ends.min(axis=0), ends.max(axis=0)]).astype(np.float32)
