# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a set beside the artist's work, and where its files lie."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...texture_lab.request import TextureRequest
from ..undo import push_undo
from ..worker import command
from .material import KEY as OURS
from .material import apply

KIND = "texture"
FOLDER = "textures"
"""Where sets lie beside the .blend."""

_BYTES = 320
"""Memory that a pixel takes at the peak of the slowest family, measured."""


def memory_of(size: int) -> int:
    """About how many bytes a set of ``size`` rows takes while it is made."""
    return _BYTES * size * size


def problem(context: bpy.types.Context) -> str:
    """Why no texture can be made now, or ""."""
    chosen = context.scene.stagewright_texture
    if not chosen.prompt.strip():
        return "Say in words what the material is"
    if chosen.problem:
        return str(chosen.problem)
    item = context.view_layer.objects.active
    if item is None or not hasattr(item.data, "materials"):
        return "Choose an object that takes materials"
    if item.library is not None or item.data.library is not None:
        return "The active object is linked: make it local or an override first"
    return ""


def make(request: TextureRequest, item: bpy.types.Object, displace: bool) -> Job[Mapping[str, Any]]:
    """Make the set in a process of its own and give it to ``item``.

    Every set has files of its own, so that undo finds those of the set before.

    Returns:
        The family, its sliders, the files, and ``material``, its name.

    Raises:
        StagewrightError: what the command reports; ``object-gone``: the object was
            deleted meanwhile; the files are kept.
    """
    uid, name = item.session_uid, item.name
    folder = home()
    stem = _free_stem(folder, bpy.path.clean_name(name))
    words = [f"--size={request.size}", f"--seed={request.seed}", f"--name={stem}", "-o", folder]
    words += [f"--set={slider}={value!r}" for slider, value in request.parameters.items()]
    value = yield from command("texture", "make", *map(str, words), "--", request.prompt)
    found = next((o for o in bpy.data.objects if o.session_uid == uid), None)
    if found is None:
        raise StagewrightError(
            "object-gone",
            f"The object {name} is gone; the maps are in {folder}.",
            "Choose another object and make it again.",
        )
    sidecar = Path(value["files"][-1])
    about = json.loads(sidecar.read_text("utf-8"))
    material, projected = apply(found, sidecar, about, displace)
    push_undo(f"Texture {material.name}")
    without = "; projected from six sides, for the object has no UVs" if projected else ""
    yield Message(f"{found.name} has the material {material.name}{without}.")
    return {**value, "material": material.name}


def home() -> Path:
    """Where new sets go: beside the .blend, or the temporary folder until it is saved."""
    if bpy.data.filepath:
        return Path(bpy.path.abspath("//")) / FOLDER
    return Path(bpy.app.tempdir) / FOLDER


def take_along(folder: Path) -> None:
    """Copy the sets in the temporary folder to ``folder``, where the .blend is being saved."""
    temporary = Path(bpy.app.tempdir) / FOLDER
    for material in bpy.data.materials:
        sidecar = Path(material.get(OURS, ""))
        if sidecar.parent != temporary or not sidecar.exists():
            continue
        target = folder / FOLDER
        stem = _free_stem(target, sidecar.stem)
        about = json.loads(sidecar.read_text("utf-8"))
        moved = {name: f"{stem}_{name}.png" for name in about["maps"]}
        target.mkdir(parents=True, exist_ok=True)
        for map_name, file in about["maps"].items():
            shutil.copyfile(temporary / file, target / moved[map_name])
            for image in bpy.data.images:
                if Path(bpy.path.abspath(image.filepath)) == temporary / file:
                    image.filepath = str(target / moved[map_name])
        text = json.dumps({**about, "maps": moved}, indent=1, sort_keys=True)
        (target / f"{stem}.json").write_text(text + "\n", "utf-8")
        material[OURS] = str(target / f"{stem}.json")


def _free_stem(folder: Path, stem: str) -> str:
    names = (f"{stem}_{number:03}" for number in itertools.count(1))
    return next(name for name in names if not (folder / f"{name}.json").exists())
