# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes that draw: one for sets, one for previews, which never wait for a set."""

from __future__ import annotations

import atexit
from pathlib import Path

import bpy

from ...jobs.warm import WarmChild
from ...texture_lab.backends import Commission, Embedded
from .. import pump

KIND = "texture"
"""Of the jobs that make sets; they queue."""

_commissions: dict[int, Commission] = {}


class _Working:
    """What draws, once it is first asked for."""

    sets: Embedded | None = None
    previews: WarmChild | None = None


def sets() -> Embedded:
    """What makes sets; its process starts with the first of them."""
    if _Working.sets is None:
        _Working.sets = Embedded(_child("sets"))
    return _Working.sets


def previews() -> WarmChild:
    """The process that draws previews."""
    if _Working.previews is None:
        _Working.previews = _child("previews")
    return _Working.previews


def _child(use: str) -> WarmChild:
    return WarmChild(Path(bpy.app.tempdir) / "texture-lab" / use)


def remember(task: pump.Task, commission: Commission) -> None:
    """Keep what a job of the window makes, so that the artist can move it."""
    _commissions[task.number] = commission


def queue() -> list[pump.Task]:
    """Jobs that run or wait, in the order that they will run."""
    tasks = [task for task in pump.tasks() if task.running and task.number in _commissions]
    running = {_commissions[task.number]: task for task in tasks}
    return [running[commission] for commission in sets().queue if commission in running]


def set_name(task: pump.Task) -> str:
    """Name of the set that a job of the queue makes, and of its picture."""
    return _commissions[task.number].name


def move_up(number: int) -> None:
    """Let a job that waits run before the one before it."""
    commission = _commissions[number]
    if commission in sets().queue:
        sets().move(commission, sets().queue.index(commission) - 1)


def close() -> None:
    """End both processes."""
    for each in (_Working.sets, _Working.previews):
        if each is not None:
            each.close()
    _Working.sets = _Working.previews = None
    _commissions.clear()


def register() -> None:
    """Make sure that no process outlives Blender."""
    atexit.register(close)


def unregister() -> None:
    """End them with the add-on."""
    atexit.unregister(close)
    close()
