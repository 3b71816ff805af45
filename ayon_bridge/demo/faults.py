# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that the demo server plays: refusals, slowness, hanging, lost answers, death."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, get_args

from ...jobs.errors import StagewrightError

Action = Literal["status", "slow", "hang", "drop", "lost", "html", "redirect", "die"]

_MOMENTS = ("before", "batch", "after")


@dataclass
class Fault:
    """What goes wrong with which requests.

    Attributes:
        method: the requests' HTTP method; "*" for any.
        path: pattern that is looked for in the requests' path.
        action: ``status`` answers with the HTTP status ``value``; ``slow`` waits
            ``value`` seconds first; ``hang`` never answers; ``drop`` ends the
            connection at once, ``lost`` after the work is done; ``html`` answers a
            page; ``redirect`` sends elsewhere (to ``value``); ``die`` ends the
            server's process: ``before`` the work, in the middle of a ``batch``, or
            ``after`` the work but before its answer.
        value: as the action needs it.
        times: how many requests it meets; endless when negative.
    """

    method: str
    path: str
    action: Action
    value: str = ""
    times: int = 1

    @classmethod
    def parse(cls, text: str) -> Fault:
        """A fault from ``METHOD PATH ACTION[=VALUE] [TIMES]``.

        Raises:
            StagewrightError: ``bad-fault``.
        """
        words = text.split()
        action, _, value = words[2].partition("=") if len(words) in (3, 4) else ("", "", "")
        times = words[3] if len(words) == 4 else "1"
        good = action in get_args(Action) and re.fullmatch(r"-?\d+", times) is not None
        if good and action == "die":
            good = value in _MOMENTS
        if good and action in ("status", "slow"):
            good = re.fullmatch(r"\d+(\.\d+)?", value) is not None
        if not good:
            raise StagewrightError(
                "bad-fault",
                f'"{text}" does not describe a fault.',
                'Write "METHOD PATH ACTION=VALUE TIMES", such as "POST operations status=503 2".',
            )
        return cls(words[0], words[1], action, value, int(times))  # type: ignore[arg-type]

    def meets(self, method: str, path: str) -> bool:
        """Whether a request has this fault."""
        return self.method in ("*", method) and re.search(self.path, path) is not None


@dataclass
class Faults:
    """The faults to come, in their order. Safe to use from many threads."""

    planned: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, *faults: Fault) -> None:
        """Plan more faults."""
        with self._lock:
            self.planned += faults

    def clear(self) -> None:
        """Plan nothing."""
        with self._lock:
            self.planned.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault of a request, which is used up by it; None for none."""
        with self._lock:
            for fault in self.planned:
                if fault.times and fault.meets(method, path):
                    fault.times -= 1
                    return fault
        return None


def parse_all(texts: Iterable[str]) -> Faults:
    """Faults from their descriptions."""
    return Faults([Fault.parse(text) for text in texts])


def die() -> None:
    """End this process at once, as a kill does."""
    os._exit(137)
