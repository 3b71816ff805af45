# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of prims that others cannot change.

Different names in Blender may come to one name in USD, where one of them gets a
number. Which one must not depend on who else is there: so names are kept in the
file, as a custom property of the object or material, and hold for as long as it
keeps its name in Blender. A copy has another name and starts anew.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

import bpy

from ...usd_tools.direct.records import MATERIALS, PROTOTYPES
from .published import published_root
from .stream.names import usd_name

KEY = "stagewright_prim"
"""The custom property that keeps names."""

# What a stream calls prims of its own, below the root and below an object.
_AT_ROOT = re.compile(f"{MATERIALS}|{PROTOTYPES}")
_BELOW_OBJECTS = re.compile(r"Instances|Instance_\d+")


@dataclass(frozen=True)
class ObjectNames:
    """Names of an object's prims.

    Attributes:
        prim: name of its prim.
        source: name in Blender of the data or collection that it shows, or "".
        shape: name of that one's prim, below the object's.
    """

    prim: str
    source: str
    shape: str


@dataclass(frozen=True)
class _Wanted:
    """One of the siblings to be named.

    Attributes:
        source: its name in Blender.
        library: the file it is linked from, or "".
        kept: the name it was given before, or "".
        reserved: names that it cannot have.
    """

    source: str
    library: str
    kept: str
    reserved: re.Pattern[str]


def object_names(objects: Iterable[bpy.types.Object]) -> dict[int, ObjectNames]:
    """Names of the prims of ``objects`` in their hierarchy, by session_uid."""
    items = {item.session_uid: item for item in objects}
    below: dict[int, list[bpy.types.Object]] = defaultdict(list)
    for item in items.values():
        parent = nearest(item, items)
        below[0 if parent is None else parent.session_uid].append(item)
    prims: dict[int, str] = {}
    shapes: dict[int, tuple[str, str]] = {}
    for uid in (0, *items):
        children = below.get(uid, [])
        reserved = _BELOW_OBJECTS if uid else _AT_ROOT
        wanted = [_wanted(child, "object", "prim", child.name, reserved) for child in children]
        shown = _shown(items[uid]) if uid else ""
        if shown:
            wanted.append(_wanted(items[uid], "data", "shape", shown))
        names = _decide(wanted)
        prims |= zip((child.session_uid for child in children), names, strict=False)
        shapes[uid] = (shown, names[-1]) if shown else ("", "")
    return {uid: ObjectNames(prims[uid], *shapes[uid]) for uid in items}


def object_paths(objects: Sequence[bpy.types.Object], root: str) -> dict[int, str]:
    """Paths of the prims of ``objects`` below the prim ``/root``, by session_uid."""
    names = object_names(objects)
    items = {item.session_uid: item for item in objects}
    paths: dict[int, str] = {}
    for uid in items:
        chain = [uid]
        while chain[-1] not in paths:
            parent = nearest(items[chain[-1]], names)
            if parent is None:
                paths[chain[-1]] = f"/{root}/{names[chain[-1]].prim}"
                break
            chain.append(parent.session_uid)
        for above, each in zip(chain[::-1], chain[-2::-1], strict=False):
            paths[each] = f"{paths[above]}/{names[each].prim}"
    return paths


def nearest(item: bpy.types.Object, among: Container[int]) -> bpy.types.Object | None:
    """The nearest ancestor of ``item`` whose session_uid is ``among`` those exported."""
    parent = item.parent
    while parent is not None and parent.session_uid not in among:
        parent = parent.parent
    return parent


def sibling_names(objects: Iterable[bpy.types.Object]) -> dict[int, str]:
    """Names of the prims of ``objects`` side by side, by session_uid."""
    items = list(objects)
    names = _decide([_wanted(item, "object", "prim", item.name) for item in items])
    return dict(zip((item.session_uid for item in items), names, strict=True))


def material_names() -> dict[str, str]:
    """Names of the prims of all materials of the file, by their full names."""
    materials = list(bpy.data.materials)
    names = _decide([_wanted(m, "object", "prim", m.name) for m in materials])
    return dict(zip((m.name_full for m in materials), names, strict=True))


def keep_names(objects: Sequence[bpy.types.Object]) -> None:
    """Keep the names of the prims of ``objects``, and of what they instance, in the open file."""
    for owner, names in _decisions(objects):
        if owner.library is None and _kept(owner) != names:
            owner[KEY] = names


def names_to_keep(objects: Sequence[bpy.types.Object]) -> list[str]:
    """Names in Blender of what has a number in USD that the file does not keep yet."""
    return sorted(
        owner.name
        for owner, names in _decisions(objects)
        if names["prim"] != usd_name(owner.name) and _kept(owner) != names
    )


def _decisions(
    objects: Sequence[bpy.types.Object],
) -> Iterator[tuple[bpy.types.Object | bpy.types.Material, dict[str, str]]]:
    """What to keep on each object and material."""
    names = object_names(objects)
    seen = set(names)
    for item in objects:
        yield item, _record(item, names[item.session_uid])
    for collection in _instanced(objects):
        prims = sibling_names(collection.all_objects)
        for item in collection.all_objects:
            if item.session_uid not in seen:
                seen.add(item.session_uid)
                shown = _shown(item)
                names_of = ObjectNames(prims[item.session_uid], shown, shown and usd_name(shown))
                yield item, _record(item, names_of)
    materials = material_names()
    for material in bpy.data.materials:
        yield material, {"object": material.name, "prim": materials[material.name_full]}


def _record(item: bpy.types.Object, names: ObjectNames) -> dict[str, str]:
    kept = {"object": item.name, "prim": names.prim}
    return kept | ({"data": names.source, "shape": names.shape} if names.source else {})


def _kept(owner: bpy.types.ID) -> dict[str, str]:
    """What the file keeps on ``owner``; whoever else writes there may write anything."""
    kept = owner.get(KEY)
    if not hasattr(kept, "items"):
        return {}
    return {key: value for key, value in kept.items() if isinstance(value, str)}


def _wanted(
    owner: bpy.types.ID,
    of: str,
    name: str,
    source: str,
    reserved: re.Pattern[str] = _BELOW_OBJECTS,
) -> _Wanted:
    kept = _kept(owner)
    library = owner.library.filepath if owner.library else ""
    return _Wanted(source, library, kept.get(name, "") if kept.get(of) == source else "", reserved)


def _decide(wanted: Sequence[_Wanted]) -> list[str]:
    """Names of siblings, all different, in the order of ``wanted``."""
    if len(wanted) == 1:
        return [_name(wanted[0], ())]
    # First those that have names; then linked ones, which can keep none.
    order = sorted(
        range(len(wanted)),
        key=lambda i: (
            not wanted[i].kept,
            not wanted[i].library,
            wanted[i].source,
            wanted[i].library,
        ),
    )
    names = [""] * len(wanted)
    taken: set[str] = set()
    for index in order:
        names[index] = _name(wanted[index], taken)
        taken.add(names[index])
    return names


def _name(wanted: _Wanted, taken: Collection[str]) -> str:
    if wanted.kept:
        return usd_name(wanted.kept, taken)
    own = usd_name(wanted.source)
    return usd_name(f"{own}_" if wanted.reserved.fullmatch(own) else own, taken)


def _shown(item: bpy.types.Object) -> str:
    """Name in Blender of the data or collection that ``item`` shows, or ""."""
    shown = item.data if item.data is not None else item.instance_collection
    return "" if shown is None else str(shown.name)


def _instanced(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Collection]:
    """The collections that ``objects`` instance, at whatever depth, by name.

    Those of published assets are written by reference alone.
    """
    found: dict[int, bpy.types.Collection] = {}
    pending = list(objects)
    while pending:
        collection = pending.pop().instance_collection
        if collection is None or collection.session_uid in found or published_root(collection):
            continue
        found[collection.session_uid] = collection
        pending += collection.all_objects
    return sorted(found.values(), key=lambda collection: collection.name_full)
