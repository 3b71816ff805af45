# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that several kinds of records hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Interpolation = Literal["constant", "uniform", "vertex", "varying", "faceVarying"]
Property = bool | int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Primvar:
    """Values on the elements of a shape.

    Attributes:
        name: without ``primvars:``; a valid property name.
        type: name of a Sdf value type (``"texCoord2f[]"``).
        interpolation: what elements the values are on.
        values: (n,) or (n, k).
        indices: (m,) int32 into ``values``, or None.
    """

    name: str
    type: str
    interpolation: Interpolation
    values: NDArray[np.generic]
    indices: NDArray[np.int32] | None = None
