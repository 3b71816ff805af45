# SPDX-License-Identifier: GPL-3.0-or-later
"""Field tools beside their peers: ``python bench/fields.py [--json] [--quick] [--only TASK]``.

The tasks live in ``bench/field_tasks``: each is a function that takes ``quick`` and yields rows.
scikit-fmm, scipy and scikit-image are the dependency group ``bench``; OpenVDB and Blender's nodes
come with the ``bpy`` module. A peer that is not installed is told as absent.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Task = Callable[[bool], Iterator[Row]]
FOLDER = Path(__file__).with_name("field_tasks")
MODULES = ("geometry", "lattice", "quality")


def find_tasks() -> dict[str, Task]:
    """All tasks by name."""
    sys.path.insert(0, str(FOLDER))
    tasks: dict[str, Task] = {}
    for module in MODULES:
        tasks |= importlib.import_module(module).TASKS
    return tasks


def main() -> None:
    """Run the tasks and print their rows."""
    tasks = find_tasks()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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


if __name__ == "__main__":
    main()
