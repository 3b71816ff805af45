# SPDX-License-Identifier: GPL-3.0-or-later
"""Bindings of materials, which belong to the look."""

from __future__ import annotations

from .layer_writer import LayerWriter


def bind(writer: LayerWriter, path: str, material: str) -> None:
    """Bind the prim at ``path``, new in ``writer``, to the Material prim ``material``."""
    prim = writer.look.over(path)
    writer.look.apply_schemas(prim, "MaterialBindingAPI")
    writer.look.relate(prim, "material:binding", material)
