# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist makes variants: collections, and other looks of materials."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import bpy

from .stream.names import usd_name

# "lod=high": the variant "high" of the variant set "lod". Blender may number it.
_VARIANT = re.compile(r"([^=]*\w[^=]*)=([^=]*?\w[^=]*?)(\.\d{3,})?")


def wanted_variant(collection: bpy.types.Collection) -> tuple[str, str] | None:
    """The variant set and the variant that a collection is, as the artist calls them.

    Its settings say so, or its name does.
    """
    chosen = getattr(collection, "stagewright", None)
    if chosen is not None and chosen.variant_set and chosen.variant:
        return chosen.variant_set, chosen.variant
    match = _VARIANT.fullmatch(collection.name)
    return (match[1].strip(), match[2].strip()) if match else None


def variant_names(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """What USD calls variant sets and variants, by what artists do; different ones stay so."""
    asked = set(wanted)
    sets = _fitting({name for name, _ in asked}, usd_name)
    names: dict[tuple[str, str], tuple[str, str]] = {}
    for own, fitting in sets.items():
        variants = _fitting({variant for name, variant in asked if name == own}, _variant_name)
        names |= {(own, variant): (fitting, name) for variant, name in variants.items()}
    return names


def _fitting(names: Iterable[str], fit: Callable[[str], str]) -> dict[str, str]:
    """``names`` made to fit; of those that come to the same, one that fits as it is keeps it."""
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (fit(name) != name, name)):
        unique, number = fit(name), 1
        while unique in found.values():
            unique, number = f"{fit(name)}_{number}", number + 1
        found[name] = unique
    return found


def _variant_name(name: str) -> str:
    """Variants may begin with a digit and have dashes."""
    return "".join(c if c == "-" or f"a{c}".isidentifier() else "_" for c in name)


def chosen_looks() -> list[bpy.types.PropertyGroup]:
    """The other looks of the scene; none while the add-on is off."""
    chosen = getattr(bpy.context.scene, "stagewright", None)
    return list(chosen.looks) if chosen is not None else []


def look_materials() -> list[bpy.types.Material]:
    """The materials that other looks of the scene have."""
    return [swap.instead for look in chosen_looks() for swap in look.swaps if swap.instead]
