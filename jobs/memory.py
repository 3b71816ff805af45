# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory there is, asked before work that takes much of it."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import StagewrightError

_LINUX = Path("/proc/meminfo")


def available_memory() -> int | None:
    """Bytes that can be taken without pushing others out; None where it is not known.

    On Linux what the kernel estimates, on other Unixes all there is.
    """
    try:
        if _LINUX.exists():
            for line in _LINUX.read_text("ascii").splitlines():
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def require_memory(needed: int, what: str) -> None:
    """Refuse work that would take more memory than there is.

    Args:
        needed: bytes, an estimate.
        what: the work, as the sentence begins (``"A set of 8192 pixels"``).

    Raises:
        StagewrightError: ``out-of-memory``.
    """
    there = available_memory()
    if there is not None and needed > there:
        raise StagewrightError(
            "out-of-memory",
            f"{what} takes about {needed / 2**30:.1f} GB of memory; {there / 2**30:.1f} are free.",
            "Choose a smaller size, or close other programs.",
        )
