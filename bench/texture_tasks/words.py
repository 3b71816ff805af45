# SPDX-License-Identifier: GPL-3.0-or-later
"""How many of the labelled prompts are understood; they were written before the grammar."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.grammar import Material, understand

_PROMPTS = Path(__file__).parents[2] / "tests/texture_lab/prompts.json"


def prompts(quick: bool) -> Iterator[dict[str, Any]]:
    """Right families, recall of modifiers, and refusals, as parts of all."""
    labelled = json.loads(_PROMPTS.read_text())
    rows = [(row, _understood(row["prompt"])) for row in labelled["prompts"]]
    families = [m is not None and m.family.name in row["families"] for row, m in rows]
    wanted = [(name, m) for row, m in rows for name in row["modifiers"]]
    modifiers = [m is not None and name in m.found for name, m in wanted]
    refused = [_understood(prompt) is None for prompt in labelled["impossible"]]
    yield _part("prompts-family", families, 0.9)
    yield _part("prompts-modifiers", modifiers, 0.8)
    yield _part("impossible-refused", refused, 0.9)


def _understood(prompt: str) -> Material | None:
    try:
        return understand(prompt)
    except StagewrightError:
        return None


def _part(task: str, hits: list[bool], aim: float) -> dict[str, Any]:
    part = sum(hits) / len(hits)
    note = f"{sum(hits)} of {len(hits)}"
    return {
        "task": task,
        "value": part,
        "baseline": aim,
        "unit": "of all",
        "agree": part >= aim,
        "note": note,
    }


TASKS = {"prompts": prompts}
