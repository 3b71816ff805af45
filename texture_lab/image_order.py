# SPDX-License-Identifier: GPL-3.0-or-later
"""An image that a large model is to make: what is asked for, and what comes back."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..jobs.errors import StagewrightError
from .images import Image, read_image
from .patches import Mask
from .png import MAX_PIXELS, png_bytes

STEP = 8
"""Rows and columns of what models make are multiples of this."""


@dataclass(frozen=True, eq=False)
class ImageOrder:
    """All that is asked for.

    Args:
        prompt: the words.
        negative: what it shall not be.
        width: columns.
        height: rows.
        seed: equal ones give equal images on equal machines.
        steps: of the sampler.
        guidance: how closely the words are followed.
        model: the model's name where it is made; "" for the one that is there.
        loras: names and weights of what is added to the model.
        repeats: whether it shall repeat in both directions.
        image: what to begin with, (rows, columns, 3), 0 to 1; None for nothing.
        mask: (rows, columns), True where ``image`` is to be made anew; None for all of it.
        strength: how much of ``image`` is made anew, 0 to 1.
        workflow: of ComfyUI, in its API format; "" for one of ours.
    """

    prompt: str
    negative: str
    width: int
    height: int
    seed: int
    steps: int
    guidance: float
    model: str = ""
    loras: tuple[tuple[str, float], ...] = ()
    repeats: bool = False
    image: Image | None = None
    mask: Mask | None = None
    strength: float = 1.0
    workflow: str = ""


@dataclass(frozen=True, eq=False)
class MadeImage:
    """What came back.

    Args:
        image: (rows, columns, 3), 0 to 1, sRGB-encoded.
        repeats: whether the model saw to it that it repeats.
        model: what made it, if that is known.
    """

    image: Image
    repeats: bool
    model: str


def loras_of(text: str) -> tuple[tuple[str, float], ...]:
    """Names and weights of ``name:0.8, other``.

    Raises:
        StagewrightError: ``bad-request``.
    """
    found = []
    for word in filter(None, map(str.strip, text.split(","))):
        name, mark, weight = word.rpartition(":")
        try:
            found.append((name, float(weight)) if mark else (word, 1.0))
        except ValueError:
            raise StagewrightError(
                "bad-request",
                f"The weight of the LoRA “{word}” is no number.",
                "Write name:0.8, several with commas in between.",
            ) from None
    return tuple(found)


def picture_bytes(image: Image | Mask) -> bytes:
    """An image or a mask (white where True) as a PNG of 8 bits."""
    return png_bytes((np.clip(image, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8))


def read_made(data: bytes, whose: str) -> Image:
    """An image that a server sent, as (rows, columns, 3).

    Args:
        data: a file's content: a PNG, or inside Blender any image.
        whose: who sent it, for the error.

    Raises:
        StagewrightError: ``bad-image``, ``image-too-large``, ``image-unsupported``.
    """
    suffix = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp"}
    ending = next((end for mark, end in suffix.items() if data.startswith(mark)), ".png")
    with tempfile.TemporaryDirectory(prefix="stagewright-") as folder:
        file = Path(folder) / f"image{ending}"
        file.write_bytes(data)
        try:
            image = read_image(file)
        except StagewrightError as error:
            raise StagewrightError(
                error.code,
                f"The image that {whose} sent cannot be used: {error.message}",
                f"Let it send PNGs of at most {MAX_PIXELS} pixels, and see its log.",
            ) from None
    return image if image.shape[2] == 3 else np.repeat(image, 3, 2)
