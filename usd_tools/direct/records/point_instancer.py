# SPDX-License-Identifier: GPL-3.0-or-later
"""Point instancers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .values import Primvar


@dataclass(frozen=True, eq=False)
class PointInstancerRecord:
    """Many instances of few prototypes.

    Attributes:
        path: absolute path of the PointInstancer prim.
        prototypes: absolute paths of the prototype prims, below ``path``.
        indices: (n,) int32 into ``prototypes``.
        positions: (n, 3) float32.
        orientations: (n, 4) float32 unit quaternions (w, x, y, z).
        scales: (n, 3) float32.
        ids: (n,) int64, the same for the same instance at every frame, or None.
        primvars: attributes of the instances.
    """

    path: str
    prototypes: tuple[str, ...]
    indices: NDArray[np.int32]
    positions: NDArray[np.float32]
    orientations: NDArray[np.float32]
    scales: NDArray[np.float32]
    ids: NDArray[np.int64] | None = None
    primvars: tuple[Primvar, ...] = ()
