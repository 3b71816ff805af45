# SPDX-License-Identifier: GPL-3.0-or-later
"""One side of a bench on whole grids, in a process of its own: ``lattice_worker.py SIDE``.

Reads JSON lines ``{"case": …}`` (prepare), ``{"save": path}`` and ``{}`` (run); answers each with a
line, runs with their seconds of wall and CPU.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIDE = sys.argv[1] if __name__ == "__main__" else ""
if SIDE == "ours":  # numpy alone: nothing else may be found
    for peer in ("openvdb", "pyopenvdb", "scipy", "numba", "bpy", "skimage", "skfmm"):
        sys.modules[peer] = None  # type: ignore[assignment]

import numpy as np  # noqa: E402

Run = Callable[[], Any]


def prepare(case: dict[str, Any]) -> Run:
    """What is timed for a case."""
    import lattice_cases as cases

    task, n = case["task"], case["n"]
    if task == "renormalize":
        return renormalize(cases.level_set(case["shape"], case["kind"], n))
    if task == "travel-time":
        source, speed, _ = cases.front(case["front"], n)
        return travel_time(source, speed, 2 / (n - 1))
    if task == "sample":
        return sample(*cases.random_points(n))
    return operator(task, cases.exact_distance("sphere", n).astype(np.float32))


def renormalize(values: Any) -> Run:  # noqa: ANN401
    """A band of 4 voxels around the zero level."""
    if SIDE == "ours":
        from stagewright.field_tools.grid import Grid
        from stagewright.field_tools.renormalize import renormalize as ours

        return lambda: ours(Grid(values), 4.0).values
    import skfmm

    wide = values.astype(np.float64)
    return lambda: np.ma.filled(skfmm.distance(wide, narrow=4.0), np.nan)


def travel_time(source: Any, speed: Any, voxel_size: float) -> Run:  # noqa: ANN401
    """The whole grid."""
    if SIDE == "ours":
        from stagewright.field_tools.eikonal import travel_time as ours
        from stagewright.field_tools.grid import Grid

        grids = [Grid(field.astype(np.float32), voxel_size) for field in (source, speed)]
        return lambda: ours(*grids).values
    import skfmm

    return lambda: np.ma.filled(skfmm.travel_time(source, speed, voxel_size, order=2), np.inf)


def sample(values: Any, points: Any) -> Run:  # noqa: ANN401
    """Linear interpolation; the peer gets its own layout of the points."""
    if SIDE == "ours":
        from stagewright.field_tools.grid import Grid
        from stagewright.field_tools.sampling import sample as ours

        return lambda: ours(Grid(values), points)
    from scipy.ndimage import map_coordinates

    columns = np.ascontiguousarray(points.T, np.float64)
    return lambda: map_coordinates(values, columns, order=1, mode="nearest")


def operator(task: str, values: Any) -> Run:  # noqa: ANN401
    """Into a buffer that has been touched; the peer copies the grid on one thread."""
    if SIDE == "copy":
        target = values + 1

        def copy() -> Any:  # noqa: ANN401
            np.copyto(target, values)
            return target

        return copy
    from stagewright.field_tools import curvature, operators
    from stagewright.field_tools.grid import Grid
    from stagewright.field_tools.stencils import vector_buffer

    call = {
        "laplacian": operators.laplacian,
        "gradient": operators.gradient,
        "mean-curvature": curvature.mean_curvature,
    }[task]
    grid = Grid(values)
    out = vector_buffer(values.shape, values.dtype) if task == "gradient" else values + 1
    out[...] = 0
    return lambda: call(grid, out=out).values


def main() -> None:
    """Answer commands until there are no more."""
    root = Path(__file__).resolve().parents[2]
    spec = importlib.util.spec_from_file_location(
        "stagewright", root / "__init__.py", submodule_search_locations=[str(root)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["stagewright"] = module
    spec.loader.exec_module(module)
    run: Run = dict
    answer: Any = None
    for line in sys.stdin:
        command = json.loads(line)
        reply: dict[str, Any] = {}
        if "case" in command:
            try:
                run = prepare(command["case"])
            except ImportError as error:
                reply = {"absent": str(error)}
        elif "save" in command:
            np.save(command["save"], answer)
        else:
            wall, cpu = time.perf_counter(), time.process_time()
            answer = run()
            reply = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
