# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes and their fields."""

from __future__ import annotations

from .binding import bind
from .layer_writer import LayerWriter
from .records import VolumeRecord


def author_volume(writer: LayerWriter, record: VolumeRecord) -> None:
    """Author the volume of ``record``, or its changes since an earlier frame."""
    prim, new = writer.define(record.path, "Volume")
    if new and record.data != prim.name:
        name = "userProperties:blender:data_name"
        writer.set(prim, name, "string", record.data, uniform=True, custom=True)
    if new:
        writer.set_properties(prim, record.properties)
    if record.extent is not None:
        writer.set(prim, "extent", "float3[]", record.extent)
    visibility = "inherited" if record.fields else "invisible"
    writer.set(prim, "visibility", "token", visibility, fallback="inherited")
    for field in record.fields:
        path = f"{record.path}/{field.prim}"
        child, fresh = writer.define(path, "OpenVDBAsset")
        if fresh:
            writer.relate(prim, f"field:{field.prim}", path)
        if fresh and field.field_class:
            writer.set(child, "fieldClass", "token", field.field_class)
        if fresh and field.data_type:
            writer.set(child, "fieldDataType", "token", field.data_type)
        writer.set(child, "fieldIndex", "int", field.index)
        writer.set(child, "fieldName", "token", field.name)
        writer.set(child, "filePath", "asset", field.file)
    if new and record.material:
        bind(writer, record.path, record.material)
