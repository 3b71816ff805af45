# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the meshes of a scene with those of a stage, point by point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from pxr import Usd

from ..jobs.events import Job, Progress
from .findings import Finding
from .pairing import pair_nearest
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
        if len(mesh.points) and mesh.object not in broken:
            expected.setdefault(mesh.frame, {}).setdefault(mesh.object, []).append(mesh)
    worst: dict[tuple[str, str], _Loss] = {}
    for index, (frame, by_object) in enumerate(sorted(expected.items())):
        yield Progress(
            "check.points", 0.5 + 0.4 * index / len(expected), f"Comparing frame {frame:g}"
        )
        for name in sorted((by_object.keys() | set(meshes.objects)) - broken):
            ours, theirs = by_object.get(name, []), meshes.read(name, frame)
            for check, loss in _compare(name, ours, theirs, meshes, result).items():
                before = worst.get((name, check))
                if before is None or loss.weight > before.weight:
                    worst[name, check] = loss
    result.findings = [_cured(loss.finding, result, record) for loss in worst.values()]
    result.findings += [_not_finite(name) for name in sorted(broken)]
    return result


@dataclass(frozen=True)
class _Loss:
    finding: Finding
    weight: float


def _compare(
    name: str,
    ours: Sequence[MeshRecord],
    theirs: Sequence[StageMesh],
    meshes: StageMeshes,
    result: MeshComparison,
) -> Mapping[str, _Loss]:
    """Losses of one object at one frame, by check; adds to ``result`` what was compared."""
    pairs, others = _pairs(ours, theirs)
    losses: dict[str, _Loss] = {}

    def lose(
        check: str, weight: float, message: str, prim: str = "", value: float | None = None
    ) -> None:
        if check not in losses or weight > losses[check].weight:
            cure = _CURES[check].format(name=name)
            finding = Finding(check, "loss", message, cure, name, prim, value=value)
            losses[check] = _Loss(finding, weight)

    for mesh, found in pairs:
        distances = np.sqrt(((mesh.points - found.points) ** 2).sum(axis=1))
        distance = float(distances.max())
        result.compared.add(found.path)
        result.greatest_distance = max(distance, result.greatest_distance or 0.0)
        if not distance <= _tolerance(mesh, found):
            count = int((distances > _tolerance(mesh, found)).sum())
            text = f"{count} points of {name} lie up to {distance:.6g} from their place"
            at = f" at frame {mesh.frame:g}." if mesh.frame else "."
            lose("mesh-points", distance, text + at, found.path, distance)
            result.points_lost.setdefault(name, mesh.frame)
        there = meshes.materials(found.path)
        if there != mesh.materials:
            scene, file = (", ".join(names) or "no material" for names in (mesh.materials, there))
            text = f"{name} has {scene} on its faces, but {file} in the file."
            lose("mesh-materials", 1, text, found.path)
        if mesh.surface is not None:
            time = Usd.TimeCode(mesh.frame)
            for check, message in compare_surface(name, mesh.surface, found.mesh, time):
                lose(check, 1, message, found.path)
    unlike = min(len(others[0]), len(others[1]))
    if unlike:
        scene, file = _size(others[0][0]), _size(others[1][0])
        text = f"{unlike} of {len(ours)} meshes of {name} differ: "
        text += f"{scene} in the scene, {file} in the file."
        lose("mesh-topology", unlike, text, others[1][0].path, float(unlike))
    missing = len(ours) - len(theirs)
    if missing > 0:
        text = f"{missing} of {len(ours)} meshes of {name} are missing in the file."
        lose("mesh-missing", missing, text, value=float(missing))
    elif missing < 0:
        text = f"The file shows {-missing} meshes of {name} that the scene does not."
        lose("mesh-extra", -missing, text, theirs[-1].path, float(-missing))
    return losses


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


def _pairs(
    ours: Sequence[MeshRecord], theirs: Sequence[StageMesh]
) -> tuple[list[tuple[MeshRecord, StageMesh]], tuple[list[MeshRecord], list[StageMesh]]]:
    """Pairs with equal numbers of points and faces, and what is left on both sides."""
    sizes: dict[tuple[int, int], tuple[list[MeshRecord], list[StageMesh]]]
    sizes = defaultdict(lambda: ([], []))
    for mesh in ours:
        sizes[len(mesh.points), mesh.faces][0].append(mesh)
    for found in theirs:
        sizes[len(found.points), found.faces][1].append(found)
    pairs: list[tuple[MeshRecord, StageMesh]] = []
    rest: tuple[list[MeshRecord], list[StageMesh]] = ([], [])
    for left, right in sizes.values():
        tolerance = max((_tolerance(m, f) for m in left[:1] for f in right), default=1.0)
        indices = pair_nearest([m.points for m in left], [f.points for f in right], tolerance)
        pairs += [(left[i], right[j]) for i, j in indices]
        paired_ours, paired_theirs = {i for i, _ in indices}, {j for _, j in indices}
        rest[0].extend(m for i, m in enumerate(left) if i not in paired_ours)
        rest[1].extend(f for j, f in enumerate(right) if j not in paired_theirs)
    return pairs, rest


def _tolerance(mesh: MeshRecord, found: StageMesh) -> float:
    reach = max(float(np.abs(mesh.points).max()), found.reach)
    return RELATIVE_TOLERANCE * max(reach, 1e-30)


def _size(mesh: MeshRecord | StageMesh) -> str:
    return f"{len(mesh.points)} points and {mesh.faces} faces"
