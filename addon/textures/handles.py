# SPDX-License-Identifier: GPL-3.0-or-later
"""What a texture will look like, drawn as the artist changes it: the last change wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Waiting
from ...jobs.warm import Order
from ...texture_lab.picture import PREVIEW_SIZE
from ...texture_lab.request import MAX_SEED, TextureRequest
from .. import pump
from . import lab, pictures

KIND = "texture preview"
CHOICES = 4
"""Seeds that are shown side by side."""

_SMALL = 128


class _Asked:
    """Whether something changed since the picture was drawn."""

    now = False


def ask() -> None:
    """Draw the preview anew, as soon as the one that is being drawn is there."""
    if not bpy.app.background:
        start()


def start() -> None:
    """The same, with or without a window."""
    _Asked.now = True
    if not pump.is_running(KIND):
        pump.start(_draw(), KIND, "Preview", quiet=True)


def seeds(seed: int) -> list[int]:
    """The seeds to choose from, among them this one."""
    first = min(seed - seed % CHOICES, MAX_SEED - CHOICES + 1)
    return list(range(first, first + CHOICES))


def name_of(seed: int | None = None) -> str:
    """The picture's name: of the texture, or of it with another seed."""
    return "texture" if seed is None else f"seed {seed % CHOICES}"


def _draw() -> Job[Mapping[str, Any]]:
    """Draw until nothing changes any more: the texture, then the other seeds."""
    yield Waiting()  # One change may be many: the words set all the sliders.
    while _Asked.now:
        _Asked.now = False
        for name, request in _wanted().items():
            path = pictures.folder() / f"{name}.npy"
            arguments = {"requests": [request.to_json()], "files": [str(path)]}
            yield from lab.previews().run(Order("texture_lab.tasks:draw_previews", arguments))
            pictures.show(name, path)
            pump.redraw()
            if _Asked.now:
                break
    return {}


def _wanted() -> dict[str, TextureRequest]:
    """What to draw now, by the pictures' names."""
    chosen = bpy.context.scene.stagewright_texture
    if not chosen.family:
        return {}
    try:
        request = chosen.request()
    except StagewrightError:
        return {}  # The panel says why.
    wanted = {name_of(): replace(request, size=PREVIEW_SIZE)}
    for seed in seeds(request.seed):
        wanted[name_of(seed)] = replace(request, size=_SMALL, seed=seed)
    return wanted
