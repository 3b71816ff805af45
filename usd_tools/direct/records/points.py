# SPDX-License-Identifier: GPL-3.0-or-later
"""Point clouds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .values import Primvar, Property


@dataclass(frozen=True, eq=False)
class PointsRecord:
    """A point cloud.

    Attributes:
        path: absolute path of the Points prim.
        data: name of its data-block in Blender.
        points: (n, 3) float32, object space.
        widths: diameters as a Primvar called ``widths``.
        ids: (n,) int64, the same for the same point at every frame, or None.
        velocities: (n, 3) float32 per second, or None.
        primvars: attributes.
        material: path of the material bound to it, or "".
        properties: custom properties of the data-block.
    """

    path: str
    data: str
    points: NDArray[np.float32]
    widths: Primvar
    ids: NDArray[np.int64] | None = None
    velocities: NDArray[np.float32] | None = None
    primvars: tuple[Primvar, ...] = ()
    material: str = ""
    properties: Mapping[str, Property] = field(default_factory=dict)
