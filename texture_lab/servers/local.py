# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on this machine that is started and ended with the work."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Progress, Waiting
from ...jobs.process import OTHER_PYTHON, ask, start_program

READY = "server.ready"
"""Step of the events that tell where the server runs: the last word of their message."""

_ADDRESS = re.compile(
    r"(?:https?://)?(?:127\.0\.0\.1|localhost|0\.0\.0\.0|\[::1?\]):\d{2,5}(?!\d)", re.IGNORECASE
)
_BEAT = 1.0
"""Seconds between events: whoever writes them notices that nobody is left to read them."""
_GRACE = 2.0
"""Seconds that the server has to end; less than whoever ends this process gives it."""


def serve(kind: str, command: str, folder: str, log: str) -> Job[Mapping[str, Any]]:
    """Run a server until the job is cancelled; it ends with all that it has started.

    To be run in a child process (see ``jobs.process.run_child``): so the server ends, too, when
    the program that wanted it is killed.

    Args:
        kind: what it is, for people.
        command: its program and arguments, as in a shell; no shell reads it.
        folder: where it is started.
        log: file for what it says.

    Raises:
        StagewrightError: ``no-command``, ``no-folder``, ``program-not-started``;
            ``server-ended``: it ended by itself.
    """
    words = _words(kind, command)
    if not Path(folder or ".").is_dir():
        raise StagewrightError(
            "no-folder", f"The folder of {kind}, {folder}, is not there.", "Choose its folder."
        )
    path = Path(log)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    place = Path(folder) if folder else None
    process = start_program(words, path, path, OTHER_PYTHON, subprocess.DEVNULL, folder=place)
    try:
        yield from _followed(kind, process, path)
    finally:
        _end(process)
    return {}


def _followed(kind: str, process: subprocess.Popen[bytes], log: Path) -> Job[None]:
    """Tell what the server says until it tells its address, then the address."""
    url, told, beat = "", "", 0.0
    while process.poll() is None:
        if time.monotonic() - beat < _BEAT:
            yield Waiting()
            continue
        beat = time.monotonic()
        if not url:
            text = log.read_bytes()[-1_000_000:].decode("utf-8", "replace")
            url, told = address_in(text), _last_line(text)
        if url:
            yield Progress(READY, None, f"{kind} runs at {url}")
        else:
            yield Progress("server.start", None, f"{kind} starts: {told}" if told else kind)
    text = log.read_bytes().decode("utf-8", "replace")
    words = _last_line(text)
    raise StagewrightError(
        "server-ended",
        f"{kind} ended with code {process.returncode}"
        + (f"; it said “{words}”." if words else "."),
        f"See its log: {log}",
    )


def address_in(text: str) -> str:
    """The last address of this machine in a server's log that takes connections; "" if none."""
    for found in reversed(_ADDRESS.findall(text)):
        url = found if "://" in found else f"http://{found}"
        url = url.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
        host, _, port = url.partition("://")[2].rpartition(":")
        with contextlib.suppress(OSError, OverflowError):
            socket.create_connection((host.strip("[]"), int(port)), 0.5).close()
            return url
    return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server's whole group, those of it that its first program left behind, too."""
    ask(process, "terminate")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        ask(process, "kill")
    process.wait()


def _words(kind: str, command: str) -> list[str]:
    posix = os.name == "posix"
    try:
        words = shlex.split(command, posix=posix)
    except ValueError:
        words = []
    if not words:
        raise StagewrightError(
            "no-command",
            f"There is no command that starts {kind}, or its quotes do not match.",
            "Write it as in a terminal, such as: python main.py",
        )
    return words if posix else [word.strip('"') for word in words]


def _last_line(text: str) -> str:
    lines = (re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in reversed(text.splitlines()))
    return next(filter(None, lines), "")[:120]
