# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain values of shaders' inputs, at rest or over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .layer_writer import LayerWriter, Prim
from .records import Constant, Plain


def set_plain(
    look: LayerWriter,
    prim: Prim,
    name: str,
    type_name: str,
    plain: Plain,
    given: Callable[[tuple[float, ...]], Any],
) -> None:
    """Set an input; ``given`` makes a value of ``type_name`` of the numbers."""
    if isinstance(plain, Constant):
        look.set(prim, name, type_name, given(plain.value))
    else:
        rows = zip(plain.frames, plain.values, strict=True)
        look.set_samples(prim, name, type_name, {frame: given(value) for frame, value in rows})


def triple(value: tuple[float, ...]) -> tuple[float, ...]:
    """A colour or vector of three numbers, or of one."""
    return tuple(map(float, (value * 3)[:3]))
