# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are different in Blender and the same in USD."""

from __future__ import annotations

import re
from collections.abc import Iterable

import bpy


def separate_names(objects: Iterable[bpy.types.Object]) -> list[str]:
    """Rename what the exporter would write onto each other; one sentence per material.

    A child and the data of its parent become siblings in USD: with equal names
    the parent's mesh takes the child's place. Of two materials with one USD
    name only the last is written.
    """
    for item in objects:
        children = {usd_name(child.name) for child in item.children}
        if item.data is not None and item.data.library is None:
            while usd_name(item.data.name) in children:
                item.data.name += "_data"
    return [_separate(material) for material in _clashing(bpy.data.materials)]


def usd_name(name: str) -> str:
    """``name`` with all that some USD name may not hold made equal."""
    return re.sub(r"[^A-Za-z0-9]", "_", name)


def _clashing(materials: Iterable[bpy.types.Material]) -> list[bpy.types.Material]:
    taken: set[str] = set()
    clashing = []
    # Linked materials cannot be renamed, so they come first and keep their names.
    for material in sorted(materials, key=lambda m: (m.library is None, m.name)):
        if usd_name(material.name) in taken and material.library is None:
            clashing.append(material)
        taken.add(usd_name(material.name))
    return clashing


def _separate(material: bpy.types.Material) -> str:
    before = material.name
    taken = {usd_name(other.name) for other in bpy.data.materials}
    number = 1
    while usd_name(f"{before}_{number}") in taken:
        number += 1
    material.name = f"{before}_{number}"
    return f"The material '{before}' is exported as '{material.name}': its USD name was taken."
