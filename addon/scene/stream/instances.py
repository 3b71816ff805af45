# SPDX-License-Identifier: GPL-3.0-or-later
"""Many transforms at once."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ....usd_tools.direct.records import Primvar
from .arrays import read, read_attribute
from .names import usd_name

# Greatest cosine between two axes that counts as a right angle, in float32.
_RIGHT_ANGLE = 1e-5
_OWN = {"position", "instance_transform", "id"}


@dataclass(frozen=True, eq=False)
class InstanceArrays:
    """The instances of one geometry.

    Attributes:
        matrices: (n, 4, 4) float32, row vectors, from the instance to its owner.
        references: (n,) int32 into the geometry's references.
        ids: (n,) int64 or None.
        primvars: attributes of the instances.
    """

    matrices: NDArray[np.float32]
    references: NDArray[np.int32]
    ids: NDArray[np.int64] | None = None
    primvars: tuple[Primvar, ...] = ()


@dataclass(frozen=True, eq=False)
class Placements:
    """Matrices taken apart, as USD's point instancers want them.

    Attributes:
        positions: (n, 3) float32.
        orientations: (n, 4) float32 unit quaternions (w, x, y, z).
        scales: (n, 3) float32; the first is negative in a mirror image.
    """

    positions: NDArray[np.float32]
    orientations: NDArray[np.float32]
    scales: NDArray[np.float32]


def read_instance_arrays(geometry: bpy.types.GeometrySet) -> InstanceArrays | None:
    """The instances in ``geometry``, or None when it has none."""
    cloud = geometry.instances_pointcloud()
    if cloud is None or not len(cloud.points):
        return None
    attributes = cloud.attributes
    matrices = read(attributes["instance_transform"].data, "value", np.float32, 16)
    ids = attributes.get("id")
    primvars = []
    for attribute in attributes:
        found = read_attribute(attribute)
        if found and not attribute.name.startswith(".") and attribute.name not in _OWN:
            primvars.append(Primvar(usd_name(attribute.name), found[0], "vertex", found[1]))
    return InstanceArrays(
        matrices=matrices.reshape(-1, 4, 4),
        references=read(attributes[".reference_index"].data, "value", np.int32),
        ids=None if ids is None else read(ids.data, "value", np.int32).astype(np.int64),
        primvars=tuple(primvars),
    )


def placements(matrices: NDArray[np.float32]) -> Placements | None:
    """Take (n, 4, 4) row-vector matrices apart, or None when one has shear.

    The quaternion of a rotation matrix follows Shepperd, "Quaternion from
    Rotation Matrix" (1978): the greatest of its four squares is divided by.
    """
    axes = matrices[:, :3, :3].astype(np.float64)
    scales = np.sqrt((axes**2).sum(axis=2))
    flat = scales == 0
    axes = np.where(flat[:, :, None], np.eye(3), axes / np.where(flat, 1.0, scales)[:, :, None])
    if len(matrices) and not flat.any():
        cosines = [(axes[:, i] * axes[:, j]).sum(axis=1) for i, j in ((0, 1), (1, 2), (2, 0))]
        if np.abs(cosines).max() > _RIGHT_ANGLE:
            return None
    mirrored = np.linalg.det(axes) < 0
    axes[mirrored, 0] *= -1
    scales[mirrored, 0] *= -1
    return Placements(
        matrices[:, 3, :3].copy(), _quaternions(axes).astype(np.float32), scales.astype(np.float32)
    )


def _quaternions(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit quaternions (w, x, y, z) of (n, 3, 3) rotations whose rows are the turned axes."""
    m = axes.transpose(0, 2, 1)  # columns, as the literature has them
    x, y, z = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    squares = np.stack([1 + x + y + z, 1 + x - y - z, 1 - x + y - z, 1 - x - y + z], axis=1)
    greatest = squares.argmax(axis=1)
    quaternions = np.empty((len(m), 4))
    a, b, c = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    d, e, f = m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2]
    rows = (
        (squares[:, 0], a, b, c),
        (a, squares[:, 1], d, e),
        (b, d, squares[:, 2], f),
        (c, e, f, squares[:, 3]),
    )
    for index, row in enumerate(rows):
        chosen = greatest == index
        quaternions[chosen] = np.stack([part[chosen] for part in row], axis=1)
    return quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)
