# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AYON server answered last, for draw() and for the fields that complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_known: dict[str, Any] = {}


def remember(answer: Mapping[str, Any]) -> None:
    """Take over an answer of ``pipeline.places.look``."""
    _known.clear()
    _known.update(answer)


def forget() -> None:
    """Know nothing."""
    _known.clear()


def told() -> str:
    """Who is logged in where; empty if nothing is known."""
    return f"{_known['user']} at {_known['server']}" if _known else ""


def projects() -> list[str]:
    """Names of the server's projects."""
    return list(_known.get("projects", ()))


def is_of(project: str) -> bool:
    """Whether folders and tasks of ``project`` are known."""
    return _known.get("project") == project


def folders(project: str) -> list[str]:
    """Paths of the folders of a project."""
    return list(_known["folders"]) if is_of(project) else []


def tasks(project: str, folder: str) -> list[str]:
    """Names of the tasks of a folder."""
    return list(_known["folders"].get(folder, ())) if is_of(project) else []
