# SPDX-License-Identifier: GPL-3.0-or-later
"""One prim: the arcs that bring its opinions, its properties, and which layer says what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pxr import Sdf, Usd, UsdShade

from .tree import payload_state, prim_at

# Characters of a value that are shown; arrays are cut at so many items.
_LONGEST = 200
_ITEMS = 8


@dataclass(frozen=True)
class Arc:
    """One composition arc, strongest first.

    Attributes:
        kind: ``root``, ``reference``, ``payload``, ``inherit``, ``specialize``, ``variant`` …
        layer: the layer it leads to.
        path: the prim that it brings in there.
        introduced_by: the layer that says so, or "".
        has_specs: whether anything is said there.
    """

    kind: str
    layer: str
    path: str
    introduced_by: str
    has_specs: bool


@dataclass(frozen=True)
class Opinion:
    """What one layer says about a property.

    Attributes:
        layer: identifier of the layer.
        path: path of the spec there.
        value: its default as text, targets of a relationship, or "".
        samples: number of time samples.
        blocked: whether it says that there is no value.
    """

    layer: str
    path: str
    value: str
    samples: int = 0
    blocked: bool = False


@dataclass(frozen=True)
class PropertyRow:
    """One property as it resolves.

    Attributes:
        name: its name.
        type_name: of an attribute; ``rel`` of a relationship.
        value: at the time asked for, as text; targets of a relationship.
        source: ``default``, ``fallback``, ``timeSamples``, ``valueClips``, or "" without a value.
        custom: whether no schema knows it.
        samples: number of time samples.
        opinions: strongest first.
    """

    name: str
    type_name: str
    value: str
    source: str
    custom: bool
    samples: int
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True)
class VariantChoice:
    """A variant set and what is selected in it.

    Attributes:
        name: of the set.
        selected: the variant, or "".
        names: all variants.
        session: whether the session's choice counts, not the files'.
    """

    name: str
    selected: str
    names: tuple[str, ...]
    session: bool


@dataclass(frozen=True)
class PrimDetails:
    """All about one prim.

    Attributes:
        path: its path.
        type_name: its type.
        applied_schemas: names of applied API schemas.
        metadata: other metadata as text, by name.
        arcs: composition arcs, strongest first.
        properties: by name.
        bindings: purpose of the binding ("" for all), to the path of the bound material.
        variants: its variant sets.
        payload: ``loaded``, ``unloaded``, or "" without one.
    """

    path: str
    type_name: str
    applied_schemas: tuple[str, ...]
    metadata: dict[str, str]
    arcs: tuple[Arc, ...]
    properties: tuple[PropertyRow, ...]
    bindings: dict[str, str]
    variants: tuple[VariantChoice, ...]
    payload: str


def prim_details(stage: Usd.Stage, path: str, time: float | None = None) -> PrimDetails:
    """Everything about the prim at ``path``.

    Args:
        stage: the stage.
        path: absolute path of the prim.
        time: for values; None reads defaults, and the first sample where there is none.

    Raises:
        StagewrightError: ``no-prim``.
    """
    prim = prim_at(stage, path)
    moment = Usd.TimeCode.EarliestTime() if time is None else Usd.TimeCode(time)
    return PrimDetails(
        path=str(prim.GetPath()),
        type_name=str(prim.GetTypeName()),
        applied_schemas=tuple(map(str, prim.GetAppliedSchemas())),
        metadata=_metadata(prim),
        arcs=_arcs(prim),
        properties=tuple(_property(p, moment) for p in prim.GetProperties()),
        bindings=_bindings(prim),
        variants=tuple(_variants(stage, prim)),
        payload=payload_state(prim),
    )


def value_text(value: Any) -> str:
    """A value in one line, long ones cut."""
    if value is None:
        return ""
    if isinstance(value, Sdf.AssetPath):
        return f"@{value.path}@"
    if hasattr(value, "__len__") and type(value).__module__.startswith("pxr.Vt"):
        shown = ", ".join(value_text(value[i]) for i in range(min(len(value), _ITEMS)))
        more = f", … {len(value):,} in all" if len(value) > _ITEMS else ""
        return f"[{shown}{more}]"
    text = str(value).replace("\n", " ")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_SOURCES = {
    Usd.ResolveInfoSourceDefault: "default",
    Usd.ResolveInfoSourceFallback: "fallback",
    Usd.ResolveInfoSourceTimeSamples: "timeSamples",
    Usd.ResolveInfoSourceValueClips: "valueClips",
}
_SHOWN_ELSEWHERE = {"typeName", "specifier", "apiSchemas"}


def _metadata(prim: Usd.Prim) -> dict[str, str]:
    found = prim.GetAllAuthoredMetadata()
    return {name: value_text(found[name]) for name in sorted(found) if name not in _SHOWN_ELSEWHERE}


def _arcs(prim: Usd.Prim) -> tuple[Arc, ...]:
    if prim.IsInstanceProxy():
        prim = prim.GetPrimInPrototype()
    query = Usd.PrimCompositionQuery(prim)
    return tuple(
        Arc(
            kind=arc.GetArcType().displayName,
            layer=arc.GetTargetNode().layerStack.identifier.rootLayer.identifier,
            path=str(arc.GetTargetNode().path),
            introduced_by=_identifier(arc.GetIntroducingLayer()),
            has_specs=arc.HasSpecs(),
        )
        for arc in query.GetCompositionArcs()
    )


def _identifier(layer: Sdf.Layer | None) -> str:
    return layer.identifier if layer else ""


def _property(prop: Usd.Property, time: Usd.TimeCode) -> PropertyRow:
    opinions = tuple(_opinion(spec) for spec in prop.GetPropertyStack(time))
    if isinstance(prop, Usd.Relationship):
        targets = ", ".join(f"<{target}>" for target in prop.GetTargets())
        return PropertyRow(prop.GetName(), "rel", targets, "", prop.IsCustom(), 0, opinions)
    connections = [f"<{target}>" for target in prop.GetConnections()]
    value = " → ".join([*filter(None, [value_text(prop.Get(time))]), *connections])
    return PropertyRow(
        name=prop.GetName(),
        type_name=str(prop.GetTypeName()),
        value=value,
        source=_SOURCES.get(prop.GetResolveInfo(time).GetSource(), ""),
        custom=prop.IsCustom(),
        samples=prop.GetNumTimeSamples(),
        opinions=opinions,
    )


def _opinion(spec: Sdf.PropertySpec) -> Opinion:
    layer = spec.layer.identifier
    if isinstance(spec, Sdf.RelationshipSpec):
        targets = spec.targetPathList.GetAddedOrExplicitItems()
        return Opinion(layer, str(spec.path), ", ".join(f"<{target}>" for target in targets))
    blocked = isinstance(spec.default, Sdf.ValueBlock)
    return Opinion(
        layer=layer,
        path=str(spec.path),
        value="" if blocked else value_text(spec.default),
        samples=spec.layer.GetNumTimeSamplesForPath(spec.path),
        blocked=blocked,
    )


def _variants(stage: Usd.Stage, prim: Usd.Prim) -> Iterator[VariantChoice]:
    sets = prim.GetVariantSets()
    spec = stage.GetSessionLayer().GetPrimAtPath(prim.GetPath())
    chosen = dict(spec.variantSelections) if spec else {}
    for name in sets.GetNames():
        choice = sets.GetVariantSet(name)
        names = tuple(choice.GetVariantNames())
        yield VariantChoice(name, choice.GetVariantSelection(), names, name in chosen)


def _bindings(prim: Usd.Prim) -> dict[str, str]:
    binding = UsdShade.MaterialBindingAPI(prim)
    found = {}
    for purpose in ("", UsdShade.Tokens.preview, UsdShade.Tokens.full):
        material, relationship = binding.ComputeBoundMaterial(purpose)
        # A purpose without a binding of its own falls back to the one for all.
        own = relationship and relationship.GetName().endswith(purpose)
        if material and own:
            found[purpose] = str(material.GetPath())
    return found
