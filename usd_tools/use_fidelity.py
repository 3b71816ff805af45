# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what a scene shows of published assets with what a stage references.

The assets were compared with their own scenes as they were published. Here it
matters that the right versions stand where the scene shows them; so the meshes
of each user are compared in sum, as their names are another scene's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .findings import Finding
from .scene_record import SceneRecord, UseRecord
from .stage_meshes import StageMeshes

# Of the distance from the world's origin: an importer and a skeleton lie in between.
_TOLERANCE = 1e-4


def compare_uses(record: SceneRecord, meshes: StageMeshes) -> Iterator[Finding]:
    """The first difference of what each object shows of published assets."""
    told = set()
    for use in record.uses:
        if use.object in told:
            continue
        found = _differences(use, meshes)
        if found is not None:
            told.add(use.object)
            yield found
    users = {use.object for use in record.uses}
    for name in sorted(set(meshes.versions) - users):
        yield Finding(
            "reference-unexpected",
            "loss",
            f"{name} shows a published asset in the file, and none in the scene.",
            "Export again.",
            name,
        )


@dataclass(frozen=True)
class _Sum:
    points: int
    faces: int
    values: NDArray[np.float64]
    """Mean, least and greatest corner, one after the other."""


def _differences(use: UseRecord, meshes: StageMeshes) -> Finding | None:
    versions = meshes.versions.get(use.object, set())
    if not versions:
        return Finding(
            "reference-missing",
            "loss",
            f"{use.object} shows a published asset, and the file has no reference to it.",
            "Export with the stagewright engine.",
            use.object,
        )
    if set(use.versions) != versions:
        return Finding(
            "reference-version",
            "loss",
            f"{use.object} references other versions in the file than the scene shows.",
            "Add the published asset again, and export.",
            use.object,
        )
    found = _sum(use, meshes)
    expected = np.array([*use.center, *use.bounds[0], *use.bounds[1]])
    reach = max(1.0, float(np.abs(expected).max()))
    if (found.points, found.faces) == (use.points, use.faces) and bool(
        np.abs(found.values - expected).max() <= _TOLERANCE * reach
    ):
        return None
    if (found.points, found.faces) != (use.points, use.faces):
        what = (
            f"has {found.points} points and {found.faces} faces in the published version, and "
            f"{use.points} and {use.faces} in the scene"
        )
    else:
        what = f"lies up to {np.abs(found.values - expected).max():.3g} elsewhere in the file"
    return Finding(
        "reference-differs",
        "loss",
        f"What {use.object} shows {what} at frame {use.frame:g}.",
        "What is edited in a published asset stays here: publish the asset itself, or add it anew.",
        use.object,
        value=use.frame,
    )


def _sum(use: UseRecord, meshes: StageMeshes) -> _Sum:
    points = faces = 0
    total, low, high = np.zeros(3), np.full(3, np.inf), np.full(3, -np.inf)
    for mesh in meshes.read_used(use.object, use.frame):
        for matrix in mesh.matrices:
            world = mesh.points @ matrix[:3, :3] + matrix[3, :3]
            points, faces, total = points + len(world), faces + mesh.faces, total + world.sum(0)
            low, high = np.minimum(low, world.min(0)), np.maximum(high, world.max(0))
    return _Sum(points, faces, np.concatenate([total / max(points, 1), low, high]))
