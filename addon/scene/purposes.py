# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist says that objects are for."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from ...usd_tools.direct.records import Purpose


def read_purposes(objects: Iterable[bpy.types.Object]) -> dict[int, Purpose]:
    """Purposes by session_uid, where they are not the default: the object's or a collection's."""
    purposes: dict[int, Purpose] = {}
    for collection in sorted(bpy.data.collections, key=lambda c: c.name_full):
        purpose = _purpose(collection)
        if purpose != "default":
            purposes |= {item.session_uid: purpose for item in collection.all_objects}
    for item in objects:
        purpose = _purpose(item)
        if purpose != "default":
            purposes[item.session_uid] = purpose
    return purposes


def _purpose(owner: bpy.types.ID) -> Purpose:
    chosen = getattr(owner, "stagewright", None)  # None while the add-on is off
    purpose: Purpose = "default" if chosen is None else chosen.purpose
    return purpose
