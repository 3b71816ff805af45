# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the materials of a scene with the preview surfaces of a stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdShade

from .findings import Finding
from .look import SOCKETS, normal_decoding, uv_primvar
from .openpbr_fidelity import holds, numbers_text, openpbr_losses, openpbr_surface
from .scene_record import InputRecord, MaterialRecord, SceneRecord
from .stage_meshes import material_name
from .stages import object_name
from .textures import image_name

Value = tuple[float, ...]

# What the inputs of UsdPreviewSurface are where they are not authored
# (UsdPreviewSurface specification 2.6).
_FALLBACKS: Mapping[str, Value] = {
    "diffuseColor": (0.18, 0.18, 0.18),
    "metallic": (0.0,),
    "roughness": (0.5,),
    "ior": (1.5,),
    "specular": (0.5,),
    "clearcoat": (0.0,),
    "clearcoatRoughness": (0.01,),
    "normal": (),
    "emissiveColor": (0.0, 0.0, 0.0),
    "opacity": (1.0,),
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

# Those, and what only Blender's own importer reads.
_LACKING = {*_NEUTRAL, "Specular IOR Level"}

# Components of a texture's scale and bias that an output of it uses.
_CHANNELS = {
    "r": slice(0, 1),
    "g": slice(1, 2),
    "b": slice(2, 3),
    "a": slice(3, 4),
    "rgb": slice(3),
}

_TOLERANCE = 1e-5
# Scale, rotation and translation that leave coordinates where they are.
_UNMOVED: Value = (1.0, 1.0, 0.0, 0.0, 0.0)
_ONE = InputRecord("constant", (1.0,))
_ZERO = InputRecord("constant", (0.0,))


@dataclass(frozen=True)
class _Held:
    """What an input of a preview surface holds: a value, or a texture.

    Attributes:
        value: the value, or () for a texture.
        image: file name of the texture.
        scale: what its colour is multiplied by, of the channels that are used.
        bias: what is added then, of the same channels.
        moved: whether its coordinates go through a UsdTransform2d.
        primvar: the primvar that its coordinates are read from, or "".
        channel: the output of the texture that is used.
        space: its ``sourceColorSpace``.
        transform: scale, rotation and translation of the UsdTransform2d, or ().
    """

    value: Value
    image: str | None = None
    scale: Value = ()
    bias: Value = ()
    moved: bool = False
    primvar: str = ""
    channel: str = ""
    space: str = ""
    transform: Value = ()


def compare_materials(record: SceneRecord, stage: Usd.Stage) -> Iterator[Finding]:
    """Losses of the materials that the scene's meshes use."""
    surfaces = {
        material_name(UsdShade.Material(prim)): UsdShade.Material(prim)
        for prim in stage.Traverse()
        if prim.IsA(UsdShade.Material)
    }
    users = {name: mesh.object for mesh in reversed(record.meshes) for name in mesh.materials}
    uv_maps = _uv_maps(stage)
    told: set[tuple[str, str]] = set()
    for material in record.materials:
        owner = users.get(material.name, "")
        found = surfaces.get(material.name)
        surface = _surface(found) if found else None
        if found is None or surface is None or not material.inputs:
            if (material.name, "") not in told:
                told.add((material.name, ""))
                yield _without_surface(material, found, owner)
            continue
        path = str(found.GetPath())
        for socket, reason in _all_losses(material, found, surface):
            if (material.name, socket) in told:
                continue
            told.add((material.name, socket))
            yield Finding(
                "material-input",
                "loss",
                f"{socket} of material {material.name} {reason}.",
                f"Bake {socket} into an image, or set a plain value.",
                owner,
                path,
                value=material.frame,
            )
        for mesh, primvars in uv_maps[found.GetPath()]:
            name = object_name(mesh)
            name = record.aliases.get(name, name)
            for socket, reason in _uv_losses(material, surface, primvars):
                if (material.name, f"{mesh.GetPath()} {socket}") in told:
                    continue
                told.add((material.name, f"{mesh.GetPath()} {socket}"))
                yield Finding(
                    "material-uv",
                    "loss",
                    f"{socket} of material {material.name} {reason} on {name}.",
                    f"Let the same UV map render on all objects with {material.name}.",
                    name,
                    str(mesh.GetPath()),
                )


def _without_surface(
    material: MaterialRecord, found: UsdShade.Material | None, owner: str
) -> Finding:
    if found is None:
        return Finding(
            "material-missing",
            "loss",
            f"The material {material.name} is missing in the file.",
            "Assign it to faces of an object that is exported.",
            owner,
        )
    return Finding(
        "material-surface",
        "loss",
        f"The surface of {material.name} is no Principled BSDF at the top of its nodes.",
        "Plug a Principled BSDF into the Material Output, outside of any group.",
        owner,
        str(found.GetPath()),
    )


def _all_losses(
    material: MaterialRecord, found: UsdShade.Material, surface: UsdShade.Shader
) -> Iterator[tuple[str, str]]:
    """Sockets that the networks of a material do not hold at the record's frame, and why."""
    openpbr = openpbr_surface(found)
    time = Usd.TimeCode(material.frame)
    for socket, reason in _losses(material, surface, time):
        record = material.inputs[socket]
        # What the preview surface cannot hold at all, the other one may.
        lacking = record.kind == "nodes" or socket in _LACKING
        if not (lacking and holds(openpbr, socket, record, time)):
            yield socket, reason
    if openpbr is not None:
        yield from openpbr_losses(material, openpbr, time)


def _losses(
    material: MaterialRecord, surface: UsdShade.Shader, time: Usd.TimeCode
) -> Iterator[tuple[str, str]]:
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
    for socket, name in SOCKETS.items():
        record = inputs.get(socket)
        if record is None or (socket == "Coat Roughness" and _is_zero(inputs.get("Coat Weight"))):
            continue
        factor = record.scale
        if socket == "Emission Color":
            factor *= strength.value[0]
            record = InputRecord("constant", (0.0, 0.0, 0.0)) if factor == 0.0 else record
        elif socket == "Alpha":
            factor *= 1.0 - transmission.value[0]
        held = _held(surface, name, time)
        if record.kind == "image" and record.image == held.image:
            reason = _texture_difference(record, _decoding(socket, factor, held), held)
        else:
            reason = _difference(record, factor, held)
        if reason:
            yield socket, reason


def _difference(record: InputRecord, factor: float, held: _Held) -> str:
    """Why ``held`` is not ``record`` times ``factor``, or ""."""
    if record.kind == "nodes":
        return _through(record)
    if record.kind == "image":
        if held.image is None:
            return f"is the image {record.image}, but a plain value in the file"
        return f"is the image {record.image}, but {held.image} in the file"
    if not held.value and held.image is None:
        return ""
    expected = tuple(v * factor for v in record.value[: len(held.value)])
    if held.image is not None:
        return (
            f"is {numbers_text(expected or record.value)}, but the image {held.image} in the file"
        )
    for ours, theirs in zip(expected, held.value, strict=True):
        if not abs(ours - theirs) <= _TOLERANCE * max(1.0, abs(ours)):
            return f"is {numbers_text(expected)}, but {numbers_text(held.value)} in the file"
    return ""


def _decoding(socket: str, factor: float, held: _Held) -> tuple[Value, Value]:
    """Scale and bias that the texture of an input ought to have."""
    if socket == "Normal":
        scale, bias = normal_decoding(factor)
        return tuple(scale)[:3], tuple(bias)[:3]
    return (factor,) * len(held.scale), (0.0,) * len(held.bias)


def _texture_difference(record: InputRecord, decoding: tuple[Value, Value], held: _Held) -> str:
    """Why a texture of the right image gives other values, or ""."""
    for expected, found, how in zip(
        decoding, (held.scale, held.bias), ("multiplied by", "shifted by"), strict=True
    ):
        if len(expected) != len(found) or not np.allclose(expected, found, 0.0, _TOLERANCE):
            ours, theirs = numbers_text(expected), numbers_text(found)
            return f"is an image {how} {ours}, but by {theirs} in the file"
    if record.channel and record.channel != held.channel:
        return f"uses the channel {record.channel} of its image, but {held.channel} in the file"
    if record.raw is not None and held.space in {"raw", "sRGB"}:
        space = "raw" if record.raw else "sRGB"
        if space != held.space:
            return f"is an image in {space}, but in {held.space} in the file"
    if record.transform and not np.allclose(
        record.transform, held.transform or _UNMOVED, 0.0, _TOLERANCE
    ):
        placed = numbers_text(held.transform or _UNMOVED)
        return (
            f"is an image placed by {numbers_text(record.transform)}, but by {placed} in the file"
        )
    if held.moved and not record.mapped and not np.allclose(held.transform, _UNMOVED):
        return f"is an image as it is, but placed by {numbers_text(held.transform)} in the file"
    if record.mapped and not held.moved and not record.transform:
        return "is an image placed by nodes, which the preview surface does not hold"
    return ""


def _uv_losses(
    material: MaterialRecord, surface: UsdShade.Shader, primvars: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Sockets whose image is read by another UV map than the scene's, and why."""
    for socket, name in SOCKETS.items():
        record = material.inputs.get(socket)
        if record is None or record.kind != "image":
            continue
        held = _held(surface, name, Usd.TimeCode(material.frame))
        # What other nodes place they may place by any map, but by one that is there.
        fitting = primvars if record.mapped else {uv_primvar(record.uv_map, primvars)}
        if held.primvar and held.primvar not in fitting:
            yield socket, f"reads {held.primvar} in the file, not {' or '.join(sorted(fitting))},"


def _uv_maps(stage: Usd.Stage) -> Mapping[Sdf.Path, list[tuple[Usd.Prim, Collection[str]]]]:
    """The meshes with UV maps that each material is bound to, and their primvars."""
    found: dict[Sdf.Path, list[tuple[Usd.Prim, Collection[str]]]] = defaultdict(list)
    for mesh in stage.Traverse():
        if not mesh.IsA(UsdGeom.Mesh):
            continue
        names = {p.GetPrimvarName() for p in UsdGeom.PrimvarsAPI(mesh).GetPrimvars()
                 if p.GetTypeName().role == "TextureCoordinate"}  # fmt: skip
        binding = UsdShade.MaterialBindingAPI(mesh)
        bound = [mesh, *(subset.GetPrim() for subset in binding.GetMaterialBindSubsets())]
        targets = {
            path
            for prim in bound
            for path in UsdShade.MaterialBindingAPI(prim).GetDirectBindingRel().GetTargets()
        }
        for path in targets if names else ():
            found[path].append((mesh, names))
    return found


def _through(record: InputRecord) -> str:
    nodes = ", ".join(record.nodes) or record.image or "nodes"
    return f"goes through {nodes}, which the preview surface does not hold"


def _held(surface: UsdShade.Shader, name: str, time: Usd.TimeCode) -> _Held:
    found = surface.GetInput(name)
    if not found:
        return _Held(_FALLBACKS[name])
    sources = found.GetConnectedSources()[0]
    if not sources:
        value = found.Get(time)
        if value is None:
            return _Held(_FALLBACKS[name])
        return _Held((float(value),) if isinstance(value, (int, float)) else tuple(value))
    texture = UsdShade.Shader(sources[0].source.GetPrim())
    file = texture.GetInput("file")
    reader = _source(texture, "st")
    moved = reader is not None and reader.GetShaderId() == "UsdTransform2d"
    transform: Value = ()
    if reader is not None and moved:
        transform = (
            *map(float, _value(reader, "scale", time, (1.0, 1.0))),
            float(_value(reader, "rotation", time, 0.0)),
            *map(float, _value(reader, "translation", time, (0.0, 0.0))),
        )
        reader = _source(reader, "in")
    channels = _CHANNELS.get(str(sources[0].sourceName), slice(4))
    return _Held(
        value=(),
        image=image_name(file.GetAttr()) if file else "",
        scale=tuple(_value(texture, "scale", time, (1.0,) * 4))[channels],
        bias=tuple(_value(texture, "bias", time, (0.0,) * 4))[channels],
        moved=moved,
        primvar=str(_value(reader, "varname", time, "")) if reader else "",
        channel=str(sources[0].sourceName),
        space=str(_value(texture, "sourceColorSpace", time, "auto")),
        transform=transform,
    )


def _source(shader: UsdShade.Shader, name: str) -> UsdShade.Shader | None:
    """The shader that an input is connected to."""
    found = shader.GetInput(name)
    sources = found.GetConnectedSources()[0] if found else []
    return UsdShade.Shader(sources[0].source.GetPrim()) if sources else None


def _value(shader: UsdShade.Shader, name: str, time: Usd.TimeCode, fallback: Any) -> Any:
    """The plain value of an input, or ``fallback``."""
    found = shader.GetInput(name)
    value = found.Get(time) if found else None
    return fallback if value is None else value


def _surface(material: UsdShade.Material) -> UsdShade.Shader | None:
    """The preview surface of a material."""
    shader = material.ComputeSurfaceSource()[0]
    return shader if shader and shader.GetShaderId() == "UsdPreviewSurface" else None


def _is_zero(record: InputRecord | None) -> bool:
    return record is None or (record.kind == "constant" and record.value[:1] == (0.0,))
