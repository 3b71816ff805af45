# SPDX-License-Identifier: GPL-3.0-or-later
"""Cycles of a scene beside Cycles of its file, by FLIP (Andersson et al., 2020)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rows import Row
from sides import Side

SIDES = "usd_export_tasks/render_sides"
CASES = (
    "lantern",
    "objects with materials",
    "instances of an object",
    "instances made by nodes",
    "one mesh of two materials",
    "images",
    "glass and cut-outs",
    "linked duplicates",
)


def render(quick: bool) -> Iterator[Row]:
    """Mean FLIP of each scene."""
    for name in CASES[1:4] if quick else CASES:
        row: Row = {"task": "render", "size": name}
        side = Side(SIDES, "ours")
        try:
            with tempfile.TemporaryDirectory() as folder:
                case: dict[str, Any] = {"name": name, "folder": folder, "quick": quick}
                ready = side.ask(do="prepare", case=case)
                if "absent" in ready:
                    yield {**row, "note": f"absent: {ready['absent']}"}
                    return
                side.ask(do="run")
                answer = side.answer(str(Path(folder)))
        finally:
            side.close()
        yield {
            **row,
            "value": float(answer["flip"]),
            "baseline": 0.05,
            "unit": "FLIP, mean",
            "note": f"{ready['version']}; {int(answer['seen'])} % of the picture is not background",
        }


TASKS = {"render": render}
