# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between two layers, or two composed stages, as USD means it.

Text tools compare lines; here specs are compared: a prim that has moved is one
change, an array that is equal within a tolerance is none, and the order in
which properties were written does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from pxr import Sdf, Usd

from ..jobs.events import Job, Progress
from .inspect.properties import value_text
from .text_digests import are_small, digests

How = Literal["added", "removed", "changed", "moved"]

# Fields that say how specs hang together; these are compared as prims and properties.
_STRUCTURE = {
    "primChildren",
    "properties",
    "variantSetChildren",
    "variantChildren",
    "connectionChildren",
    "targetChildren",
    "timeSamples",
    "default",
}
_REPORT_EVERY = 5000


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        how: what has happened to it.
        path: path of the prim or property; of layer metadata ``/``.
        field: the field that changed (``default``, ``kind``, ``references``,
            ``timeSamples`` …); ``prim`` or ``property`` when it is the spec itself.
        before: the value before, as text; the old path of a prim that was moved.
        after: the value after, as text.
        time: of a time sample, else None.
    """

    how: How
    path: str
    field: str
    before: str = ""
    after: str = ""
    time: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)


def diff_stages(before: Usd.Stage, after: Usd.Stage, tolerance: float = 0.0) -> Job[list[Change]]:
    """What differs between two composed stages, whatever their layers.

    See :func:`diff_layers`; composition arcs are resolved and so never differ.
    """
    yield Progress("diff.flatten", 0.0, "Flattening the stages")
    one, other = before.Flatten(False), after.Flatten(False)
    small = are_small({*before.GetUsedLayers(), *after.GetUsedLayers()})
    return (yield from _Differ(one, other, tolerance, by_text=small).run())


def diff_layers(before: Sdf.Layer, after: Sdf.Layer, tolerance: float = 0.0) -> Job[list[Change]]:
    """What differs between two layers.

    Args:
        before: one layer.
        after: the other one.
        tolerance: numbers that differ by no more than this, or than this times
            the greater of them, count as equal.

    Returns:
        The changes, by path.
    """
    small = are_small((before, after))
    return (yield from _Differ(before, after, tolerance, by_text=small).run())


class _Differ:
    def __init__(
        self, before: Sdf.Layer, after: Sdf.Layer, tolerance: float, *, by_text: bool
    ) -> None:
        """Compare ``before`` with ``after``; ``by_text`` leaves out what USD writes alike."""
        self._layers = before, after
        self._tolerance = tolerance
        self._by_text = by_text
        self.changes: list[Change] = []

    def run(self) -> Job[list[Change]]:
        """The changes, by path."""
        before, after = self._layers
        same: set[str] = set()
        if self._by_text:
            yield Progress("diff.text", None, "Looking for what is the same")
            known = digests(before)
            same = {path for path, number in digests(after).items() if known.get(path) == number}
        self._fields(before.pseudoRoot, after.pseudoRoot)
        removed: list[Sdf.PrimSpec] = []
        added: list[Sdf.PrimSpec] = []
        waiting = [(before.pseudoRoot, after.pseudoRoot)]
        done = 0
        while waiting:
            one, other = waiting.pop()
            done += 1
            if done % _REPORT_EVERY == 0:
                yield Progress("diff.compare", None, f"Comparing {one.path}")
            ours, theirs = _places(one), _places(other)
            removed += [before.GetPrimAtPath(ours[name]) for name in ours if name not in theirs]
            added += [after.GetPrimAtPath(theirs[name]) for name in theirs if name not in ours]
            for name in ours.keys() & theirs.keys():
                if str(ours[name]) in same:
                    continue
                pair = before.GetPrimAtPath(ours[name]), after.GetPrimAtPath(theirs[name])
                self._fields(*pair)
                self._properties(*pair)
                waiting.append(pair)
        self._prims(removed, added)
        return sorted(self.changes, key=lambda c: (c.path, c.field, c.time or 0.0, c.how))

    def _prims(self, removed: list[Sdf.PrimSpec], added: list[Sdf.PrimSpec]) -> None:
        """Prims that are on one side alone: moved if they are otherwise the same."""
        gone: dict[Any, list[Sdf.PrimSpec]] = defaultdict(list)
        for prim in removed:
            gone[_signature(prim)].append(prim)
        for prim in added:
            twins = gone.get(_signature(prim))
            if twins:
                old = str(twins.pop(0).path)
                self.changes.append(Change("moved", str(prim.path), "prim", old, str(prim.path)))
            else:
                self.changes.append(Change("added", str(prim.path), "prim", after=prim.typeName))
        for prims in gone.values():
            self.changes += [
                Change("removed", str(prim.path), "prim", before=prim.typeName) for prim in prims
            ]

    def _properties(self, one: Sdf.PrimSpec, other: Sdf.PrimSpec) -> None:
        ours = {prop.name: prop for prop in one.properties}
        theirs = {prop.name: prop for prop in other.properties}
        for name in ours.keys() | theirs.keys():
            if name not in ours:
                prop = theirs[name]
                self.changes.append(Change("added", str(prop.path), "property", "", _shown(prop)))
            elif name not in theirs:
                prop = ours[name]
                self.changes.append(Change("removed", str(prop.path), "property", _shown(prop)))
            else:
                self._property(ours[name], theirs[name])

    def _property(self, before: Sdf.PropertySpec, after: Sdf.PropertySpec) -> None:
        self._fields(before, after)
        if not isinstance(before, Sdf.AttributeSpec) or not isinstance(after, Sdf.AttributeSpec):
            return
        if not self._equal(before.default, after.default):
            one, other = value_text(before.default), value_text(after.default)
            self.changes.append(Change("changed", str(after.path), "default", one, other))
        self._samples(before, after)

    def _samples(self, before: Sdf.AttributeSpec, after: Sdf.AttributeSpec) -> None:
        times = [
            set(spec.layer.ListTimeSamplesForPath(spec.path)) if spec.HasInfo("timeSamples") else ()
            for spec in (before, after)
        ]
        for time in sorted(set(times[0]) | set(times[1])):
            values = [
                spec.layer.QueryTimeSample(spec.path, time) if time in known else None
                for spec, known in zip((before, after), times, strict=True)
            ]
            if time in times[0] and time in times[1] and self._equal(*values):
                continue
            how: How = "changed"
            if time not in times[0]:
                how = "added"
            elif time not in times[1]:
                how = "removed"
            one, other = map(value_text, values)
            self.changes.append(Change(how, str(after.path), "timeSamples", one, other, time))

    def _fields(self, before: Sdf.Spec, after: Sdf.Spec) -> None:
        ours, theirs = before.ListInfoKeys(), after.ListInfoKeys()
        names = ours if ours == theirs else set(ours) | set(theirs)
        for name in names:
            if name in _STRUCTURE:
                continue
            values = [_field(before, name), _field(after, name)]
            if not self._equal(*values):
                path = str(after.path)
                one, other = map(value_text, values)
                self.changes.append(Change("changed", path, name, one, other))

    def _equal(self, one: Any, other: Any) -> bool:
        if one == other:
            return True
        if one is None or other is None or type(one) is not type(other):
            return False
        try:
            left, right = np.asarray(one, np.float64), np.asarray(other, np.float64)
        except (TypeError, ValueError):
            return False
        if left.shape != right.shape:
            return False
        if not self._tolerance:
            # Two that are not numbers are no difference.
            return bool(np.array_equal(left, right, equal_nan=True))
        return bool(
            np.allclose(left, right, rtol=self._tolerance, atol=self._tolerance, equal_nan=True)
        )


def _field(spec: Sdf.Spec, name: str) -> Any:
    if not spec.HasInfo(name):
        return None
    if name == "subLayerOffsets":  # has no Python type
        return [(offset.offset, offset.scale) for offset in spec.layer.subLayerOffsets]
    return spec.GetInfo(name)


def _places(prim: Sdf.PrimSpec) -> dict[str, Sdf.Path]:
    """Paths of the prims below, and of those within variants by ``{set=variant}``."""
    path = prim.path
    names = prim.GetInfo("primChildren") if prim.HasInfo("primChildren") else ()
    found = {name: path.AppendChild(name) for name in names}
    if path != Sdf.Path.absoluteRootPath:
        for set_name, variant_set in prim.variantSets.items():
            for name in variant_set.variants.keys():  # noqa: SIM118 - it is no dictionary
                found[f"{{{set_name}={name}}}"] = path.AppendVariantSelection(set_name, name)
    return found


def _children(prim: Sdf.PrimSpec) -> dict[str, Sdf.PrimSpec]:
    """The prims below, and those within variants by ``{set=variant}``."""
    return {name: prim.layer.GetPrimAtPath(path) for name, path in _places(prim).items()}


def _signature(prim: Sdf.PrimSpec) -> Any:
    """What a prim and all below it say, whatever it is called and wherever it is."""
    properties = tuple(sorted((p.name, _content(p)) for p in prim.properties))
    below = tuple(sorted((name, _signature(child)) for name, child in _children(prim).items()))
    return str(prim.typeName), str(prim.specifier), properties, below


def _content(prop: Sdf.PropertySpec) -> str:
    if isinstance(prop, Sdf.RelationshipSpec):
        return value_text(prop.targetPathList.GetAddedOrExplicitItems())
    times = prop.layer.ListTimeSamplesForPath(prop.path)
    samples = [(time, str(prop.layer.QueryTimeSample(prop.path, time))) for time in times]
    return f"{prop.typeName} {prop.default} {samples}"


def _shown(prop: Sdf.PropertySpec) -> str:
    if isinstance(prop, Sdf.AttributeSpec):
        return value_text(prop.default)
    return value_text(prop.targetPathList.GetAddedOrExplicitItems())


def summary(changes: list[Change]) -> Iterator[str]:
    """The changes in words, a line each, as ``diff`` marks them."""
    marks = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}
    for change in changes:
        at = "" if change.time is None else f" at {change.time:g}"
        field = "" if change.field in ("prim", "property") else f" {change.field}{at}"
        values = " → ".join(text or "nothing" for text in (change.before, change.after))
        if change.how in ("added", "removed"):
            values = change.after or change.before
        yield f"{marks[change.how]} {change.path}{field}: {values}".rstrip(": ")
