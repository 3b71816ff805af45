# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the stream share: objects made, and the scene streamed into a stage."""

from __future__ import annotations

import bpy
from pxr import Usd

from stagewright.addon.scene.stream.objects import read_stream
from stagewright.jobs.events import Message

from ..both_ways import both_ways


def link(item: bpy.types.Object, parent: bpy.types.Object | None = None) -> bpy.types.Object:
    """``item`` linked to the scene, below ``parent``."""
    bpy.context.scene.collection.objects.link(item)
    item.parent = parent
    return item


def triangle(name: str, parent: bpy.types.Object | None = None) -> bpy.types.Object:
    """An object with a mesh of one triangle, both called ``name``."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 2, 0.5)], [], [(0, 1, 2)])
    return link(bpy.data.objects.new(name, mesh), parent)


def grid(name: str = "Grid", cells: int = 4) -> bpy.types.Object:
    """A grid called ``name``, as is its mesh."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=cells, y_subdivisions=cells)
    item = bpy.context.object
    item.name = item.data.name = name
    return item


def streamed(**options: object) -> tuple[Usd.Stage, list[str]]:
    """The whole scene in a stage, and the warnings."""
    items = list(read_stream(list(bpy.context.scene.objects), "root", **options))
    warnings = [item.text for item in items if isinstance(item, Message)]
    return Usd.Stage.Open(both_ways(items)), warnings
