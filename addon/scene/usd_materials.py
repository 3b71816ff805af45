# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of MaterialX nodes, which Blender's USD importer leaves empty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from .shading_nodes import fill_material


@contextmanager
def materialx_imported() -> Iterator[list[str]]:
    """While this is open, USD imports fill materials of MaterialX nodes.

    Those that have a UsdPreviewSurface, too, get the MaterialX network, which holds more.

    Yields:
        One sentence for each thing that does not arrive as it is; filled by the import.
    """
    from ...usd_tools.mtlx.library import Library
    from ...usd_tools.mtlx.shade import is_materialx, read_material
    from ...usd_tools.mtlx.surfaces import import_network

    library, told = Library(), list[str]()

    class STAGEWRIGHT_USDHOOK_materialx(bpy.types.USDHook):
        """Fills materials that are made of MaterialX nodes"""

        bl_idname = "STAGEWRIGHT_USDHOOK_materialx"
        bl_label = "MaterialX"

        @staticmethod
        def material_import_poll(context: Any, material: Any) -> bool:
            """Whether a material is made of MaterialX nodes."""
            return is_materialx(material)

        @staticmethod
        def on_material_import(context: Any, block: bpy.types.Material, material: Any) -> bool:
            """Make the nodes; returns whether there is a surface."""
            imported = import_network(read_material(material, library), library)
            told.extend(
                f"{block.name}: {note.message}"
                for note in imported.notes
                if note.kind != "rewritten"
            )
            missing = fill_material(block, imported.record)
            told.extend(f"{block.name}: {text}" for text in missing)
            return bool(imported.surface)

    bpy.utils.register_class(STAGEWRIGHT_USDHOOK_materialx)
    try:
        yield told
    finally:
        bpy.utils.unregister_class(STAGEWRIGHT_USDHOOK_materialx)
