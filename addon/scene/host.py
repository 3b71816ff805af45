# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender as the pipeline's source of scenes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from ...pipeline.host import DirectExport, ImportChoice, NativeExport, SceneRequest
from ...usd_tools.findings import Finding
from ...usd_tools.scene_record import SceneRecord
from .bake import bake_lost_inputs
from .film import write_film
from .importing import import_collection, import_to_blend, write_blend
from .losses import find_losses
from .mtlx import export_materials, import_materials
from .names import separate_names
from .native import export_native
from .prepare import prepare
from .prim_names import keep_names, names_to_keep
from .reading import read_scene
from .scope import (
    exported_objects,
    find_collection,
    frame_range,
    hidden_in_renders,
    use_view_layer,
)
from .stream.objects import read_stream
from .thumbnail import render_thumbnail, render_turntable
from .variants import look_materials

_FILM_SAMPLES = 16
"""A film has many pictures; the denoiser has to do more."""


class BlenderHost:
    """The Blender this runs in; implements ``pipeline.host.SceneHost``.

    It changes the open file without restoring it: run it in a process of its own.
    """

    def __init__(self) -> None:
        self.version = f"Blender {bpy.app.version_string}"

    def open(self, blend: Path) -> None:
        """Open the file ``blend``.

        Raises:
            StagewrightError: ``no-blend`` when it is missing, ``bad-blend``
                when Blender cannot read it.
        """
        if not blend.is_file():
            raise StagewrightError(
                "no-blend", f"There is no file '{blend}'.", "Check the path of the .blend."
            )
        try:
            # With its windows, as only they know the scene and view layer it was left in.
            bpy.ops.wm.open_mainfile(filepath=str(blend), load_ui=True)
        except RuntimeError as error:
            raise StagewrightError(
                "bad-blend",
                f"Blender {bpy.app.version_string} cannot read '{blend.name}': "
                f"{' '.join(str(error).removeprefix('Error: ').split())}",
                "Open it in the Blender that saved it, or restore it from a backup.",
            ) from error

    def export(self, request: SceneRequest, folder: Path) -> Job[NativeExport | DirectExport]:
        """Read and export the collection of ``request``; files in between go into ``folder``."""
        use_view_layer(request.scene, request.view_layer)
        collection = find_collection(request.collection)
        if collection.library is not None:
            # What is made real has to find a place in it.
            collection = collection.make_local()
        objects = exported_objects(collection, selected=request.selected)
        left_out = hidden_in_renders(collection)
        if left_out:
            yield Message(f"Hidden in renders, so not exported: {', '.join(left_out)}.")
        if request.engine == "stagewright":
            return (yield from _export_direct(collection, objects, request, folder))
        return (yield from _export_native(collection, objects, request, folder))

    def record(self, request: SceneRequest) -> Job[SceneRecord]:
        """Read the collection of ``request`` as a file of it has to show it."""
        use_view_layer(request.scene, request.view_layer)
        collection = find_collection(request.collection)
        shown = exported_objects(collection)
        if request.engine == "stagewright":
            from .structure import read_structure

            _, shown, _ = read_structure(collection, shown, request.name)
        frames = _frames_read(_samples(request, shown, 1.0))
        return (yield from read_scene(shown, frames, world=request.world))

    def losses(self, request: SceneRequest, folder: Path) -> Job[tuple[Finding, ...]]:
        """What an export of ``request`` would not hold, without making it."""
        use_view_layer(request.scene, request.view_layer)
        collection = find_collection(request.collection)
        objects = exported_objects(collection, selected=request.selected)
        samples = _samples(request, objects, 1.0)
        frames = _frames_read(samples) if samples else ()
        return find_losses(objects, folder, world=request.world, frames=frames)

    def remember(
        self, blend: Path, request: SceneRequest, identity: Mapping[str, Any] | None
    ) -> None:
        """Keep the names of prims, and the published ``identity``, in the file ``blend``.

        Raises:
            StagewrightError: ``not-saved`` when saving is impossible or would
                change more of the file.
        """
        self.open(blend)
        use_view_layer(request.scene, request.view_layer)
        kept = find_collection(request.collection)
        if kept.library is not None:
            raise _not_saved(blend, f"its collection '{kept.name}' is linked from another file")
        _refuse_unsavable(blend)
        keep_names(exported_objects(kept, selected=request.selected))
        if identity is not None:
            kept.stagewright.remember(identity)
        _save(blend)

    def import_usd(self, source: Path, blend: Path, name: str, choice: ImportChoice) -> Job[Path]:
        """Import the USD file ``source`` into a new file ``blend``, as the collection ``name``."""
        return import_to_blend(source, blend, name, choice)

    def picture_usd(self, source: Path, target: Path, size: int, frames: int) -> Job[list[Path]]:
        """Render the USD file ``source``: the PNG ``target``, or ``frames`` of them around it."""
        collection = yield from import_collection(source, source.stem, ImportChoice())
        name = collection.name
        if not frames:
            return [(yield from render_thumbnail(name, target, size=size))]
        return (yield from render_turntable(name, target, frames, size=size))

    def import_mtlx(
        self, source: Path, blend: Path, names: tuple[str, ...], into: bool
    ) -> Job[list[dict[str, Any]]]:
        """Import materials of the document ``source``; see ``pipeline.host``.

        Raises:
            StagewrightError: ``no-blend``, ``not-saved``, ``target-unwritable``, and what
                :func:`.mtlx.import_materials` raises.
        """
        if into:
            self.open(blend)
            _refuse_unsavable(blend)
        else:
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        made = yield from import_materials(source, names)
        if into:
            _save(blend)
        else:
            write_blend(blend, {bpy.data.materials[row["name"]] for row in made})
        return made

    def export_mtlx(self, target: Path, names: tuple[str, ...]) -> Job[dict[str, Any]]:
        """Write materials of the open file as the document ``target``."""
        return export_materials(target, names)

    def thumbnail(self, request: SceneRequest, path: Path) -> Job[Path]:
        """Render the collection of ``request`` into the PNG ``path``."""
        return render_thumbnail(request.collection, path)

    def film(self, request: SceneRequest, path: Path, frames: int) -> Job[Path]:
        """Film the collection of ``request`` as it turns once, into the MP4 ``path``."""
        with TemporaryDirectory() as folder:
            pictures = yield from render_turntable(
                request.collection,
                Path(folder) / "turn.png",
                frames,
                samples=_FILM_SAMPLES,
                transparent=False,
            )
            yield Progress("film.write", None, "Writing the film")
            write_film(pictures, path)
        return path


def _export_native(
    collection: bpy.types.Collection,
    objects: list[bpy.types.Object],
    request: SceneRequest,
    folder: Path,
) -> Job[NativeExport]:
    for renamed in separate_names(objects):
        yield Message(renamed)
    samples = _samples(request, objects, 1.0)
    record = yield from read_scene(objects, _frames_read(samples))
    aliases = yield from prepare(collection, objects, folder / "images")
    yield Progress("scene.export", None, "Exporting with Blender's USD exporter")
    path = folder / "native.usdc"
    frames = (int(samples[0]), int(samples[-1])) if samples else None
    export_native(path, collection, name=request.name, frames=frames)
    return NativeExport(path, replace(record, aliases=aliases))


def _export_direct(
    collection: bpy.types.Collection,
    objects: list[bpy.types.Object],
    request: SceneRequest,
    folder: Path,
) -> Job[DirectExport]:
    # Not sooner: a Blender built without USD works for all else.
    from pxr import Sdf

    from ...usd_tools.direct.stream_writer import write_stream
    from .structure import read_structure

    if numbered := names_to_keep(objects):
        yield Message(
            f"Numbered in USD, as other names come to the same there: {', '.join(numbered)}. "
            "The numbers hold once the file is saved with them: use --save."
        )
    if request.bake:
        yield from bake_lost_inputs(objects, request.bake, folder / "bake")
    structure, shown, notes = read_structure(collection, objects, request.name)
    yield from notes
    samples = _samples(request, objects, request.step)
    record = yield from read_scene(shown, _frames_read(samples), world=request.world)
    folder.mkdir(parents=True, exist_ok=True)
    # In a folder of its own: pxr keeps files that it read by their paths.
    file = Path(tempfile.mkdtemp(prefix="geometry-", dir=folder)) / "geometry.usdc"
    look, references = (Sdf.Layer.CreateAnonymous(".usda") for _ in range(2))
    stream = read_stream(
        objects,
        request.name,
        samples,
        request.up_axis,
        folder / "files",
        skeletons=True,
        world=request.world,
        materials=look_materials(),
    )
    yield from write_stream(stream, file, look, references)
    geometry = Sdf.Layer.FindOrOpen(str(file))
    return DirectExport(geometry, look, references, folder, structure, record)


def _samples(
    request: SceneRequest, objects: list[bpy.types.Object], step: float
) -> tuple[float, ...]:
    """The frames of ``request``: from the first on each a step after the one before, and the last.

    None for what stands still.
    """
    frames = frame_range(objects) if request.frames == "auto" else request.frames
    if frames is None:
        return ()
    first, last = frames
    count = int((last - first) / step + 1e-9)
    found = [first + number * step for number in range(count + 1)]
    return tuple(found if found[-1] > last - 1e-6 else [*found, float(last)])


def _frames_read(samples: tuple[float, ...]) -> tuple[float, ...]:
    """The frames that are compared: both ends and the middle, or the current one."""
    if not samples:
        return (bpy.context.scene.frame_current_final,)
    return tuple(sorted({samples[0], samples[(len(samples) - 1) // 2], samples[-1]}))


def _refuse_unsavable(blend: Path) -> None:
    """Stop where saving the open file is impossible, or would change more of it."""
    saved_by, running = bpy.data.version[:2], bpy.app.version[:2]
    if saved_by != running:
        raise _not_saved(
            blend,
            f"Blender {saved_by[0]}.{saved_by[1]} saved it, "
            f"and Blender {running[0]}.{running[1]} would rewrite it in its own format",
        )
    if not os.access(blend, os.W_OK):
        raise _not_saved(blend, "the file is read-only")


def _save(blend: Path) -> None:
    try:
        bpy.ops.wm.save_mainfile()
    except RuntimeError as error:
        raise _not_saved(blend, " ".join(str(error).split())) from error


def _not_saved(blend: Path, why: str) -> StagewrightError:
    return StagewrightError(
        "not-saved",
        f"Nothing can be noted in '{blend.name}': {why}.",
        "Publish from Blender's sidebar, or save the file with this Blender first.",
    )
