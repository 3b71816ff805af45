# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the meshes of a scene with those of a stage, point by point."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pxr import Usd

from ..jobs.events import Job, Progress
from .findings import Finding
from .pairing import Pairs, Places, distances, pair_equal, pair_nearest
from .scene_record import MeshRecord, SceneRecord
from .stage_meshes import StageMesh, StageMeshes
from .surface_fidelity import compare_surface

# How far a right point may lie from its counterpart, as a multiple of its
# distance from the origin. The file keeps a point, three angles in degrees and
# three scales in single precision, rounded by at most u = 2**-24 of themselves:
# 1 u for the point, 3 pi u for angles up to 180 degrees, 1 u for the scale, and
# Blender's own product of matrices in single precision adds about 4 u; together
# 16 u for each transform above the mesh. Four of them, the depth of
# root, armature, parent and object, make 64 u.
RELATIVE_TOLERANCE = 64 * 2.0**-24


@dataclass
class MeshComparison:
    """What the comparison of all meshes gave.

    Attributes:
        findings: losses, at most one of each kind for an object.
        greatest_distance: over all pairs of points, in scene units; None when
            nothing was compared.
        compared: paths of the meshes compared.
        points_lost: the first frame at which points of an object lie elsewhere.
    """

    findings: list[Finding] = field(default_factory=list)
    greatest_distance: float | None = None
    compared: set[str] = field(default_factory=set)
    points_lost: dict[str, float] = field(default_factory=dict)


def compare_meshes(record: SceneRecord, meshes: StageMeshes) -> Job[MeshComparison]:
    """Compare every mesh of ``record`` with its counterpart, at every frame."""
    result = MeshComparison()
    expected: dict[float, dict[str, list[MeshRecord]]] = {f: {} for f in record.frames}
    broken = {m.object for m in record.meshes if not np.isfinite(m.points).all()}
    for mesh in record.meshes:
        if len(mesh.points) and len(mesh.matrices) and mesh.object not in broken:
            expected.setdefault(mesh.frame, {}).setdefault(mesh.object, []).append(mesh)
    losses = _Losses()
    for index, (frame, by_object) in enumerate(sorted(expected.items())):
        yield Progress(
            "check.points", 0.5 + 0.4 * index / len(expected), f"Comparing frame {frame:g}"
        )
        comparison = _Frame(frame, meshes, result, losses)
        names = sorted((by_object.keys() | set(meshes.objects)) - broken)
        comparison.compare({name: by_object.get(name, []) for name in names})
    result.findings = [_cured(loss.finding, result, record) for loss in losses.worst.values()]
    result.findings += [_not_finite(name) for name in sorted(broken)]
    return result


@dataclass(frozen=True)
class _Loss:
    finding: Finding
    weight: float


class _Losses:
    """The worst loss of each kind for each object."""

    def __init__(self) -> None:
        self.worst: dict[tuple[str, str], _Loss] = {}

    def add(
        self,
        check: str,
        name: str,
        message: str,
        *,
        weight: float = 1.0,
        prim: str = "",
        value: float | None = None,
    ) -> None:
        before = self.worst.get((name, check))
        if before is None or weight > before.weight:
            cure = _CURES[check].format(name=name)
            finding = Finding(check, "loss", message, cure, name, prim, value=value)
            self.worst[name, check] = _Loss(finding, weight)


_Left = tuple[list[MeshRecord], list[StageMesh]]


@dataclass(frozen=True)
class _Frame:
    """The comparison at one frame."""

    frame: float
    meshes: StageMeshes
    result: MeshComparison
    losses: _Losses

    def compare(self, expected: dict[str, list[MeshRecord]]) -> None:
        """Compare what the scene shows, by object, and what the stage shows of these.

        What stands in its place is paired first, under its object; then instances
        that the file has below another one; the rest by distance.
        """
        left: _Left = ([], [])
        totals: Counter[str] = Counter()
        for name, ours in expected.items():
            totals[name] = sum(len(mesh.matrices) for mesh in ours)
            self._pair(ours, self.meshes.read(name, self.frame), pair_equal, left)
        instances = [mesh for mesh in left[0] if mesh.instance]
        rest: _Left = ([mesh for mesh in left[0] if not mesh.instance], [])
        self._pair(instances, left[1], pair_equal, rest)
        for name in totals:
            left = ([], [])
            self._pair(_of(name, rest[0]), _of(name, rest[1]), _nearest, left)
            self._count(name, totals[name], *left)

    def _pair(
        self,
        ours: Sequence[MeshRecord],
        theirs: Sequence[StageMesh],
        how: Callable[[Places, Places, NDArray[np.float64]], Pairs],
        left: _Left,
    ) -> None:
        """Pair and compare meshes of equal size; what has no pair joins ``left``."""
        sizes: dict[tuple[int, int], _Left] = defaultdict(lambda: ([], []))
        for mesh in ours:
            sizes[len(mesh.points), mesh.faces][0].append(mesh)
        for found in theirs:
            sizes[len(found.points), found.faces][1].append(found)
        for records, prims in sizes.values():
            places = Places(records), Places(prims)
            reaches = np.concatenate([np.zeros(0), *(mesh.reaches for mesh in prims)])
            tolerances = RELATIVE_TOLERANCE * np.maximum(reaches, 1e-30)
            pairs = how(*places, tolerances)
            if len(pairs):
                gaps = distances(*places, pairs)
                self._compare_places(records, prims, places, pairs, gaps, tolerances)
            left[0].extend(_unpaired(records, places[0], pairs[:, 0]))
            left[1].extend(_unpaired(prims, places[1], pairs[:, 1]))

    def _compare_places(
        self,
        records: Sequence[MeshRecord],
        prims: Sequence[StageMesh],
        places: tuple[Places, Places],
        pairs: Pairs,
        gaps: NDArray[np.float64],
        tolerances: NDArray[np.float64],
    ) -> None:
        """Compare the meshes of ``pairs``, whose points lie ``gaps`` apart at most."""
        greatest = float(np.max(np.nan_to_num(gaps, nan=np.inf)))
        self.result.greatest_distance = max(greatest, self.result.greatest_distance or 0.0)
        wrong = ~(gaps <= tolerances[pairs[:, 1]])
        owners = np.stack([places[0].owner[pairs[:, 0]], places[1].owner[pairs[:, 1]]], axis=1)
        for i, j in np.unique(owners, axis=0):
            mesh, found = records[i], prims[j]
            self.result.compared.add(found.path)
            self._compare_faces(mesh, found)
            lost = np.flatnonzero(wrong & (owners == (i, j)).all(axis=1))
            if len(lost):
                worst = lost[np.argmax(gaps[lost])]
                ours = mesh.matrices[places[0].within[pairs[worst, 0]]]
                theirs = found.matrices[places[1].within[pairs[worst, 1]]]
                tolerance = tolerances[pairs[worst, 1]]
                self._lose_points(mesh, found, (ours, theirs), tolerance, len(lost))

    def _lose_points(
        self,
        mesh: MeshRecord,
        found: StageMesh,
        matrices: tuple[NDArray[np.float64], NDArray[np.float64]],
        tolerance: float,
        places: int,
    ) -> None:
        """Tell how the points of the worst of some ``places`` differ."""
        gap = _placed(mesh.points, matrices[0]) - _placed(found.points, matrices[1])
        apart = np.sqrt((gap**2).sum(axis=1))
        distance = float(apart.max())
        count = int((~(apart <= tolerance)).sum())
        text = f"{count} points of {mesh.object} lie up to {distance:.6g} from their place"
        if mesh.instance:
            text += f" in {places} of its instances"
        at = f" at frame {self.frame:g}." if self.frame else "."
        self.losses.add("mesh-points", mesh.object, text + at, weight=distance,
                        prim=found.path, value=distance)  # fmt: skip
        self.result.points_lost.setdefault(mesh.object, self.frame)

    def _compare_faces(self, mesh: MeshRecord, found: StageMesh) -> None:
        """Compare the materials and what lies on the faces."""
        there = self.meshes.materials(found.path)
        if there != mesh.materials:
            scene, file = (", ".join(names) or "no material" for names in (mesh.materials, there))
            text = f"{mesh.object} has {scene} on its faces, but {file} in the file."
            self.losses.add("mesh-materials", mesh.object, text, prim=found.path)
        if mesh.surface is not None:
            time = Usd.TimeCode(self.frame)
            for check, text in compare_surface(mesh.object, mesh.surface, found.mesh, time):
                self.losses.add(check, mesh.object, text, prim=found.path)

    def _count(
        self, name: str, total: int, ours: Sequence[MeshRecord], theirs: Sequence[StageMesh]
    ) -> None:
        """Tell what one side alone has, of ``total`` meshes of an object in the scene."""
        counts = [sum(len(m.matrices) for m in side) for side in (ours, theirs)]
        unlike, missing = min(counts), counts[0] - counts[1]
        if unlike:
            scene, file = _size(ours[0]), _size(theirs[0])
            text = f"{unlike} of {total} meshes of {name} differ: "
            text += f"{scene} in the scene, {file} in the file."
            self.losses.add("mesh-topology", name, text, weight=unlike,
                            prim=theirs[0].path, value=float(unlike))  # fmt: skip
        if missing > 0:
            text = f"{missing} of {total} meshes of {name} are missing in the file."
            self.losses.add("mesh-missing", name, text, weight=missing, value=float(missing))
        elif missing < 0:
            text = f"The file shows {-missing} meshes of {name} that the scene does not."
            self.losses.add("mesh-extra", name, text, weight=-missing,
                            prim=theirs[-1].path, value=float(-missing))  # fmt: skip


_Mesh = TypeVar("_Mesh", MeshRecord, StageMesh)


def _of(name: str, side: Iterable[_Mesh]) -> list[_Mesh]:
    return [mesh for mesh in side if mesh.object == name]


def _unpaired(meshes: Sequence[_Mesh], places: Places, paired: NDArray[np.int64]) -> list[_Mesh]:
    """The meshes with those of their places that are not ``paired``."""
    rest = np.setdiff1d(np.arange(len(places)), paired)
    found = []
    for index in np.unique(places.owner[rest]).tolist():
        within = places.within[rest[places.owner[rest] == index]]
        found.append(meshes[index].taken(within))
    return found


def _nearest(ours: Places, theirs: Places, _: NDArray[np.float64]) -> Pairs:
    return pair_nearest(ours.features, theirs.features)


def _placed(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ matrix[:3, :3] + matrix[3, :3]


def _not_finite(name: str) -> Finding:
    message = f"{name} has points that lie nowhere (NaN or infinite)."
    cure = "Find the modifier, driver or constraint that makes them, or delete these points."
    return Finding("not-finite", "error", message, cure, name)


def _cured(finding: Finding, result: MeshComparison, record: SceneRecord) -> Finding:
    """The finding, with its cure for what only begins to differ when time passes."""
    first = min(record.frames, default=0.0)
    if finding.check != "mesh-points" or result.points_lost[finding.object] <= first:
        return finding
    return replace(finding, cure=_FROZEN.format(name=finding.object))


_FROZEN = (
    "What moves {name} by geometry nodes is exported as it stands at one frame; "
    "bake it to keyframes or to a mesh cache, or export the current frame alone."
)
_CURES = {
    "mesh-points": "Apply shears and unusual constraints of {name} in Blender, and export again.",
    "mesh-materials": "Assign the materials of {name} in the object's own mesh.",
    "mesh-faces": "Triangulate {name} in Blender, or apply its negative scale.",
    "mesh-normals": "Export normals, and apply the modifiers of {name} that make them.",
    "mesh-subdivision": "Export {name} tessellated, or without a subdivision scheme.",
    "mesh-uv": "Export all UV maps of {name}, with its modifiers as the viewport shows them.",
    "mesh-attribute": "Store the attribute of {name} on points, faces or face corners as numbers.",
    "mesh-topology": "Convert {name} to a mesh in Blender (Object > Convert > Mesh).",
    "mesh-missing": "Make the instances of {name} real in Blender (Object > Apply).",
    "mesh-extra": "Look at {name} in the file; it shows more than the scene.",
}


def _size(mesh: MeshRecord | StageMesh) -> str:
    return f"{len(mesh.points)} points and {mesh.faces} faces"
