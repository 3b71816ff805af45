# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export will not hold, told before it is made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import bpy

from ...jobs.events import Event, Job, Message
from ...usd_tools.findings import Finding
from .stream.objects import read_stream
from .variants import chosen_looks, look_materials

CHECK = "not-exported"
_CURE = "Change it as it says, or bake materials, before you export."


def find_losses(
    objects: list[bpy.types.Object],
    folder: Path,
    *,
    world: bool,
    frames: tuple[float, ...] = (),
) -> Job[tuple[Finding, ...]]:
    """Read ``objects`` as an export does, and write nothing.

    Args:
        objects: what is to be exported.
        folder: for images and volumes that are in no file.
        world: whether the scene's world is to be exported, too.
        frames: those to look at; none are the current one.

    Returns:
        A loss for everything that cannot be held as it is, by object.
    """
    users = _users(objects)
    names = {item.name for item in objects}
    found: dict[str, Finding] = {}
    stream = read_stream(
        objects,
        "asset",
        frames,
        folder=folder,
        skeletons=True,
        world=world,
        materials=look_materials(),
    )
    for item in stream:
        if isinstance(item, Message):
            found[item.text] = Finding(
                CHECK, "loss", item.text, _CURE, object=_object(item.text, names, users)
            )
        elif isinstance(item, Event):
            yield item
    return tuple(found.values())


def _users(objects: list[bpy.types.Object]) -> Mapping[str, str]:
    """The first object that has each material, in any look, by its name."""
    users = {
        slot.material.name: item.name
        for item in reversed(objects)
        for slot in item.material_slots
        if slot.material is not None
    }
    for swap in (swap for look in chosen_looks() for swap in look.swaps):
        if swap.instead is not None and swap.material is not None:
            users.setdefault(swap.instead.name, users.get(swap.material.name, ""))
    return users


def _object(text: str, names: set[str], users: Mapping[str, str]) -> str:
    """The object that a message of the readers is about, or ""."""
    subject = text.partition(":")[0]
    if subject in names:
        return subject
    named = [name for name in names if text.startswith(f"{name} ")]
    return max(named, key=len, default=users.get(subject.removeprefix("The material "), ""))
