# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether shapes hang together: faces, corners, curves, instances, and values on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Usd, UsdGeom

from .findings import Finding, Severity
from .stages import object_at

_CURE = "Export the shape again from the program that it was made with."

Problem = tuple[Severity, str]


def check_topology(stage: Usd.Stage) -> Iterator[Finding]:
    """Shapes that renderers cannot draw, or not rightly; each prototype is looked at once.

    Judged at the first time at which something is authored.
    """
    for prim, path in each_shape(stage):
        if prim.IsA(UsdGeom.Mesh):
            problems = _of_mesh(UsdGeom.Mesh(prim))
        elif prim.IsA(UsdGeom.Curves):
            problems = _of_curves(UsdGeom.Curves(prim))
        elif prim.IsA(UsdGeom.PointInstancer):
            problems = _of_instancer(UsdGeom.PointInstancer(prim))
        else:
            continue
        for severity, text in problems:
            message = f"{prim.GetTypeName()} {path} {text}."
            yield Finding(
                "topology", severity, message, _CURE, object_at(stage, path), prim=str(path)
            )


def each_shape(stage: Usd.Stage) -> Iterator[tuple[Usd.Prim, Sdf.Path]]:
    """The boundable prims; those that instances share once, by the path in one of them."""
    for prim in stage.Traverse():
        if prim.IsA(UsdGeom.Boundable):
            yield prim, prim.GetPath()
    for prototype in stage.GetPrototypes():
        place = _place(prototype)
        for prim in Usd.PrimRange(prototype):
            if prim.IsA(UsdGeom.Boundable):
                yield prim, prim.GetPath().ReplacePrefix(prototype.GetPath(), place)


def _place(prototype: Usd.Prim) -> Sdf.Path:
    """A path on the stage at which the prototype is seen."""
    instance = prototype.GetInstances()[0]
    path: Sdf.Path = instance.GetPath()
    if not instance.IsInPrototype():
        return path
    outer = instance
    while not outer.IsPrototype():
        outer = outer.GetParent()
    return path.ReplacePrefix(outer.GetPath(), _place(outer))


def _values(attribute: Usd.Attribute, kind: type = float) -> NDArray[Any]:
    found = attribute.Get(Usd.TimeCode.EarliestTime())
    return np.array(() if found is None else found, kind)


def _of_mesh(mesh: UsdGeom.Mesh) -> Iterator[Problem]:
    points = _values(mesh.GetPointsAttr()).reshape(-1, 3)
    counts = _values(mesh.GetFaceVertexCountsAttr(), int)
    corners = _values(mesh.GetFaceVertexIndicesAttr(), int)
    if not np.isfinite(points).all():
        yield "error", "has points that are not numbers"
    if counts.sum() != len(corners):
        yield "error", f"has faces of {counts.sum()} corners, but names {len(corners)}"
        return
    if len(corners) and (corners.min() < 0 or corners.max() >= len(points)):
        wrong = int(((corners < 0) | (corners >= len(points))).sum())
        yield "error", f"has {wrong} corners at points that it has not"
        return
    if len(counts) and counts.min() < 3:
        yield "warning", f"has {int((counts < 3).sum())} faces of fewer than three corners"
    elif len(corners):
        ends = np.cumsum(counts)
        following = np.append(corners[1:], 0)
        following[ends - 1] = corners[ends - counts]
        twice = int((following == corners).sum())
        if twice:
            yield "warning", f"has {twice} edges of no length: the same point twice in a face"
        low, high = np.minimum(corners, following), np.maximum(corners, following)
        shared = np.unique(low * len(points) + high, return_counts=True)[1]
        crowded = int((shared > 2).sum())
        if crowded:
            yield "info", f"has {crowded} edges of more than two faces"
    sizes = {"uniform": len(counts), "vertex": len(points), "varying": len(points)}
    sizes["faceVarying"] = len(corners)
    yield from _of_values(mesh, sizes)


def _of_values(shape: UsdGeom.PointBased, sizes: dict[str, int]) -> Iterator[Problem]:
    """Normals and primvars that are more or fewer than there are places for them."""
    normals = shape.GetNormalsAttr().Get(Usd.TimeCode.EarliestTime())
    places = sizes.get(shape.GetNormalsInterpolation())
    if normals is not None and len(normals) and places is not None and len(normals) != places:
        yield "error", f"has {len(normals)} normals for {places} places"
    for primvar in UsdGeom.PrimvarsAPI(shape).GetPrimvarsWithValues():
        places = sizes.get(primvar.GetInterpolation())
        values = primvar.Get(Usd.TimeCode.EarliestTime())
        if places is None or values is None or not hasattr(values, "__len__"):
            continue
        name = primvar.GetPrimvarName()
        held = len(values) // max(primvar.GetElementSize(), 1)
        if primvar.IsIndexed():
            indices = np.array(primvar.GetIndices(Usd.TimeCode.EarliestTime()) or (), int)
            if len(indices) and (indices.min() < 0 or indices.max() >= held):
                yield "error", f"has indices of {name} beyond its {held} values"
            held = len(indices)
        if held != places:
            yield "error", f"has {held} values of {name} for {places} places"


def _of_curves(curves: UsdGeom.Curves) -> Iterator[Problem]:
    points = _values(curves.GetPointsAttr()).reshape(-1, 3)
    counts = _values(curves.GetCurveVertexCountsAttr(), int)
    if not np.isfinite(points).all():
        yield "error", "has points that are not numbers"
    if counts.sum() != len(points):
        yield "error", f"has curves of {counts.sum()} points, but {len(points)} points"


def _of_instancer(instancer: UsdGeom.PointInstancer) -> Iterator[Problem]:
    indices = _values(instancer.GetProtoIndicesAttr(), int)
    prototypes = len(instancer.GetPrototypesRel().GetTargets())
    if len(indices) and (indices.min() < 0 or indices.max() >= prototypes):
        yield "error", f"names prototypes beyond its {prototypes}"
    for name in ("positions", "orientations", "scales", "ids"):
        values = instancer.GetPrim().GetAttribute(name).Get(Usd.TimeCode.EarliestTime())
        if values is not None and len(values) and len(values) != len(indices):
            yield "error", f"has {len(values)} {name} for {len(indices)} instances"
