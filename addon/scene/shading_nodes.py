# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials made of records: what :mod:`.stream.shading` reads, the other way round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import radians
from pathlib import Path

import bpy

from ...usd_tools.direct.folding import luminance
from ...usd_tools.direct.records import (
    Attribute,
    Constant,
    Expression,
    MaterialRecord,
    Noise,
    Operation,
    Texture,
    width,
)

_WRAPS = {"repeat": "REPEAT", "clamp": "EXTEND", "mirror": "MIRROR", "black": "CLIP"}
_MATH = {
    "add": "ADD",
    "subtract": "SUBTRACT",
    "multiply": "MULTIPLY",
    "divide": "DIVIDE",
    "power": "POWER",
    "min": "MINIMUM",
    "max": "MAXIMUM",
    "modulo": "FLOORED_MODULO",
    "absval": "ABSOLUTE",
    "acos": "ARCCOSINE",
    "asin": "ARCSINE",
    "ceil": "CEIL",
    "cos": "COSINE",
    "exp": "EXPONENT",
    "floor": "FLOOR",
    "round": "ROUND",
    "sign": "SIGN",
    "sin": "SINE",
    "sqrt": "SQRT",
    "tan": "TANGENT",
}
_BLENDS = {
    "add": "ADD",
    "subtract": "SUBTRACT",
    "multiply": "MULTIPLY",
    "divide": "DIVIDE",
    "min": "DARKEN",
    "max": "LIGHTEN",
}
_E = 2.718281828459045
_COLUMN, _ROW = 220, 260
Place = tuple[str, tuple[float, float, float], float, tuple[float, float, float]]


def make_material(record: MaterialRecord) -> tuple[bpy.types.Material, list[str]]:
    """A new material with the nodes of ``record``, Principled BSDF at its top level.

    Returns:
        The material, and one sentence for each input that this Blender has not.
    """
    material = bpy.data.materials.new(record.data)
    return material, fill_material(material, record)


def fill_material(material: bpy.types.Material, record: MaterialRecord) -> list[str]:
    """Put the nodes of ``record`` in place of a material's own; see :func:`make_material`."""
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    material.node_tree.nodes.clear()
    maker = _Maker(material)
    missing = maker.surface(record.inputs)
    if record.displacement is not None:
        maker.displace(record.displacement)
        material.displacement_method = "BOTH"
    maker.arrange()
    return missing


class _Maker:
    """Makes the nodes of one material; one for each expression."""

    def __init__(self, material: bpy.types.Material) -> None:
        self._material = material
        self._tree = material.node_tree
        self._output = self._tree.nodes.new("ShaderNodeOutputMaterial")
        self._made: dict[object, bpy.types.NodeSocket] = {}

    def surface(self, inputs: Mapping[str, Expression]) -> list[str]:
        """Make the shader; returns what was not to be had."""
        shader = self._node("BsdfPrincipled")
        self._tree.links.new(shader.outputs[0], self._output.inputs["Surface"])
        missing = []
        for name, expression in inputs.items():
            socket = shader.inputs.get(name)
            if socket is not None:
                self._feed(socket, expression)
            elif not isinstance(expression, Constant) or any(expression.value):
                missing.append(f"The Principled BSDF of this Blender has no {name}.")
        return missing

    def displace(self, height: Expression) -> None:
        """Move the surface along its normal."""
        node = self._node("Displacement")
        above, scale = _parts(height, "multiply", 1.0)
        above, middle = _parts(above, "subtract", 0.0)
        for name, part in (("Height", above), ("Midlevel", middle), ("Scale", scale)):
            self._feed(node.inputs[name], part)
        self._tree.links.new(node.outputs[0], self._output.inputs["Displacement"])

    def arrange(self) -> None:
        """Place the nodes in columns, by how many links they are from the output."""
        columns: dict[bpy.types.Node, int] = {self._output: 0}
        waiting = [self._output]
        while waiting:
            node = waiting.pop()
            for link in (link for socket in node.inputs for link in socket.links):
                if columns.get(link.from_node, -1) <= columns[node]:
                    columns[link.from_node] = columns[node] + 1
                    waiting.append(link.from_node)
        rows: dict[int, int] = defaultdict(int)
        for node in self._tree.nodes:
            column = columns.get(node, 0)
            node.location = -_COLUMN * column - 80 * (column > 1), -_ROW * rows[column]
            rows[column] += 1

    def _node(self, kind: str) -> bpy.types.Node:
        return self._tree.nodes.new(f"ShaderNode{kind}")

    def _feed(self, socket: bpy.types.NodeSocket, expression: Expression) -> None:
        """Set an input to ``expression``, or link it."""
        if not isinstance(expression, Constant):
            wide = socket.type in {"RGBA", "VECTOR"}
            self._tree.links.new(
                self._socket(expression if wide else luminance(expression)), socket
            )
            return
        value = expression.value
        if socket.type in {"RGBA", "VECTOR"}:
            triple = (value * 3)[:3]
            socket.default_value = (*triple, 1.0) if socket.type == "RGBA" else triple
        elif socket.type == "BOOLEAN":
            socket.default_value = bool(value[0])
        else:
            (number,) = luminance(expression).value  # type: ignore[union-attr]
            socket.default_value = number

    def _socket(self, expression: Expression) -> bpy.types.NodeSocket:
        """The output that gives ``expression``."""
        if expression not in self._made:
            self._made[expression] = self._of(expression)
        return self._made[expression]

    def _of(self, expression: Expression) -> bpy.types.NodeSocket:
        if isinstance(expression, Texture):
            return self._image(expression).outputs["Color"]
        if isinstance(expression, Noise):
            return self._noise(expression)
        if isinstance(expression, Attribute):
            node = self._node("Attribute")
            node.attribute_name = expression.name
            return node.outputs["Color"]
        if isinstance(expression, Constant):
            node = self._node("RGB" if len(expression.value) == 3 else "Value")
            self._feed(node.outputs[0], expression)
            return node.outputs[0]
        assert isinstance(expression, Operation)  # documents have no animation
        return self._operation(expression)

    def _operation(self, operation: Operation) -> bpy.types.NodeSocket:
        name, arguments = operation.name, operation.arguments
        if name == "extract":
            return self._channel(*arguments)
        if name == "mix":
            return self._mix(operation)
        if name == "clamp":
            return self._clamp(operation)
        if name in _SIMPLE:
            kind = _SIMPLE[name]
            node = self._node(kind)
            for socket, argument in zip(_inputs(node, kind), arguments, strict=False):
                self._feed(socket, argument)
            return node.outputs[0]
        if operation.width == 1:
            return self._math(name, arguments)
        if name == "power":
            node = self._node("Gamma")
            for socket, argument in zip(node.inputs, arguments, strict=True):
                self._feed(socket, argument)
            return node.outputs[0]
        node = self._mix_node("RGBA", _BLENDS[name])
        share, *others = (socket for socket in node.inputs if socket.enabled)
        share.default_value = 1.0
        for socket, argument in zip(others, arguments, strict=True):
            self._feed(socket, argument)
        return next(socket for socket in node.outputs if socket.enabled)

    def _math(self, name: str, arguments: tuple[Expression, ...]) -> bpy.types.NodeSocket:
        node = self._node("Math")
        if name == "ln":
            arguments = (*arguments, Constant((_E,)))
        node.operation = _MATH.get(name, "LOGARITHM")
        for socket, argument in zip(node.inputs, arguments, strict=False):
            self._feed(socket, argument)
        return node.outputs[0]

    def _mix_node(self, kind: str, blend: str = "MIX") -> bpy.types.Node:
        node = self._node("Mix")
        node.data_type = kind
        node.clamp_factor = False
        if kind == "RGBA":
            node.blend_type = blend
        return node

    def _mix(self, operation: Operation) -> bpy.types.NodeSocket:
        node = self._mix_node("RGBA" if operation.width == 3 else "FLOAT")
        below, above, share = operation.arguments
        sockets = [socket for socket in node.inputs if socket.enabled]
        for socket, argument in zip(sockets, (share, below, above), strict=True):
            self._feed(socket, argument)
        return next(socket for socket in node.outputs if socket.enabled)

    def _clamp(self, operation: Operation) -> bpy.types.NodeSocket:
        (given,) = operation.arguments
        if operation.width == 1:
            node = self._node("Clamp")
            self._feed(node.inputs["Value"], given)
            return node.outputs[0]
        node = self._mix_node("RGBA")
        node.clamp_result = True
        share, below, above = (socket for socket in node.inputs if socket.enabled)
        share.default_value = 0.0
        self._feed(below, given)
        return next(socket for socket in node.outputs if socket.enabled)

    def _channel(self, color: Expression, index: Expression) -> bpy.types.NodeSocket:
        number = int(index.value[0])  # type: ignore[union-attr]
        if isinstance(color, Texture) and number == 3:
            return self._image(color).outputs["Alpha"]
        key = ("channels", color)
        if key not in self._made:
            node = self._node("SeparateColor")
            self._feed(node.inputs[0], color)
            self._made[key] = node.outputs[0]
        return self._made[key].node.outputs[number]

    def _image(self, texture: Texture) -> bpy.types.Node:
        key = ("image", texture)
        if key not in self._made:
            node = self._node("TexImage")
            node.image = load_image(texture.file, texture.raw)
            node.extension = _WRAPS[texture.wrap]
            node.interpolation = "Closest" if texture.closest else "Linear"
            scale, move = (*texture.scale, 1.0), (*texture.translation, 0.0)
            self._place((texture.uv, scale, texture.rotation, move), node.inputs["Vector"])
            self._made[key] = node.outputs[0]
        return self._made[key].node

    def _noise(self, noise: Noise) -> bpy.types.NodeSocket:
        node = self._node("TexNoise")
        node.noise_dimensions = "2D" if noise.uv else "3D"
        node.noise_type = "FBM"
        node.normalize = False
        for name, value in (
            ("Scale", 1.0),
            ("Detail", noise.octaves - 1),
            ("Roughness", noise.diminish),
            ("Lacunarity", noise.lacunarity),
            ("Distortion", 0.0),
        ):
            node.inputs[name].default_value = value
        place = (noise.uv, noise.scale, noise.rotation, noise.translation)
        self._place(place, node.inputs["Vector"], needed=True)
        return node.outputs[0]

    def _place(self, place: Place, socket: bpy.types.NodeSocket, needed: bool = False) -> None:
        """Link the coordinates; none are needed where the socket's own are these."""
        uv, scale, turn, move = place
        plain = (scale, turn, move) == ((1.0, 1.0, 1.0), 0.0, (0.0, 0.0, 0.0))
        if uv == "st" and plain and not needed:
            return
        if place not in self._made:
            found = self._coordinates(uv)
            if not plain:
                node = self._node("Mapping")
                self._tree.links.new(found, node.inputs["Vector"])
                node.inputs["Scale"].default_value = scale
                node.inputs["Rotation"].default_value = (0.0, 0.0, radians(turn))
                node.inputs["Location"].default_value = move
                found = node.outputs[0]
            self._made[place] = found
        self._tree.links.new(self._made[place], socket)

    def _coordinates(self, uv: str) -> bpy.types.NodeSocket:
        key = ("coordinates", uv)
        if key not in self._made:
            if uv in ("st", ""):
                node = self._node("TexCoord")
                self._made[key] = node.outputs["UV" if uv else "Object"]
            else:
                node = self._node("UVMap")
                node.uv_map = uv
                self._made[key] = node.outputs[0]
        return self._made[key]


_SIMPLE = {
    "combine": "CombineColor",
    "luminance": "RGBToBW",
    "normal_map": "NormalMap",
}


def _inputs(node: bpy.types.Node, kind: str) -> list[bpy.types.NodeSocket]:
    if kind == "NormalMap":
        return [node.inputs["Color"], node.inputs["Strength"]]
    return list(node.inputs)


def _parts(whole: Expression, name: str, neutral: float) -> tuple[Expression, Expression]:
    """The two arguments of an operation, or ``whole`` and what changes nothing."""
    if isinstance(whole, Operation) and whole.name == name and width(whole) == 1:
        first, second = whole.arguments
        return first, second
    return whole, Constant((neutral,))


def load_image(file: str, raw: bool) -> bpy.types.Image:
    """The image of a file in a colour space, loaded once; a missing one keeps its path."""
    path = Path(file)
    space = "Non-Color" if raw else "sRGB"
    for image in bpy.data.images:
        if image.filepath == str(path) and image.colorspace_settings.name == space:
            return image
    if "<UDIM>" in path.name:
        return _load_tiles(path, space)
    if file.endswith("]"):
        image = _load_packaged(file)
    elif path.is_file():
        image = bpy.data.images.load(str(path))
    else:
        image = bpy.data.images.new(path.name, 1, 1)
        image.source = "FILE"
        image.filepath = str(path)
    image.colorspace_settings.name = space
    return image


def _load_packaged(file: str) -> bpy.types.Image:
    """An image inside a .usdz (``asset.usdz[textures/wood.png]``), packed."""
    from pxr import Ar

    image = bpy.data.images.new(Path(file.rpartition("[")[2][:-1]).name, 1, 1)
    asset = Ar.GetResolver().OpenAsset(Ar.ResolvedPath(file))
    if asset is not None:
        with asset as opened:
            data = opened.GetBuffer()
            image.pack(data=data, data_len=len(data))
    image.source = "FILE"
    return image


def _load_tiles(path: Path, space: str) -> bpy.types.Image:
    image = bpy.data.images.new(path.name.replace("<UDIM>", "").strip("._"), 1, 1, tiled=True)
    image.filepath = str(path)
    for file in sorted(path.parent.glob(path.name.replace("<UDIM>", "[0-9]" * 4))):
        number = int(file.name[path.name.index("<UDIM>") :][:4])
        if number != 1001:
            image.tiles.new(number)
    image.colorspace_settings.name = space
    return image
