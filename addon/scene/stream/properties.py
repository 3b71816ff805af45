# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom properties of data-blocks."""

from __future__ import annotations

import re
from typing import Any

import bpy

from ....usd_tools.direct.records import Property
from ..prim_names import KEY
from .context import StreamContext

# Blender's own, what older Cycles has left behind, and ours.
_HIDDEN = {"_RNA_UI", "cycles", KEY}


def custom_properties(context: StreamContext, owner: bpy.types.ID) -> dict[str, Property]:
    """The custom properties of ``owner``, an evaluated or original ID, by their names in USD.

    Groups become namespaces; what add-ons register keeps to Blender. One that
    USD has no type for is noted in ``context``.
    """
    names = owner.keys()
    if not names:
        return {}
    found: dict[str, Property] = {}
    registered = {p.identifier for p in owner.bl_rna.properties if p.is_runtime}
    for name in names:
        if name not in registered and name not in _HIDDEN:
            for left in _collect(name, owner[name], found):
                context.notes.append(
                    f"{owner.name}: the custom property “{left}” is not exported, as USD has "
                    "no type for it. Make it a number, a text, or an array of numbers."
                )
    return found


def _collect(name: str, value: Any, found: dict[str, Property]) -> list[str]:
    """Put a value, or those in a group, into ``found``; returns the names of what does not fit."""
    if isinstance(value, bpy.types.ID):
        return [name]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if hasattr(value, "to_list"):
        value = tuple(value.to_list())
    if hasattr(value, "items"):
        return [
            left for key, item in value.items() for left in _collect(f"{name}:{key}", item, found)
        ]
    numbers = isinstance(value, tuple) and all(isinstance(v, bool | int | float) for v in value)
    if not numbers and not isinstance(value, bool | int | float | str):
        return [name]
    fitting = ":".join(_token(part) for part in name.split(":"))
    unique, number = fitting, 1
    while unique in found:
        unique, number = f"{fitting}_{number}", number + 1
    found[unique] = value
    return []


def _token(name: str) -> str:
    fitting = re.sub(r"\W", "_", name)
    return fitting if fitting.isidentifier() else f"_{fitting}"
