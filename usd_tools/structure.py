# SPDX-License-Identifier: GPL-3.0-or-later
"""What an asset says about its parts: variant sets and collections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pxr import Sdf

from .sorted_copy import copy_sorted
from .stages import open_stage

Variants = Mapping[str, Mapping[str, tuple[str, ...]]]
Layers = Mapping[str, Sdf.Layer]

BINDING = "material:binding"
LOOK = "look"
"""The variant set of looks."""
AS_IT_IS = "default"
"""The look that is none of the other ones."""


@dataclass(frozen=True)
class Structure:
    """Parts of an asset; all paths are absolute and of prims below its root.

    Attributes:
        collections: paths of the prims in each USD collection. What lies below
            one of them belongs to it, unless it is among ``parts`` and not named.
        variants: by variant set and variant, paths of the prims that only that
            variant has. The first variant by name is the one that shows.
        parts: paths of all prims that could be named.
        looks: other looks by name: the material in place of each that they change,
            by paths of prims.
    """

    collections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    variants: Variants = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    looks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def has_variants(root: Path) -> bool:
    """Whether the stage of the layer ``root`` has variants of its parts, not of its look alone.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    stage = open_stage(root, load=False)
    prim = stage.GetDefaultPrim()
    return bool(prim and set(prim.GetVariantSets().GetNames()) - {LOOK})


def move_into_variants(layer: Sdf.Layer, variants: Variants) -> None:
    """Move those prims of ``layer`` that it has into variants of its default prim."""
    top = layer.GetPrimAtPath(f"/{layer.defaultPrim}")
    declare_variants(top, variants)
    for name, members in sorted(variants.items()):
        for variant, paths in sorted(members.items()):
            inside = top.path.AppendVariantSelection(name, variant)
            for path in filter(layer.GetPrimAtPath, map(Sdf.Path, sorted(paths))):
                place = path.ReplacePrefix(top.path, inside)
                if place.GetParentPath() != inside:
                    Sdf.CreatePrimInLayer(layer, place.GetParentPath())
                copy_sorted(layer, layer, path, to=place)
        moved = {Sdf.Path(path) for paths in members.values() for path in paths}
        for path in filter(layer.GetPrimAtPath, moved):
            parent = layer.GetPrimAtPath(path.GetParentPath())
            del parent.nameChildren[path.name]


def declare_variants(prim: Sdf.PrimSpec, variants: Variants) -> None:
    """Give ``prim`` the variant sets, still empty, and select the first variants."""
    for name, members in sorted(variants.items()):
        for variant in sorted(members):
            Sdf.CreateVariantInLayer(prim.layer, prim.path, name, variant)
        prim.variantSelections[name] = min(members)


def author_looks(prim: Sdf.PrimSpec, look: Sdf.Layer, structure: Structure, stem: str) -> Layers:
    """Give ``prim`` the variant set ``look``, with the look as it is and each other one.

    What a variant references is stronger than what its prim does, and so than ``look``.

    Args:
        prim: the root prim of the asset.
        look: materials and bindings.
        structure: has the looks.
        stem: what the files are called after.

    Returns:
        A layer of bindings for each look, by file name.
    """
    layers: dict[str, Sdf.Layer] = {}
    bindings = dict(_bindings(look)) if structure.looks else {}
    for name, swaps in sorted(structure.looks.items()):
        layer = Sdf.Layer.CreateAnonymous(".usda")
        layer.pseudoRoot.SetInfo("defaultPrim", prim.name)
        for field_name in ("upAxis", "metersPerUnit"):
            layer.pseudoRoot.SetInfo(field_name, look.pseudoRoot.GetInfo(field_name))
        Sdf.CreatePrimInLayer(layer, prim.path)
        for path, material in sorted(bindings.items()):
            if material in swaps:
                over = Sdf.CreatePrimInLayer(layer, path)
                _relate(over, BINDING, [swaps[material]])
        file_name = f"{stem}_look_{name}.usda"
        layers[file_name] = layer
        variant = Sdf.CreateVariantInLayer(prim.layer, prim.path, LOOK, name)
        variant.primSpec.referenceList.Prepend(Sdf.Reference(f"./{file_name}"))
    if layers:
        Sdf.CreateVariantInLayer(prim.layer, prim.path, LOOK, AS_IT_IS)
        prim.variantSelections[LOOK] = AS_IT_IS
    return layers


def _bindings(look: Sdf.Layer) -> Iterator[tuple[Sdf.Path, str]]:
    """Paths of the prims of ``look`` that a material is bound to, and its path."""
    stack = list(look.rootPrims)
    while stack:
        prim = stack.pop()
        bound = prim.relationships.get(BINDING)
        if bound is not None:
            for target in bound.targetPathList.GetAddedOrExplicitItems():
                yield prim.path, str(target)
        stack.extend(prim.nameChildren)


def author_collections(prim: Sdf.PrimSpec, structure: Structure) -> None:
    """Author the collections of ``structure`` on ``prim``."""
    if not structure.collections:
        return
    schemas = Sdf.TokenListOp()
    schemas.prependedItems = [f"CollectionAPI:{name}" for name in sorted(structure.collections)]
    prim.SetInfo("apiSchemas", schemas)
    for name, paths in sorted(structure.collections.items()):
        included = set(paths)
        rule = Sdf.AttributeSpec(
            prim,
            f"collection:{name}:expansionRule",
            Sdf.ValueTypeNames.Token,
            Sdf.VariabilityUniform,
        )
        rule.default = "expandPrims"
        _relate(prim, f"collection:{name}:includes", (p for p in paths if _over(p) not in included))
        excluded = (p for p in structure.parts if p not in included and _over(p) in included)
        _relate(prim, f"collection:{name}:excludes", excluded)


def _relate(prim: Sdf.PrimSpec, name: str, paths: Iterable[str]) -> None:
    targets = sorted(map(Sdf.Path, paths))
    if targets:
        relationship = Sdf.RelationshipSpec(prim, name, False, Sdf.VariabilityUniform)
        relationship.targetPathList.explicitItems = targets


def _over(path: str) -> str:
    return path.rpartition("/")[0]
