# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the address of the AYON server and the user's API key come from.

AYON's own environment variables win, so that what AYON has started uses what
AYON gave it. Otherwise one file in the user's configuration folder that only
the user may read.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ..jobs.errors import StagewrightError
from .files import file_errors

SERVER_URL = "AYON_SERVER_URL"
API_KEY = "AYON_API_KEY"
SITE_ID = "AYON_SITE_ID"

_FILE = "ayon.json"


@dataclass(frozen=True)
class Credentials:
    """An AYON server, and what proves who we are there; the key is in no repr.

    Attributes:
        url: the server's address.
        key: a user's API key.
        site: AYON's id of this machine, for its own roots; empty for none.

    Raises:
        StagewrightError: ``bad-server`` for an address that is none, or an empty key.
    """

    url: str
    key: str = field(repr=False)
    site: str = ""

    def __post_init__(self) -> None:
        """Refuse an address that is none before anything is sent there."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise StagewrightError(
                "bad-server",
                f'"{self.url}" is not the address of a server.',
                'Write it as "https://ayon.example.com".',
            )
        if not self.key.strip() or not self.key.isascii():
            raise StagewrightError(
                "bad-key",
                f'There is no API key for "{self.url}".',
                f"Set {API_KEY}, or run: stagewright ayon login",
            )


def find(environment: Mapping[str, str] = os.environ) -> Credentials:
    """The credentials of the environment, else those that were saved.

    Raises:
        StagewrightError: ``no-server`` when there are none; as :class:`Credentials`.
    """
    site = environment.get(SITE_ID, "")
    if environment.get(SERVER_URL):
        return Credentials(environment[SERVER_URL], environment.get(API_KEY, ""), site)
    path = user_file(_FILE, environment)
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(saved["url"], saved["key"], site)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StagewrightError(
            "no-server",
            "No AYON server is known.",
            f"Run: stagewright ayon login, or set {SERVER_URL} and {API_KEY}.",
        ) from error


def save(credentials: Credentials, environment: Mapping[str, str] = os.environ) -> Path:
    """Keep credentials in the user's file, readable by nobody else; returns its path."""
    path = user_file(_FILE, environment)
    write_private(path, json.dumps({"url": credentials.url, "key": credentials.key}))
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody but the user may read; whole or not at all.

    Raises:
        StagewrightError: as :func:`.files.file_errors`.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}")
    with file_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            new.unlink()
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(new, path)


def forget(environment: Mapping[str, str] = os.environ) -> bool:
    """Remove the user's file; returns whether there was one."""
    path = user_file(_FILE, environment)
    with file_errors(path):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
    return True


def user_file(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where a file of this user's configuration lies."""
    named = environment.get("APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME")
    if named and sys.platform != "darwin":
        return Path(named) / "stagewright" / name
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "stagewright" / name
    return Path.home() / ".config" / "stagewright" / name
