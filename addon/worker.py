# SPDX-License-Identifier: GPL-3.0-or-later
"""Other processes: a Blender on a copy of the open file, or a Python without one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from ..jobs.process import run_child, run_program
from ..pipeline.blender import EXECUTABLE, blender_program
from .preferences import PACKAGE
from .scene.prim_names import keep_names
from .scene.scope import exported_objects
from .scene.settings import meters_per_unit
from .target import collection_of, find


def run_on_copy(verb: str, *arguments: str, collection: int = 0) -> Job[Mapping[str, Any]]:
    """Run ``stagewright VERB COPY ARGUMENTS`` in a Blender of its own.

    ``verb`` may be several words (``"usd export"``).

    The copy is saved in the first step, as the file stands then; whatever the
    artist does afterwards has no bearing on the work, and the other way round.
    Names of prims are kept in the open file before, for what is exported:
    the collection of that session_uid, or what the scene chooses.

    Raises:
        StagewrightError: ``unsaved-image``; ``not-saved`` when there is no room
            for the copy; and what the command reports.
    """
    _refuse_unsaved_images()
    # In the artist's own file: what is decided in the copy is gone with it.
    exported = find(collection) or collection_of(bpy.context.scene)
    keep_names(exported_objects(exported, selected="--selected" in arguments))
    folder = Path(tempfile.mkdtemp(prefix="stagewright-", dir=bpy.app.tempdir or None))
    try:
        copy = folder / (Path(bpy.data.filepath).name or "untitled.blend")
        _save_copy(copy)
        return (yield from _run(folder, verb, str(copy), *arguments))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def child(task: str, **arguments: Any) -> Job[Mapping[str, Any]]:
    """Run a task of the packages in a process of its own (see ``run_child``)."""
    with tempfile.TemporaryDirectory(prefix="stagewright-", dir=bpy.app.tempdir or None) as folder:
        return (yield from run_child(task, arguments, folder=Path(folder)))


def command(*words: str) -> Job[Mapping[str, Any]]:
    """Run a command of the command line in a process of its own."""
    return child("pipeline.cli:command", words=list(words))


def import_usd(source: Path, blend: Path, name: str, *options: str) -> Job[Mapping[str, Any]]:
    """Import a USD file in a Blender of its own, in the units of the open scene.

    It runs ``stagewright usd import``.

    Args:
        source: the USD file.
        blend: the file to write; another one in its folder is written in between.
        name: name of the collection in it.
        options: further ones of the command.

    Raises:
        StagewrightError: what the command reports.
    """
    metres = f"--meters-per-unit={meters_per_unit(bpy.context.scene)!r}"
    words = (str(source), "-o", str(blend), f"--name={name}", metres, *options)
    return (yield from _run(blend.parent, "usd import", *words))


def picture_usd(source: Path, target: Path, *options: str) -> Job[Mapping[str, Any]]:
    """Render a USD file in a Blender of its own: ``stagewright usd thumbnail``.

    Raises:
        StagewrightError: what the command reports.
    """
    with tempfile.TemporaryDirectory(prefix="stagewright-", dir=bpy.app.tempdir or None) as folder:
        words = (str(source), "-o", str(target), "--overwrite", *options)
        return (yield from _run(Path(folder), "usd thumbnail", *words))


def _run(folder: Path, verb: str, *words: str) -> Job[Mapping[str, Any]]:
    yield Progress("worker.start", None, "Starting Blender in the background")
    argv = [*_program(), "--command", "stagewright", *verb.split(), *words, "--json"]
    return (yield from run_program(argv, folder=folder / "job", env=_temporary(folder)))


def _program() -> list[str]:
    if bpy.app.module or os.environ.get(EXECUTABLE):
        return blender_program()
    # By name: until Blender ends, its preferences on disk do not know a new extension.
    return [bpy.app.binary_path, "--background", "--addons", PACKAGE]


def _temporary(folder: Path) -> dict[str, str]:
    """Keeps what a killed worker leaves behind inside ``folder``, which goes with the job."""
    own = folder / "temporary"
    own.mkdir()
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(own))


def _save_copy(path: Path) -> None:
    # Saving a copy leaves the open file's path, and whether it is saved, as they
    # are; relative paths are rewritten to hold from the copy's folder.
    try:
        with _no_preview():
            bpy.ops.wm.save_as_mainfile(
                "EXEC_DEFAULT", filepath=str(path), copy=True, compress=False, relative_remap=True
            )
    except RuntimeError as error:
        raise StagewrightError(
            "not-saved",
            f"No copy of the file could be saved in {path.parent}: {error}",
            "Make room there, or choose another folder for temporary files in the preferences.",
        ) from error


@contextmanager
def _no_preview() -> Iterator[None]:
    """Save files without a rendered preview: drawing one may take seconds."""
    preferences = bpy.context.preferences
    kept = preferences.filepaths.file_preview_type, preferences.is_dirty
    preferences.filepaths.file_preview_type = "NONE"
    try:
        yield
    finally:
        preferences.filepaths.file_preview_type, preferences.is_dirty = kept


def _refuse_unsaved_images() -> None:
    """Stop where a material uses an image whose pixels are in memory alone.

    Raises:
        StagewrightError: ``unsaved-image``, naming the image.
    """
    dirty = {image for image in bpy.data.images if image.is_dirty}
    if not dirty:
        return
    shading = (bpy.types.Material, bpy.types.NodeTree, bpy.types.World, bpy.types.Light)
    users = bpy.data.user_map(subset=dirty)
    for image in sorted(dirty, key=lambda image: image.name):
        if any(isinstance(user, shading) for user in users[image]):
            raise StagewrightError(
                "unsaved-image",
                f"The image “{image.name}” has changes that are not saved.",
                "Save or pack it in the Image Editor, and run this again.",
            )
