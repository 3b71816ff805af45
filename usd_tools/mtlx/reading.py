# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of MaterialX nodes as expressions (MaterialX Specification 1.39, "Nodes").

A node that is not known here is worked out by the graph that implements it, where
MaterialX or the document has one: ``place2d``, ``tiledimage``, ``contrast``,
``saturate`` and custom nodes need nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..direct.folding import channel, combined, folded
from ..direct.records import UNARY, Constant, Expression, width
from .library import Library
from .placing import Placing, object_placing, uv_placing
from .records import Graph, Node, Note, Port

_BINARY = ("add", "subtract", "multiply", "divide", "power", "min", "max", "modulo")
# Colour spaces whose numbers are linear Rec. 709 or no colours, and those of sRGB.
RAW = {"", "none", "raw", "lin_rec709", "lin_rec709_scene", "Utility - Raw", "linear"}
SRGB = {"srgb_texture", "srgb_rec709_scene", "sRGB", "srgb", "auto"}
_DEEPEST = 64


class Unsupported(Exception):  # noqa: N818 (told to the artist, no error)
    """A node, or something about it, that has no expression.

    Args:
        node: its name.
        what: what is the matter, after "the node NAME".
    """

    def __init__(self, node: str, what: str) -> None:
        super().__init__(node, what)
        self.node = node
        self.what = what


@dataclass(frozen=True)
class Wide:
    """A colour with an alpha."""

    color: Expression
    alpha: Expression


Result = Expression | Wide | Placing | str
"""What nodes give; places are where textures are looked up at, texts are settings."""


@dataclass(frozen=True, eq=False)
class Scope:
    """Where a node is: in a network, or in the graph that implements another node."""

    graph: Graph
    outer: tuple[Scope, Node] | None = None

    @property
    def depth(self) -> int:
        """How many graphs of definitions it is in."""
        return 0 if self.outer is None else self.outer[0].depth + 1

    def name(self, node: Node) -> str:
        """The name of a node as the artist knows it."""
        return node.name if self.outer is None else self.outer[0].name(self.outer[1])


class NetworkReader:
    """Reads what feeds the inputs of one network's nodes.

    Args:
        library: the definitions of the nodes.
        readers: what reads nodes, by their category (see :mod:`.nodes`).

    Attributes:
        notes: what is only nearly as it was.
    """

    def __init__(self, library: Library, readers: Mapping[str, NodeReader]) -> None:
        self.library = library
        self._readers = readers
        self.notes: list[Note] = []
        self._made: dict[tuple[Scope, str, str], Result] = {}
        self._depth = 0

    def approximate(self, node: str, message: str) -> None:
        """Note that ``node`` looks only nearly as it did."""
        note = Note(node, "approximated", f"{node}: {message}.")
        if note not in self.notes:
            self.notes.append(note)

    def port(self, scope: Scope, node: Node, name: str) -> Port | None:
        """An input as it is given, or the default of its definition; None where neither is."""
        given = node.inputs.get(name)
        return given or self.library.inputs(node.definition).get(name)

    def result(self, scope: Scope, node: Node, name: str) -> Result:
        """What feeds an input.

        Raises:
            Unsupported: that, or something it is made of, has no expression.
        """
        port = self.port(scope, node, name)
        if port is None:
            raise Unsupported(scope.name(node), f"has no input {name} that is known")
        return self._of_port(scope, node, port)

    def expression(self, scope: Scope, node: Node, name: str) -> Expression:
        """What feeds an input for numbers; alpha is let go."""
        found = self.result(scope, node, name)
        if isinstance(found, Wide):
            return found.color
        if isinstance(found, Placing | str):
            raise Unsupported(scope.name(node), f"has coordinates or text as {name}")
        return found

    def numbers(self, scope: Scope, node: Node, name: str) -> tuple[float, ...]:
        """The value of an input that has to be the same everywhere."""
        found = self.result(scope, node, name)
        if not isinstance(found, Constant):
            raise Unsupported(scope.name(node), f"has a changing {name}")
        return found.value

    def text(self, scope: Scope, node: Node, name: str) -> str:
        """The text of an input; "" without one."""
        port = self.port(scope, node, name)
        found = "" if port is None else self._of_port(scope, node, port)
        return found if isinstance(found, str) else ""

    def _of_port(self, scope: Scope, node: Node, port: Port) -> Result:
        if port.interface and scope.outer is not None:
            return self.result(*scope.outer, port.interface)
        if port.node:
            source = scope.graph.nodes.get(port.node)
            if source is None:
                raise Unsupported(scope.name(node), f"is fed by {port.node}, which is not there")
            return self._of_node(scope, source, port.output)
        if port.value is None:
            return self._of_geometry(scope, node, port)
        if isinstance(port.value, str):
            return port.value
        return self._constant(scope, node, port, port.value)

    def _of_geometry(self, scope: Scope, node: Node, port: Port) -> Result:
        if port.geomprop == "UV0":
            return uv_placing("st")
        if port.geomprop == "Pobject":
            return object_placing()
        if port.geomprop:
            raise Unsupported(scope.name(node), f"asks for {port.geomprop} of the geometry")
        if port.type in ("string", "filename"):
            return ""
        raise Unsupported(scope.name(node), "has an input without a value")

    def _constant(self, scope: Scope, node: Node, port: Port, value: tuple[float, ...]) -> Result:
        if port.type in ("color3", "color4") and port.colorspace not in RAW:
            if port.colorspace in SRGB:
                value = (*map(linear, value[:3]), *value[3:])
            else:
                self.approximate(
                    scope.name(node),
                    f"its colour is taken as linear Rec. 709, not as {port.colorspace}",
                )
        if len(value) == 4:
            return Wide(Constant(value[:3]), Constant(value[3:]))
        return Constant(value)

    def _of_node(self, scope: Scope, node: Node, output: str) -> Result:
        key = (scope, node.name, output)
        if key not in self._made:
            self._depth += 1
            try:
                if self._depth > _DEEPEST:
                    raise Unsupported(scope.name(node), "is one of too many in a row, or in a ring")
                self._made[key] = self._worked_out(scope, node, output)
            finally:
                self._depth -= 1
        return self._made[key]

    def _worked_out(self, scope: Scope, node: Node, output: str) -> Result:
        if node.category in _BINARY:
            one, other = (self.result(scope, node, name) for name in ("in1", "in2"))
            return self.apply(scope.name(node), node.category, one, other)
        if node.category in UNARY:
            given = self.result(scope, node, "in")
            return self.apply(scope.name(node), node.category, given)
        reader = self._readers.get(node.category)
        if reader is not None:
            return reader(self, scope, node)
        return self.of_graph(scope, node, output)

    def of_graph(self, scope: Scope, node: Node, output: str = "") -> Result:
        """What the graph gives that implements a node."""
        graph = self.library.graph(node.definition)
        if graph is None:
            raise Unsupported(scope.name(node), f"({node.category}) has no match in Blender")
        wanted = graph.outputs.get(output) or next(iter(graph.outputs.values()))
        return self._of_port(Scope(graph, (scope, node)), node, wanted)

    def apply(self, name: str, function: str, *arguments: Result) -> Result:
        """A function of what nodes give, for the node called ``name``."""
        if any(isinstance(each, Placing) for each in arguments):
            return _moved(name, function, *arguments)
        if any(isinstance(each, Wide) for each in arguments):
            wide = [each if isinstance(each, Wide) else Wide(each, each) for each in arguments]  # type: ignore[arg-type]
            color = self.apply(name, function, *(each.color for each in wide))
            alpha = self.apply(name, function, *(each.alpha for each in wide))
            return Wide(color, alpha)  # type: ignore[arg-type]
        plain = [each for each in arguments if not isinstance(each, Wide | Placing | str)]
        if len(plain) < len(arguments):
            raise Unsupported(name, "has text where numbers belong")
        return applied(function, *plain)


def applied(function: str, *arguments: Expression) -> Expression:
    """A function of colours as one of their channels, where Blender has it for numbers alone."""
    if all(isinstance(each, Constant) for each in arguments):
        return folded(function, *arguments)
    wide = any(width(each) == 3 for each in arguments)
    single = function in (*UNARY, "modulo") or (function == "power" and width(arguments[1]) == 3)
    if not wide or not single:
        return folded(function, *arguments)
    red, green, blue = (
        folded(function, *(channel(each, index) for each in arguments)) for index in range(3)
    )
    return combined((red, green, blue))


def linear(value: float) -> float:
    """A channel of sRGB, linear (IEC 61966-2-1)."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _moved(name: str, function: str, *arguments: Result) -> Placing:
    """Arithmetic of coordinates."""
    if len(arguments) == 2:
        place, by = arguments
        if isinstance(by, Placing) and function in ("add", "multiply"):
            place, by = by, place
        if isinstance(place, Placing) and isinstance(by, Constant):
            if function == "multiply":
                return place.scaled(by.value)
            if function == "divide" and all(by.value):
                return place.scaled(tuple(1 / value for value in by.value))
            if function in ("add", "subtract"):
                sign = 1 if function == "add" else -1
                return place.moved(tuple(sign * value for value in by.value))
    raise Unsupported(name, "moves an image in a way that Blender's Mapping does not")


NodeReader = Callable[[NetworkReader, Scope, Node], Result]
