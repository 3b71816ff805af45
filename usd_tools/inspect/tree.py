# SPDX-License-Identifier: GPL-3.0-or-later
"""The prims of a stage, read a level at a time, and found by what they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from typing import Any, NamedTuple

from pxr import Sdf, Usd, UsdGeom

from ...jobs.errors import StagewrightError

# Inactive, undefined, abstract and unloaded prims are rows, too; so is what instances show.
ALL_PRIMS = Usd.TraverseInstanceProxies(Usd.PrimAllPrimsPredicate)


class PrimRow(NamedTuple):
    """One line of the tree; a tuple, as it is made ten times as fast as a dataclass.

    Attributes:
        path: absolute path.
        name: last part of it.
        type_name: type of its schema, or "".
        specifier: ``def``, ``over`` or ``class``.
        kind: of a model, or "".
        purpose: as authored here, or "".
        active: whether it takes part.
        instance: whether it is an instance, whose prims come from a prototype.
        payload: ``loaded``, ``unloaded``, or "" without one.
        variants: names of variant sets and what is selected in them.
        has_children: whether it can be opened.
    """

    path: str
    name: str
    type_name: str
    specifier: str
    kind: str
    purpose: str
    active: bool
    instance: bool
    payload: str
    variants: tuple[tuple[str, str], ...]
    has_children: bool


# On a wider level the first rows would wait for what is asked about all.
_WIDE = 5000
_PURPOSE = str(UsdGeom.Tokens.purpose)
_SPECIFIERS = {
    Sdf.SpecifierDef: "def",
    Sdf.SpecifierOver: "over",
    Sdf.SpecifierClass: "class",
}


def children(stage: Usd.Stage, path: str = "/", name: str = "") -> Iterator[PrimRow]:
    """The rows below the prim at ``path``, in the stage's order, each made when it is asked for.

    Args:
        stage: the stage.
        path: absolute path of the prim.
        name: a part of the name or a pattern that rows have to fit; "" for all.

    Raises:
        StagewrightError: ``no-prim``.
    """
    prim = prim_at(stage, path)
    below = prim.GetFilteredChildren(ALL_PRIMS)
    wanted = filter(_name_test(name), below) if name else below
    return _level(prim, wanted) if len(below) <= _WIDE else map(row, wanted)


def _level(parent: Usd.Prim, below: Iterable[Usd.Prim]) -> Iterator[PrimRow]:
    """Rows of prims ``below`` the parent; what USD tells of all at once is not asked of each."""
    stem = str(parent.GetPath()).rstrip("/")
    inactive = _names(parent, ~Usd.PrimIsActive)
    instances = _names(parent, Usd.PrimIsInstance)
    overs = _names(parent, ~Usd.PrimHasDefiningSpecifier)
    # Below a class all is abstract, whatever its own specifier.
    classes = frozenset() if parent.IsAbstract() else _names(parent, Usd.PrimIsAbstract)
    for prim in below:
        name = prim.GetName()
        specifier = "over" if name in overs else "class" if name in classes else "def"
        yield _row(prim, f"{stem}/{name}", name, specifier, name not in inactive, name in instances)


def _names(parent: Usd.Prim, those: Any) -> frozenset[str]:
    return frozenset(parent.GetFilteredChildrenNames(Usd.TraverseInstanceProxies(those)))


def prim_at(stage: Usd.Stage, path: str) -> Usd.Prim:
    """The prim at ``path``.

    Raises:
        StagewrightError: ``no-prim``.
    """
    prim = stage.GetPrimAtPath(path) if Sdf.Path.IsValidPathString(path) else None
    if not prim:
        raise StagewrightError(
            "no-prim",
            f"There is no prim {path} on this stage.",
            "See the paths that there are with stagewright usd tree.",
        )
    return prim


def row(prim: Usd.Prim) -> PrimRow:
    """The row of one prim."""
    specifier = _SPECIFIERS[prim.GetSpecifier()]
    path, name = str(prim.GetPath()), prim.GetName()
    return _row(prim, path, name, specifier, prim.IsActive(), prim.IsInstance())


def _row(
    prim: Usd.Prim, path: str, name: str, specifier: str, active: bool, instance: bool
) -> PrimRow:
    purpose = prim.GetAttribute(_PURPOSE)
    return PrimRow(
        path=path,
        name=name,
        type_name=prim.GetTypeName(),
        specifier=specifier,
        kind=prim.GetKind(),
        purpose=purpose.Get() or "" if purpose.IsAuthored() else "",
        active=active,
        instance=instance,
        payload=payload_state(prim),
        variants=_variants(prim) if prim.HasVariantSets() else (),
        has_children=bool(prim.GetFilteredChildrenNames(ALL_PRIMS)),
    )


def _variants(prim: Usd.Prim) -> tuple[tuple[str, str], ...]:
    sets = prim.GetVariantSets()
    return tuple((name, sets.GetVariantSelection(name)) for name in sets.GetNames())


def payload_state(prim: Usd.Prim) -> str:
    """``loaded``, ``unloaded``, or "" without a payload."""
    if not prim.HasAuthoredPayloads():
        return ""
    return "loaded" if prim.IsLoaded() else "unloaded"


Test = Callable[[Usd.Prim], bool]


def search(stage: Usd.Stage, query: str) -> Iterator[Usd.Prim]:
    """The prims that fit all words of ``query``, in the stage's order.

    A plain word is a part of the name, whatever its case, or a pattern of the
    whole name if it has ``*`` or ``?``. Words with a colon ask for more:
    ``type:Mesh`` (or a type that Mesh derives from), ``path:/lantern/*/Wick``
    (a ``*`` stays within one name, ``**`` does not), ``kind:component``,
    ``in:look.usda`` (has an opinion in a layer whose file name fits),
    ``is:instance|payload|variants|reference|inactive|abstract``.

    Raises:
        StagewrightError: ``bad-query``.
    """
    tests = [_test(stage, word) for word in query.split()]
    for prim in Usd.PrimRange.Stage(stage, ALL_PRIMS):
        if all(test(prim) for test in tests):
            yield prim


def _test(stage: Usd.Stage, word: str) -> Test:
    what, colon, value = word.partition(":")
    if not colon:
        return _name_test(word)
    if what == "type":
        return _type_test(value)
    if what == "path":
        pattern = _path_pattern(value)
        return lambda prim: pattern.fullmatch(str(prim.GetPath())) is not None
    if what == "kind":
        return lambda prim: prim.GetMetadata("kind") == value
    if what == "in":
        layers = [layer for layer in stage.GetUsedLayers() if _fits(layer.GetDisplayName(), value)]
        return lambda prim: any(spec.layer in layers for spec in prim.GetPrimStack())
    if what == "is" and value in _TRAITS:
        return _TRAITS[value]
    raise StagewrightError(
        "bad-query",
        f"The search does not know the word {word}.",
        f"Use a name, type:, path:, kind:, in:, or is: with one of {', '.join(sorted(_TRAITS))}.",
    )


_TRAITS: dict[str, Test] = {
    "instance": lambda prim: bool(prim.IsInstance()),
    "payload": lambda prim: bool(prim.HasAuthoredPayloads()),
    "variants": lambda prim: bool(prim.HasVariantSets()),
    "reference": lambda prim: bool(prim.HasAuthoredReferences()),
    "inactive": lambda prim: not prim.IsActive(),
    "abstract": lambda prim: bool(prim.IsAbstract()),
}


def _name_test(word: str) -> Test:
    wanted = word.casefold()
    if "*" in word or "?" in word:
        pattern = re.compile(translate(wanted))
        return lambda prim: pattern.fullmatch(prim.GetName().casefold()) is not None
    return lambda prim: wanted in prim.GetName().casefold()


def _type_test(name: str) -> Test:
    schema = Usd.SchemaRegistry.GetTypeFromName(name)
    if not schema or schema.isUnknown:
        # A type of no schema here, or one of several: by its name.
        return lambda prim: _fits(str(prim.GetTypeName()), name)
    fits: dict[str, bool] = {}

    def test(prim: Usd.Prim) -> bool:
        type_name = prim.GetTypeName()
        if type_name not in fits:
            fits[type_name] = bool(prim.IsA(schema))
        return fits[type_name]

    return test


def _fits(name: str, pattern: str) -> bool:
    return re.fullmatch(translate(pattern.casefold()), name.casefold()) is not None


def _path_pattern(value: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*|\?)", value)
    kinds = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(kinds.get(part, re.escape(part)) for part in parts))
