# SPDX-License-Identifier: GPL-3.0-or-later
"""Transforms as operations: the artist's own where they tell all, else the matrix's."""

from __future__ import annotations

from collections.abc import Sequence
from math import degrees, radians

import bpy
import mathutils
import numpy as np

from ....usd_tools.direct.records import XformOp
from .arrays import read_matrix
from .context import StreamContext

# The greatest cosine between two axes that counts as a right angle.
_RIGHT_ANGLE = 1e-6
# How far, in parts of its greatest entry, a matrix made of an object's own
# channels may be from the one that Blender evaluated, which is in float32.
_SAME = 1e-5
_IDENTITY = mathutils.Matrix.Identity(4)
_ZEROS, _ONES = (0.0,) * 3, (1.0,) * 3
_PARENT_INVERSE = "transform:parentInverse"

Ops = tuple[XformOp, ...]


def object_ops(
    shown: bpy.types.Object,
    parent: bpy.types.Object | None,
    before: Ops | None = None,
    *,
    animated: bool = False,
) -> Ops:
    """The operations that place an evaluated object below its exported parent.

    They are the object's location, rotation (in its own order) and scale, after
    the inverse that its parent was set with, when these make its matrix;
    constraints, bone parents, delta transforms and the like take the matrix.

    Args:
        shown: the evaluated object.
        parent: its exported parent, evaluated; None below the root.
        before: the operations at the frame before; the new ones are the same
            with other values, as USD has one order of operations for all time.
        animated: keep operations that happen to be the identity.
    """
    world, placed = shown.matrix_world, shown.matrix_basis
    own = reach = _IDENTITY
    if parent is not None:
        own, reach = shown.matrix_parent_inverse, parent.matrix_world
        placed = reach @ own @ placed
    if shown.rotation_mode != "AXIS_ANGLE" and _is_close(placed, world):
        ops = _channels(shown, animated)
        if ops is not None and own != _IDENTITY:
            ops = (XformOp(_PARENT_INVERSE, read_matrix(own)), *ops)
        if ops is not None and (before is None or _names(ops) == _names(before)):
            return ops
    local = reach.inverted_safe() @ world
    if before is None:
        return matrix_ops(local, animated=animated)
    return _fitted(local, before)


def _is_close(matrix: mathutils.Matrix, other: mathutils.Matrix) -> bool:
    if matrix == other:
        return True
    ours, theirs = np.array(matrix), np.array(other)
    return bool(np.abs(ours - theirs).max() <= _SAME * np.abs(theirs).max())


def _names(ops: Sequence[XformOp]) -> list[str]:
    return [op.name for op in ops]


def _channels(shown: bpy.types.Object, animated: bool) -> Ops | None:
    """Location, rotation and scale; None when delta transforms have a part in it."""
    location, scale = shown.location, shown.scale
    rotation: mathutils.Euler | mathutils.Quaternion = shown.rotation_euler
    if shown.rotation_mode == "QUATERNION":
        rotation = shown.rotation_quaternion.normalized()
    made = mathutils.Matrix.LocRotScale(location, rotation, scale)
    if not _is_close(made, shown.matrix_basis):
        return None
    return _trs(location, rotation, scale, animated)


def _trs(
    location: mathutils.Vector,
    rotation: mathutils.Euler | mathutils.Quaternion,
    scale: mathutils.Vector,
    animated: bool,
) -> Ops:
    ops = []
    # Slices are tuples, which compare exactly and in C; mathutils takes near vectors for equal.
    if animated or location[:] != _ZEROS:
        ops.append(XformOp("translate", np.array(location[:], np.float64)))
    if isinstance(rotation, mathutils.Quaternion):
        if animated or rotation.angle:
            ops.append(XformOp("orient", np.array(rotation[:], np.float64)))
    elif animated or rotation[:] != _ZEROS:
        angles = np.array([degrees(angle) for angle in rotation])
        ops.append(XformOp(f"rotate{rotation.order}", angles))
    if animated or scale[:] != _ONES:
        ops.append(XformOp("scale", np.array(scale[:], np.float64)))
    return tuple(ops)


def matrix_ops(matrix: mathutils.Matrix, *, animated: bool = False) -> Ops:
    """Translate, rotateXYZ and scale of a local ``matrix``, or itself when it has shear.

    Args:
        matrix: parent to child.
        animated: keep operations that happen to be the identity.
    """
    if _has_shear(matrix):
        return (XformOp("transform", read_matrix(matrix)),)
    location, rotation, scale = matrix.decompose()
    return _trs(location, rotation.to_euler("XYZ"), scale, animated)


def _fitted(matrix: mathutils.Matrix, before: Ops) -> Ops:
    """``matrix`` by the operations that were used before, near to their values."""
    by_name = {op.name: op for op in before}
    if "transform" in by_name:
        return (XformOp("transform", read_matrix(matrix)),)
    fixed = before[:1] if _PARENT_INVERSE in by_name else ()
    if fixed:
        matrix = mathutils.Matrix(fixed[0].value.T.tolist()).inverted_safe() @ matrix
    location, turn, scale = matrix.decompose()
    last = next(op for op in before if op.name.startswith(("rotate", "orient")))
    if last.name == "orient":
        if turn.dot(mathutils.Quaternion(last.value.tolist())) < 0:
            turn.negate()
        return fixed + _trs(location, turn, scale, animated=True)
    order = last.name.removeprefix("rotate")
    near = mathutils.Euler([radians(angle) for angle in last.value], order)
    return fixed + _trs(location, turn.to_euler(order, near), scale, animated=True)


def _has_shear(matrix: mathutils.Matrix) -> bool:
    x, y, z = (column.to_3d().normalized() for column in matrix.to_3x3().col)
    return max(abs(x.dot(y)), abs(y.dot(z)), abs(z.dot(x))) > _RIGHT_ANGLE


def scale_undone(context: StreamContext, shown: bpy.types.Object) -> tuple[float, float, float]:
    """What makes the axes of an evaluated object of length 1 again, as cameras and lamps have them.

    An object without extent cannot be undone, which is noted in ``context``.
    """
    x, y, z = (column.length for column in shown.matrix_world.to_3x3().col)
    if max(abs(x - 1), abs(y - 1), abs(z - 1)) < _SAME:
        return 1.0, 1.0, 1.0
    if not min(x, y, z):
        context.notes.append(
            f"{shown.name} is scaled to nothing, so nothing in USD sees it as Blender does. "
            "Set its scale to 1."
        )
        return 1.0, 1.0, 1.0
    return 1.0 / x, 1.0 / y, 1.0 / z
