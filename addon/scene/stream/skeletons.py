# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of skeletons, their poses and what they move, after a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from posixpath import commonpath

import bpy
import numpy as np

from ....usd_tools.direct.records import (
    MeshRecord,
    Record,
    SkelAnimationRecord,
    SkeletonRecord,
    SkelRootRecord,
    SkinRecord,
)
from .context import StreamContext
from .properties import custom_properties
from .skeleton import Pose, read_pose
from .skin import SkinPlan


@dataclass(eq=False)
class SkeletonReader:
    """Reads what a plan says is a skeleton.

    Attributes:
        context: the export.
        plan: what is a skeleton, and what it moves.
    """

    context: StreamContext
    plan: SkinPlan = field(default_factory=SkinPlan)
    _meshes: dict[int, str] = field(default_factory=dict)
    _skeletons: dict[int, str] = field(default_factory=dict)
    _poses: dict[int, Pose] = field(default_factory=dict)

    def bound(self, uid: int, path: str, record: Record) -> Record:
        """A record of the object ``uid`` at ``path``; its mesh in the shape that is bound."""
        if not isinstance(record, MeshRecord) or record.path.rpartition("/")[0] != path:
            return record
        skin = self.plan.skins[uid]
        self._meshes[uid] = record.path
        return replace(record, points=skin.points, normals=skin.normals, velocities=None)

    def rests(self, uid: int, shown: bpy.types.Object) -> bool:
        """Whether all that the object ``uid`` shows is bound by now, and so cannot change."""
        return uid in self._meshes and not any(
            m.type in ("NODES", "PARTICLE_SYSTEM") for m in shown.modifiers
        )

    def skeletons(self, paths: Mapping[int, str]) -> Iterator[Record]:
        """The skeletons, and the meshes bound to them.

        Args:
            paths: of the objects, by their session_uids.
        """
        items = {item.session_uid: item for item in bpy.data.objects}
        rigs = {uid: rig for uid, rig in self.plan.rigs.items() if uid in paths and uid in items}
        yield from self._roots(paths)
        for uid, rig in rigs.items():
            item = items[uid]
            data = item.data.name if item.type == "ARMATURE" else "Skeleton"
            path = self._skeletons[uid] = self.context.child(paths[uid], data, "skeleton")
            properties = (
                custom_properties(self.context, item.data) if item.type == "ARMATURE" else {}
            )
            yield SkeletonRecord(path, data, rig.joints, rig.bind, rig.local(rig.bind), properties)
        for uid, mesh in self._meshes.items():
            skin = self.plan.skins[uid]
            skeleton = self._skeletons.get(skin.armature or uid)
            if skeleton is not None:  # else it was deleted meanwhile
                yield SkinRecord(
                    path=mesh,
                    skeleton=skeleton,
                    geom_bind_transform=skin.geom_bind,
                    joint_indices=skin.indices,
                    joint_weights=skin.weights,
                    blend_shapes=skin.shapes,
                )

    def poses(self) -> Iterator[SkelAnimationRecord]:
        """The pose of each skeleton at the current frame."""
        if not self._skeletons:
            return
        graph = bpy.context.evaluated_depsgraph_get()
        items = {item.session_uid: item for item in bpy.data.objects}
        for uid, path in self._skeletons.items():
            item = items.get(uid)
            if item is None:
                continue
            rig = self.plan.rigs[uid]
            shown = item.evaluated_get(graph) if item.type == "ARMATURE" else None
            pose = self._poses[uid] = read_pose(shown, rig, self._poses.get(uid))
            names: list[str] = []
            weights: list[np.ndarray] = []
            for other in self._meshes:
                skin = self.plan.skins[other]
                if (skin.armature or other) == uid and skin.keys and other in items:
                    names += [shape.animated_as for shape in skin.shapes]
                    weights.append(skin.values(items[other], graph))
            yield SkelAnimationRecord(
                path=f"{path}/Animation",
                joints=rig.joints,
                translations=pose.translations,
                rotations=pose.rotations,
                scales=pose.scales,
                blend_shapes=tuple(names),
                weights=np.concatenate(weights) if weights else None,
            )

    def _roots(self, paths: Mapping[int, str]) -> Iterator[SkelRootRecord]:
        """One root above each skeleton and all that it moves, and none inside another."""
        groups = {uid: [paths[uid]] for uid in self.plan.rigs if uid in paths}
        for uid, mesh in self._meshes.items():
            group = groups.get(self.plan.skins[uid].armature or uid)
            if group is not None:
                group.append(mesh.rpartition("/")[0])
        kept: list[str] = []
        for path in sorted({commonpath(group) for group in groups.values()}, key=len):
            if not any(path.startswith(f"{above}/") for above in kept):
                kept.append(path)
                yield SkelRootRecord(path)
