# SPDX-License-Identifier: GPL-3.0-or-later
"""The published versions that can be added: the library's, or the AYON server's.

A library is read at once. A server is asked by a process of its own; what it answered
last is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.published import PublishedAsset, published_assets
from ...pipeline.summaries import count
from .. import preferences, pump
from ..worker import child
from . import server

KIND = "catalog"

_heard: dict[str, list[PublishedAsset]] = {}


def assets(scene: bpy.types.Scene, library: str = "") -> list[PublishedAsset]:
    """The versions where the scene publishes to, or in the folder ``library``.

    Raises:
        StagewrightError: ``no-library``; ``not-heard`` while the server is being asked.
    """
    if library or not server.is_chosen(scene):
        return published_assets(_folder(library))
    project = project_of(scene)
    if project not in _heard and not pump.is_running(KIND):
        pump.run(listen(project), KIND, "Ask the AYON server")
    if project not in _heard:
        raise StagewrightError(
            "not-heard", "The AYON server is being asked.", "Try again when it has answered."
        )
    return _heard[project]


def _folder(library: str) -> Path:
    return Path(bpy.path.abspath(library)) if library else preferences.library_path()


def place(scene: bpy.types.Scene, library: str = "") -> str:
    """What :func:`assets` reads, to begin a sentence with."""
    if library or not server.is_chosen(scene):
        return f"The library {_folder(library)}"
    return f"The AYON server's project {project_of(scene)}"


def listen(project: str) -> Job[Mapping[str, Any]]:
    """Ask the server for the versions of a project."""
    value = yield from child("pipeline.published:look", project=project)
    _heard[project] = [PublishedAsset.from_json(each) for each in value["assets"]]
    yield Message(f"The server has {count(len(value['assets']), 'version')} in {project}.")
    return value


def project_of(scene: bpy.types.Scene) -> str:
    """Name of the scene's project."""
    return str(scene.stagewright.project or preferences.project()[0])


def forget() -> None:
    """Know nothing of the server."""
    _heard.clear()
