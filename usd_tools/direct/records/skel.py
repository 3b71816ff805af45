# SPDX-License-Identifier: GPL-3.0-or-later
"""Skeletons, and the meshes that they move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .values import Property


@dataclass(frozen=True)
class SkelRootRecord:
    """Makes the Xform at ``path`` a SkelRoot: skinning happens below such a prim alone."""

    path: str


@dataclass(frozen=True, eq=False)
class SkeletonRecord:
    """A skeleton. Its space is that of the prim above it.

    Attributes:
        path: absolute path of the Skeleton prim.
        data: name of its data-block in Blender.
        joints: paths of the joints (``"Hips/Spine"``), parents first.
        bind_transforms: (j, 4, 4) row-vector matrices, joint to skeleton.
        rest_transforms: (j, 4, 4) row-vector matrices, joint to its parent.
        properties: custom properties of the data-block.
    """

    path: str
    data: str
    joints: tuple[str, ...]
    bind_transforms: NDArray[np.float64]
    rest_transforms: NDArray[np.float64]
    properties: Mapping[str, Property] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SkelAnimationRecord:
    """A pose of a skeleton and the weights of its meshes' blend shapes.

    Attributes:
        path: absolute path of the SkelAnimation prim, below its Skeleton.
        joints: as the skeleton has them.
        translations: (j, 3) float32, joint to its parent.
        rotations: (j, 4) float32 unit quaternions (w, x, y, z).
        scales: (j, 3), which USD holds in half precision.
        blend_shapes: names of the blend shapes of all meshes.
        weights: (b,) float32.
    """

    path: str
    joints: tuple[str, ...]
    translations: NDArray[np.float32]
    rotations: NDArray[np.float32]
    scales: NDArray[np.floating]
    blend_shapes: tuple[str, ...] = ()
    weights: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class BlendShape:
    """Offsets of some points of a mesh.

    Attributes:
        name: name of the BlendShape prim below the mesh.
        animated_as: what the SkelAnimation calls it.
        vertices: (k,) int32, ascending.
        offsets: (k, 3) float32.
    """

    name: str
    animated_as: str
    vertices: NDArray[np.int32]
    offsets: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SkinRecord:
    """Binds the mesh at ``path``, which has been written, to a skeleton.

    Attributes:
        path: absolute path of the Mesh prim.
        skeleton: absolute path of the Skeleton prim.
        geom_bind_transform: (4, 4), mesh to skeleton when bound; row vectors.
        joint_indices: (n, e) int32 into the skeleton's joints.
        joint_weights: (n, e) float32, each row adding up to one.
        blend_shapes: its blend shapes.
    """

    path: str
    skeleton: str
    geom_bind_transform: NDArray[np.float64]
    joint_indices: NDArray[np.int32]
    joint_weights: NDArray[np.float32]
    blend_shapes: tuple[BlendShape, ...] = ()
