# SPDX-License-Identifier: GPL-3.0-or-later
"""The look of an asset: its materials, and what they are bound to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pxr import Sdf

from .scene_record import InputRecord, MaterialRecord
from .sorted_copy import copy_property, copy_sorted

BINDING_SCHEMA = "MaterialBindingAPI"
DATA_NAME = "userProperties:blender:data_name"

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
    for prim in _prims(source.GetPrimAtPath(top)):
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


def repair(look: Sdf.Layer, materials: Sequence[MaterialRecord]) -> None:
    """Write what the exporter leaves out of the preview surfaces in ``look``.

    Blender 5.2 ignores a constant Alpha and writes ``1 - Transmission`` as
    opacity, 4.5 the other way round. A point that lets through by both covers
    their product.
    """
    opacities = {m.name: _opacity(m) for m in materials}
    for material in _prims(look.pseudoRoot):
        opacity = opacities.get(data_name(material))
        if material.typeName != "Material" or opacity is None:
            continue
        for shader in preview_surfaces(material.nameChildren):
            attribute = shader.attributes.get("inputs:opacity")
            if attribute is None:
                attribute = Sdf.AttributeSpec(shader, "inputs:opacity", Sdf.ValueTypeNames.Float)
            if not attribute.connectionPathList.GetAddedOrExplicitItems():
                attribute.default = opacity


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


def _prims(prim: Sdf.PrimSpec) -> Iterator[Sdf.PrimSpec]:
    """All prims below ``prim``."""
    stack = list(prim.nameChildren)
    while stack:
        found = stack.pop()
        yield found
        stack.extend(found.nameChildren)
