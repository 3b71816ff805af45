# SPDX-License-Identifier: GPL-3.0-or-later
"""Which meshes a skeleton can move as Blender does: they are bound, and tried at every frame."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import bpy
import numpy as np
from numpy.typing import NDArray

from ....jobs.events import Event, Message, Progress
from ....usd_tools.direct.records import BlendShape, Primvar
from .arrays import read, read_matrix
from .mesh import read_normals
from .names import usd_name
from .skeleton import Rig, pose_matrices, read_pose, read_rig

# How far, in parts of a mesh's size, its skinned points may be from Blender's.
_SAME = 1e-4
# The least sum of weights that Blender moves a vertex by.
_UNWEIGHTED = 1e-4
# How far, in parts of the greatest entry, a bone may be from what a joint holds.
_SHEAR = 1e-3


@dataclass(frozen=True, eq=False)
class Skin:
    """A mesh in the shape in which it is bound.

    Attributes:
        name: of the object.
        armature: session_uid of the armature object, or None for blend shapes alone.
        points: (n, 3) float32.
        normals: its normals.
        geom_bind: (4, 4) mesh to armature; row vectors.
        indices: (n, e) int32 into the joints of the rig.
        weights: (n, e) float32, each row adding up to one.
        shapes: its blend shapes.
        keys: names of the shape keys that they are.
    """

    name: str
    armature: int | None
    points: NDArray[np.float32]
    normals: Primvar | None
    geom_bind: NDArray[np.float64]
    indices: NDArray[np.int32]
    weights: NDArray[np.float32]
    shapes: tuple[BlendShape, ...] = ()
    keys: tuple[str, ...] = ()

    def posed(
        self, joints: NDArray[np.float64], values: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Points in the armature's space, as UsdSkel skins them linearly.

        Args:
            joints: (j, 4, 4) from the bound to the posed joint, in the armature's space.
            values: of the blend shapes.
        """
        points = self.points.astype(np.float64)
        for shape, value in zip(self.shapes, values.tolist(), strict=True):
            points[shape.vertices] += value * shape.offsets
        bound = np.column_stack([points, np.ones(len(points))]) @ self.geom_bind
        made = np.zeros((len(points), 3))
        for index, weight in zip(self.indices.T, self.weights.T, strict=True):
            made += weight[:, None] * np.einsum("ni,nij->nj", bound, joints[index, :, :3])
        return made

    def values(self, item: bpy.types.Object, graph: bpy.types.Depsgraph) -> NDArray[np.float32]:
        """The weights of the blend shapes at the current frame."""
        if not self.keys:
            return np.empty(0, np.float32)
        blocks = item.data.shape_keys.evaluated_get(graph).key_blocks
        values = [0.0 if blocks[k].mute else blocks[k].value for k in self.keys]
        return np.array(values, np.float32)


@dataclass(eq=False)
class SkinPlan:
    """What is written as skeletons and skins.

    Attributes:
        rigs: by the session_uid of the armature object; of the mesh itself where
            there is none.
        skins: by the session_uid of the mesh object.
    """

    rigs: dict[int, Rig] = field(default_factory=dict)
    skins: dict[int, Skin] = field(default_factory=dict)


def plan_skins(
    objects: Sequence[bpy.types.Object], frames: tuple[float, ...]
) -> Generator[Event, None, SkinPlan]:
    """Bind the meshes among ``objects``, and keep those that are as Blender has them.

    A mesh qualifies by an Armature modifier at the end of its stack, or by shape
    keys and no modifiers. Of each one that armatures deform and that does not, a
    message says why. Every frame is gone to.
    """
    plan = SkinPlan()
    refused: dict[int, str] = {}
    armatures = {item.session_uid for item in objects if item.type == "ARMATURE"}
    chosen: list[_Candidate] = []
    for item in objects:
        if item.type == "ARMATURE":
            plan.rigs[item.session_uid] = read_rig(item.data)
        elif item.type == "MESH":
            found = _candidate(item, armatures)
            if isinstance(found, _Candidate):
                chosen.append(found)
            elif found:
                refused[item.session_uid] = f"{item.name}: {found}"
    _bind(plan, chosen)
    scene = bpy.context.scene
    told: set[int] = set()
    # Going to a frame evaluates the whole scene.
    tried = (frames or (None,)) if plan.rigs or plan.skins else ()
    for index, frame in enumerate(tried):
        if frame is not None:
            share = index / len(frames)
            yield Progress("scene.skin", share, f"Trying the skeletons at frame {frame:g}")
            scene.frame_set(int(frame // 1), subframe=frame % 1)
        for text in _try(plan, refused, told):
            yield Message(text, "warning")
    for text in refused.values():
        yield Message(f"{text} Its points are written as they are at every frame.", "warning")
    return plan


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A mesh object that may be skinned.

    Attributes:
        item: the object.
        modifier: what deforms it, or None.
        keys: what becomes its blend shapes, or None.
    """

    item: bpy.types.Object
    modifier: bpy.types.ArmatureModifier | None
    keys: bpy.types.Key | None


def _candidate(item: bpy.types.Object, armatures: set[int]) -> _Candidate | str | None:
    """Why a mesh that armatures deform cannot be skinned is told; None for a mesh they do not."""
    shown = [m for m in item.modifiers if m.show_viewport]
    deforming = [m for m in shown if m.type == "ARMATURE" and m.object is not None]
    if item.parent is not None and item.parent_type == "ARMATURE":
        return "its parent deforms it, not an Armature modifier."
    keys = _relative_keys(item)
    if not deforming:
        return _Candidate(item, None, keys) if keys and not shown else None
    if len(deforming) > 1:
        return "more than one Armature modifier deforms it."
    if shown[-1] != deforming[0]:
        return "its Armature modifier is not the last one."
    if deforming[0].object.session_uid not in armatures:
        return "its armature is not exported."
    # Other modifiers may make other vertices, which keys say nothing of.
    return _Candidate(item, deforming[0], keys if len(shown) == 1 else None)


def _relative_keys(item: bpy.types.Object) -> bpy.types.Key | None:
    keys = item.data.shape_keys
    fits = keys is not None and keys.use_relative and len(keys.key_blocks) > 1
    return keys if fits and not item.show_only_shape_key else None


def _bind(plan: SkinPlan, candidates: Sequence[_Candidate]) -> None:
    taken: dict[int, set[str]] = {}
    with _undeformed(candidates) as graph:
        for candidate in candidates:
            uid = candidate.item.session_uid
            skin = _skin(plan, candidate, graph, taken)
            plan.skins[uid] = skin
            if skin.armature is None:
                plan.rigs[uid] = read_rig(None)


@contextmanager
def _undeformed(candidates: Sequence[_Candidate]) -> Iterator[bpy.types.Depsgraph]:
    """Switches what deforms the meshes off for as long as it takes to read them."""
    modifiers = [c.modifier for c in candidates if c.modifier]
    keys = [c.keys for c in candidates if c.keys]
    blocks = [block for key in keys for block in key.key_blocks if not block.mute]
    try:
        for modifier in modifiers:
            modifier.show_viewport = False
        for block in blocks:
            block.mute = True
        bpy.context.view_layer.update()
        yield bpy.context.evaluated_depsgraph_get()
    finally:
        for modifier in modifiers:
            modifier.show_viewport = True
        for block in blocks:
            block.mute = False
        bpy.context.view_layer.update()


def _skin(
    plan: SkinPlan,
    candidate: _Candidate,
    graph: bpy.types.Depsgraph,
    taken: dict[int, set[str]],
) -> Skin:
    item, modifier = candidate.item, candidate.modifier
    shown = item.evaluated_get(graph)
    mesh = shown.data
    count = len(mesh.vertices)
    uid, geom_bind = None, np.eye(4)
    indices, weights = np.zeros((count, 1), np.int32), np.ones((count, 1), np.float32)
    if modifier is not None:
        armature = modifier.object
        uid = armature.session_uid
        place = armature.evaluated_get(graph).matrix_world
        geom_bind = read_matrix(place.inverted_safe() @ shown.matrix_world)
        indices, weights = _influences(item, mesh, plan.rigs[uid], armature.data)
    names = taken.setdefault(item.session_uid if uid is None else uid, set())
    shapes, keys = _shapes(item, candidate.keys, names, count)
    return Skin(
        name=item.name,
        armature=uid,
        points=read(mesh.vertices, "co", np.float32, 3),
        normals=read_normals(mesh, animated=False),
        geom_bind=geom_bind,
        indices=indices,
        weights=weights,
        shapes=shapes,
        keys=keys,
    )


def _influences(
    item: bpy.types.Object,
    mesh: bpy.types.Mesh,
    rig: Rig,
    armature: bpy.types.Armature,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Joints and weights of each vertex; what no bone moves hangs on the joint that is still."""
    joints = {name: number for number, name in enumerate(rig.bones)}
    deforming = {bone.name for bone in armature.bones if bone.use_deform}
    of_group = np.array(
        [joints[g.name] if g.name in deforming else -1 for g in item.vertex_groups] or [-1]
    )
    rows = [(v.index, g.group, g.weight) for v in mesh.vertices for g in v.groups]
    table = np.array(rows, np.float64).reshape(-1, 3)
    table = table[table[:, 1] < len(of_group)]
    vertex, joint = table[:, 0].astype(np.int64), of_group[table[:, 1].astype(np.int64)]
    used = (joint >= 0) & (table[:, 2] > 0)
    vertex, joint, weight = vertex[used], joint[used], table[used, 2]
    count = len(mesh.vertices)
    sums = np.bincount(vertex, weight, minlength=count)
    kept = sums[vertex] > _UNWEIGHTED
    vertex, joint, weight = vertex[kept], joint[kept], weight[kept] / sums[vertex[kept]]
    order = np.lexsort((joint, -weight, vertex))
    vertex, joint, weight = vertex[order], joint[order], weight[order]
    sizes = np.bincount(vertex, minlength=count)
    place = np.arange(len(vertex)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    width = max(1, int(np.max(sizes, initial=0)))
    indices, weights = np.zeros((count, width), np.int32), np.zeros((count, width), np.float32)
    indices[vertex, place], weights[vertex, place] = joint, weight
    indices[sizes == 0, 0], weights[sizes == 0, 0] = len(rig.bones), 1
    return indices, weights


def _shapes(
    item: bpy.types.Object, keys: bpy.types.Key | None, animated: set[str], count: int
) -> tuple[tuple[BlendShape, ...], tuple[str, ...]]:
    """The shape keys that change anything, as blend shapes, and their names."""
    shapes: list[BlendShape] = []
    names: list[str] = []
    taken: set[str] = set()
    for block in keys.key_blocks[1:] if keys else ():
        basis = read(block.relative_key.data, "co", np.float32, 3)
        offsets = read(block.data, "co", np.float32, 3) - basis
        group = item.vertex_groups.get(block.vertex_group)
        if group is not None:
            weights = np.zeros((count, 1), np.float32)
            for vertex in item.data.vertices:
                for element in vertex.groups:
                    if element.group == group.index:
                        weights[vertex.index] = element.weight
            offsets *= weights
        vertices = np.flatnonzero(offsets.any(axis=1)).astype(np.int32)
        if not len(vertices):
            continue
        name = usd_name(block.name, taken)
        taken.add(name)
        token = usd_name(f"{item.name}_{block.name}", animated)
        animated.add(token)
        shapes.append(BlendShape(name, token, vertices, offsets[vertices]))
        names.append(block.name)
    return tuple(shapes), tuple(names)


def _try(plan: SkinPlan, refused: dict[int, str], told: set[int]) -> Iterator[str]:
    """Refuse the skins that are not as Blender has them at this frame, and tell sheared bones."""
    graph = bpy.context.evaluated_depsgraph_get()
    items = {item.session_uid: item for item in bpy.data.objects}
    moved: dict[int | None, NDArray[np.float64]] = {None: np.eye(4)[None]}
    for uid, rig in plan.rigs.items():
        item = items.get(uid)
        if item is None or item.type != "ARMATURE":
            continue
        shown = item.evaluated_get(graph)
        held, real = read_pose(shown, rig).matrices(rig), pose_matrices(shown, rig)
        off = np.abs(held - real).max(axis=(1, 2))
        if uid not in told and float(off.max()) > _SHEAR * max(1.0, float(np.abs(real).max())):
            told.add(uid)
            bone = rig.bones[int(np.argmax(off))]
            yield (
                f"{item.name}: the bone “{bone}” is sheared, which a joint cannot hold. "
                "Let it not inherit the scale of its parent."
            )
        moved[uid] = np.linalg.inv(rig.bind) @ held
    for uid, skin in list(plan.skins.items()):
        item, armature = items.get(uid), items.get(skin.armature or uid)
        if item is None or armature is None:
            continue
        away = _distance(skin, item, armature, moved[skin.armature], graph)
        if away > _SAME:
            del plan.skins[uid]
            if skin.armature is None:
                del plan.rigs[uid]
            refused[uid] = (
                f"{item.name}: its skeleton would move it otherwise than Blender does, by "
                f"{away:.2g} of its size at frame {bpy.context.scene.frame_current_final:g}."
            )


def _distance(
    skin: Skin,
    item: bpy.types.Object,
    armature: bpy.types.Object,
    joints: NDArray[np.float64],
    graph: bpy.types.Depsgraph,
) -> float:
    """How far, in parts of its size, a skinned mesh is from Blender's."""
    shown = item.evaluated_get(graph)
    if len(shown.data.vertices) != len(skin.points):
        return np.inf
    if not len(skin.points):
        return 0.0
    real = _placed(read(shown.data.vertices, "co", np.float32, 3), shown)
    ours = _placed(skin.posed(joints, skin.values(item, graph)), armature.evaluated_get(graph))
    size = float(np.max(np.ptp(real, axis=0)))
    return float(np.abs(ours - real).max()) / max(size, 1e-6)


def _placed(points: NDArray[np.floating], shown: bpy.types.Object) -> NDArray[np.float64]:
    matrix = read_matrix(shown.matrix_world)
    return points @ matrix[:3, :3] + matrix[3, :3]
