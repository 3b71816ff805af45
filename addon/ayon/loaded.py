# SPDX-License-Identifier: GPL-3.0-or-later
"""What this file holds of published versions, and what each is replaced by in an update.

Every kind keeps its version's identity where Blender keeps the thing itself: assets with
the collection, linked files with the library, texture sets with the material, volumes
with the volume.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...jobs.errors import StagewrightError
from ...pipeline.published import Kind, PublishedVersion
from ...texture_lab.stored_set import read_about
from ..scene.settings import meters_per_unit
from ..textures.material import KEY, apply, show


@dataclass(frozen=True)
class Loaded:
    """A thing in this file that is a published version.

    Attributes:
        kind: what the version was loaded as.
        block: the datablock that keeps its identity.
    """

    kind: Kind
    block: bpy.types.ID

    @property
    def version_id(self) -> str:
        """Id of the version."""
        return str(self.block.stagewright.version_id)

    @property
    def uid(self) -> int:
        """What :func:`find` finds it again by."""
        return int(self.block.session_uid)

    @property
    def named(self) -> str:
        """The thing and its version, for a person."""
        return f"{self.block.name} {self.block.stagewright.version}"


def loaded() -> list[Loaded]:
    """All such things in this file, by their kinds and names."""
    return [
        *(Loaded("USD", each) for each in added_collections()),
        *(Loaded("BLEND", each) for each in bpy.data.libraries if each.stagewright.version_id),
        *(Loaded("TEXTURES", each) for each in bpy.data.materials if _shows_set(each)),
        *(Loaded("VOLUME", each) for each in bpy.data.volumes if each.stagewright.version_id),
    ]


def find(uid: int) -> Loaded | None:
    """The thing of that number; None when it is gone, or another file is open."""
    return next((each for each in loaded() if each.uid == uid), None)


def added_collections() -> list[bpy.types.Collection]:
    """The collections of this file that were added from a library, by name."""
    return [collection for collection in bpy.data.collections if collection.stagewright.added]


def collection_of(version_id: str) -> bpy.types.Collection | None:
    """The collection that was added as that version."""
    found = (c for c in added_collections() if c.stagewright.version_id == version_id)
    return next(found, None)


def _shows_set(material: bpy.types.Material) -> bool:
    identity = material.stagewright
    return bool(identity.version_id) and material.get(KEY) == identity.path


# Linked files.


def link_file(version: PublishedVersion) -> list[bpy.types.Collection]:
    """Link a .blend's outermost collections; the library keeps the version's identity.

    Raises:
        StagewrightError: ``nothing-to-link``.
    """
    path = version.files["BLEND"]
    collections = _outermost(path, link=True)
    library = collections[0].library
    library.stagewright.remember(version.identity("BLEND"))
    return collections


def append_file(version: PublishedVersion) -> list[bpy.types.Collection]:
    """Append a .blend's outermost collections, which are in no scene yet.

    Raises:
        StagewrightError: ``nothing-to-link``.
    """
    return _outermost(version.files["BLEND"], link=False)


def _outermost(path: Path, *, link: bool) -> list[bpy.types.Collection]:
    with _readable(path), bpy.data.libraries.load(str(path), link=link) as (there, here):
        here.collections = list(there.collections)
    made = [each for each in here.collections if each is not None]
    inner = {child for each in made for child in each.children_recursive}
    if not made:
        raise StagewrightError(
            "nothing-to-link",
            f"{path.name} holds no collection.",
            "Put what it shows into a collection, and publish it again.",
        )
    return [each for each in made if each not in inner]


class _readable:  # noqa: N801 - reads as a phrase
    """Turns Blender's refusal of a .blend into an error of ours."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Tell which file it was."""
        if isinstance(error, OSError):
            raise StagewrightError(
                "blend-unreadable",
                f"{self._path} cannot be read: {error}.",
                "Open it in Blender to see what is wrong, or load another version.",
            ) from error


def _relocate(library: bpy.types.Library, version: PublishedVersion) -> None:
    path = version.files["BLEND"]
    with _readable(path), bpy.data.libraries.load(str(path), link=True) as (there, _):
        names = set(there.collections)
    used = [each for each in bpy.data.collections if each.library == library]
    lost = [each.name for each in used if each.name not in names]
    if lost:
        raise StagewrightError(
            "collection-gone",
            f"{version.folder} {version.product} {version.version} has no collection {lost[0]}.",
            "Remove what shows it, and link the version anew.",
        )
    library.filepath = str(path)
    library.reload()
    library.stagewright.remember(version.identity("BLEND"))


# Texture sets.


def give_textures(version: PublishedVersion, item: bpy.types.Object) -> bpy.types.Material:
    """Give an object the set as its material.

    Raises:
        StagewrightError: ``bad-set``.
    """
    sidecar = version.files["TEXTURES"]
    about = read_about(sidecar)
    current = item.active_material
    if current is not None and not _is_own(current, version):
        # Another set's material stays what it is for the other objects that show it.
        item.active_material = None
    material, _ = apply(item, sidecar, about, displace=False)
    material.stagewright.remember(version.identity("TEXTURES"))
    return material


def _is_own(material: bpy.types.Material, version: PublishedVersion) -> bool:
    return _shows_set(material) and material.stagewright.version_id == version.version_id


def _change_textures(material: bpy.types.Material, version: PublishedVersion) -> None:
    sidecar = version.files["TEXTURES"]
    about = read_about(sidecar)
    shown_by = (item for item in bpy.data.objects if material.name in item.material_slots)
    show(material, next(shown_by, None), sidecar, about)
    material.stagewright.remember(version.identity("TEXTURES"))


# Volumes.


def add_volume(version: PublishedVersion, frames: tuple[int, int] | None) -> bpy.types.Object:
    """An object that shows a .vdb file, or a sequence of them, which are in metres."""
    data = bpy.data.volumes.new(f"{version.name} {version.product}")
    _show_volume(data, version, frames)
    item = bpy.data.objects.new(data.name, data)
    item.scale = [1 / meters_per_unit(bpy.context.scene)] * 3
    return item


def _show_volume(
    data: bpy.types.Volume, version: PublishedVersion, frames: tuple[int, int] | None
) -> None:
    data.filepath = str(version.files["VOLUME"])
    data.is_sequence = frames is not None
    if frames is not None:
        data.frame_start = frames[0]
        data.frame_duration = frames[1] - frames[0] + 1
        data.frame_offset = frames[0] - 1
    data.stagewright.remember(version.identity("VOLUME"))


def frames_of(path: Path) -> tuple[int, int] | None:
    """First and last frame of the sequence that a file is part of; None for a single one."""
    match = re.fullmatch(r"(.*?)(\d+)(\.\w+)", path.name)
    if match is None:
        return None
    pattern = re.compile(re.escape(match[1]) + r"(\d+)" + re.escape(match[3]))
    found = [pattern.fullmatch(each.name) for each in path.parent.iterdir()]
    numbers = [int(each[1]) for each in found if each]
    return (min(numbers), max(numbers)) if len(numbers) > 1 else None


def change(thing: Loaded, version: PublishedVersion) -> None:
    """Let a thing that is no USD asset show another version of its product."""
    if thing.kind == "BLEND":
        _relocate(thing.block, version)
    elif thing.kind == "TEXTURES":
        _change_textures(thing.block, version)
    else:
        _show_volume(thing.block, version, frames_of(version.files["VOLUME"]))
