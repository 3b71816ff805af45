# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's shader nodes as arithmetic: ``graph.noise(6) * 0.5 + graph.value(1)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Wire:
    """An output of a node; arithmetic on it adds Math nodes."""

    graph: Graph
    socket: Any

    def __add__(self, other: Wire | float) -> Wire:
        return self.graph.math("ADD", self, other)

    def __sub__(self, other: Wire | float) -> Wire:
        return self.graph.math("SUBTRACT", self, other)

    def __mul__(self, other: Wire | float) -> Wire:
        return self.graph.math("MULTIPLY", self, other)

    def inverted(self) -> Wire:
        """One minus this."""
        return self.graph.math("SUBTRACT", 1.0, self)

    def below(self, other: Wire | float) -> Wire:
        """The lesser of both."""
        return self.graph.math("MINIMUM", self, other)

    def above(self, other: Wire | float) -> Wire:
        """The greater of both."""
        return self.graph.math("MAXIMUM", self, other)

    def step(self, low: float, high: float, out: tuple[float, float] = (0.0, 1.0)) -> Wire:
        """A smooth step between ``low`` and ``high``, scaled to ``out``."""
        return self._mapped("SMOOTHSTEP", low, high, out)

    def span(self, low: float, high: float) -> Wire:
        """What is 0 to 1, as ``low`` to ``high``, held within them."""
        return self._mapped("LINEAR", 0.0, 1.0, (low, high))

    def ramp(self, *stops: tuple[float, Colour]) -> Wire:
        """A Color Ramp of linear colours."""
        node = self.graph.node("ValToRGB", {0: self})
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (at, colour) in zip(elements, stops, strict=True):
            element.position = at
            element.color = (*colour, 1)
        return Wire(self.graph, node.outputs[0])

    def _mapped(self, kind: str, low: float, high: float, out: tuple[float, float]) -> Wire:
        node = self.graph.node(
            "MapRange", {0: self, 1: low, 2: high, 3: out[0], 4: out[1]}, interpolation_type=kind
        )
        return Wire(self.graph, node.outputs[0])


class Graph:
    """The nodes of one material or world.

    Args:
        tree: an empty node tree.
        place: the node and output of what the patterns are laid on.
    """

    def __init__(self, tree: Any, place: tuple[str, str]) -> None:
        self.tree = tree
        self.place = Wire(self, self.node(place[0], {}).outputs[place[1]])

    def node(self, kind: str, inputs: dict[int | str, Any], **settings: Any) -> Any:
        """A node of ``ShaderNode<kind>`` with its settings, inputs linked or set."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, value in settings.items():
            setattr(node, name, value)
        for key, value in inputs.items():
            if isinstance(value, Wire):
                self.tree.links.new(value.socket, node.inputs[key])
            else:
                node.inputs[key].default_value = value
        return node

    def math(self, operation: str, one: Wire | float, other: Wire | float = 0.0) -> Wire:
        """A Math node."""
        return Wire(self, self.node("Math", {0: one, 1: other}, operation=operation).outputs[0])

    def blend(self, factor: Wire, one: Wire | Colour, other: Wire | Colour) -> Wire:
        """Colours mixed: ``one`` where the factor is 0."""
        sides = [side if isinstance(side, Wire) else (*side, 1.0) for side in (one, other)]
        inputs = {0: factor, 6: sides[0], 7: sides[1]}
        return Wire(self, self.node("Mix", inputs, data_type="RGBA").outputs[2])

    def lerp(self, factor: Wire, one: Wire | float, other: Wire | float) -> Wire:
        """Values mixed: ``one`` where the factor is 0."""
        return Wire(self, self.node("Mix", {0: factor, 2: one, 3: other}).outputs[0])

    def placed(self, scale: Sequence[float], turn: float = 0.0) -> Wire:
        """The place turned about z by ``turn`` radians, then scaled."""
        turned = self.node("Mapping", {"Vector": self.place, "Rotation": (0.0, 0.0, turn)})
        scaled = {"Vector": Wire(self, turned.outputs[0]), "Scale": tuple(scale)}
        return Wire(self, self.node("Mapping", scaled).outputs[0])

    def noise(
        self,
        scale: float,
        detail: float = 2.0,
        kind: str = "FBM",
        at: Wire | None = None,
        **inputs: float,
    ) -> Wire:
        """Noise of one of the Musgrave kinds; FBM is about 0 to 1."""
        values = {"Vector": at or self.place, "Scale": scale, "Detail": detail, **inputs}
        return Wire(self, self.node("TexNoise", values, noise_type=kind).outputs[0])

    def voronoi(
        self,
        scale: float,
        feature: str = "F1",
        output: str = "Distance",
        randomness: float = 1.0,
        at: Wire | None = None,
    ) -> Wire:
        """Cells of Voronoi in the plane: a distance or a colour of each."""
        values = {"Vector": at or self.place, "Scale": scale, "Randomness": randomness}
        node = self.node("TexVoronoi", values, feature=feature, voronoi_dimensions="2D")
        return Wire(self, node.outputs[output])

    def white(self, at: Wire) -> Wire:
        """A random value from 0 to 1 for each different place."""
        return Wire(self, self.node("TexWhiteNoise", {"Vector": at}).outputs[0])

    def wave(
        self, scale: float, kind: str = "BANDS", at: Wire | None = None, **inputs: Any
    ) -> Wire:
        """Sine bands along x, or rings, 0 to 1."""
        values = {"Vector": at or self.place, "Scale": scale, **inputs}
        return Wire(self, self.node("TexWave", values, wave_type=kind).outputs[1])

    def magic(self, scale: float, depth: int, distortion: float) -> Wire:
        """The Magic texture's mean of colours."""
        values = {"Vector": self.place, "Scale": scale, "Distortion": distortion}
        return Wire(self, self.node("TexMagic", values, turbulence_depth=depth).outputs[1])

    def gabor(self, scale: float, frequency: float, anisotropy: float) -> Wire:
        """Gabor noise in the plane, about 0 to 1."""
        values = {"Scale": scale, "Frequency": frequency, "Anisotropy": anisotropy}
        node = self.node("TexGabor", {"Vector": self.place, **values}, gabor_type="2D")
        return Wire(self, node.outputs[0])

    def bricks(
        self, scale: float, mortar: float, smooth: float, offset: float = 0.5, width: float = 0.5
    ) -> tuple[Wire, Wire]:
        """How much each place is mortar, and a grey from 0 to 1 for each brick."""
        values = {
            "Vector": self.place,
            "Color1": (0.0, 0.0, 0.0, 1.0),
            "Color2": (1.0, 1.0, 1.0, 1.0),
            "Mortar": (0.5, 0.5, 0.5, 1.0),
            "Scale": scale,
            "Mortar Size": mortar,
            "Mortar Smooth": smooth,
            "Brick Width": width,
        }
        node = self.node("TexBrick", values, offset=offset)
        return Wire(self, node.outputs[1]), Wire(self, node.outputs[0])

    def checker(self, scale: float, at: Wire | None = None) -> Wire:
        """0 and 1 in squares."""
        values = {"Vector": at or self.place, "Scale": scale}
        return Wire(self, self.node("TexChecker", values).outputs[1])
