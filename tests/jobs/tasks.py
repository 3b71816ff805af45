# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that the tests run in a child process."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress


def count(upto: int) -> Job[dict[str, Any]]:
    """Count, and tell each number."""
    for number in range(upto):
        yield Progress("count", number / upto, f"number {number}")
    return {"sum": sum(range(upto))}


def surroundings() -> Job[dict[str, Any]]:
    """Tell what the child sees of the world."""
    yield Message("looking around")
    package = __name__.partition(".")[0]
    return {
        "package": package,
        "root": str(Path(importlib.import_module(package).__file__ or "").parent),
        "path": sys.path,
        "bpy": "bpy" in sys.modules,
        "group": os.getpgrp(),
    }


def usd_library() -> Job[dict[str, Any]]:
    """Tell which USD library is found."""
    yield Progress("import")
    from pxr import Usd

    return {"version": Usd.GetVersion(), "file": Usd.__file__}


def chatter() -> Job[dict[str, Any]]:
    """Print, from Python and past it."""
    print("printed from Python", flush=True)
    os.write(1, b"written to descriptor 1\n")
    yield Message("said")
    return {}


def fail() -> Job[dict[str, Any]]:
    """Fail as a job does."""
    yield Progress("try")
    raise StagewrightError("no-luck", "The “lamp” is out.", "Light it.", {"lamps": [0, 1]})


def stumble() -> Job[dict[str, Any]]:
    """Fail as a job must not."""
    yield Progress("try")
    raise ZeroDivisionError("by zero")


def kill_itself() -> Job[dict[str, Any]]:
    """Die without a word."""
    yield Progress("knot", 0.5, "tying a knot")
    print("the rope is ready", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def work_until_stopped(folder: str) -> Job[dict[str, Any]]:
    """Work for ever, with a file that lives as long as the work."""
    scratch = Path(folder) / "scratch"
    scratch.write_text(str(os.getpid()))
    try:
        while True:
            yield Progress("turn", None, str(os.getpid()))
            time.sleep(0.01)
    finally:
        scratch.unlink()


def ignore_termination() -> Job[dict[str, Any]]:
    """Refuse to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        yield Progress("turn", None, str(os.getpid()))
        time.sleep(0.01)


def work_until_told(folder: str, name: str) -> Job[dict[str, Any]]:
    """Work until a file of this name appears."""
    while not (Path(folder) / name).exists():
        yield Progress("turn")
        time.sleep(0.01)
    return {"name": name}


def work_in_one_step(folder: str) -> Job[dict[str, Any]]:
    """Work for ever without ever asking whether to go on, as a long kernel does."""
    scratch = Path(folder) / "scratch"
    yield Progress("turn", None, str(os.getpid()))
    try:
        scratch.touch()
        while True:
            time.sleep(0.01)
    finally:
        scratch.unlink()


def hear_nothing() -> Job[dict[str, Any]]:
    """Refuse to end, in one step."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield Progress("turn", None, str(os.getpid()))
    while True:
        time.sleep(0.01)
