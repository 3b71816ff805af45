# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .values import Property

Purpose = Literal["default", "render", "proxy", "guide"]


@dataclass(frozen=True, eq=False)
class XformOp:
    """One transform operation.

    Attributes:
        name: as UsdGeomXformable spells it, without ``xformOp:``
            (``"translate"``, ``"translate:pivot"``, ``"rotateXYZ"``).
        value: 3 floats (degrees for rotations), 4 for ``orient`` (w, x, y, z),
            (4, 4) for ``transform``.
        inverse: whether it is written as ``!invert!``.
    """

    name: str
    value: NDArray[np.float64]
    inverse: bool = False


@dataclass(frozen=True, eq=False)
class XformRecord:
    """An object: an Xform prim.

    Attributes:
        path: absolute path of the prim.
        object: name of the object in Blender, or "" for a prim it has none for.
        ops: transform operations in the order of ``xformOpOrder``; none for
            the identity. Matrices are in USD's row-vector convention.
        visible: False makes it, and all below, invisible.
        purpose: USD's purpose.
        properties: custom properties by name.
        prototype: path of the prim that this one is an instance of, or "".
    """

    path: str
    object: str
    ops: tuple[XformOp, ...] = ()
    visible: bool = True
    purpose: Purpose = "default"
    properties: Mapping[str, Property] = field(default_factory=dict)
    prototype: str = ""
