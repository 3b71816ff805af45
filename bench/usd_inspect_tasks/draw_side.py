# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels' Python on a layout that draws nothing, in Blender: ``draw_side.py FILE``.

Prints one JSON line: lines in the list, seconds of each redraw with as many rows as a tall sidebar
shows. What Blender's own layout takes is not in it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VISIBLE = 40
RUNS = 50


class Layout:
    """Takes every call and gives itself."""

    bitflag_filter_item = 1

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: self


class Part:
    """An instance of a panel or list."""

    def __init__(self) -> None:
        self.layout = Layout()


def main() -> None:
    """Open the file, open 5,000 lines, and time redraws."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Blender prints to descriptor 1.
    import bpy

    spec = importlib.util.spec_from_file_location(
        "stagewright", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules["stagewright"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.register()
    from stagewright.addon.usd import inspector_panels as panels
    from stagewright.addon.usd import looking

    bpy.ops.stagewright.inspect_usd(filepath=sys.argv[1])
    bpy.ops.stagewright.toggle_prim(index=0)
    while len(looking.session().outline.lines) < 5000:
        lines = looking.session().outline.lines
        closed = [n for n, line in enumerate(lines) if line.row.has_children and not line.opened]
        bpy.ops.stagewright.toggle_prim(index=closed[0])
    inspector = bpy.context.window_manager.stagewright_usd
    inspector.line = 30
    shown = [cls for cls in panels._CLASSES if issubclass(cls, bpy.types.Panel)]
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for cls in shown:
            cls.draw(Part(), bpy.context)
        panels.STAGEWRIGHT_UL_prims.filter_items(Part(), bpy.context, inspector, "lines")
        for index in range(VISIBLE):
            panels.STAGEWRIGHT_UL_prims.draw_item(
                Part(), bpy.context, Layout(), inspector, None, 0, inspector, "line", index
            )
        taken.append(time.perf_counter() - start)
    print(json.dumps({"lines": len(inspector.lines), "seconds": taken}), file=answer, flush=True)
    module.unregister()


if __name__ == "__main__":
    main()
