# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's collections say about an asset's parts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import bpy

from ...usd_tools.structure import Structure
from .prim_names import object_paths
from .stream.names import usd_name

# "lod=high": the variant "high" of the variant set "lod". Blender may number it.
_VARIANT = re.compile(r"([A-Za-z_]\w*)=([\w-]+)(\.\d+)?", re.ASCII)


def read_structure(
    collection: bpy.types.Collection, objects: Sequence[bpy.types.Object], root: str
) -> tuple[Structure, set[str]]:
    """The structure of ``objects``, and the names of those that do not show by default.

    A collection below ``collection`` that is called ``SET=VARIANT`` is a variant;
    every other one is a USD collection.
    """
    paths = object_paths(objects, root)
    collections: dict[str, tuple[str, ...]] = {}
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for child in sorted(collection.children_recursive, key=lambda child: child.name_full):
        inside = {paths[o.session_uid] for o in child.all_objects if o.session_uid in paths}
        match = _VARIANT.fullmatch(child.name)
        if match:
            found[match[1]][match[2]] |= inside
        elif inside:
            collections[usd_name(child.name, collections)] = tuple(sorted(inside))
    variants: dict[str, dict[str, tuple[str, ...]]] = {}
    taken: set[str] = set()  # a prim is in one variant set only
    for name, members in sorted(found.items()):
        variants[name] = {v: _topmost(inside, taken) for v, inside in members.items()}
        taken |= {path for tops in variants[name].values() for path in tops}
    absent: set[str] = set()
    for tops in variants.values():
        absent |= {path for each in tops.values() for path in each} - set(tops[min(tops)])
    hidden = {o.name for o in objects if _is_below(paths[o.session_uid], absent)}
    return Structure(collections, variants, tuple(sorted(paths.values()))), hidden


def _topmost(paths: set[str], taken: set[str]) -> tuple[str, ...]:
    """Those of ``paths`` that lie below none of the others, nor below or above ``taken``."""
    tops = {path for path in paths if not _is_below(path.rpartition("/")[0], paths)}
    return tuple(
        sorted(
            path
            for path in tops
            if not _is_below(path, taken) and not any(_is_below(other, {path}) for other in taken)
        )
    )


def _is_below(path: str, tops: set[str]) -> bool:
    """Whether ``path`` is one of ``tops`` or lies below one."""
    while path:
        if path in tops:
            return True
        path = path.rpartition("/")[0]
    return False
