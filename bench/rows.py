# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a bench: its tasks run, their rows printed.

The tasks are functions that take ``quick`` and yield rows, in modules of a folder beside the bench.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Task = Callable[[bool], Iterator[Row]]


def find_tasks(folder: str, modules: Sequence[str]) -> dict[str, Task]:
    """All tasks by name: what the modules call ``TASKS``."""
    sys.path.insert(0, str(Path(__file__).with_name(folder)))
    tasks: dict[str, Task] = {}
    for module in modules:
        tasks |= importlib.import_module(module).TASKS
    return tasks


def print_rows(about: str, folder: str, modules: Sequence[str]) -> None:
    """Run the tasks and print their rows; ``about`` is the bench's docstring."""
    tasks = find_tasks(folder, modules)
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.add_argument("--quick", action="store_true", help="small sizes, under a minute")
    parser.add_argument("--only", choices=sorted(tasks), metavar="TASK", help="one task")
    options = parser.parse_args()
    rows: list[Row] = []
    for name, task in tasks.items():
        if options.only in (None, name):
            for row in task(options.quick):
                rows.append(row)
                print(_text(row), file=sys.stderr if options.json else sys.stdout, flush=True)
    if options.json:
        print(json.dumps({"rows": rows}))


def _text(row: Row) -> str:
    agree = {True: "agrees", False: "DIFFERS"}.get(row.get("agree"), "")
    figures = ""
    if "ratio" in row:
        ours, peer = row["ours_s"] * 1e3, row["peer_s"] * 1e3
        figures = f"{ours:.1f} / {peer:.1f} ms = {row['ratio']:.2f}"
    elif "value" in row:
        figures = f"{row['value']:.2g} against {row['baseline']:.2g} {row['unit']}"
    head = f"{row['task']:16}{row.get('size', ''):30}{row.get('peer', ''):14}"
    return f"{head}{figures:32}{agree:9}{row.get('note', '')}"
