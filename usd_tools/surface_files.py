# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces and points in USD files, as plain arrays in the world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Tf, Usd, UsdGeom, UsdShade, Vt

from ..jobs.errors import StagewrightError
from .placing import replace_file
from .runtime import require_pxr
from .stages import open_stage, write_layer

SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")
_PURPOSES = (UsdGeom.Tokens.default_, UsdGeom.Tokens.render)
_NAMES = ("st", "UVMap", "uv")
"""UV maps by name, the first one there is taken."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A mesh, or points where it has no faces.

    Attributes:
        points: (n, 3) in metres with Z up.
        counts: (f,) corners of each face.
        corners: (c,) the point of each corner, counter-clockwise seen from outside.
        uvs: (c, 2) of each corner.
        colours: (n, 3) linear, of each point.
        materials: (f,) number of each face's material, -1 without one.
        names: of the materials.
    """

    points: NDArray[np.float64]
    counts: NDArray[np.int64]
    corners: NDArray[np.int64]
    uvs: NDArray[np.float64] | None = None
    colours: NDArray[np.float64] | None = None
    materials: NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()


def read_surface(path: Path, frame: float | None = None) -> Surface:
    """All visible meshes of a USD file as one, outside where they say it is.

    Those for renders are read, not what stands in for them (purposes proxy and guide). Colours
    of faces and corners become those of their points.

    Args:
        path: the file.
        frame: time code; the earliest one when None.

    Returns:
        The meshes, in metres with Z up, whatever the stage's units and axis. Without any, the
        points of all UsdGeom.Points, without faces.

    Raises:
        StagewrightError: ``asset-unreadable``, ``foreign-pxr``, ``nothing-to-read``, and
            ``mesh-indices`` for faces that name points which are not there.
    """
    require_pxr()
    stage = open_stage(path.absolute())
    time = Usd.TimeCode.EarliestTime() if frame is None else Usd.TimeCode(frame)
    cache = UsdGeom.XformCache(time)
    world_of = _to_metres_z_up(stage)
    meshes: list[Surface] = []
    clouds: list[NDArray[np.float64]] = []
    names: dict[str, int] = {}
    for prim in stage.Traverse(Usd.TraverseInstanceProxies()):
        shape = UsdGeom.PointBased(prim)
        if not shape or shape.ComputeVisibility(time) == UsdGeom.Tokens.invisible:
            continue
        if shape.ComputePurpose() not in _PURPOSES:
            continue
        matrix = np.array(cache.GetLocalToWorldTransform(prim)) @ world_of
        local = np.array(shape.GetPointsAttr().Get(time) or (), np.float64).reshape(-1, 3)
        world = local @ matrix[:3, :3] + matrix[3, :3]
        if prim.IsA(UsdGeom.Points):
            clouds.append(world)
        elif prim.IsA(UsdGeom.Mesh):
            mirrored = np.linalg.det(matrix[:3, :3]) < 0
            meshes.append(_read_mesh(UsdGeom.Mesh(prim), time, world, names, mirrored=mirrored))
    if not meshes and not clouds:
        raise StagewrightError(
            "nothing-to-read",
            f"{path.name} shows neither meshes nor points.",
            "Choose another file, or look into it with: stagewright usd tree.",
        )
    if not meshes:
        none = np.zeros(0, np.int64)
        return Surface(np.concatenate(clouds), none, none)
    return _joined(meshes, tuple(names))


def _joined(meshes: list[Surface], names: tuple[str, ...]) -> Surface:
    """Meshes as one; those without UVs have 0, 0, those without colours are white."""
    starts = np.cumsum([0, *(len(mesh.points) for mesh in meshes)])
    has_uvs = any(mesh.uvs is not None for mesh in meshes)
    has_colours = any(mesh.colours is not None for mesh in meshes)
    uvs = [np.zeros((len(m.corners), 2)) if m.uvs is None else m.uvs for m in meshes]
    colours = [np.ones((len(m.points), 3)) if m.colours is None else m.colours for m in meshes]
    materials = [mesh.materials for mesh in meshes if mesh.materials is not None]
    return Surface(
        np.concatenate([mesh.points for mesh in meshes]),
        np.concatenate([mesh.counts for mesh in meshes]),
        np.concatenate([m.corners + start for m, start in zip(meshes, starts[:-1], strict=True)]),
        np.concatenate(uvs) if has_uvs else None,
        np.concatenate(colours) if has_colours else None,
        np.concatenate(materials) if names else None,
        names,
    )


def _to_metres_z_up(stage: Usd.Stage) -> NDArray[np.float64]:
    """(4, 4): from a stage's world to metres with Z up, for row vectors."""
    matrix = np.diag([*[UsdGeom.GetStageMetersPerUnit(stage)] * 3, 1.0])
    if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y:
        matrix[:3, :3] = matrix[:3, :3] @ [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    return matrix


def _read_mesh(
    mesh: UsdGeom.Mesh,
    time: Usd.TimeCode,
    points: NDArray[np.float64],
    names: dict[str, int],
    *,
    mirrored: bool,
) -> Surface:
    """A mesh in the world's winding; the names of its materials join ``names``."""
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get(time) or (), np.int64)
    corners = np.array(mesh.GetFaceVertexIndicesAttr().Get(time) or (), np.int64)
    whole = counts.sum() == len(corners) and (counts >= 0).all()
    if not whole or ((corners < 0) | (corners >= len(points))).any():
        raise StagewrightError(
            "mesh-indices",
            f"The faces of {mesh.GetPath()} name points that are not there.",
            "Export the mesh again.",
        )
    uvs = _at_corners(_uv_primvar(mesh), time, counts, corners, 2)
    colours = _at_corners(mesh.GetDisplayColorPrimvar(), time, counts, corners, 3)
    if colours is not None:
        colours = _at_points(colours, corners, len(points))
    left = mesh.GetOrientationAttr().Get(time) == UsdGeom.Tokens.leftHanded
    if left != mirrored:
        # The last corner of each face comes first, and so on.
        ends = np.cumsum(counts)
        number = np.arange(len(corners)) - np.repeat(ends - counts, counts)
        order = np.repeat(ends, counts) - 1 - number
        corners, uvs = corners[order], None if uvs is None else uvs[order]
    return Surface(points, counts, corners, uvs, colours, _materials(mesh, len(counts), names))


def _uv_primvar(mesh: UsdGeom.Mesh) -> UsdGeom.Primvar:
    api = UsdGeom.PrimvarsAPI(mesh)
    found = [api.GetPrimvar(name) for name in _NAMES]
    found += [p for p in api.GetPrimvarsWithValues() if "texCoord2" in str(p.GetTypeName())]
    return next((primvar for primvar in found if primvar.HasValue()), found[0])


def _at_corners(
    primvar: UsdGeom.Primvar,
    time: Usd.TimeCode,
    counts: NDArray[np.int64],
    corners: NDArray[np.int64],
    width: int,
) -> NDArray[np.float64] | None:
    """A primvar's values (c, width); None without any, or with fewer than it needs."""
    value = primvar.ComputeFlattened(time) if primvar and primvar.HasValue() else None
    if value is None:
        return None
    values = np.array(value, np.float64).reshape(-1, width)
    which: NDArray[Any] = {
        UsdGeom.Tokens.constant: np.zeros(len(corners), np.int64),
        UsdGeom.Tokens.uniform: np.repeat(np.arange(len(counts)), counts),
        UsdGeom.Tokens.faceVarying: np.arange(len(corners)),
    }.get(primvar.GetInterpolation(), corners)
    if not len(which) or which.max() >= len(values):
        return None
    found: NDArray[np.float64] = values[which]
    return found


def _at_points(
    values: NDArray[np.float64], corners: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """The mean (n, k) of what a point's corners have."""
    uses = np.maximum(np.bincount(corners, minlength=count), 1)
    sums = [np.bincount(corners, column, minlength=count) for column in values.T]
    return np.stack(sums, axis=1) / uses[:, None]


def _materials(mesh: UsdGeom.Mesh, faces: int, names: dict[str, int]) -> NDArray[np.int64]:
    """The number of each face's material."""
    prim = mesh.GetPrim()
    own = [(prim, np.arange(faces))]
    for subset in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
        indices = np.array(subset.GetIndicesAttr().Get() or (), np.int64)
        own.append((subset.GetPrim(), indices[(indices >= 0) & (indices < faces)]))
    result = np.full(faces, -1)
    for bound, indices in own:
        material, _ = UsdShade.MaterialBindingAPI(bound).ComputeBoundMaterial()
        if material:
            name = material.GetPrim().GetName()
            result[indices] = names.setdefault(name, len(names))
    return result


def write_surface(path: Path, surface: Surface) -> None:
    """Write a mesh into a USD file of its own, in metres, Z up; whole or not at all.

    Its materials are there by name, without shaders, as what faces are bound to.

    Args:
        path: a ``.usd``, ``.usda`` or ``.usdc`` file.
        surface: the mesh.

    Raises:
        StagewrightError: ``foreign-pxr``, ``target-unwritable``.
    """
    require_pxr()
    stage = Usd.Stage.CreateInMemory(".usda")
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    mesh = UsdGeom.Mesh.Define(stage, Sdf.Path("/surface"))
    stage.SetDefaultPrim(mesh.GetPrim())
    local = np.ascontiguousarray(surface.points, np.float32)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(local))
    mesh.CreateFaceVertexCountsAttr(_ints(surface.counts))
    mesh.CreateFaceVertexIndicesAttr(_ints(surface.corners))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    if len(local):
        bounds = np.stack([local.min(axis=0), local.max(axis=0)])
        mesh.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(bounds))
    if surface.uvs is not None:
        primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
            _NAMES[0], Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying
        )
        primvar.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(surface.uvs, np.float32)))
    if surface.colours is not None:
        primvar = mesh.CreateDisplayColorPrimvar(UsdGeom.Tokens.vertex)
        shown = np.ascontiguousarray(surface.colours[:, :3], np.float32)
        primvar.Set(Vt.Vec3fArray.FromNumpy(shown))
    if surface.materials is not None:
        _bind(stage, mesh, surface.materials, surface.names)
    replace_file(path, lambda target: write_layer(stage.GetRootLayer(), target))


def _bind(
    stage: Usd.Stage, mesh: UsdGeom.Mesh, materials: NDArray[np.int64], names: tuple[str, ...]
) -> None:
    """Bind each material to its faces."""
    taken: set[str] = set()
    for number, name in enumerate(names):
        valid = Tf.MakeValidIdentifier(name)
        valid = valid if valid not in taken else f"{valid}_{number}"
        taken.add(valid)
        faces = np.flatnonzero(materials == number)
        material = UsdShade.Material.Define(stage, f"/surface/materials/{valid}")
        binding = UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim())
        subset = binding.CreateMaterialBindSubset(valid, _ints(faces))
        UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)


def _ints(values: NDArray[np.int64]) -> Vt.IntArray:
    return Vt.IntArray.FromNumpy(values.astype(np.int32))
