# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of prims that do not depend on the order in which they were written.

Objects of different names in Blender (``Lid.001``, ``Lid 001``) may come to
one name in USD. The exporter numbers them as it meets them, in the order of a
hash table. Here such siblings are numbered by their names in Blender.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping

from pxr import Sdf

from .look import DATA_NAME, prims_of
from .stages import OBJECT_NAME

_ITEMS = ("explicitItems", "prependedItems", "appendedItems", "addedItems")


def make_names_canonical(layer: Sdf.Layer) -> None:
    """Rename, in place, siblings whose names in USD depend on the order of writing."""
    renames: dict[Sdf.Path, str] = {}
    for parent in prims_of(layer.pseudoRoot):
        renames |= _renames(parent)
    if not renames:
        return
    # Names may change places, so all step aside first; the deepest prims come
    # first, so that the paths of the others still hold.
    order = sorted(renames, key=lambda path: (-path.pathElementCount, path))
    edit = Sdf.BatchNamespaceEdit()
    for index, path in enumerate(order):
        edit.Add(Sdf.NamespaceEdit.Rename(path, f"aside_{index}"))
    for index, path in enumerate(order):
        aside = path.GetParentPath().AppendChild(f"aside_{index}")
        edit.Add(Sdf.NamespaceEdit.Rename(aside, renames[path]))
    if not layer.Apply(edit):
        raise ValueError("the renames of siblings contradict each other")
    _retarget(layer, renames)


def _renames(parent: Sdf.PrimSpec) -> dict[Sdf.Path, str]:
    """New names of the children of one prim, by their present paths."""
    groups: dict[str, list[tuple[str, str, Sdf.PrimSpec]]] = defaultdict(list)
    for child in parent.nameChildren:
        name = _blender_name(child)
        if name:
            identifier = _identifier(name)
            groups[re.sub(r"(_\d+)+$", "", identifier)].append((name, identifier, child))
    taken = set(parent.nameChildren.keys())
    renames: dict[Sdf.Path, str] = {}
    for group in groups.values():
        # The same name twice is one object shown twice, numbered by Blender.
        if len({i for _, i, _ in group}) == len({n for n, _, _ in group}):
            continue
        free = taken - {child.name for _, _, child in group}
        counts = Counter(identifier for _, identifier, _ in group)
        unique = {identifier for identifier, count in counts.items() if count == 1}
        used = free | unique
        for _, identifier, child in sorted(group, key=lambda g: (g[0], g[2].name)):
            name, number = identifier, 0
            while identifier not in unique and name in used:
                number += 1
                name = f"{identifier}_{number}"
            used.add(name)
            if name != child.name:
                renames[child.path] = name
    return renames


def _retarget(layer: Sdf.Layer, renames: Mapping[Sdf.Path, str]) -> None:
    """Let relationships and connections follow the renamed prims."""
    for prim in prims_of(layer.pseudoRoot):
        for prop in prim.properties:
            connects = isinstance(prop, Sdf.AttributeSpec)
            paths = prop.connectionPathList if connects else prop.targetPathList
            for items in _ITEMS:
                before = list(getattr(paths, items))
                after = [_renamed(path, renames) for path in before]
                if after != before:
                    setattr(paths, items, after)


def _renamed(path: Sdf.Path, renames: Mapping[Sdf.Path, str]) -> Sdf.Path:
    prim = path.GetPrimPath()
    names = (renames.get(prefix, prefix.name) for prefix in prim.GetPrefixes())
    return path.ReplacePrefix(prim, Sdf.Path("/" + "/".join(names)))


def _blender_name(prim: Sdf.PrimSpec) -> str:
    for key in (OBJECT_NAME, DATA_NAME):
        attribute = prim.attributes.get(key)
        if attribute is not None:
            return str(attribute.default)
    return ""


def _identifier(name: str) -> str:
    """The name with everything but ASCII letters, digits and ``_`` replaced by ``_``."""
    identifier = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"_{identifier}" if identifier[:1].isdigit() or not identifier else identifier
