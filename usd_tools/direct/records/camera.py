# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .values import Property


@dataclass(frozen=True, eq=False)
class CameraRecord:
    """A camera that looks down its -Z axis, +Y up.

    Attributes:
        path: absolute path of the Camera prim.
        data: name of its data-block in Blender.
        aperture: width and height of the film in tenths of a scene unit, as
            UsdGeomCamera has them; what is seen, for an orthographic camera.
        clipping: near and far distance, in scene units.
        focal_length: in tenths of a scene unit.
        projection: UsdGeomCamera's token.
        aperture_offset: of the film's centre to the right and up, as ``aperture``.
        focus_distance: in scene units; 0 when all is in focus.
        f_stop: 0 when all is in focus.
        shutter: frames from the current one to when the shutter opens and
            closes, or None.
        scale: undoes the object's, which a camera does not heed.
        properties: custom properties of the data-block.
    """

    path: str
    data: str
    aperture: tuple[float, float]
    clipping: tuple[float, float]
    focal_length: float
    projection: Literal["perspective", "orthographic"] = "perspective"
    aperture_offset: tuple[float, float] = (0.0, 0.0)
    focus_distance: float = 0.0
    f_stop: float = 0.0
    shutter: tuple[float, float] | None = None
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    properties: Mapping[str, Property] = field(default_factory=dict)
