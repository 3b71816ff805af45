# SPDX-License-Identifier: GPL-3.0-or-later
"""Matrices as transform operations."""

from __future__ import annotations

from math import degrees

import mathutils
import numpy as np

from ....usd_tools.direct.records import XformOp
from .arrays import read_matrix

# The greatest cosine between two axes that counts as a right angle.
_RIGHT_ANGLE = 1e-6
_IDENTITY = mathutils.Matrix.Identity(4)


def transform_ops(
    matrix: mathutils.Matrix, before: mathutils.Euler | None = None, *, animated: bool = False
) -> tuple[tuple[XformOp, ...], mathutils.Euler | None]:
    """The operations of a local ``matrix``.

    Args:
        matrix: parent to child.
        before: the rotation at the frame before, which the new one stays close to.
        animated: keep operations that happen to be the identity.

    Returns:
        Translate, rotateXYZ and scale, or one matrix when there is shear; and
        the rotation, None for a matrix.
    """
    if not animated and matrix == _IDENTITY:
        return (), None
    if _has_shear(matrix):
        return (XformOp("transform", read_matrix(matrix)),), None
    location, rotation, scale = matrix.decompose()
    euler = rotation.to_euler("XYZ", before) if before else rotation.to_euler("XYZ")
    ops = [XformOp("translate", np.array(location, np.float64))]
    if animated or any(euler):
        ops.append(XformOp("rotateXYZ", np.array([degrees(angle) for angle in euler])))
    if animated or any(size != 1.0 for size in scale):
        ops.append(XformOp("scale", np.array(scale, np.float64)))
    return tuple(ops), euler


def _has_shear(matrix: mathutils.Matrix) -> bool:
    x, y, z = (column.to_3d().normalized() for column in matrix.to_3x3().col)
    return max(abs(x.dot(y)), abs(y.dot(z)), abs(z.dot(x))) > _RIGHT_ANGLE
