# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of OpenPBR in MaterialX's standard nodes (MaterialX Specification 1.39)."""

from __future__ import annotations

from collections.abc import Mapping

from .folding import REC709, gray
from .layer_writer import LayerWriter, Prim
from .plain import set_plain, triple
from .records import (
    UNARY,
    Attribute,
    Constant,
    Expression,
    Noise,
    Operation,
    Plain,
    Texture,
    width,
)

# MaterialX's types, and USD's for them.
_TYPES = {
    "float": "float",
    "color3": "color3f",
    "color4": "color4f",
    "vector2": "float2",
    "vector3": "float3",
    "integer": "int",
    "string": "string",
    "boolean": "bool",
}
_VECTORS = {"geometry_normal", "geometry_coat_normal"}
_WRAPS = {"repeat": "periodic", "clamp": "clamp", "mirror": "mirror", "black": "constant"}
_BINARY = ("add", "subtract", "multiply", "divide", "power", "min", "max", "modulo")


class MaterialXNetwork:
    """The nodes of one material."""

    def __init__(self, look: LayerWriter, material: str) -> None:
        self._look = look
        self._material = material
        self._made: dict[object, str] = {}
        self._count = 0

    def surface(self, inputs: Mapping[str, Expression]) -> str:
        """Author the surface; returns the path of its output."""
        prim, _ = self._look.define(f"{self._material}/OpenPBR", "Shader")
        self._identify(prim, "ND_open_pbr_surface_surfaceshader")
        for name in sorted(inputs):
            kind = "color3" if width(inputs[name]) == 3 else "float"
            if name.endswith("_color") or name == "subsurface_radius_scale":
                kind = "color3"
            elif name in _VECTORS:
                kind = "vector3"
            elif name == "geometry_thin_walled":
                kind = "boolean"
            elif kind == "color3":
                kind = "float"  # as Blender makes a number of a colour
            self._input(prim, name, inputs[name], kind)
        self._look.declare(prim, "outputs:out", "token")
        return f"{prim.path}.outputs:out"

    def displacement(self, height: Expression) -> str:
        """Author a displacement along the normal; returns the path of its output."""
        prim = self._node("Displacement", "ND_displacement_float")
        self._input(prim, "displacement", height, "float")
        self._look.declare(prim, "outputs:out", "token")
        return f"{prim.path}.outputs:out"

    def _input(self, prim: Prim, name: str, expression: Expression, kind: str) -> None:
        if isinstance(expression, Plain):
            given = {"boolean": _truth, "float": _number}.get(kind, triple)
            set_plain(self._look, prim, f"inputs:{name}", _TYPES[kind], expression, given)
            return
        self._look.connect(prim, f"inputs:{name}", _TYPES[kind], self._output(expression, kind))

    def _output(self, expression: Expression, kind: str) -> str:
        """The path of an output that gives ``expression`` as ``kind``."""
        key = (expression, kind)
        if key not in self._made:
            self._made[key] = self._converted(expression, kind)
        return self._made[key]

    def _converted(self, expression: Expression, kind: str) -> str:
        own = "color3" if width(expression) == 3 else "float"
        if isinstance(expression, Operation) and expression.name == "normal_map":
            own = "vector3"
        if kind == own or (kind == "vector3" and isinstance(expression, Texture)):
            return self._made_of(expression, kind)
        if own == "float":
            return self._single(f"ND_convert_float_{kind}", kind, expression, "float")
        if kind == "float":
            prim = self._node("Convert", "ND_luminance_color3")
            self._input(prim, "in", expression, "color3")
            self._look.set(prim, "inputs:lumacoeffs", "color3f", REC709)
            return self._extracted(self._declared(prim, "color3"), "color3", 0)
        return self._single("ND_convert_color3_vector3", kind, expression, "color3")

    def _single(self, identifier: str, kind: str, expression: Expression, given: str) -> str:
        prim = self._node("Convert", identifier)
        self._input(prim, "in", expression, given)
        return self._declared(prim, kind)

    def _made_of(self, expression: Expression, kind: str) -> str:
        if isinstance(expression, Texture):
            return self._image(expression, kind)
        if isinstance(expression, Attribute):
            prim = self._node("Attribute", f"ND_geompropvalue_{kind}")
            self._look.set(prim, "inputs:geomprop", "string", expression.name)
            return self._declared(prim, kind)
        if isinstance(expression, Noise):
            return self._noise(expression)
        assert isinstance(expression, Operation)
        return self._operation(expression, kind)

    def _noise(self, noise: Noise) -> str:
        flat = bool(noise.uv)
        name = "noise" if noise.octaves == 1 else "fractal"
        prim = self._node("Noise", f"ND_{name}{'2d' if flat else '3d'}_float")
        if noise.octaves > 1:
            self._look.set(prim, "inputs:octaves", "int", noise.octaves)
            self._look.set(prim, "inputs:lacunarity", "float", noise.lacunarity)
            self._look.set(prim, "inputs:diminish", "float", noise.diminish)
        size = 2 if flat else 3
        place = self._coordinates(
            noise.uv, noise.scale[:size], noise.rotation, noise.translation[:size]
        )
        name = "texcoord" if flat else "position"
        self._look.connect(prim, f"inputs:{name}", f"float{size}", place)
        return self._declared(prim, "float")

    def _operation(self, operation: Operation, kind: str) -> str:
        name, arguments = operation.name, operation.arguments
        if name in _BINARY:
            prim = self._node(name.title(), f"ND_{name}_{kind}")
            for input_name, argument in zip(("in1", "in2"), arguments, strict=True):
                self._input(prim, input_name, argument, kind)
        elif name in UNARY:
            prim = self._node(name.title(), f"ND_{name}_{kind}")
            self._input(prim, "in", arguments[0], kind)
        elif name == "mix":
            below, above, share = arguments
            wide = width(share) == 3 and kind == "color3"
            prim = self._node("Mix", f"ND_mix_{kind}{'_color3' if wide else ''}")
            self._input(prim, "bg", below, kind)
            self._input(prim, "fg", above, kind)
            self._input(prim, "mix", share, "color3" if wide else "float")
        elif name == "clamp":
            prim = self._node("Clamp", f"ND_clamp_{kind}")
            self._input(prim, "in", arguments[0], kind)
        elif name == "combine":
            prim = self._node("Combine", "ND_combine3_color3")
            for input_name, argument in zip(("in1", "in2", "in3"), arguments, strict=True):
                self._input(prim, input_name, argument, "float")
        elif name == "normal_map":
            prim = self._node("NormalMap", "ND_normalmap_float")
            self._input(prim, "in", arguments[0], "vector3")
            self._input(prim, "scale", arguments[1], "float")
        else:
            return self._channel(operation)
        return self._declared(prim, kind)

    def _channel(self, operation: Operation) -> str:
        """``extract`` and ``luminance``."""
        source = operation.arguments[0]
        if operation.name == "luminance":
            return self._converted(source, "float")
        index = operation.arguments[1]
        assert isinstance(index, Constant)
        number = int(index.value[0])
        kind = "color4" if number == 3 else "color3"
        if isinstance(source, Texture) and source.raw and number == 0:
            return self._image(source, "float")
        if isinstance(source, Texture):
            return self._extracted(self._image(source, kind), kind, number)
        return self._extracted(self._output(source, "color3"), "color3", number)

    def _extracted(self, output: str, kind: str, index: int) -> str:
        prim = self._node("Channel", f"ND_extract_{kind}")
        self._look.connect(prim, "inputs:in", _TYPES[kind], output)
        self._look.set(prim, "inputs:index", "int", index)
        return self._declared(prim, "float")

    def _image(self, texture: Texture, kind: str) -> str:
        key = (texture, "image", kind)
        if key in self._made:
            return self._made[key]
        prim = self._node("Image", f"ND_image_{kind}")
        space = "" if texture.raw else "srgb_texture"
        self._look.set_image(prim, "inputs:file", texture.file, space)
        place = self._coordinates(texture.uv, texture.scale, texture.rotation, texture.translation)
        self._look.connect(prim, "inputs:texcoord", "float2", place)
        wrap = _WRAPS[texture.wrap]
        if wrap != "periodic":
            self._look.set(prim, "inputs:uaddressmode", "string", wrap)
            self._look.set(prim, "inputs:vaddressmode", "string", wrap)
        if texture.closest:
            self._look.set(prim, "inputs:filtertype", "string", "closest")
        self._made[key] = self._declared(prim, kind)
        return self._made[key]

    def _coordinates(
        self,
        uv: str,
        scale: tuple[float, ...],
        rotation: float,
        translation: tuple[float, ...],
    ) -> str:
        """UVs, or for "" places in object space, scaled, turned and moved."""
        key = ("uv", uv, scale, rotation, translation)
        if key in self._made:
            return self._made[key]
        kind = f"vector{len(scale)}"
        place = self._plain_coordinates(uv)
        if set(scale) != {1.0}:
            place = self._placed("multiply", kind, "in1", place, "in2", scale)
        if rotation:
            # Its angles are clockwise.
            place = self._placed("rotate2d", kind, "in", place, "amount", -rotation)
        if any(translation):
            place = self._placed("add", kind, "in1", place, "in2", translation)
        self._made[key] = place
        return place

    def _plain_coordinates(self, uv: str) -> str:
        key = ("uv", uv)
        if key not in self._made:
            identifier = "ND_geompropvalue_vector2" if uv else "ND_position_vector3"
            prim = self._node("UV" if uv else "Position", identifier)
            if uv:
                self._look.set(prim, "inputs:geomprop", "string", uv)
            self._made[key] = self._declared(prim, "vector2" if uv else "vector3")
        return self._made[key]

    def _placed(
        self,
        function: str,
        kind: str,
        first: str,
        place: str,
        second: str,
        value: float | tuple[float, ...],
    ) -> str:
        prim = self._node("Place", f"ND_{function}_{kind}")
        self._look.connect(prim, f"inputs:{first}", _TYPES[kind], place)
        given = _TYPES[kind] if isinstance(value, tuple) else "float"
        self._look.set(prim, f"inputs:{second}", given, value)
        return self._declared(prim, kind)

    def _node(self, name: str, identifier: str) -> Prim:
        self._count += 1
        prim, _ = self._look.define(f"{self._material}/OpenPBR_{name}_{self._count}", "Shader")
        self._identify(prim, identifier)
        return prim

    def _identify(self, prim: Prim, identifier: str) -> None:
        self._look.set(prim, "info:id", "token", identifier, uniform=True)

    def _declared(self, prim: Prim, kind: str) -> str:
        self._look.declare(prim, "outputs:out", _TYPES[kind])
        return f"{prim.path}.outputs:out"


def _truth(value: tuple[float, ...]) -> bool:
    return bool(value[0])


def _number(value: tuple[float, ...]) -> float:
    """Of a colour the luminance, as Blender makes a number of one."""
    return float(value[0]) if len(value) == 1 else gray(value)
