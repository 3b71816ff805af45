# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes that make textures.

One draws sets, one waits for large models, and one draws previews, which never wait for a set.
"""

from __future__ import annotations

import atexit
from pathlib import Path

import bpy

from ...jobs.warm import PATIENCE, WarmChild
from ...texture_lab.backends import Commission, Embedded
from .. import pump

KIND = "texture"
"""Of the jobs that make sets; they queue."""

_MODELS_PATIENCE = 3.0
"""Seconds to take a cancelled work from its server before the process is ended."""

_commissions: dict[int, Commission] = {}


class _Working:
    """What draws, once it is first asked for."""

    sets: Embedded | None = None
    models: Embedded | None = None
    previews: WarmChild | None = None


def sets() -> Embedded:
    """What makes sets; its process starts with the first of them."""
    if _Working.sets is None:
        _Working.sets = Embedded(_child("sets"))
    return _Working.sets


def models() -> Embedded:
    """What lets large models make sets; those never keep drawn ones waiting."""
    if _Working.models is None:
        _Working.models = Embedded(_child("models", _MODELS_PATIENCE))
    return _Working.models


def backend_of(commission: Commission) -> Embedded:
    """What makes a commission."""
    return models() if commission.services else sets()


def commissions() -> tuple[Commission, ...]:
    """What is being made or waits, of all kinds."""
    return tuple(c for each in (_Working.sets, _Working.models) if each for c in each.queue)


def previews() -> WarmChild:
    """The process that draws previews."""
    if _Working.previews is None:
        _Working.previews = _child("previews")
    return _Working.previews


def _child(use: str, patience: float = PATIENCE) -> WarmChild:
    return WarmChild(Path(bpy.app.tempdir) / "texture-lab" / use, patience)


def remember(task: pump.Task, commission: Commission) -> None:
    """Keep what a job of the window makes, so that the artist can move it."""
    _commissions[task.number] = commission


def queue() -> list[pump.Task]:
    """Jobs that run or wait, in the order that they will run."""
    tasks = [task for task in pump.tasks() if task.running and task.number in _commissions]
    running = {_commissions[task.number]: task for task in tasks}
    return [running[commission] for commission in commissions() if commission in running]


def set_name(task: pump.Task) -> str:
    """Name of the set that a job of the queue makes, and of its picture."""
    return _commissions[task.number].name


def move_up(number: int) -> None:
    """Let a job that waits run before the one before it."""
    commission = _commissions[number]
    backend = backend_of(commission)
    if commission in backend.queue:
        backend.move(commission, backend.queue.index(commission) - 1)


def close() -> None:
    """End all processes."""
    for each in (_Working.sets, _Working.models, _Working.previews):
        if each is not None:
            each.close()
    _Working.sets = _Working.models = _Working.previews = None
    _commissions.clear()


def register() -> None:
    """Make sure that no process outlives Blender."""
    atexit.register(close)


def unregister() -> None:
    """End them with the add-on."""
    atexit.unregister(close)
    close()
