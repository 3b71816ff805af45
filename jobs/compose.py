# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs made of jobs."""

from __future__ import annotations

from contextlib import closing

from .events import Job, Progress, T


def part(job: Job[T], start: float, stop: float) -> Job[T]:
    """``job`` as the part from ``start`` to ``stop`` of a larger one."""
    interrupt: KeyboardInterrupt | None = None
    done = start
    with closing(job):
        while True:
            try:
                event = next(job) if interrupt is None else job.throw(interrupt)
            except StopIteration as end:
                value: T = end.value
                return value
            if isinstance(event, Progress):
                # Never backwards: an inner job may count several things, one after the other.
                done = max(done, start + (stop - start) * (event.fraction or 0.0))
                event = Progress(event.step, done, event.message)
            interrupt = None
            try:
                yield event
            except KeyboardInterrupt as cancelled:
                interrupt = cancelled
