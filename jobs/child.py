# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a child process: run one job and write its events.

Started by the path of this file (see ``process.run_child``), so it imports
nothing of the package before it has read its order from standard input.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

PACKAGE = "stagewright"


def main() -> int:
    """Read the order, run its task, and return the exit code."""
    # The events own the real standard output: prints of libraries go to the log.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    order = json.load(sys.stdin)
    sys.path[:] = order["sys_path"]
    _register_package(Path(__file__).resolve().parent.parent)
    drive = importlib.import_module(f"{PACKAGE}.jobs.drive")
    events = importlib.import_module(f"{PACKAGE}.jobs.events")
    errors = importlib.import_module(f"{PACKAGE}.jobs.errors")

    def write(event: Any) -> None:
        if os.name == "posix" and os.getppid() != order["parent"]:
            raise KeyboardInterrupt  # Nobody is left to read it.
        print(events.to_json(event), file=output, flush=True)

    drive.interrupt_on_termination()
    try:
        drive.drain(_job(order["task"], order["arguments"]), write)
    except errors.StagewrightError:
        return 1
    return 0


def _register_package(root: Path) -> None:
    """Make the package importable as ``stagewright``, whatever its folder is called."""
    spec = importlib.util.spec_from_file_location(
        PACKAGE, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{root} holds no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


def _job(task: str, arguments: dict[str, Any]) -> Generator[Any, None, Any]:
    """The task's job; its import is part of it, so that a failure there is told too."""
    module, _, function = task.partition(":")
    job = getattr(importlib.import_module(f"{PACKAGE}.{module}"), function)
    return (yield from job(**arguments))


if __name__ == "__main__":
    sys.exit(main())
