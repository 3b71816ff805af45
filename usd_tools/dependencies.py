# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a layer names: other layers, textures, volumes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pxr import Sdf

from .direct.records.material import UDIM

_ASSET_TYPES = ("asset", "asset[]")
_LIST_OPS = (
    "explicitItems",
    "prependedItems",
    "appendedItems",
    "addedItems",
    "deletedItems",
    "orderedItems",
)


@dataclass(frozen=True)
class Dependency:
    """One file that a layer names.

    Attributes:
        path: the asset path as authored.
        spec: path of the prim or property that names it.
        arc: whether it is a layer brought in by composition (sublayer,
            reference, payload); otherwise it is a value.
    """

    path: str
    spec: Sdf.Path
    arc: bool


def dependencies(layer: Sdf.Layer) -> Iterator[Dependency]:
    """Every asset path that ``layer`` itself holds, in the layer's order.

    Walks the specs rather than a composed stage, so that a path in a variant
    not selected, under a weaker opinion or behind a payload is met as well.
    ``assetInfo`` is left out: it says what an asset is called, not what it needs.
    """
    for path in layer.subLayerPaths:
        yield Dependency(path, Sdf.Path.absoluteRootPath, True)
    stack = [layer.pseudoRoot]
    while stack:
        prim = stack.pop()
        if prim is None:
            continue  # a damaged crate may name children that it does not hold
        yield from _of_prim(prim)
        for variant_set in filter(None, prim.variantSets.values()):
            stack.extend(variant.primSpec for variant in variant_set.variants.values() if variant)
        stack.extend(reversed(list(prim.nameChildren)))


def _of_prim(prim: Sdf.PrimSpec) -> Iterator[Dependency]:
    for field in ("references", "payload"):
        if prim.HasInfo(field):
            operation = prim.GetInfo(field)
            for items in _LIST_OPS:
                for arc in getattr(operation, items):
                    if arc.assetPath:
                        yield Dependency(arc.assetPath, prim.path, True)
    for field in ("customData", "customLayerData", "clips"):
        if prim.HasInfo(field):
            for path in _paths(prim.GetInfo(field)):
                yield Dependency(path, prim.path, False)
    for prop in prim.properties:
        if isinstance(prop, Sdf.AttributeSpec) and prop.GetInfo("typeName") in _ASSET_TYPES:
            values = [prop.default]
            times = prim.layer.ListTimeSamplesForPath(prop.path)
            values += [prim.layer.QueryTimeSample(prop.path, time) for time in times]
            for path in _paths(values):
                yield Dependency(path, prop.path, False)


def _paths(value: object) -> Iterator[str]:
    """The asset paths within a value, a list of values or a dictionary."""
    if isinstance(value, Sdf.AssetPath):
        if value.path:
            yield value.path
    elif isinstance(value, dict):
        for item in value.values():
            yield from _paths(item)
    elif isinstance(value, (list, tuple, Sdf.AssetPathArray)):
        for item in value:
            yield from _paths(item)


def files_of(path: str, folder: Path) -> dict[str, Path]:
    """The files on disk that an asset path stands for.

    Args:
        path: the asset path; may hold ``<UDIM>`` in its file name.
        folder: what a relative path starts from.

    Returns:
        For a plain path, ``{"": file}``; for a UDIM set, its tiles by number
        (``"1001"``), ascending. Empty when there is none.
    """
    file = folder / path
    try:
        if UDIM not in file.name:
            return {"": file} if file.is_file() else {}
        before, after = file.name.split(UDIM, 1)
        tile = re.compile(re.escape(before) + r"(1\d{3})" + re.escape(after))
        found = ((tile.fullmatch(other.name), other) for other in file.parent.iterdir())
        return dict(sorted((match[1], other) for match, other in found if match))
    except (OSError, ValueError):
        return {}


def is_absolute(path: str) -> bool:
    """Whether an asset path is tied to one machine: rooted, with a drive, or a URI."""
    return path.startswith(("/", "\\")) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", path) is not None


def file_name(path: str) -> str:
    """The file name at the end of an asset path of any system."""
    return re.split(r"[/\\]", path)[-1]
