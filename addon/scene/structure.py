# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's collections say about an asset's parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Message
from ...usd_tools.direct.records import MATERIALS
from ...usd_tools.structure import AS_IT_IS, LOOK, Structure
from .prim_names import material_names, object_paths
from .stream.names import usd_name
from .variants import chosen_looks, variant_names, wanted_variant


def read_structure(
    collection: bpy.types.Collection, objects: Sequence[bpy.types.Object], root: str
) -> tuple[Structure, list[bpy.types.Object], list[Message]]:
    """The structure of ``objects``, those that show by default, and what is to be told.

    A collection below ``collection`` that is called ``SET=VARIANT``, or has these in
    its settings, is a variant; every other one is a USD collection.

    Raises:
        StagewrightError: ``look-taken`` when collections want the variant set of looks.
    """
    paths = object_paths(objects, root)
    collections: dict[str, tuple[str, ...]] = {}
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for child in sorted(collection.children_recursive, key=lambda child: child.name_full):
        inside = {paths[o.session_uid] for o in child.all_objects if o.session_uid in paths}
        variant = wanted_variant(child)
        if variant:
            wanted[variant] |= inside
        elif inside:
            collections[usd_name(child.name, collections)] = tuple(sorted(inside))
    names = variant_names(wanted)
    found: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for asked, (name, variant_name) in names.items():
        found[name][variant_name] = wanted[asked]
    variants: dict[str, dict[str, tuple[str, ...]]] = {}
    taken: set[str] = set()  # a prim is in one variant set only
    for name, members in sorted(found.items()):
        variants[name] = {v: _topmost(inside, taken) for v, inside in members.items()}
        taken |= {path for tops in variants[name].values() for path in tops}
    absent: set[str] = set()
    for tops in variants.values():
        absent |= {path for each in tops.values() for path in each} - set(tops[min(tops)])
    shown = [o for o in objects if not _is_below(paths[o.session_uid], absent)]
    looks = _looks(root)
    if looks and LOOK in variants:
        raise StagewrightError(
            "look-taken",
            f"Collections make the variant set “{LOOK}”, which is that of the scene's looks.",
            "Give the collections' set another name, or remove the looks.",
        )
    structure = Structure(collections, variants, tuple(sorted(paths.values())), looks)
    return structure, shown, list(_told(wanted, names))


def _told(
    wanted: Mapping[tuple[str, str], set[str]],
    names: Mapping[tuple[str, str], tuple[str, str]],
) -> Iterator[Message]:
    """What variants are called in USD, and which are empty."""
    for asked, given in sorted(names.items()):
        if asked != given:
            yield Message(f"The variant {'='.join(asked)} is called {'='.join(given)} in USD.")
        if not wanted[asked]:
            yield Message(
                f"The variant {'='.join(asked)} is empty: nothing of its collection is shown. "
                "Unhide it to export it.",
                "warning",
            )


def _looks(root: str) -> dict[str, dict[str, str]]:
    """The looks of the scene, by paths of prims of materials."""
    names = material_names()
    paths = {name: f"/{root}/{MATERIALS}/{prim}" for name, prim in names.items()}
    looks: dict[str, dict[str, str]] = {}
    for look in chosen_looks():
        swaps = [swap for swap in look.swaps if swap.material and swap.instead]
        looks[usd_name(look.name, {*looks, AS_IT_IS})] = {
            paths[swap.material.name_full]: paths[swap.instead.name_full] for swap in swaps
        }
    return looks


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
