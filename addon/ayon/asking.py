# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to the library, or the AYON server, that a scene publishes to.

Processes that stay ask them: one for what the artist waits for, one for pictures.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import bpy

from ...jobs.events import Job
from ...jobs.warm import Order, WarmChild
from .. import preferences
from . import server

Line = Literal["answers", "pictures"]

_children: dict[Line, WarmChild] = {}


def ask(task: str, line: Line = "answers", /, **arguments: Any) -> Job[Mapping[str, Any]]:
    """Run a task of ``pipeline`` (``"published:products"``) when its turn has come.

    Raises:
        StagewrightError: what the task reports.
    """
    if line not in _children:
        _children[line] = WarmChild(Path(bpy.app.tempdir) / "ayon" / line)
    return _children[line].run(Order(f"pipeline.{task}", arguments))


def library_of(scene: bpy.types.Scene, library: str = "") -> str:
    """The folder of the library to ask; "" for the AYON server.

    Args:
        scene: its settings tell.
        library: a folder, where another one is named.

    Raises:
        StagewrightError: ``no-home``.
    """
    if library:
        return bpy.path.abspath(library)
    return "" if server.is_chosen(scene) else str(preferences.library_path())


def project_of(scene: bpy.types.Scene) -> str:
    """Name of the scene's project."""
    return str(scene.stagewright.project or preferences.project()[0])


def problem(scene: bpy.types.Scene, library: str = "") -> str:
    """Why nothing can be asked, or an empty string."""
    return server.problem() if server.is_chosen(scene) and not library else ""


def close() -> None:
    """End the processes."""
    for child in _children.values():
        child.close()
    _children.clear()


def register() -> None:
    """Make sure that no process outlives Blender."""
    atexit.register(close)


def unregister() -> None:
    """End them with the add-on."""
    atexit.unregister(close)
    close()
