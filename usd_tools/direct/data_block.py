# SPDX-License-Identifier: GPL-3.0-or-later
"""What every prim has that stands for one of Blender's data-blocks."""

from __future__ import annotations

from collections.abc import Mapping

from .layer_writer import LayerWriter, Prim
from .records import Property


def author_data_block(
    writer: LayerWriter, prim: Prim, name: str, properties: Mapping[str, Property], *, new: bool
) -> None:
    """Author the data-block's name, where the prim has another one, and its custom properties."""
    if new and name != prim.name:
        attribute = "userProperties:blender:data_name"
        writer.set(prim, attribute, "string", name, uniform=True, custom=True)
    writer.set_properties(prim, properties)
