# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the extension keeps the window waiting: to register, and to draw each panel.

    blender-headless -b -P bench/window.py -- --json

The scene is heavy on purpose: 5,000 objects, all selected. Panels draw on the recording layout of
the tests, which checks more than Blender's own does. There is no peer; the goals are 60 ms to
register and 2 ms a panel.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import addon_utils
import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.blender.recorder import draw  # noqa: E402


def milliseconds(function: Callable[[], Any], runs: int) -> float:
    """Median time of a call."""
    times = []
    for _ in range(runs):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return median(times) * 1e3


def fill_scene() -> None:
    """5,000 linked copies of a cube, all selected."""
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    for index in range(4999):
        copy = cube.copy()
        copy.location.x = index
        bpy.context.scene.collection.objects.link(copy)
        copy.select_set(True)
    bpy.context.view_layer.update()


def rows() -> list[dict[str, Any]]:
    """Registering, and every panel that is shown here."""
    addon_utils.enable("stagewright")

    def again() -> None:
        addon_utils.disable("stagewright")
        start = perf_counter()
        addon_utils.enable("stagewright")
        times.append((perf_counter() - start) * 1e3)

    times: list[float] = []
    for _ in range(9):
        again()
    found = [_row("register", median(times), 60)]
    bpy.ops.wm.read_homefile(use_empty=True)
    fill_scene()
    panels = [
        cls for cls in bpy.types.Panel.__subclasses__()
        if cls.is_registered and cls.__module__.startswith("stagewright.")
    ]  # fmt: skip
    for cls in sorted(panels, key=lambda cls: cls.__name__):
        if not hasattr(cls, "poll") or cls.poll(bpy.context):
            found.append(_row(cls.__name__, milliseconds(lambda cls=cls: draw(cls), 15), 2))
    return found


def _row(task: str, value: float, goal: float) -> dict[str, Any]:
    return {"task": task, "value": value, "baseline": goal, "unit": "ms", "peer": "goal"}


if __name__ == "__main__":
    made = rows()
    if "--json" in sys.argv:
        print(json.dumps({"rows": made}))
    else:
        for row in made:
            print(f"{row['task']:40}{row['value']:8.2f} of {row['baseline']} ms")
