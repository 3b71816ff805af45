# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects in their hierarchy, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import mathutils

from ....jobs.events import Event, Message, Progress
from ....usd_tools.direct.records import FrameRecord, Record, StageRecord, XformRecord
from ..reading import meters_per_unit
from .context import StreamContext
from .geometry import read_geometry
from .properties import custom_properties
from .transforms import transform_ops

# Reports of progress in one frame.
_REPORTS = 50


def read_stream(
    objects: list[bpy.types.Object],
    root: str,
    frames: tuple[float, ...] = (),
    up_axis: str = "Z",
) -> Iterator[Record | Event]:
    """The records of ``objects``.

    Args:
        objects: what is exported; a parent that is not among them is passed over.
        root: name of the root prim.
        frames: the frames to read, ascending; none reads the current one alone.
        up_axis: ``"Z"`` or ``"Y"``.
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
    context = StreamContext(f"/{root}", animated=len(frames) > 1)
    reader = _ObjectReader(context, objects)
    if not frames:
        yield from reader.read(0.0, 1.0)
        return
    current = scene.frame_current_final
    try:
        for index, frame in enumerate(frames):
            scene.frame_set(int(frame // 1), subframe=frame % 1)
            yield FrameRecord(frame)
            yield from reader.read(index / len(frames), (index + 1) / len(frames))
    finally:
        scene.frame_set(int(current // 1), subframe=current % 1)


class _ObjectReader:
    """Reads the same objects at every frame, whatever happens to some of them.

    Whoever is told an event may edit the file before asking for more, so after
    each one everything of Blender's is looked up again.
    """

    def __init__(self, context: StreamContext, objects: list[bpy.types.Object]) -> None:
        self._context = context
        context.users.update(item.data.session_uid for item in objects if item.data is not None)
        ordered = sorted(objects, key=lambda item: (_depth(item), item.name_full))
        self._uids = {item.session_uid: item.name for item in ordered}
        self._eulers: dict[int, mathutils.Euler | None] = {}
        self._paths: dict[int, str] = {}

    def read(self, start: float, stop: float) -> Iterator[Record | Event]:
        """All objects at the current frame."""
        self._context.read_prototypes.clear()
        stride = max(1, len(self._uids) // _REPORTS)
        lookup: _Lookup | None = None
        for index, (uid, name) in enumerate(self._uids.items()):
            if index % stride == 0:
                fraction = start + (stop - start) * index / len(self._uids)
                yield Progress("scene.read", fraction, f"Reading {name}")
                lookup = None
            lookup = lookup or _Lookup()
            item = lookup.objects.get(uid)
            if item is None:
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
        parent = self._parent(item)
        evaluated = item.evaluated_get(graph)
        matrix = evaluated.matrix_world
        if parent is None:
            above = self._context.root
        else:
            above = self._paths[parent.session_uid]
            matrix = parent.evaluated_get(graph).matrix_world.inverted_safe() @ matrix
        path = self._context.child(above, item.name, uid)
        self._paths[uid] = path
        animated = self._context.animated
        ops, self._eulers[uid] = transform_ops(matrix, self._eulers.get(uid), animated=animated)
        yield XformRecord(
            path=path,
            object=item.name,
            ops=ops,
            visible=not evaluated.hide_render,
            properties=custom_properties(item),
        )
        yield from read_geometry(self._context, evaluated, path)

    def _parent(self, item: bpy.types.Object) -> bpy.types.Object | None:
        """The nearest ancestor that is exported, too."""
        parent = item.parent
        while parent is not None and parent.session_uid not in self._paths:
            parent = parent.parent
        return parent


class _Lookup:
    """Blender's objects and depsgraph as they are now."""

    def __init__(self) -> None:
        self.objects = {item.session_uid: item for item in bpy.data.objects}
        self.graph = bpy.context.evaluated_depsgraph_get()


def _depth(item: bpy.types.Object) -> int:
    depth = 0
    while item.parent is not None:
        item, depth = item.parent, depth + 1
    return depth
