# SPDX-License-Identifier: GPL-3.0-or-later
"""MaterialX nodes beside MaterialX's own definitions, in documents and on the stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pxr import Usd, UsdShade

from .findings import Finding

_NODE = "ND_"
# What MaterialX says of a node's inputs and types is told here by node and input.
_SAID_BY_NODE = "Node interface error"
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
        library = _library()
    except ModuleNotFoundError:
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
        for message in _document_problems(file, library):
            yield Finding("materialx", "error", f"{file.name}: {message}.", _CURE, layer=file.name)


@cache
def _library() -> Any:
    """The document with all definitions that come with MaterialX; raises ModuleNotFoundError."""
    import MaterialX

    library = MaterialX.createDocument()
    MaterialX.loadLibraries(
        MaterialX.getDefaultDataLibraryFolders(), MaterialX.getDefaultDataSearchPath(), library
    )
    return library


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


def _document_problems(file: Path, library: Any) -> Iterator[str]:
    import MaterialX

    document = MaterialX.createDocument()
    try:
        MaterialX.readFromXmlFile(document, str(file))
        document.setDataLibrary(library)
        _, said = document.validate()
    except (MaterialX.Exception, MaterialX.ExceptionParseError) as error:
        yield f"it cannot be read: {error}"
        return
    for element in document.traverseTree():
        if element.isA(MaterialX.Node):
            yield from _node_problems(element, [document, library])
    for line in said.splitlines():
        if not line.startswith(_SAID_BY_NODE):
            yield line.strip().rstrip(".")


def _node_problems(node: Any, documents: list[Any]) -> Iterator[str]:
    category, kind = node.getCategory(), node.getType()
    found = [d for document in documents for d in document.getMatchingNodeDefs(category)]
    if not found:
        yield f"{node.getNamePath()} is a {category}, which MaterialX does not define"
        return
    fitting = [definition for definition in found if kind in (definition.getType(), "multioutput")]
    types: dict[str, set[str]] = {}
    for definition in fitting or found:
        for port in definition.getActiveInputs():
            types.setdefault(port.getName(), set()).add(port.getType())
    for port in node.getInputs():
        name = port.getName()
        if name not in types:
            yield f"{node.getNamePath()} has the input {name}, which {category} has not"
        elif port.getType() not in types[name]:
            wanted = " or a ".join(sorted(types[name]))
            yield f"{node.getNamePath()} has a {port.getType()} as {name}, which is a {wanted}"
