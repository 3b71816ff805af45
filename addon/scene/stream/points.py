# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluated point clouds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy
import numpy as np

from ....usd_tools.direct.records import PointsRecord, Primvar, Property
from .arrays import read, read_attribute
from .context import StreamContext
from .names import usd_name

# The radius that Blender gives points that have none.
_RADIUS = 0.01
_OWN = {"position", "radius", "velocity", "id"}


def read_points(
    context: StreamContext,
    cloud: bpy.types.PointCloud,
    path: str,
    materials: Sequence[str],
    *,
    data: str,
    properties: Mapping[str, Property],
) -> PointsRecord:
    """The record of an evaluated point cloud that is not empty.

    Args:
        context: the export.
        cloud: the point cloud.
        path: path of its prim.
        materials: path of the Material prim of each slot, "" for none.
        data: name of the data-block it comes from.
        properties: its custom properties.
    """
    attributes = cloud.attributes
    primvars: list[Primvar] = []
    for attribute in attributes:
        name = attribute.name
        if name.startswith(".") or name in _OWN:
            continue
        found = read_attribute(attribute)
        if found is None:
            context.notes.append(
                f"{data}: the attribute “{name}” is of a type that USD has no primvars for."
            )
            continue
        unique = usd_name(name, {primvar.name for primvar in primvars})
        primvars.append(Primvar(unique, found[0], "vertex", found[1]))
    radius, ids, velocity = (attributes.get(name) for name in ("radius", "id", "velocity"))
    widths = Primvar("widths", "float[]", "constant", np.array([2 * _RADIUS], np.float32))
    if radius is not None:
        diameters = 2 * read(radius.data, "value", np.float32)
        widths = Primvar("widths", "float[]", "vertex", diameters)
    return PointsRecord(
        path=path,
        data=data,
        points=read(attributes["position"].data, "vector", np.float32, 3),
        widths=widths,
        ids=None if ids is None else read(ids.data, "value", np.int32).astype(np.int64),
        velocities=None if velocity is None else read(velocity.data, "vector", np.float32, 3),
        primvars=tuple(primvars),
        material=materials[0] if materials else "",
        properties=properties,
    )
