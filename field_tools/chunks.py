# SPDX-License-Identifier: GPL-3.0-or-later
"""Array passes in pieces that stay in a core's cache, spread over threads.

numpy lets go of the interpreter lock inside its passes, so plain threads do. Pieces write into
disjoint parts of their outputs: the answer does not depend on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

CHUNK = 1 << 14
"""Elements of a piece: some dozens of float32 temporaries of this length fit a core's L2."""


def for_each_chunk(count: int, work: Callable[[slice], None], chunk: int = CHUNK) -> None:
    """Call ``work`` with slices that cover ``range(count)``, in threads when there are several."""
    pieces = [slice(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    workers = min(os.cpu_count() or 1, len(pieces), 8)
    if workers < 2:
        for piece in pieces:
            work(piece)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, pieces):
            pass
