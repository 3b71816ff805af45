# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's collections as numpy arrays."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import DTypeLike, NDArray


def read(collection: Any, attribute: str, dtype: DTypeLike, width: int = 1) -> NDArray[Any]:
    """One attribute of every item of a ``bpy_prop_collection``.

    Args:
        collection: what has ``foreach_get``.
        attribute: name of the property.
        dtype: the property's own type, or the copy is slow.
        width: numbers in one property.

    Returns:
        (n,) for a width of 1, else (n, width).
    """
    values = np.empty(len(collection) * width, dtype)
    collection.foreach_get(attribute, values)
    return values if width == 1 else values.reshape(-1, width)


def read_matrix(matrix: Any) -> NDArray[np.float64]:
    """A ``mathutils.Matrix`` in USD's row-vector convention, (4, 4)."""
    return np.array(matrix, np.float64).T


# Blender's attribute types: the property that holds the value, its dtype and
# width, and the USD type for it. Strings have no array to read.
_TYPES: dict[str, tuple[str, DTypeLike, int, str]] = {
    "FLOAT": ("value", np.float32, 1, "float[]"),
    "INT": ("value", np.int32, 1, "int[]"),
    "INT8": ("value", np.int32, 1, "int[]"),
    "BOOLEAN": ("value", np.bool_, 1, "bool[]"),
    "FLOAT_VECTOR": ("vector", np.float32, 3, "float3[]"),
    "FLOAT2": ("vector", np.float32, 2, "float2[]"),
    "INT16_2D": ("value", np.int32, 2, "int2[]"),
    "INT32_2D": ("value", np.int32, 2, "int2[]"),
    "FLOAT_COLOR": ("color", np.float32, 4, "color4f[]"),
    "BYTE_COLOR": ("color", np.float32, 4, "color4f[]"),
    "QUATERNION": ("value", np.float32, 4, "quatf[]"),
    "FLOAT4X4": ("value", np.float32, 16, "matrix4d[]"),
}


def read_attribute(attribute: bpy.types.Attribute) -> tuple[str, NDArray[Any]] | None:
    """The USD type and the values of an attribute, or None for a type that USD has no match for.

    Colours are linear; a quaternion is (w, x, y, z); a matrix is (n, 4, 4) in
    USD's row-vector convention.
    """
    if attribute.data_type not in _TYPES:
        return None
    name, dtype, width, type_name = _TYPES[attribute.data_type]
    values = read(attribute.data, name, dtype, width)
    return type_name, values.reshape(-1, 4, 4) if width == 16 else values
