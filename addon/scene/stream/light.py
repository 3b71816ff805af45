# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights, in UsdLux's quantities.

Blender's watts are the flux of a light with the strength ``P``. Measured in
Cycles, a lamp of the area ``A`` has the radiance ``P / (pi A)``, or ``P / pi``
when it does not normalize; a sun of the strength ``P`` gives a surface that
faces it the irradiance ``P``. UsdLux's intensity is the radiance, and when it
normalizes, radiance times area, and for a distant light the irradiance.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import acos, atan, cos, degrees, pi, radians, tan
from typing import Any

import bpy
import numpy as np

from ....usd_tools.direct.records import Color, LightRecord
from .context import StreamContext
from .nodes import number, output_node, source, triple
from .properties import custom_properties
from .transforms import scale_undone

# A light without extent is written so small, in scene units.
_POINT = 1e-3
# Below this the formula for the spread of an area light divides by nothing.
_NARROW = radians(0.1)
# How many angles an integral over a cone takes.
_ANGLES = 512


def read_light(context: StreamContext, shown: bpy.types.Object, path: str) -> Iterator[LightRecord]:
    """The light of an evaluated object whose prim is at ``path``.

    What USD has no words for is noted in ``context``.
    """
    light: Any = shown.data
    _note_losses(context, shown)
    if _is_portal(light):
        return
    data = shown.original.data
    tint, strength = _emission(context, light)
    animated = context.animated and data.animation_data is not None
    shape = _SHAPES[light.type](context, shown, animated)
    shape["intensity"] = shape.get("intensity", 1.0) * strength
    yield LightRecord(
        path=context.child(path, data.name, ("data", data.session_uid)),
        data=data.name,
        color=tuple(a * b for a, b in zip(light.color, tint, strict=True)),
        exposure=light.exposure,
        temperature=light.temperature if light.use_temperature else None,
        diffuse=light.diffuse_factor if shown.visible_diffuse else 0.0,
        specular=light.specular_factor if shown.visible_glossy else 0.0,
        shadows=None if light.use_shadow and not animated else light.use_shadow,
        properties=custom_properties(context, light),
        **shape,
    )


def _sun(context: StreamContext, shown: bpy.types.Object, animated: bool) -> dict[str, Any]:
    light = shown.data
    return {
        "kind": "DistantLight",
        "intensity": light.energy,
        "normalize": light.normalize,
        "sizes": {"angle": degrees(light.angle)},
    }


def _point(context: StreamContext, shown: bpy.types.Object, animated: bool) -> dict[str, Any]:
    light = shown.data
    intensity, normalize, radius = light.energy / pi, light.normalize, light.shadow_soft_size
    as_point = radius == 0
    if as_point and not normalize:
        # The flux of a point that does not normalize is four times that of one that does.
        intensity, normalize = 4 * intensity, True
    return {
        "kind": "SphereLight",
        "intensity": intensity,
        "normalize": normalize,
        "sizes": {"radius": max(radius, _POINT)},
        "as_point": as_point,
        "scale": scale_undone(context, shown),
    }


def _spot(context: StreamContext, shown: bpy.types.Object, animated: bool) -> dict[str, Any]:
    light = shown.data
    lengths = [column.length for column in shown.matrix_world.to_3x3().col]
    if max(lengths) > (1 + 1e-4) * min(lengths):
        context.notes.append(
            f"{shown.name}: its scale stretches the cone of the light, and cones are round in "
            "USD: it is exported unscaled. Set the scale to 1."
        )
    edge = light.spot_size / 2
    # Blender blends by the cosine, UsdLux by the angle: they meet where half the light is left.
    middle = acos(cos(edge) + (1 - cos(edge)) * light.spot_blend / 2)
    return {**_point(context, shown, animated), "cone": _cone(edge, middle)}


def _area(context: StreamContext, shown: bpy.types.Object, animated: bool) -> dict[str, Any]:
    light = shown.data
    wide = max(light.size, 1e-6)
    high = wide if light.shape in {"SQUARE", "DISK"} else max(light.size_y, 1e-6)
    made: dict[str, Any] = {"intensity": light.energy / pi, "normalize": light.normalize}
    if light.shape in {"SQUARE", "RECTANGLE"}:
        made |= {"kind": "RectLight", "sizes": {"width": wide, "height": high}}
    else:
        made |= {"kind": "DiskLight", "sizes": {"radius": wide / 2}, "scale": (1, high / wide, 1)}
    if light.spread < pi or animated:
        edge = max(light.spread / 2, _NARROW)
        made["cone"] = cone = _cone(edge, atan(tan(edge) / 2) if light.spread < pi else edge)
        made["intensity"] /= _share(*cone)
    return made


_SHAPES = {"SUN": _sun, "POINT": _point, "SPOT": _spot, "AREA": _area}


def _cone(edge: float, middle: float) -> tuple[float, float]:
    """UsdLux's cone: half its angle in degrees, and its softness.

    Args:
        edge: the angle in radians from where on no light is left.
        middle: the angle at which half is left, at least half of ``edge``.
    """
    return degrees(edge), min(max(2 * (1 - middle / edge), 0.0), 1.0) if edge else 0.0


def _share(edge: float, softness: float) -> float:
    """The part of the flux of a surface that UsdLux's cone leaves.

    Blender keeps the flux of an area light whatever its spread is.
    """
    angles = (np.arange(_ANGLES) + 0.5) / _ANGLES * radians(edge)
    inner = radians(edge) * (1 - softness)
    past = np.clip((angles - inner) / max(radians(edge) - inner, 1e-9), 0, 1)
    left = 1 - past**2 * (3 - 2 * past)
    return float((2 * left * np.cos(angles) * np.sin(angles)).sum() * radians(edge) / _ANGLES)


def _is_portal(light: bpy.types.Light) -> bool:
    cycles = getattr(light, "cycles", None)  # none without Cycles
    return light.type == "AREA" and bool(cycles and cycles.is_portal)


def _emission(context: StreamContext, light: bpy.types.Light) -> tuple[Color, float]:
    """Colour and strength that the nodes of a light multiply its own by."""
    output = output_node(light)
    if output is None:
        return (1.0, 1.0, 1.0), 1.0
    socket = source(output.inputs["Surface"])
    if socket is None:
        return (1.0, 1.0, 1.0), 0.0
    if socket.node.type == "EMISSION":
        color = triple(socket.node.inputs["Color"])
        strength = number(socket.node.inputs["Strength"])
        if color is not None and strength is not None:
            return color, strength
    context.notes.append(
        f"{light.name}: the light's nodes are not exported, as USD's lights have none. "
        "Give one Emission node a colour and a strength."
    )
    return (1.0, 1.0, 1.0), 1.0


def _note_losses(context: StreamContext, shown: bpy.types.Object) -> None:
    """Note what a light has that USD cannot say."""
    light = shown.data
    lost = []
    if _is_portal(light):
        lost.append("it is a portal, which lights nothing itself")
    linking = shown.light_linking
    if linking.receiver_collection or linking.blocker_collection:
        lost.append("which objects it lights or shadows (light linking)")
    if shown.visible_camera:  # off by default, for lights alone
        lost.append("that the camera sees it")
    for rays in ("transmission", "volume_scatter"):
        if not getattr(shown, f"visible_{rays}"):
            lost.append(f"that {rays.replace('_', ' ')} rays do not see it")
    for name in ("transmission_factor", "volume_factor"):
        if getattr(light, name) != 1:
            lost.append(f"its {name.replace('_', ' ')}")
    if lost:
        context.notes.append(f"{shown.name}: not exported: {'; '.join(lost)}.")
