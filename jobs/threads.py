# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads, for libraries that let others run meanwhile: work as a job, and work shared out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .events import Job, T, Waiting

Item = TypeVar("Item")

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


def thread_count() -> int:
    """Threads that share array work: one for each core that this process may use, at most 8."""
    if hasattr(os, "sched_getaffinity"):
        return min(8, len(os.sched_getaffinity(0)))
    return min(8, os.cpu_count() or 1)


def share(items: Iterable[Item], worker: Callable[[Iterable[Item]], None]) -> None:
    """Run one ``worker`` per thread; together they consume ``items``, each item once.

    A worker gets an iterator it shares with the others, so it can set up its scratch arrays once
    and then loop. The first exception of a worker is raised here, after all have ended.
    """
    shared = iter(list(items))  # a list's iterator: one step of it is atomic under the GIL
    count = thread_count()
    if count == 1:
        worker(shared)
        return
    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(worker, shared) for _ in range(count)]:
            future.result()
