# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by all tests."""

from __future__ import annotations

import getpass
import re
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

# Each pattern is written so that it does not match its own line.
SECRETS = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY",
    r"\b(?:gh[opsu]_|github_pat_|glpat-|xox[abp]-|AKIA)[A-Za-z0-9_-]{12,}",
    r"(?i:\b(?:api_?key|token|password|secret)\b[\"']?\s*[:=]\s*[\"'][a-z0-9+/_-]{16,}[\"'])",
    r"://[^/\s:@{}]+:[^/\s:@{}]+@",
)
# Ann is the artist of tests that need somebody's home folder.
MACHINE_PATHS = (
    r"(?<![\w.])/(?:home|Users)/(?!ann/)[a-z][\w.-]*/",
    r"(?<![\w.])/(?:root/[.]|tmp/[\w]|work/[\w]|var/folders/)",
    r"(?i:\b[a-z]:[\\/]+users[\\/]+\w)",
)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root, which is the package's folder."""
    return Path(__file__).resolve().parents[1]


def contents(path: Path) -> str:
    """The text that a file holds, read through its compression where it has one."""
    if path.suffix in (".usd", ".usdc"):
        from pxr import Sdf

        return Sdf.Layer.OpenAsAnonymous(str(path)).ExportToString()
    data = path.read_bytes()
    if data.startswith(b"\x28\xb5\x2f\xfd"):  # Blender's compressed files
        zstandard = pytest.importorskip("zstandard")
        data = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    return data.decode("utf-8", errors="replace")


def of_this_machine() -> Iterator[str]:
    """Patterns for what only this machine and its user are called."""
    folders = {Path.home(), Path(tempfile.gettempdir()), Path.cwd()}
    for folder in folders | {folder.resolve() for folder in folders}:
        if len(folder.parts) > 2:  # a name like /root is also a prim path
            yield re.escape(str(folder)) + r"[\\/]"
    for name in {getpass.getuser(), socket.gethostname()} - {"root", "localhost", "user"}:
        if len(name) > 3:
            yield rf"(?<![\w-]){re.escape(name)}(?![\w-])"


@pytest.fixture(scope="session")
def find_secrets() -> Callable[[Iterable[Path]], list[str]]:
    """A search for secrets and machine paths in files: ``name: what was found``."""
    pattern = re.compile("|".join([*SECRETS, *MACHINE_PATHS, *of_this_machine()]))

    def find(files: Iterable[Path]) -> list[str]:
        return [
            f"{path.name}: {match.group()}"
            for path in files
            if path.is_file()
            for match in pattern.finditer(contents(path))
        ]

    return find
