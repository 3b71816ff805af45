# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a child process: run a job, or one after another, and write its events.

Started by the path of this file (see ``process.run_child``), so it imports
nothing of the package before it has read its order from standard input.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import queue
import sys
import threading
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

PACKAGE = "stagewright"


def main() -> int:
    """Read the order, run its task, and return the exit code.

    An order without a task is that of a warm child (see ``warm.WarmChild``): it runs
    those that follow, one JSON line each, until nobody is left to give another.
    """
    # The events own the real standard output: prints of libraries go to the log.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    orders = os.fdopen(os.dup(0), encoding="utf-8")
    order = json.loads(orders.readline())
    sys.path[:] = order["sys_path"]
    _register_package(Path(__file__).resolve().parent.parent)
    drive = importlib.import_module(f"{PACKAGE}.jobs.drive")
    drive.interrupt_on_termination()
    if "task" in order:
        return 0 if _run(order, output, order["parent"]) else 1
    waiting: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(orders, waiting, drive), daemon=True).start()
    try:
        while following := waiting.get():
            with open(following["events"], "w", encoding="utf-8", newline="\n") as file:
                _run(following, file, order["parent"])
    except KeyboardInterrupt:
        return 1
    return 0


def _hear(orders: Iterable[str], waiting: queue.SimpleQueue[Any], drive: Any) -> None:
    """Put orders where they wait; a line without a task cancels the one that runs."""
    for line in orders:
        order = json.loads(line)
        if "task" in order:
            waiting.put(order)
        else:
            drive.ask_to_end()
    waiting.put(None)
    drive.ask_to_end()


def _run(order: Mapping[str, Any], output: TextIO, parent: int) -> bool:
    """Run a task and write its events; whether it ended well."""
    drive = importlib.import_module(f"{PACKAGE}.jobs.drive")
    events = importlib.import_module(f"{PACKAGE}.jobs.events")
    errors = importlib.import_module(f"{PACKAGE}.jobs.errors")

    def write(event: Any) -> None:
        if os.name == "posix" and os.getppid() != parent:
            raise KeyboardInterrupt  # Nobody is left to read it.
        print(events.to_json(event), file=output, flush=True)

    try:
        drive.drain(_job(order["task"], order["arguments"]), write)
    except errors.StagewrightError:
        return False
    return True


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
    try:
        job = getattr(importlib.import_module(f"{PACKAGE}.{module}"), function)
    except KeyboardInterrupt:
        # What was half imported, numpy for one, cannot be imported again in this process.
        sys.exit(1)
    return (yield from job(**arguments))


if __name__ == "__main__":
    sys.exit(main())
