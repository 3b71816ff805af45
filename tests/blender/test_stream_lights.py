# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights streamed into layers: what they give, by UsdLux's definitions, is what Cycles renders."""

from __future__ import annotations

from math import cos, pi, radians, sin
from pathlib import Path

import bpy
import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdLux

from .streaming import link, streamed, triangle

# From the light to the surface that it lights.
APART = 2.0


def light(kind: str, name: str = "Lamp", **fields: object) -> bpy.types.Object:
    data = bpy.data.lights.new(name, kind)
    for key, value in fields.items():
        setattr(data, key, value)
    return link(bpy.data.objects.new(name, data))


def prim(stage: Usd.Stage, name: str = "Lamp") -> Usd.Prim:
    return stage.GetPrimAtPath(f"/root/{name}/{name}")


def value(prim: Usd.Prim, name: str) -> object:
    return prim.GetAttribute(f"inputs:{name}").Get()


def usd_irradiance(prim: Usd.Prim, off_axis: float = 0.0) -> np.ndarray:
    """Irradiance, by color, of a surface that faces the light from ``APART`` away.

    As UsdLux defines its lights; they are small against the distance.
    """
    get = lambda name: value(prim, name)  # noqa: E731
    size = [v.GetLength() for v in UsdGeom.XformCache().GetLocalToWorldTransform(prim)][:3]
    radiance = np.array(get("color")) * get("intensity") * 2 ** get("exposure")
    if get("enableColorTemperature"):
        radiance = radiance * UsdLux.BlackbodyTemperatureAsRgb(get("colorTemperature"))
    if prim.IsA(UsdLux.DistantLight):
        disk = pi * sin(radians(get("angle") / 2)) ** 2
        return radiance if get("normalize") or not disk else radiance * disk
    if prim.IsA(UsdLux.SphereLight):
        seen = pi * (get("radius") * size[0]) ** 2
        area, facing = 4 * seen, 1.0
    else:
        area = (
            get("width") * size[0] * get("height") * size[1]
            if prim.IsA(UsdLux.RectLight)
            else pi * get("radius") ** 2 * size[0] * size[1]
        )
        seen, facing = area, cos(off_axis)
    if get("normalize"):
        radiance = radiance / area
    if prim.HasAPI(UsdLux.ShapingAPI):
        edge = radians(get("shaping:cone:angle"))
        start = edge * (1 - get("shaping:cone:softness"))
        past = np.clip((off_axis - start) / max(edge - start, 1e-9), 0, 1)
        radiance = radiance * (1 - past**2 * (3 - 2 * past))
    return radiance * seen * facing / APART**2


def rendered_irradiance(path: Path) -> np.ndarray:
    """What Cycles sees on a white diffuse surface ``APART`` below the lights, by color."""
    bpy.ops.mesh.primitive_plane_add(size=0.02)
    plane = bpy.context.object
    material = bpy.data.materials.new("White")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    diffuse = tree.nodes.new("ShaderNodeBsdfDiffuse")
    diffuse.inputs["Color"].default_value = (1, 1, 1, 1)
    out = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(diffuse.outputs[0], out.inputs[0])
    plane.data.materials.append(material)
    camera = bpy.data.cameras.new("Eye")
    camera.type, camera.ortho_scale, camera.clip_start = "ORTHO", 0.01, 0.01
    eye = link(bpy.data.objects.new("Eye", camera))
    eye.location = (0, 0, 0.5)
    scene = bpy.context.scene
    scene.camera = eye
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.max_bounces = 64, 0
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = False
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    pixels = np.array(bpy.data.images.load(str(path)).pixels[:]).reshape(-1, 4)
    return pi * pixels[:, :3].mean(axis=0)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(
    ("kind", "scale", "fields"),
    [
        ("POINT", 1, {"shadow_soft_size": 0.0}),
        ("POINT", 3, {"shadow_soft_size": 0.02}),
        ("SPOT", 1, {"shadow_soft_size": 0.0, "spot_size": radians(60)}),
        ("SUN", 1, {"angle": 0.0}),
        ("SUN", 1, {"angle": radians(50)}),
        ("AREA", 1, {"shape": "SQUARE", "size": 0.02}),
        ("AREA", (2, 3, 1), {"shape": "RECTANGLE", "size": 0.02, "size_y": 0.04}),
        ("AREA", (2, 3, 1), {"shape": "DISK", "size": 0.02}),
        ("AREA", 1, {"shape": "ELLIPSE", "size": 0.02, "size_y": 0.03}),
    ],
)
def test_a_light_gives_what_cycles_renders(
    kind: str, scale: object, fields: dict[str, object], normalize: bool, tmp_path: Path
) -> None:
    item = light(kind, energy=40, color=(0.5, 1, 0.25), exposure=0.5, normalize=normalize, **fields)
    item.data.use_temperature, item.data.temperature = True, 3500
    item.location = (0, 0, APART)
    item.scale = scale if isinstance(scale, tuple) else (scale,) * 3
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    rendered = rendered_irradiance(tmp_path / "light.exr")
    assert np.allclose(usd_irradiance(prim(stage)), rendered, rtol=0.01)


@pytest.mark.parametrize("blend", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.75, 0.9, 1.05])
def test_a_spots_cone_fades_as_cycles_has_it(blend: float, part: float, tmp_path: Path) -> None:
    turned = radians(35) * part
    item = light("SPOT", energy=40, shadow_soft_size=0.0, spot_size=radians(70), spot_blend=blend)
    item.location, item.rotation_euler = (0, 0, APART), (turned, 0, 0)
    bpy.context.view_layer.update()
    stage, _ = streamed()
    ours = usd_irradiance(prim(stage), turned)
    on_axis = usd_irradiance(prim(stage))[0]
    # The two blends differ between their ends, and meet in the middle.
    assert np.allclose(ours, rendered_irradiance(tmp_path / "spot.exr"), atol=0.11 * on_axis)


@pytest.mark.parametrize("spread", [20, 90, 170, 180])
def test_a_spread_keeps_the_flux_of_an_area_light(spread: float) -> None:
    light("AREA", energy=40, shape="DISK", size=0.02, spread=radians(spread))
    stage, _ = streamed()
    angles = (np.arange(2000) + 0.5) / 2000 * pi / 2
    # Irradiance at an angle has the cosine of the lamp; the rings on the sphere are 2 pi sin.
    rings = [usd_irradiance(prim(stage), a)[0] * 2 * pi * sin(a) for a in angles]
    assert sum(rings) * pi / 2 / 2000 * APART**2 == pytest.approx(40, rel=0.005)
    assert prim(stage).HasAPI(UsdLux.ShapingAPI) is (spread < 180)


def test_lights_are_animated() -> None:
    item = light("SPOT", spot_size=radians(60), spot_blend=0.0, shadow_soft_size=0.1)
    for frame, energy, size in ((1, 10, 60), (11, 30, 90)):
        item.data.energy, item.data.spot_size = energy * pi, radians(size)
        item.data.keyframe_insert("energy", frame=frame)
        item.data.keyframe_insert("spot_size", frame=frame)
    stage, _ = streamed(frames=(1.0, 6.0, 11.0))
    lamp = prim(stage)
    intensity = lamp.GetAttribute("inputs:intensity")
    angle = lamp.GetAttribute("inputs:shaping:cone:angle")
    assert [intensity.Get(f) for f in (1, 6, 11)] == pytest.approx([10, 20, 30])
    assert (angle.Get(1), angle.Get(11)) == pytest.approx((30, 45))
    assert lamp.GetAttribute("inputs:radius").GetNumTimeSamples() == 0


def test_factors_and_shadows() -> None:
    item = light("POINT", diffuse_factor=0.5, use_shadow=False)
    item.visible_glossy = False
    stage, warnings = streamed()
    lamp = prim(stage)
    assert (value(lamp, "diffuse"), value(lamp, "specular")) == (0.5, 0)
    assert UsdLux.ShadowAPI(lamp).GetShadowEnableAttr().Get() is False
    assert lamp.HasAPI(UsdLux.ShadowAPI)
    assert warnings == []


def test_the_nodes_of_a_light_multiply_it_or_are_told() -> None:
    simple, other = light("POINT", "Simple", energy=pi), light("POINT", "Other", energy=pi)
    for item in (simple, other):
        item.data.use_nodes = True
    node = next(n for n in simple.data.node_tree.nodes if n.type == "EMISSION")
    node.inputs["Color"].default_value, node.inputs["Strength"].default_value = (0.5, 1, 1, 1), 3
    tree = other.data.node_tree
    node = next(n for n in tree.nodes if n.type == "EMISSION")
    tree.links.new(tree.nodes.new("ShaderNodeTexIES").outputs[0], node.inputs["Strength"])
    stage, (warning,) = streamed()
    assert value(prim(stage, "Simple"), "intensity") == pytest.approx(3)
    assert tuple(value(prim(stage, "Simple"), "color")) == (0.5, 1, 1)
    assert "Other: the light's nodes" in warning


def test_what_usd_cannot_say_of_a_light_is_told() -> None:
    light("POINT", "Seen").visible_camera = True
    light("POINT", "Hidden").visible_transmission = False
    linked = light("POINT", "Linked")
    linked.light_linking.receiver_collection = bpy.data.collections.new("Receivers")
    portal = light("AREA", "Portal")
    portal.data.cycles.is_portal = True
    stretched = light("SPOT", "Stretched")
    stretched.scale = (1, 2, 1)
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert {w.partition(":")[0] for w in warnings} == {
        "Seen",
        "Hidden",
        "Linked",
        "Portal",
        "Stretched",
    }
    assert not prim(stage, "Portal")
    assert prim(stage, "Stretched").IsA(UsdLux.SphereLight)


def test_a_lights_place_is_its_objects() -> None:
    top = triangle("Top")
    top.location, top.scale = (1, 2, 3), (2, 2, 2)
    item = light("POINT")
    item.parent, item.location = top, (1, 0, 0)
    bpy.context.view_layer.update()
    stage, _ = streamed()
    world = UsdGeom.XformCache().GetLocalToWorldTransform(
        stage.GetPrimAtPath("/root/Top/Lamp/Lamp")
    )
    assert np.allclose(np.array(world).T, item.matrix_world.normalized(), atol=1e-6)
