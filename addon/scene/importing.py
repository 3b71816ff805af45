# SPDX-License-Identifier: GPL-3.0-or-later
"""USD files as collections, by Blender's importer."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from ...jobs.files import written_whole
from ...pipeline.host import ImportChoice
from .usd_materials import materialx_imported


def import_collection(source: Path, name: str, choice: ImportChoice) -> Job[bpy.types.Collection]:
    """Import a USD file into an empty file, which replaces the open one.

    What the asset's prototypes show is in collections of their own. The world is
    left out, images stay where they are.

    Returns:
        The collection with everything, which no scene shows yet.

    Raises:
        StagewrightError: ``no-importer``, ``asset-missing``, ``asset-unreadable``,
            ``no-prim`` or ``nothing-to-import``.
    """
    if not bpy.app.build_options.usd:
        raise StagewrightError(
            "no-importer",
            "This Blender was built without its USD importer.",
            "Use a Blender from blender.org.",
        )
    if not source.is_file():
        raise StagewrightError(
            "asset-missing", f"There is no file “{source}”.", "Check the path of the USD file."
        )
    # Not sooner: a Blender built without USD works for all else.
    from ...usd_tools.subtree import with_needed

    yield Progress("usd.import", None, f"Importing {source.name}")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    collection = bpy.data.collections.new(name)
    try:
        with materialx_imported() as told:
            bpy.ops.wm.usd_import(
                filepath=str(source),
                prim_path_mask=",".join(with_needed(source, choice.prims)),
                import_cameras=choice.cameras,
                import_proxy="proxy" in choice.purposes,
                import_guide="guide" in choice.purposes,
                create_world_material=False,
                import_textures_mode="IMPORT_NONE",
                set_frame_range=False,
                scale=1.0 / choice.meters_per_unit,
            )
    except RuntimeError as error:
        raise StagewrightError(
            "asset-unreadable",
            f"Blender cannot import {source.name}: {' '.join(str(error).split())}",
            "Check the file with: stagewright usd check.",
        ) from error
    for text in told:
        yield Message(text, "warning")
    # Prototypes stand in collections below the scene's.
    for item in bpy.context.scene.collection.objects:
        collection.objects.link(item)
    if not collection.objects:
        raise StagewrightError(
            "nothing-to-import",
            f"Blender finds nothing to import in {source.name}.",
            "Look into it with: stagewright usd tree.",
        )
    return collection


def import_to_blend(source: Path, blend: Path, name: str, choice: ImportChoice) -> Job[Path]:
    """Import a USD file into a new file ``blend``, as a collection called ``name``.

    See :func:`import_collection`; collections of prototypes are written along.

    Raises:
        StagewrightError: as there, or ``target-unwritable``.
    """
    collection = yield from import_collection(source, name, choice)
    yield Progress("usd.import", None, f"Writing {blend.name}")
    return write_blend(blend, {collection})


def write_blend(blend: Path, blocks: set[bpy.types.ID]) -> Path:
    """Write data-blocks, and all that they use, into a new file.

    Raises:
        StagewrightError: ``target-unwritable``.
    """
    try:
        with written_whole(blend) as partial:
            # Libraries of that name would be written relative to it.
            bpy.data.libraries.write(str(partial), blocks, path_remap="ABSOLUTE", fake_user=True)
    except (OSError, RuntimeError) as error:
        raise StagewrightError(
            "target-unwritable",
            f"{blend.name} cannot be written ({error}).",
            "Make room on the disk, or choose a folder you may write to.",
        ) from error
    return blend
