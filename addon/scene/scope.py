# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects make the asset, and over which frames they move."""

from __future__ import annotations

import bpy

from ...jobs.errors import StagewrightError


def use_view_layer(scene: str, view_layer: str) -> None:
    """Make a scene and one of its view layers the active ones; "" leaves what is active.

    Raises:
        StagewrightError: ``no-scene``, ``no-view-layer`` when there is none of that name.
    """
    window = bpy.context.window_manager.windows[0]
    if scene:
        window.scene = _named("scene", scene, bpy.data.scenes)
    if view_layer:
        window.view_layer = _named("view-layer", view_layer, window.scene.view_layers)


def _named(kind: str, name: str, among: bpy.types.bpy_prop_collection) -> bpy.types.bpy_struct:
    if name not in among:
        words = kind.replace("-", " ")
        raise StagewrightError(
            f"no-{kind}",
            f"There is no {words} named '{name}'.",
            f"Name one that there is ({', '.join(sorted(among.keys()))}), "
            f"or none for the active {words}.",
        )
    return among[name]


# Nodes that move without a key.
_TIMED = {"GeometryNodeInputSceneTime", "GeometryNodeSimulationInput"}


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


def exported_objects(
    collection: bpy.types.Collection, *, selected: bool = False
) -> list[bpy.types.Object]:
    """The objects of ``collection`` that viewport and render show, by name.

    A hidden armature that deforms one of them comes along.

    Args:
        collection: what holds them.
        selected: whether they have to be selected, too.

    Raises:
        StagewrightError: ``nothing-to-export`` when there is none.
    """
    objects = [o for o in _in_viewport(collection) if _renders(o)]
    if objects and selected:
        objects = [o for o in objects if o.select_get()]
        if not objects:
            raise StagewrightError(
                "nothing-to-export",
                f"Nothing that the collection '{collection.name}' shows is selected.",
                "Select some of its objects, or export all of them.",
            )
    if not objects:
        raise StagewrightError(
            "nothing-to-export",
            f"The collection '{collection.name}' shows no object.",
            "Unhide its objects, in the viewport and in renders, or choose another collection.",
        )
    rigs = _rigs(objects).intersection(collection.all_objects)
    return sorted(rigs.union(objects), key=_full_name)


def _rigs(objects: list[bpy.types.Object]) -> set[bpy.types.Object]:
    """The armatures that deform ``objects``: artists hide them, and the exporter needs them."""
    modifiers = (modifier for item in objects for modifier in item.modifiers)
    return {m.object for m in modifiers if m.type == "ARMATURE" and m.object is not None}


def hidden_in_renders(collection: bpy.types.Collection) -> list[str]:
    """Names of objects that the viewport alone shows (cutters, guides): not exported."""
    return [o.name for o in _in_viewport(collection) if not _renders(o)]


def _in_viewport(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    # Objects made since the last update are not known to be visible yet.
    bpy.context.view_layer.update()
    shown = {o for o in bpy.context.view_layer.objects if o.visible_get()}
    return sorted(shown.intersection(collection.all_objects), key=_full_name)


def _full_name(item: bpy.types.Object) -> tuple[str, str]:
    """A name that no other object has: linked ones may repeat a local name."""
    return item.name, item.library.filepath if item.library else ""


def _renders(item: bpy.types.Object) -> bool:
    """Whether renders show ``item``; rigs and cameras are never in the picture."""
    return item.type in {"ARMATURE", "CAMERA"} or not item.hide_render


def frame_range(objects: list[bpy.types.Object]) -> tuple[int, int] | None:
    """The scene's frame range when anything among ``objects`` moves, else None."""
    if not _moves(objects):
        return None
    scene = bpy.context.scene
    return scene.frame_start, scene.frame_end


def _moves(objects: list[bpy.types.Object]) -> bool:
    """Whether ``objects``, or any data they use at whatever depth, are animated."""
    uses: dict[bpy.types.ID, list[bpy.types.ID]] = {}
    for used, users in bpy.data.user_map().items():
        for user in users:
            uses.setdefault(user, []).append(used)
    seen: set[bpy.types.ID] = set()
    pending: list[bpy.types.ID] = list(objects)
    while pending:
        owner = pending.pop()
        if owner in seen:
            continue
        seen.add(owner)
        if is_animated(owner):
            return True
        pending += uses.get(owner, [])
    return False


def is_animated(owner: bpy.types.ID) -> bool:
    """Whether ``owner`` itself, or the node tree that is a part of it, is animated."""
    # A material's own node tree is part of the material and no user or used of its own.
    parts = (owner, getattr(owner, "node_tree", None))
    return any(_has_animation(part) for part in parts if part is not None)


def _has_animation(owner: bpy.types.ID) -> bool:
    if any(node.bl_idname in _TIMED for node in getattr(owner, "nodes", ())):
        return True
    data = getattr(owner, "animation_data", None)
    return bool(data and (data.action or data.nla_tracks or data.drivers))
