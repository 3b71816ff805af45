# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether kinds make a model hierarchy (USD Glossary, "Model Hierarchy")."""

from __future__ import annotations

from collections.abc import Iterator

from pxr import Kind, Usd

from .findings import Finding
from .stages import object_name

_CURE = "Set another kind, or none, where the prim is made."


def check_kinds(stage: Usd.Stage) -> Iterator[Finding]:
    """Kinds that USD does not know, and models where none can be.

    Every model but the topmost lies in a group, without a gap; a component holds no model;
    what is called a subcomponent lies within a component.
    """
    for prim in stage.Traverse(Usd.TraverseInstanceProxies()):
        kind = Usd.ModelAPI(prim).GetKind()
        if not kind:
            continue
        problem = _problem(prim, kind)
        if problem:
            path = prim.GetPath()
            yield Finding(
                "kind-hierarchy",
                "warning",
                f"{path} {problem}.",
                _CURE,
                object_name(prim),
                prim=str(path),
            )


def _problem(prim: Usd.Prim, kind: str) -> str:
    if not Kind.Registry.HasKind(kind):
        return f"is of the kind “{kind}”, which USD does not know"
    above = _kinds_above(prim)
    if Kind.Registry.IsA(kind, Kind.Tokens.subcomponent):
        within = any(Kind.Registry.IsA(k, Kind.Tokens.component) for k in above)
        return "" if within else f"is a {kind}, but in no component"
    if not Kind.Registry.IsA(kind, Kind.Tokens.model):
        return ""
    for other in above:
        if other and Kind.Registry.IsA(other, Kind.Tokens.component):
            return f"is a {kind} within a {other}, which holds no models"
    top = prim.GetParent().IsPseudoRoot()
    if not top and not Kind.Registry.IsA(above[0] or "none", Kind.Tokens.group):
        return f"is a {kind}, but what it lies in is no group or assembly"
    return ""


def _kinds_above(prim: Usd.Prim) -> list[str]:
    """Kinds of all prims above, the nearest first."""
    kinds = []
    prim = prim.GetParent()
    while prim and not prim.IsPseudoRoot():
        kinds.append(str(Usd.ModelAPI(prim).GetKind()))
        prim = prim.GetParent()
    return kinds or [""]
