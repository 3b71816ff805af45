# SPDX-License-Identifier: GPL-3.0-or-later
"""The sides of the benches on whole grids: ours, scikit-fmm, scipy and a copy of the grid."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import lattice_cases as cases
import numpy as np

Run = Callable[[], Any]
PACKAGES = {"scikit-fmm": "scikit-fmm", "scipy": "scipy", "copy": "numpy", "ours": "numpy"}


def prepare(side: str, case: dict[str, Any]) -> tuple[Run, Callable[[Any], dict[str, Any]], str]:
    """What is timed for a case, its arrays, and the version."""
    task, n = case["task"], case["n"]
    if task == "renormalize":
        run = renormalize(side, cases.level_set(case["shape"], case["kind"], n))
    elif task == "travel-time":
        source, speed, _ = cases.front(case["front"], n)
        run = travel_time(side, source, speed, 2 / (n - 1))
    elif task == "sample":
        run = sample(side, *cases.random_points(n))
    else:
        run = operator(side, task, cases.exact_distance("sphere", n).astype(np.float32))
    package = PACKAGES[side]
    version = f"{package} {importlib.metadata.version(package)} on 1 thread"
    return run, lambda answer: {"values": answer}, version


def renormalize(side: str, values: Any) -> Run:
    """A band of 4 voxels around the zero level."""
    if side == "ours":
        from stagewright.field_tools.grid import Grid
        from stagewright.field_tools.renormalize import renormalize as ours

        return lambda: ours(Grid(values), 4.0).values
    import skfmm

    wide = values.astype(np.float64)
    return lambda: np.ma.filled(skfmm.distance(wide, narrow=4.0), np.nan)


def travel_time(side: str, source: Any, speed: Any, voxel_size: float) -> Run:
    """The whole grid."""
    if side == "ours":
        from stagewright.field_tools.eikonal import travel_time as ours
        from stagewright.field_tools.grid import Grid

        grids = [Grid(field.astype(np.float32), voxel_size) for field in (source, speed)]
        return lambda: ours(*grids).values
    import skfmm

    return lambda: np.ma.filled(skfmm.travel_time(source, speed, voxel_size, order=2), np.inf)


def sample(side: str, values: Any, points: Any) -> Run:
    """Linear interpolation; the peer gets its own layout of the points."""
    if side == "ours":
        from stagewright.field_tools.grid import Grid
        from stagewright.field_tools.sampling import sample as ours

        return lambda: ours(Grid(values), points)
    from scipy.ndimage import map_coordinates

    columns = np.ascontiguousarray(points.T, np.float64)
    return lambda: map_coordinates(values, columns, order=1, mode="nearest")


def operator(side: str, task: str, values: Any) -> Run:
    """Into a buffer that has been touched; the peer copies the grid on one thread."""
    if side == "copy":
        target = values + 1

        def copy() -> Any:
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
