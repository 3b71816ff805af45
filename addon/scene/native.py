# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own USD exporter, with the settings the asset is made from."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...jobs.errors import StagewrightError


def export_native(
    path: Path, collection: bpy.types.Collection, *, name: str, frames: tuple[int, int] | None
) -> None:
    """Export ``collection`` below the prim ``/name`` into ``path``.

    What the viewport shows is what is evaluated, subdivision included, so that
    the file can be compared with the scene point by point. Textures keep their
    places: the asset collects them.

    Raises:
        StagewrightError: ``no-usd-exporter`` where Blender was built without
            USD, ``export-failed`` with Blender's own words.
    """
    if "usd_export" not in dir(bpy.ops.wm):
        raise StagewrightError(
            "no-usd-exporter",
            f"Blender {bpy.app.version_string} was built without its USD exporter.",
            "Use a Blender from blender.org, or name one in BLENDER_EXECUTABLE.",
        )
    scene = bpy.context.scene
    if frames is not None:
        scene.frame_start, scene.frame_end = frames
    whole_scene = collection == scene.collection
    try:
        done = bpy.ops.wm.usd_export(
            filepath=str(path),
            collection="" if whole_scene else collection.name,
            root_prim_path=f"/{name}",
            export_animation=frames is not None,
            evaluation_mode="VIEWPORT",
            export_subdivision="TESSELLATE",
            use_instancing=False,
            generate_preview_surface=True,
            export_textures_mode="KEEP",
            relative_paths=False,
            author_blender_name=True,
            convert_world_material=False,
            convert_scene_units="METERS",
        )
    except RuntimeError as error:
        raise _failed(str(error)) from error
    if done != {"FINISHED"} or not path.exists():
        raise _failed("it wrote no file")


def _failed(why: str) -> StagewrightError:
    return StagewrightError(
        "export-failed",
        f"Blender's USD exporter failed: {' '.join(why.split())}",
        "Export the collection with File > Export > Universal Scene Description to see more.",
    )
