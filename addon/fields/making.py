# SPDX-License-Identifier: GPL-3.0-or-later
"""The job that makes an object through a field: read, compute in a child process, write."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...field_tools import work
from ...field_tools.field_files import read_field
from ...field_tools.memory import available_memory
from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from ...jobs.process import run_child
from ..undo import push_undo
from . import attributes, node_volumes, reading, writing

KIND = "field"
Making = Job[Mapping[str, Any]]
NAMED = {"REMESH", "BOOLEAN", "OFFSET", "SHELL", "SMOOTH", "RENORMALIZE", "DISPLACE"}
OF_ONE = {"REMESH", "RENORMALIZE"}
"""Work on the active object alone."""


def make(
    sources: Sequence[bpy.types.Object],
    options: Mapping[str, Any],
    result: bpy.types.Object | None = None,
    *,
    frame: int | None = None,
    undo: bool = True,
) -> Making:
    """Make a mesh or volume object of ``sources``, or make ``result`` anew.

    Args:
        sources: the first one gives the result its place, rotation and name.
        options: as `STAGEWRIGHT_PG_field.options` tells them.
        result: what this made before; a new object takes its place if it is gone by the end.
        frame: when the sources are read; now unless given. The scene goes back to where it was.
        undo: whether the end is a step of undo.

    Returns:
        What the child tells of the result, and ``object``, its name.

    Raises:
        StagewrightError: what the sources or the work are refused for.
    """
    bpy.utils.expose_bundled_modules()
    uids = [item.session_uid for item in sources]
    target = result.session_uid if result else 0
    first = sources[0]
    name = f"{first.name} {_suffix(options)}"
    with TemporaryDirectory(prefix="stagewright-", dir=bpy.app.tempdir or None) as temporary:
        folder = Path(temporary)
        with _at(frame):
            space = reading.frame_of(first)
            told = write_inputs(sources, options, space, folder)
        yield Progress("field.start", 0.0, "Measuring distances")
        arguments = {"folder": str(folder), "options": {**options, "sources": told}}
        value = yield from run_child("field_tools.work:make_solid", arguments, folder=folder)
        made = _write_result(folder, options, name, uids, space, target, told)
    if made.session_uid != target:
        left = [source for source in map(find, uids) if source is not None]
        made.stagewright_field.take(dict(options), left)
    if undo:
        push_undo(made.name)
    yield Message(f"{made.name}: {_told(value)}.")
    return {**value, "object": made.name}


@contextmanager
def _at(frame: int | None) -> Iterator[None]:
    """The scene at a frame, for a moment."""
    scene = bpy.context.scene
    kept = scene.frame_current, scene.frame_subframe
    if frame is not None and frame != kept[0]:
        scene.frame_set(frame)
    try:
        yield
    finally:
        if scene.frame_current != kept[0]:
            scene.frame_set(kept[0], subframe=kept[1])


def write_inputs(
    sources: Sequence[bpy.types.Object],
    options: Mapping[str, Any],
    frame: NDArray[np.float64],
    folder: Path,
) -> list[dict[str, Any]]:
    """Save the arrays of all sources; what the child is told of each."""
    graph = bpy.context.evaluated_depsgraph_get()
    arrays: dict[str, NDArray[Any]] = {}
    told: list[dict[str, Any]] = []
    if options["operation"] == "DISPLACE":
        arrays["picture"] = reading.read_heights(options["picture"])
    for number, source in enumerate(sources):
        if source.mode == "EDIT":
            source.update_from_editmode()
        item = source.evaluated_get(graph)
        found: dict[str, Any] = {}
        if source.type == "VOLUME":
            told.append(reading.read_volume(item, frame, folder))
            continue
        told.append({})
        if options["source"] == "PARTICLES":
            found = reading.read_particles(item, frame)
        elif options["source"] == "POINTS" or source.type == "POINTCLOUD":
            found = reading.read_points(item, frame)
        else:
            found, entries = reading.read_surface(
                item, frame, attributes=options["operation"] == "REMESH"
            )
            told[number]["attributes"] = entries
        arrays |= {f"{number}.{name}": array for name, array in found.items()}
    np.savez(folder / work.INPUTS, **arrays)  # type: ignore[arg-type]
    return told


def _write_result(
    folder: Path,
    options: Mapping[str, Any],
    name: str,
    uids: Sequence[int],
    frame: NDArray[np.float64],
    target: int,
    told: Sequence[Mapping[str, Any]],
) -> bpy.types.Object:
    """The object that holds what the child has made."""
    first, made = find(uids[0]), find(target)
    kind = "VOLUME" if options["output"] == "VOLUME" else "MESH"
    if made is None or made.type != kind:
        new = bpy.data.volumes.new(name) if kind == "VOLUME" else bpy.data.meshes.new(name)
        made = writing.add_object(new, name, first)
        _choose(made, [item for item in map(find, uids) if item], hide=options["hide"])
    made.matrix_world = Matrix(frame.tolist())
    if kind == "VOLUME":
        if not (folder / work.VOLUME).exists():
            found = read_field(folder / work.VOLUME_BLOCKS)
            node_volumes.write_grid(found.grid, folder / work.VOLUME, found.name)
        writing.keep_volume(folder / work.VOLUME, made.data, live=made.stagewright_field.live)
        return made
    if options["operation"] == "REMESH" and first is not None:
        attributes.copy_materials(first, made.data)  # It would set all faces' to the first later.
    with np.load(folder / work.RESULT) as arrays:
        writing.fill_mesh(made.data, arrays["vertices"], arrays["quads"])
        if options["operation"] == "REMESH":
            attributes.write_attributes(made, told[0].get("attributes", []), arrays)
    if options["operation"] == "REMESH" and first is not None:
        attributes.copy_choices(first, made)
        attributes.shade(made.data, options["angle"])
    return made


def _choose(made: bpy.types.Object, sources: Sequence[bpy.types.Object], *, hide: bool) -> None:
    """Select the result alone, and hide what it is made from."""
    layer = bpy.context.view_layer
    if layer.objects.active is not None and layer.objects.active.mode != "OBJECT":
        return  # The artist is at something else by now.
    for item in list(layer.objects.selected):
        item.select_set(False)
    for item in sources:
        if hide and item.name in layer.objects:
            item.hide_set(True)
    made.select_set(True)
    layer.objects.active = made


def find(uid: int) -> bpy.types.Object | None:
    """The object of a session_uid, or None when it is gone."""
    return next((item for item in bpy.data.objects if item.session_uid == uid), None)


def _suffix(options: Mapping[str, Any]) -> str:
    if options["operation"] in NAMED:
        return str(options["operation"]).title()
    return "SDF" if options["output"] == "VOLUME" else "Surface"


def label(options: Mapping[str, Any]) -> str:
    """What the button says."""
    what = "SDF Volume" if options["output"] == "VOLUME" else "Mesh"
    return f"Make {what}" if options["operation"] == "CONVERT" else f"{_suffix(options)} to {what}"


def _told(value: Mapping[str, Any]) -> str:
    if "faces" in value:
        return f"{value['faces']:,} faces from {value['voxels']:,} voxels"
    return f"{value['voxels']:,} voxels of {value['voxel_size']:.4g}"


def problem(context: bpy.types.Context, *, joins: bool = True) -> str:
    """Why nothing can be made of what is selected, or an empty string.

    ``joins`` tells whether the operation counts: a boolean needs objects to join, and so on.
    """
    options = context.scene.stagewright_field
    found = sources_of(context)
    if not found:
        return "Select an object: a mesh, a curve, a volume or a point cloud"
    if joins and options.operation == "BOOLEAN" and len(found) < 2:
        return "Select at least two objects: the active one and those to join it with"
    if joins and options.operation == "DISPLACE" and options.picture is None:
        return "Choose the image that moves the surface"
    if joins and options.operation == "RENORMALIZE" and found[0].type != "VOLUME":
        return "Select a volume: Convert measures the distances to a surface"
    return ""


def sources_of(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The selected objects that can be made into fields, the active one first."""
    kinds = reading.SURFACES | {"VOLUME", "POINTCLOUD"}
    active = context.view_layer.objects.active
    found: list[bpy.types.Object] = [
        item for item in context.view_layer.objects.selected if item.type in kinds
    ]
    if active in found:
        found.remove(active)
        found.insert(0, active)
    return found[:1] if context.scene.stagewright_field.operation in OF_ONE else found


def sources_left(item: bpy.types.Object) -> list[bpy.types.Object]:
    """What an object was made from.

    Raises:
        StagewrightError: ``no-sources`` when none or not all of it is left.
    """
    left = present(item)
    if not left or len(left) < len(item.stagewright_field.sources):
        raise StagewrightError(
            "no-sources",
            f"What “{item.name}” was made from is no longer here.",
            "Make it again from other objects.",
        )
    return left


def present(item: bpy.types.Object) -> list[bpy.types.Object]:
    """What is left of what an object was made from."""
    return [entry.object for entry in item.stagewright_field.sources if entry.object is not None]


@functools.cache
def memory() -> int:
    """Bytes of memory that were free when first asked."""
    return available_memory()
