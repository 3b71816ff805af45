# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of ``scripts/dev.py``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from .ayon_package import build_ayon_addon
from .environment import (
    SHARED_LIBRARIES,
    SetupError,
    Version,
    call,
    environments,
    missing_libraries,
    prepare,
)
from .linting import lint
from .packaging import build, lock
from .testing import test

USAGE = """\
usage: python3 scripts/dev.py COMMAND [ARGUMENT ...]

  publish FILE.blend ...   check and publish a scene (as `stagewright publish`)
  run ...                  any other `stagewright` command
  test [PYTEST ARGUMENT]   all tests: plain Python, and every Blender that has a Python here;
                           with --all those of local models, too (STAGEWRIGHT_TORCH=torch==2.13)
  lint                     ruff, mypy and the import contract
  build                    the extension's zip in dist/, by Blender's own builder
  ayon-addon               the zip for an AYON server in dist/ayon/, with the extension inside
  libraries                Debian packages that Blender lacks here; exit code 1 if there are any
  lock                     compile requirements/ anew and list the wheels in the manifest
"""


def main(arguments: Sequence[str], pythons: Mapping[Version, str]) -> int:
    """Run one command; returns the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    name, rest = arguments[0], list(arguments[1:])
    try:
        if name == "publish":
            return stagewright(["publish", *rest], pythons)
        if name == "run":
            return stagewright(rest, pythons)
        if name == "test":
            return test(rest, pythons)
        if name == "lint":
            return lint(pythons)
        if name == "build":
            return build(pythons)
        if name == "ayon-addon":
            return build_ayon_addon(pythons)
        if name == "libraries":
            return libraries()
        if name == "lock":
            return lock(pythons)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"There is no command {name!r}.\n\n{USAGE}", end="", file=sys.stderr)
    return 2


def libraries() -> int:
    """Print the Debian packages of missing shared libraries; 1 if there are any."""
    packages = [SHARED_LIBRARIES[name] for name in missing_libraries()]
    print(*packages)
    return 1 if packages else 0


def stagewright(arguments: Sequence[str], pythons: Mapping[Version, str]) -> int:
    """Hand the arguments to ``stagewright`` in the newest environment."""
    environment = prepare(environments(pythons)[0])
    return call([environment.program("stagewright"), *arguments], here=True)
