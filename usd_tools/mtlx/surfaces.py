# SPDX-License-Identifier: GPL-3.0-or-later
"""MaterialX's surface shaders as the inputs of a Principled BSDF.

The table in :mod:`..principled` says which input is which, read backwards; what is
here is what no table holds: inputs that go into another one of Blender's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..direct.folding import channel, folded, luminance
from ..direct.records import Constant, Expression, MaterialRecord, Operation, width
from ..direct.surfaces import affine
from ..principled import TABLE, InputRow
from .library import Library
from .nodes import READERS
from .reading import NetworkReader, Scope, Unsupported
from .records import Network, Note

_COLUMNS = {
    "open_pbr_surface": "openpbr",
    "standard_surface": "standard",
    "gltf_pbr": "gltf",
    "UsdPreviewSurface": "preview",
}
_VECTORS = ("Normal", "Coat Normal")
_DEEPEST = 16  # custom surfaces made of custom ones
_ONE, _ZERO = Constant((1.0,)), Constant((0.0,))
_BLACK = Constant((0.0, 0.0, 0.0))


@dataclass(frozen=True, eq=False)
class Imported:
    """A material for Blender.

    Attributes:
        record: what feeds the inputs of a Principled BSDF.
        surface: the surface shader it was, as MaterialX calls it.
        notes: what does not arrive as it is.
    """

    record: MaterialRecord
    surface: str
    notes: tuple[Note, ...]


def import_network(network: Network, library: Library) -> Imported:
    """The material that a network is in Blender."""
    return _Surface(network, library).read()


class _Surface:
    """Reads one network; what is read of the shader leaves ``_left``."""

    def __init__(self, network: Network, library: Library) -> None:
        self._network = network
        self._reader = NetworkReader(library, READERS)
        self._library = library
        self._notes: list[Note] = []
        self._scope, self._node = Scope(network.graph), network.graph.nodes.get(network.surface)
        self._left: set[str] = set()
        self._inputs: dict[str, Expression] = {}
        self._displacement: Expression | None = None

    def read(self) -> Imported:
        self._read_displacement()
        surface = self._find_surface()
        if self._node is not None and surface:
            self._read_table(surface)
            _SPECIAL[surface](self)
            self._tell_left()
        record = MaterialRecord("", self._network.name, dict(self._inputs), self._displacement)
        notes = dict.fromkeys((*self._notes, *self._reader.notes))
        return Imported(record, surface, tuple(notes))

    def _find_surface(self) -> str:
        """The shader that is known, within the graphs of custom ones; notes where there is none."""
        while self._node is not None and self._node.category not in _COLUMNS:
            node = self._node
            graph = self._library.graph(node.definition)
            inner = next(iter(graph.outputs.values())).node if graph else ""
            if graph is None or inner not in graph.nodes or self._scope.depth > _DEEPEST:
                self._unsupported(
                    self._scope.name(node), f"({node.category}) is no surface that Blender has"
                )
                return ""
            self._scope, self._node = Scope(graph, (self._scope, node)), graph.nodes[inner]
        if self._node is None:
            self._unsupported(self._network.name, "has no surface shader")
            return ""
        self._left = set(self._node.inputs)
        return self._node.category

    def _unsupported(self, node: str, what: str) -> None:
        self._notes.append(Note(node, "unsupported", f"{node} {what}."))

    def approximate(self, name: str, how: str) -> None:
        """Note that an input of the shader looks only nearly as it did."""
        self._note("approximated", name, how)

    def _note(self, kind: Literal["rewritten", "approximated"], name: str, how: str) -> None:
        assert self._node is not None
        node = self._scope.name(self._node)
        self._notes.append(Note(node, kind, f"{node}: {name} {how}."))

    def default(self, name: str) -> Constant | None:
        """The value that an input has when none is given."""
        assert self._node is not None
        port = self._library.inputs(self._node.definition).get(name)
        value = None if port is None else port.value
        return Constant(value) if isinstance(value, tuple) else None

    def input(self, name: str) -> Expression | None:
        """What feeds an input of the shader; None for the geometry's own normal."""
        assert self._node is not None
        self._left.discard(name)
        port = self._reader.port(self._scope, self._node, name)
        if port is None or (port.geomprop and not port.node and not port.interface):
            return None
        source = self._scope.graph.nodes.get(port.node)
        if source is not None and source.category in ("normal", "tangent"):
            return None
        try:
            return self._reader.expression(self._scope, self._node, name)
        except Unsupported as lost:
            self._notes.append(
                Note(lost.node, "unsupported", f"{lost.node} {lost.what}: {name} is left out.")
            )
            return self.default(name)

    def number(self, name: str) -> Expression:
        """An input that is a number, 0 where there is none."""
        return self.input(name) or _ZERO

    def given(self, name: str) -> Expression | None:
        """What the Principled BSDF got so far."""
        return self._inputs.get(name)

    def put(self, name: str, value: Expression) -> None:
        """Give the Principled BSDF an input."""
        self._inputs[name] = value

    def _read_table(self, surface: str) -> None:
        column = _COLUMNS[surface]
        for row in TABLE:
            name = getattr(row, column)
            value = self.input(name) if name else None
            if value is None:
                continue
            if row.principled in _VECTORS:
                value = self._normal(name, value)
            elif (factor := _factor(row, column)) != 1.0:
                value = folded("multiply", value, Constant((1 / factor,)))
            if value is not None:
                self.put(row.principled, value)

    def _normal(self, name: str, value: Expression) -> Expression | None:
        """A normal, which Blender takes from a Normal Map alone."""
        if isinstance(value, Operation) and value.name == "normal_map":
            return value
        if isinstance(value, Constant):
            return None  # that of the surface
        found = affine(value)
        if found is not None and found.channel is None:
            size, shift = found.scale, found.bias
            if isinstance(size, Constant) and isinstance(shift, Constant):
                strength = size.value[0] / 2
                decoding = (2 * strength,) * 3 + (-strength, -strength, 1 - 2 * strength)
                pairs = zip((*size.value[:3], *shift.value[:3]), decoding, strict=True)
                if all(abs(a - b) < 1e-6 for a, b in pairs):
                    return Operation("normal_map", (found.source, Constant((strength,))), 3)
        assert self._node is not None
        self._unsupported(
            self._scope.name(self._node), f"has a {name} that is no normal map: it is left out"
        )
        return None

    def _read_displacement(self) -> None:
        node = self._network.graph.nodes.get(self._network.displacement)
        if node is None:
            return
        scope = Scope(self._network.graph)
        try:
            if node.category not in ("displacement", "UsdPreviewSurface"):
                raise Unsupported(node.name, f"({node.category}) is no displacement Blender has")
            height = self._reader.expression(scope, node, "displacement")
            if width(height) != 1:
                raise Unsupported(node.name, "moves the surface in three directions")
            scale = _ONE
            if node.category == "displacement":
                scale = self._reader.expression(scope, node, "scale")  # type: ignore[assignment]
            self._displacement = folded("multiply", height, scale)
        except Unsupported as lost:
            self._unsupported(lost.node, f"{lost.what}: the displacement is left out")

    def _tell_left(self) -> None:
        """Note inputs of the shader that are given, matter, and went nowhere."""
        assert self._node is not None
        node = self._scope.name(self._node)
        for name in sorted(self._left):
            port = self._node.inputs[name]
            value = port.value if not port.node else None
            default = self.default(name)
            if value is not None and default is not None and value == default.value:
                continue
            self._unsupported(node, f"has {name}, which the Principled BSDF has not")

    def tint(self, weight: str, color: str) -> None:
        """The colour of light that goes through: Blender takes the base colour for it.

        Args:
            weight: Blender's input that says how much goes through.
            color: the shader's input for its colour.
        """
        base, tinted = self.given("Base Color"), self.input(color)
        share = self.given(weight) or _ZERO
        if tinted is None or base is None or base == tinted or share == _ZERO:
            return
        if share == _ONE:
            self._note("rewritten", color, "takes the place of the base colour")
        else:
            self.approximate(color, f"is mixed with the base colour by the {weight.lower()}")
        self.put("Base Color", folded("mix", base, tinted, share))

    def displace(self, height: Expression) -> None:
        """Move the surface along its normal."""
        self._displacement = self._displacement or height

    def scale_base(self, name: str) -> None:
        """The weight of the base, which Blender has in the colour."""
        weight, base = self.input(name), self.given("Base Color")
        if weight is not None and base is not None and weight != _ONE:
            self._note("rewritten", name, "is multiplied into the base colour")
            self.put("Base Color", folded("multiply", base, weight))

    def film(self, weight: str) -> None:
        """The weight of a thin film, which Blender has not."""
        share = self.input(weight) or _ZERO
        if share == _ZERO:
            self.put("Thin Film Thickness", _ZERO)
        elif share != _ONE:
            self.approximate(weight, "is taken as 1")

    def gray_alpha(self) -> None:
        """An opacity with colours, of which Blender takes the luminance."""
        alpha = self.given("Alpha")
        if alpha is None or width(alpha) == 1:
            return
        if isinstance(alpha, Constant) and len(set(alpha.value)) == 1:
            self.put("Alpha", channel(alpha, 0))
            return
        self.approximate("opacity", "is taken without its colours")
        self.put("Alpha", luminance(alpha))


def _factor(row: InputRow, column: str) -> float:
    if column == "openpbr":
        return row.factor
    return 1.0 if column == "preview" else row.others_factor


def _open_pbr(surface: _Surface) -> None:
    surface.scale_base("base_weight")
    surface.tint("Subsurface Weight", "subsurface_color")
    surface.tint("Transmission Weight", "transmission_color")
    surface.film("thin_film_weight")


def _standard(surface: _Surface) -> None:
    surface.gray_alpha()
    surface.scale_base("base")
    surface.tint("Subsurface Weight", "subsurface_color")
    surface.tint("Transmission Weight", "transmission_color")


def _gltf(surface: _Surface) -> None:
    surface.film("iridescence")
    surface.put("Sheen Weight", _ZERO if surface.given("Sheen Tint") == _BLACK else _ONE)
    mode = surface.number("alpha_mode")
    if mode == _ZERO:
        surface.put("Alpha", _ONE)
    elif mode == _ONE:
        surface.approximate("alpha_mode", "blends instead of cutting out at alpha_cutoff")
        surface.input("alpha_cutoff")
    else:
        surface.input("alpha_cutoff")


def _preview(surface: _Surface) -> None:
    color = surface.input("emissiveColor") or _BLACK
    surface.put("Emission Color", color)
    surface.put("Emission Strength", _ZERO if color == _BLACK else _ONE)
    height = surface.input("displacement")
    if height is not None and height != _ZERO:
        surface.displace(height)


_SPECIAL: dict[str, Callable[[_Surface], None]] = {
    "open_pbr_surface": _open_pbr,
    "standard_surface": _standard,
    "gltf_pbr": _gltf,
    "UsdPreviewSurface": _preview,
}
