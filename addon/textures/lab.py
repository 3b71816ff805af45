# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes that draw: one for sets, one for previews, which never wait for a set."""

from __future__ import annotations

import atexit
from pathlib import Path
from typing import Literal

import bpy

from ...jobs.warm import Order, WarmChild
from .. import pump

KIND = "texture"
"""Of the jobs that make sets; they queue."""

_children: dict[str, WarmChild] = {}
_orders: dict[int, Order] = {}


def child(use: Literal["sets", "previews"]) -> WarmChild:
    """The process for this use; it starts with its first order."""
    if use not in _children:
        _children[use] = WarmChild(Path(bpy.app.tempdir) / "texture-lab" / use)
    return _children[use]


def remember(task: pump.Task, order: Order) -> None:
    """Keep which order a job of the window gives, so that the artist can move it."""
    _orders[task.number] = order


def queue() -> list[pump.Task]:
    """Jobs that run or wait, in the order that they will run."""
    running = {_orders[t.number]: t for t in pump.tasks() if t.running and t.number in _orders}
    return [running[order] for order in child("sets").queue if order in running]


def set_name(task: pump.Task) -> str:
    """Name of the set that a job of the queue makes, and of its picture."""
    return str(_orders[task.number].arguments["name"])


def move_up(number: int) -> None:
    """Let a job that waits run before the one before it."""
    order, sets = _orders[number], child("sets")
    if order in sets.queue:
        sets.move(order, sets.queue.index(order) - 1)


def close() -> None:
    """End both processes."""
    for each in _children.values():
        each.close()
    _children.clear()
    _orders.clear()


def register() -> None:
    """Make sure that no process outlives Blender."""
    atexit.register(close)


def unregister() -> None:
    """End them with the add-on."""
    atexit.unregister(close)
    close()
