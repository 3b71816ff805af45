# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom properties of data-blocks."""

from __future__ import annotations

import re
from typing import Any

import bpy

from ....usd_tools.direct.records import Property


def custom_properties(owner: bpy.types.ID) -> dict[str, Property]:
    """The custom properties of ``owner`` that USD has a type for, by their names in USD.

    Groups become namespaces; what add-ons register keeps to Blender.
    """
    found: dict[str, Property] = {}
    for name in owner.keys():  # noqa: SIM118 - IDs are no mappings
        if name not in owner.bl_rna.properties and name != "_RNA_UI":
            _collect(name, owner[name], found)
    return found


def _collect(name: str, value: Any, found: dict[str, Property]) -> None:
    name = ":".join(_token(part) for part in name.split(":"))
    if isinstance(value, bool | int | float | str):
        found[name] = value
    elif hasattr(value, "to_list"):
        items = value.to_list()
        if all(isinstance(item, bool | int | float) for item in items):
            found[name] = tuple(items)
    elif hasattr(value, "items"):
        for key, item in value.items():
            _collect(f"{name}:{key}", item, found)


def _token(name: str) -> str:
    fitting = re.sub(r"\W", "_", name)
    return fitting if fitting.isidentifier() else f"_{fitting}"
