# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras streamed into layers, compared with the matrices that Blender itself projects by."""

from __future__ import annotations

from math import radians

import bpy
import numpy as np
import pytest
from pxr import Usd, UsdGeom

from .streaming import link, streamed, triangle


def camera(name: str = "Eye", **fields: object) -> bpy.types.Object:
    data = bpy.data.cameras.new(name)
    for key, value in fields.items():
        setattr(data, key, value)
    return link(bpy.data.objects.new(name, data))


def usd_projection(stage: Usd.Stage, path: str, time: float = 0.0) -> np.ndarray:
    """The matrix from the world to clip space, for column vectors."""
    frustum = UsdGeom.Camera(stage.GetPrimAtPath(path)).GetCamera(time).frustum
    return np.array(frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()).T


def blender_projection(item: bpy.types.Object) -> np.ndarray:
    render = bpy.context.scene.render
    graph = bpy.context.evaluated_depsgraph_get()
    shown = item.evaluated_get(graph)
    projection = shown.calc_matrix_camera(
        graph,
        x=render.resolution_x,
        y=render.resolution_y,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    return np.array(projection @ shown.matrix_world.normalized().inverted())


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("resolution", [(1920, 1080), (600, 1000)])
@pytest.mark.parametrize("aspect", [(1, 1), (2, 1), (1, 1.5)])
@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_a_camera_projects_as_blender_does(
    kind: str, fit: str, resolution: tuple[int, int], aspect: tuple[float, float], unit: float
) -> None:
    scene = bpy.context.scene
    scene.unit_settings.scale_length = unit
    scene.render.resolution_x, scene.render.resolution_y = resolution
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = aspect
    item = camera(
        type=kind, sensor_fit=fit, sensor_width=30, sensor_height=20, lens=35, ortho_scale=7,
        shift_x=0.2, shift_y=-0.1, clip_start=0.5, clip_end=300,
    )  # fmt: skip
    item.location, item.rotation_euler = (1, 2, 3), (0.3, 0.4, 0.5)
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    ours, theirs = usd_projection(stage, "/root/Eye/Eye"), blender_projection(item)
    assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_the_film_is_in_tenths_of_a_scene_unit(unit: float) -> None:
    bpy.context.scene.unit_settings.scale_length = unit
    camera(lens=50, sensor_width=36)
    stage, _ = streamed()
    usd = UsdGeom.Camera(stage.GetPrimAtPath("/root/Eye/Eye"))
    metres = UsdGeom.GetStageMetersPerUnit(stage) / 10
    assert metres * usd.GetFocalLengthAttr().Get() == pytest.approx(0.050)
    assert metres * usd.GetHorizontalApertureAttr().Get() == pytest.approx(0.036)


def test_a_camera_does_not_heed_its_scale() -> None:
    top = triangle("Top")
    top.scale = (2, 2, 2)
    item = camera(type="ORTHO")
    item.parent = top
    item.location, item.scale, item.rotation_euler = (1, 2, 3), (3, 0.5, 2), (0.2, 0.1, 0)
    bpy.context.view_layer.update()
    stage, _ = streamed()
    prim = stage.GetPrimAtPath("/root/Top/Eye/Eye")
    world = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(prim)).T
    assert np.allclose(world, item.matrix_world.normalized(), atol=1e-6)


def test_a_camera_scaled_to_nothing_is_told() -> None:
    camera().scale = (0, 1, 1)
    bpy.context.view_layer.update()
    stage, (warning,) = streamed()
    assert "Eye" in warning
    assert stage.GetPrimAtPath("/root/Eye/Eye").IsA(UsdGeom.Camera)


def test_focus_is_written_only_for_depth_of_field() -> None:
    sharp = camera("Sharp")
    sharp.data.dof.focus_distance = 4
    blurred = camera("Blurred")
    blurred.data.dof.use_dof = True
    blurred.data.dof.focus_distance, blurred.data.dof.aperture_fstop = 4, 1.4
    stage, _ = streamed()
    first, second = (
        UsdGeom.Camera(stage.GetPrimAtPath(f"/root/{name}/{name}")) for name in ("Sharp", "Blurred")
    )
    assert (first.GetFocusDistanceAttr().Get(), first.GetFStopAttr().Get()) == (0, 0)
    assert second.GetFocusDistanceAttr().Get() == pytest.approx(4)
    assert second.GetFStopAttr().Get() == pytest.approx(1.4)


def test_lens_and_focus_on_a_moving_object_are_sampled() -> None:
    target = triangle("Target")
    item = camera()
    item.rotation_euler = (0, radians(90), 0)  # looks along -X
    item.data.dof.use_dof, item.data.dof.focus_object = True, target
    for frame, x, lens in ((1, -5, 30), (11, -15, 80)):
        target.location = (x, 3, 1)
        target.keyframe_insert("location", frame=frame)
        item.data.lens = lens
        item.data.keyframe_insert("lens", frame=frame)
    stage, _ = streamed(frames=(1.0, 6.0, 11.0))
    usd = UsdGeom.Camera(stage.GetPrimAtPath("/root/Eye/Eye"))
    assert usd.GetFocalLengthAttr().Get(1) == pytest.approx(0.30)
    assert usd.GetFocalLengthAttr().Get(11) == pytest.approx(0.80)
    assert usd.GetFocusDistanceAttr().Get(1) == pytest.approx(5)
    assert usd.GetFocusDistanceAttr().Get(11) == pytest.approx(15)
    assert usd.GetHorizontalApertureAttr().GetNumTimeSamples() == 0


@pytest.mark.parametrize(
    ("position", "expected"), [("START", (0, 0.4)), ("CENTER", (-0.2, 0.2)), ("END", (-0.4, 0))]
)
def test_the_shutter_is_that_of_motion_blur(position: str, expected: tuple[float, float]) -> None:
    render = bpy.context.scene.render
    render.use_motion_blur, render.motion_blur_shutter = True, 0.4
    render.motion_blur_position = position
    camera()
    stage, _ = streamed()
    usd = UsdGeom.Camera(stage.GetPrimAtPath("/root/Eye/Eye"))
    read = (usd.GetShutterOpenAttr().Get(), usd.GetShutterCloseAttr().Get())
    assert read == pytest.approx(expected)


def test_a_panoramic_camera_is_a_place_and_a_warning() -> None:
    camera(type="PANO")
    stage, (warning,) = streamed()
    assert "Eye is a panoramic camera" in warning
    assert [p.GetTypeName() for p in stage.GetPrimAtPath("/root/Eye").GetChildren()] == []
    assert stage.GetPrimAtPath("/root/Eye").IsA(UsdGeom.Xform)
