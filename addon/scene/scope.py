# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects make the asset, and over which frames they move."""

from __future__ import annotations

import bpy

from ...jobs.errors import StagewrightError


def find_collection(name: str) -> bpy.types.Collection:
    """The collection ``name``, or the whole scene's when ``name`` is empty.

    Raises:
        StagewrightError: ``no-collection`` when there is none of that name.
    """
    if not name:
        return bpy.context.scene.collection
    collection = bpy.data.collections.get(name)
    if collection is None:
        have = ", ".join(sorted(c.name for c in bpy.data.collections)) or "none"
        raise StagewrightError(
            "no-collection",
            f"The file has no collection named '{name}'.",
            f"Name one that it has ({have}), or none for the whole scene.",
        )
    return collection


def exported_objects(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    """The objects of ``collection`` that viewport and render show, by name.

    Raises:
        StagewrightError: ``nothing-to-export`` when there is none.
    """
    objects = [o for o in _in_viewport(collection) if _renders(o)]
    if not objects:
        raise StagewrightError(
            "nothing-to-export",
            f"The collection '{collection.name}' shows no object.",
            "Unhide its objects, in the viewport and in renders, or choose another collection.",
        )
    return objects


def hidden_in_renders(collection: bpy.types.Collection) -> list[str]:
    """Names of objects that the viewport alone shows (cutters, guides): not exported."""
    return [o.name for o in _in_viewport(collection) if not _renders(o)]


def _in_viewport(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    # Objects made since the last update are not known to be visible yet.
    bpy.context.view_layer.update()
    shown = {o.name for o in bpy.context.view_layer.objects if o.visible_get()}
    return sorted((o for o in collection.all_objects if o.name in shown), key=lambda o: o.name)


def _renders(item: bpy.types.Object) -> bool:
    """Whether renders show ``item``; rigs and cameras are never in the picture."""
    return item.type in {"ARMATURE", "CAMERA"} or not item.hide_render


def frame_range(objects: list[bpy.types.Object]) -> tuple[int, int] | None:
    """The scene's frame range when anything among ``objects`` moves, else None."""
    if not any(_is_animated(o) for o in objects):
        return None
    scene = bpy.context.scene
    return scene.frame_start, scene.frame_end


def _is_animated(item: bpy.types.Object) -> bool:
    """Whether the object, its data, or anything it hangs on has an action, NLA or driver."""
    owners = [item, item.data, getattr(item.data, "shape_keys", None)]
    owners += [getattr(m, "node_group", None) for m in item.modifiers]
    if any(_has_animation(owner) for owner in owners if owner is not None):
        return True
    targets = [item.parent, *(getattr(m, "object", None) for m in item.modifiers)]
    targets += [getattr(c, "target", None) for c in item.constraints]
    if item.instance_collection is not None and item.instance_type == "COLLECTION":
        targets += item.instance_collection.all_objects
    return any(_is_animated(t) for t in targets if t is not None and t != item)


def _has_animation(owner: bpy.types.ID) -> bool:
    data = owner.animation_data
    return bool(data and (data.action or data.nla_tracks or data.drivers))
