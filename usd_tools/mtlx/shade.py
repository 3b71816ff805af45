# SPDX-License-Identifier: GPL-3.0-or-later
"""USD's networks of MaterialX nodes (UsdShade with ``ND_…`` identifiers)."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from pxr import Sdf, UsdShade

from .library import Library
from .records import Graph, Network, Node, Port, Value

_TYPES = {
    "float": "float",
    "int": "integer",
    "bool": "boolean",
    "color3f": "color3",
    "color4f": "color4",
    "float2": "vector2",
    "float3": "vector3",
    "vector3f": "vector3",
    "normal3f": "vector3",
    "float4": "vector4",
    "string": "string",
    "token": "string",
    "asset": "filename",
}
# What USD's own nodes are called there.
_USD_NODES = {
    "UsdPreviewSurface": "ND_UsdPreviewSurface_surfaceshader",
    "UsdUVTexture": "ND_UsdUVTexture",
    "UsdTransform2d": "ND_UsdTransform2d",
    "UsdPrimvarReader_float": "ND_UsdPrimvarReader_float",
    "UsdPrimvarReader_float2": "ND_UsdPrimvarReader_vector2",
    "UsdPrimvarReader_float3": "ND_UsdPrimvarReader_vector3",
}
CONTEXT = "mtlx"
"""The render context of MaterialX's outputs of a material."""


def is_materialx(material: UsdShade.Material) -> bool:
    """Whether a material has a surface of MaterialX nodes."""
    output = material.GetSurfaceOutput(CONTEXT)
    return bool(output) and output.HasConnectedSource()


def read_material(material: UsdShade.Material, library: Library) -> Network:
    """The network of a material: MaterialX's where it has one, else UsdPreviewSurface's."""
    reader = _Reader(material, library)
    context = CONTEXT if is_materialx(material) else ""
    surface = reader.root(material.GetSurfaceOutput(context))
    displacement = reader.root(material.GetDisplacementOutput(context))
    return Network(material.GetPrim().GetName(), Graph(reader.nodes), surface, displacement)


class _Reader:
    def __init__(self, material: UsdShade.Material, library: Library) -> None:
        self._path = material.GetPath()
        self._library = library
        self.nodes: dict[str, Node] = {}

    def root(self, output: UsdShade.Output) -> str:
        """Read what feeds an output of the material; returns the name of its node."""
        for attribute in UsdShade.Utils.GetValueProducingAttributes(output) if output else ():
            shader = UsdShade.Shader(attribute.GetPrim())
            if shader:
                self._collect(shader)
                return self._name(shader)
        return ""

    def _collect(self, shader: UsdShade.Shader) -> None:
        waiting = [shader]
        while waiting:
            shader = waiting.pop()
            name = self._name(shader)
            if name in self.nodes:
                continue
            identifier = str(shader.GetShaderId())
            definition = _USD_NODES.get(identifier, identifier)
            category = self._library.category(definition) or identifier
            ports = {}
            for port in shader.GetInputs():
                ports[port.GetBaseName()], source = self._port(port)
                waiting += [source] if source else []
            self.nodes[name] = Node(name, category, definition, ports)

    def _name(self, shader: UsdShade.Shader) -> str:
        return str(shader.GetPath().MakeRelativePath(self._path))

    def _port(self, port: UsdShade.Input) -> tuple[Port, UsdShade.Shader | None]:
        kind = _TYPES.get(str(port.GetTypeName()), str(port.GetTypeName()))
        for attribute in UsdShade.Utils.GetValueProducingAttributes(port):
            shader = UsdShade.Shader(attribute.GetPrim())
            name, role = UsdShade.Utils.GetBaseNameAndType(attribute.GetName())
            if shader and role == UsdShade.AttributeType.Output:
                return Port(kind, node=self._name(shader), output=name), shader
            return Port(kind, _value(attribute), colorspace=attribute.GetColorSpace()), None
        return Port(kind), None


def _value(attribute: Any) -> Value | None:
    value = attribute.Get()
    if value is None:
        return None
    if isinstance(value, Sdf.AssetPath):
        return value.resolvedPath or _anchored(attribute, value.path)
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return (float(value),)
    return tuple(float(part) for part in value)


def _anchored(attribute: Any, path: str) -> str:
    """A path that leads to no file, from the layer that says it."""
    specs = (spec for spec in attribute.GetPropertyStack() if spec.HasDefaultValue())
    layer = next((spec.layer.realPath for spec in specs), "")
    return (PurePath(layer).parent / path).as_posix() if layer else path
