# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments: one per Blender, holding exactly what is pinned."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
PINS = ROOT / "requirements" / "dev.txt"

# What `import bpy` loads from a Linux system, and Debian's package for it.
SHARED_LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXext.so.6": "libxext6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
}

Version = tuple[int, int]


class SetupError(Exception):
    """Something a person has to change first, in one sentence with its cure."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with one Blender.

    Attributes:
        blender: Blender's release (``"5.2"``).
        python: the Python that this release is built for.
        interpreter: path of that Python; the environment is made from it.
    """

    blender: str
    python: Version
    interpreter: str

    @property
    def folder(self) -> Path:
        """Where the environment lies."""
        return ROOT / f".venv-{self.blender}"

    def program(self, name: str) -> str:
        """Path of a program of the environment."""
        if sys.platform == "win32":
            return str(self.folder / "Scripts" / f"{name}.exe")
        return str(self.folder / "bin" / name)

    @property
    def source(self) -> Path:
        """A folder in which the package is called ``stagewright``, whatever the clone is called."""
        return self.folder / "src"

    @property
    def site_packages(self) -> Path:
        """Where the installed packages lie."""
        if sys.platform == "win32":
            return self.folder / "Lib" / "site-packages"
        return self.folder / "lib" / "python{}.{}".format(*self.python) / "site-packages"


BLENDERS: Mapping[Version, str] = {(3, 13): "5.2", (3, 11): "4.5"}


def environments(pythons: Mapping[Version, str]) -> list[Environment]:
    """The environments that the Pythons at hand allow, newest Blender first."""
    return [Environment(BLENDERS[v], v, path) for v, path in pythons.items()]


def missing_environments(pythons: Mapping[Version, str]) -> list[str]:
    """One line for each Blender that has no Python here."""
    return [
        "Blender {}: no Python {}.{} was found".format(blender, *version)
        for version, blender in BLENDERS.items()
        if version not in pythons
    ]


def say(text: str) -> None:
    """Tell what happens, on standard error: standard output belongs to the command."""
    print(text, file=sys.stderr, flush=True)


def call(
    arguments: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    here: bool = False,
    output: IO[bytes] | None = None,
) -> int:
    """Run a program in the clone (or in the current folder); returns its exit code."""
    sys.stdout.flush()
    return subprocess.call(
        [str(a) for a in arguments],
        cwd=None if here else ROOT,
        env=env,
        stdin=subprocess.DEVNULL if output else None,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
    )


def must(arguments: Sequence[str | Path]) -> None:
    """Run a program that has to succeed; what it prints goes to standard error."""
    command = [str(a) for a in arguments]
    code = subprocess.call(command, cwd=ROOT, stdout=sys.stderr)
    if code:
        raise SetupError(f"{Path(command[0]).name} failed with exit code {code}; see above.")


def check_shared_libraries() -> None:
    """Raise SetupError with the install line if ``import bpy`` would miss libraries."""
    missing = missing_libraries()
    if missing:
        packages = " ".join(SHARED_LIBRARIES[name] for name in missing)
        raise SetupError(
            f"Blender needs shared libraries that are missing here: {', '.join(missing)}. "
            f"Install them, on Debian or Ubuntu by: sudo apt-get install -y {packages}"
        )


def missing_libraries() -> list[str]:
    """Shared libraries that ``import bpy`` would miss here."""
    if not sys.platform.startswith("linux"):
        return []
    return [name for name in SHARED_LIBRARIES if not _loads(name)]


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def find_uv(interpreter: str) -> str:
    """Path of a uv that runs: from PATH, or put into the clone's ``.tools`` folder."""
    on_path = shutil.which("uv")
    if on_path and _runs(on_path):
        return on_path
    pins = ROOT / "requirements" / "uv.txt"
    folder = ROOT / ".tools" / f"uv-{digest([pins], [])[:12]}"
    program = folder / "bin" / ("uv.exe" if sys.platform == "win32" else "uv")
    if not _runs(program):
        if subprocess.call([interpreter, "-m", "pip", "--version"], stdout=subprocess.DEVNULL):
            raise SetupError(
                f"Neither uv nor pip is at hand: {interpreter} has no pip. "
                "Install uv, or pip for this Python."
            )
        say(f"Putting uv into {folder.relative_to(ROOT)} …")
        shutil.rmtree(folder, ignore_errors=True)
        must(
            [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            + ["--no-deps", "--only-binary=:all:", "--require-hashes", "--target", str(folder)]
            + ["--requirement", str(pins)]
        )
    return str(program)


def _runs(program: str | Path) -> bool:
    try:
        done = subprocess.run([str(program), "--version"], capture_output=True, timeout=60)
    except OSError:
        return False
    return done.returncode == 0


def digest(files: Sequence[Path], texts: Sequence[str]) -> str:
    """Tells one state of files and texts from another."""
    state = hashlib.sha256()
    for file in files:
        state.update(file.read_bytes())
    for text in texts:
        state.update(text.encode())
    return state.hexdigest()


def _what_is_installed() -> str:
    """The part of pyproject.toml that an installation depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return json.dumps([project["build-system"], project["project"], project["tool"]["setuptools"]])


def prepare(environment: Environment) -> Environment:
    """Make the environment hold exactly what is pinned; does nothing if it does already."""
    check_shared_libraries()
    stamp = environment.folder / "stagewright.stamp"
    wanted = digest([PINS], [_what_is_installed(), str(ROOT), environment.interpreter])
    if stamp.is_file() and stamp.read_text() == wanted:
        return environment
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"
    os.environ.pop("VIRTUAL_ENV", None)
    uv = find_uv(environment.interpreter)
    python = environment.program("python")
    say(f"Setting up {environment.folder.name} for Blender {environment.blender} …")
    must(
        [uv, "venv", "--quiet", "--clear", "--no-project", "--python", environment.interpreter]
        + [str(environment.folder)]
    )
    must([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, PINS])
    # Built by the pinned setuptools just installed, so nothing comes in unverified.
    must(
        [uv, "pip", "install", "--quiet", "--python", python, "--no-deps"]
        + ["--no-build-isolation", "--editable", "."]
    )
    _link_source(environment)
    stamp.write_text(wanted)
    return environment


def _link_source(environment: Environment) -> None:
    environment.source.mkdir(exist_ok=True)
    link = environment.source / "stagewright"
    if sys.platform == "win32":
        # A junction needs no special right, unlike a symbolic link.
        must(["cmd", "/c", "mklink", "/J", link, ROOT])
    else:
        link.symlink_to(os.path.join("..", ".."), target_is_directory=True)
