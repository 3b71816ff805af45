# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a set beside the artist's work, and where its files lie."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import bpy

from ...jobs.compose import changed
from ...jobs.errors import StagewrightError
from ...jobs.events import Event, Job, Message, Preview, Waiting
from ...jobs.text_files import read_json
from ...pipeline.summaries import expected_errors
from ...texture_lab.backends import Commission, refuse_unable
from ...texture_lab.graph import TextureGraph
from ...texture_lab.photo import request_of
from ...texture_lab.request import TextureRequest
from ...texture_lab.services import Services
from ...texture_lab.texture_set import preview_of
from .. import beside
from ..undo import push_undo
from . import history, lab, pictures
from .history import FOLDER
from .material import KEY as OURS
from .material import apply


def problem(context: bpy.types.Context) -> str:
    """Why no texture can be made of words now, or ""."""
    chosen = context.scene.stagewright_texture
    if not chosen.prompt.strip():
        return "Say in words what the material is"
    return str(chosen.problem) or target_problem(context)


def target_problem(context: bpy.types.Context) -> str:
    """Why the active object cannot take a texture, or ""."""
    item = context.view_layer.objects.active
    if item is None or not hasattr(item.data, "materials"):
        return "Choose an object that takes materials"
    if item.library is not None or item.data.library is not None:
        return "The active object is linked: make it local or an override first"
    return ""


def of_words(request: TextureRequest, item: bpy.types.Object) -> Commission:
    """What to make for ``item``: a set with files of its own, so that undo finds those before."""
    folder, name = _place(item)
    return Commission(request, folder, name, preview=pictures.folder() / f"{name}.npy")


def of_photo(photo: Path, chosen: Mapping[str, Any], item: bpy.types.Object) -> Commission:
    """A set of a photo for ``item``; ``chosen`` are fields of ``PhotoRequest``.

    Raises:
        StagewrightError: what the photo is refused for.
    """
    folder, name = _place(item)
    preview = pictures.folder() / f"{name}.npy"
    return Commission(request_of(photo, **chosen), folder, name, photo, preview)


def of_graph(
    graph: TextureGraph,
    item: bpy.types.Object,
    sources: Path | None = None,
    services: Services = MappingProxyType({}),
    keep: Path | None = None,
) -> Commission:
    """A set for ``item`` made in steps.

    Args:
        graph: the steps.
        item: what gets the material.
        sources: folder of the files that the graph names; None where the set will lie.
        services: who makes images for it.
        keep: folder where what its nodes give is kept, so that only changed ones run again.
    """
    folder, name = _place(item)
    preview = pictures.folder() / f"{name}.npy"
    place = folder if sources is None else sources
    return Commission(graph, folder, name, place, preview, services, keep=keep)


def memory_text(needed: int) -> str:
    """What a set takes while it is made, for the artist."""
    return f"Takes about {max(needed / 2**30, 0.1):.1f} GB of memory"


def _place(item: bpy.types.Object) -> tuple[Path, str]:
    """The folder and the name of a new set for ``item``."""
    folder = beside.home(FOLDER)
    return folder, _free_stem(folder, bpy.path.clean_name(item.name))


def make(commission: Commission, item: bpy.types.Object, displace: bool) -> Job[Mapping[str, Any]]:
    """Let the set be made and give it to ``item``.

    Returns:
        The family, its sliders, the files, and ``material``, its name.

    Raises:
        StagewrightError: what the backend refuses or reports; ``object-gone``: the object was
            deleted meanwhile; the files are kept.
    """
    uid, name = item.session_uid, item.name
    backend = lab.backend_of(commission)
    refuse_unable(backend, commission)
    value = yield from changed(backend.submit(commission), _picture)
    found = next((o for o in bpy.data.objects if o.session_uid == uid), None)
    sidecar = Path(value["files"][-1])
    if found is None:
        raise StagewrightError(
            "object-gone",
            f"The object {name} is gone; the maps are in {sidecar.parent}.",
            "Choose another object and make it again.",
        )
    about = read_json(sidecar)
    material, projected = apply(found, sidecar, about, displace)
    history.refresh()
    history.choose(sidecar)
    push_undo(f"Texture {material.name}")
    without = "; projected from six sides, for the object has no UVs" if projected else ""
    sure = expected_errors(value["expected_errors"]) if "expected_errors" in value else ""
    yield Message(f"{found.name} has the material {material.name}{without}. {sure}".rstrip())
    return {**value, "material": material.name}


def _picture(event: Event | Waiting) -> Event | Waiting:
    """Let the panel show what is being made."""
    if isinstance(event, Preview):
        path = Path(event.path)
        pictures.show(path.stem, path)
    return event


def take_along(temporary: Path, folder: Path) -> None:
    """Copy this file's sets from one folder to another, and let its materials use those."""
    for entry in reversed(history.entries()):
        sidecar, about = entry.sidecar, entry.about
        if sidecar.parent != temporary or not sidecar.exists():
            continue
        stem = _free_stem(folder, sidecar.stem)
        moved = {name: f"{stem}_{name}.png" for name in about["maps"]}
        folder.mkdir(parents=True, exist_ok=True)
        for map_name, file in about["maps"].items():
            shutil.copyfile(temporary / file, folder / moved[map_name])
            for image in bpy.data.images:
                if Path(bpy.path.abspath(image.filepath)) == temporary / file:
                    image.filepath = str(folder / moved[map_name])
        text = json.dumps({**about, "maps": moved}, indent=1, sort_keys=True)
        target = folder / f"{stem}.json"
        if preview_of(sidecar).exists():
            shutil.copyfile(preview_of(sidecar), preview_of(target))
        target.write_text(text + "\n", "utf-8")
        for material in bpy.data.materials:
            if material.get(OURS) == str(sidecar):
                material[OURS] = str(target)


def _free_stem(folder: Path, stem: str) -> str:
    """A name that neither a set has nor one that waits to be made."""
    promised = {commission.name for commission in lab.commissions()}
    return beside.free_stem(folder, stem, ".json", promised)
