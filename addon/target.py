# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection that a scene's settings choose, and the words that name it to a command."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..jobs.errors import StagewrightError
from ..pipeline import settings


def collection_of(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The chosen collection, or the scene's own for the whole scene."""
    return scene.stagewright.collection or scene.collection


def label(scene: bpy.types.Scene) -> str:
    """The asset's name as the artist wrote it; empty where there is none yet."""
    chosen = scene.stagewright
    if chosen.name:
        return str(chosen.name)
    if chosen.collection:
        return str(chosen.collection.name)
    return Path(bpy.data.filepath).stem


def asset_name(scene: bpy.types.Scene) -> str:
    """The asset's name as USD and AYON take it; empty where there is none yet."""
    try:
        return settings.asset_name(label(scene))
    except StagewrightError:
        return ""


def problem(scene: bpy.types.Scene) -> str:
    """Why nothing can be exported, or an empty string."""
    if not label(scene):
        return "Save the file, choose a collection, or give the asset a name"
    if not asset_name(scene):
        return f"“{label(scene)}” has no letter or digit: give the asset another name"
    if not collection_of(scene).all_objects:
        return f"“{collection_of(scene).name}” holds no objects"
    if scene.stagewright.selected and not len(bpy.context.view_layer.objects.selected):
        return "Nothing is selected: select objects, or switch Selected Only off"
    if scene.stagewright.over and not collection_of(scene).stagewright.path:
        return "Nothing was published from here yet that a shot's layer could be over"
    if scene.stagewright.over and scene.stagewright.engine == "native":
        return "Blender's exporter writes no shot layers: choose Stagewright's engine"
    if scene.stagewright.engine == "native" and not bpy.app.build_options.usd:
        return "This Blender was built without its USD exporter: choose Stagewright's engine"
    return ""


def command_line(
    scene: bpy.types.Scene, collection: bpy.types.Collection | None = None
) -> list[str]:
    """Options that make a command export what ``scene`` chooses, or another ``collection``."""
    chosen = scene.stagewright
    name = collection.name if collection else label(scene)
    words = [f"--name={name}", f"--engine={chosen.engine}"]
    exported = collection or chosen.collection
    if exported:
        words.append(f"--collection={exported.name}")
    if chosen.bake and chosen.engine == "stagewright":
        words.append(f"--bake={chosen.bake}")
    if chosen.engine == "stagewright":
        words += [f"--step={chosen.step:.6g}"] if chosen.step != 1.0 else []
        words += ["--world"] if chosen.world else []
        words += ["--up-axis=Y"] if chosen.up_axis == "Y" else []
    if chosen.over and collection is None:
        words.append(f"--over={collection_of(scene).stagewright.path}")
    if chosen.selected and collection is None:
        words.append("--selected")
    if chosen.frames == "RANGE":
        words += ["--frames", str(scene.frame_start), str(scene.frame_end)]
    elif chosen.frames == "STATIC":
        words.append("--static")
    return words + [f"--allow={name}" for name in chosen.allowed()]


def key(scene: bpy.types.Scene) -> int:
    """What :func:`find` needs to find the chosen collection again, even if renamed."""
    chosen = scene.stagewright.collection
    return int((chosen or scene).session_uid)


def find(uid: int) -> bpy.types.Collection | None:
    """The collection of a :func:`key`, or None when it is gone or another file is open."""
    for scene in bpy.data.scenes:
        if scene.session_uid == uid:
            return scene.collection
    return next((c for c in bpy.data.collections if c.session_uid == uid), None)
