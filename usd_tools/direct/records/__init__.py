# SPDX-License-Identifier: GPL-3.0-or-later
"""What the direct writer is given: one plain record at a time.

A stream begins with a :class:`StageRecord`. A :class:`FrameRecord` says at
which frame all that follows was read; without one the stage is static. The
first record of a path defines its prim; a later one, at another frame, adds
time samples to what has changed since. Parents come before their children.

Lengths are scene units and axes are the scene's (Blender: Z up). Arrays are
contiguous; the writer keeps none of them.
"""

from __future__ import annotations

from .camera import CameraRecord
from .curves import Basis, BasisCurvesRecord, CurvesRecord, NurbsCurvesRecord, Wrap
from .light import Color, DomeLightRecord, LightRecord
from .material import (
    UNARY,
    Animated,
    Attribute,
    Constant,
    Expression,
    MaterialRecord,
    Noise,
    Operation,
    Plain,
    Texture,
    over_time,
    width,
)
from .mesh import MeshRecord, Subset
from .point_instancer import PointInstancerRecord
from .points import PointsRecord
from .reference import ReferenceRecord
from .skel import BlendShape, SkelAnimationRecord, SkeletonRecord, SkelRootRecord, SkinRecord
from .stage import MATERIALS, PROTOTYPES, FrameRecord, PresenceRecord, StageRecord
from .values import Interpolation, Primvar, Property
from .volume import VolumeField, VolumeRecord
from .xform import Purpose, XformOp, XformRecord

Record = (
    StageRecord
    | FrameRecord
    | PresenceRecord
    | XformRecord
    | ReferenceRecord
    | MeshRecord
    | PointInstancerRecord
    | BasisCurvesRecord
    | NurbsCurvesRecord
    | PointsRecord
    | CameraRecord
    | LightRecord
    | DomeLightRecord
    | VolumeRecord
    | SkelRootRecord
    | SkeletonRecord
    | SkelAnimationRecord
    | SkinRecord
    | MaterialRecord
)

__all__ = [
    "MATERIALS",
    "PROTOTYPES",
    "UNARY",
    "Animated",
    "Attribute",
    "Constant",
    "Expression",
    "MaterialRecord",
    "Noise",
    "Operation",
    "Plain",
    "Texture",
    "over_time",
    "width",
    "CameraRecord",
    "Color",
    "DomeLightRecord",
    "LightRecord",
    "Basis",
    "BasisCurvesRecord",
    "BlendShape",
    "CurvesRecord",
    "FrameRecord",
    "Interpolation",
    "MeshRecord",
    "NurbsCurvesRecord",
    "PointInstancerRecord",
    "PointsRecord",
    "PresenceRecord",
    "Primvar",
    "Property",
    "Purpose",
    "Record",
    "ReferenceRecord",
    "SkelAnimationRecord",
    "SkelRootRecord",
    "SkeletonRecord",
    "SkinRecord",
    "StageRecord",
    "Subset",
    "VolumeField",
    "VolumeRecord",
    "Wrap",
    "XformOp",
    "XformRecord",
]
