# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of UsdPreviewSurface (UsdPreviewSurface Proposal 2.6)."""

from __future__ import annotations

from collections.abc import Mapping

from .layer_writer import LayerWriter
from .plain import set_plain, triple
from .records import Attribute, Constant, Expression, Plain, Texture
from .surfaces import Affine, affine, fits

_TYPES = {"diffuseColor": "color3f", "emissiveColor": "color3f", "normal": "normal3f"}
_CHANNELS = "rgba"


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
        if isinstance(expression, Plain):
            given = _mean if type_name == "float" else triple
            set_plain(self._look, self._prim, f"inputs:{name}", type_name, expression, given)
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
        for name, value, neutral in (("scale", found.scale, 1.0), ("bias", found.bias, 0.0)):
            if value != Constant((neutral,) * 4):
                set_plain(look, prim, f"inputs:{name}", "float4", value, tuple)
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


def _mean(value: tuple[float, ...]) -> float:
    return float(sum(value) / len(value))
