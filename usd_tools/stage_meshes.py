# SPDX-License-Identifier: GPL-3.0-or-later
"""The meshes of a stage as they stand in the world."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Usd, UsdGeom, UsdShade, UsdSkel

from .look import DATA_NAME
from .stages import object_name


@dataclass(frozen=True, eq=False)
class StageMesh:
    """One mesh prim at one frame, in the scene's units and axes.

    Attributes:
        path: path of the prim.
        points: (n, 3) float64, world space, deformed by its skeleton.
        faces: number of faces.
        reach: greatest distance from the world's origin of a point, or of the
            origin of a prim above; rounding errors grow with it.
        mesh: the prim itself.
    """

    path: str
    points: NDArray[np.float64]
    faces: int
    reach: float
    mesh: UsdGeom.Mesh


class StageMeshes:
    """All meshes of a stage by the name of the object that shows them.

    Skinned meshes are baked into the stage's session layer by UsdSkel's own
    skinning, so that their points are what a renderer shows.

    Args:
        stage: the stage; its session layer is written to.
        aliases: names of copies, to the names they stand for.
        frames: the frames that will be read, ascending.
        meters_per_unit: metres in one unit of the scene.
    """

    def __init__(
        self,
        stage: Usd.Stage,
        aliases: Mapping[str, str],
        frames: tuple[float, ...],
        meters_per_unit: float,
    ) -> None:
        self._cache = UsdGeom.XformCache()
        self._to_scene = _to_scene(stage, meters_per_unit)
        if frames:
            stage.SetEditTarget(stage.GetSessionLayer())
            UsdSkel.BakeSkinning(stage.Traverse(), Gf.Interval(frames[0], frames[-1]))
        self._prims: dict[str, list[UsdGeom.Mesh]] = defaultdict(list)
        for prim in stage.Traverse(Usd.TraverseInstanceProxies()):
            if prim.IsA(UsdGeom.Mesh):
                name = object_name(prim)
                self._prims[aliases.get(name, name)].append(UsdGeom.Mesh(prim))
        self._materials = _materials([m for found in self._prims.values() for m in found])

    @property
    def objects(self) -> list[str]:
        """Names of the objects that show meshes, sorted."""
        return sorted(self._prims)

    def materials(self, path: str) -> tuple[str, ...]:
        """Sorted names of the materials on the faces of the mesh at ``path``."""
        return self._materials[path]

    def read(self, name: str, frame: float) -> list[StageMesh]:
        """The meshes of the object ``name`` at ``frame``, without empty ones."""
        time = Usd.TimeCode(frame)
        if self._cache.GetTime() != time:
            self._cache.SetTime(time)
        found = (self._read(mesh, time) for mesh in self._prims.get(name, ()))
        return [mesh for mesh in found if len(mesh.points)]

    def _read(self, mesh: UsdGeom.Mesh, time: Usd.TimeCode) -> StageMesh:
        prim = mesh.GetPrim()
        local = mesh.GetPointsAttr().Get(time)
        points = np.array(local if local is not None else [], dtype=np.float64).reshape(-1, 3)
        matrix = np.array(self._cache.GetLocalToWorldTransform(prim)) @ self._to_scene
        origins = [matrix[3, :3]]
        parent = prim.GetParent()
        while not parent.IsPseudoRoot():
            above = np.array(self._cache.GetLocalToWorldTransform(parent)) @ self._to_scene
            origins.append(above[3, :3])
            parent = parent.GetParent()
        world = points @ matrix[:3, :3] + matrix[3, :3]
        reach = float(np.sqrt((np.concatenate([world, origins]) ** 2).sum(axis=1).max()))
        counts = mesh.GetFaceVertexCountsAttr().Get(time)
        return StageMesh(
            str(prim.GetPath()), world, 0 if counts is None else len(counts), reach, mesh
        )


def _to_scene(stage: Usd.Stage, meters_per_unit: float) -> NDArray[np.float64]:
    """Row-vector matrix (4, 4) from the stage's axes and units to the scene's, Z up."""
    matrix = np.eye(4)
    if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y:
        matrix[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    matrix[:3, :3] *= UsdGeom.GetStageMetersPerUnit(stage) / meters_per_unit
    return matrix


def _materials(meshes: list[UsdGeom.Mesh]) -> dict[str, tuple[str, ...]]:
    """Names of the materials that the faces of each mesh use, by path of the mesh."""
    used: list[tuple[str, Usd.Prim]] = []
    for mesh in meshes:
        path, faces = str(mesh.GetPath()), 0
        for subset in UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets():
            indices = subset.GetIndicesAttr().Get(Usd.TimeCode.EarliestTime())
            if indices:
                faces += len(indices)
                used.append((path, subset.GetPrim()))
        if faces < len(mesh.GetFaceVertexCountsAttr().Get(Usd.TimeCode.EarliestTime()) or ()):
            used.append((path, mesh.GetPrim()))
    materials, _ = UsdShade.MaterialBindingAPI.ComputeBoundMaterials([prim for _, prim in used])
    names: dict[str, set[str]] = {str(mesh.GetPath()): set() for mesh in meshes}
    for (path, _), material in zip(used, materials, strict=True):
        if material:
            names[path].add(material_name(material))
    return {path: tuple(sorted(found)) for path, found in names.items()}


def material_name(material: UsdShade.Material) -> str:
    """Blender's name of a material, or the prim's own."""
    value = material.GetPrim().GetAttribute(DATA_NAME).Get()
    return str(value) if value else str(material.GetPrim().GetName())
