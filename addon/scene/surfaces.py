# SPDX-License-Identifier: GPL-3.0-or-later
"""The faces of an evaluated mesh as the fidelity check sees them.

It shares nothing with the stream that the direct writer is given: a mistake
there must not be repeated here.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...usd_tools.scene_record import SurfaceRecord, ValuesRecord

# Attributes that Blender shows as something else than values of the artist's:
# geometry, shading flags, creases, the working state of an editor.
_BUILT_IN = {"position", "material_index", "sharp_face", "custom_normal", "crease_vert", "velocity"}
_DOMAINS = {"POINT", "FACE", "CORNER"}
# The property that holds a value, and how many numbers it has.
_TYPES = {
    "FLOAT": ("value", 1, np.float32),
    "INT": ("value", 1, np.int32),
    "BOOLEAN": ("value", 1, np.bool_),
    "FLOAT_VECTOR": ("vector", 3, np.float32),
    "FLOAT2": ("vector", 2, np.float32),
    "FLOAT_COLOR": ("color", 4, np.float32),
    "BYTE_COLOR": ("color", 4, np.float32),
}


def read_surface(mesh: bpy.types.Mesh, materials: tuple[str, ...]) -> SurfaceRecord:
    """The faces of ``mesh`` with the names of the ``materials`` of its slots."""
    uv_maps = sorted(mesh.uv_layers, key=lambda layer: not layer.active_render)
    taken = {layer.name for layer in uv_maps}
    return SurfaceRecord(
        counts=_read(mesh.polygons, "loop_total", 1, np.int32).ravel(),
        corners=_read(mesh.loops, "vertex_index", 1, np.int32).ravel(),
        normals=_read(mesh.corner_normals, "vector", 3, np.float32),
        slots=_read(mesh.polygons, "material_index", 1, np.int32).ravel(),
        materials=materials,
        uv_maps=tuple(
            ValuesRecord(layer.name, "CORNER", _read(layer.uv, "vector", 2, np.float32))
            for layer in uv_maps
        ),
        attributes=tuple(
            _values(attribute)
            for attribute in mesh.attributes
            if attribute.name not in taken and _is_compared(attribute)
        ),
    )


def _is_compared(attribute: bpy.types.Attribute) -> bool:
    own = attribute.name.startswith(".") or attribute.name in _BUILT_IN
    return not own and attribute.domain in _DOMAINS and attribute.data_type in _TYPES


def _values(attribute: bpy.types.Attribute) -> ValuesRecord:
    name, width, dtype = _TYPES[attribute.data_type]
    values = _read(attribute.data, name, width, dtype).astype(np.float32)
    return ValuesRecord(attribute.name, attribute.domain, values)


def _read(
    items: bpy.types.bpy_prop_collection, name: str, width: int, dtype: DTypeLike
) -> NDArray[Any]:
    values = np.empty(len(items) * width, dtype)
    items.foreach_get(name, values)
    return values.reshape(-1, width)
