# SPDX-License-Identifier: GPL-3.0-or-later
"""Point instancers."""

from __future__ import annotations

from .layer_writer import LayerWriter
from .records import PointInstancerRecord


def author_point_instancer(writer: LayerWriter, record: PointInstancerRecord) -> None:
    """Author the instancer of ``record``, or its changes since an earlier frame."""
    prim, new = writer.define(record.path, "PointInstancer")
    if new:
        writer.relate(prim, "prototypes", *record.prototypes)
    writer.set(prim, "protoIndices", "int[]", record.indices)
    writer.set(prim, "positions", "point3f[]", record.positions)
    # Half precision, which all read (Blender's importer nothing else), is too coarse for large
    # prototypes; whoever knows `orientationsf` takes that.
    writer.set(prim, "orientations", "quath[]", record.orientations)
    writer.set(prim, "orientationsf", "quatf[]", record.orientations)
    writer.set(prim, "scales", "float3[]", record.scales)
    if record.ids is not None:
        writer.set(prim, "ids", "int64[]", record.ids)
    for primvar in record.primvars:
        writer.set_primvar(prim, primvar)
