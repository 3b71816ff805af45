# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluated scene, read into a :class:`SceneRecord` before anything changes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import chain

import bpy
import numpy as np
from numpy.typing import NDArray

from ...jobs.events import Job, Progress
from ...usd_tools.scene_record import (
    MeshRecord,
    ObjectRecord,
    SceneRecord,
    SurfaceRecord,
)
from .materials import read_material
from .surfaces import read_surface

# Fills the unused places of DepsgraphObjectInstance.persistent_id.
_END_OF_ID = 2**31 - 1


def read_scene(objects: list[bpy.types.Object], frames: tuple[float, ...]) -> Job[SceneRecord]:
    """Read ``objects`` and everything they instance, at each of ``frames``.

    The scene's current frame is restored at the end, also when the job is
    cancelled. ``aliases`` stays empty: it is known once the copies for the
    export are made.
    """
    scene = bpy.context.scene
    current = scene.frame_current_final
    meshes: list[MeshRecord] = []
    materials: set[bpy.types.Material] = set()
    hidden: dict[str, list[float]] = {}
    try:
        for index, frame in enumerate(frames):
            fraction = index / len(frames)
            yield Progress("scene.read", fraction, f"Reading the scene at frame {frame:g}")
            _set_frame(scene, frame)
            meshes += _read_meshes(set(objects), frame, materials)
            graph = bpy.context.evaluated_depsgraph_get()
            for name in [o.name for o in objects if o.evaluated_get(graph).hide_render]:
                hidden.setdefault(name, []).append(frame)
    finally:
        _set_frame(scene, current)
    return SceneRecord(
        meshes=tuple(meshes),
        objects=tuple(ObjectRecord(o.name, o.type, tuple(hidden.get(o.name, ()))) for o in objects),
        materials=tuple(read_material(m) for m in sorted(materials, key=lambda m: m.name)),
        aliases={},
        frames=frames,
        meters_per_unit=meters_per_unit(scene),
    )


def meters_per_unit(scene: bpy.types.Scene) -> float:
    """Metres in one Blender unit; Blender applies no scale without a unit system."""
    units = scene.unit_settings
    return 1.0 if units.system == "NONE" else units.scale_length


def _set_frame(scene: bpy.types.Scene, frame: float) -> None:
    whole = int(np.floor(frame))
    scene.frame_set(whole, subframe=frame - whole)


def _read_meshes(
    objects: set[bpy.types.Object], frame: float, materials: set[bpy.types.Material]
) -> list[MeshRecord]:
    """The meshes that ``objects`` show; the materials of their faces join ``materials``."""
    surfaces: dict[tuple[object, ...], SurfaceRecord] = {}
    found: dict[tuple[object, ...], MeshRecord] = {}
    places: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for instance in bpy.context.evaluated_depsgraph_get().object_instances:
        shown = instance.object
        owner = instance.parent if instance.is_instance else shown
        # Curves, texts and metaballs show their faces through an entry of type MESH too.
        if shown.type != "MESH" or not len(shown.data.vertices):
            continue
        if owner.original not in objects or owner.hide_render:
            continue
        name = (instance.instance_object or shown).original.name
        is_instance = instance.is_instance and not is_own_geometry(instance)
        slots = tuple(m.name if m else "" for m in effective_materials(shown, shown.data))
        mesh = (shown.data.as_pointer(), slots)
        key = (name, is_instance, *mesh)
        places[key].extend(chain.from_iterable(instance.matrix_world.transposed()))
        if key in found:
            continue
        used = _used_materials(shown, shown.data)
        materials |= used
        if mesh not in surfaces:
            surfaces[mesh] = read_surface(shown.data, slots)
        found[key] = MeshRecord(
            object=name,
            instance=is_instance,
            frame=frame,
            points=_points(shown.data),
            faces=len(shown.data.polygons),
            materials=tuple(sorted({m.name for m in used})),
            surface=surfaces[mesh],
        )
    return [
        replace(record, matrices=np.array(places[key]).reshape(-1, 4, 4))
        for key, record in found.items()
    ]


def is_own_geometry(instance: bpy.types.DepsgraphObjectInstance) -> bool:
    """Whether a so-called instance is only the mesh of a curve, text or metaball itself."""
    own = instance.instance_object == instance.parent
    return own and instance.persistent_id[1] == _END_OF_ID


def _points(mesh: bpy.types.Mesh) -> NDArray[np.float64]:
    points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3).astype(np.float64)


def _used_materials(shown: bpy.types.Object, mesh: bpy.types.Mesh) -> set[bpy.types.Material]:
    """The materials that the faces of ``mesh`` use on ``shown``."""
    if not len(mesh.polygons):
        return set()
    indices = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("material_index", indices)
    slots = effective_materials(shown, mesh)
    used = (slots[min(i, len(slots) - 1)] for i in np.unique(indices) if slots)
    return {m for m in used if m is not None}


def effective_materials(
    shown: bpy.types.Object,
    data: bpy.types.Mesh | bpy.types.Curves | bpy.types.PointCloud | bpy.types.Volume,
) -> list[bpy.types.Material | None]:
    """The material of each slot: the data's, unless the object's own slot takes its place."""
    materials = [m.original if m else None for m in data.materials]
    for index, slot in enumerate(shown.material_slots):
        if slot.link == "OBJECT" and index < len(materials) and slot.material:
            materials[index] = slot.material.original
    return materials
