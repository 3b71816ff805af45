# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of a job on a terminal, or as JSON lines that own file descriptor 1."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TextIO

from ..jobs.events import Event, Failure, Message, Progress, Result, to_json

# Set by whoever has already moved other output away from descriptor 1.
JSON_FD = "STAGEWRIGHT_JSON_FD"

Sink = Callable[[Event], None]

_BAR = 24


def claim_stdout() -> int:
    """Keep descriptor 1 for JSON and send everything else there to descriptor 2.

    Blender prints from C, so ``sys.stdout`` alone is not enough. Who has done
    this before Blender started leaves the number in the environment.
    """
    named = os.environ.pop(JSON_FD, None)
    if named is not None:
        return int(named)
    sys.stdout.flush()
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
    """A progress bar on ``stream`` that redraws itself, and messages in between.

    Args:
        summary: the text that tells of the result.
        stream: where to write; a stream that is no terminal gets plain lines.
    """
    live = stream.isatty()
    marks = _bar_marks(stream)
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
            if live:
                stream.write(_progress_bar(event, marks))
            elif now != last:
                stream.write(_progress_text(event) + "\n")
            last = now
        elif isinstance(event, Message):
            stream.write(f"{event.level}: {event.text}\n")
        elif isinstance(event, Result):
            stream.write(summary(event.value) + "\n")
        elif isinstance(event, Failure):
            stream.write(f"error: {event.message} {event.cure}".rstrip() + "\n")
        stream.flush()

    return write


def _progress_bar(event: Progress, marks: tuple[str, str]) -> str:
    """One line that fits the terminal: a line that wraps could not be redrawn."""
    filled = round((event.fraction or 0.0) * _BAR)
    bar = marks[0] * filled + marks[1] * (_BAR - filled)
    return f"{bar} {_progress_text(event)}"[: shutil.get_terminal_size().columns - 1]


def _progress_text(event: Progress) -> str:
    part_done = "  ..." if event.fraction is None else f"{event.fraction:5.0%}"
    return f"{part_done}  {event.message or event.step}"


def _bar_marks(stream: TextIO) -> tuple[str, str]:
    """What stands for done and to do, in an encoding that may know ASCII alone."""
    try:
        "█░".encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return "#", "-"
    return "█", "░"
