# SPDX-License-Identifier: GPL-3.0-or-later
"""The one command line: ``stagewright …`` and ``blender --command stagewright …``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from .. import __version__
from ..jobs.drive import drain, interrupt_on_termination
from ..jobs.errors import StagewrightError, cancelled
from ..jobs.events import Job, failure_of
from .apart import command_apart, tried
from .blender import EXECUTABLE, run_in_blender
from .commands import ayon, field, library, publish, texture, usd
from .console import claim_stdout, json_sink, terminal_sink
from .host import SceneHost

_EPILOG = f"""\
exit codes:
  0    done
  1    failed, or errors or problems were found
  2    the command line, or a list of files to publish, is wrong
  130  cancelled

environment:
  {EXECUTABLE}   the Blender to open files with; the Stagewright extension must
                       be installed and enabled there (default: the one beside
                       this Python)
  STAGEWRIGHT_LIBRARY  the library's folder"""

# In the order that --help lists them.
_GROUPS = (publish, usd, library, texture, field, ayon)
_EXIT_CODES = {"bad-arguments": 2, "bad-list": 2, "cancelled": 130}


def main(arguments: Sequence[str] | None = None, host: SceneHost | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the command line without the program's name; this process's own
            when None.
        host: the Blender this runs in, if any. Without one, the commands that
            need a scene are handed to Blender as they are.

    Returns:
        0 done; 1 the command failed, and said why, or found errors or problems;
        2 the command line is wrong; 130 cancelled.
    """
    interrupt_on_termination()
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Before the words are understood: what is wrong with them is told as JSON, too.
    json_fd = claim_stdout() if "--json" in words else None
    try:
        options = parse(words)
        if options.needs_scene and host is None:
            return run_in_blender(words, json_fd)
    except SystemExit:
        return 0  # after --help or --version; Blender would print a traceback
    except (StagewrightError, KeyboardInterrupt) as error:
        reason = error if isinstance(error, StagewrightError) else cancelled()
        sink = terminal_sink(str, sys.stderr) if json_fd is None else json_sink(json_fd)
        sink(failure_of(reason))
        return _EXIT_CODES.get(reason.code, 1)
    sink = terminal_sink(options.summary, sys.stderr) if json_fd is None else json_sink(json_fd)
    try:
        value = drain(_job(options, host), sink)
    except StagewrightError as error:
        return _EXIT_CODES.get(error.code, 1)
    return int(options.found_errors(value))


def _job(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    """The command's job; USD files from anywhere are read by a process that may end over them."""
    files = [getattr(options, name) for name in options.reads]
    if files and not options.needs_scene:
        return (yield from command_apart(options.words, files))
    if files:
        yield from tried(files)
    return (yield from options.handler(options, host))


def command(words: Sequence[str]) -> Job[Mapping[str, Any]]:
    """The job of one command that needs no scene, for another process to run.

    Raises:
        StagewrightError: ``bad-arguments``, and what the command raises.
    """
    options = parse(words)
    job: Job[Mapping[str, Any]] = options.handler(options, None)
    return job


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The options of a command line, with the ``words`` themselves.

    Raises:
        StagewrightError: ``bad-arguments``.
    """
    options = _parser().parse_args(words)
    options.words = list(words)
    return options


class _Parser(argparse.ArgumentParser):
    """A parser whose refusals are errors like all others."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line; raises StagewrightError ``bad-arguments``."""
        raise StagewrightError(
            "bad-arguments",
            f"The command line is wrong: {message}.",
            f"See {self.prog} --help.",
        )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="stagewright",
        description="From a Blender scene to a checked, published USD asset.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Stagewright {__version__}")
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for group in _GROUPS:
        group.add(verbs)
    return parser
