# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .values import Property

Color = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class LightRecord:
    """A light that shines down its -Z axis, in UsdLux's quantities.

    Attributes:
        path: absolute path of its prim.
        data: name of its data-block in Blender.
        kind: UsdLux's schema.
        intensity: radiance, or what it is of when ``normalize`` is set: radiance
            times area in the world, and for a distant light irradiance.
        color: linear Rec.709.
        exposure: in stops.
        normalize: see ``intensity``.
        sizes: ``radius``, ``width`` and ``height`` in scene units, ``angle`` in degrees.
        temperature: in kelvin, or None.
        diffuse: factor on diffuse reflections.
        specular: factor on specular reflections.
        as_point: whether the sphere stands for a point.
        cone: half its angle in degrees and UsdLux's softness, or None.
        shadows: whether it casts shadows, or None for a light that always does.
        scale: of the prim's own.
        properties: custom properties of the data-block.
    """

    path: str
    data: str
    kind: Literal["SphereLight", "DistantLight", "RectLight", "DiskLight"]
    intensity: float
    color: Color
    exposure: float = 0.0
    normalize: bool = True
    sizes: Mapping[str, float] = field(default_factory=dict)
    temperature: float | None = None
    diffuse: float = 1.0
    specular: float = 1.0
    as_point: bool = False
    cone: tuple[float, float] | None = None
    shadows: bool | None = None
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    properties: Mapping[str, Property] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class DomeLightRecord:
    """The light from all around, +Y up and the middle of its image at +Z.

    Attributes:
        path: absolute path of its prim.
        data: name of the world in Blender.
        intensity: radiance where color and image are 1.
        color: linear Rec.709.
        rotation: (w, x, y, z), below the root.
        texture: path of an image, or "".
        format: layout of the image.
        properties: custom properties of the world.
    """

    path: str
    data: str
    intensity: float
    color: Color
    rotation: tuple[float, float, float, float]
    texture: str = ""
    format: Literal["latlong", "mirroredBall"] = "latlong"
    properties: Mapping[str, Property] = field(default_factory=dict)
