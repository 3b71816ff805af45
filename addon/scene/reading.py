# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluated scene, read into a :class:`SceneRecord` before anything changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from ...jobs.events import Job, Progress
from ...usd_tools.scene_record import (
    MaterialRecord,
    MeshRecord,
    ObjectRecord,
    SceneRecord,
    SettingsRecord,
    SurfaceRecord,
    UseRecord,
    WorldRecord,
)
from .materials import read_material
from .published import published_objects
from .settings import meters_per_unit, read_settings
from .surfaces import read_surface
from .world import read_world

# Fills the unused places of DepsgraphObjectInstance.persistent_id.
_END_OF_ID = 2**31 - 1
# Those of meshes of one evaluated scene, by where they lie in memory.
Points = dict[int, NDArray[np.float64]]
Kept = TypeVar("Kept", MaterialRecord, SettingsRecord, WorldRecord)
_ON_ELEMENTS = {"VERTS", "FACES"}


def read_scene(
    objects: list[bpy.types.Object], frames: tuple[float, ...], *, world: bool = False
) -> Job[SceneRecord]:
    """Read ``objects`` and everything they instance, at each of ``frames``.

    The scene's current frame is restored at the end, also when the job is
    cancelled. ``aliases`` stays empty: it is known once the copies for the
    export are made.

    Args:
        objects: what is to be in a file.
        frames: ascending.
        world: whether the scene's world is to be in it, too.
    """
    scene = bpy.context.scene
    current = scene.frame_current_final
    meshes: list[MeshRecord] = []
    uses: list[UseRecord] = []
    parts = published_objects()
    materials: set[bpy.types.Material] = set()
    shades: dict[str, list[MaterialRecord]] = defaultdict(list)
    skies: list[WorldRecord] = []
    hidden: dict[str, list[float]] = {}
    settings: dict[tuple[str, str], list[SettingsRecord]] = defaultdict(list)
    types = {o.name: o.type for o in objects}
    try:
        for index, frame in enumerate(frames):
            fraction = index / len(frames)
            yield Progress("scene.read", fraction, f"Reading the scene at frame {frame:g}")
            _set_frame(scene, frame)
            meshes += _read_meshes(set(objects), frame, materials, parts)
            uses += _read_uses(set(objects), frame, parts)
            for material in materials:
                _keep(shades[material.name_full], read_material(material, frame))
            graph = bpy.context.evaluated_depsgraph_get()
            for name in [o.name for o in objects if _is_hidden(o.evaluated_get(graph))]:
                hidden.setdefault(name, []).append(frame)
            types |= {o.name: "VOLUME" for o in objects if _makes_volume(o.evaluated_get(graph))}
            sky = read_world(scene, frame, wanted=world)
            if sky is not None:
                _keep(skies, sky)
            for read in (s for o in objects for s in read_settings(o.evaluated_get(graph), frame)):
                _keep(settings[read.object, read.kind], read)
    finally:
        _set_frame(scene, current)
    return SceneRecord(
        meshes=tuple(meshes),
        objects=tuple(
            ObjectRecord(o.name, types[o.name], tuple(hidden.get(o.name, ()))) for o in objects
        ),
        materials=tuple(chain.from_iterable(shades[name] for name in sorted(shades))),
        aliases={},
        frames=frames,
        meters_per_unit=meters_per_unit(scene),
        settings=tuple(chain.from_iterable(settings.values())),
        uses=tuple(uses),
        world=tuple(skies),
    )


def _keep(known: list[Kept], read: Kept) -> None:
    """Keep what was read where it differs, but for its frame, from what was before."""
    if not known or replace(read, frame=known[-1].frame) != known[-1]:
        known.append(read)


def _set_frame(scene: bpy.types.Scene, frame: float) -> None:
    whole = int(np.floor(frame))
    scene.frame_set(whole, subframe=frame - whole)


@dataclass
class _Sums:
    """What is known of a :class:`UseRecord` so far."""

    versions: set[str] = field(default_factory=set)
    points: int = 0
    faces: int = 0
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    low: NDArray[np.float64] = field(default_factory=lambda: np.full(3, np.inf))
    high: NDArray[np.float64] = field(default_factory=lambda: np.full(3, -np.inf))


def _read_uses(
    objects: set[bpy.types.Object], frame: float, parts: Mapping[bpy.types.Object, str]
) -> list[UseRecord]:
    """What ``objects`` show of published assets.

    Args:
        objects: those that are exported.
        frame: the current frame.
        parts: the objects of published assets, to the ids of their versions.
    """
    sums: dict[str, _Sums] = defaultdict(_Sums)
    meshes: Points = {}
    through: dict[bpy.types.Object, set[bpy.types.Object]] = {}
    graph = bpy.context.evaluated_depsgraph_get()
    for instance in graph.object_instances if parts else ():
        version = _version_shown(instance, objects, parts)
        if version is None or not _is_rendered(instance, through):
            continue
        mesh = instance.object.data
        own = _points(mesh, meshes)
        matrix = np.array(instance.matrix_world)
        world = own @ matrix[:3, :3].T + matrix[:3, 3]
        found = sums[instance.parent.original.name]
        found.versions.add(version)
        found.points += len(world)
        found.faces += len(mesh.polygons)
        found.total += world.sum(axis=0)
        found.low = np.minimum(found.low, world.min(axis=0))
        found.high = np.maximum(found.high, world.max(axis=0))
    return [
        UseRecord(
            object=name,
            frame=frame,
            versions=tuple(sorted(found.versions)),
            points=found.points,
            faces=found.faces,
            center=tuple((found.total / found.points).tolist()),
            bounds=(tuple(found.low.tolist()), tuple(found.high.tolist())),
        )
        for name, found in sums.items()
    ]


def _version_shown(
    instance: bpy.types.DepsgraphObjectInstance,
    objects: set[bpy.types.Object],
    parts: Mapping[bpy.types.Object, str],
) -> str | None:
    """The version that a mesh shown by one of ``objects`` is part of, or None."""
    shown = instance.object
    if not instance.is_instance or shown.type != "MESH" or not len(shown.data.vertices):
        return None
    if instance.parent.original not in objects:
        return None
    return parts.get(instance.instance_object.original)


def _read_meshes(
    objects: set[bpy.types.Object],
    frame: float,
    materials: set[bpy.types.Material],
    parts: Container[bpy.types.Object],
) -> list[MeshRecord]:
    """The meshes that ``objects`` show, but for the ``parts`` of published assets.

    The materials of their faces join ``materials``.
    """
    surfaces: dict[tuple[object, ...], SurfaceRecord] = {}
    points: Points = {}
    found: dict[tuple[object, ...], MeshRecord] = {}
    places: dict[tuple[object, ...], list[float]] = defaultdict(list)
    through: dict[bpy.types.Object, set[bpy.types.Object]] = {}
    for instance in bpy.context.evaluated_depsgraph_get().object_instances:
        shown = instance.object
        owner = instance.parent if instance.is_instance else shown
        # Curves, texts and metaballs show their faces through an entry of type MESH too.
        if shown.type != "MESH" or not len(shown.data.vertices):
            continue
        if owner.original not in objects or not _is_rendered(instance, through):
            continue
        if instance.is_instance and instance.instance_object.original in parts:
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
            points=_points(shown.data, points),
            faces=len(shown.data.polygons),
            materials=tuple(sorted({m.name for m in used})),
            surface=surfaces[mesh],
        )
    return [
        replace(record, matrices=np.array(places[key]).reshape(-1, 4, 4))
        for key, record in found.items()
    ]


def _makes_volume(shown: bpy.types.Object) -> bool:
    """Whether nodes turn an object of another type into a volume."""
    if not any(modifier.type == "NODES" for modifier in shown.modifiers):
        return False
    geometry = shown.evaluated_geometry()
    return geometry.volume is not None and not (geometry.mesh and len(geometry.mesh.vertices))


def _is_hidden(shown: bpy.types.Object) -> bool:
    """Whether renders do not show an object: what its parent has on its elements is only there."""
    parent = shown.original.parent
    return shown.hide_render or (parent is not None and parent.instance_type in _ON_ELEMENTS)


def _is_rendered(
    instance: bpy.types.DepsgraphObjectInstance,
    through: dict[bpy.types.Object, set[bpy.types.Object]],
) -> bool:
    """Whether renders show what the viewport does.

    Args:
        instance: an entry of the depsgraph.
        through: objects that each owner instances through collections; is filled.
    """
    shown, owner = instance.object, instance.parent
    if is_own_geometry(instance) or not instance.is_instance:
        instances = shown.instance_type in _ON_ELEMENTS or bool(shown.particle_systems)
        return not _is_hidden(shown) and (shown.show_instancer_for_render or not instances)
    if owner.hide_render or not instance.instance_object.hide_render:
        return not owner.hide_render
    # Objects are instanced although they are hidden themselves, collections without these.
    if owner.original not in through:
        through[owner.original] = _through_collections(owner)
    return instance.instance_object.original not in through[owner.original]


def _through_collections(owner: bpy.types.Object) -> set[bpy.types.Object]:
    """The objects that an evaluated ``owner`` instances as parts of a collection, at any depth."""
    collections = [owner.instance_collection] if owner.instance_type == "COLLECTION" else []
    settings = [system.settings for system in owner.particle_systems]
    collections += [s.instance_collection for s in settings if s.render_type == "COLLECTION"]
    pending = [owner]
    while pending:
        item = pending.pop()
        if isinstance(item, bpy.types.Object):
            if not any(modifier.type == "NODES" for modifier in item.modifiers):
                continue
            item = item.evaluated_geometry()
        for reference in item.instance_references():
            if isinstance(reference, bpy.types.Collection):
                collections.append(reference)
            else:
                pending.append(reference)
    objects: set[bpy.types.Object] = set()
    for collection in filter(None, collections):
        inside = set(collection.original.all_objects) - objects
        objects |= inside
        collections += [o.instance_collection for o in inside if o.instance_type == "COLLECTION"]
    return objects


def is_own_geometry(instance: bpy.types.DepsgraphObjectInstance) -> bool:
    """Whether a so-called instance is only the mesh of a curve, text or metaball itself."""
    own = instance.is_instance and instance.instance_object == instance.parent
    return own and instance.persistent_id[1] == _END_OF_ID


def _points(mesh: bpy.types.Mesh, known: Points) -> NDArray[np.float64]:
    """The points of an evaluated mesh, read once however many objects show it."""
    key = mesh.as_pointer()
    if key not in known:
        known[key] = _read_points(mesh)
    return known[key]


def _read_points(mesh: bpy.types.Mesh) -> NDArray[np.float64]:
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
