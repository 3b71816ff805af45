# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip that an AYON server takes as an addon, laid out as AYON's ``create_package`` does."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from .environment import ROOT, Version, environments, prepare
from .packaging import DIST, build_zip

SOURCE = ROOT / "ayon_addon"
CLIENT = "ayon_stagewright"


def build_ayon_addon(pythons: Mapping[Version, str]) -> int:
    """Build the addon's zip into dist/ayon/."""
    environment = prepare(environments(pythons)[0])
    with TemporaryDirectory() as folder:
        path = ayon_zip(build_zip(environment, Path(folder)), DIST / "ayon")
    print(path.relative_to(ROOT))
    return 0


def ayon_zip(extension: Path, output: Path) -> Path:
    """Pack the addon, with the extension inside its client.

    AYON brings ayon-python-api itself, so the extension's wheels stay behind.

    Args:
        extension: the extension's zip.
        output: folder of the addon's zip.
    """
    with zipfile.ZipFile(extension) as packed:
        inside = {
            f"{CLIENT}/package/stagewright/{name}": packed.read(name)
            for name in packed.namelist()
            if not name.startswith("wheels/") and not name.endswith("/")
        }
    client = dict(_files(SOURCE / "client" / CLIENT, f"{CLIENT}/"))
    made = {
        "package.py": (SOURCE / "package.py").read_bytes(),
        **dict(_files(SOURCE / "server", "server/")),
        "private/client.zip": _zipped({**client, **inside}),
        "private/pyproject.toml": (SOURCE / "client" / "pyproject.toml").read_bytes(),
    }
    output.mkdir(parents=True, exist_ok=True)
    path = output / extension.name
    path.write_bytes(_zipped(made))
    return path


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield prefix + path.relative_to(folder).as_posix(), path.read_bytes()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip whose bytes depend on the files alone."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
