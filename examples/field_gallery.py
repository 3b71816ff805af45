# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the fields' gallery: ``blender-headless -P examples/field_gallery.py -- PICTURE.jpg``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

# Blender does not put the folder of a -P script on the path.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy  # noqa: E402
import numpy as np  # noqa: E402
from field_shapes import SHAPES, Shape  # noqa: E402
from mathutils import Vector  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

COLUMNS, PIXELS, SAMPLES = 4, 320, 32


def main(picture: Path) -> None:
    """Render every shape and write them side by side."""
    set_scene()
    with tempfile.TemporaryDirectory() as folder:
        tiles = []
        for make in SHAPES:
            thing = add(make())
            tiles.append(rendered(Path(folder) / f"{make.__name__}.png"))
            bpy.data.objects.remove(thing)
            print(f"{make.__name__} {len(tiles)}/{len(SHAPES)}", flush=True)
    rows = [np.concatenate(tiles[i : i + COLUMNS], 1) for i in range(0, len(tiles), COLUMNS)]
    # Blender's images begin at the bottom.
    save(np.concatenate(rows[::-1], 0), picture)


def set_scene() -> None:
    """An empty scene with a camera, two lights and a floorless grey world."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.seed = SAMPLES, True, 1
    scene.render.resolution_x = scene.render.resolution_y = PIXELS
    scene.view_settings.view_transform = "AgX"
    world = scene.world = bpy.data.worlds.new("Studio")
    world.use_nodes = True
    sky = world.node_tree.nodes["Background"].inputs
    sky["Color"].default_value, sky["Strength"].default_value = (0.75, 0.78, 0.82, 1), 0.45
    camera = bpy.data.cameras.new("Camera")
    camera.lens = 70
    scene.camera = place(camera, (2.7, -4.3, 2.6))
    for name, energy, at in (("Key", 300, (3.5, -1.5, 4.0)), ("Rim", 130, (-4.0, 2.0, 2.5))):
        light = bpy.data.lights.new(name, "AREA")
        light.energy, light.size = energy, 2.0
        place(light, at)


def place(data: bpy.types.ID, at: tuple[float, float, float]) -> bpy.types.Object:
    """A new object that looks at the origin."""
    thing = bpy.data.objects.new(data.name, data)
    bpy.context.collection.objects.link(thing)
    thing.location = at
    thing.rotation_euler = (-Vector(at)).to_track_quat("-Z", "Y").to_euler()
    return thing


def add(shape: Shape) -> bpy.types.Object:
    """An object of a shape, edges above 35 degrees sharp."""
    mesh = bpy.data.meshes.new("Shape")
    mesh.from_pydata(shape.vertices.tolist(), [], shape.quads.tolist())
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=np.radians(35))
    colours = mesh.color_attributes.new("Colour", "FLOAT_COLOR", "POINT")
    rgba = np.ones((len(shape.vertices), 4), np.float32)
    rgba[:, :3] = shape.colours
    colours.data.foreach_set("color", rgba.reshape(-1))
    mesh.materials.append(bpy.data.materials.get("Paint") or paint())
    thing = bpy.data.objects.new("Shape", mesh)
    bpy.context.collection.objects.link(thing)
    return thing


def paint() -> bpy.types.Material:
    """A soft material in the colours of the mesh."""
    material = bpy.data.materials.new("Paint")
    material.use_nodes = True
    nodes = material.node_tree.nodes
    attribute = nodes.new("ShaderNodeVertexColor")
    attribute.layer_name = "Colour"
    surface = nodes["Principled BSDF"]
    surface.inputs["Roughness"].default_value = 0.35
    material.node_tree.links.new(attribute.outputs["Color"], surface.inputs["Base Color"])
    return material


def rendered(path: Path) -> NDArray[np.float32]:
    """The scene's picture, (height, width, 4)."""
    bpy.context.scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = np.empty(PIXELS * PIXELS * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(PIXELS, PIXELS, 4)


def save(pixels: NDArray[np.float32], path: Path) -> None:
    """Write a JPEG."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new("Gallery", width, height)
    image.pixels.foreach_set(np.ascontiguousarray(pixels).reshape(-1))
    image.file_format = "JPEG"
    image.save(filepath=str(path), quality=88)


main(Path(sys.argv[-1]).resolve())
