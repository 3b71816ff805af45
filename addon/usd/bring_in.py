# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""A prim of the inspected file, with all below it, brought into the scene."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from ...jobs.threads import in_thread
from ...pipeline.summaries import count
from .. import pump
from ..undo import push_undo
from ..worker import import_usd
from . import looking

KIND = "import"


def _bring_in(path: str, options: list[str]) -> Job[Mapping[str, Any]]:
    """Import the prim in a Blender of its own, and append what came of it."""
    now = looking.session()
    assert now is not None
    name = PurePosixPath(path).name or now.path.stem
    with tempfile.TemporaryDirectory(prefix="stagewright-", dir=bpy.app.tempdir or None) as folder:
        yield Progress("import.prepare", 0.0, f"Preparing {now.path.name}")
        source = yield from in_thread(lambda: now.as_file(Path(folder)))
        blend = Path(folder) / "import.blend"
        yield from import_usd(source, blend, name, f"--prim={path}", *options)
        collection = _append(blend, name)
        left_behind = _leave_caches(collection, Path(folder))
    push_undo(f"Stagewright: import {name}")
    told = f"Imported {count(len(collection.all_objects), 'object')} of {path}."
    if left_behind:
        told += " It does not move: save what is chosen as an override layer, and import from that."
    yield Message(told)
    return {"collection": collection.name}


def _append(blend: Path, name: str) -> bpy.types.Collection:
    with bpy.data.libraries.load(str(blend), link=False) as (there, here):
        here.collections = [found for found in there.collections if found == name]
    collection = here.collections[0]
    collection.use_fake_user = False
    layer = bpy.context.view_layer
    layer.active_layer_collection.collection.children.link(collection)
    for item in layer.objects.selected:
        item.select_set(False)
    for item in collection.all_objects:
        if item.name in layer.objects:
            item.select_set(True)
            layer.objects.active = item
    return collection


def _leave_caches(collection: bpy.types.Collection, folder: Path) -> bool:
    """Take away what would read its motion from ``folder``, which is about to go."""
    lost = {
        cache
        for cache in bpy.data.cache_files
        if folder in Path(bpy.path.abspath(cache.filepath)).parents
    }
    for item in collection.all_objects:
        for stack in (item.modifiers, item.constraints):
            for part in [part for part in stack if getattr(part, "cache_file", None) in lost]:
                stack.remove(part)
    bpy.data.batch_remove(lost)
    return bool(lost)


class STAGEWRIGHT_OT_import_prim(bpy.types.Operator):
    """Bring the prim and all below it into the scene, with what is chosen here"""

    bl_idname = "stagewright.import_prim"
    bl_label = "Import Prim"
    bl_options = {"INTERNAL"}

    path: StringProperty(name="Prim", options={"HIDDEN", "SKIP_SAVE"})
    cameras: BoolProperty(name="Cameras", description="Import cameras, too", default=True)
    proxy: BoolProperty(name="Proxies", description="Import what stands in for heavy prims, too")
    guide: BoolProperty(name="Guides", description="Import guides, too")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a file is open, and this Blender has an importer."""
        why = "" if looking.session() else "No USD file is open"
        if not bpy.app.build_options.usd:
            why = "This Blender was built without its USD importer"
        if pump.is_running(KIND):
            why = "A prim is being imported: wait for its end or cancel it"
        if why:
            cls.poll_message_set(why)
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask what of it."""
        result: set[str] = context.window_manager.invoke_props_dialog(self)
        return result

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Import it."""
        options = ["--cameras"] if self.cameras else []
        options += [f"--purpose={name}" for name in ("proxy", "guide") if getattr(self, name)]
        try:
            task = pump.run(_bring_in(self.path, options), KIND, f"Import {self.path}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not task.running:
            self.report({"INFO"}, task.message)
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((STAGEWRIGHT_OT_import_prim,))
