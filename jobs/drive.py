# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a job: how it ends, and the driver for programs without a window."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from .errors import StagewrightError, cancelled
from .events import Event, Failure, Job, Result, T, Waiting, failure_of

PAUSE = 0.02
"""Seconds that :func:`drain` sleeps when a job waits for another process."""


def with_ending(job: Job[T]) -> Job[T]:
    """The same job, which also yields its last event: ``Result`` or ``Failure``.

    A value that is no mapping stays inside this process, and its ``Result`` is
    empty: events hold plain JSON data.

    Raises:
        StagewrightError: what the job raised; code ``cancelled`` for an
            interrupt and ``unexpected`` for any other exception, whose
            traceback goes to standard error.
    """
    try:
        value = yield from job
    except StagewrightError as error:
        yield failure_of(error)
        raise
    except KeyboardInterrupt as interrupt:
        failure = cancelled()
        yield failure_of(failure)
        raise failure from interrupt
    except Exception as cause:
        traceback.print_exc(file=sys.stderr)
        failure = StagewrightError(
            "unexpected",
            f"Something went wrong that should not: {type(cause).__name__}: {cause}.",
            "Please report it with the traceback in the log.",
        )
        yield failure_of(failure)
        raise failure from cause
    yield Result(value if isinstance(value, Mapping) else {})
    return value


def drain(job: Job[T], sink: Callable[[Event], None]) -> T:
    """Run ``job`` to its end and return its value.

    An interrupt is passed on to the job, which winds up what it has started. Once
    the job has ended, it comes too late and changes nothing.

    Args:
        job: closed on every way out.
        sink: is given every event; the last one is ``Result`` or ``Failure``.

    Raises:
        StagewrightError: as :func:`with_ending`.
    """
    interrupted = False
    event: Event | Waiting | None = None
    _Asked.now = False
    with contextlib.closing(with_ending(job)) as steps:
        while True:
            try:
                if _Asked.now and not isinstance(event, Result | Failure):
                    interrupted = True
                _Asked.now = False
                event = steps.throw(KeyboardInterrupt()) if interrupted else next(steps)
                interrupted = False
                if isinstance(event, Waiting):
                    time.sleep(PAUSE)
                else:
                    sink(event)
            except StopIteration as stop:
                value: T = stop.value
                return value
            except KeyboardInterrupt:
                _Asked.now = False
                if interrupted:
                    raise
                interrupted = not isinstance(event, Result | Failure)


def interrupt_on_termination() -> None:
    """Let a request to terminate (SIGTERM; Ctrl-Break on Windows) act as Ctrl-C does.

    A program that was started with one of them ignored goes on ignoring it.
    """
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def ask_to_end() -> None:
    """Interrupt the job that :func:`drain` runs before its next step; from any thread."""
    _Asked.now = True


class _Asked:
    """Whether to end; others may swallow the exception (Cycles does, while it renders).

    No ``threading.Event``: its lock may be held by the very code that a signal breaks into.
    """

    now = False


def _interrupt(number: int, frame: object) -> None:
    _Asked.now = True
    raise KeyboardInterrupt
