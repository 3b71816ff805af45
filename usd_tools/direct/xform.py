# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects: transforms, visibility, purpose and instances of prototypes."""

from __future__ import annotations

from typing import Any

import numpy as np
from pxr import Gf, Sdf

from .arrays import matrix4d
from .layer_writer import LayerWriter
from .records import XformOp, XformRecord

# The Sdf type of each operation, by the first part of its name.
_TYPES = {
    "translate": "double3",
    "scale": "float3",
    "orient": "quatf",
    "transform": "matrix4d",
}


def author_xform(writer: LayerWriter, record: XformRecord) -> None:
    """Author the prim of ``record``, or its changes since an earlier frame."""
    prim, new = writer.define(record.path, "Xform")
    for op in record.ops:
        if not op.inverse:
            type_name = _TYPES.get(op.name.partition(":")[0], "float3")
            writer.set(prim, f"xformOp:{op.name}", type_name, _value(op))
    if new:
        if record.ops:
            writer.set_tokens(prim, "xformOpOrder", tuple(_order(op) for op in record.ops))
        if record.object:
            name = "userProperties:blender:object_name"
            writer.set(prim, name, "string", record.object, custom=True)
        if record.purpose != "default":
            writer.set(prim, "purpose", "token", record.purpose, uniform=True)
        if record.prototype:
            prim.referenceList.Prepend(Sdf.Reference("", Sdf.Path(record.prototype)))
            prim.instanceable = True
    writer.set_properties(prim, record.properties)
    visibility = "inherited" if record.visible else "invisible"
    writer.set(prim, "visibility", "token", visibility, fallback="inherited")


def _order(op: XformOp) -> str:
    return f"{'!invert!' if op.inverse else ''}xformOp:{op.name}"


def _value(op: XformOp) -> Any:
    if op.value.shape == (4, 4):
        return matrix4d(op.value)
    if len(op.value) == 4:
        return Gf.Quatf(*op.value.tolist())
    if op.name.startswith("translate"):
        return Gf.Vec3d(*op.value.tolist())
    return Gf.Vec3f(*np.asarray(op.value, np.float64).tolist())
