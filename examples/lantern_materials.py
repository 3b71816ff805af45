# SPDX-License-Identifier: GPL-3.0-or-later
"""The lantern's materials: one Principled BSDF each, at the top of its node tree."""

from __future__ import annotations

from pathlib import Path

import bpy
import lantern_images as images
from bpy.types import Material, Node
from lantern_images import Array


class Images:
    """Blender images from pixels: external PNG files in ``folder``, or packed ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def external(self, name: str, pixels: Array, *, colour: bool) -> bpy.types.Image:
        """An image read from a file beside the .blend."""
        path = self.folder / f"{name}.png"
        path.write_bytes(images.png_bytes(pixels))
        return self._finish(bpy.data.images.load(str(path)), name, colour)

    def packed(self, name: str, pixels: Array, *, colour: bool) -> bpy.types.Image:
        """An image whose PNG is inside the .blend."""
        data = images.png_bytes(pixels)
        image = bpy.data.images.new(name, pixels.shape[1], pixels.shape[0])
        image.pack(data=data, data_len=len(data))
        image.source = "FILE"
        # Blender saves all 1024 bytes of this path and leaves them as it found them in memory,
        # where paths of this machine have been.
        image.packed_files[0].filepath = "-" * 1023
        image.packed_files[0].filepath = f"//{name}.png"
        return self._finish(image, name, colour)

    def _finish(self, image: bpy.types.Image, name: str, colour: bool) -> bpy.types.Image:
        image.name = name
        image.colorspace_settings.name = "sRGB" if colour else "Non-Color"
        return image


class Shader:
    """A material and its Principled BSDF, with the few nodes the lantern needs."""

    def __init__(self, name: str, **inputs: float | tuple[float, ...]) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.principled = next(n for n in self.tree.nodes if n.type == "BSDF_PRINCIPLED")
        for socket, value in inputs.items():
            self.principled.inputs[socket.replace("_", " ")].default_value = value
        rgba = self.principled.inputs["Base Color"].default_value
        # What the viewport shows in solid mode.
        self.material.diffuse_color = rgba
        self.material.metallic = self.principled.inputs["Metallic"].default_value
        self.material.roughness = self.principled.inputs["Roughness"].default_value
        self._row = 0

    def node(self, kind: str, label: str, column: int) -> Node:
        """A new node, laid out in columns left of the Principled BSDF."""
        node = self.tree.nodes.new(kind)
        node.label = label
        node.location = (-280 * column, 300 - 290 * self._row)
        self._row += 1
        return node

    def link(self, node: Node, output: str | int, socket: str | bpy.types.NodeSocket) -> None:
        """Wire ``node`` into an input of the Principled BSDF, or into any socket."""
        target = self.principled.inputs[socket] if isinstance(socket, str) else socket
        self.tree.links.new(node.outputs[output], target)

    def image(self, image: bpy.types.Image, uv_map: str, column: int = 3) -> Node:
        """An Image Texture read through a named UV map."""
        uv = self.node("ShaderNodeUVMap", uv_map, column + 1)
        uv.uv_map = uv_map
        texture = self.node("ShaderNodeTexImage", image.name, column)
        texture.location.y = uv.location.y
        texture.image = image
        self.link(uv, "UV", texture.inputs["Vector"])
        return texture

    def normal(self, image: bpy.types.Image, uv_map: str, strength: float) -> None:
        """A tangent-space normal map."""
        texture = self.image(image, uv_map)
        node = self.node("ShaderNodeNormalMap", "Normal Map", 1)
        node.uv_map = uv_map
        node.inputs["Strength"].default_value = strength
        self.link(texture, "Color", node.inputs["Color"])
        self.link(node, "Normal", "Normal")


def enamel(store: Images, occlusion: Array) -> Material:
    """Chipped enamel: base image multiplied by an occlusion image on a second UV map."""
    paint = images.enamel()
    shader = Shader("Painted Enamel", Base_Color=(0.02, 0.09, 0.09, 1), Roughness=0.4)
    base = shader.image(store.external("enamel_base", paint["base"], colour=True), "UVMap")
    shade = shader.image(store.packed("enamel_occlusion", occlusion, colour=False), "Bake")
    multiply = shader.node("ShaderNodeMix", "Base × Occlusion", 1)
    multiply.data_type, multiply.blend_type = "RGBA", "MULTIPLY"
    multiply.inputs[0].default_value = 1.0
    colours = [s for s in multiply.inputs if s.type == "RGBA"]
    shader.link(base, "Color", colours[0])
    shader.link(shade, "Color", colours[1])
    result = next(s for s in multiply.outputs if s.type == "RGBA")
    shader.tree.links.new(result, shader.principled.inputs["Base Color"])
    orm = shader.image(store.external("enamel_orm", paint["orm"], colour=False), "UVMap")
    split = shader.node("ShaderNodeSeparateColor", "Roughness and Metallic", 1)
    shader.link(orm, "Color", split.inputs["Color"])
    shader.link(split, "Green", "Roughness")
    shader.link(split, "Blue", "Metallic")
    shader.normal(store.packed("enamel_normal", paint["normal"], colour=False), "UVMap", 0.6)
    shader.principled.inputs["Coat Weight"].default_value = 0.25
    shader.principled.inputs["Coat Roughness"].default_value = 0.12
    return shader.material


def brass(store: Images) -> Material:
    """Aged brass with a painted patina."""
    paint = images.brass()
    shader = Shader("Aged Brass", Base_Color=(0.6, 0.36, 0.1, 1), Metallic=1.0, Roughness=0.35)
    base = shader.image(store.external("brass_base", paint["base"], colour=True), "UVMap")
    rough = shader.image(store.packed("brass_rough", paint["rough"], colour=False), "UVMap")
    shader.link(base, "Color", "Base Color")
    shader.link(rough, "Color", "Roughness")
    return shader.material


def wood(store: Images) -> Material:
    """The turned grip."""
    paint = images.wood()
    shader = Shader("Turned Beech", Base_Color=(0.25, 0.11, 0.04, 1), Roughness=0.45)
    base = shader.image(store.external("wood_base", paint["base"], colour=True), "UVMap")
    shader.link(base, "Color", "Base Color")
    shader.normal(store.packed("wood_normal", paint["normal"], colour=False), "UVMap", 0.7)
    shader.principled.inputs["Coat Weight"].default_value = 0.2
    return shader.material


def nameplate(store: Images) -> Material:
    """The etched plate on the tank."""
    shader = Shader("Etched Nameplate", Base_Color=(0.4, 0.28, 0.1, 1), Metallic=0.85)
    shader.principled.inputs["Roughness"].default_value = 0.38
    image = store.packed("nameplate", images.nameplate(), colour=True)
    shader.link(shader.image(image, "UVMap"), "Color", "Base Color")
    return shader.material


def paper(store: Images) -> Material:
    """The tag's paper."""
    shader = Shader("Tag Paper", Base_Color=(0.6, 0.48, 0.28, 1), Roughness=0.9)
    image = store.packed("paper_tag", images.paper_tag(), colour=True)
    shader.link(shader.image(image, "UVMap"), "Color", "Base Color")
    return shader.material


def rope() -> Material:
    """Hemp, coloured by the mesh's colour attribute."""
    shader = Shader("Hemp Rope", Base_Color=(0.45, 0.3, 0.13, 1), Roughness=0.95)
    colour = shader.node("ShaderNodeVertexColor", "Strand", 1)
    colour.layer_name = "Strand"
    shader.link(colour, "Color", "Base Color")
    shader.principled.inputs["Sheen Weight"].default_value = 0.3
    return shader.material


def flame() -> Material:
    """Fire: emission coloured by the mesh's colour attribute."""
    shader = Shader("Flame", Base_Color=(0.02, 0.01, 0.005, 1), Roughness=1.0)
    shader.principled.inputs["Emission Color"].default_value = (1, 0.42, 0.08, 1)
    shader.principled.inputs["Emission Strength"].default_value = 1.8
    colour = shader.node("ShaderNodeVertexColor", "Heat", 1)
    colour.layer_name = "Heat"
    shader.link(colour, "Color", "Emission Color")
    return shader.material


def glass() -> Material:
    """The globe: constant alpha, as exporters and viewports understand it."""
    shader = Shader(
        "Lantern Glass",
        Base_Color=(0.86, 0.95, 0.92, 1),
        Roughness=0.03,
        Alpha=0.3,
        Transmission_Weight=1.0,
        # A path may pass one side of the glass straight (alpha) and bend at the other: with a
        # real index that shows ghosts of the flame. The coat brings the reflections instead.
        IOR=1.01,
        Coat_Weight=0.7,
        Coat_Roughness=0.03,
        Coat_IOR=1.5,
    )
    return shader.material


def steel() -> Material:
    """Blackened wire."""
    return Shader(
        "Blackened Steel", Base_Color=(0.055, 0.05, 0.047, 1), Metallic=1.0, Roughness=0.42
    ).material


def cotton() -> Material:
    """The wick, charred."""
    return Shader("Cotton Wick", Base_Color=(0.16, 0.12, 0.08, 1), Roughness=1.0).material
