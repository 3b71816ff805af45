# SPDX-License-Identifier: GPL-3.0-or-later
"""Array passes over cache-sized chunks, shared by a few threads.

numpy releases the interpreter's lock inside its loops, so threads share the work; chunks that stay
in a core's own cache make a chain of array operations cost one trip to memory instead of one each.
Every voxel is computed by the same operations whichever thread takes it: answers are bit-identical
at any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

CHUNK = 1 << 14
"""Elements of a chunk for passes with dozens of float32 temporaries, which then fit a core's L2."""

CHUNK_BYTES = 384 * 1024
"""Size of one operand of a chunk: a few stay in a core's caches, and hide the cost of a call."""


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


def chunk_length(itemsize: int, divisor: int = 1) -> int:
    """Elements of one operand of a chunk; ``divisor`` makes it smaller for many operands."""
    return CHUNK_BYTES // (itemsize * divisor)


def chunks(start: int, stop: int, length: int) -> list[slice]:
    """Slices that cover ``start``..``stop``, each of at most ``length`` elements."""
    return [slice(first, min(first + length, stop)) for first in range(start, stop, length)]


def for_each_chunk(count: int, work: Callable[[slice], None], length: int = CHUNK) -> None:
    """Call ``work`` with slices that cover ``range(count)``, in threads when there are several."""
    if count <= length:
        if count:
            work(slice(0, count))
        return

    def take(pieces: Iterable[slice]) -> None:
        for piece in pieces:
            work(piece)

    share(chunks(0, count, length), take)
