# SPDX-License-Identifier: GPL-3.0-or-later
"""The geometry of objects, by their type, and what they instance."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace

import bpy
import mathutils
import numpy as np

from ....usd_tools.direct.records import (
    PointInstancerRecord,
    Record,
    ReferenceRecord,
    XformOp,
    XformRecord,
)
from ..prim_names import sibling_names
from ..published import published_root
from ..reading import effective_materials
from .arrays import read_matrix
from .camera import read_camera
from .context import StreamContext
from .curves import read_curves
from .duplis import has_duplis, is_original, note_duplis, read_duplis, unscaled
from .hair import read_hair
from .instances import InstanceArrays, placements, read_instance_arrays
from .light import read_light
from .mesh import read_mesh
from .points import read_points
from .properties import custom_properties
from .transforms import matrix_ops
from .volume import read_volume

# From so many instances on they are one PointInstancer; fewer are prims of their own.
_MANY = 16
_SHAPES = {"MESH", "CURVE", "SURFACE", "FONT", "META", "CURVES", "POINTCLOUD", "VOLUME"}
# A mesh without points is written as one; of these there is no prim.
_WARN_EMPTY = {"CURVE", "CURVES", "POINTCLOUD"}
_Reference = bpy.types.Object | bpy.types.Collection | bpy.types.GeometrySet


def read_geometry(context: StreamContext, shown: bpy.types.Object, path: str) -> Iterator[Record]:
    """The records of what one object shows at its own place.

    Args:
        context: the export.
        shown: the evaluated object.
        path: path of the object's prim.
    """
    if shown.show_instancer_for_render or not has_duplis(shown):
        yield from _read_own(context, shown, path)
    yield from _read_duplis(context, shown, path)
    if shown.particle_systems:
        yield from read_hair(context, shown, path)


def _read_own(context: StreamContext, shown: bpy.types.Object, path: str) -> Iterator[Record]:
    if shown.type == "MESH" and not _has_nodes(shown):
        yield from _read_mesh_object(context, shown, path)
    elif shown.type in _SHAPES:
        yield from _read_geometry_set(context, shown, shown.evaluated_geometry(), path)
    elif shown.type == "CAMERA":
        yield from read_camera(context, shown, path)
    elif shown.type == "LIGHT":
        yield from read_light(context, shown, path)
    elif shown.type == "EMPTY" and shown.instance_collection is not None:
        collection = shown.original.instance_collection
        place = context.child(path, collection.name, ("collection", collection.session_uid))
        asset = published_root(collection)
        if asset:
            yield from _use(collection, asset, place)
        else:
            target = yield from _prototype(context, collection, path)
            yield XformRecord(place, "", prototype=target)


def _use(collection: bpy.types.Collection, asset: str, path: str) -> Iterator[Record]:
    """The records of a use of a published asset."""
    offset = collection.instance_offset
    ops = matrix_ops(mathutils.Matrix.Translation(-offset)) if offset.length else ()
    yield XformRecord(path, "", ops)
    yield ReferenceRecord(path, asset)


def _has_nodes(shown: bpy.types.Object) -> bool:
    return any(m.type == "NODES" and m.show_viewport for m in shown.modifiers)


def _read_mesh_object(
    context: StreamContext, shown: bpy.types.Object, path: str
) -> Iterator[Record]:
    data = shown.original.data
    place = context.child(path, data.name, ("data", data.session_uid))
    if not _is_shared(context, shown):
        yield _mesh(context, shown, shown.data, place)
        return
    materials = tuple(effective_materials(shown, shown.data))
    key = ("mesh", data.session_uid, *(m and m.session_uid for m in materials))
    prototype = context.prototype(data.name, key)
    if context.is_first(prototype):
        yield XformRecord(prototype, "")
        yield _mesh(context, shown, shown.data, context.child(prototype, data.name, "mesh"))
    yield XformRecord(place, "", prototype=prototype)


def _is_shared(context: StreamContext, shown: bpy.types.Object) -> bool:
    """Whether other exported objects show the very same mesh."""
    data = shown.original.data
    if context.users[data.session_uid] < 2 or data.shape_keys is not None:
        return False
    return not any(m.show_viewport for m in shown.modifiers)


def _mesh(
    context: StreamContext, shown: bpy.types.Object, mesh: bpy.types.Mesh, place: str
) -> Record:
    data = shown.original.data
    return read_mesh(
        context,
        mesh,
        place,
        context.material_paths(effective_materials(shown, mesh)),
        data=data.name,
        properties=custom_properties(context, data),
    )


def _read_geometry_set(
    context: StreamContext,
    shown: bpy.types.Object,
    geometry: bpy.types.GeometrySet,
    path: str,
) -> Iterator[Record]:
    """The records of a geometry that ``shown`` shows or instances."""
    data = shown.original.data
    if geometry.mesh is not None and len(geometry.mesh.vertices):
        place = context.child(path, data.name, ("data", data.session_uid))
        yield _mesh(context, shown, geometry.mesh, place)
    curves, cloud = geometry.curves, geometry.pointcloud
    strands = 0 if curves is None else len(curves.curves)
    points = 0 if cloud is None else len(cloud.points)
    if strands:
        yield from read_curves(
            context,
            curves,
            path,
            context.material_paths(effective_materials(shown, curves)),
            data=data.name,
            properties=custom_properties(context, data),
            # Blender renders strands of Curves objects alone.
            purpose="default" if shown.type == "CURVES" else "guide",
        )
    if points:
        yield read_points(
            context,
            cloud,
            context.child(path, data.name, "points"),
            context.material_paths(effective_materials(shown, cloud)),
            data=data.name,
            properties=custom_properties(context, data),
        )
    if geometry.volume is not None:
        yield read_volume(
            context,
            shown,
            geometry.volume,
            context.child(path, data.name, "volume"),
            context.material_paths(effective_materials(shown, geometry.volume)),
            properties=custom_properties(context, data),
        )
    arrays = read_instance_arrays(geometry)
    if arrays is not None:
        yield from _read_instances(context, shown, geometry, arrays, path)
    if shown.type in _WARN_EMPTY and not (geometry.mesh or strands or points or arrays):
        context.notes.append(f"{shown.name}: there is nothing in it to export but its place.")


def _read_instances(
    context: StreamContext,
    shown: bpy.types.Object,
    geometry: bpy.types.GeometrySet,
    arrays: InstanceArrays,
    path: str,
) -> Iterator[Record]:
    references: list[_Reference] = []
    matrices = arrays.matrices.copy()
    for index, reference in enumerate(geometry.instance_references()):
        inner, moved = _unwrapped(reference)
        references.append(inner)
        if moved is not None:
            chosen = arrays.references == index
            matrices[chosen] = moved @ matrices[chosen]
    arrays = replace(arrays, matrices=matrices)
    yield from _place_instances(context, shown, references, arrays, path, "Instances")


def _read_duplis(context: StreamContext, shown: bpy.types.Object, path: str) -> Iterator[Record]:
    """What an object instances on its vertices or faces, and by its particles."""
    if not has_duplis(shown):
        return
    note_duplis(context, shown)
    back = read_matrix(shown.matrix_world.inverted_safe() @ unscaled(shown))
    is_scaled = not np.allclose(back, np.eye(4), atol=1e-6)
    for duplis in read_duplis(context, shown):
        if not len(duplis.arrays.matrices) and not context.animated:
            continue
        place = path
        if is_scaled or context.animated:
            place = context.child(path, f"{duplis.name}_Unscaled", ("unscaled", duplis.name))
            yield XformRecord(place, "", (XformOp("transform", back),))
        references = list(duplis.references)
        yield from _place_instances(context, shown, references, duplis.arrays, place, duplis.name)


def _place_instances(
    context: StreamContext,
    shown: bpy.types.Object,
    references: list[_Reference],
    arrays: InstanceArrays,
    path: str,
    name: str,
) -> Iterator[Record]:
    """Prims for a few instances, or one PointInstancer called ``name`` for many."""
    matrices = arrays.matrices
    targets: list[str] = []
    for index, reference in enumerate(references):
        targets.append((yield from _prototype(context, reference, path, shown, index)))
    placed = placements(matrices)
    if placed is None or (len(matrices) < _MANY and not context.animated):
        single = name.removesuffix("s")
        for number, (matrix, index) in enumerate(zip(matrices, arrays.references, strict=True)):
            place = context.child(path, f"{single}_{number}", (name, number))
            ops = matrix_ops(mathutils.Matrix(matrix.T.tolist()))
            yield XformRecord(place, "", ops, prototype=targets[index])
        return
    place = context.child(path, name, name)
    scope = f"{place}/Prototypes"
    names = [context.child(scope, target.rpartition("/")[2], target) for target in targets]
    yield PointInstancerRecord(
        path=place,
        prototypes=tuple(names),
        indices=arrays.references,
        positions=placed.positions,
        orientations=placed.orientations,
        scales=placed.scales,
        ids=arrays.ids,
        primvars=arrays.primvars,
    )
    yield XformRecord(scope, "")
    for name, target in zip(names, targets, strict=True):
        yield XformRecord(name, "", prototype=target)


def _unwrapped(reference: _Reference) -> tuple[_Reference, np.ndarray | None]:
    """What a geometry that is nothing but one instance instances, and by which matrix."""
    moved = None
    while isinstance(reference, bpy.types.GeometrySet) and reference.mesh is None:
        arrays = read_instance_arrays(reference)
        if arrays is None or len(arrays.matrices) != 1:
            break
        moved = arrays.matrices[0] if moved is None else arrays.matrices[0] @ moved
        reference = reference.instance_references()[arrays.references[0]]
    return reference, moved


def _prototype(
    context: StreamContext,
    reference: _Reference,
    owner: str,
    shown: bpy.types.Object | None = None,
    index: int = 0,
) -> Generator[Record, None, str]:
    """Yield the records of a prototype, once at each frame, and return its path."""
    if isinstance(reference, bpy.types.Object):
        path = context.prototype(reference.name, ("object", reference.original.session_uid))
        if context.is_first(path):
            yield XformRecord(path, reference.original.name)
            yield from read_geometry(context, reference, path)
    elif isinstance(reference, bpy.types.Collection):
        path = context.prototype(reference.name, ("collection", reference.original.session_uid))
        asset = published_root(reference)
        if context.is_first(path):
            yield XformRecord(path, "")
            if asset:
                yield from _use(reference, asset, context.child(path, reference.name, "asset"))
            else:
                yield from _read_collection(context, reference, path)
    else:
        assert shown is not None
        path = context.prototype(f"{shown.name}_{index}", (owner, index))
        if context.is_first(path):
            yield XformRecord(path, "")
            yield from _read_geometry_set(context, shown, reference, path)
    return path


def _read_collection(
    context: StreamContext, collection: bpy.types.Collection, path: str
) -> Iterator[Record]:
    """The objects of an instanced collection, relative to its offset."""
    graph = bpy.context.evaluated_depsgraph_get()
    offset = mathutils.Matrix.Translation(-collection.instance_offset)
    items = collection.original.all_objects  # evaluated ones have no session_uid
    names = sibling_names(items)
    for item in sorted(items, key=lambda item: item.name_full):
        if item.hide_viewport:
            continue  # nothing evaluates it
        shown = item.evaluated_get(graph)
        place = context.reserve(path, names[item.session_uid], item.session_uid)
        ops = matrix_ops(offset @ shown.matrix_world, animated=context.animated)
        visible = not shown.hide_render and not is_original(item)
        yield XformRecord(place, item.name, ops, visible)
        yield from read_geometry(context, shown, place)
