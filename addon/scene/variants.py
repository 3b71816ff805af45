# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections that are variants."""

from __future__ import annotations

import re

import bpy

from .stream.names import usd_name

# "lod=high": the variant "high" of the variant set "lod". Blender may number it.
_VARIANT = re.compile(r"([A-Za-z_]\w*)=([\w-]+)(\.\d+)?", re.ASCII)


def variant_of(collection: bpy.types.Collection) -> tuple[str, str] | None:
    """The variant set and the variant that a collection is, by its settings or its name."""
    chosen = getattr(collection, "stagewright", None)
    if chosen is not None and chosen.variant_set and chosen.variant:
        return usd_name(chosen.variant_set), usd_name(chosen.variant)
    match = _VARIANT.fullmatch(collection.name)
    return (match[1], match[2]) if match else None
