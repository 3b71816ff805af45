# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OpenVDB file says of its grids, without reading them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class VdbHeader:
    """One grid of a file.

    Attributes:
        name: its name.
        grid_class: OpenVDB's class of it (``fog volume``, ``level set``).
        bounds: (2, 3) float64 in the file's world space, half a voxel around the
            centres of its active voxels; None for an empty grid.
    """

    name: str
    grid_class: str
    bounds: NDArray[np.float64] | None


def read_headers(file: str) -> tuple[VdbHeader, ...]:
    """The headers of ``file``; none where OpenVDB's module is not installed."""
    try:
        import openvdb
    except ImportError:
        return ()
    return tuple(
        VdbHeader(grid.name, grid.metadata.get("class", ""), _bounds(grid))
        for grid in openvdb.readAllGridMetadata(file)
    )


def _bounds(grid: Any) -> NDArray[np.float64] | None:
    low, high = (grid.metadata.get(f"file_bbox_{end}") for end in ("min", "max"))
    if low is None or high is None or low[0] > high[0]:
        return None
    ends = np.array([low, high]) + [[-0.5] * 3, [0.5] * 3]
    corners = np.array(
        [grid.transform.indexToWorld(tuple(corner)) for corner in product(*ends.T.tolist())]
    )
    return np.stack([corners.min(axis=0), corners.max(axis=0)])
