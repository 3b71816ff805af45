# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of adding published versions to the scene, and of bringing them up to date."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.published import Kind, PublishedVersion
from ...pipeline.summaries import count
from ..textures.making import target_problem
from ..undo import push_undo
from ..worker import import_usd
from . import asking, loaded
from .loaded import Loaded, collection_of

Place = tuple[float, ...]


def load(
    library: str, project: str, version_id: str, kind: str, how: str, place: Place
) -> Job[Mapping[str, Any]]:
    """Add a version to the scene.

    Args:
        library: see ``asking.library_of``.
        project: its project.
        version_id: its id.
        kind: what it is loaded as; "" for the likeliest.
        how: ``"REFERENCE"``, or ``"APPEND"`` for what is to be the scene's own.
        place: of what is added.
    """
    value = yield from asking.ask(
        "published:one_version",
        library=library,
        project=project,
        version_id=version_id,
        kind=kind,
    )
    version = PublishedVersion.from_json(value)
    chosen = kind or version.kinds[0]
    if chosen == "USD":
        added = yield from (_append(version) if how == "APPEND" else _reference(version, place))
    elif chosen == "BLEND":
        added = _blend(version, how, place)
    elif chosen == "TEXTURES":
        added = _textures(version)
    else:
        added = _volume(version, place)
    push_undo(f"Stagewright: add {version.name} {version.version}")
    yield Message(f"Added {version.name} {version.version} as {added}.")
    return {"added": added, "version": version.version}


def _reference(version: PublishedVersion, place: Place) -> Job[str]:
    yield from _bring_in(version)
    collection = collection_of(version.version_id)
    if collection is None:
        raise _gone(version)
    return _show(collection, place).name


def _append(version: PublishedVersion) -> Job[str]:
    with _imported(version) as blend:
        yield from import_usd(version.files["USD"], blend, version.name)
        collection = _take_over(blend, version)
    _active_collection().children.link(collection)
    return collection.name


def _blend(version: PublishedVersion, how: str, place: Place) -> str:
    if how == "APPEND":
        made = loaded.append_file(version)
        for collection in made:
            _active_collection().children.link(collection)
    else:
        made = loaded.link_file(version)
        for collection in made:
            _show(collection, place)
    return ", ".join(each.name for each in made)


def _textures(version: PublishedVersion) -> str:
    problem = target_problem(bpy.context)
    if problem:
        raise StagewrightError(
            "no-target", "A texture set needs an object to lie on.", f"{problem}."
        )
    item = bpy.context.view_layer.objects.active
    return f"the material {loaded.give_textures(version, item).name} of {item.name}"


def _volume(version: PublishedVersion, place: Place) -> str:
    item = loaded.add_volume(version, loaded.frames_of(version.files["VOLUME"]))
    _put(item, place)
    return item.name


def compare(library: str) -> Job[Mapping[str, Any]]:
    """Ask for all versions of the products that this file has versions of.

    Returns:
        As ``pipeline.published.versions_of_same_products``.
    """
    shown = [
        {"project": each.block.stagewright.project, "versionId": each.version_id}
        for each in loaded.loaded()
    ]
    return (
        yield from asking.ask("published:versions_of_same_products", library=library, shown=shown)
    )


def update(library: str, where: str, wanted: Mapping[str, str]) -> Job[Mapping[str, Any]]:
    """Let what shows some versions show others of their products; one undo step.

    Args:
        library: see ``asking.library_of``.
        where: its name, to begin a sentence with.
        wanted: ids of the versions to show by those that are shown now; "" for the newest.

    Raises:
        StagewrightError: the first refusal, when nothing could be changed.
    """
    told = yield from compare(library)
    done: list[str] = []
    refused: list[StagewrightError] = []
    for version_id, wish in wanted.items():
        try:
            # A datablock may be gone after the next step, so that only its number is kept.
            for uid in _numbers(version_id):
                thing = loaded.find(uid)
                if thing is None:
                    continue
                version = _target(told, thing, wish, where)
                if version.version_id != version_id:
                    yield from _change(library, thing.kind, uid, version)
                    done.append(f"{version.name} is {version.version} now")
        except StagewrightError as error:
            refused.append(error)
    if refused and not done:
        raise refused[0]
    if done:
        push_undo("Stagewright: update published assets")
    for each in refused:
        yield Message(str(each), "warning")
    yield Message(_summary(done, len(refused)))
    return {"changed": len(done), "refused": len(refused), "versions": told}


def _numbers(version_id: str) -> list[int]:
    found = [each.uid for each in loaded.loaded() if each.version_id == version_id]
    if not found:
        raise StagewrightError(
            "not-here",
            f"Nothing in this file is the version {version_id}.",
            "Add it first.",
        )
    return found


def _summary(done: list[str], refused: int) -> str:
    if not done:
        return "There is no newer version."
    told = f"{done[0]}." if len(done) == 1 else f"{count(len(done), 'thing')} changed."
    return f"{told} {count(refused, 'version')} could not be changed." if refused else told


def _target(told: Mapping[str, Any], thing: Loaded, wish: str, where: str) -> PublishedVersion:
    versions = [PublishedVersion.from_json(each) for each in told.get(thing.version_id, ())]
    if not versions:
        raise StagewrightError(
            "no-version",
            f"{where} holds no {thing.named}.",
            "Name the library that it was added from.",
        )
    for each in versions if wish else versions[:1]:
        if wish in ("", each.version_id):
            return each
    raise StagewrightError(
        "no-version",
        f"{where} holds no version {wish} of what {thing.block.name} is.",
        "Choose one that is there.",
    )


def _change(library: str, kind: Kind, uid: int, version: PublishedVersion) -> Job[None]:
    yield from asking.ask(
        "published:one_version",
        library=library,
        project=version.project,
        version_id=version.version_id,
        kind=kind,
    )
    if kind == "USD":
        yield from _bring_in(version)
    thing = loaded.find(uid)
    if thing is None:
        raise _gone(version)
    if kind == "USD":
        _change_collection(thing.block, version)
    else:
        loaded.change(thing, version)


def _change_collection(before: bpy.types.Collection, version: PublishedVersion) -> None:
    collection = collection_of(version.version_id)
    if collection is None:
        raise _gone(version)
    before.user_remap(collection)
    if not before.users:
        bpy.data.collections.remove(before)


def _gone(version: PublishedVersion) -> StagewrightError:
    return StagewrightError(
        "collection-gone",
        f"What shows {version.name} was deleted, or another file opened, meanwhile.",
        "Add the asset again.",
    )


def _bring_in(version: PublishedVersion) -> Job[None]:
    """Import a USD version, unless the file has it already."""
    if collection_of(version.version_id) is None:
        with _imported(version) as blend:
            yield from import_usd(version.files["USD"], blend, version.name)
            collection = _take_over(blend, version)
        collection.stagewright.remember(version.identity("USD"))
        collection.stagewright.added = True


@contextmanager
def _imported(version: PublishedVersion) -> Iterator[Path]:
    """Where a file goes that the version is imported to; gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="stagewright-", dir=bpy.app.tempdir or None))
    try:
        yield folder / "asset.blend"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take_over(blend: Path, version: PublishedVersion) -> bpy.types.Collection:
    with bpy.data.libraries.load(str(blend), link=False) as (there, here):
        here.collections = [name for name in there.collections if name == version.name]
    collection = here.collections[0]
    collection.use_fake_user = False
    return collection


def _active_collection() -> bpy.types.Collection:
    return bpy.context.view_layer.active_layer_collection.collection


def _show(collection: bpy.types.Collection, place: Place) -> bpy.types.Object:
    item = bpy.data.objects.new(collection.name, None)
    item.instance_type, item.instance_collection = "COLLECTION", collection
    _put(item, place)
    return item


def _put(item: bpy.types.Object, place: Place) -> None:
    """Put an object into the scene, alone selected."""
    item.location = place
    layer = bpy.context.view_layer
    layer.active_layer_collection.collection.objects.link(item)
    for other in layer.objects.selected:
        other.select_set(False)
    item.select_set(True)
    layer.objects.active = item
