# SPDX-License-Identifier: GPL-3.0-or-later
"""Node trees of materials as expressions.

What has no expression raises :class:`Inexpressible`, which names the node; the
caller tells it and goes on with the plain value.
"""

from __future__ import annotations

from collections.abc import Callable
from math import degrees
from pathlib import Path

import bpy

from ....usd_tools.direct.folding import folded, luminance
from ....usd_tools.direct.records import (
    UNARY,
    Attribute,
    Constant,
    Expression,
    Noise,
    Operation,
    Texture,
    width,
)
from .context import StreamContext
from .images import image_file
from .names import usd_name
from .nodes import number, source, triple

_WRAPS = {"REPEAT": "repeat", "EXTEND": "clamp", "MIRROR": "mirror", "CLIP": "black"}
# Colour spaces whose numbers are linear Rec. 709, or no colours.
_RAW = {"Non-Color", "Raw", "Linear", "Linear Rec.709", "Generic Data", "Utility - Raw"}
_MATH = {
    "ADD": "add",
    "SUBTRACT": "subtract",
    "MULTIPLY": "multiply",
    "DIVIDE": "divide",
    "POWER": "power",
    "MINIMUM": "min",
    "MAXIMUM": "max",
    "FLOORED_MODULO": "modulo",
    "ABSOLUTE": "absval",
    "ARCCOSINE": "acos",
    "ARCSINE": "asin",
    "CEIL": "ceil",
    "COSINE": "cos",
    "EXPONENT": "exp",
    "FLOOR": "floor",
    "ROUND": "round",
    "SIGN": "sign",
    "SINE": "sin",
    "SQRT": "sqrt",
    "TANGENT": "tan",
}
_BLENDS = {
    "MULTIPLY": "multiply",
    "ADD": "add",
    "SUBTRACT": "subtract",
    "DIVIDE": "divide",
    "DARKEN": "min",
    "LIGHTEN": "max",
}
_ONE, _ZERO = Constant((1.0,)), Constant((0.0,))
Place = tuple[str, tuple[float, float, float], float, tuple[float, float, float]]
_STILL = (1.0, 1.0, 1.0), 0.0, (0.0, 0.0, 0.0)


class Inexpressible(Exception):  # noqa: N818 (told to the artist, no error)
    """A node, or something about it, that no network can say.

    Args:
        what: it, as it stands in a sentence.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class ShadingReader:
    """Reads the inputs of one material's nodes.

    Args:
        context: the export.
        maps: name of the UV map that renders, on the objects that have the material.
        animated: whether expressions have to be the same but for their values, whatever
            these are: other frames have other values.
    """

    def __init__(self, context: StreamContext, maps: str = "", *, animated: bool = False) -> None:
        self._context = context
        self._maps = maps
        self._animated = animated
        self._depth = 0
        self._known: dict[tuple[str, str], Expression] = {}

    def expression(self, socket: bpy.types.NodeSocket) -> Expression:
        """What feeds an input.

        Raises:
            Inexpressible: a node has no expression.
        """
        found = source(socket)
        if found is None:
            return constant(socket)
        self._depth += 1
        try:
            if self._depth > 64:
                raise Inexpressible("a chain of too many nodes")
            return self._of_output(found)
        finally:
            self._depth -= 1

    def number(self, socket: bpy.types.NodeSocket) -> Expression:
        """What feeds an input for a number: of a colour it is the luminance."""
        return luminance(self.expression(socket))

    def _of_output(self, output: bpy.types.NodeSocket) -> Expression:
        node = output.node
        if node.mute:
            raise Inexpressible(f"the muted node {_label(node)}")
        reader = _READERS.get(node.bl_idname)
        if reader is None:
            raise Inexpressible(_label(node))
        key = node.name, output.identifier
        if key not in self._known:
            self._known[key] = reader(self, node, output)
        return self._known[key]

    def _value(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        return constant(output)

    def _image(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        if node.image is None:
            raise Inexpressible(f"{_label(node)} without an image")
        if node.projection != "FLAT":
            raise Inexpressible(f"the {node.projection.lower()} projection of {_label(node)}")
        file = _missing_file(node.image) or image_file(self._context, node.image)
        if not file:
            raise Inexpressible(f"the image {node.image.name}")
        space = node.image.colorspace_settings.name
        if space not in _RAW and space != "sRGB":
            raise Inexpressible(f"the colour space {space} of the image {node.image.name}")
        uv, scale, rotation, translation = self._placing(node.inputs["Vector"])
        texture = Texture(
            file=file,
            uv=uv,
            raw=space in _RAW,
            wrap=_WRAPS[node.extension],  # type: ignore[arg-type]
            closest=node.interpolation == "Closest",
            scale=scale[:2],
            rotation=rotation,
            translation=translation[:2],
        )
        if output.name == "Alpha":
            return Operation("extract", (texture, Constant((3.0,))), 1)
        return texture

    def _noise(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        """The noise that MaterialX has too: octaves that fade, of one known place."""
        name = _label(node)
        names = ("Scale", "Detail", "Roughness", "Lacunarity", "Distortion")
        read = {name: number(node.inputs[name]) for name in names}
        flat = node.noise_dimensions == "2D"
        if node.noise_dimensions not in ("2D", "3D") or output != node.outputs[0]:
            raise Inexpressible(name)
        if node.noise_type != "FBM" or any(value is None for value in read.values()):
            raise Inexpressible(name)
        scale, detail, roughness, lacunarity, distortion = (value or 0.0 for value in read.values())
        if distortion or detail != int(detail) or not node.inputs["Vector"].is_linked:
            raise Inexpressible(name)
        uv, size, turn, move = self._placing(node.inputs["Vector"], flat)
        made: Expression = Noise(
            uv,
            int(detail) + 1,
            lacunarity if detail else 2.0,
            roughness if detail else 0.5,
            tuple(scale * part for part in size),  # type: ignore[arg-type]
            turn,
            tuple(scale * part for part in move),  # type: ignore[arg-type]
        )
        if node.normalize:
            most = sum(roughness**octave for octave in range(int(detail) + 1))
            made = folded("multiply", made, Constant((0.5 / most,)))
            made = folded("add", made, Constant((0.5,)))
        return made

    def _placing(self, socket: bpy.types.NodeSocket, flat: bool = True) -> Place:
        """What places a texture: a UV primvar, or "" for places on the object if not ``flat``.

        With it, how that is scaled, turned and moved.
        """
        found = source(socket)
        if found is None:
            return "st", *_STILL
        node = found.node
        if node.bl_idname == "ShaderNodeMapping":
            return self._mapped(node, flat)
        if node.bl_idname == "ShaderNodeUVMap" and not node.from_instancer and flat:
            plain = not node.uv_map or node.uv_map == self._maps
            return "st" if plain else usd_name(node.uv_map), *_STILL
        if node.bl_idname == "ShaderNodeTexCoord" and node.object is None:
            if found.name == ("UV" if flat else "Object"):
                return "st" if flat else "", *_STILL
        raise Inexpressible(f"the coordinates of {_label(node)}")

    def _mapped(self, node: bpy.types.Node, flat: bool) -> Place:
        uv, *below = self._placing(node.inputs["Vector"], flat)
        place, turn, size = (triple(node.inputs[n]) for n in ("Location", "Rotation", "Scale"))
        level = turn is not None and not turn[0] and not turn[1] and (flat or not turn[2])
        if (
            node.vector_type != "POINT"
            or place is None
            or not level
            or size is None
            or turn is None
        ):
            raise Inexpressible(f"the way that {_label(node)} moves an image")
        if tuple(below) != _STILL:
            raise Inexpressible("two Mapping nodes in a row")
        if flat:
            size, place = (*size[:2], 1.0), (*place[:2], 0.0)
        return uv, size, degrees(turn[2]), place

    def _attribute(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        name = node.layer_name if node.bl_idname == "ShaderNodeVertexColor" else node.attribute_name
        if not name or output.name != "Color":
            raise Inexpressible(f"the {output.name.lower()} of {_label(node)}")
        if getattr(node, "attribute_type", "GEOMETRY") != "GEOMETRY":
            raise Inexpressible(f"an attribute of the {node.attribute_type.lower()}")
        return Attribute(usd_name(name))

    def _separate(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        if getattr(node, "mode", "RGB") != "RGB":
            raise Inexpressible(f"{_label(node)} of {node.mode}")
        index = next(i for i, other in enumerate(node.outputs) if other == output)
        color = self.expression(node.inputs[0])
        if isinstance(color, Constant):
            return Constant((color.value[min(index, len(color.value) - 1)],))
        return Operation("extract", (color, Constant((float(index),))), 1)

    def _combine(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        if getattr(node, "mode", "RGB") != "RGB":
            raise Inexpressible(f"{_label(node)} of {node.mode}")
        return Operation("combine", tuple(self.number(node.inputs[i]) for i in range(3)), 3)

    def _invert(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        color = self.expression(node.inputs["Color"])
        wide = width(color)
        turned = Operation("subtract", (Constant((1.0,) * wide), color), wide)
        return self._mixed(color, turned, self.number(node.inputs[0]))

    def _math(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        sockets = [self.number(s) for s in node.inputs if s.enabled]
        if node.operation == "MULTIPLY_ADD":
            product = Operation("multiply", (sockets[0], sockets[1]), 1)
            made = Operation("add", (product, sockets[2]), 1)
        elif node.operation in _MATH:
            name = _MATH[node.operation]
            made = Operation(name, tuple(sockets[: 1 if name in UNARY else 2]), 1)
        elif node.operation == "LOGARITHM" and isinstance(sockets[1], Constant):
            base = folded("ln", sockets[1])
            near = isinstance(base, Constant) and abs(base.value[0] - 1) < 1e-6
            natural = Operation("ln", (sockets[0],), 1)
            made = natural if near else Operation("divide", (natural, base), 1)
        else:
            raise Inexpressible(f"the operation {node.operation.replace('_', ' ').title()}")
        return Operation("clamp", (made,), 1) if node.use_clamp else made

    def _mix(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        """The Mix node, of colours and of numbers, and its forerunner."""
        if node.bl_idname == "ShaderNodeMixRGB":
            share, below, above = (node.inputs[i] for i in range(3))
            clamped, wide = node.use_clamp, 3
        else:
            if node.data_type not in ("RGBA", "FLOAT") or node.factor_mode != "UNIFORM":
                raise Inexpressible(f"{_label(node)} of vectors")
            share, below, above = (s for s in node.inputs if s.enabled)
            clamped = node.data_type == "RGBA" and node.clamp_result
            wide = 3 if node.data_type == "RGBA" else 1
        read = self.expression if wide == 3 else self.number
        one, other, amount = read(below), read(above), self.number(share)
        blend = "MIX" if wide == 1 else node.blend_type
        if blend in _BLENDS:
            other = Operation(_BLENDS[blend], (one, other), 3)
        elif blend == "SCREEN":
            white = Constant((1.0, 1.0, 1.0))
            dark = [Operation("subtract", (white, part), 3) for part in (one, other)]
            other = Operation("subtract", (white, Operation("multiply", tuple(dark), 3)), 3)
        elif blend != "MIX":
            raise Inexpressible(f"the blend mode {blend.replace('_', ' ').title()}")
        made = self._mixed(one, other, amount)
        return Operation("clamp", (made,), width(made)) if clamped else made

    def _mixed(self, below: Expression, above: Expression, share: Expression) -> Expression:
        if share == _ONE and not self._animated:
            return above
        if share == _ZERO and not self._animated:
            return below
        return Operation("mix", (below, above, share), max(width(below), width(above)))

    def _gray(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        return self.number(node.inputs[0])

    def _gamma(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        color, power = self.expression(node.inputs[0]), self.number(node.inputs[1])
        return Operation("power", (color, power), 3)

    def _clamp(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        low, high = self.number(node.inputs["Min"]), self.number(node.inputs["Max"])
        value = self.number(node.inputs["Value"])
        if (low, high) == (_ZERO, _ONE) and not self._animated:
            return Operation("clamp", (value,), 1)
        return Operation("min", (Operation("max", (value, low), 1), high), 1)

    def _map_range(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        if node.data_type != "FLOAT" or node.interpolation_type != "LINEAR":
            raise Inexpressible(f"{_label(node)} that is not linear")
        names = ("Value", "From Min", "From Max", "To Min", "To Max")
        value, *ends = (self.number(node.inputs[name]) for name in names)
        if not all(isinstance(end, Constant) for end in ends):
            raise Inexpressible(f"{_label(node)} between changing ends")
        a, b, c, d = (end.value[0] for end in ends if isinstance(end, Constant))
        if a == b:
            raise Inexpressible(f"{_label(node)} of an empty range")
        slope = Constant(((d - c) / (b - a),))
        moved = Operation("multiply", (value, slope), 1)
        made = Operation("add", (moved, Constant((c - a * slope.value[0],))), 1)
        if not node.clamp:
            return made
        low, high = Constant((min(c, d),)), Constant((max(c, d),))
        return Operation("min", (Operation("max", (made, low), 1), high), 1)

    def _normal_map(self, node: bpy.types.Node, output: bpy.types.NodeSocket) -> Expression:
        if node.space != "TANGENT":
            raise Inexpressible(f"{_label(node)} in {node.space.lower().replace('_', ' ')} space")
        color, strength = (
            self.expression(node.inputs["Color"]),
            self.number(node.inputs["Strength"]),
        )
        if isinstance(color, Constant):
            raise Inexpressible(f"{_label(node)} without an image")
        return Operation("normal_map", (color, strength), 3)


def _missing_file(image: bpy.types.Image) -> str:
    """The path of a file that is not there: it is written, so that the check names it."""
    if image.source != "FILE" or image.packed_file or not image.filepath:
        return ""
    file = Path(bpy.path.abspath(image.filepath, library=image.library))
    return "" if file.is_file() else file.absolute().as_posix()


_Reader = Callable[[ShadingReader, bpy.types.Node, bpy.types.NodeSocket], Expression]
_READERS: dict[str, _Reader] = {
    "ShaderNodeValue": ShadingReader._value,
    "ShaderNodeRGB": ShadingReader._value,
    "ShaderNodeTexImage": ShadingReader._image,
    "ShaderNodeTexNoise": ShadingReader._noise,
    "ShaderNodeAttribute": ShadingReader._attribute,
    "ShaderNodeVertexColor": ShadingReader._attribute,
    "ShaderNodeSeparateColor": ShadingReader._separate,
    "ShaderNodeSeparateRGB": ShadingReader._separate,
    "ShaderNodeCombineColor": ShadingReader._combine,
    "ShaderNodeInvert": ShadingReader._invert,
    "ShaderNodeMath": ShadingReader._math,
    "ShaderNodeMix": ShadingReader._mix,
    "ShaderNodeMixRGB": ShadingReader._mix,
    "ShaderNodeRGBToBW": ShadingReader._gray,
    "ShaderNodeGamma": ShadingReader._gamma,
    "ShaderNodeClamp": ShadingReader._clamp,
    "ShaderNodeMapRange": ShadingReader._map_range,
    "ShaderNodeNormalMap": ShadingReader._normal_map,
}


def constant(socket: bpy.types.NodeSocket) -> Constant:
    """The value of an unlinked socket."""
    value = socket.default_value
    if isinstance(value, bool | int | float):
        return Constant((float(value),))
    return Constant(tuple(float(part) for part in tuple(value)[:3]))


def _label(node: bpy.types.Node) -> str:
    return f"the node {node.label or node.bl_label}"
