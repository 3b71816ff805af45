# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras."""

from __future__ import annotations

from .data_block import author_data_block
from .layer_writer import LayerWriter
from .records import CameraRecord
from .xform import author_scale


def author_camera(writer: LayerWriter, record: CameraRecord) -> None:
    """Author the camera of ``record``, or its changes since an earlier frame."""
    prim, new = writer.define(record.path, "Camera")
    author_data_block(writer, prim, record.data, record.properties, new=new)
    author_scale(writer, prim, record.scale, new=new)
    writer.set(prim, "projection", "token", record.projection, fallback="perspective")
    writer.set(prim, "focalLength", "float", record.focal_length)
    for index, side in enumerate(("horizontal", "vertical")):
        offset = record.aperture_offset[index]
        writer.set(prim, f"{side}Aperture", "float", record.aperture[index])
        writer.set(prim, f"{side}ApertureOffset", "float", offset, fallback=0.0)
    writer.set(prim, "clippingRange", "float2", record.clipping)
    writer.set(prim, "focusDistance", "float", record.focus_distance, fallback=0.0)
    writer.set(prim, "fStop", "float", record.f_stop, fallback=0.0)
    if record.shutter is not None:
        writer.set(prim, "shutter:open", "double", record.shutter[0])
        writer.set(prim, "shutter:close", "double", record.shutter[1])
