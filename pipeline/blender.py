# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a Blender, and handing it a command line of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..jobs.errors import StagewrightError
from .console import JSON_FD

EXECUTABLE = "BLENDER_EXECUTABLE"
LAUNCHER = "blender-headless"


def blender_program(addon: str = "") -> list[str]:
    """The command that starts a background Blender with this package's commands.

    ``BLENDER_EXECUTABLE`` names it, and Stagewright must be installed there as
    an extension; else it is the launcher beside this Python, which needs none.

    Args:
        addon: module name of the extension there, which is then enabled for the
            process. Without it, the saved preferences must enable it: Blender
            saves them only as it ends.

    Raises:
        StagewrightError: ``no-blender`` when there is neither.
    """
    named = os.environ.get(EXECUTABLE)
    if named:
        program = shutil.which(named)
        if program is None:
            raise StagewrightError(
                "no-blender",
                f'{EXECUTABLE} names no program: "{named}".',
                "Correct it, or unset it to use the Blender beside this Python.",
            )
        return [program, "--background", *(["--addons", addon] if addon else [])]
    beside = shutil.which(LAUNCHER, path=str(Path(sys.executable).parent))
    if beside is None:
        raise StagewrightError(
            "no-blender",
            "There is no Blender to open the file with.",
            f"Set {EXECUTABLE} to a Blender that has the Stagewright extension enabled.",
        )
    return [beside, "--background"]


def run_in_blender(arguments: Sequence[str], json_fd: int | None) -> int:
    """Run ``stagewright ARGUMENTS`` inside Blender and return its exit code.

    Args:
        arguments: the command line without the program's name.
        json_fd: descriptor that the JSON lines go to; None without ``--json``.

    Raises:
        StagewrightError: ``no-blender``.
    """
    argv = [*blender_program(), "--command", "stagewright", *arguments]
    if os.name != "posix":
        # Descriptor numbers do not pass to a child here: Blender claims its own.
        return subprocess.run(argv, stdout=json_fd, check=False).returncode
    env = dict(os.environ)
    if json_fd is not None:
        env[JSON_FD] = str(json_fd)
        os.set_inheritable(json_fd, True)
    # The same process, so that signals and the exit code need no relay.
    os.execvpe(argv[0], argv, env)
