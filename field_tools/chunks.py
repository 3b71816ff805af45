# SPDX-License-Identifier: GPL-3.0-or-later
"""Array passes over slices that stay in a core's cache, spread over threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .parallel import chunks, share

CHUNK = 1 << 14
"""Elements of a slice: some dozens of float32 temporaries of this length fit a core's L2."""


def for_each_chunk(count: int, work: Callable[[slice], None], chunk: int = CHUNK) -> None:
    """Call ``work`` with slices that cover ``range(count)``, in threads when there are several."""
    if count <= chunk:
        if count:
            work(slice(0, count))
        return

    def take(pieces: Iterable[slice]) -> None:
        for piece in pieces:
            work(piece)

    share(chunks(0, count, chunk), take)
