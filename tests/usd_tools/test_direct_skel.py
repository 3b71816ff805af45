# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of skeletons, posed by UsdSkel itself."""

from __future__ import annotations

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdShade, UsdSkel

from stagewright.usd_tools.direct.records import (
    BlendShape,
    FrameRecord,
    MeshRecord,
    Record,
    SkelAnimationRecord,
    SkeletonRecord,
    SkelRootRecord,
    SkinRecord,
    StageRecord,
    XformRecord,
)

from ..both_ways import both_ways

POINTS = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]], np.float32)


def arm() -> list[Record]:
    """Two joints at x = 0 and 1 move four points; the second bends by a quarter turn."""
    bind = np.stack([np.eye(4)] * 2)
    bind[1, 3, 0] = 1
    joints = ("Upper", "Upper/Lower")
    half = np.sqrt(0.5)
    shape = BlendShape("Fat", "Arm_Fat", np.array([3], np.int32), np.float32([[0, 0, 2]]))
    records: list[Record] = [
        StageRecord("root"),
        FrameRecord(1.0),
        XformRecord("/root/Arm", "Arm"),
        MeshRecord(
            "/root/Arm/Mesh",
            "Mesh",
            POINTS,
            np.array([4], np.int32),
            np.arange(4, dtype=np.int32),
            material="/root/_materials/Skin",
        ),
        SkelRootRecord("/root/Arm"),
        SkeletonRecord("/root/Arm/Bones", "Bones", joints, bind, bind),
        SkinRecord(
            "/root/Arm/Mesh",
            "/root/Arm/Bones",
            np.eye(4),
            np.array([[0, 0], [0, 1], [1, 0], [1, 0]], np.int32),
            np.array([[1, 0], [0.5, 0.5], [1, 0], [1, 0]], np.float32),
            (shape,),
        ),
    ]
    for frame, turn, fat in ((1.0, [1, 0, 0, 0], 0.0), (2.0, [half, 0, 0, half], 0.5)):
        if frame > 1:
            records.append(FrameRecord(frame))
        records.append(
            SkelAnimationRecord(
                path="/root/Arm/Bones/Animation",
                joints=joints,
                translations=np.array([[0, 0, 0], [1, 0, 0]], np.float32),
                rotations=np.array([[1, 0, 0, 0], turn], np.float32),
                scales=np.ones((2, 3), np.float16),
                blend_shapes=("Arm_Fat",),
                weights=np.array([fat], np.float32),
            )
        )
    return records


def test_usd_skins_the_mesh_as_the_joints_say() -> None:
    layer = both_ways(arm())
    stage = Usd.Stage.Open(layer)
    mesh = stage.GetPrimAtPath("/root/Arm/Mesh")
    assert stage.GetPrimAtPath("/root/Arm").IsA(UsdSkel.Root)
    assert mesh.HasAPI(UsdSkel.BindingAPI)
    assert mesh.HasAPI(UsdShade.MaterialBindingAPI)
    primvar = UsdSkel.BindingAPI(mesh).GetJointIndicesPrimvar()
    assert (primvar.GetElementSize(), primvar.GetInterpolation()) == (2, "vertex")
    assert UsdSkel.BakeSkinning(stage.Traverse(), Gf.Interval(1, 2))
    points = UsdGeom.Mesh(mesh).GetPointsAttr()
    assert np.allclose(points.Get(1), POINTS, atol=1e-6)
    # About x = 1, from X to Y; the last one is thickened by half of two first.
    assert np.allclose(points.Get(2), [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 2, 1]], atol=1e-6)


def test_what_rests_in_a_pose_is_written_once() -> None:
    layer = both_ways(arm())
    animation = layer.GetPrimAtPath("/root/Arm/Bones/Animation")
    sampled = [a.name for a in animation.attributes if layer.ListTimeSamplesForPath(a.path)]
    assert sorted(sampled) == ["blendShapeWeights", "rotations"]
