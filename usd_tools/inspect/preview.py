# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage as triangles in the world: enough to see what is where, and to pick it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom

from ...jobs.events import Job, Progress
from ..stage_meshes import to_scene
from .session import opened

LIMIT = 4_000_000
"""Triangles that are shown; what comes later in the stage is left out, and told."""

Corners = NDArray[np.float32]

_GREY = (0.6, 0.6, 0.6)
_REPORT_EVERY = 2000
# The sides of a box by its corners, as bits say which is at the far end of x, y and z.
_BOX = np.array([
    [0, 2, 3], [0, 3, 1], [4, 5, 7], [4, 7, 6], [0, 1, 5], [0, 5, 4],
    [2, 6, 7], [2, 7, 3], [0, 4, 6], [0, 6, 2], [1, 3, 7], [1, 7, 5],
])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Preview:
    """What a stage shows, as triangles.

    Attributes:
        corners: (t, 3, 3) float32, in metres, Z up.
        starts: (p + 1,) int64: triangles ``starts[i]`` to ``starts[i + 1]`` are of prim ``i``.
        colors: (p, 3) float32, linear.
        paths: (p,) paths of the prims; of point instancers for all they show.
        left_out: number of prims beyond :data:`LIMIT`.
    """

    corners: Corners
    starts: NDArray[np.int64]
    colors: NDArray[np.float32]
    paths: tuple[str, ...]
    left_out: int


def preview(stage: Usd.Stage, time: float | None = None) -> Job[Preview]:
    """What ``stage`` shows in a render at ``time``: its meshes, and boxes for all else.

    Instances and point instancers are shown; prims that are invisible, or of
    the purposes proxy and guide, are not.
    """
    builder = _Builder(stage, Usd.TimeCode.EarliestTime() if time is None else Usd.TimeCode(time))
    parts: list[Corners] = []
    paths: list[str] = []
    colors: list[tuple[float, ...]] = []
    triangles = left_out = 0
    for number, (prim, corners, color) in enumerate(builder.shown()):
        if number % _REPORT_EVERY == 0:
            yield Progress("preview.read", None, f"Reading {prim.GetPath()}")
        if triangles + len(corners) > LIMIT:
            left_out += 1
            continue
        triangles += len(corners)
        parts.append(corners)
        paths.append(str(prim.GetPath()))
        colors.append(color)
    starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    whole = np.concatenate(parts) if parts else np.empty((0, 3, 3), np.float32)
    shades = np.array(colors, np.float32).reshape(-1, 3)
    return Preview(whole, starts, shades, tuple(paths), left_out)


def save_preview(
    state: Mapping[str, Any], folder: str, time: float | None = None
) -> Job[dict[str, Any]]:
    """:func:`preview` of a session's state, its arrays as ``.npy`` files in ``folder``."""
    yield Progress("preview.open", 0.0, f"Opening {Path(state['path']).name}")
    found = yield from preview(opened(state), time)
    for name in ("corners", "starts", "colors"):
        np.save(Path(folder) / f"{name}.npy", getattr(found, name))
    return {"paths": list(found.paths), "left_out": found.left_out}


def load_preview(folder: Path, value: Mapping[str, Any]) -> Preview:
    """What :func:`save_preview` has saved in ``folder``, with its result ``value``."""
    arrays = {name: np.load(folder / f"{name}.npy") for name in ("corners", "starts", "colors")}
    return Preview(**arrays, paths=tuple(value["paths"]), left_out=value["left_out"])


def triangles_of(found: Preview, path: str) -> NDArray[np.int64]:
    """Numbers of the triangles of the prim at ``path`` and all below it."""
    below = path.rstrip("/") + "/"
    ranges = [
        np.arange(found.starts[n], found.starts[n + 1])
        for n, each in enumerate(found.paths)
        if each == path or each.startswith(below)
    ]
    return np.concatenate(ranges) if ranges else np.empty(0, np.int64)


def pick(found: Preview, origin: NDArray[np.float64], direction: NDArray[np.float64]) -> str:
    """Path of the prim that a ray meets first, or "".

    By T. Möller and B. Trumbore, "Fast, Minimum Storage Ray/Triangle
    Intersection", Journal of Graphics Tools 2 (1997), for all triangles at once.

    Args:
        found: what is shown.
        origin: (3,) where the ray begins.
        direction: (3,) where it goes.
    """
    a = found.corners[:, 0]
    one, two = found.corners[:, 1] - a, found.corners[:, 2] - a
    across = np.cross(direction, two)
    determinant = np.einsum("ij,ij->i", one, across)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1 / determinant
        away = origin - a
        u = np.einsum("ij,ij->i", away, across) * inverse
        up = np.cross(away, one)
        v = (up @ direction) * inverse
        distance = np.einsum("ij,ij->i", two, up) * inverse
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (distance > 0)
    if not hit.any():
        return ""
    first = int(np.argmin(np.where(hit, distance, np.inf)))
    return found.paths[int(np.searchsorted(found.starts, first, "right")) - 1]


@dataclass
class _Builder:
    stage: Usd.Stage
    time: Usd.TimeCode
    known: dict[str, Corners] = field(default_factory=dict)

    def shown(self) -> Iterator[tuple[Usd.Prim, Corners, tuple[float, ...]]]:
        """Prims, their triangles in the world, and their colours."""
        cache = UsdGeom.XformCache(self.time)
        world = np.array(to_scene(self.stage, 1.0))
        for prim, corners in self._below(self.stage.GetPseudoRoot(), ()):
            matrix = np.array(cache.GetLocalToWorldTransform(prim)) @ world
            yield prim, _moved(corners, matrix), self._color(prim)

    def _below(self, top: Usd.Prim, above: tuple[str, ...]) -> Iterator[tuple[Usd.Prim, Corners]]:
        """What is at and below ``top``, each in its own space."""
        prims = iter(Usd.PrimRange(top, Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)))
        for prim in prims:
            shown = UsdGeom.Imageable(prim)
            if not shown:
                continue
            if shown.GetVisibilityAttr().Get(self.time) == UsdGeom.Tokens.invisible:
                prims.PruneChildren()
            elif shown.ComputePurpose() in (UsdGeom.Tokens.proxy, UsdGeom.Tokens.guide):
                continue
            elif prim.IsA(UsdGeom.PointInstancer):
                prims.PruneChildren()
                corners = self._instances(UsdGeom.PointInstancer(prim), above)
                if len(corners):
                    yield prim, corners
            elif prim.IsA(UsdGeom.Gprim):
                corners = self._of_gprim(prim)
                if len(corners):
                    yield prim, corners

    def _of_gprim(self, prim: Usd.Prim) -> Corners:
        """Triangles in the prim's space; those of an instance are read once."""
        source = prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim
        key = str(source.GetPath())
        if key not in self.known:
            if prim.IsA(UsdGeom.Mesh):
                self.known[key] = self._of_mesh(UsdGeom.Mesh(prim))
            else:
                self.known[key] = self._box(UsdGeom.Boundable(prim))
        return self.known[key]

    def _of_mesh(self, mesh: UsdGeom.Mesh) -> Corners:
        points = np.array(mesh.GetPointsAttr().Get(self.time) or (), np.float32).reshape(-1, 3)
        counts = np.array(mesh.GetFaceVertexCountsAttr().Get(self.time) or (), np.int64)
        corners = np.array(mesh.GetFaceVertexIndicesAttr().Get(self.time) or (), np.int64)
        triangles = fans(counts, corners)
        if ((triangles < 0) | (triangles >= len(points))).any():
            return np.empty((0, 3, 3), np.float32)  # damaged: the checks tell
        found: Corners = points[triangles]
        return found

    def _box(self, prim: UsdGeom.Boundable) -> Corners:
        extent = UsdGeom.Boundable.ComputeExtentFromPlugins(prim, self.time)
        if not extent:
            return np.empty((0, 3, 3), np.float32)
        ends = np.array(extent, np.float32)
        far = (np.arange(8)[:, None] >> np.arange(3)) & 1
        return np.where(far, ends[1], ends[0])[_BOX]

    def _instances(self, instancer: UsdGeom.PointInstancer, above: tuple[str, ...]) -> Corners:
        path = str(instancer.GetPath())
        parts: list[Corners] = []
        if path not in above:  # or it instances itself
            matrices = np.array(instancer.ComputeInstanceTransformsAtTime(self.time, self.time))
            kinds = np.array(instancer.GetProtoIndicesAttr().Get(self.time) or (), np.int64)
            mask = instancer.ComputeMaskAtTime(self.time)
            kept = kinds[np.array(mask, bool)] if len(mask) else kinds
            targets = instancer.GetPrototypesRel().GetForwardedTargets()
            for index, target in enumerate(targets):
                places = matrices[kept == index] if len(matrices) == len(kept) else ()
                prototype = self.stage.GetPrimAtPath(target)
                if not prototype or not len(places):
                    continue
                cache = UsdGeom.XformCache(self.time)
                own = np.linalg.inv(np.array(cache.GetLocalToWorldTransform(prototype)))
                for prim, corners in self._below(prototype, (*above, path)):
                    inside = np.array(cache.GetLocalToWorldTransform(prim)) @ own
                    parts += [_moved(corners, inside @ place) for place in places]
                    if sum(map(len, parts)) > LIMIT:
                        return np.concatenate(parts)
        return np.concatenate(parts) if parts else np.empty((0, 3, 3), np.float32)

    def _color(self, prim: Usd.Prim) -> tuple[float, ...]:
        gprim = UsdGeom.Gprim(prim)
        found = gprim.GetDisplayColorAttr().Get(self.time) if gprim else None
        return tuple(found[0]) if found else _GREY


def fans(counts: NDArray[np.int64], corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """The triangles (t, 3) of polygons, each as a fan around its first corner.

    Args:
        counts: (n,) corners of each polygon.
        corners: (sum of counts,) indices of points.
    """
    if counts.sum() != len(corners) or (counts < 0).any():
        return np.empty((0, 3), np.int64)
    number = np.maximum(counts - 2, 0)
    first = np.repeat(np.cumsum(counts) - counts, number)
    step = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    triangles: NDArray[np.int64] = corners[
        np.stack([first, first + step + 1, first + step + 2], axis=-1)
    ]
    return triangles


def _moved(corners: Corners, matrix: NDArray[np.float64]) -> Corners:
    """``corners`` by a matrix for row vectors."""
    moved = corners.reshape(-1, 3) @ matrix[:3, :3] + matrix[3, :3]
    return moved.astype(np.float32).reshape(-1, 3, 3)
