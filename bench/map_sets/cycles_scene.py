# SPDX-License-Identifier: GPL-3.0-or-later
"""Photograph materials and their maps with Cycles.

``python -m map_sets.cycles_scene OUT SIZE SAMPLES NAME…`` in ``bench``, where bpy is (as a script
it would hide Blender's own ``cycles`` behind the module beside it). Writes ``OUT/NAME.npz`` for
each of those ``cycles_materials``: the maps, the photo, its light, the quality of its JPEG and
whether it has a highlight.

The surface is a fine mesh that Cycles displaces, so shadows, occlusion and normals are of true
geometry; maps come from the camera of the photos, with the same filter over the same pixels.
"""

from __future__ import annotations

import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from . import cycles_materials
from .cycles_materials import Look
from .cycles_nodes import Graph, Wire

Image = NDArray[np.float32]
LIGHTS = ("sun", "area", "environment")
HALF = 1.3
"""Half the plane's side; the camera sees from -1 to 1."""
TRUTH_SAMPLES = 24
AO_RAYS = 6
VALUES = ("roughness", "metallic", "ao", "height", "raw")


class Studio:
    """A displaced plane, the camera above it, and lights.

    Args:
        size: the image's sides in pixels, a multiple of 16.
        samples: Cycles' samples per pixel of the photos.
        fov: the camera's field of view in radians.
    """

    def __init__(self, size: int, samples: int, fov: float) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.samples = samples
        self.pixel = 2 / size
        self.distance = 1 / np.tan(fov / 2)
        render = self.scene.render
        render.engine = "CYCLES"
        render.resolution_x = render.resolution_y = size
        render.use_persistent_data = True
        render.dither_intensity = 0
        cycles = self.scene.cycles
        cycles.device = "CPU"
        cycles.use_adaptive_sampling = cycles.use_denoising = False
        cycles.max_bounces = 1
        cycles.sample_clamp_indirect = 6
        layer = self.scene.view_layers[0]
        layer.use_pass_normal = layer.use_pass_position = True
        layer.use_pass_glossy_direct = layer.use_pass_glossy_color = True
        for name in ("basecolor", *VALUES):
            aov = layer.aovs.add()
            aov.name, aov.type = name, "COLOR" if name == "basecolor" else "VALUE"
        self._add_camera(fov)
        self._add_plane(round(size * HALF * 1.25) + 1)
        self.scene.world = bpy.data.worlds.new("World")

    def clad(self, make: Callable[[Graph], Look]) -> Look:
        """Give the plane the material of ``make``, lying flat."""
        material = bpy.data.materials.new("Material")
        if material.node_tree is None:  # Blender 4.5
            material.use_nodes = True
        material.displacement_method = "DISPLACEMENT"
        tree = material.node_tree
        tree.nodes.clear()
        graph = Graph(tree, ("UVMap", "UV"))
        look = make(graph)
        colour = look.basecolor if isinstance(look.basecolor, Wire) else (*look.basecolor, 1.0)
        shader = graph.node(
            "BsdfPrincipled",
            {
                "Base Color": colour,
                "Roughness": look.roughness,
                "Metallic": look.metallic,
                "IOR": 1.5,
            },
        )
        self.displacement = graph.node(
            "Displacement", {"Height": look.height, "Midlevel": 0.0, "Scale": 0.0}
        )
        output = graph.node("OutputMaterial", {})
        tree.links.new(shader.outputs[0], output.inputs["Surface"])
        tree.links.new(self.displacement.outputs[0], output.inputs["Displacement"])
        occlusion = graph.node("AmbientOcclusion", {"Distance": 100.0}, samples=AO_RAYS)
        place = graph.node("NewGeometry", {}).outputs["Position"]
        z = graph.node("SeparateXYZ", {0: Wire(graph, place)}).outputs["Z"]
        values = {
            "roughness": look.roughness,
            "metallic": look.metallic,
            "ao": Wire(graph, occlusion.outputs["AO"]),
            "height": Wire(graph, z),
            "raw": look.height,
        }
        self.outputs = [graph.node("OutputAOV", {"Color": colour}, aov_name="basecolor")]
        for name, value in values.items():
            self.outputs.append(graph.node("OutputAOV", {"Value": value}, aov_name=name))
        self.tree = tree
        self.plane.data.materials.clear()
        self.plane.data.materials.append(material)
        return look

    def relieve(self, degrees: float) -> None:
        """Scale the heights until the normals' mean angle to the flat normal is ``degrees``."""
        self.displacement.inputs["Scale"].default_value = 0.0
        raw = self._shoot(4)["raw"][..., 0].astype(float)
        slope = np.hypot(*np.gradient(raw, self.pixel))
        low, high = 0.0, 100.0
        for _ in range(50):
            scale = (low + high) / 2
            steeper = np.degrees(np.arctan(scale * slope)).mean() > degrees
            low, high = (low, scale) if steeper else (scale, high)
        self.displacement.inputs["Scale"].default_value = scale

    def truth(self) -> dict[str, Image]:
        """The maps that the camera sees, as `sample.Sample` has them."""
        self._light_world(None, 0.0)
        layers = self._shoot(TRUTH_SAMPLES)
        normal = layers["Normal"]
        linear = np.clip(layers["basecolor"][..., :3], 0, 1)
        maps = {name: np.clip(layers[name][..., 0], 0, 1) for name in ("roughness", "metallic")}
        maps["ao"] = np.clip(layers["ao"][..., 0], 0, 1)
        maps["height"] = layers["height"][..., 0] / np.float32(self.pixel)
        maps["normal"] = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
        maps["basecolor"] = np.where(
            linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055
        ).astype(np.float32)
        return maps

    def photo(self, light: str, rng: np.random.Generator) -> tuple[Image, bool]:
        """The plane under a light: sRGB (rows, columns, 3), and whether a light is mirrored.

        The last picture of a studio: the maps' outputs go, which would cost time.
        """
        for node in self.outputs:
            self.tree.nodes.remove(node)
        self._light(light, rng)
        view = self.scene.view_settings
        view.view_transform = str(rng.choice(["Standard", "AgX"]))
        layers = self._shoot(self.samples)
        luminance = layers["Combined"][..., :3] @ np.array([0.2126, 0.7152, 0.0722])
        ceiling = 1.1 if view.view_transform == "Standard" else 4.0
        gain = min(
            rng.uniform(0.14, 0.24) / np.median(luminance),
            ceiling / np.percentile(luminance, 97),
        )
        view.exposure = float(np.log2(gain))
        # Blender 4.5 says GlossDir and GlossCol, 5.2 Glossy Direct and Glossy Color.
        direct, tint = (
            next(image for name, image in layers.items() if name[:5] == "Gloss" and part in name)
            for part in ("Dir", "Col")
        )
        middle, bright = np.percentile((direct * tint).max(-1), [50, 98])
        highlight = bool(bright > max(3 * middle, 1.5 * np.median(luminance)))
        return self._developed(), highlight

    def _add_camera(self, fov: float) -> None:
        camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        camera.data.angle = fov
        camera.location.z = self.distance
        self.scene.collection.objects.link(camera)
        self.scene.camera = camera

    def _add_plane(self, count: int) -> None:
        x = np.linspace(-HALF, HALF, count, dtype=np.float32)
        points = np.stack([*np.meshgrid(x, x), np.zeros((count, count), np.float32)], -1)
        corner = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
        faces = corner[:, None] + np.array([0, 1, count + 1, count])
        mesh = bpy.data.meshes.new("Plane")
        mesh.vertices.add(count * count)
        mesh.vertices.foreach_set("co", points.ravel())
        mesh.loops.add(faces.size)
        mesh.loops.foreach_set("vertex_index", faces.ravel().astype(np.int32))
        mesh.polygons.add(len(faces))
        mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 4, dtype=np.int32))
        mesh.update(calc_edges=True)
        mesh.shade_smooth()
        places = points.reshape(-1, 3)[faces.ravel(), :2]
        mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", places.ravel())
        self.plane = bpy.data.objects.new("Plane", mesh)
        self.scene.collection.objects.link(self.plane)

    def _light(self, kind: str, rng: np.random.Generator) -> None:
        """Set the world, and add the lamp that this light has, if any."""
        azimuth = rng.uniform(0, 2 * np.pi)
        if kind == "environment":
            self._light_world(rng, 1.0)
            return
        self._light_world(rng, 0.22 if kind == "sun" else 0.3)
        elevation = np.radians(rng.uniform(30, 65) if kind == "sun" else rng.uniform(40, 65))
        flat = np.cos(elevation)
        way = Vector((flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)))
        lamp = bpy.data.lights.new("Lamp", "SUN" if kind == "sun" else "AREA")
        if kind == "sun":
            lamp.energy, lamp.angle = 4.0, np.radians(rng.uniform(0.5, 4))
            lamp.color = (1.0, 0.95, 0.87)
        else:
            lamp.energy, lamp.size = 160.0, rng.uniform(0.8, 1.8)
            lamp.color = (1.0, 0.9, 0.78)
        thing = bpy.data.objects.new("Lamp", lamp)
        thing.location = way * 2.6
        thing.rotation_euler = way.to_track_quat("Z", "Y").to_euler()
        self.scene.collection.objects.link(thing)

    def _light_world(self, rng: np.random.Generator | None, strength: float) -> None:
        """A sky, darker to the ground, with bright patches; black without ``rng``."""
        world = self.scene.world
        if world.node_tree is None:  # Blender 4.5
            world.use_nodes = True
        world.node_tree.nodes.clear()
        graph = Graph(world.node_tree, ("TexCoord", "Generated"))
        background = graph.node("Background", {"Strength": strength})
        if rng is not None:
            split = graph.node("SeparateXYZ", {0: graph.place})
            sky = Wire(graph, split.outputs["Z"]).ramp(
                (0.0, (0.5, 0.42, 0.34)), (0.35, (0.75, 0.82, 0.95)), (1.0, (0.3, 0.45, 0.8))
            )
            turned = graph.placed((1, 1, 1), rng.uniform(0, 2 * np.pi))
            patches = graph.noise(rng.uniform(1.6, 2.6), 1, at=turned).step(0.56, 0.62)
            colour = graph.blend(patches, sky, (5.0, 4.6, 4.1))
            world.node_tree.links.new(colour.socket, background.inputs["Color"])
        output = graph.node("OutputWorld", {})
        world.node_tree.links.new(background.outputs[0], output.inputs["Surface"])

    def _shoot(self, samples: int) -> dict[str, Image]:
        self.scene.cycles.samples = samples
        bpy.ops.render.render()
        settings = self.scene.render.image_settings
        if "media_type" in settings.bl_rna.properties:
            settings.media_type = "MULTI_LAYER_IMAGE"
        if "use_exr_interleave" in settings.bl_rna.properties:
            settings.use_exr_interleave = True
        settings.file_format = "OPEN_EXR_MULTILAYER"
        settings.color_depth, settings.exr_codec = "32", "NONE"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "layers.exr"
            bpy.data.images["Render Result"].save_render(str(path), scene=self.scene)
            return exr_layers(path.read_bytes())

    def _developed(self) -> Image:
        """What was rendered last through the view transform, as 8 bits keep it."""
        settings = self.scene.render.image_settings
        if "media_type" in settings.bl_rna.properties:
            settings.media_type = "IMAGE"
        settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "8"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "photo.png"
            bpy.data.images["Render Result"].save_render(str(path), scene=self.scene)
            image = bpy.data.images.load(str(path))
            pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
            image.pixels.foreach_get(pixels)
            photo = pixels.reshape(image.size[1], image.size[0], 4)[::-1, :, :3].copy()
            bpy.data.images.remove(image)
        return photo


def exr_layers(data: bytes) -> dict[str, Image]:
    """The layers of an uncompressed scanline OpenEXR file of 32-bit floats.

    Returns:
        (rows, columns, channels) by the layer's last name, top row first; channels named R, G, B
        or X, Y, Z stand in that order.
    """
    at = 8
    attributes: dict[bytes, bytes] = {}
    while data[at]:
        name_end = data.index(b"\0", at)
        kind_end = data.index(b"\0", name_end + 1)
        (length,) = struct.unpack_from("<i", data, kind_end + 1)
        start, name = kind_end + 5, data[at:name_end]
        at = start + length
        attributes[name] = data[start:at]
    left, top, right, bottom = struct.unpack("<4i", attributes[b"dataWindow"])
    columns, rows = right - left + 1, bottom - top + 1
    names, channels = [], attributes[b"channels"]
    while channels[0]:
        name, channels = channels.split(b"\0", 1)
        if struct.unpack_from("<i", channels)[0] != 2:
            raise ValueError(f"channel {name.decode()} is not of 32-bit floats")
        names.append(name.decode())
        channels = channels[16:]
    if attributes[b"compression"] != b"\0":
        raise ValueError("the OpenEXR file is compressed")
    at += 1 + 8 * rows
    block = np.frombuffer(data, "<f4", offset=at).reshape(rows, 2 + len(names) * columns)
    planes = block[:, 2:].reshape(rows, len(names), columns)
    grouped: dict[str, dict[str, Image]] = {}
    for index, name in enumerate(names):
        layer, channel = name.split(".")[-2:]
        grouped.setdefault(layer, {})[channel] = planes[:, index]
    order = "RXGYBZAV"
    return {
        layer: np.stack([parts[key] for key in sorted(parts, key=order.index)], -1)
        for layer, parts in grouped.items()
    }


def photographed(name: str, size: int, samples: int) -> dict[str, Any]:
    """Maps of a material, and its ``photo``, ``light``, ``quality`` of JPEG and ``highlight``.

    The lights take turns, so that each meets metals, half metals and others.
    """
    makers = cycles_materials.MATERIALS
    turn = [make.__name__ for make in makers].index(name)
    rng = np.random.default_rng((8, turn))
    studio = Studio(size, samples, np.radians(rng.uniform(35, 50)))
    studio.relieve(studio.clad(makers[turn]).relief)
    arrays: dict[str, Any] = dict(studio.truth())
    arrays["light"] = LIGHTS[turn % len(LIGHTS)]
    arrays["photo"], arrays["highlight"] = studio.photo(arrays["light"], rng)
    arrays["quality"] = int(rng.integers(85, 96))
    return arrays


def main() -> None:
    """Photograph the materials named by the command line."""
    out, size, samples, *names = sys.argv[1:]
    for name in names:
        np.savez_compressed(
            Path(out) / f"{name}.npz", **photographed(name, int(size), int(samples))
        )


if __name__ == "__main__":
    main()
