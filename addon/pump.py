# SPDX-License-Identifier: GPL-3.0-or-later
"""The pump: one timer that steps all jobs of the window, and what panels show of them.

Without a window no timer fires: there a job is drained on the spot. Jobs outlive
the loading of another file, since what they need of a file they took at once.
"""

from __future__ import annotations

import atexit
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import bpy

from ..jobs.drive import drain, with_ending
from ..jobs.errors import StagewrightError
from ..jobs.events import Event, Failure, Job, Message, Progress, Waiting

INTERVAL = 0.1
"""Seconds between two ticks."""

QUICK = 0.02
"""The same while something runs whose answer the artist waits for."""

BUDGET = 0.01
"""Seconds that a tick may work, all jobs together; one step may take longer."""


@dataclass(eq=False)
class Task:
    """A job in the window, as panels show it.

    Attributes:
        kind: jobs of one kind run one at a time (``"publish"``).
        label: what it does, for a person.
        fraction: part done, 0 to 1, or None when unknown.
        message: what is being done; at the end, what came of it.
        value: its result, when it has ended well.
        failure: why it ended without a result.
        running: whether it still has steps to go.
        cancelling: whether it was asked to end.
        quiet: whether it is so short that no panel shows it (a preview).
    """

    kind: str
    label: str
    job: Job[Mapping[str, Any]] = field(repr=False)
    number: int = field(default_factory=itertools.count(1).__next__)
    fraction: float | None = None
    message: str = ""
    value: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    running: bool = True
    cancelling: bool = False
    quiet: bool = False

    @property
    def status(self) -> str:
        """What it is at, for a person."""
        return "Cancelling" if self.cancelling else self.message or "Starting"

    def step(self) -> Event | Waiting | None:
        """Run the job to its next event and take that over; None at its end.

        Raises:
            StagewrightError: when the job failed; told by ``failure`` as well.
        """
        try:
            if self.cancelling and not self._told:
                self._told = True
                event = self.job.throw(KeyboardInterrupt())
            else:
                event = next(self.job)
        except StopIteration as stop:
            self.running = False
            self.value = stop.value
            return None
        except StagewrightError:
            self.running = False
            raise
        self.take(event)
        return event

    def take(self, event: Event | Waiting) -> None:
        """Show what ``event`` says."""
        if isinstance(event, Progress):
            self.fraction, self.message = event.fraction, event.message
        elif isinstance(event, Message):
            self.message = event.text
        elif isinstance(event, Failure):
            self.failure = event

    _told: bool = field(default=False, repr=False)


_tasks: list[Task] = []


def tasks() -> tuple[Task, ...]:
    """Jobs that run, and the last of each kind that has ended, oldest first; no quiet ones."""
    return tuple(task for task in _tasks if not task.quiet)


def last(kind: str) -> Task | None:
    """The job of this kind that runs or has ended last."""
    return next((task for task in reversed(_tasks) if task.kind == kind), None)


def is_running(kind: str) -> bool:
    """Whether a job of this kind runs."""
    task = last(kind)
    return task is not None and task.running


def run(job: Job[Mapping[str, Any]], kind: str, label: str) -> Task:
    """Run ``job``: to its end without a window, else beside the artist's work.

    Raises:
        StagewrightError: when the job failed; in a window, when its first step did.
    """
    if not bpy.app.background:
        return start(job, kind, label)
    task = Task(kind, label, job, running=False)
    task.value = drain(job, task.take)
    return task


def start(job: Job[Mapping[str, Any]], kind: str, label: str, *, quiet: bool = False) -> Task:
    """Make the first step of ``job`` and leave the rest to the pump.

    The first step is made while Blender's context is still that of the caller.

    Args:
        job: to run beside the artist's work.
        kind: see :class:`Task`.
        label: likewise.
        quiet: whether panels pass over it, and it is stepped more often.

    Raises:
        StagewrightError: when the first step failed.
    """
    task = Task(kind, label, with_ending(job), quiet=quiet)
    _tasks[:] = [other for other in _tasks if other.kind != kind or other.running]
    _tasks.append(task)
    if isinstance(task.step(), Failure):
        task.step()
    if quiet and bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=_interval(), persistent=True)
    redraw()
    return task


def cancel(number: int) -> None:
    """Ask a job to end; it winds up in the following ticks."""
    for task in _tasks:
        if task.number == number:
            task.cancelling = True
    redraw()


def dismiss(number: int) -> None:
    """Forget a job that has ended."""
    _tasks[:] = [task for task in _tasks if task.number != number or task.running]
    redraw()


def tick() -> float | None:
    """Step all running jobs once; the timer's function."""
    running = [task for task in _tasks if task.running]
    deadline = time.monotonic() + BUDGET
    before = [_shown(task) for task in running]
    for task in running:
        _advance(task, deadline)
    if [_shown(task) for task in running] != before:
        redraw()
    return _interval() if any(task.running for task in _tasks) else None


def _interval() -> float:
    return QUICK if any(task.quiet and task.running for task in _tasks) else INTERVAL


def _advance(task: Task, deadline: float) -> None:
    """Step until the job waits or ends, or time is up; at least once."""
    while True:
        try:
            event = task.step()
        except StagewrightError:
            return  # Kept as the task's failure.
        if event is None or isinstance(event, Waiting) or time.monotonic() > deadline:
            return


def _shown(task: Task) -> tuple[object, ...]:
    """What panels show: unchanged means that nothing need be redrawn."""
    percent = None if task.fraction is None else round(task.fraction * 100)
    return percent, task.status, task.running, task.failure


def redraw() -> None:
    """Redraw the sidebars, the nodes and the status bars."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "TEXT_EDITOR", "IMAGE_EDITOR", "NODE_EDITOR"):
                for region in area.regions:
                    if region.type == "UI" or area.type == "NODE_EDITOR":
                        region.tag_redraw()
        # The status bar belongs to no screen: setting its text redraws it. A tool that
        # is at work (knife, transform) has its own text there.
        if not bpy.app.background and not window.modal_operators:
            with bpy.context.temp_override(window=window):
                window.workspace.status_text_set_internal(None)


def stop() -> None:
    """End all jobs now; waits for the programs they have started."""
    for task in _tasks:
        task.job.close()
    _tasks.clear()


def register() -> None:
    """Make sure that no job outlives Blender."""
    atexit.register(stop)


def unregister() -> None:
    """End all jobs and take the timer away."""
    atexit.unregister(stop)
    stop()
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
