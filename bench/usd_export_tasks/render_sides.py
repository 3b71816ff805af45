# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene and its USD file, both rendered by Cycles under the same lights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

bpy.utils.expose_bundled_modules()

import numpy as np  # noqa: E402
import OpenImageIO  # noqa: E402
import scenes  # noqa: E402
from mathutils import Matrix, Vector  # noqa: E402
from pxr import Sdf  # noqa: E402

Prepared = tuple[Callable[[], Any], Callable[[Any], dict[str, Any]], str]
LANTERN = Path(__file__).resolve().parents[2] / "examples/lantern.blend"


def prepare(side: str, case: dict[str, Any]) -> Prepared:
    """The scene ``case["name"]`` and where its pictures go."""
    _SCENES[case["name"]]()
    folder = Path(case["folder"])
    size = (160, 120) if case["quick"] else (480, 360)

    def run() -> tuple[np.ndarray, np.ndarray]:
        view = _view()
        first = _picture(folder / "scene.png", view, size)
        _write(folder)
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.ops.wm.usd_import(filepath=str(folder / "scene.usda"), import_lights=False)
        second = _picture(folder / "file.png", view, size)
        return first, second

    def to_arrays(result: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
        from stagewright.usd_tools.flip import flip_map

        first, second = result
        mean = flip_map(first, second).mean(dtype=np.float64)
        seen = np.abs(first - first[0, 0]).max(axis=2) > 0.02
        return {"flip": mean, "seen": 100 * seen.mean()}

    return run, to_arrays, f"Blender {bpy.app.version_string}"


def _write(folder: Path) -> None:
    from stagewright.addon.scene.stream.objects import read_stream
    from stagewright.usd_tools.direct.stream_writer import write_stream

    layer = Sdf.Layer.CreateAnonymous(".usda")
    shown = [item for item in bpy.context.view_layer.objects if item.visible_get()]
    objects = [item for item in shown if item.type not in {"LIGHT", "CAMERA"}]
    for _ in write_stream(read_stream(objects, "root", folder=folder / "images"), layer):
        pass
    layer.Export(str(folder / "scene.usda"))


def _view() -> tuple[Matrix, float]:
    """Where a camera sees all that renders, and its focal length; the scene's own if it has one."""
    camera = bpy.context.scene.camera
    if camera is not None:
        return camera.matrix_world.copy(), camera.data.lens
    graph = bpy.context.evaluated_depsgraph_get()
    points = [
        instance.matrix_world @ Vector(corner)
        for instance in graph.object_instances
        if instance.object.type in {"MESH", "CURVE"}
        for corner in instance.object.bound_box
    ]
    found = np.array(points)
    low, high = found.min(axis=0), found.max(axis=0)
    towards = Vector((1.0, -1.6, 0.9)).normalized()
    place = Vector((low + high) / 2) + towards * float(np.linalg.norm(high - low)) * 1.25
    turn = (-towards).to_track_quat("-Z", "Y").to_matrix().to_4x4()
    return Matrix.Translation(place) @ turn, 50.0


def _picture(path: Path, view: tuple[Matrix, float], size: tuple[int, int]) -> np.ndarray:
    """Render what there is, (height, width, 3) float32 in sRGB, under lights of our own."""
    scene = bpy.context.scene
    for item in [o for o in bpy.data.objects if o.type in {"LIGHT", "CAMERA"}]:
        bpy.data.objects.remove(item)
    world = scene.world = bpy.data.worlds.new("Studio")
    if bpy.app.version < (5, 0, 0):
        world.use_nodes = True
    background = next(n for n in world.node_tree.nodes if n.type == "BACKGROUND")
    background.inputs["Color"].default_value = (0.35, 0.35, 0.38, 1)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.data.angle = 3.0, 0.2
    sun.rotation_euler = (0.7, 0.2, 0.5)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    for item in (sun, camera):
        scene.collection.objects.link(item)
    camera.matrix_world, camera.data.lens = view
    camera.data.clip_start, camera.data.clip_end = 0.001, 10_000
    scene.camera = camera
    scene.frame_set(1)
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.seed = 64, False, 1
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage, render.film_transparent = 100, False
    scene.view_settings.view_transform = "Standard"
    render.image_settings.file_format = "PNG"
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    pixels = OpenImageIO.ImageBuf(str(path)).get_pixels(OpenImageIO.FLOAT)
    return np.ascontiguousarray(pixels[:, :, :3], np.float32)


def _empty() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


def _lantern() -> None:
    bpy.ops.wm.open_mainfile(filepath=str(LANTERN))


def _bench(name: str, **case: Any) -> Callable[[], None]:
    def build() -> None:
        _empty()
        scenes.SCENES[name](case)

    return build


def _material(name: str) -> tuple[bpy.types.Material, bpy.types.Node]:
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    return material, material.node_tree.nodes["Principled BSDF"]


def _ball(x: float, material: bpy.types.Material) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, location=(x, 0, 1))
    bpy.ops.object.shade_smooth()
    bpy.context.object.data.materials.append(material)


def _floor() -> None:
    bpy.ops.mesh.primitive_plane_add(size=8)
    material, shader = _material("Floor")
    shader.inputs["Base Color"].default_value = (0.6, 0.6, 0.55, 1)
    bpy.context.object.data.materials.append(material)


def _images() -> None:
    """Images as colour, roughness and bumps, moved and turned."""
    _empty()
    _floor()
    checks = np.indices((64, 64)).sum(axis=0) // 8 % 2
    for number, (turn, extension) in enumerate(((0.0, "REPEAT"), (0.6, "REPEAT"), (0.0, "MIRROR"))):
        image = bpy.data.images.new(f"Checks {number}", 64, 64)
        pixels = np.ones((64, 64, 4), np.float32)
        pixels[..., 0], pixels[..., 1], pixels[..., 2] = checks, 0.3, 1 - checks
        image.pixels.foreach_set(pixels.ravel())
        image.pack()
        material, shader = _material(f"Checks {number}")
        nodes, link = material.node_tree.nodes, material.node_tree.links.new
        texture, mapping = nodes.new("ShaderNodeTexImage"), nodes.new("ShaderNodeMapping")
        texture.image, texture.extension = image, extension
        mapping.inputs["Rotation"].default_value = (0, 0, turn)
        mapping.inputs["Scale"].default_value = (3, 2, 1)
        mapping.inputs["Location"].default_value = (0.1, 0.2, 0)
        link(nodes.new("ShaderNodeTexCoord").outputs["UV"], mapping.inputs["Vector"])
        link(mapping.outputs[0], texture.inputs["Vector"])
        link(texture.outputs["Color"], shader.inputs["Base Color"])
        _ball(2.3 * number - 2.3, material)


def _glass() -> None:
    """Alpha as a number and as an image's, and transmission."""
    _empty()
    _floor()
    veil, shader = _material("Veil")
    shader.inputs["Alpha"].default_value = 0.4
    shader.inputs["Base Color"].default_value = (0.1, 0.5, 0.2, 1)
    _ball(-2.3, veil)
    lamp, shader = _material("Lamp")
    shader.inputs["Emission Color"].default_value = (1, 0.6, 0.2, 1)
    shader.inputs["Emission Strength"].default_value = 2.0
    _ball(0.0, lamp)
    coat, shader = _material("Coat")
    shader.inputs["Base Color"].default_value = (0.4, 0.02, 0.02, 1)
    shader.inputs["Coat Weight"].default_value = 1.0
    shader.inputs["Metallic"].default_value = 0.5
    _ball(2.3, coat)


def _duplicates() -> None:
    """Objects that share a mesh, with mirror images among them."""
    _empty()
    bpy.ops.mesh.primitive_monkey_add()
    source = bpy.context.object
    material, shader = _material("Shared")
    shader.inputs["Base Color"].default_value = (0.7, 0.4, 0.1, 1)
    source.data.materials.append(material)
    for number in range(1, 9):
        twin = bpy.data.objects.new(f"Twin {number}", source.data)
        bpy.context.scene.collection.objects.link(twin)
        twin.location = (number % 3 * 3, number // 3 * 3, 0)
        twin.rotation_euler = (0.1 * number, 0.2, number)
        twin.scale = (-1 if number % 2 else 1, 1, 1 + 0.1 * number)


_SCENES: dict[str, Callable[[], None]] = {
    "lantern": _lantern,
    "objects with materials": _bench("objects", count=800, materials=True),
    "instances of an object": _bench("instances", count=400, made=False, size=25.0),
    "instances made by nodes": _bench("instances", count=400, made=True, size=25.0),
    "one mesh of two materials": _bench("mesh", polygons=10_000),
    "images": _images,
    "glass and cut-outs": _glass,
    "linked duplicates": _duplicates,
}
