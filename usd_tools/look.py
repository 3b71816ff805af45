# SPDX-License-Identifier: GPL-3.0-or-later
"""The look of an asset: its materials, and what they are bound to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pxr import Gf, Sdf, Tf

from .scene_record import InputRecord, MaterialRecord
from .sorted_copy import copy_property, copy_sorted

BINDING_SCHEMA = "MaterialBindingAPI"
DATA_NAME = "userProperties:blender:data_name"

PRIMVARS = "primvars:"

# Sockets of the Principled BSDF that UsdPreviewSurface holds one to one, and its
# inputs. "specular" is Blender's own, read back by its importer.
SOCKETS: Mapping[str, str] = {
    "Base Color": "diffuseColor",
    "Metallic": "metallic",
    "Roughness": "roughness",
    "IOR": "ior",
    "Specular IOR Level": "specular",
    "Coat Weight": "clearcoat",
    "Coat Roughness": "clearcoatRoughness",
    "Normal": "normal",
    "Emission Color": "emissiveColor",
    "Alpha": "opacity",
}

_BINDING = "material:binding"
_MATERIALS = "_materials"  # the exporter's name for the scope of all materials


def is_look(path: Sdf.Path) -> bool:
    """Whether the exporter's spec at ``path`` belongs to the look, not the geometry."""
    if path.IsPropertyPath():
        return str(path.name).split(":")[:2] == _BINDING.split(":")
    return bool(path.name == _MATERIALS and path.pathElementCount == 2)


def copy_look(source: Sdf.Layer, look: Sdf.Layer, top: Sdf.Path) -> None:
    """Copy the materials and all bindings of ``source`` into ``look``.

    Bindings become overs of the prims that are bound, with the schema
    ``MaterialBindingAPI``; the geometry layer holds neither.
    """
    bound: dict[Sdf.Path, list[Sdf.Path]] = {}
    materials = top.AppendChild(_MATERIALS)
    for prim in prims_of(source.GetPrimAtPath(top)):
        bindings = [p.path for p in prim.properties if is_look(p.path)]
        if bindings and not prim.path.HasPrefix(materials):
            bound[prim.path] = sorted(bindings)
    schemas = Sdf.TokenListOp()
    schemas.prependedItems = [BINDING_SCHEMA]
    Sdf.CreatePrimInLayer(look, top)
    with Sdf.ChangeBlock():
        # Siblings come in the order in which they are made.
        for path in sorted([*bound, materials]):
            if path != materials:
                prim = Sdf.CreatePrimInLayer(look, path)
                prim.SetInfo("apiSchemas", schemas)
                for binding in bound[path]:
                    copy_property(source.GetPropertyAtPath(binding), prim)
            elif source.GetPrimAtPath(path):
                copy_sorted(source, look, path)


def repair(
    look: Sdf.Layer,
    materials: Sequence[MaterialRecord],
    primvars: Mapping[Sdf.Path, Collection[str]],
) -> None:
    """Write what the exporter leaves out of the preview surfaces in ``look``.

    Blender 5.2 ignores a constant Alpha and writes ``1 - Transmission`` as
    opacity, 4.5 the other way round. A point that lets through by both covers
    their product. The strength of normal maps is left out, and the readers of
    UV maps follow the map that is active in the editor, while the meshes call
    the one that renders ``st``.

    Args:
        look: the layer to change.
        materials: what the scene says about the materials.
        primvars: see :func:`primvars_by_material`.
    """
    records = {m.name: m for m in reversed(materials)}  # as they are at first
    for prim in prims_of(look.pseudoRoot):
        record = records.get(data_name(prim))
        if prim.typeName != "Material" or record is None:
            continue
        for shader in preview_surfaces(prim.nameChildren):
            _repair_opacity(shader, record)
            _repair_normal(shader, record)
            _repair_uv_maps(shader, record, primvars.get(prim.path, ()))


def primvars_by_material(source: Sdf.Layer, top: Sdf.Path) -> Mapping[Sdf.Path, Collection[str]]:
    """Names of the primvars of the meshes that each material is bound to."""
    found: dict[Sdf.Path, set[str]] = defaultdict(set)
    for prim in prims_of(source.GetPrimAtPath(top)):
        for binding in (p for p in prim.properties if is_look(p.path)):
            mesh = prim.nameParent if prim.typeName == "GeomSubset" else prim
            names = {str(p.name).removeprefix(PRIMVARS) for p in mesh.properties}
            for material in binding.targetPathList.GetAddedOrExplicitItems():
                found[material] |= names
    return found


def uv_primvar(uv_map: str, primvars: Collection[str]) -> str:
    """The primvar that holds Blender's UV map ``uv_map`` ("": the one that renders).

    The map that renders is exported as ``st``, all others under their names
    (with Unicode or without it, as the version of Blender has it).
    """
    names = (Tf.MakeValidIdentifier(uv_map), re.sub(r"\W", "_", uv_map)) if uv_map else ()
    return next((name for name in names if name in primvars), "st")


def normal_decoding(strength: float) -> tuple[Gf.Vec4f, Gf.Vec4f]:
    """Scale and bias that make a normal of a normal map's colour.

    A Normal Map node in tangent space multiplies x and y by its strength and
    mixes z between 1 and the map's (Cycles, ``svm_node_normal_map``); the
    renderer normalises the sum.
    """
    mixed = min(strength, 1.0)
    return (
        Gf.Vec4f(2 * strength, 2 * strength, 2 * mixed, 2),
        Gf.Vec4f(-strength, -strength, 1 - 2 * mixed, -1),
    )


def _repair_opacity(shader: Sdf.PrimSpec, material: MaterialRecord) -> None:
    opacity = _opacity(material)
    attribute = shader.attributes.get("inputs:opacity")
    if opacity is None or (attribute is not None and _source(attribute)):
        return
    _set(shader, "inputs:opacity", Sdf.ValueTypeNames.Float, opacity)


def _repair_normal(shader: Sdf.PrimSpec, material: MaterialRecord) -> None:
    record = material.inputs.get("Normal")
    texture = _source(shader.attributes.get("inputs:normal"))
    if record is None or record.kind != "image" or texture is None:
        return
    for name, value in zip(("scale", "bias"), normal_decoding(record.scale), strict=True):
        _set(texture, f"inputs:{name}", Sdf.ValueTypeNames.Float4, value)


def _repair_uv_maps(
    shader: Sdf.PrimSpec, material: MaterialRecord, primvars: Collection[str]
) -> None:
    for socket, name in SOCKETS.items():
        record = material.inputs.get(socket)
        texture = _source(shader.attributes.get(f"inputs:{name}"))
        # What other nodes place they may place by any map.
        if record is None or record.kind != "image" or record.mapped or texture is None:
            continue
        reader = _source(texture.attributes.get("inputs:st"))
        if reader is not None and reader.attributes.get("inputs:varname") is not None:
            reader.attributes["inputs:varname"].default = uv_primvar(record.uv_map, primvars)


def _source(attribute: Sdf.AttributeSpec | None) -> Sdf.PrimSpec | None:
    """The shader that ``attribute`` is connected to."""
    if attribute is None:
        return None
    paths = attribute.connectionPathList.GetAddedOrExplicitItems()
    return attribute.layer.GetPrimAtPath(paths[0].GetPrimPath()) if paths else None


def _set(shader: Sdf.PrimSpec, name: str, kind: Sdf.ValueTypeName, value: object) -> None:
    attribute = shader.attributes.get(name) or Sdf.AttributeSpec(shader, name, kind)
    attribute.default = value


def _opacity(material: MaterialRecord) -> float | None:
    """Alpha times what is not transmitted, where both are constant; otherwise None."""
    alpha = material.inputs.get("Alpha")
    transmission = material.inputs.get("Transmission Weight", InputRecord("constant", (0.0,)))
    if alpha is None or alpha.kind != "constant" or transmission.kind != "constant":
        return None
    return alpha.value[0] * (1.0 - transmission.value[0])


def preview_surfaces(prims: Iterable[Sdf.PrimSpec]) -> Iterator[Sdf.PrimSpec]:
    """The UsdPreviewSurface shaders among ``prims``."""
    for prim in prims:
        identifier = prim.attributes.get("info:id")
        if identifier is not None and identifier.default == "UsdPreviewSurface":
            yield prim


def data_name(prim: Sdf.PrimSpec) -> str:
    """Blender's name of the data-block a prim was written from, or the prim's own."""
    attribute = prim.attributes.get(DATA_NAME)
    return prim.name if attribute is None else str(attribute.default)


def prims_of(prim: Sdf.PrimSpec) -> Iterator[Sdf.PrimSpec]:
    """The prim and all below it."""
    stack = [prim]
    while stack:
        found = stack.pop()
        yield found
        stack.extend(found.nameChildren)
