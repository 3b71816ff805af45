# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of cameras, lights and domes, read back through USD's own schemas."""

from __future__ import annotations

import pytest
from pxr import Usd, UsdGeom, UsdLux

from stagewright.usd_tools.direct.records import (
    CameraRecord,
    DomeLightRecord,
    FrameRecord,
    LightRecord,
    Record,
    StageRecord,
)

from ..both_ways import both_ways


def written(*records: Record) -> Usd.Stage:
    return Usd.Stage.Open(both_ways([StageRecord("root"), *records]))


def camera(**fields: object) -> CameraRecord:
    made = {"aperture": (0.36, 0.2), "clipping": (0.1, 50.0), "focal_length": 0.5}
    return CameraRecord("/root/Eye", "Eye", **{**made, **fields})


def test_a_camera_is_what_the_record_says() -> None:
    stage = written(camera(projection="orthographic", f_stop=2.0, shutter=(-0.25, 0.25)))
    usd = UsdGeom.Camera(stage.GetPrimAtPath("/root/Eye"))
    found = usd.GetCamera(0)
    assert found.projection == found.Orthographic
    assert (found.horizontalAperture, found.verticalAperture) == pytest.approx((0.36, 0.2))
    assert (found.focalLength, found.fStop) == (0.5, 2.0)
    assert (found.clippingRange.min, found.clippingRange.max) == pytest.approx((0.1, 50))
    assert (usd.GetShutterOpenAttr().Get(), usd.GetShutterCloseAttr().Get()) == (-0.25, 0.25)
    assert not usd.GetOrderedXformOps()


def test_a_camera_samples_only_what_changes() -> None:
    stage = written(FrameRecord(1.0), camera(), FrameRecord(2.0), camera(focal_length=0.8))
    usd = UsdGeom.Camera(stage.GetPrimAtPath("/root/Eye"))
    assert usd.GetFocalLengthAttr().GetTimeSamples() == [1, 2]
    assert usd.GetHorizontalApertureAttr().GetNumTimeSamples() == 0


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("SphereLight", {"radius": 0.5}),
        ("DistantLight", {"angle": 2.0}),
        ("RectLight", {"width": 1.0, "height": 2.0}),
        ("DiskLight", {"radius": 0.5}),
    ],
)
def test_a_light_is_what_the_record_says(kind: str, sizes: dict[str, float]) -> None:
    record = LightRecord(
        "/root/Lamp", "Lamp", kind, 3.0, (1.0, 0.5, 0.25), exposure=1.0, sizes=sizes,
        temperature=3000.0, cone=(30.0, 0.5), shadows=False, scale=(1.0, 2.0, 1.0),
    )  # fmt: skip
    stage = written(record)
    prim = stage.GetPrimAtPath("/root/Lamp")
    light = UsdLux.LightAPI(prim)
    assert prim.GetTypeName() == kind
    assert (light.GetIntensityAttr().Get(), light.GetExposureAttr().Get()) == (3, 1)
    assert tuple(light.GetColorAttr().Get()) == (1, 0.5, 0.25)
    assert light.GetColorTemperatureAttr().Get() == 3000
    assert light.GetEnableColorTemperatureAttr().Get() and light.GetNormalizeAttr().Get()
    assert {n: prim.GetAttribute(f"inputs:{n}").Get() for n in sizes} == sizes
    assert UsdLux.ShapingAPI(prim).GetShapingConeAngleAttr().Get() == 30
    assert UsdLux.ShadowAPI(prim).GetShadowEnableAttr().Get() is False
    assert prim.HasAPI(UsdLux.ShapingAPI) and prim.HasAPI(UsdLux.ShadowAPI)
    (scale,) = UsdGeom.Xformable(prim).GetOrderedXformOps()
    assert tuple(scale.Get()) == (1, 2, 1)


def test_a_dome_is_what_the_record_says() -> None:
    half = 0.5**0.5
    record = DomeLightRecord(
        "/root/Sky", "Sky", 2.0, (1.0, 1.0, 1.0), (half, half, 0.0, 0.0), "/images/a@b.exr"
    )
    stage = written(record)
    dome = UsdLux.DomeLight(stage.GetPrimAtPath("/root/Sky"))
    assert dome.GetTextureFileAttr().Get().path == "/images/a@b.exr"
    assert dome.GetTextureFormatAttr().Get() == "latlong"
    matrix = UsdGeom.Xformable(dome).GetLocalTransformation()
    assert tuple(matrix.TransformDir((0, 1, 0))) == pytest.approx((0, 0, 1), abs=1e-6)
