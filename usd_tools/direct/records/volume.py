# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .values import Property


@dataclass(frozen=True)
class VolumeField:
    """One grid of an OpenVDB file.

    Attributes:
        name: of the grid, as the file has it.
        index: how many grids of that name come before it in the file.
        prim: name of its prim and of its relationship; a valid name.
        file: path of the file, absolute: an asset path, for whoever makes the
            stage's files relative.
        data_type: ``fieldDataType``, or "" for a type that USD has no name for.
        field_class: ``fieldClass`` (``fogVolume``, ``levelSet``), or "".
    """

    name: str
    index: int
    prim: str
    file: str
    data_type: str = ""
    field_class: str = ""


@dataclass(frozen=True, eq=False)
class VolumeRecord:
    """A volume; one without fields shows nothing and is invisible.

    Attributes:
        path: absolute path of the Volume prim.
        data: name of its data-block in Blender.
        fields: its grids.
        extent: (2, 3) float32 bounds in object space, or None.
        material: path of the material bound to it, or "".
        properties: custom properties of the data-block.
    """

    path: str
    data: str
    fields: tuple[VolumeField, ...]
    extent: NDArray[np.float32] | None = None
    material: str = ""
    properties: Mapping[str, Property] = field(default_factory=dict)
