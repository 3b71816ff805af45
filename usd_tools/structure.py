# SPDX-License-Identifier: GPL-3.0-or-later
"""What an asset says about its parts: variant sets and collections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pxr import Sdf

from .sorted_copy import copy_sorted

Variants = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Structure:
    """Parts of an asset; all paths are absolute and of prims below its root.

    Attributes:
        collections: paths of the prims in each USD collection. What lies below
            one of them belongs to it, unless it is among ``parts`` and not named.
        variants: by variant set and variant, paths of the prims that only that
            variant has. The first variant by name is the one that shows.
        parts: paths of all prims that could be named.
    """

    collections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    variants: Variants = field(default_factory=dict)
    parts: tuple[str, ...] = ()


def move_into_variants(layer: Sdf.Layer, variants: Variants) -> None:
    """Move prims of ``layer`` into variants of its default prim."""
    top = layer.GetPrimAtPath(f"/{layer.defaultPrim}")
    declare_variants(top, variants)
    for name, members in sorted(variants.items()):
        for variant, paths in sorted(members.items()):
            inside = top.path.AppendVariantSelection(name, variant)
            for path in map(Sdf.Path, sorted(paths)):
                place = path.ReplacePrefix(top.path, inside)
                if place.GetParentPath() != inside:
                    Sdf.CreatePrimInLayer(layer, place.GetParentPath())
                copy_sorted(layer, layer, path, to=place)
        for path in {Sdf.Path(path) for paths in members.values() for path in paths}:
            parent = layer.GetPrimAtPath(path.GetParentPath())
            del parent.nameChildren[path.name]


def declare_variants(prim: Sdf.PrimSpec, variants: Variants) -> None:
    """Give ``prim`` the variant sets, still empty, and select the first variants."""
    for name, members in sorted(variants.items()):
        for variant in sorted(members):
            Sdf.CreateVariantInLayer(prim.layer, prim.path, name, variant)
        prim.variantSelections[name] = min(members)


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
