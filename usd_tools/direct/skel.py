# SPDX-License-Identifier: GPL-3.0-or-later
"""Skeletons, their animation, and skinned meshes."""

from __future__ import annotations

from .layer_writer import LayerWriter
from .records import SkelAnimationRecord, SkeletonRecord, SkelRootRecord, SkinRecord

_BINDING = "SkelBindingAPI"


def author_skel_root(writer: LayerWriter, record: SkelRootRecord) -> None:
    """Make a prim the root of what is skinned."""
    prim, _ = writer.define(record.path, "SkelRoot")
    prim.type_name = "SkelRoot"


def author_skeleton(writer: LayerWriter, record: SkeletonRecord) -> None:
    """Author a skeleton, which never changes."""
    prim, _ = writer.define(record.path, "Skeleton")
    if record.data != prim.name:
        name = "userProperties:blender:data_name"
        writer.set(prim, name, "string", record.data, uniform=True, custom=True)
    writer.set_properties(prim, record.properties)
    writer.set(prim, "joints", "token[]", record.joints, uniform=True)
    writer.set(prim, "bindTransforms", "matrix4d[]", record.bind_transforms, uniform=True)
    writer.set(prim, "restTransforms", "matrix4d[]", record.rest_transforms, uniform=True)


def author_skel_animation(writer: LayerWriter, record: SkelAnimationRecord) -> None:
    """Author a pose, or its changes since an earlier frame."""
    prim, new = writer.define(record.path, "SkelAnimation")
    if new:
        skeleton, _ = writer.define(record.path.rpartition("/")[0], "Skeleton")
        writer.apply_schemas(skeleton, _BINDING)
        writer.relate(skeleton, "skel:animationSource", record.path)
        writer.set(prim, "joints", "token[]", record.joints, uniform=True)
        if record.blend_shapes:
            writer.set(prim, "blendShapes", "token[]", record.blend_shapes, uniform=True)
    writer.set(prim, "translations", "float3[]", record.translations)
    writer.set(prim, "rotations", "quatf[]", record.rotations)
    writer.set(prim, "scales", "half3[]", record.scales)
    if record.weights is not None:
        writer.set(prim, "blendShapeWeights", "float[]", record.weights)


def author_skin(writer: LayerWriter, record: SkinRecord) -> None:
    """Bind a mesh to its skeleton."""
    prim, _ = writer.define(record.path, "Mesh")
    writer.apply_schemas(prim, _BINDING)
    writer.relate(prim, "skel:skeleton", record.skeleton)
    bind = "primvars:skel:geomBindTransform"
    writer.set(prim, bind, "matrix4d", record.geom_bind_transform, uniform=True)
    for name, type_name, values in (
        ("primvars:skel:jointIndices", "int[]", record.joint_indices),
        ("primvars:skel:jointWeights", "float[]", record.joint_weights),
    ):
        size = values.shape[1]
        flat = values.ravel()
        writer.set(prim, name, type_name, flat, interpolation="vertex", element_size=size)
    if not record.blend_shapes:
        return
    names = tuple(shape.animated_as for shape in record.blend_shapes)
    writer.set(prim, "skel:blendShapes", "token[]", names, uniform=True)
    targets = [f"{record.path}/{shape.name}" for shape in record.blend_shapes]
    writer.relate(prim, "skel:blendShapeTargets", *targets)
    for path, shape in zip(targets, record.blend_shapes, strict=True):
        child, _ = writer.define(path, "BlendShape")
        writer.set(child, "offsets", "vector3f[]", shape.offsets, uniform=True)
        writer.set(child, "pointIndices", "int[]", shape.vertices, uniform=True)
