# SPDX-License-Identifier: GPL-3.0-or-later
"""Array passes over cache-sized chunks, shared by a few threads.

numpy releases the interpreter's lock inside its loops, so threads share the work; chunks that stay
in a core's own cache make a chain of array operations cost one trip to memory instead of one each.
Every voxel is computed by the same operations whichever thread takes it: answers are bit-identical
at any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..jobs.threads import share

CHUNK = 1 << 14
"""Elements of a chunk for passes with dozens of float32 temporaries, which then fit a core's L2."""

CHUNK_BYTES = 384 * 1024
"""Size of one operand of a chunk: a few stay in a core's caches, and hide the cost of a call."""


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
