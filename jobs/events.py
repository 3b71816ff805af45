# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of long work, and their JSON lines.

A job is a generator: it yields :class:`Progress` and :class:`Message`, returns
its value, and raises :class:`~.errors.StagewrightError` when it cannot go on.
The driver that runs it adds the last event, :class:`Result` or
:class:`Failure`, so a reader of the lines always meets exactly one of them.

A job that waits for another process yields :class:`Waiting` and returns to its
driver at once: the driver sleeps, or does something else, before the next step.

A job is cancelled by throwing ``KeyboardInterrupt`` into it, as Ctrl-C does; it
may yield :class:`Waiting` while it winds up, and then lets the exception pass.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

from .errors import StagewrightError

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """Where the work stands.

    Attributes:
        step: stable name of the step that comes next (``"library.rename"``).
        fraction: part of the whole job done, 0 to 1, or None when unknown.
        message: what is being done, for a person.
    """

    step: str
    fraction: float | None = None
    message: str = ""


@dataclass(frozen=True)
class Message:
    """Something a person should read, which does not stop the work."""

    text: str
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True)
class Preview:
    """A picture of what is being made, for a window.

    Attributes:
        path: an ``.npy`` file of float32 (rows, columns, 4), RGBA, the first row on top.
    """

    path: str


@dataclass(frozen=True)
class Result:
    """The work is done; ``value`` holds plain JSON data."""

    value: Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """The work ended without a result; fields as in ``StagewrightError``."""

    code: str
    message: str
    cure: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """Nothing new yet: said to the driver alone, never written out."""


Event = Progress | Message | Preview | Result | Failure
Job = Generator[Event | Waiting, None, T]

_NAMES: dict[type, str] = {
    Progress: "progress",
    Message: "message",
    Preview: "preview",
    Result: "result",
    Failure: "error",
}
_TYPES = {name: kind for kind, name in _NAMES.items()}


def to_json(event: Event) -> str:
    """One JSON line (without the newline), with ``event`` and ``time`` (Unix seconds)."""
    fields = {"event": _NAMES[type(event)], "time": round(time.time(), 3)}
    return json.dumps(fields | asdict(event), ensure_ascii=False)


def from_json(line: str) -> Event:
    """The event of one JSON line; raises ValueError for anything else."""
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError(f"not an event: {line[:80]}")
    fields.pop("time", None)
    kind = _TYPES.get(fields.pop("event", ""))
    if kind is None:
        raise ValueError(f"not an event: {line[:80]}")
    try:
        event: Event = kind(**fields)
    except TypeError as error:
        raise ValueError(f"not an event: {line[:80]}") from error
    return event


def failure_of(error: StagewrightError) -> Failure:
    """The event that tells of ``error``."""
    return Failure(error.code, error.message, error.cure, error.details)
