# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects: transforms, visibility, purpose and instances of prototypes."""

from __future__ import annotations

from .layer_writer import LayerWriter, Prim
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
            writer.set(prim, f"xformOp:{op.name}", type_name, op.value)
    if new:
        if record.ops:
            order = tuple(map(_order, record.ops))
            writer.set(prim, "xformOpOrder", "token[]", order, uniform=True)
        if record.object:
            name = "userProperties:blender:object_name"
            writer.set(prim, name, "string", record.object, uniform=True, custom=True)
        if record.purpose != "default":
            writer.set(prim, "purpose", "token", record.purpose, uniform=True)
        if record.prototype:
            writer.instance(prim, record.prototype)
    writer.set_properties(prim, record.properties)
    visibility = "inherited" if record.visible else "invisible"
    writer.set(prim, "visibility", "token", visibility, fallback="inherited")


def _order(op: XformOp) -> str:
    return f"{'!invert!' if op.inverse else ''}xformOp:{op.name}"


def author_scale(
    writer: LayerWriter, prim: Prim, scale: tuple[float, float, float], *, new: bool
) -> None:
    """Author a scale of a prim's own, when it is one or may become one."""
    if writer.frame is None and scale == (1.0, 1.0, 1.0):
        return
    writer.set(prim, "xformOp:scale", "float3", scale)
    if new:
        writer.set(prim, "xformOpOrder", "token[]", ("xformOp:scale",), uniform=True)
