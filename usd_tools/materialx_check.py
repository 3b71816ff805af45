# SPDX-License-Identifier: GPL-3.0-or-later
"""MaterialX nodes beside MaterialX's own definitions, in documents and on the stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pxr import Usd, UsdShade

from ..jobs.errors import StagewrightError
from .findings import Finding
from .mtlx.document import validate
from .mtlx.library import standard_library

_NODE = "ND_"
_CURE = "Correct it in the program that it was made with, or write it for this MaterialX."

# Types of USD for those of MaterialX (OpenUSD's UsdMtlx); what is not here is not judged.
_TYPES = {
    "float": {"float"},
    "integer": {"int"},
    "boolean": {"bool"},
    "string": {"string", "token"},
    "filename": {"asset"},
    "color3": {"color3f"},
    "color4": {"color4f"},
    "vector2": {"float2"},
    "vector3": {"float3", "vector3f", "normal3f", "point3f"},
    "vector4": {"float4"},
    "matrix33": {"matrix3d"},
    "matrix44": {"matrix4d"},
}


def check_materialx(stage: Usd.Stage, files: Iterable[Path]) -> Iterator[Finding]:
    """Nodes, inputs and types that MaterialX does not define.

    Args:
        stage: its shaders called ``ND_…`` are looked at.
        files: the files of an asset; those called ``.mtlx`` are.
    """
    documents = [file for file in sorted(files) if file.suffix.lower() == ".mtlx"]
    shaders = [shader for shader in map(UsdShade.Shader, stage.Traverse()) if _is_node(shader)]
    if not documents and not shaders:
        return
    try:
        library = standard_library()
    except StagewrightError:
        yield Finding(
            "materialx",
            "info",
            "MaterialX nodes were not checked: this Python has no MaterialX library.",
            "Run the check in Blender, or install one with: pip install MaterialX.",
        )
        return
    for shader in shaders:
        for message in _shader_problems(shader, library):
            path = str(shader.GetPath())
            yield Finding("materialx", "error", f"{path} {message}.", _CURE, prim=path)
    for file in documents:
        for message in _document_problems(file):
            yield Finding("materialx", "error", f"{file.name}: {message}.", _CURE, layer=file.name)


def _is_node(shader: UsdShade.Shader) -> bool:
    return bool(shader) and str(shader.GetIdAttr().Get()).startswith(_NODE)


def _shader_problems(shader: UsdShade.Shader, library: Any) -> Iterator[str]:
    name = shader.GetIdAttr().Get()
    definition = library.getNodeDef(name)
    if definition is None:
        yield f"is a {name}, which MaterialX does not define"
        return
    inputs = {port.getName(): port.getType() for port in definition.getActiveInputs()}
    for port in shader.GetInputs():
        kind = inputs.get(port.GetBaseName())
        if kind is None:
            yield f"has the input {port.GetBaseName()}, which {name} has not"
        elif kind in _TYPES and str(port.GetTypeName()) not in _TYPES[kind]:
            yield f"has a {port.GetTypeName()} as {port.GetBaseName()}, which is a {kind}"


def _document_problems(file: Path) -> Iterator[str]:
    try:
        for problem in validate(file):
            yield f"{problem.node} {problem.message}"
    except StagewrightError as error:
        yield error.message.rstrip(".")
