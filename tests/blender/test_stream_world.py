# SPDX-License-Identifier: GPL-3.0-or-later
"""Worlds streamed into domes, compared with what a camera sees of them in Cycles."""

from __future__ import annotations

from math import acos, atan2, pi
from pathlib import Path

import bpy
import mathutils
import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdLux

from stagewright.usd_tools.image_writing import save_image

from .streaming import link, streamed

WIDTH, HEIGHT = 16, 8


def world() -> bpy.types.World:
    made = bpy.data.worlds.new("Sky")
    made.use_nodes = True
    bpy.context.scene.world = made
    return made


def picture() -> np.ndarray:
    """(HEIGHT, WIDTH, 4) float32, rows from below, another colour everywhere."""
    pixels = np.ones((HEIGHT, WIDTH, 4), np.float32)
    pixels[..., 0] = np.arange(WIDTH) / WIDTH
    pixels[..., 1] = np.arange(HEIGHT)[:, None] / HEIGHT
    pixels[..., 2] = 0.25
    return pixels


def image(kind: str, folder: Path) -> bpy.types.Image:
    made = bpy.data.images.new("Room", WIDTH, HEIGHT, float_buffer=True)
    if kind == "generated":
        made.pixels.foreach_set(picture().ravel())
        return made
    save_image(folder / "room.exr", picture()[::-1])
    loaded = bpy.data.images.load(str(folder / "room.exr"))
    if kind == "packed":
        loaded.pack()
        (folder / "room.exr").unlink()
    return loaded


def environment(made: bpy.types.World, shown: bpy.types.Image) -> bpy.types.Node:
    tree = made.node_tree
    node = tree.nodes.new("ShaderNodeTexEnvironment")
    node.image, node.interpolation = shown, "Closest"
    tree.links.new(node.outputs["Color"], tree.nodes["Background"].inputs["Color"])
    return node


def mapped(made: bpy.types.World, node: bpy.types.Node, **fields: object) -> bpy.types.Node:
    tree = made.node_tree
    mapping = tree.nodes.new("ShaderNodeMapping")
    for name, value in fields.items():
        if name == "vector_type":
            mapping.vector_type = value
        else:
            mapping.inputs[name].default_value = value
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs[0], node.inputs["Vector"])
    return mapping


def dome(stage: Usd.Stage) -> UsdLux.DomeLight:
    return UsdLux.DomeLight(stage.GetPrimAtPath("/root/Sky"))


def usd_seen(stage: Usd.Stage, direction: mathutils.Vector) -> np.ndarray:
    """What a dome shows in a direction of Blender's world.

    As OpenUSD's Storm has it: the middle of the image at +Z, its top at +Y.
    """
    light = dome(stage)
    below = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(light.GetPrim()))[:3, :3]
    root = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(stage.GetPrimAtPath("/root")))
    x, y, z = np.array(direction) @ root[:3, :3] @ np.linalg.inv(below)
    u, down = (atan2(z, x) + pi / 2) / (2 * pi) % 1, acos(y) / pi
    row, column = HEIGHT - 1 - int(down * HEIGHT), int(u * WIDTH)
    path = light.GetTextureFileAttr().Get().path
    loaded = bpy.data.images.load(path)
    pixels = np.array(loaded.pixels[:]).reshape(HEIGHT, WIDTH, 4)
    return light.GetIntensityAttr().Get() * pixels[row, column, :3]


def seen(direction: mathutils.Vector, folder: Path) -> np.ndarray:
    """What Cycles shows in a direction."""
    camera = bpy.data.cameras.new("Eye")
    camera.angle = 0.001
    eye = link(bpy.data.objects.new("Eye", camera))
    eye.rotation_euler = direction.to_track_quat("-Z", "Y").to_euler()
    scene = bpy.context.scene
    scene.camera = eye
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 4
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filepath = str(folder / f"seen{len(bpy.data.images)}.exr")
    bpy.ops.render.render(write_still=True)
    pixels = np.array(bpy.data.images.load(scene.render.filepath).pixels[:])
    return pixels.reshape(-1, 4)[:, :3].mean(axis=0)


@pytest.mark.parametrize(
    ("up_axis", "mapping"),
    [
        ("Z", None),
        ("Y", {"vector_type": "POINT", "Rotation": (0.3, -0.5, 1.0)}),
        ("Z", {"vector_type": "TEXTURE", "Rotation": (0.3, -0.5, 1.0), "Scale": (2, 2, 2)}),
        ("Z", {"vector_type": "NORMAL", "Rotation": (0, 0, 2)}),
    ],
)
def test_an_environment_image_is_seen_where_cycles_shows_it(
    up_axis: str, mapping: dict[str, object] | None, tmp_path: Path
) -> None:
    made = world()
    made.node_tree.nodes["Background"].inputs["Strength"].default_value = 3
    node = environment(made, image("file", tmp_path))
    if mapping:
        mapped(made, node, **mapping)
    stage, warnings = streamed(world=True, up_axis=up_axis)
    assert warnings == []
    for direction in ((1, 0.1, 0.1), (-0.2, 0.9, -0.5)):
        place = mathutils.Vector(direction).normalized()
        # Half floats in the file that Cycles writes.
        assert np.allclose(usd_seen(stage, place), seen(place, tmp_path), atol=2e-3)


@pytest.mark.parametrize("kind", ["file", "packed", "generated"])
def test_an_image_is_in_a_file(kind: str, tmp_path: Path) -> None:
    environment(world(), image(kind, tmp_path))
    stage, warnings = streamed(world=True, folder=tmp_path / "beside")
    assert warnings == []
    path = Path(dome(stage).GetTextureFileAttr().Get().path)
    assert (path.parent == tmp_path / "beside") is (kind != "file")
    assert dome(stage).GetTextureFormatAttr().Get() == "latlong"
    loaded = np.array(bpy.data.images.load(str(path)).pixels[:]).reshape(HEIGHT, WIDTH, 4)
    assert np.allclose(loaded, picture(), atol=1e-3)


def test_a_plain_world_is_a_dome_of_its_radiance() -> None:
    made = world()
    made["season"] = "winter"
    node = made.node_tree.nodes["Background"]
    node.inputs["Color"].default_value = (0.1, 0.2, 0.4, 1)
    node.inputs["Strength"].default_value = 2
    stage, warnings = streamed(world=True)
    light = dome(stage)
    assert warnings == []
    assert tuple(light.GetColorAttr().Get()) == pytest.approx((0.1, 0.2, 0.4))
    assert light.GetIntensityAttr().Get() == 2
    assert light.GetPrim().GetAttribute("userProperties:season").Get() == "winter"


def test_a_world_is_read_only_when_it_is_wanted_and_gives_light() -> None:
    made = world()
    assert not dome(streamed()[0])
    made.node_tree.nodes["Background"].inputs["Strength"].default_value = 0
    assert not dome(streamed(world=True)[0])
    bpy.context.scene.world = None
    assert streamed(world=True)[1] == []


def test_a_world_is_animated() -> None:
    strength = world().node_tree.nodes["Background"].inputs["Strength"]
    for frame, value in ((1, 0), (11, 5)):
        strength.default_value = value
        strength.keyframe_insert("default_value", frame=frame)
    stage, _ = streamed(world=True, frames=(1.0, 6.0, 11.0))
    intensity = dome(stage).GetIntensityAttr()
    assert (intensity.Get(1), intensity.Get(11)) == (0, 5)
    assert 0 < intensity.Get(6) < 5


@pytest.mark.parametrize(
    ("case", "word"),
    [
        ("sky", "colour"),
        ("missing", "nowhere.exr"),
        ("unsaved", "in no file"),
        ("moved", "mapped"),
        ("ball", "mirror ball"),
        ("glossy", "glossy"),
    ],
)
def test_what_usd_cannot_say_of_a_world_is_told(case: str, word: str, tmp_path: Path) -> None:
    made = world()
    tree = made.node_tree
    if case == "sky":
        sky = tree.nodes.new("ShaderNodeTexSky")
        tree.links.new(sky.outputs[0], tree.nodes["Background"].inputs["Color"])
    elif case == "glossy":
        made.cycles_visibility.glossy = False
    else:
        node = environment(made, image("generated" if case == "unsaved" else "file", tmp_path))
        if case == "missing":
            node.image.filepath = str(tmp_path / "nowhere.exr")
        if case == "moved":
            mapped(made, node, Location=(0, 0, 1))
        if case == "ball":
            node.projection = "MIRROR_BALL"
    stage, (warning,) = streamed(world=True)
    assert word in warning
    assert bool(dome(stage)) is (case in {"moved", "ball", "glossy"})
