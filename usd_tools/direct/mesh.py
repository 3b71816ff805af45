# SPDX-License-Identifier: GPL-3.0-or-later
"""Polygon meshes and their material subsets."""

from __future__ import annotations

import numpy as np

from .binding import bind
from .data_block import author_data_block
from .layer_writer import LayerWriter, Prim
from .records import MeshRecord

# Points in one row of a reduction.
_WIDE = 64
_NO_FACES = np.empty(0, np.int32)


def author_mesh(writer: LayerWriter, record: MeshRecord) -> None:
    """Author the mesh of ``record``, or its changes since an earlier frame."""
    prim, new = writer.define(record.path, "Mesh")
    if new:
        writer.set(prim, "doubleSided", "bool", True, uniform=True)
        writer.set(prim, "subdivisionScheme", "token", record.subdivision, uniform=True)
    author_data_block(writer, prim, record.data, record.properties, new=new)
    writer.set(prim, "extent", "float3[]", extent(record.points))
    writer.set(prim, "faceVertexCounts", "int[]", record.face_vertex_counts)
    writer.set(prim, "faceVertexIndices", "int[]", record.face_vertex_indices)
    writer.set(prim, "points", "point3f[]", record.points)
    if record.normals is not None:
        writer.set(
            prim,
            "normals",
            "normal3f[]",
            record.normals.values,
            interpolation=record.normals.interpolation,
        )
    if record.velocities is not None:
        writer.set(prim, "velocities", "vector3f[]", record.velocities)
    for primvar in record.primvars:
        writer.set_primvar(prim, primvar)
    _author_creases(writer, prim, record)
    _author_subsets(writer, prim, record)
    if new and record.material:
        bind(writer, record.path, record.material)


def extent(points: np.ndarray) -> np.ndarray:
    """The bounds of (n, 3) points as (2, 3) float32; empty without finite points."""
    bounds = np.empty((2, 3), np.float32)
    few = points if len(points) < 2 * _WIDE else _folded(points)
    few.min(axis=0, initial=np.inf, out=bounds[0])
    few.max(axis=0, initial=-np.inf, out=bounds[1])
    if np.count_nonzero(np.isfinite(bounds)) < bounds.size:
        finite = points[np.isfinite(points).all(axis=1)]
        return extent(finite) if len(finite) else np.zeros((0, 3), np.float32)
    return bounds


def _folded(points: np.ndarray) -> np.ndarray:
    """Few points with the bounds of many: numpy reduces long rows far faster than short ones."""
    rest = len(points) % _WIDE
    rows = points[rest:].reshape(-1, 3 * _WIDE)
    parts = rows.min(axis=0), rows.max(axis=0), points[:rest]
    return np.concatenate([part.reshape(-1, 3) for part in parts])


def _author_creases(writer: LayerWriter, prim: Prim, record: MeshRecord) -> None:
    if record.creases is not None:
        edges, sharpness = record.creases
        writer.set(prim, "creaseIndices", "int[]", edges.ravel())
        writer.set(prim, "creaseLengths", "int[]", np.full(len(edges), 2, np.int32))
        writer.set(prim, "creaseSharpnesses", "float[]", sharpness)
    if record.corners is not None:
        vertices, sharpness = record.corners
        writer.set(prim, "cornerIndices", "int[]", vertices)
        writer.set(prim, "cornerSharpnesses", "float[]", sharpness)


def _author_subsets(writer: LayerWriter, prim: Prim, record: MeshRecord) -> None:
    before = [c for c in prim.children.values() if c.type_name == "GeomSubset"]
    names = {subset.name for subset in record.subsets}
    for child in before:
        if child.name not in names:
            writer.set(child, "indices", "int[]", _NO_FACES)
    if names and not before:
        family = "subsetFamily:materialBind:familyType"
        writer.set(prim, family, "token", "nonOverlapping", uniform=True)
    for subset in record.subsets:
        path = f"{record.path}/{subset.name}"
        child, new = writer.define(path, "GeomSubset")
        if new:
            writer.set(child, "elementType", "token", "face", uniform=True)
            writer.set(child, "familyName", "token", "materialBind", uniform=True)
            writer.set_until_now(child, "indices", "int[]", _NO_FACES)
        writer.set(child, "indices", "int[]", subset.faces)
        if new and subset.material:
            bind(writer, path, subset.material)
