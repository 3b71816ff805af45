# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of a job on a terminal, or as JSON lines that own file descriptor 1."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Any, TextIO

from ..jobs.events import Event, Failure, Job, Message, Progress, Result, T, to_json

# Set by a parent that has already moved Blender's own output away from descriptor 1.
JSON_FD = "STAGEWRIGHT_JSON_FD"

Sink = Callable[[Event], None]

_WIDTH = 100


def claim_stdout() -> int:
    """Keep descriptor 1 for JSON and send everything else there to descriptor 2.

    Blender prints from C, so ``sys.stdout`` alone is not enough. A parent that
    has done this before it started Blender leaves the number in the environment.
    """
    named = os.environ.pop(JSON_FD, None)
    if named is not None:
        return int(named)
    kept = os.dup(1)
    os.dup2(2, 1)
    return kept


def json_sink(descriptor: int) -> Sink:
    """One JSON line per event on ``descriptor``."""
    # Kept open until the process ends: the last line may come at the very end.
    stream = os.fdopen(descriptor, "w", encoding="utf-8", closefd=False)

    def write(event: Event) -> None:
        # The reader may have gone; the work goes on and the exit code still tells.
        with suppress(BrokenPipeError):
            stream.write(to_json(event) + "\n")
            stream.flush()

    return write


def terminal_sink(summary: Callable[[Mapping[str, Any]], str], stream: TextIO) -> Sink:
    """A progress line on ``stream`` that rewrites itself, and messages in between.

    Args:
        summary: the text that tells of the result.
        stream: where to write; a stream that is no terminal gets plain lines.
    """
    live = stream.isatty()
    last: tuple[str, int] | None = None

    def clear() -> None:
        if live:
            stream.write("\r\x1b[2K")

    def write(event: Event) -> None:
        nonlocal last
        clear()
        if isinstance(event, Progress):
            # A log gets a line per kind of work and tenth part done, not one per file.
            now = (event.step.partition(".")[0], int((event.fraction or 0.0) * 10))
            if live or now != last:
                stream.write(_progress_line(event) + ("" if live else "\n"))
            last = now
        elif isinstance(event, Message):
            stream.write(f"{event.level}: {event.text}\n")
        elif isinstance(event, Result):
            stream.write(summary(event.value) + "\n")
        elif isinstance(event, Failure):
            stream.write(f"error: {event.message} {event.cure}".rstrip() + "\n")
        stream.flush()

    return write


def _progress_line(event: Progress) -> str:
    text = event.message or event.step
    if event.fraction is None:
        return f"  ...  {text}"[:_WIDTH]
    return f"{event.fraction:5.0%}  {text}"[:_WIDTH]


def part(job: Job[T], start: float, stop: float) -> Job[T]:
    """``job`` as the part from ``start`` to ``stop`` of a larger one."""
    interrupt: KeyboardInterrupt | None = None
    done = start
    with closing(job):
        while True:
            try:
                event = next(job) if interrupt is None else job.throw(interrupt)
            except StopIteration as end:
                value: T = end.value
                return value
            if isinstance(event, Progress):
                # Never backwards: an inner job may count several things, one after the other.
                done = max(done, start + (stop - start) * (event.fraction or 0.0))
                event = Progress(event.step, done, event.message)
            interrupt = None
            try:
                yield event
            except KeyboardInterrupt as cancelled:
                interrupt = cancelled


def stderr_sink(summary: Callable[[Mapping[str, Any]], str]) -> Sink:
    """The terminal sink of the command line: results are for people, so not on stdout."""
    return terminal_sink(summary, sys.stderr)
