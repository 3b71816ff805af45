# SPDX-License-Identifier: GPL-3.0-or-later
"""The asset's picture: rendered by Cycles under a studio light of its own.

For a Blender process that works for us alone: materials, modifiers and
visibility of the open file are changed and stay so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Progress
from .scope import find_collection

FILL = 0.80
"""Part of the picture's side that the subject's larger side covers."""
LENS = 85.0
"""Focal length in mm on a sensor of 36 mm: a portrait lens, little distortion."""
AZIMUTH = 32.0
"""Degrees from the front (-Y) towards the right (+X): the three-quarter view."""

_SAMPLES = 64
_SENSOR = 36.0
_DIRECTIONS = 256
_RENDERED_AS_BOX = {"CURVES", "POINTCLOUD", "VOLUME", "GREASEPENCIL"}
_RENDERED_AS_MESH = {"MESH", "CURVE", "SURFACE", "FONT", "META"}

Points = NDArray[np.float64]


def render_thumbnail(
    collection_name: str, path: Path, *, size: int = 512, samples: int = _SAMPLES
) -> Job[Path]:
    """Render the asset's picture to a PNG with alpha behind the subject.

    The collection stands alone in a new scene at the current frame: the lights,
    cameras and world of the user's scene take no part, inside the collection or
    out. The camera frames what renders, instances included. The same file gives
    the same pixels again on the same machine.

    Args:
        collection_name: the collection that is the asset; empty for the whole scene.
        path: the PNG; its folder exists.
        size: width and height in pixels.
        samples: Cycles samples per pixel.

    Returns:
        ``path``.

    Raises:
        StagewrightError: ``no-collection``, ``nothing-to-render``,
            ``render-failed`` with Blender's own words, or ``unwritable`` when
            ``path`` cannot be written.
    """
    yield Progress("thumbnail.frame", 0.0, "Framing the picture")
    scene = _studio(collection_name)
    points = _subject(scene, collection_name)
    view = _add_camera(scene, points)
    _add_lights(scene, points, view)
    _set_render(scene, size, samples)
    name = scene.name
    yield Progress("thumbnail.render", 0.1, "Rendering the picture")
    png = _render(name)
    yield Progress("thumbnail.write", 0.95, "Writing the picture")
    _write(path, png)
    return path


def render_turntable(
    collection_name: str,
    path: Path,
    frames: int,
    *,
    size: int = 512,
    samples: int = _SAMPLES,
    transparent: bool = True,
) -> Job[list[Path]]:
    """Render pictures from all around the asset, as if it turned once.

    Camera and lights go together around the asset's middle, so that the light
    stays as the camera sees it; all pictures have one framing.

    Args:
        collection_name: as for :func:`render_thumbnail`.
        path: ``turn.png`` for ``turn_0001.png`` …; the folder exists.
        frames: number of pictures.
        size: width and height in pixels.
        samples: Cycles samples per pixel.
        transparent: alpha behind the asset, not the studio's grey.

    Returns:
        The pictures, in order.

    Raises:
        StagewrightError: as :func:`render_thumbnail`.
    """
    yield Progress("thumbnail.frame", 0.0, "Framing the pictures")
    scene = _studio(collection_name)
    points = _subject(scene, collection_name)
    middle = (points.min(0) + points.max(0)) / 2
    turns = [2 * np.pi * frame / frames for frame in range(frames)]
    # What the asset sweeps has to fit into every picture.
    outline = _extremes(points, _directions())
    swept = np.concatenate([_turned(outline, middle, angle) for angle in turns])
    view = _add_camera(scene, swept)
    _add_lights(scene, points, view)
    _set_render(scene, size, samples)
    scene.render.film_transparent = transparent
    table = bpy.data.objects.new("Turntable", None)
    table.location = middle
    scene.collection.objects.link(table)
    for thing in scene.collection.objects:
        if thing.type in ("CAMERA", "LIGHT"):
            thing.parent = table
            thing.matrix_parent_inverse = Matrix.Translation(-Vector(middle))
    names = scene.name, table.name
    written = []
    for number, angle in enumerate(turns, 1):
        yield Progress(
            "thumbnail.render", (number - 1) / frames, f"Rendering picture {number} of {frames}"
        )
        # Going the other way round, the asset seems to turn to the right.
        bpy.data.objects[names[1]].rotation_euler.z = -angle
        file = path.with_name(f"{path.stem}_{number:04d}{path.suffix}")
        _write(file, _render(names[0]))
        written.append(file)
    return written


def _turned(points: Points, middle: Points, angle: float) -> Points:
    turn = np.array(Matrix.Rotation(angle, 3, "Z"))
    return (points - middle) @ turn.T + middle


def _subject(scene: bpy.types.Scene, collection_name: str) -> Points:
    """The points to be framed.

    Raises:
        StagewrightError: ``nothing-to-render``.
    """
    points = _rendered_points(scene)
    if not len(points) or not np.ptp(points, axis=0).any():
        raise StagewrightError(
            "nothing-to-render",
            f"Nothing in the collection '{collection_name}' shows up in a render.",
            "Turn on the camera icon of at least one of its objects in the Outliner.",
        )
    return points


def _write(path: Path, png: bytes) -> None:
    try:
        path.write_bytes(png)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StagewrightError(
            "unwritable",
            f"The picture '{path}' cannot be written: {error.strerror}.",
            "Choose a folder you may write to, with space left.",
        ) from error


def _studio(collection_name: str) -> bpy.types.Scene:
    """A new scene with Blender's default settings that holds the collection alone."""
    collection = find_collection(collection_name)
    before = bpy.context.scene
    scene = bpy.data.scenes.new("Thumbnail")
    whole_scene = collection == before.collection
    for child in collection.children if whole_scene else [collection]:
        scene.collection.children.link(child)
    for thing in collection.objects if whole_scene else []:
        scene.collection.objects.link(thing)
    target = scene.view_layers[0]
    target.update()
    for child in target.layer_collection.children:
        source = _find_layer(bpy.context.view_layer.layer_collection, child.name)
        if source is not None:
            child.exclude = whole_scene and source.exclude
            _copy_exclusion(source, child)
    _show_as_rendered()
    for light in bpy.data.lights:
        # Animation would bring the light back when the frame is set.
        light.animation_data_clear()
        light.energy = 0.0
    scene.frame_set(before.frame_current, subframe=before.frame_subframe)
    return scene


def _find_layer(root: bpy.types.LayerCollection, name: str) -> bpy.types.LayerCollection | None:
    """The layer collection of the collection ``name`` in a view layer."""
    if root.collection.name == name:
        return root
    found = (_find_layer(child, name) for child in root.children)
    return next((layer for layer in found if layer is not None), None)


def _copy_exclusion(source: bpy.types.LayerCollection, target: bpy.types.LayerCollection) -> None:
    """What the user's view layer leaves out of the collection stays out."""
    for child in source.children:
        target.children[child.name].exclude = child.exclude
        _copy_exclusion(child, target.children[child.name])


def _show_as_rendered() -> None:
    """Give the viewport the visibility of renders.

    Python reaches no depsgraph in render mode, and the camera has to be placed
    by what will be rendered.
    """
    for collection in bpy.data.collections:
        collection.hide_viewport = collection.hide_render
    for thing in bpy.data.objects:
        thing.hide_viewport = thing.hide_render
        thing.show_instancer_for_viewport = thing.show_instancer_for_render
        for modifier in thing.modifiers:
            modifier.show_viewport = modifier.show_render


def _rendered_points(scene: bpy.types.Scene) -> Points:
    """Points in the world whose convex hull is nearly that of all that renders, (n, 3)."""
    layer = scene.view_layers[0]
    layer.update()
    directions = _directions()
    hull = np.empty((0, 3))
    for points in _instances(layer.depsgraph, directions):
        hull = np.vstack([hull, points])
        if len(hull) > 100_000:
            hull = _extremes(hull, directions)
    return hull


def _instances(graph: bpy.types.Depsgraph, directions: Points) -> Iterator[Points]:
    """World-space extreme points of everything that renders, one array per instance."""
    known: dict[int, Points] = {}
    for instance in graph.object_instances:
        shown = instance.object
        if not instance.show_self or shown.type not in _RENDERED_AS_MESH | _RENDERED_AS_BOX:
            continue
        key = shown.as_pointer() if shown.data is None else shown.data.as_pointer()
        if key not in known:
            known[key] = _extremes(_local_points(shown), directions)
        matrix = np.array(instance.matrix_world)
        yield known[key] @ matrix[:3, :3].T + matrix[:3, 3]


def _local_points(shown: bpy.types.Object) -> Points:
    """The points of an evaluated object that carry something visible, (n, 3)."""
    if shown.type in _RENDERED_AS_BOX:
        return np.array(shown.bound_box, float)
    mesh = shown.to_mesh()
    if mesh is None:
        return np.empty((0, 3))
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    shown.to_mesh_clear()
    # Loose points and edges do not render, nor do points that lie nowhere.
    used = np.asarray(points.reshape(-1, 3)[np.unique(corners)], float)
    return used[np.isfinite(used).all(axis=1)]


def _directions() -> Points:
    """Directions spread evenly over the sphere (the Fibonacci lattice), (n, 3)."""
    i = np.arange(_DIRECTIONS) + 0.5
    z = 1 - 2 * i / _DIRECTIONS
    angle = np.pi * (1 + 5**0.5) * i
    ring = np.sqrt(1 - z**2)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], -1)


def _extremes(points: Points, directions: Points) -> Points:
    """The points farthest along each direction: a small stand-in for the convex hull."""
    if len(points) <= len(directions):
        return points
    # One direction at a time: the whole product of a dense mesh would not fit into memory.
    farthest = np.unique([np.argmax(points @ direction) for direction in directions])
    return np.asarray(points[farthest])


def _add_camera(scene: bpy.types.Scene, points: Points) -> Matrix:
    """Place the camera; return its matrix.

    The closest position from which all points stay inside the frame has a
    closed form: with the camera turned already, each side of the frame is a
    plane through the camera, so each side only asks for the farthest point
    along its normal.
    """
    span = np.ptp(points, axis=0)
    # The flatter the asset lies, the more from above it is seen.
    flatness = 1 - min(1.0, span[2] / max(span[0], span[1], 1e-12))
    turn = Matrix.Rotation(np.radians(AZIMUTH), 4, "Z") @ Matrix.Rotation(
        np.radians(90 - 16 - 24 * flatness), 4, "X"
    )
    x, y, z = (points @ np.array(turn.to_3x3())).T
    slope = FILL * _SENSOR / (2 * LENS)
    right, left = (x + slope * z).max(), (slope * z - x).max()
    top, bottom = (y + slope * z).max(), (slope * z - y).max()
    distance = max(right + left, top + bottom) / (2 * slope)
    at = turn @ Vector(((right - left) / 2, (top - bottom) / 2, distance))
    matrix = Matrix.Translation(at) @ turn

    camera = bpy.data.cameras.new("Thumbnail")
    camera.lens, camera.sensor_width, camera.sensor_fit = LENS, _SENSOR, "HORIZONTAL"
    far = distance - z.min()
    camera.clip_start = max(0.5 * (distance - z.max()), 1e-4 * far)
    camera.clip_end = 2 * far
    thing = bpy.data.objects.new("Thumbnail Camera", camera)
    scene.collection.objects.link(thing)
    thing.matrix_world = matrix
    scene.camera = thing
    return matrix


def _add_lights(scene: bpy.types.Scene, points: Points, view: Matrix) -> None:
    """Key, fill and rim around the asset, as the camera sees it, and a soft grey world."""
    low, high = points.min(0), points.max(0)
    centre = Vector((low + high) / 2)
    radius = float(np.linalg.norm(high - low)) / 2
    for name, direction, size, strength in (
        ("Key", (-0.75, 0.85, 0.75), 1.6, 150.0),
        ("Fill", (1.0, 0.15, 0.7), 2.4, 45.0),
        ("Rim", (0.6, 0.8, -1.0), 1.6, 190.0),
    ):
        light = bpy.data.lights.new(f"Thumbnail {name}", "AREA")
        light.size = size * radius
        # Brightness on the asset stays when its size and the distance grow alike.
        light.energy = strength * radius**2
        thing = bpy.data.objects.new(f"Thumbnail {name}", light)
        scene.collection.objects.link(thing)
        towards = (view.to_3x3() @ Vector(direction)).normalized()
        thing.location = centre + 3.2 * radius * towards
        thing.rotation_euler = towards.to_track_quat("Z", "Y").to_euler()
        thing.visible_camera = False
    world = bpy.data.worlds.new("Thumbnail")
    if world.node_tree is None:  # Blender 5 makes it with the world
        world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.5, 0.5, 0.5, 1.0)
    background.inputs["Strength"].default_value = 0.6
    scene.world = world


def _set_render(scene: bpy.types.Scene, size: int, samples: int) -> None:
    """Cycles on the CPU, transparent film, a fixed view transform and seed."""
    render = scene.render
    render.engine = "CYCLES"
    render.film_transparent = True
    render.resolution_x = render.resolution_y = size
    render.use_compositing = render.use_sequencer = False
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGBA"
    render.image_settings.color_depth = "8"
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples, cycles.seed = samples, 0
    # The denoiser does the rest; only what is not denoised, alpha, takes all samples.
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.05
    cycles.adaptive_min_samples = 8
    # Glass lets the page behind the picture through, like constant alpha does.
    cycles.film_transparent_glass = True
    try:
        cycles.denoiser = "OPENIMAGEDENOISE"
    except TypeError:  # a Blender built without it has no such choice
        cycles.use_denoising = False
    else:
        cycles.use_denoising = True


def _render(scene_name: str) -> bytes:
    """Render the scene; return the PNG without what Blender tells of the machine."""
    scene = bpy.data.scenes[scene_name]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "thumbnail.png"
        scene.render.filepath = str(file)
        try:
            bpy.ops.render.render(write_still=True, scene=scene_name)
        except RuntimeError as error:
            why = " ".join(str(error).removeprefix("Error: ").split())
            raise StagewrightError(
                "render-failed",
                f"Blender cannot render the picture: {why}",
                "Render the scene with Cycles in Blender to see what is missing.",
            ) from error
        return _picture_only(file.read_bytes())


def _picture_only(png: bytes) -> bytes:
    """``png`` without its ancillary chunks.

    Blender writes the file's path, the date and the render time as text chunks.
    In a PNG the chunks needed for the pixels have a capital first letter.
    """
    kept, start = [png[:8]], 8
    while start < len(png):
        length = int.from_bytes(png[start : start + 4], "big")
        end = start + 12 + length
        if png[start + 4 : start + 5].isupper():
            kept.append(png[start:end])
        start = end
    return b"".join(kept)
