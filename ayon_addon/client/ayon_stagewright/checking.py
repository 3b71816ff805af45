# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a USD file in a child process: hosts have old Pythons, and USD of their own."""

import json
import os
import subprocess
import sys

from .addon import PACKAGE

PYTHON = "STAGEWRIGHT_PYTHON"
_OLDEST = (3, 11)
_MAIN = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"


class NotCheckedError(Exception):
    """Nobody could judge the file; the message says why, and what to do about it."""


def check(path, profile="shot", allow=(), python=""):
    """Check a USD file.

    Args:
        path: the file.
        profile: what it is, as ``stagewright usd check --profile`` takes it.
        allow: names of checks whose errors may pass.
        python: a Python that can check; empty for that of the environment, or the
            host's own where that is new enough.

    Returns:
        The report as plain JSON data: ``findings``, and ``pxr_version`` of the USD
        library that has judged.

    Raises:
        NotCheckedError: when no Python could.
    """
    program, environment = _program(python)
    words = ["usd", "check", path, "--profile", profile, "--json"]
    for name in allow:
        words += ["--allow", name]
    try:
        done = subprocess.run(
            [program, "-c", _MAIN] + words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise NotCheckedError("{} cannot be started: {}.".format(program, error)) from error
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    last = _json(lines[-1]) if lines else {}
    if last.get("event") == "result":
        return last["value"]
    if last.get("event") == "error":
        raise NotCheckedError("{} {}".format(last["message"], last["cure"]).strip())
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    raise NotCheckedError("{} could not check {}: {}".format(program, path, " ".join(words)))


def blocking(report, allow=()):
    """The findings of a report that stop a publish."""
    found = report["findings"]
    return [each for each in found if each["severity"] == "error" and each["check"] not in allow]


def _program(python):
    """A Python, and the environment that lets it find this package."""
    environment = dict(os.environ)
    named = python or environment.get(PYTHON)
    if named:
        environment["PYTHONPATH"] = PACKAGE
        return named, environment
    # A host's executable need not be a Python: Maya's is Maya.
    is_python = os.path.basename(sys.executable or "").lower().startswith("python")
    if not is_python or sys.version_info < _OLDEST:
        raise NotCheckedError(
            "The USD file was not checked: there is no Python 3.11 or newer here. Name one that "
            "has usd-core and numpy in {}, or in the addon's settings.".format(PYTHON)
        )
    environment["PYTHONPATH"] = os.pathsep.join([PACKAGE] + [each for each in sys.path if each])
    return sys.executable, environment


def _json(line):
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
