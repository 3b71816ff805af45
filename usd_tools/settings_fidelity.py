# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the places, cameras, lights and custom properties of objects.

Blender's light has the radiance ``P / (pi A)``, ``P / pi`` when it does not
normalize, and a sun the irradiance ``P``: see docs/usd-prims.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import cos, pi, radians
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Tf, Usd, UsdGeom, UsdLux

from .findings import Finding
from .scene_record import SceneRecord, Setting, SettingsRecord
from .stage_meshes import to_scene
from .stages import object_name

# Single precision through a few transforms.
_TOLERANCE = 1e-4
# A spot's edge is blended by another law in UsdLux; both fit to a hundredth.
_LOOSE = {"blend": 1e-2, "strength": 1e-3}
_POINT = 2e-3  # metres: what stands for a light without a size
_PROPERTIES = "userProperties:"
_TYPES = {"SphereLight": "POINT", "DistantLight": "SUN", "RectLight": "RECT", "DiskLight": "DISK"}
_ANGLES = 2048

_CURES = {
    "place": "Apply unusual constraints of {name} in Blender, and export again.",
    "camera": "Look at the settings of {name}; export with the stagewright engine.",
    "light": "Look at the settings of {name}; export with the stagewright engine.",
    "property": "Make it a number, a text, or an array of numbers.",
}

Values = Mapping[str, Setting]


def compare_settings(
    record: SceneRecord, prims: Mapping[str, Sequence[Usd.Prim]], stage: Usd.Stage
) -> Iterator[Finding]:
    """The first difference of each setting, by object.

    Args:
        record: the scene.
        prims: by the name of the object.
        stage: the stage of the prims.
    """
    told = set()
    cache = UsdGeom.XformCache()
    axes = to_scene(stage, 1.0)
    for settings in record.settings:
        named = [p for p in prims.get(settings.object, ()) if object_name(p) == settings.object]
        found = _prim(settings.kind, named)
        if found is None:
            continue  # its absence is told
        time = Usd.TimeCode(settings.frame)
        cache.SetTime(time)
        matrix = np.array(cache.GetLocalToWorldTransform(found)) @ axes
        theirs = _held(settings, found, named, time, matrix)
        for name, expected, held in _differences(settings, theirs):
            key = (settings.object, settings.kind, name)
            if key in told:
                continue
            told.add(key)
            what = f"custom property “{name}”" if settings.kind == "property" else name
            yield Finding(
                f"object-{settings.kind}",
                "loss",
                f"The {what} of {settings.object} is {_text(expected)}, but {_text(held)} in the "
                f"file at frame {settings.frame:g}.",
                _CURES[settings.kind].format(name=settings.object),
                settings.object,
                str(found.GetPath()),
                value=settings.frame,
            )


def _prim(kind: str, named: Sequence[Usd.Prim]) -> Usd.Prim | None:
    """The prim that holds settings of a ``kind``, nearest the root."""
    if kind == "camera":
        named = [prim for prim in named if prim.IsA(UsdGeom.Camera)]
    elif kind == "light":
        named = [prim for prim in named if prim.HasAPI(UsdLux.LightAPI)]
    elif kind == "place":
        # What undoes the object's scale below it has the same origin and directions.
        named = [prim for prim in named if prim.IsA(UsdGeom.Xformable)]
    return min(named, key=lambda prim: prim.GetPath().pathElementCount, default=None)


def _held(
    settings: SettingsRecord,
    prim: Usd.Prim,
    named: Sequence[Usd.Prim],
    time: Usd.TimeCode,
    matrix: NDArray[np.float64],
) -> Values:
    """What the file holds of ``settings``; ``matrix`` is to the world in metres."""
    if settings.kind == "place":
        return _place(matrix)
    if settings.kind == "camera":
        metres = UsdGeom.GetStageMetersPerUnit(prim.GetStage())
        return _camera(UsdGeom.Camera(prim), time, metres)
    if settings.kind == "light":
        return _light(prim, settings.values, time, np.linalg.norm(matrix[:3, :3], axis=1))
    return {k: _property(k, value, named, time) for k, value in settings.values.items()}


def _place(matrix: NDArray[np.float64]) -> Values:
    lengths = np.linalg.norm(matrix[:3, :3], axis=1)
    values: dict[str, Setting] = {"origin": tuple(matrix[3, :3].tolist())}
    for index, name in enumerate("xyz"):
        axis = matrix[index, :3] / max(lengths[index], 1e-30)
        values[f"{name} axis"] = tuple(axis.tolist())
    return values


def _camera(camera: UsdGeom.Camera, time: Usd.TimeCode, metres: float) -> Values:
    def value(name: str) -> Any:
        return camera.GetPrim().GetAttribute(name).Get(time)

    film = metres / 10
    f_stop = float(value("fStop"))
    return {
        "projection": str(value("projection")),
        "focal length": value("focalLength") * film,
        "aperture": (value("horizontalAperture") * film, value("verticalAperture") * film),
        "aperture offset": (
            value("horizontalApertureOffset") * film,
            value("verticalApertureOffset") * film,
        ),
        "clipping": tuple(v * metres for v in value("clippingRange")),
        "f-stop": f_stop,
        "focus distance": value("focusDistance") * metres,
    }


def _light(
    prim: Usd.Prim, ours: Values, time: Usd.TimeCode, scale: NDArray[np.float64]
) -> dict[str, Setting]:
    """A light in Blender's terms; where they lack one of UsdLux's, ``ours`` fills it in."""

    def value(name: str, fallback: Any = None) -> Any:
        found = prim.GetAttribute(f"inputs:{name}")
        held = found.Get(time) if found else None
        return fallback if held is None else held

    kind = _TYPES.get(str(prim.GetTypeName()), str(prim.GetTypeName()))
    edge = float(value("shaping:cone:angle", 90.0))
    softness = float(value("shaping:cone:softness", 0.0))
    shaped = prim.HasAPI(UsdLux.ShapingAPI) and edge < 90.0
    radius = float(value("radius", 0.0)) * float(scale.mean())
    values: dict[str, Setting] = {
        "type": "SPOT" if kind == "POINT" and (shaped or ours["type"] == "SPOT") else kind,
        "colour": tuple(value("color", (1.0, 1.0, 1.0))),
        "temperature": float(value("colorTemperature", 6500.0))
        if value("enableColorTemperature", False)
        else 6500.0,
        "diffuse": float(value("diffuse", 1.0)),
        "specular": float(value("specular", 1.0)),
        "angle": float(value("angle", 0.53)),
        "radius": 0.0 if ours.get("radius") == 0.0 and radius <= _POINT else radius,
        "cone": 2 * edge,
        "spread": 2 * edge,
    }
    diameter = 2 * float(value("radius", 0.5))
    sides = (value("width", 1.0), value("height", 1.0)) if kind == "RECT" else (diameter, diameter)
    wide, high = float(sides[0] * scale[0]), float(sides[1] * scale[1])
    values["size"] = (wide, high)
    area = {"RECT": wide * high, "DISK": pi / 4 * wide * high}.get(kind, 4 * pi * radius**2)
    share = _share(edge, softness) if shaped else 1.0
    values["blend"] = _blend(edge, softness)
    values["strength"] = _strength(value, kind, area, ours, share)
    return values


def _strength(value: Any, kind: str, area: float, ours: Values, share: float) -> float:
    """Blender's strength, by the same choice of normalizing as ``ours``."""
    strength = float(value("intensity", 1.0)) * 2 ** float(value("exposure", 0.0))
    normalized, wanted = bool(value("normalize", False)), bool(ours["normalize"])
    if kind == "SUN":
        if normalized == wanted:
            return strength
        solid = pi * np.sin(radians(float(value("angle", 0.53))) / 2) ** 2
        return strength * solid if wanted else strength / max(solid, 1e-30)
    if ours.get("radius") == 0.0 and not wanted and normalized:
        return strength * pi / 4  # a point's flux that is not normalized is four times as much
    if normalized != wanted:
        strength = strength * area if wanted else strength / max(area, 1e-30)
    # Blender keeps the flux of a surface whatever its spread is.
    return strength * pi * (share if kind in {"RECT", "DISK"} else 1.0)


def _share(edge: float, softness: float) -> float:
    """The part of the flux of a surface that UsdLux's cone leaves."""
    angles = np.linspace(0.0, radians(edge), _ANGLES)
    inner = radians(edge) * (1 - softness)
    past = np.clip((angles - inner) / max(radians(edge) - inner, 1e-9), 0.0, 1.0)
    left = (1 - past * past * (3 - 2 * past)) * 2 * np.cos(angles) * np.sin(angles)
    return float(((left[1:] + left[:-1]) / 2 * np.diff(angles)).sum())


def _blend(edge: float, softness: float) -> float:
    """Blender's blend, from the angle at which UsdLux leaves half of the light."""
    middle, whole = radians(edge * (1 - softness / 2)), 1 - cos(radians(edge))
    return min(2 * (1 - (1 - cos(middle)) / whole), 1.0) if whole > 0 else 0.0


def _property(
    name: str, expected: Setting, named: Sequence[Usd.Prim], time: Usd.TimeCode
) -> Setting:
    """The custom property of a name, by any spelling that fits USD; the expected one if it is."""
    parts = name.split(":")
    valid = ":".join(map(Tf.MakeValidIdentifier, parts))
    plain = ":".join(re.sub(r"\W", "_", part) for part in parts)
    spelled = dict.fromkeys((name, valid, plain, f"_{plain}"))
    fitting = [_PROPERTIES + s for s in spelled] + [
        _PROPERTIES + f"{s}_{number}" for s in spelled for number in range(1, 4)
    ]
    held: list[Setting] = []
    for prim in named:
        for attribute in (prim.GetAttribute(path) for path in fitting):
            value = attribute.Get(time) if attribute else None
            if value is not None:
                plain_value = isinstance(value, str | bool | int | float)
                held.append(value if plain_value else tuple(value))
    return next((h for h in held if _equal(expected, h, _TOLERANCE)), next(iter(held), None))


def _differences(
    settings: SettingsRecord, theirs: Values
) -> Iterator[tuple[str, Setting, Setting]]:
    if settings.kind == "camera" and settings.values["projection"] != theirs["projection"]:
        yield "projection", settings.values["projection"], theirs["projection"]
        return
    if settings.kind == "light" and settings.values["type"] != theirs["type"]:
        yield "type", settings.values["type"], theirs["type"]
        return
    for name, expected in settings.values.items():
        if name == "normalize" or (expected is None and settings.kind != "property"):
            continue
        if settings.kind == "light" and name == "spread" and expected == 180.0:
            continue
        held = theirs.get(name)
        if not _equal(expected, held, _LOOSE.get(name, _TOLERANCE)):
            yield name, expected, held


def _equal(ours: Setting, theirs: Setting, tolerance: float) -> bool:
    if isinstance(ours, str) or isinstance(theirs, str) or ours is None or theirs is None:
        return ours == theirs
    left, right = np.atleast_1d(ours).astype(float), np.atleast_1d(theirs).astype(float)
    if left.shape != right.shape:
        return False
    limit = tolerance * max(1e-3, float(np.max(np.abs(left), initial=0.0)))
    return bool(np.all(np.abs(left - right) <= limit))


def _text(value: Setting) -> str:
    if value is None:
        return "missing"
    if isinstance(value, str):
        return value
    return ", ".join(f"{float(v):.6g}" for v in np.atleast_1d(value))
