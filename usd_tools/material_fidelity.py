# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the materials of a scene with the preview surfaces of a stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pxr import Usd, UsdShade

from .dependencies import file_name
from .findings import Finding
from .scene_record import InputRecord, MaterialRecord, SceneRecord
from .stage_meshes import material_name
from .textures import SOURCE_NAME

Value = tuple[float, ...]

# Sockets that UsdPreviewSurface holds one to one: its input, and what the
# input is where it is not authored (UsdPreviewSurface specification 2.6).
# "specular" is Blender's own, read back by its importer.
_INPUTS: Mapping[str, tuple[str, Value]] = {
    "Base Color": ("diffuseColor", (0.18, 0.18, 0.18)),
    "Metallic": ("metallic", (0.0,)),
    "Roughness": ("roughness", (0.5,)),
    "IOR": ("ior", (1.5,)),
    "Specular IOR Level": ("specular", (0.5,)),
    "Coat Weight": ("clearcoat", (0.0,)),
    "Coat Roughness": ("clearcoatRoughness", (0.01,)),
    "Normal": ("normal", ()),
    "Emission Color": ("emissiveColor", (0.0, 0.0, 0.0)),
    "Alpha": ("opacity", (1.0,)),
}

# Sockets that it does not hold, with the value at which they do nothing.
_NEUTRAL: Mapping[str, float] = {
    "Subsurface Weight": 0.0,
    "Sheen Weight": 0.0,
    "Anisotropic": 0.0,
    "Diffuse Roughness": 0.0,
    "Thin Film Thickness": 0.0,
    "Specular Tint": 1.0,
}

_TOLERANCE = 1e-5
_ONE = InputRecord("constant", (1.0,))
_ZERO = InputRecord("constant", (0.0,))


@dataclass(frozen=True)
class _Held:
    """What an input of a preview surface holds: a value, or a texture's file name."""

    value: Value
    image: str | None = None
    scale: Value = (1.0, 1.0, 1.0, 1.0)


def compare_materials(record: SceneRecord, stage: Usd.Stage) -> Iterator[Finding]:
    """Losses of the materials that the scene's meshes use."""
    surfaces = {
        material_name(UsdShade.Material(prim)): UsdShade.Material(prim)
        for prim in stage.Traverse()
        if prim.IsA(UsdShade.Material)
    }
    users = {name: mesh.object for mesh in reversed(record.meshes) for name in mesh.materials}
    for material in record.materials:
        owner = users.get(material.name, "")
        found = surfaces.get(material.name)
        if found is None:
            yield Finding(
                "material-missing",
                "loss",
                f"The material {material.name} is missing in the file.",
                "Assign it to faces of an object that is exported.",
                owner,
            )
            continue
        surface = _surface(found)
        path = str(found.GetPath())
        if surface is None or not material.inputs:
            yield Finding(
                "material-surface",
                "loss",
                f"The surface of {material.name} is no Principled BSDF at the top of its nodes.",
                "Plug a Principled BSDF into the Material Output, outside of any group.",
                owner,
                path,
            )
            continue
        for socket, reason in _losses(material, surface):
            yield Finding(
                "material-input",
                "loss",
                f"{socket} of material {material.name} {reason}.",
                f"Bake {socket} into an image, or set a plain value.",
                owner,
                path,
            )


def _losses(material: MaterialRecord, surface: UsdShade.Shader) -> Iterator[tuple[str, str]]:
    """Sockets whose value the surface does not hold, and why."""
    inputs = material.inputs
    for socket, neutral in _NEUTRAL.items():
        record = inputs.get(socket)
        if record is None:
            continue
        if record.kind != "constant" or any(abs(v - neutral) > _TOLERANCE for v in record.value):
            yield socket, "is in use, which the preview surface does not hold"
    transmission = inputs.get("Transmission Weight", _ZERO)
    if transmission.kind != "constant":
        yield "Transmission Weight", _through(transmission)
        transmission = _ZERO
    strength = inputs.get("Emission Strength", _ONE)
    if strength.kind != "constant":
        yield "Emission Strength", _through(strength)
        strength = _ONE
    for socket, (name, fallback) in _INPUTS.items():
        record = inputs.get(socket)
        if record is None or (socket == "Coat Roughness" and _is_zero(inputs.get("Coat Weight"))):
            continue
        factor = 1.0
        if socket == "Emission Color":
            factor = strength.value[0]
            record = InputRecord("constant", (0.0, 0.0, 0.0)) if factor == 0.0 else record
        elif socket == "Alpha":
            factor = 1.0 - transmission.value[0]
        reason = _difference(record, factor, _held(surface, name, fallback))
        if reason:
            yield socket, reason


def _difference(record: InputRecord, factor: float, held: _Held) -> str:
    """Why ``held`` is not ``record`` times ``factor``, or ""."""
    if record.kind == "nodes":
        return _through(record)
    if record.kind == "image":
        if held.image is None:
            return f"is the image {record.image}, but a plain value in the file"
        if held.image != record.image:
            return f"is the image {record.image}, but {held.image} in the file"
        if any(abs(scale - factor) > _TOLERANCE for scale in held.scale[:3]) and factor != 1.0:
            return f"is multiplied by {factor:g}, which the file does not hold"
        return ""
    if not held.value and held.image is None:
        return ""
    expected = tuple(v * factor for v in record.value[: len(held.value)])
    if held.image is not None:
        return f"is {_text(expected or record.value)}, but the image {held.image} in the file"
    for ours, theirs in zip(expected, held.value, strict=True):
        if not abs(ours - theirs) <= _TOLERANCE * max(1.0, abs(ours)):
            return f"is {_text(expected)}, but {_text(held.value)} in the file"
    return ""


def _through(record: InputRecord) -> str:
    nodes = ", ".join(record.nodes) or record.image or "nodes"
    return f"goes through {nodes}, which the preview surface does not hold"


def _held(surface: UsdShade.Shader, name: str, fallback: Value) -> _Held:
    found = surface.GetInput(name)
    if not found:
        return _Held(fallback)
    sources = found.GetConnectedSources()[0]
    if not sources:
        value = found.Get(Usd.TimeCode.EarliestTime())
        if value is None:
            return _Held(fallback)
        return _Held((float(value),) if isinstance(value, (int, float)) else tuple(value))
    texture = UsdShade.Shader(sources[0].source.GetPrim())
    file = texture.GetInput("file")
    image = _image_name(file.GetAttr()) if file else ""
    scale = texture.GetInput("scale").Get() if texture.GetInput("scale") else None
    return _Held((), image) if scale is None else _Held((), image, tuple(scale))


def _image_name(attribute: Usd.Attribute) -> str:
    """Name of the image file in Blender, before it was stored under another."""
    tool, field = SOURCE_NAME
    before = attribute.GetCustomData().get(tool, {}).get(field)
    value = attribute.Get()
    return str(before or file_name(value.path if value else ""))


def _surface(material: UsdShade.Material) -> UsdShade.Shader | None:
    """The preview surface of a material."""
    shader = material.ComputeSurfaceSource()[0]
    return shader if shader and shader.GetShaderId() == "UsdPreviewSurface" else None


def _is_zero(record: InputRecord | None) -> bool:
    return record is None or (record.kind == "constant" and record.value[:1] == (0.0,))


def _text(value: Value) -> str:
    return ", ".join(f"{v:.6g}" for v in value)
