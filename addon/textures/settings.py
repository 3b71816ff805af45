# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""What the next texture is made of, as a scene keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ...jobs.errors import StagewrightError
from ...texture_lab.families import FAMILIES
from ...texture_lab.family import Slider
from ...texture_lab.grammar import understand
from ...texture_lab.request import MAX_PROMPT, TextureRequest
from . import handles

SIZES = (256, 512, 1024, 2048, 4096)


def _changed(self: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    handles.ask()


class STAGEWRIGHT_PG_texture_slider(bpy.types.PropertyGroup):
    """A parameter of the material; its range decides which of the values it has."""

    name: StringProperty(name="Name", description="Name of the parameter")
    factor: FloatProperty(
        name="Factor", description="From none to all", min=0.0, max=1.0, update=_changed
    )
    amount: FloatProperty(
        name="Amount", description="Amount of it", min=0.0, soft_max=60.0, update=_changed
    )
    count: IntProperty(
        name="Count", description="How many there are", min=0, soft_max=160, update=_changed
    )


class STAGEWRIGHT_PG_texture(bpy.types.PropertyGroup):
    """What the next texture is made of."""

    def _read(self, context: bpy.types.Context) -> None:
        self.sliders.clear()
        self.family = self.found = self.problem = ""
        if not self.prompt.strip():
            return
        try:
            material = understand(self.prompt)
        except StagewrightError as error:
            self.problem = error.message
            return
        self.family = material.family.name
        self.found = ", ".join(material.found)
        for slider in material.family.sliders:
            item = self.sliders.add()
            item.name = slider.name
            setattr(item, kind_of(slider), _typed(slider, material.values[slider.name]))
        handles.ask()

    prompt: StringProperty(
        name="Material",
        description="What the material is, in words: mossy red brick wall, wet",
        maxlen=MAX_PROMPT,
        update=_read,
    )
    seed: IntProperty(
        name="Seed",
        description="Which piece of the material; another seed is another piece",
        min=0,
        update=_changed,
    )
    keep_seed: BoolProperty(
        name="Keep Seed",
        description="Keep the seed when a texture is made; otherwise the next takes another",
        default=True,
    )
    size: EnumProperty(
        name="Size",
        description="Rows and columns of the maps",
        items=[(str(size), f"{size} px", f"{size} × {size} pixels") for size in SIZES],
        default="1024",
    )
    displace: BoolProperty(
        name="Displacement",
        description="Move the surface by the height map too; needs a finely divided mesh",
    )
    family: StringProperty(name="Family", description="Family of materials that the words name")
    found: StringProperty(name="Understood", description="What else the words were understood as")
    problem: StringProperty(name="Problem", description="Why the words name no material")
    sliders: CollectionProperty(type=STAGEWRIGHT_PG_texture_slider)

    def request(self) -> TextureRequest:
        """The request that the settings describe.

        Raises:
            StagewrightError: ``bad-request``.
        """
        known = {slider.name: slider for slider in FAMILIES[self.family].sliders}
        parameters = {
            item.name: known[item.name].clamped(getattr(item, kind_of(known[item.name])))
            for item in self.sliders
        }
        return TextureRequest(self.prompt, int(self.size), self.seed, parameters)

    def take(self, request: Mapping[str, Any], parameters: Mapping[str, float]) -> None:
        """Ask for what a set was made from.

        Args:
            request: its request's JSON.
            parameters: all its sliders.
        """
        self.prompt = request["prompt"]
        self.seed = min(request["seed"], 2**31 - 1)
        if str(request["size"]) in {str(size) for size in SIZES}:
            self.size = str(request["size"])
        for slider in FAMILIES[self.family].sliders if self.family else ():
            if slider.name in parameters:
                value = _typed(slider, parameters[slider.name])
                setattr(self.sliders[slider.name], kind_of(slider), value)


def kind_of(slider: Slider) -> str:
    """Which of a slider's values fits its range."""
    if slider.whole:
        return "count"
    return "factor" if slider.high <= 1 else "amount"


def _typed(slider: Slider, value: float) -> float | int:
    return int(value) if slider.whole else value


_CLASSES = (STAGEWRIGHT_PG_texture_slider, STAGEWRIGHT_PG_texture)


def register() -> None:
    """Add the settings to scenes."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.stagewright_texture = PointerProperty(type=STAGEWRIGHT_PG_texture)


def unregister() -> None:
    """Take them away; what files hold stays in them."""
    del bpy.types.Scene.stagewright_texture
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
