# SPDX-License-Identifier: GPL-3.0-or-later
"""What a texture is made from: all of it, so that it can be made again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from ..jobs.errors import StagewrightError
from ..jobs.text_files import parse_json

Normals = Literal["opengl", "directx"]

MIN_SIZE, MAX_SIZE = 16, 8192
MAX_PROMPT = 500
MAX_SEED = 2**32 - 1
# Raised whenever the same request would make other pixels.
GENERATOR = 2


@dataclass(frozen=True)
class TextureRequest:
    """A texture from words.

    Args:
        prompt: the words, 1 to ``MAX_PROMPT`` characters.
        size: rows and columns, ``MIN_SIZE`` to ``MAX_SIZE`` pixels.
        seed: 0 to ``MAX_SEED``; another seed is another piece of the same material.
        parameters: values of the family's sliders that override the words.
        normals: the direction of the normal map's green: ``opengl`` up, ``directx`` down.
        generator: the version of the generators.

    Raises:
        StagewrightError: ``bad-request``.
    """

    prompt: str
    size: int = 1024
    seed: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)
    normals: Normals = "opengl"
    generator: int = GENERATOR

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        _require(isinstance(self.prompt, str) and bool(self.prompt.strip()), "it has no words")
        _require(len(self.prompt) <= MAX_PROMPT, f"it has over {MAX_PROMPT} characters")
        _require(_whole(self.size, MIN_SIZE, MAX_SIZE), f"its size is not {MIN_SIZE} to {MAX_SIZE}")
        _require(_whole(self.seed, 0, MAX_SEED), f"its seed is not 0 to {MAX_SEED}")
        _require(self.normals in get_args(Normals), "its normals are neither opengl nor directx")
        _require(self.generator == GENERATOR, "another version of Stagewright made it")
        for name, value in self.parameters.items():
            number = type(value) in (int, float) and math.isfinite(value)
            _require(isinstance(name, str) and number, "its parameters are not numbers")

    def to_json(self) -> str:
        """ASCII JSON with sorted keys: equal requests are equal texts."""
        values = {**vars(self), "parameters": dict(self.parameters)}
        return json.dumps(values, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> TextureRequest:
        """The request of :meth:`to_json`.

        Raises:
            StagewrightError: ``bad-request``: not JSON, or of other keys or values.
        """
        try:
            value: Any = parse_json(text)
            _require(isinstance(value, dict), "it is not an object")
            return cls(**value)
        except (ValueError, TypeError):
            raise _refusal("it is not what Stagewright writes") from None


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _require(fine: bool, why: str) -> None:
    if not fine:
        raise _refusal(why)


def _refusal(why: str) -> StagewrightError:
    return StagewrightError(
        "bad-request", f"The texture request cannot be used: {why}.", "Correct it and try again."
    )
