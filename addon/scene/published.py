# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections that are a published asset, and so become references to it."""

from __future__ import annotations

from collections import defaultdict

import bpy


def published_root(collection: bpy.types.Collection) -> str:
    """Path of the root layer of the version that ``collection`` is, or "" if it is none.

    A collection that was published from this file is still being worked on: its
    instances show what is here. One that was added from a library, or is linked
    from the file it was published from, is the version.
    """
    identity = getattr(collection.original, "stagewright", None)
    if identity is None or not identity.version_id:
        return ""
    if not identity.added and collection.library is None:
        return ""
    return str(identity.path)


def published_version(collection: bpy.types.Collection) -> str:
    """AYON's id of the version that ``collection`` is; call it where there is a root."""
    return str(collection.original.stagewright.version_id)


def published_objects() -> dict[bpy.types.Object, str]:
    """All objects in published assets, to the ids of the versions that they are part of.

    Whatever its collection uses belongs to an asset: what its objects instance, and
    what their nodes do.
    """
    collections = [c for c in bpy.data.collections if published_root(c)]
    found: dict[bpy.types.Object, str] = {}
    uses: dict[bpy.types.ID, list[bpy.types.ID]] = defaultdict(list)
    for used, users in bpy.data.user_map().items() if collections else ():
        for user in users:
            uses[user].append(used)
    for collection in collections:
        version = published_version(collection)
        pending: list[bpy.types.ID] = [collection]
        seen: set[bpy.types.ID] = set()
        while pending:
            owner = pending.pop()
            if owner in seen:
                continue
            seen.add(owner)
            if isinstance(owner, bpy.types.Object):
                found.setdefault(owner, version)
            pending += uses.get(owner, ())
    return found
