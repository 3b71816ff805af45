# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage in numbers and the files it needs, counted by another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...jobs.events import Job, Message, Progress
from ..stages import reading
from .layers import stage_dependencies
from .session import opened
from .statistics import statistics


def survey(state: Mapping[str, Any]) -> Job[dict[str, Any]]:
    """Count the stage of a session's ``state``.

    Returns:
        ``statistics`` as :class:`~.statistics.Statistics`, ``dependencies`` as
        :class:`~.layers.DependencyRow` and ``broken``, plain JSON data.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    yield Progress("survey.open", 0.0, f"Opening {Path(state['path']).name}")
    with reading(Path(state["path"])):
        stage = opened(state)
        yield Progress("survey.count", 0.3, "Counting")
        numbers = asdict(statistics(stage))
        yield Progress("survey.files", 0.7, "Looking for files")
        rows = [asdict(row) | {"broken": row.broken} for row in stage_dependencies(stage)]
    broken = sum(row["broken"] for row in rows)
    yield Message(f"{len(rows):,} files named, {broken:,} of them missing.")
    return {"statistics": numbers, "dependencies": rows}
