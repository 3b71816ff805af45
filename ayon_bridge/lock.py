# SPDX-License-Identifier: GPL-3.0-or-later
"""One publisher at a time per product, on any drive, without a server.

A lock is a folder that holds ``holder.json``. It is made under another name
and renamed into place, so it appears at once with its content, or not at all:
renaming onto a folder that is not empty fails everywhere, shared drives and
drives without hard links included.

A lock whose holder died is taken over, but only on proof: the same machine and
process namespace, and no process of that number, or one that started at
another time. Takers on one machine queue at a guard file (``flock``), which
the system frees when its holder dies; so no two of them judge the same dead
lock at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .entities import now
from .files import file_errors, make_folder, remove_tree
from .processes import is_dead, machine, started

GUARD_SECONDS = 10.0
"""How long to wait for other takers, who hold the guard for milliseconds."""

_NEW = "new"
_RELEASED = "released"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes:
        host: name of the machine, for people.
        pid: number of the process.
        since: UTC, ISO 8601.
        machine: tells machines and process namespaces apart.
        started: when the process started; None where the system does not tell.
        token: tells one taking from the next.
    """

    host: str
    pid: int
    since: str
    machine: str
    started: str | None
    token: str


@dataclass(frozen=True)
class Lock:
    """A lock that this process took."""

    path: Path
    holder: Holder

    def is_held(self) -> bool:
        """Whether nobody broke the lock meanwhile."""
        current = _holder(self.path)
        return current is not None and current.token == self.holder.token

    def release(self) -> None:
        """Give the lock back; one that somebody else took meanwhile stays theirs.

        Never fails: it comes after work that is done.
        """
        if not self.is_held():
            return
        released = self.path.with_name(f"{_RELEASED}-{_machine_mark()}-{self.holder.token}")
        # A lock that cannot be moved is taken over when this process is gone; what came
        # before, a publish perhaps, is no less done for it.
        with contextlib.suppress(OSError):
            os.rename(self.path, released)  # at once, as it came
            shutil.rmtree(released)


def acquire(path: Path, subject: str, *, break_lock: bool = False) -> Job[Lock]:
    """Take a lock.

    Args:
        path: where the lock is made; its parent belongs to locks alone.
        subject: what is locked, for the message ('the product "usdMain"').
        break_lock: take it over without proof that its holder died.

    Raises:
        StagewrightError: ``library-locked`` with host, process and time of the
            holder; ``library-busy`` when other takers do not come to an end.
    """
    yield from make_folder(path.parent, [])
    with file_errors(path.parent):
        guard = (path.parent / "guard").open("a+b")
    with guard:
        yield from _wait_for(guard, path.parent)
        yield from _remove_leftovers(path.parent)
        if not break_lock:
            refuse_if_held(path, subject)
        yield from _move_aside(path)
        return (yield from _make(path, subject))


def refuse_if_held(path: Path, subject: str) -> None:
    """Say now what :func:`acquire` would say later; changes nothing.

    Raises:
        StagewrightError: ``library-locked``, unless the holder died.
    """
    holder = _holder(path)
    if path.exists() and (holder is None or not _died(holder)):
        raise _locked(path, subject, holder)


def _make(path: Path, subject: str) -> Job[Lock]:
    mine = Holder(
        host=platform.node(),
        pid=os.getpid(),
        since=now(),
        machine=machine(),
        started=started(os.getpid()),
        token=uuid.uuid4().hex,
    )
    new = _unused_name(path, mine.token)
    try:
        yield Progress("library.lock", message=f"Locking {subject}")
        with file_errors(new):
            new.mkdir()
        yield Progress("library.lock", message=f"Locking {subject}")
        with file_errors(new):
            (new / "holder.json").write_text(json.dumps(asdict(mine)), encoding="utf-8")
        yield Progress("library.lock", message=f"Locking {subject}")
        with file_errors(path):
            os.rename(new, path)
    except BaseException as error:
        shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, StagewrightError) and path.exists():
            # A process of another machine, which no guard holds back, was faster.
            raise _locked(path, subject, _holder(path)) from error
        raise
    return Lock(path, mine)


def _died(holder: Holder) -> bool:
    return holder.machine == machine() and is_dead(holder.pid, holder.started)


def _holder(path: Path) -> Holder | None:
    """Who holds the lock; None when nobody does or it cannot be read."""
    try:
        return Holder(**json.loads((path / "holder.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _locked(path: Path, subject: str, holder: Holder | None) -> StagewrightError:
    who = (
        f"process {holder.pid} on {holder.host} since {holder.since}"
        if holder
        else f'somebody who cannot be told from "{path}"'
    )
    return StagewrightError(
        "library-locked",
        f"{subject[:1].upper()}{subject[1:]} is being published by {who}.",
        "Wait until it is done, or use --break-lock when that process is gone.",
    )


def _unused_name(path: Path, token: str) -> Path:
    # The machine in the name lets leftovers be told from another machine's work.
    return path.with_name(f"{_NEW}-{_machine_mark()}-{token}")


def _machine_mark() -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, machine()).hex[:12]


def _remove_leftovers(folder: Path) -> Job[None]:
    """Remove what died takers of this machine left; under the guard there are no others."""
    for leftover in sorted(folder.glob(f"{_NEW}-{_machine_mark()}-*")):
        yield from remove_tree(leftover)
    for released in sorted(folder.glob(f"{_RELEASED}-{_machine_mark()}-*")):
        yield Progress("library.remove", message=f"Removing {released.name}")
        # Most likely it is just being removed: releasing needs no guard.
        shutil.rmtree(released, ignore_errors=True)


def _move_aside(path: Path) -> Job[None]:
    if not path.exists():
        return
    aside = _unused_name(path, uuid.uuid4().hex)
    yield Progress("library.lock", message="Taking over a lock")
    with file_errors(path):
        try:
            os.rename(path, aside)
        except FileNotFoundError:
            return  # its holder was alive, and has just released it
    yield from remove_tree(aside)


def _wait_for(guard: IO[bytes], folder: Path) -> Job[None]:
    """Take the guard, giving way between tries: its holder may be a job of this process."""
    deadline = time.monotonic() + GUARD_SECONDS
    while not _try_guard(guard):
        if time.monotonic() > deadline:
            raise StagewrightError(
                "library-busy",
                f'Another process keeps the locks in "{folder}" to itself.',
                "Try again in a moment.",
            )
        yield Progress("library.wait", message="Waiting for another publish")
        time.sleep(0.01)


if sys.platform == "win32":
    import msvcrt

    def _try_guard(guard: IO[bytes]) -> bool:
        guard.seek(0)
        with contextlib.suppress(OSError):
            msvcrt.locking(guard.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        return False

else:
    import fcntl

    def _try_guard(guard: IO[bytes]) -> bool:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(guard.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False
