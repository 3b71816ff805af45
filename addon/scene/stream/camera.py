# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import bpy

from ....usd_tools.direct.records import CameraRecord
from ..settings import meters_per_unit
from .context import StreamContext
from .properties import custom_properties
from .transforms import scale_undone

# UsdGeomCamera's lengths on the film are in tenths of a scene unit.
_TENTHS = 10.0
_MILLIMETRE = 1e-3
_PROJECTIONS: dict[str, Literal["perspective", "orthographic"]] = {
    "PERSP": "perspective",
    "ORTHO": "orthographic",
}


def read_camera(
    context: StreamContext, shown: bpy.types.Object, path: str
) -> Iterator[CameraRecord]:
    """The camera of an evaluated object whose prim is at ``path``.

    A projection that USD lacks is noted in ``context``.
    """
    camera: bpy.types.Camera = shown.data
    if camera.type not in _PROJECTIONS:
        kind = "panoramic" if camera.type == "PANO" else "custom"
        context.notes.append(
            f"{shown.name} is a {kind} camera, which USD has no prim for: "
            "only its place is exported. Make it perspective or orthographic."
        )
        return
    scene = bpy.context.scene
    tenths = _TENTHS * _MILLIMETRE / meters_per_unit(scene)
    window, fitted, offset = _film(camera, scene.render)
    size = camera.ortho_scale * _TENTHS if camera.type == "ORTHO" else fitted * tenths
    focus, f_stop = _focus(shown) if camera.dof.use_dof else (0.0, 0.0)
    data = shown.original.data
    yield CameraRecord(
        path=context.child(path, data.name, ("data", data.session_uid)),
        data=data.name,
        projection=_PROJECTIONS[camera.type],
        focal_length=camera.lens * tenths,
        aperture=(window[0] * size, window[1] * size),
        aperture_offset=(offset[0] * size, offset[1] * size),
        clipping=(camera.clip_start, camera.clip_end),
        focus_distance=focus,
        f_stop=f_stop,
        shutter=_shutter(scene.render),
        scale=scale_undone(context, shown),
        properties=custom_properties(context, camera),
    )


def _film(
    camera: bpy.types.Camera, render: bpy.types.RenderSettings
) -> tuple[tuple[float, float], float, tuple[float, float]]:
    """Width and height of what is seen in parts of the fitted side, that side in mm, and shifts."""
    width = render.resolution_x * render.pixel_aspect_x
    height = render.resolution_y * render.pixel_aspect_y
    fit = camera.sensor_fit
    if fit == "AUTO":
        side = max(width, height)
    else:
        side = width if fit == "HORIZONTAL" else height
    sensor = camera.sensor_height if fit == "VERTICAL" else camera.sensor_width
    return (width / side, height / side), sensor, (camera.shift_x, camera.shift_y)


def _focus(shown: bpy.types.Object) -> tuple[float, float]:
    """Distance of the plane in focus along the view axis, and the f-stop."""
    dof = shown.data.dof
    if dof.focus_object is None:
        return dof.focus_distance, dof.aperture_fstop
    target = dof.focus_object.matrix_world
    bone = dof.focus_object.pose and dof.focus_object.pose.bones.get(dof.focus_subtarget)
    if bone:
        target = target @ bone.matrix
    axis = shown.matrix_world.col[2].to_3d().normalized()
    apart = target.translation - shown.matrix_world.translation
    return abs(axis.dot(apart)), dof.aperture_fstop


def _shutter(render: bpy.types.RenderSettings) -> tuple[float, float] | None:
    if not render.use_motion_blur:
        return None
    length = render.motion_blur_shutter
    opens = {"START": 0.0, "CENTER": -0.5, "END": -1.0}[render.motion_blur_position] * length
    return opens, opens + length
