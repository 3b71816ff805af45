# SPDX-License-Identifier: GPL-3.0-or-later
"""MaterialX documents (``.mtlx``) read as networks (MaterialX Specification 1.39)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ..materialx_files import named_files
from .library import Library, materialx, node_of, port_of, standard_library
from .records import Graph, Network, Node, Note, Port


@dataclass(frozen=True, eq=False)
class Document:
    """What a file holds.

    Attributes:
        path: the file.
        networks: its materials, by name.
        library: the definitions of their nodes.
    """

    path: Path
    networks: tuple[Network, ...]
    library: Library


def open_document(path: Path) -> Any:
    """The ``MaterialX.Document`` of a file, upgraded to the library's release.

    Raises:
        StagewrightError: ``bad-mtlx`` or ``no-materialx``.
    """
    named_files(path)  # says why, if it is none
    mx = materialx()
    document = mx.createDocument()
    try:
        mx.readFromXmlFile(document, str(path), mx.FileSearchPath(str(path.parent)))
    except (mx.ExceptionParseError, mx.ExceptionFileMissing) as error:
        raise StagewrightError(
            "bad-mtlx",
            f"{path.name} cannot be read: {' '.join(str(error).split())}",
            "Write it again with the program that it comes from.",
        ) from error
    document.setDataLibrary(standard_library())
    return document


def read_document(path: Path) -> Document:
    """The materials of a file.

    Raises:
        StagewrightError: ``bad-mtlx``, ``no-material`` or ``no-materialx``.
    """
    document = open_document(path)
    graph = _graph(document, path.parent)
    nodes = _own(document, materialx().Node)
    networks = [_material(n, graph) for n in nodes if n.getType() == "material"]
    if not networks:  # old ones have shaders alone
        shaders = [n for n in nodes if n.getType() == "surfaceshader"]
        networks = [Network(n.getName(), graph, n.getName()) for n in shaders]
    if not networks:
        raise StagewrightError(
            "no-material",
            f"{path.name} has no material.",
            "Choose a document with a surfacematerial or a surface shader.",
        )
    return Document(path, tuple(networks), Library(document))


def _material(node: Any, graph: Graph) -> Network:
    ports = graph.nodes[node.getName()].inputs
    surface, displacement = (
        ports[name].node if name in ports else ""
        for name in ("surfaceshader", "displacementshader")
    )
    return Network(node.getAttribute("uiname") or node.getName(), graph, surface, displacement)


def _graph(document: Any, folder: Path) -> Graph:
    """All nodes of a document and of its nodegraphs that are no definitions."""
    nodes: dict[str, Node] = {}
    for body in (document, *_own(document, materialx().NodeGraph)):
        for node in _own(body, materialx().Node):
            name = node.getNamePath()
            ports = {port.getName(): _port(port, body, folder) for port in node.getInputs()}
            nodes[name] = node_of(node, name, ports)
    return Graph(nodes)


def _own(parent: Any, kind: Any) -> list[Any]:
    """Children of a kind; ``getNodes`` and the like would add those of the library."""
    return [child for child in parent.getChildren() if isinstance(child, kind)]


def _port(port: Any, body: Any, folder: Path) -> Port:
    """An input, past the borders of the nodegraph that it is in."""
    outer = body.getParent()
    if port.getInterfaceName() and outer is not None:
        given = body.getInput(port.getInterfaceName())
        if given is not None:
            return _port(given, outer, folder)
    found = port_of(port)
    inside = body.getNamePath()
    if port.getNodeGraphString():
        within = body.getNodeGraph(port.getNodeGraphString())
        outputs = [] if within is None else within.getOutputs()
        wanted = port.getOutputString()
        for output in outputs:
            if wanted in ("", output.getName()):
                found = replace(port_of(output), colorspace=found.colorspace)
                inside = within.getNamePath()
                break
    if found.node:
        return replace(found, node=f"{inside}/{found.node}" if inside else found.node)
    if found.type == "filename" and isinstance(found.value, str):
        path = Path(os.path.normpath(folder.absolute() / found.value))
        return replace(found, value=path.as_posix())
    return found


def validate(path: Path) -> tuple[Note, ...]:
    """What is wrong with a document by MaterialX's validator and library, node by node.

    Raises:
        StagewrightError: ``bad-mtlx`` or ``no-materialx``.
    """
    document = open_document(path)
    mx = materialx()
    found: dict[Note, None] = {}
    waiting = [(child, "") for child in reversed(document.getChildren())]
    while waiting:
        element, node = waiting.pop()
        if element.isA(mx.Node):
            node = element.getNamePath()
            for problem in _node_problems(element):
                found[Note(node, "unsupported", problem)] = None
        children = element.getChildren()
        below = {line for child in children for line in _complaints(child)}
        for line in _complaints(element):
            if line not in below:
                found[Note(node or element.getNamePath(), "unsupported", line)] = None
        waiting += [(child, node) for child in reversed(children)]
    return tuple(found)


def _complaints(element: Any) -> list[str]:
    """What the validator says, but of inputs: :func:`_node_problems` says more of them."""
    _, text = element.validate()
    lines = (line.strip().rstrip(".") for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("Node interface error: Input")]


def _node_problems(node: Any) -> Iterator[str]:
    """Inputs of a node, and their types, that no definition of it has; after its name."""
    category, kind = node.getCategory(), node.getType()
    documents = (node.getDocument(), standard_library())
    found = [d for document in documents for d in document.getMatchingNodeDefs(category)]
    if not found:
        yield f"is a {category}, which MaterialX does not define"
        return
    fitting = [definition for definition in found if kind in (definition.getType(), "multioutput")]
    types: dict[str, set[str]] = {}
    for definition in fitting or found:
        for port in definition.getActiveInputs():
            types.setdefault(port.getName(), set()).add(port.getType())
    for port in node.getInputs():
        name = port.getName()
        if name not in types:
            yield f"has the input {name}, which {category} has not"
        elif port.getType() not in types[name]:
            wanted = " or a ".join(sorted(types[name]))
            yield f"has a {port.getType()} as {name}, which is a {wanted}"
