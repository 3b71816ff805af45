# SPDX-License-Identifier: GPL-3.0-or-later
"""Every mesh of a stage, and of a scene, as points in the world.

Both sides are read the plainest way there is: the stage through USD's own
transforms, instancers expanded one by one; the scene through the depsgraph's
list of instances.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import bpy
import numpy as np
from pxr import Usd, UsdGeom


def stage_meshes(stage: Usd.Stage, time: float = 0.0) -> list[np.ndarray]:
    """World points, (n, 3), of every visible mesh of ``stage``."""
    cache = UsdGeom.XformCache(time)
    return list(_below(stage.GetPseudoRoot(), np.eye(4), cache, time))


def _below(
    top: Usd.Prim, outer: np.ndarray, cache: UsdGeom.XformCache, time: float
) -> Iterator[np.ndarray]:
    prims = iter(Usd.PrimRange(top, Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)))
    for prim in prims:
        if prim.IsA(UsdGeom.Imageable):
            seen = UsdGeom.Imageable(prim).GetVisibilityAttr().Get(time)
            if seen == "invisible":
                prims.PruneChildren()
                continue
        world = np.array(cache.GetLocalToWorldTransform(prim)) @ outer
        if prim.IsA(UsdGeom.PointInstancer):
            prims.PruneChildren()
            yield from _instances(UsdGeom.PointInstancer(prim), world, cache, time)
        elif prim.IsA(UsdGeom.Mesh):
            points = np.array(UsdGeom.Mesh(prim).GetPointsAttr().Get(time), np.float64)
            yield points.reshape(-1, 3) @ world[:3, :3] + world[3, :3]


def _instances(
    instancer: UsdGeom.PointInstancer, world: np.ndarray, cache: UsdGeom.XformCache, time: float
) -> Iterator[np.ndarray]:
    targets = instancer.GetPrototypesRel().GetForwardedTargets()
    indices = instancer.GetProtoIndicesAttr().Get(time)
    placed = instancer.ComputeInstanceTransformsAtTime(
        time, time, instancer.ExcludeProtoXform, instancer.IgnoreMask
    )
    stage = instancer.GetPrim().GetStage()
    for index, matrix in zip(indices, placed, strict=True):
        prototype = stage.GetPrimAtPath(targets[index])
        own = np.array(cache.GetLocalToWorldTransform(prototype.GetParent()))
        yield from _below(prototype, np.linalg.inv(own) @ np.array(matrix) @ world, cache, time)


def scene_meshes() -> list[np.ndarray]:
    """World points, (n, 3), of every mesh that the scene shows at its current frame."""
    found = []
    for instance in bpy.context.evaluated_depsgraph_get().object_instances:
        if instance.object.type != "MESH" or instance.object.original.hide_render:
            continue
        matrix = np.array(instance.matrix_world, np.float64)
        mesh = instance.object.data
        points = np.array([v.co for v in mesh.vertices], np.float64).reshape(-1, 3)
        found.append(points @ matrix[:3, :3].T + matrix[:3, 3])
    return found


def differences(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> float:
    """The greatest distance between the points of two sets of meshes, each paired with its nearest.

    Infinite when they do not have the same meshes by number of points.
    """
    left = [points for points in theirs if len(points)]
    greatest = 0.0
    for points in filter(len, ours):
        fitting = [(float(np.abs(points - o).max()), i) for i, o in enumerate(left)
                   if len(o) == len(points)]  # fmt: skip
        if not fitting:
            return float("inf")
        distance, index = min(fitting)
        del left[index]
        greatest = max(greatest, distance)
    return float("inf") if left else greatest
