# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures: joints in the order of USD, and their poses."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import mathutils
import numpy as np
from numpy.typing import NDArray

from .arrays import read_matrix
from .names import usd_name

STILL = "Still"
"""The joint that never moves, for what no bone moves."""


@dataclass(frozen=True, eq=False)
class Rig:
    """The joints of one armature; the last one is no bone, and moves nothing.

    Attributes:
        bones: names of the bones, parents first.
        joints: USD's paths of the joints.
        parents: (j,) numbers of the parents, -1 for none.
        bind: (j, 4, 4) float64, joint to armature at rest; row vectors.
    """

    bones: tuple[str, ...]
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    bind: NDArray[np.float64]

    def local(self, matrices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Joint to parent, of (j, 4, 4) joint to armature."""
        outer = np.stack([matrices[p] if p >= 0 else np.eye(4) for p in self.parents])
        inverse = [np.array(mathutils.Matrix(m.tolist()).inverted_safe()) for m in outer]
        return matrices @ np.stack(inverse)


@dataclass(frozen=True, eq=False)
class Pose:
    """A rig at one frame, as USD holds it.

    Attributes:
        translations: (j, 3) float32, joint to parent.
        rotations: (j, 4) float32 unit quaternions (w, x, y, z).
        scales: (j, 3) float16.
    """

    translations: NDArray[np.float32]
    rotations: NDArray[np.float32]
    scales: NDArray[np.float16]

    def matrices(self, rig: Rig) -> NDArray[np.float64]:
        """(j, 4, 4) joint to armature, of what is held."""
        made = np.empty((len(rig.parents), 4, 4))
        parts = zip(self.translations, self.rotations, self.scales, strict=True)
        for index, (location, rotation, scale) in enumerate(parts):
            local = mathutils.Matrix.LocRotScale(
                mathutils.Vector(location.tolist()),
                mathutils.Quaternion(rotation.tolist()),
                mathutils.Vector(scale.tolist()),
            )
            parent = rig.parents[index]
            above = made[parent] if parent >= 0 else np.eye(4)
            made[index] = read_matrix(local) @ above
        return made


def read_rig(armature: bpy.types.Armature | None) -> Rig:
    """The rig of an armature, or that of nothing but the joint that never moves."""
    bones = [] if armature is None else sorted(armature.bones, key=_depth)
    index = {bone.name: number for number, bone in enumerate(bones)}
    parents = [-1 if bone.parent is None else index[bone.parent.name] for bone in bones]
    joints: list[str] = []
    taken: dict[int, set[str]] = {}
    for bone, parent in zip(bones, parents, strict=True):
        names = taken.setdefault(parent, set())
        name = usd_name(bone.name, names)
        names.add(name)
        joints.append(name if parent < 0 else f"{joints[parent]}/{name}")
    joints.append(usd_name(STILL, taken.get(-1, set())))
    bind = [read_matrix(bone.matrix_local) for bone in bones]
    return Rig(tuple(index), tuple(joints), (*parents, -1), np.stack([*bind, np.eye(4)]))


def read_pose(shown: bpy.types.Object | None, rig: Rig, before: Pose | None = None) -> Pose:
    """The pose of an evaluated armature object; rotations go on from ``before``."""
    return _held(rig.local(pose_matrices(shown, rig)), before)


def pose_matrices(shown: bpy.types.Object | None, rig: Rig) -> NDArray[np.float64]:
    """(j, 4, 4) joint to armature, as Blender has them."""
    bones = shown.pose.bones if shown is not None else {}
    posed = [read_matrix(bones[name].matrix) for name in rig.bones]
    return np.stack([*posed, np.eye(4)])


def _held(local: NDArray[np.float64], before: Pose | None) -> Pose:
    parts = [mathutils.Matrix(matrix.T.tolist()).decompose() for matrix in local]
    rotations = np.array([tuple(rotation) for _, rotation, _ in parts], np.float32)
    if before is not None:  # the same rotation, by the quaternion that is nearer
        rotations[(rotations * before.rotations).sum(axis=1) < 0] *= -1
    return Pose(
        np.array([tuple(location) for location, _, _ in parts], np.float32),
        rotations,
        np.array([tuple(scale) for _, _, scale in parts], np.float16),
    )


def _depth(bone: bpy.types.Bone) -> tuple[int, str]:
    return len(bone.parent_recursive), bone.name
