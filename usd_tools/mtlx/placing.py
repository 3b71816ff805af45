# SPDX-License-Identifier: GPL-3.0-or-later
"""Places that textures are looked up at, moved as MaterialX's nodes say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import atan2, degrees

import numpy as np
from numpy.typing import NDArray

OBJECT = ""
"""The space of places on the object, where others are a UV map."""
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Placing:
    """``linear @ place + offset``.

    Attributes:
        space: name of the primvar that holds UVs, or :data:`OBJECT`.
        linear: (n, n), n = 2 for UVs and 3 for places.
        offset: (n,).
    """

    space: str
    linear: NDArray[np.float64]
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def scaled(self, factors: tuple[float, ...]) -> Placing:
        """Multiplied along each axis."""
        size = np.broadcast_to(np.array(factors), self.offset.shape)
        return replace(self, linear=size[:, None] * self.linear, offset=size * self.offset)

    def moved(self, by: tuple[float, ...]) -> Placing:
        """Moved."""
        return replace(self, offset=self.offset + np.array(by))

    def turned(self, angle: float) -> Placing:
        """Turned clockwise by ``angle`` degrees, as ``rotate2d`` does."""
        turn = rotation(-angle)
        return replace(self, linear=turn @ self.linear, offset=turn @ self.offset)

    def parts(self) -> tuple[tuple[float, ...], float, tuple[float, ...]] | None:
        """Scale, rotation (degrees, counterclockwise) and translation, in this order.

        None where it is sheared, or turned in space.
        """
        if len(self.offset) == 3:
            size = np.diag(self.linear)
            if not np.allclose(self.linear, np.diag(size), atol=_TOLERANCE):
                return None
            return _plain(size), 0.0, _plain(self.offset)
        plain = np.allclose(self.linear, np.diag(np.diag(self.linear)), atol=_TOLERANCE)
        angle = 0.0 if plain else degrees(atan2(self.linear[1, 0], self.linear[0, 0]))
        straight = rotation(-angle) @ self.linear
        size = np.diag(straight)
        if not np.allclose(straight, np.diag(size), atol=_TOLERANCE):
            return None
        return _plain(size), round(angle, 9), _plain(self.offset)


def uv_placing(name: str) -> Placing:
    """The UVs of a primvar."""
    return Placing(name, np.eye(2))


def object_placing() -> Placing:
    """Places in object space."""
    return Placing(OBJECT, np.eye(3), np.zeros(3))


def rotation(angle: float) -> NDArray[np.float64]:
    """(2, 2), counterclockwise by ``angle`` degrees."""
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.array([[cosine, -sine], [sine, cosine]])


def _plain(values: NDArray[np.float64]) -> tuple[float, ...]:
    """Without the last bits that turning forth and back leaves."""
    return tuple(float(value) for value in np.round(values, 9) + 0.0)
