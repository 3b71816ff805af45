# SPDX-License-Identifier: GPL-3.0-or-later
"""What a family of materials is: its words, its sliders, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .canvas import Canvas
from .surface import Color, Surface


@dataclass(frozen=True)
class Slider:
    """One parameter of a family.

    Args:
        name: of the parameter, and of its slider in sentence case.
        default: its value if nothing is said.
        low, high: its range.
        whole: whether only whole numbers make sense.
    """

    name: str
    default: float
    low: float
    high: float
    whole: bool = False

    def clamped(self, value: float) -> float:
        """The nearest value that is allowed."""
        inside = min(max(value, self.low), self.high)
        return float(round(inside)) if self.whole else float(inside)


@dataclass(frozen=True)
class Values:
    """What to draw: the sliders' values and the two colours."""

    sliders: Mapping[str, float]
    color: Color
    accent: Color

    def __getitem__(self, name: str) -> float:
        return self.sliders[name]

    def count(self, name: str, multiple: int = 1) -> int:
        """A slider as a whole number, at least ``multiple`` and a multiple of it."""
        return max(multiple, round(self.sliders[name] / multiple) * multiple)


@dataclass(frozen=True)
class Family:
    """A family of materials.

    Args:
        name: its identifier (``"roof_tiles"``).
        words: what people call it, singular; several words match together.
        tile_size_m: the side of its tile, metres.
        sliders: at least four; ``rows`` or the like is named by ``repeats``.
        color: six hexadecimal digits, sRGB; a colour word replaces it.
        accent: its second colour (joints, grain); a second colour word replaces it.
        repeats: the slider that counts and size words change.
        draw: draws it.
    """

    name: str
    words: tuple[str, ...]
    tile_size_m: float
    sliders: tuple[Slider, ...]
    color: str
    accent: str
    repeats: str
    draw: Callable[[Canvas, Values], Surface]
