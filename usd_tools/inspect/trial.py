# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a stage to see whether the USD library survives it: for a process that may end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...jobs.events import Job, Progress
from ..stages import file_of, reading
from ..stamps import stamp_of
from .session import opened


def trial(state: Mapping[str, Any], load: str = "") -> Job[dict[str, Any]]:
    """Open the stage of a session's ``state`` and compose all of its prims.

    A damaged crate may end the process that composes it, and a file that is none
    may let it wait for ever: whoever cannot afford that lets another try first.

    Args:
        state: as :meth:`~.session.Session.state`.
        load: path of a prim whose payloads are loaded, too; "" for none.

    Returns:
        ``files``: the stamp of each file in use, by its path.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    path = Path(state["path"])
    yield Progress("inspect.try", None, f"Opening {path.name}")
    with reading(path):
        stage = opened(state)
        if load:
            stage.Load(load)
        for _ in stage.TraverseAll():
            pass
        places = (layer.realPath for layer in stage.GetUsedLayers(True))
        files = {file_of(place) for place in places if place}
    return {"files": {str(file): stamp_of(file) for file in sorted(files)}}
