# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects in their hierarchy, frame by frame."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from time import monotonic

import bpy
import numpy as np

from ....jobs.events import Event, Message, Progress
from ....usd_tools.direct.records import MATERIALS, FrameRecord, Record, StageRecord, XformRecord
from ..prim_names import material_names, nearest, object_names
from ..purposes import read_purposes
from ..settings import meters_per_unit
from .context import StreamContext
from .duplis import is_original
from .geometry import read_geometry
from .materials import MaterialsReader
from .presence import PresenceReader
from .properties import custom_properties
from .skeletons import SkeletonReader
from .skin import plan_skins
from .transforms import Ops, object_ops
from .world import read_world

# Seconds between two reports of progress: after each, all of Blender's is looked up again.
REPORT_EVERY = 0.25


def read_stream(
    objects: list[bpy.types.Object],
    root: str,
    frames: tuple[float, ...] = (),
    up_axis: str = "Z",
    folder: Path | None = None,
    *,
    skeletons: bool = False,
    world: bool = False,
    materials: Sequence[bpy.types.Material] = (),
) -> Generator[Record | Event, None, None]:
    """The records of ``objects``.

    Args:
        objects: what is exported; a parent that is not among them is passed over.
        root: name of the root prim.
        frames: the frames to read, ascending; none reads the current one alone.
        up_axis: ``"Z"`` or ``"Y"``.
        folder: where volumes and images are saved that are in no file; None
            leaves them out.
        skeletons: armatures become skeletons, and meshes are moved by them and by
            blend shapes wherever that is as exact as their points at every frame.
        world: whether the scene's world is read, too.
        materials: those that are written though nothing may have them.
    """
    scene = bpy.context.scene
    rate = scene.render.fps / scene.render.fps_base
    yield StageRecord(
        root,
        meters_per_unit=meters_per_unit(scene),
        up_axis="Y" if up_axis == "Y" else "Z",
        frames=(frames[0], frames[-1]) if frames else None,
        frames_per_second=rate,
    )
    context = StreamContext(f"/{root}", animated=len(frames) > 1, folder=folder)
    skeleton_reader = SkeletonReader(context)
    reader = _ObjectReader(context, objects, skeleton_reader)
    context.material_paths(materials)
    material_reader = MaterialsReader(context)
    current = scene.frame_current_final
    try:
        if skeletons:
            skeleton_reader.plan = yield from plan_skins(objects, frames)
        steps = len(frames) or 1
        for index in range(steps):
            changed = None
            if frames:
                changed = _go_to(scene, frames[index])
                yield FrameRecord(frames[index])
            among = None if index == 0 else changed
            yield from reader.read(index / steps, (index + 1) / steps, among)
            if index == 0:
                yield from skeleton_reader.skeletons(reader.paths)
            yield from skeleton_reader.poses()
            yield from _read_world(context, world)
            if frames:
                material_reader.read_frame(frames[index])
        yield from material_reader.records()
        for note in context.take_notes():
            yield Message(note, "warning")
    finally:
        if frames:
            _go_to(scene, current)


def _read_world(context: StreamContext, wanted: bool) -> Iterator[Record | Event]:
    world = bpy.context.scene.world if wanted else None
    if world is not None:
        yield from read_world(context, world.evaluated_get(bpy.context.evaluated_depsgraph_get()))
        for note in context.take_notes():
            yield Message(note, "warning")


def _go_to(scene: bpy.types.Scene, frame: float) -> set[int]:
    """Go to a frame; returns the session_uids of the objects that changed on the way."""
    changed: set[int] = set()

    def note(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
        ids = (update.id.original for update in graph.updates)
        changed.update(i.session_uid for i in ids if isinstance(i, bpy.types.Object))

    bpy.app.handlers.frame_change_post.append(note)
    try:
        scene.frame_set(int(frame // 1), subframe=frame % 1)
    finally:
        bpy.app.handlers.frame_change_post.remove(note)
    return changed


class _ObjectReader:
    """Reads the same objects at every frame, whatever happens to some of them.

    Whoever is told an event may edit the file before asking for more, so after
    each one everything of Blender's is looked up again.
    """

    def __init__(
        self,
        context: StreamContext,
        objects: list[bpy.types.Object],
        skeletons: SkeletonReader,
    ) -> None:
        self._context = context
        self._skeletons = skeletons
        self._presence = PresenceReader()
        context.users.update(item.data.session_uid for item in objects if item.data is not None)
        ordered = sorted(objects, key=lambda item: (_depth(item), item.name_full))
        self._uids = {item.session_uid: item.name for item in ordered}
        self._purposes = read_purposes(ordered)
        self._instancers: set[int] = set()
        self._parents: set[int] = set()
        for item in ordered:
            parent = item.parent
            while parent is not None and parent.session_uid not in self._parents:
                self._parents.add(parent.session_uid)
                parent = parent.parent
        self._ops: dict[int, Ops] = {}
        self.paths: dict[int, str] = {}
        self._reserve_names(ordered)

    def _reserve_names(self, ordered: list[bpy.types.Object]) -> None:
        """Decide all names at once, so that none depends on who comes first."""
        context, paths = self._context, dict[int, str]()
        for name, prim in material_names().items():
            context.reserve(f"{context.root}/{MATERIALS}", prim, name)
        names = object_names(ordered)
        for item in ordered:
            parent, uid = nearest(item, names), item.session_uid
            above = context.root if parent is None else paths[parent.session_uid]
            paths[uid] = context.reserve(above, names[uid].prim, uid)
            if names[uid].source:
                context.reserve_shape(paths[uid], names[uid].source, names[uid].shape)

    def read(
        self, start: float, stop: float, changed: set[int] | None = None
    ) -> Iterator[Record | Event]:
        """The objects at the current frame.

        Args:
            start: progress before.
            stop: progress after.
            changed: session_uids of what has changed since the frame before; all when None.
        """
        if changed is None:
            changed = set(self._uids)
        elif changed:
            changed |= self._instancers  # they show other objects, too
        self._context.read_prototypes.clear()
        self._context.duplis = None
        count = len(self._uids)
        reported = -REPORT_EVERY
        lookup: _Lookup | None = None
        for index, (uid, name) in enumerate(list(self._uids.items())):
            if monotonic() - reported >= REPORT_EVERY:
                fraction = start + (stop - start) * index / count
                yield Progress("scene.read", fraction, f"Reading {name}")
                reported = monotonic()
                lookup = None
            if uid not in changed:
                continue
            lookup = lookup or _Lookup()
            item = lookup.objects.get(uid)
            if item is None:
                del self._uids[uid]
                yield Message(f"{name} was deleted while it was exported.", "warning")
                lookup = None
                continue
            yield from self._read(item, lookup.graph)
            if self._context.notes:
                for note in self._context.take_notes():
                    yield Message(note, "warning")
                lookup = None

    def _read(self, item: bpy.types.Object, graph: bpy.types.Depsgraph) -> Iterator[Record]:
        uid = item.session_uid
        parent = nearest(item, self.paths)
        above = self._context.root if parent is None else self.paths[parent.session_uid]
        path = self.paths[uid] = self._context.child(above, item.name, uid)
        shown = item.evaluated_get(graph)
        visible = not shown.hide_render and not is_original(item)
        above_others = uid in self._parents  # which do not hide with it
        yield XformRecord(
            path=path,
            object=item.name,
            ops=self._place(shown, parent and parent.evaluated_get(graph)),
            visible=visible or above_others,
            purpose=self._purposes.get(uid, "default"),
            properties=custom_properties(self._context, shown),
        )
        if self._skeletons.rests(uid, shown):
            return
        self._context.instances = False
        records = read_geometry(self._context, shown, path)
        if uid in self._skeletons.plan.skins:
            records = (self._skeletons.bound(uid, path, record) for record in records)
        if self._context.animated or (above_others and not visible):
            own = visible or not above_others
            records = self._presence.told(uid, path, records, visible=own)
        yield from records
        if self._context.instances:
            self._instancers.add(uid)

    def _place(self, shown: bpy.types.Object, parent: bpy.types.Object | None) -> Ops:
        uid = shown.original.session_uid
        animated = self._context.animated
        ops = object_ops(shown, parent, self._ops.get(uid), animated=animated)
        if animated:
            self._ops[uid] = ops
        return ops


class _Lookup:
    """Blender's objects and depsgraph as they are now."""

    def __init__(self) -> None:
        items = bpy.data.objects
        uids = np.empty(len(items), np.int32)
        items.foreach_get("session_uid", uids)
        self.objects = dict(zip(uids.tolist(), items, strict=True))
        self.graph = bpy.context.evaluated_depsgraph_get()


def _depth(item: bpy.types.Object) -> int:
    depth = 0
    while item.parent is not None:
        item, depth = item.parent, depth + 1
    return depth
