# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""What a moving object makes through a field, frame by frame, as objects that need no add-on."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
from bpy.props import IntProperty

from ...jobs.compose import part
from ...jobs.errors import StagewrightError
from ...jobs.events import Message, Progress
from ..undo import push_undo
from . import making, operators


def bake(item: bpy.types.Object, frames: Sequence[int]) -> making.Making:
    """Make an object anew at every frame, each as an object that is shown at that frame alone.

    The scene stays at the frame where it is; a simulation should be cached before. Cancelled, what
    is there so far is removed.

    Args:
        item: what was made through a field.
        frames: in order; each is shown until the next one.

    Raises:
        StagewrightError: as `making.make`.
    """
    options = item.stagewright_field.options()
    uid, name = item.session_uid, item.name
    collection = bpy.data.collections.new(f"{name} Baked")
    bpy.context.scene.collection.children.link(collection)
    box = collection.session_uid
    done = False
    try:
        for number, frame in enumerate(frames):
            yield Progress("field.bake", number / len(frames), f"Frame {frame}")
            source, collection_now = making.find(uid), _collection(box)
            if source is None or collection_now is None:
                raise StagewrightError(
                    "object-gone", f"“{name}” is no longer here.", "Undo, and bake it again."
                )
            ends = frame, frames[number + 1] if number + 1 < len(frames) else None
            made = _add(source, collection_now, ends)
            job = making.make(making.sources_left(source), options, made, frame=frame, undo=False)
            yield from part(job, number / len(frames), (number + 1) / len(frames))
        source = making.find(uid)
        if source is not None:
            source.hide_set(True)
            source.hide_render = True
        done = True
    finally:
        if not done:
            _remove(box)
    push_undo(f"Bake {name}")
    yield Message(f"{name} Baked: {len(frames)} frames.")
    return {"collection": f"{name} Baked", "frames": len(frames)}


def _add(
    item: bpy.types.Object, collection: bpy.types.Collection, ends: tuple[int, int | None]
) -> bpy.types.Object:
    """An empty object of an object's kind that is shown between two frames."""
    first, after = ends
    name = f"{item.name} {first:04}"
    is_volume = item.type == "VOLUME"
    data = bpy.data.volumes.new(name) if is_volume else bpy.data.meshes.new(name)
    made = bpy.data.objects.new(name, data)
    collection.objects.link(made)
    for path in ("hide_viewport", "hide_render"):
        for frame, hidden in ((first - 1, True), (first, False), (after, True)):
            if frame is not None:
                setattr(made, path, hidden)
                made.keyframe_insert(path, frame=frame)
    return made


def _collection(uid: int) -> bpy.types.Collection | None:
    return next((c for c in bpy.data.collections if c.session_uid == uid), None)


def _remove(uid: int) -> None:
    collection = _collection(uid)
    if collection is not None:
        for item in list(collection.objects):
            bpy.data.objects.remove(item)
        bpy.data.collections.remove(collection)


class STAGEWRIGHT_OT_bake_field(bpy.types.Operator):
    """Make the active object anew at every frame of the scene, as objects shown frame by frame"""

    bl_idname = "stagewright.bake_field"
    bl_label = "Bake Frames"
    bl_options = {"REGISTER"}

    step: IntProperty(name="Step", description="Frames from one bake to the next", default=1, min=1)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the active object was made through a field."""
        return operators.may_rebuild(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the bake, or do it when there is no window."""
        scene, item = context.scene, context.view_layer.objects.active
        frames = range(scene.frame_start, scene.frame_end + 1, self.step)
        return operators.run(self, bake(item, frames), f"Bake {item.name}")


register, unregister = bpy.utils.register_classes_factory((STAGEWRIGHT_OT_bake_field,))
