# SPDX-License-Identifier: GPL-3.0-or-later
"""Work of a library that lets other threads run meanwhile, as a job."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .events import Job, T, Waiting

AT_ONCE = 0.15
"""Seconds that the first step waits, so that what feels immediate is done in one."""


def in_thread(work: Callable[[], T]) -> Job[T]:
    """Run ``work`` in a thread; its value is the job's, and what it raises the job raises.

    For calls that release Python's lock, as those of USD that open and compose
    stages do. Cancelled, the job ends at once; the thread runs on to its end,
    unheard.
    """
    values: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            values.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="stagewright", daemon=True)
    thread.start()
    thread.join(AT_ONCE)
    while thread.is_alive():
        yield Waiting()
    if errors:
        raise errors[0]
    return values[0]
