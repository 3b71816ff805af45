# SPDX-License-Identifier: GPL-3.0-or-later
"""Live objects: rebuilt a moment after what they are made from has changed.

The handler only notes what is to be done. A timer does it once nothing has changed for a moment:
coarsely at first, so that there is something to see, then in full. What is under way when something
changes again is cancelled: the latest wins. During playback and renders nothing is rebuilt; what
moves is baked, frame by frame.
"""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from .. import pump
from . import making, settings, writing

KIND = "live"
DELAY = 0.25
"""Seconds without a change before a rebuild starts."""
COARSE = 40
"""Voxels along the longest side of the first, coarse look."""


class _Now:
    """What is to be rebuilt, by session_uid, and whether a render is under way."""

    dirty: set[int] = set()
    rendering = False


def mark(item: bpy.types.Object) -> None:
    """Note that a live object is to be rebuilt."""
    _Now.dirty.add(item.session_uid)
    if bpy.app.timers.is_registered(_rebuild):
        bpy.app.timers.unregister(_rebuild)
    bpy.app.timers.register(_rebuild, first_interval=DELAY)


def rebuild(item: bpy.types.Object) -> making.Making:
    """Make a live object anew, coarsely first if that is much quicker.

    Raises:
        StagewrightError: as `making.make`.
    """
    uid = item.session_uid
    options = item.stagewright_field.options()
    sources = making.sources_left(item)
    fine = options["detail"] == "COUNT" and options["voxels"] > 2 * COARSE
    if fine and any(source.type != "VOLUME" for source in sources):
        coarse = {**options, "voxels": COARSE}
        yield from making.make(sources, coarse, item, undo=False)
    left = making.find(uid)
    if left is None:
        yield Message("The object is no longer here.")
        return {}
    return (yield from making.make(making.sources_left(left), options, left, undo=False))


def step() -> bool:
    """Start the next rebuild if there may be one now; whether something is left to do."""
    _Now.dirty = {uid for uid in _Now.dirty if _live(uid) is not None}
    if not _Now.dirty or _resting():
        return bool(_Now.dirty)
    running = pump.last(KIND)
    if running is not None and running.running:
        pump.cancel(running.number)
        return True
    item = _live(_Now.dirty.pop())
    assert item is not None
    try:
        pump.start(_quiet(rebuild(item)), KIND, f"Rebuild {item.name}")
    except StagewrightError:
        pass  # Kept as the task's failure, which the panel shows.
    return bool(_Now.dirty)


def _quiet(job: making.Making) -> Job[dict[str, object]]:
    """The same job; what it says at its end says too much for every change."""
    yield Progress("field.live", 0.0, "Rebuilding")
    return dict((yield from job))


def _live(uid: int) -> bpy.types.Object | None:
    item = making.find(uid)
    return item if item is not None and _follows(item) else None


def _follows(item: bpy.types.Object) -> bool:
    return bool(item.stagewright_field.live) or writing.is_gone(item)


def _resting() -> bool:
    playing = any(w.screen.is_animation_playing for w in bpy.context.window_manager.windows)
    return _Now.rendering or playing


def _rebuild() -> float | None:
    return DELAY if step() else None


@persistent
def _on_update(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    """Note which live objects something was changed for."""
    live = [item for item in scene.objects if item.stagewright_field.live]
    if not live or _Now.rendering:
        return
    touched = {
        update.id.original for update in graph.updates
        if update.is_updated_geometry or update.is_updated_transform
    }  # fmt: skip
    for item in live:
        sources = making.present(item)
        if any(source in touched or source.data in touched for source in sources):
            mark(item)


@persistent
def _on_undo(*_: object) -> None:
    """What was rebuilt since the step of undo is as old as that step."""
    for item in bpy.data.objects:
        if _follows(item):
            mark(item)


@persistent
def _on_load(*_: object) -> None:
    """A recovered session's temporary files went with it."""
    for item in bpy.data.objects:
        if writing.is_gone(item):
            mark(item)


@persistent
def _on_render(*_: object) -> None:
    _Now.rendering = True


@persistent
def _after_render(*_: object) -> None:
    _Now.rendering = False


_HANDLERS = (
    ("depsgraph_update_post", _on_update),
    ("undo_post", _on_undo),
    ("redo_post", _on_undo),
    ("load_post", _on_load),
    ("render_init", _on_render),
    ("render_complete", _after_render),
    ("render_cancel", _after_render),
)


def register() -> None:
    """Add the handlers."""
    settings.changed.append(mark)
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    """Take them and the timer away."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    settings.changed.remove(mark)
    _Now.dirty.clear()
    if bpy.app.timers.is_registered(_rebuild):
        bpy.app.timers.unregister(_rebuild)
