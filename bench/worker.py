# SPDX-License-Identifier: GPL-3.0-or-later
"""One side of a comparison in a process of its own: ``worker.py FOLDER/MODULE SIDE``.

Reads JSON lines ``{"do": "prepare", "case": …}``, ``{"do": "run"}``, ``{"do": "save", "path": …}``
``{"do": "peak"}`` and ``{"do": "forget-peak"}``, and answers each with one line: a run with its
seconds of wall and CPU, the peak of memory in bytes, the memory of now, when peaks count anew.
``MODULE.prepare(side, case)`` gives what is timed, the arrays of its result by name, and the side's
version with its threads.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

PEERS = {"field_tasks": ("openvdb", "pyopenvdb", "scipy", "numba", "bpy", "skimage", "skfmm")}
"""What may not be found where our side is timed, by the folder of the tasks."""


def main() -> None:
    """Answer commands until the input ends."""
    (folder, module), side = sys.argv[1].split("/"), sys.argv[2]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Blender prints to descriptor 1.
    if side == "ours":
        for peer in PEERS.get(folder, ()):
            sys.modules[peer] = None  # type: ignore[assignment]
    _load_package()
    sys.path.insert(0, str(Path(__file__).with_name(folder)))
    prepare = importlib.import_module(module).prepare
    for line in sys.stdin:
        command = json.loads(line)
        reply: dict[str, Any] = {}
        if command["do"] == "prepare":
            try:
                run, to_arrays, version = prepare(side, command["case"])
                reply = {"version": version, "threads": _threads()}
            except ImportError as error:
                reply = {"absent": str(error)}
        elif command["do"] == "run":
            wall, cpu = time.perf_counter(), time.process_time()
            result = run()
            reply = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        elif command["do"] == "save":
            import numpy as np

            np.savez(command["path"], **to_arrays(result))
        elif command["do"] == "peak":
            reply = {"bytes": _memory("VmHWM")}
        elif command["do"] == "forget-peak":
            Path("/proc/self/clear_refs").write_text("5")
            reply = {"bytes": _memory("VmRSS")}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def _load_package() -> None:
    """Make ``stagewright`` importable from this checkout, whatever its folder is named."""
    root = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(
        "stagewright", root / "__init__.py", submodule_search_locations=[str(root)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["stagewright"] = module
    spec.loader.exec_module(module)


def _memory(field: str) -> int:
    """A figure of Linux's about this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(field))
    return int(line.split()[1]) * 1024


def _threads() -> int:
    from stagewright.jobs.threads import thread_count

    return thread_count()


if __name__ == "__main__":
    main()
