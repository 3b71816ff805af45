# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse work that cannot fit in memory, before anything is allocated."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from ..jobs.errors import StagewrightError


def available_memory() -> int:
    """Bytes that a new array may use now, or the machine's memory where that is not told."""
    if sys.platform == "win32":
        return _available_on_windows()
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # macOS has no /proc: its whole memory is the honest upper bound there.
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def require_memory(needed: int, what: str) -> None:
    """Refuse work whose estimated peak is above the memory that is free.

    Args:
        needed: estimated peak in bytes, above what is allocated already.
        what: the thing that needs it, for the message ("a grid of 4096 x 4096 x 4096 voxels").

    Raises:
        StagewrightError: ``out-of-memory``, naming both figures.
    """
    free = available_memory()
    if needed > free:
        raise StagewrightError(
            "out-of-memory",
            f"{what} needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB is free.",
            "Use a larger voxel size or a smaller region.",
            {"needed": int(needed), "available": int(free)},
        )


def _available_on_windows() -> int:
    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("available", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 5),
        )

    status = Status(length=ctypes.sizeof(Status))
    windll = getattr(ctypes, "windll")  # noqa: B009  (exists on Windows alone)
    windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.available)
