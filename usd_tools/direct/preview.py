# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of UsdPreviewSurface (UsdPreviewSurface Proposal 2.6).

Its texture reader multiplies and adds, once: what is no multiple of one image,
plus a constant, it cannot show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .layer_writer import LayerWriter
from .records import Attribute, Constant, Expression, Operation, Texture

_TYPES = {"diffuseColor": "color3f", "emissiveColor": "color3f", "normal": "normal3f"}
_CHANNELS = "rgba"
_Four = tuple[float, float, float, float]


@dataclass(frozen=True)
class Affine:
    """``source * scale + bias``, for each channel.

    Attributes:
        source: an image or a colour attribute.
        scale, bias: of red, green, blue and alpha.
        channel: the one that is asked for (0 red … 3 alpha), or None for the colour.
    """

    source: Texture | Attribute
    scale: _Four = (1.0, 1.0, 1.0, 1.0)
    bias: _Four = (0.0, 0.0, 0.0, 0.0)
    channel: int | None = None


def affine(expression: Expression) -> Affine | None:
    """``expression`` as a multiple of one source and a constant, or None where it is none."""
    if isinstance(expression, Texture | Attribute):
        return Affine(expression)
    if isinstance(expression, Constant):
        return None
    arguments = expression.arguments
    if expression.name == "extract":
        found, index = affine(arguments[0]), arguments[1]
        if found is None or found.channel is not None or not isinstance(index, Constant):
            return None
        return Affine(found.source, found.scale, found.bias, int(index.value[0]))
    if expression.name == "luminance":
        # Exact for images without colours, which alone have a meaning as numbers.
        found = affine(arguments[0])
        if found is None or found.channel is not None:
            return None
        return Affine(found.source, found.scale, found.bias, 0)
    if expression.name == "normal_map":
        return _normal(*arguments)
    if expression.name == "mix":
        below, above, share = arguments
        if not isinstance(share, Constant) or len(share.value) != 1:
            return None
        amount = share.value[0]
        for moving, fixed, part in ((above, below, amount), (below, above, 1 - amount)):
            found = affine(moving)
            if found is not None and isinstance(fixed, Constant):
                rest = _four(fixed, 1 - part)
                return _scaled(found, (part,) * 4, rest)
        return None
    return _arithmetic(expression)


def _arithmetic(expression: Operation) -> Affine | None:
    if len(expression.arguments) != 2:
        return None
    one, other = expression.arguments
    left, right = affine(one), affine(other)
    name = expression.name
    if left is not None and isinstance(other, Constant):
        if name == "multiply":
            return _scaled(left, _four(other), (0.0,) * 4)
        if name == "divide" and all(other.value):
            return _scaled(left, _four(Constant(tuple(1 / v for v in other.value))), (0.0,) * 4)
        if name in ("add", "subtract"):
            return _scaled(left, (1.0,) * 4, _four(other, 1.0 if name == "add" else -1.0))
    if right is not None and isinstance(one, Constant):
        if name == "multiply":
            return _scaled(right, _four(one), (0.0,) * 4)
        if name == "add":
            return _scaled(right, (1.0,) * 4, _four(one))
        if name == "subtract":
            return _scaled(right, (-1.0,) * 4, _four(one))
    return None


def _normal(color: Expression, strength: Expression) -> Affine | None:
    """A tangent-space normal, bent towards the surface's by its strength, as Blender does."""
    found = affine(color)
    if found is None or not isinstance(strength, Constant):
        return None
    (s,) = strength.value
    return _scaled(found, (2 * s, 2 * s, 2 * s, 1.0), (-s, -s, 1 - 2 * s, 0.0))


def _scaled(found: Affine, scale: tuple[float, ...], bias: tuple[float, ...]) -> Affine:
    scales = tuple(a * b for a, b in zip(found.scale, scale, strict=True))
    biases = tuple(a * b + c for a, b, c in zip(found.bias, scale, bias, strict=True))
    return Affine(found.source, scales, biases, found.channel)  # type: ignore[arg-type]


def _four(constant: Constant, factor: float = 1.0) -> tuple[float, ...]:
    value = constant.value
    four = value * 4 if len(value) == 1 else (*value, 1.0)
    return tuple(v * factor for v in four)


def fits(expression: Expression) -> bool:
    """Whether UsdPreviewSurface can show ``expression`` as it is."""
    return isinstance(expression, Constant) or affine(expression) is not None


class PreviewNetwork:
    """The shaders of one material."""

    def __init__(self, look: LayerWriter, material: str) -> None:
        self._look = look
        self._material = material
        self._prim, _ = look.define(f"{material}/PreviewSurface", "Shader")
        self._readers: dict[object, str] = {}
        self.shader_output = f"{material}/PreviewSurface.outputs:displacement"

    def surface(self, inputs: Mapping[str, Expression]) -> str:
        """Author the surface; returns the path of its output."""
        look, prim = self._look, self._prim
        look.set(prim, "info:id", "token", "UsdPreviewSurface", uniform=True)
        for name in sorted(inputs):
            self._input(name, inputs[name], _TYPES.get(name, "float"))
        look.declare(prim, "outputs:surface", "token")
        return f"{prim.path}.outputs:surface"

    def displace(self, height: Expression) -> bool:
        """Author the displacement, if it can be shown."""
        if not fits(height):
            return False
        self._input("displacement", height, "float")
        self._look.declare(self._prim, "outputs:displacement", "token")
        return True

    def _input(self, name: str, expression: Expression, type_name: str) -> None:
        if isinstance(expression, Constant):
            value = expression.value if type_name == "float" else (expression.value * 3)[:3]
            single = sum(value) / len(value)
            given = single if type_name == "float" else value
            self._look.set(self._prim, f"inputs:{name}", type_name, _plain(given))
            return
        found = affine(expression)
        if found is None:
            return
        output = "rgb" if type_name != "float" else _CHANNELS[found.channel or 0]
        if found.channel is not None and type_name != "float":
            output = _CHANNELS[found.channel]
        reader = self._reader(found)
        if isinstance(found.source, Attribute):
            output = "result"
        self._look.connect(self._prim, f"inputs:{name}", type_name, f"{reader}.outputs:{output}")

    def _reader(self, found: Affine) -> str:
        key = (found.source, found.scale, found.bias)
        if key in self._readers:
            return self._readers[key]
        if isinstance(found.source, Attribute):
            path = self._primvar_reader(found.source.name, "float3", "UsdPrimvarReader_float3")
        else:
            path = self._texture(found.source, found)
        self._readers[key] = path
        return path

    def _texture(self, texture: Texture, found: Affine) -> str:
        look = self._look
        number = sum(isinstance(key, tuple) for key in self._readers)
        prim, _ = look.define(f"{self._material}/PreviewTexture{number or ''}", "Shader")
        look.set(prim, "info:id", "token", "UsdUVTexture", uniform=True)
        look.set(prim, "inputs:file", "asset", texture.file)
        space = "raw" if texture.raw else "sRGB"
        look.set(prim, "inputs:sourceColorSpace", "token", space)
        for axis in ("wrapS", "wrapT"):
            look.set(prim, f"inputs:{axis}", "token", texture.wrap)
        if found.scale != (1.0,) * 4:
            look.set(prim, "inputs:scale", "float4", found.scale)
        if found.bias != (0.0,) * 4:
            look.set(prim, "inputs:bias", "float4", found.bias)
        look.connect(prim, "inputs:st", "float2", self._coordinates(texture))
        for channel in "rgba":
            look.declare(prim, f"outputs:{channel}", "float")
        look.declare(prim, "outputs:rgb", "float3")
        return prim.path

    def _coordinates(self, texture: Texture) -> str:
        reader = self._primvar_reader(texture.uv, "float2", "UsdPrimvarReader_float2")
        place = f"{reader}.outputs:result"
        moved = (texture.scale, texture.rotation, texture.translation)
        if moved == ((1.0, 1.0), 0.0, (0.0, 0.0)):
            return place
        key = f"{texture.uv} {moved}"
        if key not in self._readers:
            number = sum(" " in str(k) for k in self._readers if isinstance(k, str))
            prim, _ = self._look.define(
                f"{self._material}/PreviewTransform{number or ''}", "Shader"
            )
            self._look.set(prim, "info:id", "token", "UsdTransform2d", uniform=True)
            self._look.connect(prim, "inputs:in", "float2", place)
            self._look.set(prim, "inputs:scale", "float2", texture.scale)
            self._look.set(prim, "inputs:rotation", "float", texture.rotation)
            self._look.set(prim, "inputs:translation", "float2", texture.translation)
            self._look.declare(prim, "outputs:result", "float2")
            self._readers[key] = prim.path
        return f"{self._readers[key]}.outputs:result"

    def _primvar_reader(self, name: str, type_name: str, identifier: str) -> str:
        if name not in self._readers:
            number = sum(isinstance(k, str) and " " not in k for k in self._readers)
            prim, _ = self._look.define(f"{self._material}/PreviewPrimvar{number or ''}", "Shader")
            self._look.set(prim, "info:id", "token", identifier, uniform=True)
            self._look.set(prim, "inputs:varname", "string", name)
            self._look.declare(prim, "outputs:result", type_name)
            self._readers[name] = prim.path
        return self._readers[name]


def _plain(value: float | tuple[float, ...]) -> float | tuple[float, ...]:
    return float(value) if isinstance(value, int | float) else tuple(map(float, value))
