# SPDX-License-Identifier: GPL-3.0-or-later
"""All families of materials, by name."""

from __future__ import annotations

from ..family import Family
from . import cloth, crafted, ground, masonry, metal, stone, wood

FAMILIES: dict[str, Family] = {
    family.name: family
    for module in (masonry, wood, cloth, metal, stone, ground, crafted)
    for family in module.FAMILIES
}
