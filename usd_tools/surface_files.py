# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces and points in USD files, as plain arrays in the world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Usd, UsdGeom, Vt

from ..jobs.errors import StagewrightError
from .placing import replace_file
from .runtime import require_pxr
from .stages import open_stage, write_layer

SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")
_PURPOSES = (UsdGeom.Tokens.default_, UsdGeom.Tokens.render)
Arrays = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


def read_surface(path: Path, frame: float | None = None) -> Arrays:
    """All visible meshes of a USD file as one, outside where they say it is.

    Those for renders are read, not what stands in for them (purposes proxy and guide).

    Args:
        path: the file.
        frame: time code; the earliest one when None.

    Returns:
        Points (n, 3) in metres with Z up, whatever the stage's units and axis, the
        corners of each face (f,), and the point of each corner (c,), counter-clockwise
        seen from outside. Without meshes, the points of all UsdGeom.Points, without
        faces.

    Raises:
        StagewrightError: ``asset-unreadable``, ``foreign-pxr``, ``nothing-to-read``, and
            ``mesh-indices`` for faces that name points which are not there.
    """
    require_pxr()
    stage = open_stage(path.absolute())
    time = Usd.TimeCode.EarliestTime() if frame is None else Usd.TimeCode(frame)
    cache = UsdGeom.XformCache(time)
    world_of = _to_metres_z_up(stage)
    points: list[NDArray[np.float64]] = []
    counts: list[NDArray[np.int64]] = []
    corners: list[NDArray[np.int64]] = []
    clouds: list[NDArray[np.float64]] = []
    start = 0
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
            own, named = _faces(UsdGeom.Mesh(prim), time, len(world), mirrored=mirrored)
            points.append(world)
            counts.append(own)
            corners.append(named + start)
            start += len(world)
    if not points and not clouds:
        raise StagewrightError(
            "nothing-to-read",
            f"{path.name} shows neither meshes nor points.",
            "Choose another file, or look into it with: stagewright usd tree.",
        )
    if not points:
        points, counts, corners = clouds, [], []
    empty = [np.zeros(0, np.int64)]
    return np.concatenate(points), np.concatenate(empty + counts), np.concatenate(empty + corners)


def _to_metres_z_up(stage: Usd.Stage) -> NDArray[np.float64]:
    """(4, 4): from a stage's world to metres with Z up, for row vectors."""
    matrix = np.diag([*[UsdGeom.GetStageMetersPerUnit(stage)] * 3, 1.0])
    if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y:
        matrix[:3, :3] = matrix[:3, :3] @ [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    return matrix


def _faces(
    mesh: UsdGeom.Mesh, time: Usd.TimeCode, points: int, *, mirrored: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Corners of each face, and their points, in the world's winding."""
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get(time) or (), np.int64)
    corners = np.array(mesh.GetFaceVertexIndicesAttr().Get(time) or (), np.int64)
    whole = counts.sum() == len(corners) and (counts >= 0).all()
    if not whole or ((corners < 0) | (corners >= points)).any():
        raise StagewrightError(
            "mesh-indices",
            f"The faces of {mesh.GetPath()} name points that are not there.",
            "Export the mesh again.",
        )
    left = mesh.GetOrientationAttr().Get(time) == UsdGeom.Tokens.leftHanded
    if left != mirrored:
        # The last corner of each face comes first, and so on.
        ends = np.cumsum(counts)
        number = np.arange(len(corners)) - np.repeat(ends - counts, counts)
        corners = corners[np.repeat(ends, counts) - 1 - number]
    return counts, corners


def write_surface(path: Path, arrays: Arrays) -> None:
    """Write a mesh into a USD file of its own, in metres, Z up; whole or not at all.

    Args:
        path: a ``.usd``, ``.usda`` or ``.usdc`` file.
        arrays: as :func:`read_surface` returns them.

    Raises:
        StagewrightError: ``foreign-pxr``, ``target-unwritable``.
    """
    require_pxr()
    points, counts, corners = arrays
    stage = Usd.Stage.CreateInMemory(".usda")
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    mesh = UsdGeom.Mesh.Define(stage, Sdf.Path("/surface"))
    stage.SetDefaultPrim(mesh.GetPrim())
    local = np.ascontiguousarray(points, np.float32)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(local))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(counts.astype(np.int32)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(corners.astype(np.int32)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    if len(local):
        bounds = np.stack([local.min(axis=0), local.max(axis=0)])
        mesh.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(bounds))
    replace_file(path, lambda target: write_layer(stage.GetRootLayer(), target))
