# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the boxes that meshes claim to fill are those of their points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pxr import Usd, UsdGeom

from .findings import Finding
from .stages import object_name

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
        points = np.array(mesh.GetPointsAttr().Get(time) or [], dtype=np.float64).reshape(-1, 3)
        if not len(points) or not np.isfinite(points).all():
            continue
        box = np.array([points.min(axis=0), points.max(axis=0)])
        extent = mesh.GetExtentAttr().Get(time)
        if extent is None or len(extent) != 2:
            message = f"The mesh {prim.GetPath()} has no extent."
        elif np.abs(np.array(extent) - box).max() > _TOLERANCE * max(1.0, np.abs(box).max()):
            message = f"The extent of the mesh {prim.GetPath()} is not that of its points."
        else:
            continue
        yield Finding(
            "extent",
            "warning",
            message,
            "Export the asset again.",
            object_name(prim),
            str(prim.GetPath()),
        )
