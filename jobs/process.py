# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in another process, seen from here: a job of that process's events.

The other program writes its events, one JSON line each, into a file; this side
reads the file from where it stopped. Unlike a pipe, a file never blocks either
side, needs no thread, behaves alike on all systems, and outlives a crash.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, cast

from .errors import StagewrightError
from .events import Event, Failure, Job, Progress, Result, Waiting, from_json

GRACE = 3.0
"""Seconds a program has to wind up before it is killed."""

# Isolated: the search path comes with the order, nothing may slip in before it.
CHILD = (sys.executable, "-I", "-X", "utf8", str(Path(__file__).with_name("child.py")))
"""The program of a child, with its arguments."""

OTHER_PYTHON = {
    **dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONSTARTUP"), ""),
    "PYTHONUNBUFFERED": "1",
}
"""Environment of a program in another Python: nothing of this one's may lead it astray."""

_POSIX = os.name == "posix"


def run_program(
    argv: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> Job[Mapping[str, Any]]:
    """Run a program that prints events as JSON lines; its result is the value.

    The program gets a process group of its own. Cancelling the job asks the
    group to terminate, waits :data:`GRACE` seconds for it without blocking, and
    then kills it; closing the job does the same, but blocks while it waits.

    Args:
        argv: the program and its arguments.
        folder: keeps ``events-<n>.jsonl`` (standard output; lines that are no
            events stay there unheard) and ``program-<n>.log`` (standard error).
        env: variables added to this process's environment.
        stdin: text for the program's standard input; it leaves no file behind.

    Raises:
        StagewrightError: what the program reported; ``program-not-started``;
            ``child-died`` when it ended without a result.
    """
    events_path, log_path = output_files(folder)
    with tempfile.TemporaryFile() as standard_input:
        standard_input.write(stdin.encode())
        standard_input.seek(0)
        process = start_program(argv, events_path, log_path, env, standard_input)
    try:
        ending = yield from follow(process, events_path, log_path)
        yield from _wind_up(process)
        return value_of(ending)
    except KeyboardInterrupt:
        ask(process, "terminate")
        yield from _wind_up(process)
        raise
    finally:
        end(process)


def follow(
    process: subprocess.Popen[bytes], events_path: Path, log_path: Path
) -> Job[Result | Failure]:
    """Yield a program's events as it writes them; its last one is the value.

    Args:
        process: the program.
        events_path: the file it writes them to; other lines there are passed over.
        log_path: its standard error.

    Raises:
        StagewrightError: ``child-died`` when it ended without a last event.
    """
    doing = other = ""
    with contextlib.closing(_new_lines(events_path)) as lines:
        while True:
            # Asked before reading: what was written before the death is still read.
            ended = process.poll() is not None
            for line in next(lines):
                event = _event(line)
                if isinstance(event, Result | Failure):
                    return event
                if isinstance(event, Progress):
                    doing = event.message or event.step
                if event is None:
                    other = line.strip() or other
                else:
                    yield event
            if ended:
                raise _died(process, doing, _last_line(log_path) or other)
            yield Waiting()


def value_of(ending: Result | Failure) -> Mapping[str, Any]:
    """The result's value; a failure is raised."""
    if isinstance(ending, Failure):
        raise StagewrightError(ending.code, ending.message, ending.cure, ending.details)
    return ending.value


def run_child(task: str, arguments: Mapping[str, Any], *, folder: Path) -> Job[Mapping[str, Any]]:
    """Run a job of this package in a child Python, which never imports ``bpy``.

    The child is started by its file's path, gets this process's module search
    path (so that it finds the same ``pxr``), and knows the package as
    ``stagewright`` whatever it is called here. It ends when this process does.

    Args:
        task: ``"usd_tools.check:check_task"``: a module of the package, and a
            function in it that takes JSON keyword arguments and returns a job
            whose value is a JSON mapping.
        arguments: keyword arguments of the task.
        folder: as for :func:`run_program`.

    Raises:
        StagewrightError: as :func:`run_program`.
    """
    order = {**child_setup(), "task": task, "arguments": dict(arguments)}
    return (yield from run_program(CHILD, folder=folder, stdin=json.dumps(order)))


def child_setup() -> dict[str, Any]:
    """What a child of this process has to know first."""
    return {"sys_path": [entry or os.getcwd() for entry in sys.path], "parent": os.getpid()}


def output_files(folder: Path) -> tuple[Path, Path]:
    """New, empty files for events and log; several programs may share a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        events_path = folder / f"events-{number}.jsonl"
        try:
            events_path.touch(exist_ok=False)
        except FileExistsError:
            continue
        log_path = folder / f"program-{number}.log"
        log_path.touch()
        return events_path, log_path
    raise AssertionError("numbers do not end")


def start_program(
    argv: Sequence[str],
    events_path: Path,
    log_path: Path,
    env: Mapping[str, str] | None,
    stdin: IO[bytes] | int,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, its output going to these files.

    It is started in ``folder``, or in this process's own.

    Raises:
        StagewrightError: ``program-not-started``.
    """
    with events_path.open("ab") as standard_output, log_path.open("ab") as standard_error:
        try:
            return subprocess.Popen(
                list(argv),
                stdin=stdin,
                stdout=standard_output,
                stderr=standard_error,
                env={**os.environ, **(env or {})},
                cwd=folder,
                **_own_group(),
            )
        except OSError as error:
            raise StagewrightError(
                "program-not-started",
                f"{argv[0]} cannot be started: {error.strerror or error}.",
                "Check that the file is there and may be run.",
            ) from error


def _own_group() -> dict[str, Any]:
    if _POSIX:
        return {"start_new_session": True}
    flags = vars(subprocess)
    return {"creationflags": flags["CREATE_NEW_PROCESS_GROUP"] | flags["CREATE_NO_WINDOW"]}


def ask(process: subprocess.Popen[bytes], how: Literal["terminate", "kill"]) -> None:
    """Ask the program's group to terminate, or kill it."""
    if process.poll() is not None:
        return
    try:
        if _POSIX:
            os.killpg(process.pid, signal.SIGTERM if how == "terminate" else signal.SIGKILL)
        elif how == "terminate":
            process.send_signal(vars(signal)["CTRL_BREAK_EVENT"])
        else:
            process.kill()
    except ProcessLookupError:
        return  # It ended between the question and the signal.


def _wind_up(process: subprocess.Popen[bytes]) -> Job[None]:
    """Wait :data:`GRACE` seconds for the program's end, or until an interrupt; then kill it.

    The interrupt ends only the waiting: what the program came to is decided by then.
    """
    deadline = time.monotonic() + GRACE
    try:
        with contextlib.suppress(KeyboardInterrupt):
            while process.poll() is None and time.monotonic() < deadline:
                yield Waiting()
    finally:
        ask(process, "kill")


def end(process: subprocess.Popen[bytes]) -> None:
    """Make sure that the program is gone."""
    if process.poll() is None:
        ask(process, "terminate")
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            ask(process, "kill")
    process.wait()


def _new_lines(path: Path) -> Generator[list[str], None, None]:
    """Yield, again and again, the whole lines that were added to ``path``."""
    with path.open("rb") as file:
        rest = b""
        while True:
            *whole, rest = (rest + file.read()).split(b"\n")
            yield [line.decode("utf-8", "replace") for line in whole]


def _event(line: str) -> Event | None:
    """The event of a line; None for any other line."""
    try:
        return from_json(line)
    except ValueError:
        return None


def _died(process: subprocess.Popen[bytes], doing: str, words: str) -> StagewrightError:
    code, argv = process.returncode, cast("list[str]", process.args)
    how = f"ended with code {code}"
    if code < 0:
        how = f"was killed by {signal.Signals(-code).name}"
    while_doing = f" while at “{doing}”" if doing else ""
    said = f"; its last words: {words.rstrip('.')}" if words else ""
    return StagewrightError(
        "child-died",
        f"{Path(argv[0]).name} {how}{while_doing}{said}.",
        "Run it again, and report it if it happens twice.",
    )


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
