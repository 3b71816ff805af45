# SPDX-License-Identifier: GPL-3.0-or-later
"""UV maps, colours, materials, vertex groups and other attributes, read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

GROUP = "GROUP"
"""The type that stands for a vertex group."""
_FIELDS = {
    "FLOAT": ("value", 1, np.float32),
    "INT": ("value", 1, np.int32),
    "BOOLEAN": ("value", 1, np.bool_),
    "FLOAT2": ("vector", 2, np.float32),
    "FLOAT_VECTOR": ("vector", 3, np.float32),
    "FLOAT_COLOR": ("color", 4, np.float32),
    "BYTE_COLOR": ("color", 4, np.float32),
}
_WHOLE = {"INT", "BOOLEAN"}
_NOT_CARRIED = {"position", "sharp_face"}


def read_attributes(
    item: bpy.types.Object, mesh: bpy.types.Mesh
) -> tuple[list[dict[str, str]], dict[str, NDArray[Any]]]:
    """What an evaluated mesh knows, for its triangles.

    Numbers that may not be blended (whole ones) are carried where they belong to faces.

    Args:
        item: the evaluated object, for its vertex groups.
        mesh: its mesh, loop triangles calculated.

    Returns:
        For each attribute ``name``, ``domain``, ``type`` and ``key``, and the arrays by key: POINT
        (n, k), CORNER (m, 3, k), FACE (m, k).
    """
    corners = _indices(mesh, "loops", 3)
    polygons = _indices(mesh, "polygon_index", 1).ravel()
    told: list[dict[str, str]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for attribute in mesh.attributes:
        kind, domain = attribute.data_type, attribute.domain
        if kind not in _FIELDS or domain == "EDGE" or attribute.name in _NOT_CARRIED:
            continue
        if attribute.name.startswith(".") or (kind in _WHOLE and domain != "FACE"):
            continue
        field, width, dtype = _FIELDS[kind]
        values: NDArray[Any] = np.empty((len(attribute.data), width), dtype)
        attribute.data.foreach_get(field, values.reshape(-1))
        if domain == "CORNER":
            values = values[corners]
        elif domain == "FACE":
            values = values[polygons]
        key = f"attribute{len(told)}"
        told.append({"name": attribute.name, "domain": domain, "type": kind, "key": key})
        arrays[key] = values
    for group in item.vertex_groups:
        key = f"attribute{len(told)}"
        told.append({"name": group.name, "domain": "POINT", "type": GROUP, "key": key})
        arrays[key] = np.zeros((len(mesh.vertices), 1), np.float32)
    if len(item.vertex_groups):
        keys = [entry["key"] for entry in told if entry["type"] == GROUP]
        for number, vertex in enumerate(mesh.vertices):
            for element in vertex.groups:
                if element.group < len(keys):
                    arrays[keys[element.group]][number] = element.weight
    return told, arrays


def write_attributes(
    item: bpy.types.Object, told: Sequence[Mapping[str, str]], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Give a new mesh what was carried to it; a face of it has four corners.

    Args:
        item: the object of the mesh.
        told: as `read_attributes` returns it.
        arrays: by key: POINT (n, k), CORNER (f, 4, k), FACE (f, k).
    """
    mesh = item.data
    item.vertex_groups.clear()
    for entry in told:
        values = arrays[entry["key"]]
        if entry["type"] == GROUP:
            _write_group(item.vertex_groups.new(name=entry["name"]), values.ravel())
            continue
        attribute = mesh.attributes.get(entry["name"])
        if attribute is None:
            attribute = mesh.attributes.new(entry["name"], entry["type"], entry["domain"])
        field, width, dtype = _FIELDS[entry["type"]]
        flat: NDArray[Any] = np.ascontiguousarray(values.reshape(-1, width), dtype).ravel()
        attribute.data.foreach_set(field, flat)


def copy_materials(source: bpy.types.Object, mesh: bpy.types.Mesh) -> None:
    """Let a mesh have the materials of an object."""
    mesh.materials.clear()
    for slot in source.material_slots:
        mesh.materials.append(slot.material)


def copy_choices(source: bpy.types.Object, item: bpy.types.Object) -> None:
    """Let the UV map and the colours be active in a new mesh that are so in another."""
    if source.type != "MESH":
        return
    old, new = source.data, item.data
    active = old.uv_layers.active
    if active is not None and active.name in new.uv_layers:
        new.uv_layers.active = new.uv_layers[active.name]
    for name in ("active_color_name", "default_color_name"):
        chosen = getattr(old.attributes, name)
        if chosen in new.attributes:
            setattr(new.attributes, name, chosen)


def shade(mesh: bpy.types.Mesh, angle: float) -> None:
    """Shade a mesh smooth but for edges sharper than an angle, in radians."""
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=angle)


def _write_group(group: bpy.types.VertexGroup, weights: NDArray[np.float64]) -> None:
    """Fill a vertex group; vertices of one weight are added in one call."""
    steps = np.rint(np.clip(weights, 0, 1) * 1023).astype(np.int64)  # As fine as can be painted.
    order = np.argsort(steps, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(steps[order])) + 1):
        weight = float(steps[part[0]]) / 1023 if len(part) else 0.0
        if weight:
            group.add(part.tolist(), weight, "REPLACE")


def _indices(mesh: bpy.types.Mesh, name: str, width: int) -> NDArray[np.int32]:
    found = np.empty((len(mesh.loop_triangles), width), np.int32)
    mesh.loop_triangles.foreach_get(name, found.reshape(-1))
    return found
