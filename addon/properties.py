# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""What is saved in the .blend: a scene's settings, a collection's published identity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..pipeline import settings
from ..pipeline.host import DEFAULT_ENGINE
from .ayon import known, server


class STAGEWRIGHT_PG_swap(bpy.types.PropertyGroup):
    """A material that a look has in place of another."""

    material: PointerProperty(
        name="Material",
        description="Material that the look has another one for",
        type=bpy.types.Material,
    )
    instead: PointerProperty(
        name="Instead",
        description="Material that the look has in its place",
        type=bpy.types.Material,
    )


class STAGEWRIGHT_PG_look(bpy.types.PropertyGroup):
    """Another look of the asset, a variant of it."""

    name: StringProperty(name="Name", description="Name of the look")
    swaps: CollectionProperty(type=STAGEWRIGHT_PG_swap)


def _on_server(chosen: STAGEWRIGHT_PG_scene) -> bool:
    return bool(chosen.home == "SERVER")


def _look(chosen: STAGEWRIGHT_PG_scene, context: bpy.types.Context) -> None:
    """Learn what the server has, as soon as it is chosen."""
    if _on_server(chosen) and (not known.told() or chosen.project in known.projects()):
        server.look_soon(chosen.project)


def _projects(chosen: STAGEWRIGHT_PG_scene, context: bpy.types.Context, typed: str) -> list[str]:
    return known.projects() if _on_server(chosen) else []


def _folders(chosen: STAGEWRIGHT_PG_scene, context: bpy.types.Context, typed: str) -> list[str]:
    return known.folders(chosen.project) if _on_server(chosen) else []


def _tasks(chosen: STAGEWRIGHT_PG_scene, context: bpy.types.Context, typed: str) -> list[str]:
    return known.tasks(chosen.project, chosen.folder) if _on_server(chosen) else []


class STAGEWRIGHT_PG_scene(bpy.types.PropertyGroup):
    """What a scene exports and publishes, and how."""

    collection: PointerProperty(
        name="Collection",
        description="Collection that makes the asset; the whole scene if none is chosen",
        type=bpy.types.Collection,
    )
    name: StringProperty(
        name="Name",
        description="Name of the asset; the collection's, or the file's, if empty",
    )
    frames: EnumProperty(
        name="Animation",
        description="Frames to export",
        items=(
            ("AUTO", "If Anything Moves", "The scene's frame range if anything is animated"),
            ("RANGE", "Scene Range", "The scene's frame range in any case"),
            ("STATIC", "Current Frame", "The asset as it stands when the file is saved"),
        ),
        default="AUTO",
    )
    selected: BoolProperty(
        name="Selected Only", description="Export only those objects that are selected"
    )
    engine: EnumProperty(
        name="Engine",
        description="Who writes the USD",
        items=(
            ("native", "Blender", "Blender's own exporter, on a copy prepared for it"),
            ("stagewright", "Stagewright", "Stagewright's writer, which keeps instances"),
        ),
        default=DEFAULT_ENGINE,
    )
    bake: IntProperty(
        name="Bake",
        description="Width of the images that inputs of materials are baked into which USD cannot "
        "hold otherwise (noise, colour ramps); 0 bakes none",
        default=0,
        min=0,
        max=16384,
        subtype="PIXEL",
    )
    looks: CollectionProperty(
        name="Looks",
        description="Other looks of the asset, variants of it",
        type=STAGEWRIGHT_PG_look,
    )
    active_look: IntProperty(name="Look", description="Look shown below the list")
    step: FloatProperty(
        name="Step",
        description="Frames from one sample to the next; a part of one samples motion finer",
        default=1.0,
        min=0.01,
        max=1000.0,
    )
    world: BoolProperty(name="World", description="Export the scene's world, too, as a dome light")
    up_axis: EnumProperty(
        name="Up Axis",
        description="The axis that is up in the file",
        items=(("Z", "Z", "As Blender has it"), ("Y", "Y", "As many other programs have it")),
        default="Z",
    )
    over: BoolProperty(
        name="Shot Layer",
        description="Export only what is otherwise than in the version published from here, as a "
        "layer over it: the animation of a shot",
    )
    allow: StringProperty(
        name="Allow",
        description="Checks whose errors are let through, separated by commas",
    )
    home: EnumProperty(
        name="Publish To",
        description="Where versions are published",
        items=(
            ("LIBRARY", "Library", "A folder that needs no server"),
            ("SERVER", "AYON Server", "The server that you are logged in to"),
        ),
        update=_look,
    )
    project: StringProperty(
        name="Project",
        description="AYON project; that of the preferences if empty",
        search=_projects,
        search_options={"SUGGESTION"},
        update=_look,
    )
    folder: StringProperty(
        name="Folder",
        description="Path of the AYON folder; made from the asset's name if empty",
        search=_folders,
        search_options={"SUGGESTION"},
    )
    task: StringProperty(
        name="Task",
        description="AYON task",
        default=settings.TASK,
        search=_tasks,
        search_options={"SUGGESTION"},
    )
    product: StringProperty(name="Product", description="AYON product", default=settings.PRODUCT)
    comment: StringProperty(name="Comment", description="What is new in this version")

    def allowed(self) -> list[str]:
        """Names of the checks whose errors are let through."""
        return [name.strip() for name in self.allow.split(",") if name.strip()]


def _purpose_property(whose: str) -> Any:
    return EnumProperty(
        name="Purpose",
        description=f"What {whose} is for, as USD's viewers and renderers choose by it",
        items=(
            ("default", "Default", "Shown and rendered"),
            ("render", "Render", "For final renders"),
            ("proxy", "Proxy", "A light stand-in for the viewport"),
            ("guide", "Guide", "A help for artists, never rendered"),
        ),
    )


class STAGEWRIGHT_PG_object(bpy.types.PropertyGroup):
    """How an object is exported."""

    purpose: _purpose_property("the object")


class _Identity:
    """Which published version a thing is."""

    project: StringProperty(name="Project", description="AYON project")
    folder: StringProperty(name="Folder", description="Path of the AYON folder")
    product: StringProperty(name="Product", description="AYON product")
    version: StringProperty(name="Version", description="Version last published")
    version_id: StringProperty(name="Version ID", description="AYON's id of the version")
    identifier: StringProperty(name="Identifier", description="File name of the root layer")
    path: StringProperty(name="Path", description="Root layer on this machine")
    time: StringProperty(name="Time", description="When it was published (UTC)")

    def remember(self, identity: Mapping[str, Any]) -> None:
        """Take over the published ``identity``, as the pipeline's result holds it."""
        for key in ("project", "folder", "product", "version", "identifier", "path"):
            setattr(self, key, identity[key])
        self.version_id = identity["versionId"]
        self.time = datetime.now(UTC).isoformat(timespec="seconds")


class STAGEWRIGHT_PG_version(_Identity, bpy.types.PropertyGroup):
    """Which published version a material, a volume or a linked file shows."""


class STAGEWRIGHT_PG_identity(_Identity, bpy.types.PropertyGroup):
    """Which published version a collection is, and how it is exported."""

    purpose: _purpose_property("everything in the collection")
    variant_set: StringProperty(
        name="Variant Set",
        description="Variant set that the collection is a variant of, such as lod",
    )
    variant: StringProperty(
        name="Variant", description="Variant that the collection is, such as high"
    )
    added: BoolProperty(
        name="Added",
        description="It was added from a library, so its instances are references to the version",
    )


_CLASSES = (
    STAGEWRIGHT_PG_swap,
    STAGEWRIGHT_PG_look,
    STAGEWRIGHT_PG_scene,
    STAGEWRIGHT_PG_object,
    STAGEWRIGHT_PG_version,
    STAGEWRIGHT_PG_identity,
)
_SHOWING = (bpy.types.Material, bpy.types.Volume, bpy.types.Library)


def register() -> None:
    """Add the properties to scenes, objects, collections, and what shows a version."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.stagewright = PointerProperty(type=STAGEWRIGHT_PG_scene)
    bpy.types.Object.stagewright = PointerProperty(type=STAGEWRIGHT_PG_object)
    bpy.types.Collection.stagewright = PointerProperty(type=STAGEWRIGHT_PG_identity)
    for kind in _SHOWING:
        kind.stagewright = PointerProperty(type=STAGEWRIGHT_PG_version)


def unregister() -> None:
    """Take the properties away; what files hold stays in them."""
    for kind in _SHOWING:
        del kind.stagewright
    del bpy.types.Collection.stagewright
    del bpy.types.Object.stagewright
    del bpy.types.Scene.stagewright
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
