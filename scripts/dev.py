# SPDX-License-Identifier: GPL-3.0-or-later
"""The developer's one command: set up, publish, test, lint, build, lock.

Standard library only, and no syntax newer than Python 3.6: any ``python3`` may
start it. It looks for the Pythons that Blender is built for and goes on in the
newest of them.
"""

import glob
import os
import subprocess
import sys
from typing import Dict, Iterator, Optional, Tuple

Version = Tuple[int, int]

SUPPORTED = ((3, 13), (3, 11))
PROBE = (
    "import struct, sys; "
    "ok = sys.implementation.name == 'cpython' and struct.calcsize('P') == 8; "
    "print(sys.version_info[0], sys.version_info[1], ok, "
    "getattr(sys, '_base_executable', '') or sys.executable, sep='|')"
)


def candidates(version: Version) -> Iterator[str]:
    """Yield programs that may be this Python, likeliest first."""
    name = "%d.%d" % version
    if sys.version_info[:2] == version:
        yield sys.executable
    yield "python" + name
    yield "python3"
    yield "python"
    home = os.path.expanduser("~")
    roots = [os.environ.get("PYENV_ROOT"), os.path.join(home, ".pyenv")]
    for root in filter(None, roots):
        for folder in sorted(glob.glob(os.path.join(root, "versions", name + ".*")), reverse=True):
            yield os.path.join(folder, "bin", "python")
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    for folder in glob.glob(os.path.join(data, "uv", "python", "cpython-" + name + ".*")):
        yield os.path.join(folder, "bin", "python")
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", home)
        yield os.path.join(local, "Programs", "Python", "Python%d%d" % version, "python.exe")
    elif sys.platform == "darwin":
        yield "/Library/Frameworks/Python.framework/Versions/%s/bin/python3" % name
        yield "/opt/homebrew/bin/python" + name


def probe(program: str) -> Optional[Tuple[Version, str]]:
    """Run ``program``: its (version, real path), or None if it is no such Python."""
    try:
        answer = subprocess.run(
            [program, "-I", "-c", PROBE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=True,
        ).stdout
        major, minor, suits, path = answer.decode().strip().split("|")
    except (OSError, ValueError, subprocess.SubprocessError):
        return None  # missing, broken, or a shim for a version that is not there
    return ((int(major), int(minor)), path) if suits == "True" else None


def interpreters() -> Dict[Version, str]:
    """Find the Pythons at hand: {(3, 13): path, (3, 11): path}, newest first."""
    found = {}  # type: Dict[Version, str]
    for version in SUPPORTED:
        for program in candidates(version):
            answer = probe(program)
            if answer is not None and answer[0] == version:
                found[version] = answer[1]
                break
    return found


def main() -> int:
    """Go on in the newest supported Python; returns the exit code."""
    pythons = interpreters()
    if not pythons:
        sys.exit(
            "Neither Python 3.13 (for Blender 5.2) nor Python 3.11 (for Blender 4.5) was found. "
            "Install one of them and run this command again."
        )
    if sys.version_info[:2] not in SUPPORTED:
        newest = next(iter(pythons.values()))
        return subprocess.call([newest, os.path.abspath(__file__)] + sys.argv[1:])
    # Explicit, because PYTHONSAFEPATH keeps the script's folder off the path.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from devtools import commands  # type: ignore[import-not-found]

    return int(commands.main(sys.argv[1:], pythons))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
