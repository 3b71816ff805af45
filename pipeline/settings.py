# SPDX-License-Identifier: GPL-3.0-or-later
"""Places and names that apply where the user gives none."""

from __future__ import annotations

import getpass
import os
import re
import sys
import unicodedata
from functools import cache
from pathlib import Path

from ..jobs.errors import StagewrightError

PROJECT = "local"
FOLDER_ROOT = "/assets"
TASK = "modeling"
PRODUCT = "usdMain"
SHOT_PRODUCT = "animationMain"
TEXTURE_TASK = "lookdev"
TEXTURE_PRODUCT = "textureSetMain"


def asset_name(label: str) -> str:
    """``label`` as a name that USD takes for a prim and AYON for a folder.

    Other scripts are written in Latin letters: "椅子" becomes "Yi_Zi".

    Raises:
        StagewrightError: ``bad-name`` when no letter or digit is left.
    """
    name = re.sub(r"[^A-Za-z0-9_]+", "_", _latin(label)).strip("_")
    if not name:
        raise StagewrightError(
            "bad-name",
            f'The name "{label}" cannot be written in the letters and digits that USD takes.',
            "Give the asset a name with --name.",
        )
    return f"_{name}" if name[0].isdigit() else name


@cache
def _latin(text: str) -> str:
    if text.isascii():
        return text
    try:
        from unidecode import unidecode  # comes with ayon-python-api
    except ImportError:
        return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return str(unidecode(text))


def user_name() -> str:
    """The name of the user who runs this, or its number where the system knows no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which of them depends on the Python
        return f"uid{os.getuid()}" if hasattr(os, "getuid") else "unknown"


def default_library() -> Path:
    """The library's folder: ``STAGEWRIGHT_LIBRARY``, or one in the user's data folder.

    Raises:
        StagewrightError: ``no-home`` when the user has no folder.
    """
    named = os.environ.get("STAGEWRIGHT_LIBRARY")
    try:
        if named:
            return Path(named).expanduser()
        return _data_folder() / "stagewright" / "library"
    except RuntimeError as error:
        raise StagewrightError(
            "no-home",
            "This user has no home folder to keep a library in.",
            "Name the library's folder with --library or STAGEWRIGHT_LIBRARY.",
        ) from error


def _data_folder() -> Path:
    named = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_DATA_HOME")
    if named and sys.platform != "darwin":
        return Path(named)
    if sys.platform == "win32":
        return Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path.home() / ".local" / "share"
