# SPDX-License-Identifier: GPL-3.0-or-later
"""Places and names that apply where the user gives none."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

PROJECT = "local"
PROJECT_CODE = "loc"
FOLDER_ROOT = "/assets"
TASK = "modeling"
PRODUCT = "usdMain"


def asset_name(label: str) -> str:
    """``label`` as a name that USD takes for a prim and AYON for a folder."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", label).strip("_")
    return f"_{name}" if not name or name[0].isdigit() else name


def project_code(project: str) -> str:
    """The code that a new ``project`` gets when none is given."""
    if project == PROJECT:
        return PROJECT_CODE
    return re.sub(r"[^A-Za-z0-9]", "", project)[:10].lower()


def default_library() -> Path:
    """The library's folder: ``STAGEWRIGHT_LIBRARY``, or one in the user's data folder."""
    named = os.environ.get("STAGEWRIGHT_LIBRARY")
    if named:
        return Path(named).expanduser()
    return _data_folder() / "stagewright" / "library"


def _data_folder() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share"))
