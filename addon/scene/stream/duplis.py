# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances on vertices, on faces and of particles, as the depsgraph places them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import bpy
import mathutils
import numpy as np

from .context import StreamContext
from .instances import InstanceArrays

# What fills the rest of a persistent id.
_NO_ID = 2**31 - 1
ON_ELEMENTS = {"VERTS", "FACES"}
_RENDERED = {"OBJECT", "COLLECTION"}


@dataclass(frozen=True, eq=False)
class Duplis:
    """What an object instances in one way.

    Attributes:
        name: of the particle system, or ``Instances``.
        references: the evaluated objects that it may instance.
        arrays: their instances, by index into ``references``, from their owner
            without its scale (see :func:`unscaled`).
    """

    name: str
    references: tuple[bpy.types.Object, ...]
    arrays: InstanceArrays


def is_original(item: bpy.types.Object) -> bool:
    """Whether only instances of ``item`` are rendered, as its parent has them on its elements."""
    return item.parent is not None and item.parent.instance_type in ON_ELEMENTS


def has_duplis(shown: bpy.types.Object) -> bool:
    """Whether ``shown`` may be hidden by being an instancer."""
    return shown.instance_type in ON_ELEMENTS or bool(shown.particle_systems)


def unscaled(shown: bpy.types.Object) -> mathutils.Matrix:
    """The place of an object without its scale, which would shear what it instances."""
    location, rotation, _ = shown.matrix_world.decompose()
    return mathutils.Matrix.LocRotScale(location, rotation, None)


def read_duplis(context: StreamContext, shown: bpy.types.Object) -> list[Duplis]:
    """What an evaluated object instances on its elements and by its particles."""
    sources: list[tuple[str, list[bpy.types.Object]]] = []
    if shown.instance_type in ON_ELEMENTS and shown.original.children:
        sources.append(("", list(shown.original.children_recursive)))
    for system in shown.particle_systems:
        settings = system.settings
        if settings.render_type == "OBJECT" and settings.instance_object is not None:
            sources.append((system.name, [settings.instance_object.original]))
        elif settings.render_type == "COLLECTION" and settings.instance_collection is not None:
            sources.append((system.name, list(settings.instance_collection.original.all_objects)))
    if not sources:
        return []
    if context.duplis is None:
        context.duplis = _collect()
    graph = bpy.context.evaluated_depsgraph_get()
    back = np.array(unscaled(shown).inverted())
    uid = shown.original.session_uid
    found = []
    for name, items in sources:
        items.sort(key=lambda item: item.name_full)
        index = {item.session_uid: i for i, item in enumerate(items)}
        placed = [p for p in context.duplis.get((uid, name), ()) if p[0] in index]
        worlds = np.array([matrix for _, matrix, _ in placed]).reshape(-1, 4, 4)
        arrays = InstanceArrays(
            matrices=(back @ worlds).transpose(0, 2, 1).astype(np.float32),
            references=np.array([index[p[0]] for p in placed], np.int32),
            ids=np.array([p[2] for p in placed], np.int64),
        )
        objects = tuple(item.evaluated_get(graph) for item in items)
        found.append(Duplis(name or "Instances", objects, arrays))
    return found


def note_duplis(context: StreamContext, shown: bpy.types.Object) -> None:
    """Note what the viewport's particles lack of the rendered ones."""
    for system in shown.particle_systems:
        if system.settings.render_type in _RENDERED and system.settings.display_percentage != 100:
            context.notes.append(
                f"{shown.name}: of its particles “{system.name}” only those are exported that "
                "the viewport displays. Set Viewport Display > Amount to 100 %."
            )


def _collect() -> dict[tuple[int, str], list[tuple[int, np.ndarray, int]]]:
    """Instances by the session_uid of their owner and their particle system, if any.

    Each is the session_uid of what it shows, its matrix in the world, and a
    number that it keeps. Those inside others belong to these.
    """
    found = defaultdict(list)
    for instance in bpy.context.evaluated_depsgraph_get().object_instances:
        if not instance.is_instance:
            continue
        system, ids, owner = instance.particle_system, instance.persistent_id, instance.parent
        item = instance.instance_object
        if system is None and (owner.instance_type not in ON_ELEMENTS or ids[1] != _NO_ID):
            continue
        if system is not None and item.type == "EMPTY":
            continue  # a particle shows the object alone, not what that instances
        key = (owner.original.session_uid, "" if system is None else system.name)
        matrix = np.array(instance.matrix_world)
        found[key].append((item.original.session_uid, matrix, ids[0]))
    return found
