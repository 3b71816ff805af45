# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves, hair and point clouds: points with widths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .binding import bind
from .layer_writer import LayerWriter, Prim
from .mesh import extent
from .records import BasisCurvesRecord, CurvesRecord, NurbsCurvesRecord, PointsRecord, Primvar


def author_basis_curves(writer: LayerWriter, record: BasisCurvesRecord) -> None:
    """Author the curves of ``record``, or their changes since an earlier frame."""
    prim, new = writer.define(record.path, "BasisCurves")
    if new:
        kind = "linear" if record.basis == "linear" else "cubic"
        writer.set(prim, "type", "token", kind, uniform=True)
        if kind == "cubic":
            writer.set(prim, "basis", "token", record.basis, uniform=True)
        writer.set(prim, "wrap", "token", record.wrap, uniform=True)
    _author_curves(writer, prim, record, new=new)


def author_nurbs_curves(writer: LayerWriter, record: NurbsCurvesRecord) -> None:
    """Author the curves of ``record``, or their changes since an earlier frame."""
    prim, new = writer.define(record.path, "NurbsCurves")
    writer.set(prim, "order", "int[]", record.orders)
    writer.set(prim, "knots", "double[]", record.knots)
    writer.set(prim, "ranges", "double2[]", record.ranges)
    writer.set(prim, "pointWeights", "double[]", record.weights)
    _author_curves(writer, prim, record, new=new)


def author_points(writer: LayerWriter, record: PointsRecord) -> None:
    """Author the points of ``record``, or their changes since an earlier frame."""
    prim, new = writer.define(record.path, "Points")
    if record.ids is not None:
        writer.set(prim, "ids", "int64[]", record.ids)
    _author_shape(writer, prim, record, new=new)


def _author_curves(writer: LayerWriter, prim: Prim, record: CurvesRecord, *, new: bool) -> None:
    writer.set(prim, "curveVertexCounts", "int[]", record.counts)
    if new and record.purpose != "default":
        writer.set(prim, "purpose", "token", record.purpose, uniform=True)
    _author_shape(writer, prim, record, new=new)


def _author_shape(
    writer: LayerWriter, prim: Prim, record: CurvesRecord | PointsRecord, *, new: bool
) -> None:
    """What has the same names for curves and points."""
    if new and record.data != prim.name:
        name = "userProperties:blender:data_name"
        writer.set(prim, name, "string", record.data, uniform=True, custom=True)
    if new:
        writer.set_properties(prim, record.properties)
    writer.set(prim, "extent", "float3[]", _wide_extent(record.points, record.widths))
    writer.set(prim, "points", "point3f[]", record.points)
    if record.widths is not None:
        widths = record.widths
        writer.set(prim, "widths", "float[]", widths.values, interpolation=widths.interpolation)
    if record.velocities is not None:
        writer.set(prim, "velocities", "vector3f[]", record.velocities)
    for primvar in record.primvars:
        writer.set_primvar(prim, primvar)
    if new and record.material:
        bind(writer, record.path, record.material)


def _wide_extent(points: NDArray[np.float32], widths: Primvar | None) -> NDArray[np.float32]:
    """Bounds of points, wider by half the greatest width, as UsdGeom computes them."""
    bounds = extent(points)
    if widths is not None and len(bounds) and widths.values.size:
        values = widths.values.astype(np.float32)
        half = float(np.max(values[np.isfinite(values)], initial=0)) / 2
        bounds += np.array([[-half], [half]], np.float32)
    return bounds
