# SPDX-License-Identifier: GPL-3.0-or-later
"""numpy arrays as USD's values."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Vt

_Array = NDArray[np.generic]

# Bytes from which on memory is copied at once.
_MANY = 1 << 14

# By the C++ type of the array: how its numpy scalars are called, and its Vt class.
_KINDS: dict[str, tuple[type[np.generic], Any]] = {
    "bool[]": (np.bool_, Vt.BoolArray),
    "uchar[]": (np.uint8, Vt.UCharArray),
    "int[]": (np.int32, Vt.IntArray),
    "int64[]": (np.int64, Vt.Int64Array),
    "int2[]": (np.int32, Vt.Vec2iArray),
    "int3[]": (np.int32, Vt.Vec3iArray),
    "float[]": (np.float32, Vt.FloatArray),
    "double[]": (np.float64, Vt.DoubleArray),
    "float2[]": (np.float32, Vt.Vec2fArray),
    "half3[]": (np.float16, Vt.Vec3hArray),
    "double2[]": (np.float64, Vt.Vec2dArray),
    "float3[]": (np.float32, Vt.Vec3fArray),
    "float4[]": (np.float32, Vt.Vec4fArray),
    "matrix4d[]": (np.float64, Vt.Matrix4dArray),
    "quatf[]": (np.float32, Vt.QuatfArray),
    "quath[]": (np.float16, Vt.QuathArray),
}
# Types that differ from these in their role alone.
ROLES = {
    "texCoord2f[]": "float2[]",
    "point3f[]": "float3[]",
    "normal3f[]": "float3[]",
    "vector3f[]": "float3[]",
    "color3f[]": "float3[]",
    "color4f[]": "float4[]",
}


def vt_array(values: _Array, type_name: str) -> Any:
    """``values`` as the Vt array of the Sdf value type ``type_name``.

    Args:
        values: (n,) or (n, k), cast where its dtype differs; (n, 4, 4) for
            matrices (row vectors), (n, 4) (w, x, y, z) for quaternions.
        type_name: name of an array type (``"texCoord2f[]"``).

    Raises:
        KeyError: the type is none of those that the writer knows.
    """
    if type_name.startswith("quat"):
        values = np.roll(values, -1, axis=-1)  # Gf keeps the real part last in memory
    scalar, kind = _KINDS[ROLES.get(type_name, type_name)]
    content = np.ascontiguousarray(values, scalar)
    if content.nbytes < _MANY:
        return kind.FromNumpy(content)
    # FromNumpy converts item by item. The memory of a new array is nobody else's yet.
    array = kind(len(content))
    ctypes.memmove(np.asarray(array).ctypes.data, content.ctypes.data, content.nbytes)
    return array
