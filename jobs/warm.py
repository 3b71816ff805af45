# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process that stays: job after job without a cold start, in a queue that can be changed.

The queue is on this side, so that it can be reordered and outlives the child; the child
knows of one order at a time.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import StagewrightError
from .events import Failure, Job, Progress, Result, Waiting
from .process import (
    CHILD,
    ask,
    child_setup,
    end,
    follow,
    output_files,
    start_program,
    value_of,
)

PATIENCE = 0.3
"""Seconds that a job usually has to hear of its cancelling, and then its child to terminate."""


@dataclass(frozen=True, eq=False)
class Order:
    """A task of the package for a warm child, and its arguments; see ``process.run_child``."""

    task: str
    arguments: Mapping[str, Any]


class WarmChild:
    """A child Python for many jobs, started when the first of them runs.

    A child that died ends the job it was at, and the next job starts another. It ends
    when this process does.
    """

    def __init__(
        self,
        folder: Path,
        patience: float = PATIENCE,
        program: Sequence[str] = CHILD,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Make one that keeps its events and its log in ``folder``.

        Args:
            folder: created if need be.
            patience: seconds that a job has to hear of its cancelling, and then its child to
                terminate.
            program: the child and its arguments; it must do as ``child.py`` does.
            env: variables added to this process's environment.
        """
        self._folder = folder
        self._patience = patience
        self._program, self._env = program, env
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder
        self._queue: list[Order] = []
        self._numbers = itertools.count(1)

    @property
    def queue(self) -> tuple[Order, ...]:
        """The order that runs, and those that wait, in their order."""
        return tuple(self._queue)

    @property
    def pid(self) -> int | None:
        """Number of the process; None when none runs."""
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if alive and self._process is not None else None

    def run(self, order: Order) -> Job[Mapping[str, Any]]:
        """Run an order when its turn has come; it queues with the job's first step.

        Cancelling the job tells the child so, which hears of it at the job's next
        step; after its patience it is interrupted, and as long after that
        killed, and the next job starts another. Closing a job that runs ends the child.

        Raises:
            StagewrightError: what the job reported; ``program-not-started``;
                ``child-died`` when the child ended before the job did.
        """
        self._queue.append(order)
        try:
            place = -1
            while self._queue[0] is not order:
                if place != (place := self._queue.index(order)):
                    yield Progress("queue.wait", None, f"Waiting for {place} other")
                yield Waiting()
            return (yield from self._run(order))
        finally:
            self._queue.remove(order)

    def move(self, order: Order, place: int) -> None:
        """Let an order that waits take another place, 1 being the next to run."""
        if order in self._queue[1:]:
            self._queue.remove(order)
            self._queue.insert(max(place, 1), order)

    def close(self) -> None:
        """End the child; a later job starts another."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()  # Told so, it ends instead of taking the next order.
            end(process)

    def _run(self, order: Order) -> Job[Mapping[str, Any]]:
        process = self._started()
        events_path = self._folder / f"order-{next(self._numbers)}.jsonl"
        events_path.touch()
        words = {"task": order.task, "arguments": dict(order.arguments), "events": str(events_path)}
        _tell(process, words)
        ending: Result | Failure | None = None
        try:
            ending = yield from follow(process, events_path, self._log)
        except KeyboardInterrupt:
            following = follow(process, events_path, self._log)
            ending = yield from _cancel(process, following, self._patience)
            if not isinstance(ending, Result):
                raise
        finally:
            if ending is None:
                self.close()
            with contextlib.suppress(PermissionError):  # On Windows, while the child has it open.
                events_path.unlink()
        return value_of(ending)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            output, self._log = output_files(self._folder)
            self._process = start_program(
                self._program, output, self._log, self._env, subprocess.PIPE
            )
            _tell(self._process, child_setup())
        return self._process


def _tell(process: subprocess.Popen[bytes], words: Mapping[str, Any]) -> None:
    """Write a line to the child; that it is gone shows when its events are read."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(words).encode() + b"\n")
        process.stdin.flush()


def _cancel(
    process: subprocess.Popen[bytes], following: Job[Result | Failure], patience: float
) -> Job[Result | Failure | None]:
    """Tell the child to end its job, then interrupt it, then kill it.

    Returns:
        The job's ending; None when the child told none.
    """
    steps: tuple[Callable[[], None], ...] = (
        lambda: _tell(process, {}),
        lambda: ask(process, "terminate"),
        lambda: ask(process, "kill"),
    )
    with contextlib.closing(following):
        for step in steps:
            step()
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                try:
                    next(following)
                except StopIteration as stop:
                    ending: Result | Failure = stop.value
                    return ending
                except StagewrightError:
                    return None
                yield Waiting()
    return None
