# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights."""

from __future__ import annotations

from .data_block import author_data_block
from .layer_writer import LayerWriter, Prim
from .records import DomeLightRecord, LightRecord
from .xform import author_scale

# UsdLux falls back to it, and so it says nothing when it is off.
_WHITE = 6500.0


def author_light(writer: LayerWriter, record: LightRecord) -> None:
    """Author the light of ``record``, or its changes since an earlier frame."""
    prim, new = writer.define(record.path, record.kind)
    author_data_block(writer, prim, record.data, record.properties, new=new)
    author_scale(writer, prim, record.scale, new=new)
    if new:
        _apply_schemas(writer, prim, record)
        if record.kind == "SphereLight":
            writer.set(prim, "treatAsPoint", "bool", record.as_point, fallback=False)
    writer.set(prim, "inputs:intensity", "float", record.intensity)
    writer.set(prim, "inputs:color", "color3f", record.color)
    writer.set(prim, "inputs:exposure", "float", record.exposure, fallback=0.0)
    writer.set(prim, "inputs:normalize", "bool", record.normalize)
    for name, size in record.sizes.items():
        writer.set(prim, f"inputs:{name}", "float", size)
    warm = record.temperature is not None
    kelvin = record.temperature or _WHITE
    writer.set(prim, "inputs:enableColorTemperature", "bool", warm, fallback=False)
    writer.set(prim, "inputs:colorTemperature", "float", kelvin, fallback=_WHITE)
    writer.set(prim, "inputs:diffuse", "float", record.diffuse, fallback=1.0)
    writer.set(prim, "inputs:specular", "float", record.specular, fallback=1.0)
    if record.cone is not None:
        writer.set(prim, "inputs:shaping:cone:angle", "float", record.cone[0])
        writer.set(prim, "inputs:shaping:cone:softness", "float", record.cone[1])
    if record.shadows is not None:
        writer.set(prim, "inputs:shadow:enable", "bool", record.shadows, fallback=True)


def author_dome_light(writer: LayerWriter, record: DomeLightRecord) -> None:
    """Author the dome of ``record``, or its changes since an earlier frame."""
    prim, new = writer.define(record.path, "DomeLight")
    author_data_block(writer, prim, record.data, record.properties, new=new)
    writer.set(prim, "xformOp:orient", "quatf", record.rotation)
    if new:
        writer.set(prim, "xformOpOrder", "token[]", ("xformOp:orient",), uniform=True)
    writer.set(prim, "inputs:intensity", "float", record.intensity)
    writer.set(prim, "inputs:color", "color3f", record.color)
    if record.texture:
        writer.set(prim, "inputs:texture:file", "asset", record.texture)
        writer.set(prim, "inputs:texture:format", "token", record.format)


def _apply_schemas(writer: LayerWriter, prim: Prim, record: LightRecord) -> None:
    schemas = []
    if record.cone is not None:
        schemas.append("ShapingAPI")
    if record.shadows is not None:
        schemas.append("ShadowAPI")
    if schemas:
        writer.apply_schemas(prim, *schemas)
