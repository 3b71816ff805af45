# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender as the pipeline's source of scenes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from ...pipeline.host import NativeExport, SceneRequest
from .names import separate_names
from .native import export_native
from .prepare import prepare
from .reading import read_scene, with_aliases
from .scope import exported_objects, find_collection, frame_range, hidden_in_renders
from .thumbnail import render_thumbnail


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
            bpy.ops.wm.open_mainfile(filepath=str(blend), load_ui=False)
        except RuntimeError as error:
            raise StagewrightError(
                "bad-blend",
                f"Blender {bpy.app.version_string} cannot read '{blend.name}': "
                f"{' '.join(str(error).removeprefix('Error: ').split())}",
                "Open it in the Blender that saved it, or restore it from a backup.",
            ) from error

    def export(self, request: SceneRequest, folder: Path) -> Job[NativeExport]:
        """Read, prepare and export the collection of ``request`` into ``folder``."""
        collection = find_collection(request.collection)
        objects = exported_objects(collection)
        names = [o.name for o in objects]
        left_out = hidden_in_renders(collection)
        if left_out:
            yield Message(f"Hidden in renders, so not exported: {', '.join(left_out)}.")
        for renamed in separate_names(objects):
            yield Message(renamed)
        frames = frame_range(objects) if request.frames == "auto" else request.frames
        if frames is None:
            read: tuple[float, ...] = (bpy.context.scene.frame_current_final,)
        else:
            read = tuple(float(f) for f in sorted({frames[0], sum(frames) // 2, frames[1]}))
        record = yield from read_scene(names, read)
        aliases = yield from prepare(collection, names, folder / "images")
        yield Progress("scene.export", None, "Exporting with Blender's USD exporter")
        path = folder / "native.usdc"
        export_native(path, collection, name=request.name, frames=frames)
        return NativeExport(path, with_aliases(record, aliases))

    def remember(self, blend: Path, collection: str, identity: Mapping[str, Any]) -> None:
        """Keep the published ``identity`` on ``collection`` in the file ``blend``."""
        self.open(blend)
        find_collection(collection).stagewright.remember(identity)
        bpy.ops.wm.save_mainfile()

    def thumbnail(self, request: SceneRequest, path: Path) -> Job[Path]:
        """Render the collection of ``request`` into the PNG ``path``."""
        return render_thumbnail(request.collection, path)
