# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials: what feeds each input of a Principled BSDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .values import Property

Wrap = Literal["repeat", "clamp", "mirror", "black"]

UDIM = "<UDIM>"
"""What stands for the number of a tile in a file's name."""


@dataclass(frozen=True)
class Constant:
    """A value that is the same everywhere: one number, or a colour (scene-linear)."""

    value: tuple[float, ...]


@dataclass(frozen=True)
class Animated:
    """A value that is the same everywhere, but not at all times.

    Attributes:
        frames: ascending; all that are animated in one material have the same.
        values: one for each frame, all of one width.
    """

    frames: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Texture:
    """The colour of an image; its alpha is the channel 3 of :class:`Operation` ``extract``.

    Attributes:
        file: path of the file, ``<UDIM>`` for a number of tiles.
        uv: name of the primvar that places it.
        raw: whether its numbers are no colours (or linear ones already).
        wrap: what is beyond its borders.
        closest: whether pixels are not blended.
        scale, rotation, translation: of the UVs, in this order; degrees, counterclockwise.
    """

    file: str
    uv: str = "st"
    raw: bool = False
    wrap: Wrap = "repeat"
    closest: bool = False
    scale: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0
    translation: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Attribute:
    """A colour attribute of the geometry, by the name of its primvar."""

    name: str


@dataclass(frozen=True)
class Noise:
    """Perlin noise around 0, summed over octaves: MaterialX's ``fractal2d`` and ``fractal3d``.

    Attributes:
        uv: name of the primvar that it is made on; "" for places in object space.
        octaves: how many; one is plain noise.
        lacunarity: frequency of an octave for a 1 of the one before.
        diminish: height of an octave for a 1 of the one before.
        scale, translation: of the place, in this order; of UVs the third is 1 and 0.
        rotation: of UVs, between the two; degrees, counterclockwise.
    """

    uv: str = ""
    octaves: int = 1
    lacunarity: float = 2.0
    diminish: float = 0.5
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rotation: float = 0.0
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)


UNARY = (
    "absval",
    "acos",
    "asin",
    "ceil",
    "cos",
    "exp",
    "floor",
    "ln",
    "round",
    "sign",
    "sin",
    "sqrt",
    "tan",
)
"""Functions of one number."""


@dataclass(frozen=True)
class Operation:
    """A sum, a product, or another function of expressions.

    Attributes:
        name: ``add``, ``subtract``, ``multiply``, ``divide``, ``power``, ``min``,
            ``max``; ``modulo`` of numbers, and those of :data:`UNARY`;
            ``mix`` (below, above, share of above); ``clamp`` (to 0..1);
            ``combine`` (of three numbers); ``extract`` (of a colour, number of the
            channel); ``luminance``; ``normal_map`` (colour, strength).
        arguments: what it is a function of.
        width: 1 for a number, 3 for a colour or vector.
    """

    name: str
    arguments: tuple[Expression, ...]
    width: int
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Worked out once: what is shared many times over would be walked as often.
        value = hash((self.name, self.arguments, self.width))
        object.__setattr__(self, "_hash", value)

    def __hash__(self) -> int:
        return self._hash


Plain = Constant | Animated
Expression = Plain | Texture | Attribute | Noise | Operation


def width(expression: Expression) -> int:
    """1 for a number, 3 for a colour."""
    if isinstance(expression, Constant):
        return len(expression.value)
    if isinstance(expression, Animated):
        return len(expression.values[0])
    if isinstance(expression, Noise):
        return 1
    return expression.width if isinstance(expression, Operation) else 3


def over_time(frames: Sequence[float], found: Sequence[Expression]) -> Expression | None:
    """The expression that is each one of ``found`` at its frame; None if not only values change."""
    first = found[0]
    if all(each == first for each in found):
        return first
    if all(isinstance(each, Constant) and width(each) == width(first) for each in found):
        values = tuple(each.value for each in found if isinstance(each, Constant))
        return Animated(tuple(frames), values)
    operations = [each for each in found if isinstance(each, Operation)]
    if len({(each.name, len(each.arguments), each.width) for each in operations}) != 1:
        return None
    if len(operations) != len(found):
        return None
    arguments = [
        over_time(frames, parts)
        for parts in zip(*(each.arguments for each in operations), strict=True)
    ]
    known = tuple(each for each in arguments if each is not None)
    whole = len(known) == len(arguments)
    return Operation(operations[0].name, known, operations[0].width) if whole else None


@dataclass(frozen=True, eq=False)
class MaterialRecord:
    """A material.

    Attributes:
        path: absolute path of the Material prim.
        data: name of its data-block in Blender.
        inputs: what feeds the inputs of a Principled BSDF, by their names.
        displacement: along the normal, in scene units, or None.
        properties: custom properties of the data-block.
        cutout: the alpha from which on UsdPreviewSurface shows a point, and below which it does
            not; 0 lets it blend.
    """

    path: str
    data: str
    inputs: Mapping[str, Expression] = field(default_factory=dict)
    displacement: Expression | None = None
    properties: Mapping[str, Property] = field(default_factory=dict)
    cutout: float = 0.0
