# SPDX-License-Identifier: GPL-3.0-or-later
"""The lint command: ruff, mypy and the import contract."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping

from .environment import ROOT, Version, call, environments, prepare, say


def lint(pythons: Mapping[Version, str]) -> int:
    """Run every linter, even after one has failed; returns the exit code."""
    environment = prepare(environments(pythons)[0])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    # Under the link the package has its own name, whatever the clone's folder is called.
    types = os.environ | {"MYPYPATH": str(environment.source)}
    packages = [
        word
        for package in project["tool"]["setuptools"]["packages"]
        if package.count(".") == 1  # mypy descends by itself
        for word in ("-p", package)
    ]
    ruff, mypy, pytest = (environment.program(name) for name in ("ruff", "mypy", "pytest"))
    commands = {
        "ruff check": [ruff, "check", "."],
        "ruff format": [ruff, "format", "--check", "."],
        "mypy": [mypy, "--cache-dir", str(ROOT / ".cache" / "mypy"), *packages],
        "import contract": [pytest, "-q", "-p", "no:cacheprovider", "tests/house/test_rooms.py"],
    }
    failed = []
    for name, command in commands.items():
        say(f"==== {name} ====")
        if call(command, env=types | {"PYTHONSAFEPATH": "1"}):
            failed.append(name)
    print(f"Failed: {', '.join(failed)}" if failed else "All linters passed", flush=True)
    return 1 if failed else 0
