# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process of this machine is gone for certain."""

from __future__ import annotations

import os
import platform
import sys
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def machine() -> str:
    """What process numbers of this process mean something within.

    The machine, told by more than its name (many are called "localhost"), and
    on Linux the process namespace: containers number their processes anew.
    """
    parts = [platform.node()]
    if not uuid.getnode() >> 40 & 1:  # else a random number stands for a missing MAC address
        parts.append(f"{uuid.getnode():x}")
    if sys.platform == "linux":
        with suppress(OSError):
            parts.append(Path("/etc/machine-id").read_text(encoding="ascii").strip())
        with suppress(OSError):
            parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def is_dead(pid: int, start: str | None) -> bool:
    """Whether the process that had this number is gone; False when in doubt.

    Args:
        pid: its number, of this machine.
        start: what :func:`started` said of it then; None when not known.
    """
    if not _exists(pid):
        return True
    current = started(pid)
    return start is not None and current is not None and current != start


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
    _STILL_ACTIVE = 259
    _ACCESS_DENIED = 5

    def _exists(pid: int) -> bool:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(_QUERY, False, pid)
        if not handle:
            return ctypes.get_last_error() == _ACCESS_DENIED
        code = wintypes.DWORD()
        told = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return not told or code.value == _STILL_ACTIVE

    def started(pid: int) -> str | None:
        """When a process started, in the system's own units; None when not told."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(_QUERY, False, pid)
        if not handle:
            return None
        times = [wintypes.FILETIME() for _ in range(4)]
        told = kernel.GetProcessTimes(handle, *(ctypes.byref(each) for each in times))
        kernel.CloseHandle(handle)
        return f"{times[0].dwHighDateTime}:{times[0].dwLowDateTime}" if told else None

else:

    def _exists(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        fields = _stat(pid)
        return not fields or fields[0] not in ("Z", "X")  # a zombie runs no more

    def started(pid: int) -> str | None:
        """When a process started, in the system's own units; None when not told."""
        fields = _stat(pid)
        if not fields:
            return None
        boot = ""
        with suppress(OSError):
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{fields[19]}"  # field 22 of proc(5): ticks since boot

    def _stat(pid: int) -> list[str]:
        """Fields of /proc/PID/stat from the third on (state, ...); empty where there is none."""
        with suppress(OSError):
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            return text.rpartition(")")[2].split()  # the second is a name that may hold spaces
        return []
