# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of MaterialX nodes as plain records, wherever they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = tuple[float, ...] | str
NUMBERS = {
    "float": 1,
    "integer": 1,
    "boolean": 1,
    "vector2": 2,
    "color3": 3,
    "vector3": 3,
    "color4": 4,
    "vector4": 4,
}
"""Types that are numbers, and how many."""


@dataclass(frozen=True)
class Port:
    """An input of a node, or an output of a graph.

    Attributes:
        type: MaterialX's name of its type.
        value: numbers, or a text; files are absolute paths. None without one.
        node: name of the node that feeds it, or "".
        output: name of that node's output.
        interface: name of the input of the definition around it that feeds it, or "".
        geomprop: what of the geometry feeds it by default (``"UV0"``), or "".
        colorspace: of the value, as MaterialX calls it, or "".
    """

    type: str
    value: Value | None = None
    node: str = ""
    output: str = ""
    interface: str = ""
    geomprop: str = ""
    colorspace: str = ""


@dataclass(frozen=True, eq=False)
class Node:
    """A node.

    Attributes:
        name: unique in its graph; with the nodegraph it is in (``"NG_wood/image"``).
        category: what it does (``"image"``).
        definition: name of its nodedef (``"ND_image_color3"``), "" when none fits.
        inputs: those that are given.
    """

    name: str
    category: str
    definition: str
    inputs: Mapping[str, Port] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes that feed each other; ``outputs`` are those of a definition."""

    nodes: Mapping[str, Node]
    outputs: Mapping[str, Port] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Network:
    """A material.

    Attributes:
        name: its own.
        graph: all nodes around it.
        surface: name of the surface shader's node, or "".
        displacement: name of the displacement shader's node, or "".
    """

    name: str
    graph: Graph
    surface: str = ""
    displacement: str = ""


@dataclass(frozen=True)
class Note:
    """Something that does not arrive as it is.

    Attributes:
        node: name of the node.
        kind: ``rewritten`` looks the same, ``approximated`` nearly so, ``unsupported``
            is left out.
        message: one sentence that names it.
    """

    node: str
    kind: Literal["rewritten", "approximated", "unsupported"]
    message: str
