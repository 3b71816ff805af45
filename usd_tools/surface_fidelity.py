# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what lies on the faces of a mesh: topology, normals, UV maps, attributes, materials."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Tf, Usd, UsdGeom, UsdShade

from .scene_record import SurfaceRecord, ValuesRecord
from .stage_meshes import material_name

# Both sides are single precision; half precision normals are still good.
_NORMAL_TOLERANCE = 1e-3
_VALUE_TOLERANCE = 1e-6

# The elements that USD's interpolations put one value on each of.
_FLATTENED = {"vertex": "POINT", "varying": "POINT", "uniform": "FACE", "faceVarying": "CORNER"}


def compare_surface(
    name: str, surface: SurfaceRecord, mesh: UsdGeom.Mesh, time: Usd.TimeCode
) -> Iterator[tuple[str, str]]:
    """The differences between ``surface`` and ``mesh`` at ``time``, as check and message.

    Values are compared on face corners, after indices and interpolation.

    Args:
        name: name of the object.
        surface: what the scene shows.
        mesh: a mesh with as many points and faces.
        time: the time to read at.
    """
    counts = _array(mesh.GetFaceVertexCountsAttr().Get(time))
    corners = _array(mesh.GetFaceVertexIndicesAttr().Get(time))
    if not np.array_equal(counts, surface.counts) or not np.array_equal(corners, surface.corners):
        yield "mesh-faces", f"The faces of {name} join other points in the file."
        return
    if not len(corners):
        return
    scheme = mesh.GetSubdivisionSchemeAttr().Get()
    if scheme != UsdGeom.Tokens.none:
        yield (
            "mesh-subdivision",
            f"The file subdivides {name} ({scheme}), which the scene shows as it is.",
        )
    elif mesh.GetOrientationAttr().Get(time) == UsdGeom.Tokens.leftHanded:
        yield "mesh-faces", f"The faces of {name} are turned inside out in the file."
    comparable = scheme == UsdGeom.Tokens.none and not _is_skinned(mesh)
    reason = _normal_difference(surface, mesh, time) if comparable else ""
    if reason:
        yield "mesh-normals", f"The normals of {name} {reason}."
    primvars = UsdGeom.PrimvarsAPI(mesh)
    held = {p.GetPrimvarName() for p in primvars.GetPrimvarsWithAuthoredValues()}
    for index, values in enumerate(surface.uv_maps):
        fitting = ["st"] * (index == 0) + _names(values.name)
        reason = _difference(values, fitting, held, surface, primvars, time)
        if reason:
            yield "mesh-uv", f"The UV map {values.name} of {name} {reason}."
    for values in surface.attributes:
        reason = _difference(values, _names(values.name), held, surface, primvars, time)
        if reason:
            yield "mesh-attribute", f"The attribute {values.name} of {name} {reason}."
    yield from _materials(name, surface, mesh)


def _is_skinned(mesh: UsdGeom.Mesh) -> bool:
    """Whether a skeleton bends the normals, which Blender makes anew from the points."""
    prim = mesh.GetPrim()
    return bool(
        prim.HasAttribute("primvars:skel:jointIndices") or prim.HasAttribute("skel:blendShapes")
    )


def _array(value: Any) -> NDArray[Any]:
    return np.array([] if value is None else value)


def _names(name: str) -> list[str]:
    """What a primvar for Blender's ``name`` may be called."""
    return [name, Tf.MakeValidIdentifier(name), re.sub(r"\W", "_", name)]


def _normal_difference(surface: SurfaceRecord, mesh: UsdGeom.Mesh, time: Usd.TimeCode) -> str:
    primvar = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("normals")
    if primvar and primvar.HasAuthoredValue():
        values = _array(primvar.ComputeFlattened(time))
        interpolation = primvar.GetInterpolation()
    else:
        values = _array(mesh.GetNormalsAttr().Get(time))
        interpolation = mesh.GetNormalsInterpolation()
    if not len(values):
        return "are missing in the file"
    theirs = _on_corners(values, _FLATTENED.get(interpolation, ""), surface)
    if theirs is None:
        return f"are {len(values)} values, which does not fit their interpolation {interpolation}"
    lengths = np.linalg.norm(theirs, axis=1, keepdims=True)
    wrong = ~(np.abs(theirs / np.maximum(lengths, 1e-30) - surface.normals) <= _NORMAL_TOLERANCE)
    count = int(wrong.any(axis=1).sum())
    return f"differ at {count} face corners" if count else ""


def _difference(
    ours: ValuesRecord,
    names: Collection[str],
    held: Collection[str],
    surface: SurfaceRecord,
    primvars: UsdGeom.PrimvarsAPI,
    time: Usd.TimeCode,
) -> str:
    """Why the primvar of one of ``names`` does not hold ``ours``, or ""."""
    found = next((name for name in names if name in held), None)
    if found is None:
        return "is missing in the file"
    primvar = primvars.GetPrimvar(found)
    values = _array(primvar.ComputeFlattened(time))
    interpolation = primvar.GetInterpolation()
    if values.dtype.kind not in "biuf":
        return f"is of the type {primvar.GetTypeName()} in the file"
    values = values.reshape(len(values), -1).astype(np.float64)
    theirs = _on_corners(values, _FLATTENED.get(interpolation, ""), surface)
    if theirs is None:
        return f"has {len(values)} values, which does not fit its interpolation {interpolation}"
    expected = _on_corners(ours.values, ours.domain, surface)
    if expected is None:
        return "has too few values in the scene"
    width = min(expected.shape[1], theirs.shape[1])
    if width < min(expected.shape[1], 3):  # a colour may come without its alpha
        return f"has {theirs.shape[1]} numbers, not {expected.shape[1]}, in the file"
    gap = np.abs(expected[:, :width] - theirs[:, :width])
    limit = _VALUE_TOLERANCE * np.maximum(1.0, np.abs(expected[:, :width]))
    equal = (gap <= limit) | (np.isnan(expected[:, :width]) & np.isnan(theirs[:, :width]))
    count = int((~equal).any(axis=1).sum())
    return f"differs at {count} face corners by up to {np.nanmax(gap):.6g}" if count else ""


def _on_corners(values: NDArray[Any], domain: str, surface: SurfaceRecord) -> NDArray[Any] | None:
    """(c, k) values of the corners, or None when there are too many or too few values."""
    if domain == "POINT":
        return values[surface.corners] if len(values) > int(np.max(surface.corners)) else None
    if domain == "FACE":
        fits = len(values) == len(surface.counts)
        return np.repeat(values, surface.counts, axis=0) if fits else None
    if domain == "CORNER":
        return values if len(values) == len(surface.corners) else None
    return np.repeat(values, len(surface.corners), axis=0) if len(values) == 1 else None


def _materials(name: str, surface: SurfaceRecord, mesh: UsdGeom.Mesh) -> Iterator[tuple[str, str]]:
    """Faces with another material."""
    subsets = UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets()
    prims = [mesh.GetPrim(), *(subset.GetPrim() for subset in subsets)]
    bound, _ = UsdShade.MaterialBindingAPI.ComputeBoundMaterials(prims)
    names = [material_name(material) if material else "" for material in bound]
    theirs = np.zeros(len(surface.counts), np.int64)
    for index, subset in reversed(list(enumerate(subsets, 1))):  # the first one wins
        faces = _array(subset.GetIndicesAttr().Get(Usd.TimeCode.EarliestTime())).astype(np.int64)
        theirs[faces[(faces >= 0) & (faces < len(theirs))]] = index
    materials = surface.materials or ("",)
    ours = np.clip(surface.slots, 0, len(materials) - 1)
    unlike: NDArray[np.bool_] = np.array([[a != b for b in names] for a in materials])
    differs = unlike[ours, theirs]
    if differs.any():
        first = int(np.flatnonzero(differs)[0])
        expected, found = materials[ours[first]] or "none", names[theirs[first]] or "none"
        yield (
            "mesh-materials",
            f"{int(differs.sum())} faces of {name} have another material in the file "
            f"(face {first}: {found}, not {expected}).",
        )
