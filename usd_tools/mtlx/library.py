# SPDX-License-Identifier: GPL-3.0-or-later
"""MaterialX's own definitions of nodes: their inputs, and the graphs that implement them."""

from __future__ import annotations

from functools import cache
from typing import Any

from ...jobs.errors import StagewrightError
from .records import NUMBERS, Graph, Node, Port, Value


def materialx() -> Any:
    """The module ``MaterialX``.

    Raises:
        StagewrightError: ``no-materialx``.
    """
    try:
        import MaterialX
    except ModuleNotFoundError as error:
        raise StagewrightError(
            "no-materialx",
            "There is no MaterialX library in this Python.",
            "Run this in Blender, which brings one, or install it with: pip install MaterialX.",
        ) from error
    return MaterialX


@cache
def standard_library() -> Any:
    """The document with all definitions that come with MaterialX."""
    mx = materialx()
    document = mx.createDocument()
    mx.loadLibraries(mx.getDefaultDataLibraryFolders(), mx.getDefaultDataSearchPath(), document)
    return document


class Library:
    """Definitions by their names: a document's own, and MaterialX's.

    Args:
        document: a ``MaterialX.Document`` whose definitions count, too.
    """

    def __init__(self, document: Any = None) -> None:
        self._documents = [d for d in (document, standard_library()) if d is not None]
        self._ports: dict[str, dict[str, Port]] = {}
        self._graphs: dict[str, Graph | None] = {}

    def _definition(self, name: str) -> Any:
        found = (document.getNodeDef(name) for document in self._documents)
        return next((each for each in found if each is not None), None)

    def category(self, definition: str) -> str:
        """What nodes of a definition do, or ""."""
        found = self._definition(definition)
        return "" if found is None else str(found.getNodeString())

    def inputs(self, definition: str) -> dict[str, Port]:
        """The inputs of a definition with their defaults; none of an unknown one."""
        if definition not in self._ports:
            found = self._definition(definition)
            ports = [] if found is None else found.getActiveInputs()
            self._ports[definition] = {port.getName(): port_of(port) for port in ports}
        return self._ports[definition]

    def graph(self, definition: str) -> Graph | None:
        """The graph that implements a definition, or None where none does."""
        if definition not in self._graphs:
            found = self._definition(definition)
            body = None if found is None else found.getImplementation()
            mx = materialx()
            self._graphs[definition] = graph_of(body) if isinstance(body, mx.NodeGraph) else None
        return self._graphs[definition]


def graph_of(body: Any) -> Graph:
    """The graph of a definition, whose inputs stay open."""
    nodes = {node.getName(): node_of(node) for node in body.getNodes()}
    return Graph(nodes, {port.getName(): port_of(port) for port in body.getOutputs()})


def node_of(node: Any, name: str = "", inputs: dict[str, Port] | None = None) -> Node:
    """A ``MaterialX.Node`` as a record.

    Args:
        node: the node.
        name: the name it gets, its own when "".
        inputs: its ports, read here when None.
    """
    found = node.getNodeDef()
    if found is None:  # inputs that it has not keep a node from its definition
        plain = f"ND_{node.getCategory()}_{node.getType()}"
        found = standard_library().getNodeDef(plain)
    if inputs is None:
        inputs = {port.getName(): port_of(port) for port in node.getInputs()}
    return Node(
        name or node.getName(),
        node.getCategory(),
        "" if found is None else found.getName(),
        inputs,
    )


def port_of(port: Any) -> Port:
    """A ``MaterialX.Input`` or ``Output`` as a record, what it is connected to by local names."""
    kind = port.getType()
    value: Value | None = None
    if port.getValueString() or kind in ("string", "filename"):
        text = port.getResolvedValueString()
        value = value_of(kind, text) if text else None
    default = getattr(port, "getDefaultGeomPropString", str)()
    return Port(
        kind,
        value,
        port.getNodeName(),
        port.getOutputString(),
        port.getInterfaceName(),
        default,
        port.getActiveColorSpace(),
    )


def value_of(kind: str, text: str) -> Value:
    """The value that ``text`` stands for."""
    if kind not in NUMBERS:
        return text
    if kind == "boolean":
        return (float(text.strip() == "true"),)
    return tuple(float(part) for part in text.split(","))
