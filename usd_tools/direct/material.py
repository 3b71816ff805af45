# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials: one network of UsdPreviewSurface and one of OpenPBR in MaterialX."""

from __future__ import annotations

from .data_block import author_data_block
from .layer_writer import LayerWriter
from .materialx import MaterialXNetwork
from .preview import PreviewNetwork
from .records import Constant, MaterialRecord
from .surfaces import openpbr_inputs, preview_inputs

# The release whose nodes are written; MaterialX upgrades documents from it on.
_MATERIALX = "1.39"


def author_material(writer: LayerWriter, record: MaterialRecord) -> None:
    """Author the material of ``record`` into the look."""
    look = writer.look
    prim, new = look.define(record.path, "Material")
    if not new:
        return
    author_data_block(look, prim, record.data, record.properties, new=True)
    look.apply_schemas(prim, "MaterialXConfigAPI")
    look.set(prim, "config:mtlx:version", "string", _MATERIALX, uniform=True)
    preview = PreviewNetwork(look, record.path)
    shown = preview_inputs(record.inputs)
    if record.cutout:
        shown["opacityThreshold"] = Constant((record.cutout,))
    look.connect(prim, "outputs:surface", "token", preview.surface(shown))
    if record.displacement is not None and preview.displace(record.displacement):
        look.connect(prim, "outputs:displacement", "token", preview.shader_output)
    openpbr = MaterialXNetwork(look, record.path)
    look.connect(
        prim, "outputs:mtlx:surface", "token", openpbr.surface(openpbr_inputs(record.inputs))
    )
    if record.displacement is not None:
        place = openpbr.displacement(record.displacement)
        look.connect(prim, "outputs:mtlx:displacement", "token", place)
