# SPDX-License-Identifier: GPL-3.0-or-later
"""The meshes of a stage as they stand in the world, each with all its instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdSkel

from .look import DATA_NAME
from .pairing import corners
from .references import is_reference, used_paths, version_of
from .stages import object_name


@dataclass(frozen=True)
class _Hop:
    """One step from a point instancer to a prototype of it."""

    instancer: UsdGeom.PointInstancer
    index: int
    prototype: Usd.Prim


_Shown = tuple[UsdGeom.Mesh, tuple[_Hop, ...]]


@dataclass(frozen=True, eq=False)
class StageMesh:
    """One mesh prim at one frame, in the scene's units and axes.

    Attributes:
        object: Blender's name of the object that shows it, or "".
        path: path of the prim.
        points: (n, 3) float64, its own space, deformed by its skeleton.
        matrices: (k, 4, 4) for row vectors, to the world: one, or one for each
            instance that point instancers make of it.
        faces: number of faces.
        reaches: (k,) greatest distance from the world's origin of its bounds,
            or of the origin of a prim above; rounding errors grow with it.
        mesh: the prim itself.
    """

    object: str
    path: str
    points: NDArray[np.float64]
    matrices: NDArray[np.float64]
    faces: int
    reaches: NDArray[np.float64]
    mesh: UsdGeom.Mesh

    def taken(self, places: NDArray[np.int64]) -> StageMesh:
        """The same in some of its places."""
        return replace(self, matrices=self.matrices[places], reaches=self.reaches[places])


class StageMeshes:
    """All meshes that a stage shows, by the name of the object that shows them.

    Prototypes of point instancers count where they are instanced, and nowhere
    else. Skinned meshes are baked into the stage's session layer by UsdSkel's
    own skinning, so that their points are what a renderer shows.

    Args:
        stage: the stage; its session layer is written to.
        aliases: names of copies, to the names they stand for.
        frames: the frames that will be read, ascending.
        meters_per_unit: metres in one unit of the scene.

    Attributes:
        versions: ids of the versions of published assets, by the name of the
            object that shows them.
    """

    def __init__(
        self,
        stage: Usd.Stage,
        aliases: Mapping[str, str],
        frames: tuple[float, ...],
        meters_per_unit: float,
    ) -> None:
        self._stage = stage
        self._cache = UsdGeom.XformCache()
        self._instances: dict[Sdf.Path, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
        self._to_scene = to_scene(stage, meters_per_unit)
        if frames:
            stage.SetEditTarget(stage.GetSessionLayer())
            for path in _skinned_uses(stage):
                _make_real(stage, path)  # what is in an instance cannot be baked
            UsdSkel.BakeSkinning(stage.Traverse(), Gf.Interval(frames[0], frames[-1]))
        self._prims: dict[str, list[_Shown]] = defaultdict(list)
        self._used: dict[str, list[_Shown]] = defaultdict(list)
        self.versions: dict[str, set[str]] = defaultdict(set)
        for mesh, hops, reference in self._find(stage.GetPseudoRoot(), ()):
            if reference is None:
                name = object_name(mesh.GetPrim())
                self._prims[aliases.get(name, name)].append((mesh, hops))
            else:
                shown = reference
                if hops and not hops[0].instancer.GetPath().HasPrefix(reference.GetPath()):
                    shown = hops[0].instancer.GetPrim()
                self._used[_user(shown)].append((mesh, hops))
                self.versions[_user(shown)].add(version_of(reference))
        found = {str(m.GetPath()): m for meshes in self._prims.values() for m, _ in meshes}
        self._materials = _materials(list(found.values()))

    def _find(
        self, top: Usd.Prim, hops: tuple[_Hop, ...], reference: Usd.Prim | None = None
    ) -> Iterator[tuple[UsdGeom.Mesh, tuple[_Hop, ...], Usd.Prim | None]]:
        """The meshes at and below ``top``, and what they are reached through.

        That is instancers, and the prim that is a use of a published asset, if any.
        """
        # A prototype may be defined by an over, so that nothing shows it elsewhere.
        predicate = Usd.PrimIsActive if hops else Usd.PrimDefaultPredicate
        prims = iter(Usd.PrimRange(top, Usd.TraverseInstanceProxies(predicate)))
        for prim in prims:
            if prim != top and prim.GetSpecifier() == Sdf.SpecifierClass:
                prims.PruneChildren()  # shown by those who inherit it
            elif prim.IsA(UsdGeom.PointInstancer):
                prims.PruneChildren()
                instancer = UsdGeom.PointInstancer(prim)
                if any(hop.instancer.GetPath() == prim.GetPath() for hop in hops):
                    continue  # it instances itself
                targets = instancer.GetPrototypesRel().GetForwardedTargets()
                for index, target in enumerate(targets):
                    prototype = self._stage.GetPrimAtPath(target)
                    if prototype:
                        yield from self._find(
                            prototype, (*hops, _Hop(instancer, index, prototype)), reference
                        )
            elif reference is None and prim != top and is_reference(prim):
                prims.PruneChildren()
                yield from self._find(prim, hops, prim)
            elif prim.IsA(UsdGeom.Mesh):
                yield UsdGeom.Mesh(prim), hops, reference

    @property
    def objects(self) -> list[str]:
        """Names of the objects that show meshes of their own, sorted."""
        return sorted(self._prims)

    def materials(self, path: str) -> tuple[str, ...]:
        """Sorted names of the materials on the faces of the mesh at ``path``."""
        return self._materials[path]

    def read(self, name: str, frame: float) -> list[StageMesh]:
        """The meshes that the object ``name`` shows at ``frame``, without empty ones."""
        return self._read_all(name, self._prims.get(name, ()), self._at(frame))

    def read_used(self, name: str, frame: float) -> list[StageMesh]:
        """The meshes of published assets that the object ``name`` shows at ``frame``."""
        return self._read_all(name, self._used.get(name, ()), self._at(frame))

    def _read_all(self, name: str, shown: Iterable[_Shown], time: Usd.TimeCode) -> list[StageMesh]:
        found = (self._read(name, mesh, hops, time) for mesh, hops in shown)
        return [mesh for mesh in found if mesh is not None]

    def _at(self, frame: float) -> Usd.TimeCode:
        time = Usd.TimeCode(frame)
        if self._cache.GetTime() != time:
            self._cache.SetTime(time)
            self._instances.clear()
        return time

    def _read(
        self, name: str, mesh: UsdGeom.Mesh, hops: tuple[_Hop, ...], time: Usd.TimeCode
    ) -> StageMesh | None:
        local = mesh.GetPointsAttr().Get(time)
        points = np.array(local if local is not None else [], dtype=np.float64).reshape(-1, 3)
        placed = self._place(mesh.GetPrim(), hops, time) if len(points) else None
        if placed is None or not len(placed[0]):
            return None
        matrices = placed[0] @ self._to_scene
        bounds = corners(points) @ matrices[:, :3, :3] + matrices[:, 3:, :3]
        origins = placed[1] @ self._to_scene[:3, :3]
        reached = np.concatenate([bounds, origins], axis=1)
        counts = mesh.GetFaceVertexCountsAttr().Get(time)
        return StageMesh(
            object=name,
            path=str(mesh.GetPath()),
            points=points,
            matrices=matrices,
            faces=0 if counts is None else len(counts),
            reaches=np.sqrt((reached**2).sum(axis=2).max(axis=1)),
            mesh=mesh,
        )

    def _place(
        self, prim: Usd.Prim, hops: tuple[_Hop, ...], time: Usd.TimeCode
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Matrices (k, 4, 4) of a prim, and the origins (k, a, 3) of it and all above.

        None when it is hidden.
        """
        matrices, origins = np.eye(4)[None], np.zeros((1, 0, 3))
        for hop in (*reversed(hops), None):
            top = self._stage.GetPseudoRoot() if hop is None else hop.prototype.GetParent()
            inner = self._above(prim, top, time)
            if inner is None:
                return None
            own = np.broadcast_to(inner[:, 3, :3], (len(origins), len(inner), 3))
            origins = origins @ inner[0, :3, :3] + inner[0, 3, :3]
            origins = np.concatenate([origins, own], axis=1)
            matrices = matrices @ inner[0]
            if hop is not None:
                prim = hop.instancer.GetPrim()
                outer = self._transforms(hop.instancer, hop.index, time)
                matrices = (matrices[:, None] @ outer[None]).reshape(-1, 4, 4)
                moved = origins[:, None] @ outer[None, :, :3, :3] + outer[None, :, 3:, :3]
                origins = moved.reshape(-1, origins.shape[1], 3)
        return matrices, origins

    def _above(
        self, prim: Usd.Prim, top: Usd.Prim, time: Usd.TimeCode
    ) -> NDArray[np.float64] | None:
        """Matrices (a, 4, 4) to ``top`` of a prim and all between, or None if one is hidden."""
        found = []
        while prim != top and not prim.IsPseudoRoot():
            imageable = UsdGeom.Imageable(prim)
            if imageable and imageable.GetVisibilityAttr().Get(time) == UsdGeom.Tokens.invisible:
                return None
            if top.IsPseudoRoot():
                found.append(np.array(self._cache.GetLocalToWorldTransform(prim)))
            else:
                found.append(np.array(self._cache.ComputeRelativeTransform(prim, top)[0]))
            prim = prim.GetParent()
        return np.array(found)

    def _transforms(
        self, instancer: UsdGeom.PointInstancer, index: int, time: Usd.TimeCode
    ) -> NDArray[np.float64]:
        """Matrices (k, 4, 4) of the visible instances of one prototype, to the instancer."""
        path = instancer.GetPath()
        if path not in self._instances:
            self._instances[path] = _instance_transforms(instancer, time)
        indices, matrices = self._instances[path]
        return matrices[indices == index]


def _skinned_uses(stage: Usd.Stage) -> list[Sdf.Path]:
    """Paths of the uses of published assets with skinned meshes."""
    return [
        path
        for path in used_paths(stage)
        if any(
            prim.IsA(UsdSkel.Root)
            for prim in Usd.PrimRange(
                stage.GetPrimAtPath(path), Usd.TraverseInstanceProxies(Usd.PrimIsActive)
            )
        )
    ]


def _make_real(stage: Usd.Stage, path: Sdf.Path) -> None:
    """Let the prim at ``path``, and all that it is in, be no instances."""
    for place in path.GetPrefixes():
        prim = stage.GetPrimAtPath(place)
        if prim.IsInstance():
            prim.SetInstanceable(False)


def _user(prim: Usd.Prim) -> str:
    """Blender's name of the object that shows ``prim``, through however many instances."""
    outermost = prim
    while prim and not prim.IsPseudoRoot():
        if prim.IsInstance():
            outermost = prim
        prim = prim.GetParent()
    return object_name(outermost)


def _instance_transforms(
    instancer: UsdGeom.PointInstancer, time: Usd.TimeCode
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The index of the prototype of each visible instance, and their matrices (n, 4, 4)."""
    indices = np.array(instancer.GetProtoIndicesAttr().Get(time) or (), np.int64)
    matrices = instancer.ComputeInstanceTransformsAtTime(
        time, time, instancer.ExcludeProtoXform, instancer.IgnoreMask
    )
    matrices = np.array(matrices or (), np.float64).reshape(-1, 4, 4)
    count = min(len(indices), len(matrices))
    mask = np.array(instancer.ComputeMaskAtTime(time) or (), bool)
    shown = mask if len(mask) == count else np.ones(count, bool)
    return indices[:count][shown], matrices[:count][shown]


def to_scene(stage: Usd.Stage, meters_per_unit: float) -> NDArray[np.float64]:
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
