# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

GENERATED = {"__pycache__", "build", "dist", "site", "wheels"}


@pytest.fixture(scope="session")
def files(root: Path) -> list[Path]:
    """The repository's files relative to its root: what git would keep of this folder."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=True)
        found = [Path(name) for name in done.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        found = [p.relative_to(root) for p in root.rglob("*") if not generated(p.relative_to(root))]
    return sorted({p for p in found if (root / p).is_file()})


def generated(path: Path) -> bool:
    """Whether the set-up, not the repository, made this file."""
    kept = {".ci", ".gitignore"}
    return any(
        part in GENERATED
        or part.endswith(".egg-info")
        or (part.startswith(".") and part not in kept)
        for part in path.parts
    )


@pytest.fixture(scope="session")
def sources(files: list[Path]) -> list[Path]:
    """The Python files of the repository, relative to its root."""
    return [path for path in files if path.suffix == ".py"]
