# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs made of jobs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from .events import Event, Job, Progress, T, Waiting


def part(job: Job[T], start: float, stop: float) -> Job[T]:
    """``job`` as the part from ``start`` to ``stop`` of a larger one."""
    done = start

    def placed(event: Event | Waiting) -> Event | Waiting:
        nonlocal done
        if not isinstance(event, Progress):
            return event
        # Never backwards: an inner job may count several things, one after the other.
        done = max(done, start + (stop - start) * (event.fraction or 0.0))
        return Progress(event.step, done, event.message)

    return changed(job, placed)


def changed(job: Job[T], change: Callable[[Event | Waiting], Event | Waiting]) -> Job[T]:
    """``job`` with each of its events as ``change`` gives it."""
    interrupt: KeyboardInterrupt | None = None
    with closing(job):
        while True:
            try:
                event = next(job) if interrupt is None else job.throw(interrupt)
            except StopIteration as end:
                value: T = end.value
                return value
            interrupt = None
            try:
                yield change(event)
            except KeyboardInterrupt as cancelled:
                interrupt = cancelled
