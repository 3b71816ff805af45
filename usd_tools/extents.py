# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the boxes that meshes claim to fill are those of their points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Usd, UsdGeom, Vt

from .findings import Finding
from .stages import object_name

Box = NDArray[np.float32]
"""The least and the greatest corner, (2, 3)."""
TimedBoxes = Mapping[float, Box]

_TOLERANCE = 1e-5


def check_extents(stage: Usd.Stage) -> Iterator[Finding]:
    """Meshes whose extent is not authored or is not that of their points.

    Viewers cull and frame by the extent without reading the points. Compared
    at the first time at which the points are authored.
    """
    for prim in stage.Traverse(Usd.TraverseInstanceProxies()):
        if not prim.IsA(UsdGeom.Mesh):
            continue
        mesh = UsdGeom.Mesh(prim)
        time = Usd.TimeCode.EarliestTime()
        extent = mesh.GetExtentAttr().Get(time)
        if _is_box(extent, _box(mesh.GetPointsAttr().Get(time))):
            continue
        if extent is None or len(extent) != 2:
            message = f"The mesh {prim.GetPath()} has no extent."
        else:
            message = f"The extent of the mesh {prim.GetPath()} is not that of its points."
        yield Finding(
            "extent",
            "warning",
            message,
            "Export the asset again.",
            object_name(prim),
            str(prim.GetPath()),
            fix=("set", "--extents"),
        )


def wrong_extents(layer: Sdf.Layer) -> Iterator[tuple[Sdf.PrimSpec, Box | None, TimedBoxes]]:
    """The meshes of a layer whose extents are not those of the points that it holds for them.

    Yields:
        The mesh; the box of its points, None where only samples are authored; and boxes by time.
    """
    paths: list[Sdf.Path] = []
    layer.Traverse(Sdf.Path.absoluteRootPath, paths.append)
    for path in paths:
        mesh = layer.GetPrimAtPath(path) if path.IsPrimPath() else None
        if mesh is None or mesh.typeName != "Mesh":
            continue
        points, extent = path.AppendProperty("points"), path.AppendProperty("extent")
        if not mesh.attributes.get("points"):
            continue
        said = layer.GetAttributeAtPath(extent)
        box = _box(layer.GetAttributeAtPath(points).default)
        timed = {
            time: found
            for time in layer.ListTimeSamplesForPath(points)
            if (found := _box(layer.QueryTimeSample(points, time))) is not None
        }
        right = _is_box(said.default if said else None, box) and all(
            _is_box(layer.QueryTimeSample(extent, time), found) for time, found in timed.items()
        )
        if not right:
            yield mesh, box, timed


def author_extents(layer: Sdf.Layer) -> None:
    """Give the meshes of ``layer`` the extents of their points."""
    for mesh, box, timed in list(wrong_extents(layer)):
        extent = mesh.attributes.get("extent") or Sdf.AttributeSpec(
            mesh, "extent", Sdf.ValueTypeNames.Float3Array
        )
        if box is not None:
            extent.default = Vt.Vec3fArray.FromNumpy(box)
        for time, found in timed.items():
            layer.SetTimeSample(extent.path, time, Vt.Vec3fArray.FromNumpy(found))


def _box(points: Any) -> Box | None:
    values = np.array(() if points is None else points, np.float32).reshape(-1, 3)
    if not len(values) or not np.isfinite(values).all():
        return None
    return np.array([values.min(axis=0), values.max(axis=0)])


def _is_box(extent: Any, box: Box | None) -> bool:
    if box is None:
        return True
    if extent is None or len(extent) != 2:
        return False
    return bool(np.abs(np.array(extent) - box).max() <= _TOLERANCE * max(1.0, np.abs(box).max()))
