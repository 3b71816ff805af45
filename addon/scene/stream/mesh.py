# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluated meshes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ....usd_tools.direct.records import (
    Interpolation,
    MeshRecord,
    Primvar,
    Property,
    Subset,
)
from .arrays import read, read_attribute
from .context import StreamContext
from .names import usd_name

_INTERPOLATIONS: dict[str, Interpolation] = {
    "POINT": "vertex",
    "FACE": "uniform",
    "CORNER": "faceVarying",
}
# What has a place of its own in a record, or means something to Blender alone.
_OWN = {
    "position",
    "material_index",
    "sharp_face",
    "sharp_edge",
    "custom_normal",
    "crease_edge",
    "crease_vert",
    "velocity",
}
# OpenSubdiv's sharpness is infinite from 10 on; Blender's is so at a crease of 1
# and falls with its square.
_INFINITE = 10.0
# So many corners take no more room each with a value than with an index.
_FEW_CORNERS = 96
_NO_POINTS = np.empty((0, 3), np.float32)
_NO_VALUE = np.uint64(2**64 - 1)  # two numbers that are none, as nobody has them


def read_mesh(
    context: StreamContext,
    mesh: bpy.types.Mesh,
    path: str,
    materials: Sequence[str],
    *,
    data: str = "",
    subdivision: bool = False,
    properties: Mapping[str, Property] | None = None,
) -> MeshRecord:
    """The record of an evaluated mesh; what it cannot hold is noted in ``context``.

    Args:
        context: the export.
        mesh: the mesh.
        path: path of its prim.
        materials: path of the Material prim of each slot, "" for none.
        data: name of the data-block it comes from; the mesh's own when "".
        subdivision: whether it is the cage of a subdivision surface.
        properties: its custom properties.
    """
    attributes = mesh.attributes
    position = attributes.get("position")  # none in an empty mesh
    points = read(position.data, "vector", np.float32, 3) if position else _NO_POINTS
    corners = _corners(mesh, ".corner_vert")
    indexed = subdivision or context.animated or len(corners) > _FEW_CORNERS
    primvars = _uv_maps(mesh, corners, indexed=indexed)
    names = attributes.keys()
    for name in names:
        if name.startswith(".") or name in _OWN:
            continue
        primvar = _attribute(attributes[name], primvars)
        if isinstance(primvar, Primvar):
            primvars.append(primvar)
        elif primvar:
            context.notes.append(f"{data or mesh.name}: {primvar}")
    material, subsets = _materials(mesh, materials, animated=context.animated)
    velocity = attributes["velocity"] if "velocity" in names else None
    loose = len(mesh.edges) - _used_edges(mesh)
    if loose:
        context.notes.append(
            f"{data or mesh.name}: {loose} edges without faces are not exported, "
            "as a mesh in USD has none. Convert them to a curve."
        )
    return MeshRecord(
        path=path,
        data=data or mesh.name,
        points=points,
        face_vertex_counts=_face_sizes(mesh),
        face_vertex_indices=corners,
        normals=None if subdivision else read_normals(mesh, animated=context.animated),
        primvars=tuple(primvars),
        material=material,
        subsets=subsets,
        subdivision="catmullClark" if subdivision else "none",
        creases=_creases(mesh) if subdivision else None,
        corners=_corner_creases(mesh) if subdivision else None,
        velocities=read(velocity.data, "vector", np.float32, 3) if velocity else None,
        properties=properties or {},
    )


def _corners(mesh: bpy.types.Mesh, name: str) -> NDArray[np.int32]:
    found = mesh.attributes.get(name)  # none in a mesh without faces
    return np.empty(0, np.int32) if found is None else read(found.data, "value", np.int32)


def _face_sizes(mesh: bpy.types.Mesh) -> NDArray[np.int32]:
    starts = np.empty(len(mesh.polygons) + 1, np.int32)
    mesh.polygons.foreach_get("loop_start", starts[:-1])
    starts[-1] = len(mesh.loops)
    return starts[1:] - starts[:-1]


def read_normals(mesh: bpy.types.Mesh, *, animated: bool) -> Primvar | None:
    """Normals on the coarsest elements that hold them; on corners, when these may change."""
    if not len(mesh.polygons) and not animated:
        return None
    domain = "CORNER" if animated else mesh.normals_domain
    source = {
        "POINT": mesh.vertex_normals,
        "FACE": mesh.polygon_normals,
        "CORNER": mesh.corner_normals,
    }[domain]
    values = read(source, "vector", np.float32, 3)
    return Primvar("normals", "normal3f[]", _INTERPOLATIONS[domain], values)


def _uv_maps(mesh: bpy.types.Mesh, corners: NDArray[np.int32], *, indexed: bool) -> list[Primvar]:
    """UV maps, the one that renders first and called ``st``.

    Args:
        mesh: the mesh.
        corners: (c,) vertex of each corner.
        indexed: whether corners share values: a subdivision surface is smooth where they
            do, and an attribute of one frame has to be there at all.
    """
    maps = list(mesh.uv_layers)
    if len(maps) > 1:
        maps.sort(key=lambda layer: not layer.active_render)
    taken: set[str] = set()
    primvars = []
    for index, layer in enumerate(maps):
        name = "st" if index == 0 else usd_name(layer.name, taken)
        taken.add(name)
        flat = read(layer.uv, "vector", np.float32, 2)
        if indexed:
            values, indices = indexed_by_vertex(flat, corners, len(mesh.vertices))
            primvars.append(Primvar(name, "texCoord2f[]", "faceVarying", values, indices))
        else:
            primvars.append(Primvar(name, "texCoord2f[]", "faceVarying", flat))
    return primvars


def indexed_by_vertex(
    values: NDArray[np.float32], corners: NDArray[np.int32], vertices: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Corner values with repetitions taken out; ``distinct[indices]`` are the values again.

    Most vertices have one value for all their corners: these share it. Only
    what differs, along seams, is sorted.

    Args:
        values: (c, 2), one for each corner.
        corners: (c,) vertex of each corner.
        vertices: how many vertices there are.

    Returns:
        (d, 2) distinct values and (c,) int32 indices into them.
    """
    if not len(corners):
        return values, corners
    rows = np.ascontiguousarray(values).view(np.uint64).reshape(-1)  # equal where all bits are
    # The last corner of a vertex speaks for it.
    shared, indices = np.full(vertices, _NO_VALUE), corners
    shared[corners] = rows
    differs = _taken(shared, corners) != rows
    if np.count_nonzero(shared == _NO_VALUE):  # most likely of no corner
        used = np.zeros(vertices, np.bool_)
        used[corners] = True
        shared, indices = shared[used], _taken(np.cumsum(used, dtype=np.int32) - 1, corners)
    if not np.count_nonzero(differs):  # which is faster than any()
        return _as_pairs(shared), indices
    seams = np.flatnonzero(differs)
    if 2 * len(seams) > len(corners):
        return values, np.arange(len(corners), dtype=np.int32)  # little is shared
    # A value counts as another one at every vertex, so that a seam stays a seam.
    order = seams[np.lexsort((rows[seams], corners[seams]))]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (corners[order[1:]] != corners[order[:-1]]) | (rows[order[1:]] != rows[order[:-1]])
    indices = indices.copy()
    indices[order] = len(shared) + np.cumsum(fresh, dtype=np.int32) - 1
    return _as_pairs(np.concatenate([shared, rows[order[fresh]]])), indices


def _as_pairs(rows: NDArray[np.uint64]) -> NDArray[np.float32]:
    return rows.view(np.float32).reshape(-1, 2)


def _taken(values: NDArray[Any], indices: NDArray[np.int32]) -> NDArray[Any]:
    # Twice as fast as indexing; what is clipped is never used.
    return values.take(indices, mode="clip")


def _attribute(attribute: bpy.types.Attribute, uv_maps: Sequence[Primvar]) -> Primvar | str:
    """The primvar of an attribute, why there is none, or "" for what is held elsewhere."""
    name, domain = attribute.name, attribute.domain
    if attribute.data_type == "FLOAT2" and domain == "CORNER":
        return ""  # a UV map
    if domain not in _INTERPOLATIONS:
        return f"the attribute “{name}” is on edges, which USD has no primvars for."
    found = read_attribute(attribute)
    if found is None:
        return f"the attribute “{name}” holds text or another type that USD has no primvars for."
    type_name, values = found
    taken = {primvar.name for primvar in uv_maps}
    return Primvar(usd_name(name, taken), type_name, _INTERPOLATIONS[domain], values)


def _materials(
    mesh: bpy.types.Mesh, materials: Sequence[str], *, animated: bool
) -> tuple[str, tuple[Subset, ...]]:
    """The one material of the mesh, or its faces by material, of which there may be others later.

    A binding holds for all frames, the faces of a subset do not.
    """
    several = len(materials) > 1
    indices = mesh.attributes.get("material_index") if several else None
    if not several or (indices is None and not animated):
        return (materials[0] if materials else ""), ()
    slots = np.zeros(len(mesh.polygons), np.int32)
    if indices is not None:
        slots = np.clip(read(indices.data, "value", np.int32), 0, len(materials) - 1)
    used = np.flatnonzero(np.bincount(slots))
    if len(used) < 2 and not animated:
        return materials[used[0] if len(used) else 0], ()
    subsets = []
    taken: set[str] = set()
    for slot in used.tolist():
        name = usd_name(materials[slot].rpartition("/")[2] or "no_material", taken)
        taken.add(name)
        faces = np.flatnonzero(slots == slot).astype(np.int32)
        subsets.append(Subset(name, faces, materials[slot]))
    return "", tuple(subsets)


def _used_edges(mesh: bpy.types.Mesh) -> int:
    """How many edges the faces have."""
    used = np.zeros(len(mesh.edges), np.bool_)
    used[_corners(mesh, ".corner_edge")] = True
    return int(np.count_nonzero(used))


def _creases(mesh: bpy.types.Mesh) -> tuple[Any, Any] | None:
    attribute = mesh.attributes.get("crease_edge")
    if attribute is None:
        return None
    crease = read(attribute.data, "value", np.float32)
    chosen = np.flatnonzero(crease > 0)
    if not len(chosen):
        return None
    edges = read(mesh.edges, "vertices", np.int32, 2)[chosen]
    return edges, _INFINITE * crease[chosen] ** 2


def _corner_creases(mesh: bpy.types.Mesh) -> tuple[Any, Any] | None:
    attribute = mesh.attributes.get("crease_vert")
    if attribute is None:
        return None
    crease = read(attribute.data, "value", np.float32)
    chosen = np.flatnonzero(crease > 0).astype(np.int32)
    return (chosen, _INFINITE * crease[chosen] ** 2) if len(chosen) else None
