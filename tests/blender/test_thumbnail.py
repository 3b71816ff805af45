# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture frames the asset, shows what renders and nothing else, and is repeatable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from stagewright.addon.scene.thumbnail import render_thumbnail
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Progress

SIZE = 96


@pytest.fixture
def asset() -> bpy.types.Collection:
    collection = bpy.data.collections.new("Asset")
    bpy.context.scene.collection.children.link(collection)
    return collection


def box(
    asset: bpy.types.Collection,
    size: tuple[float, float, float],
    at: tuple[float, float, float] = (0, 0, 0),
) -> bpy.types.Object:
    signs = [(x, y, z) for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)]
    faces = [(0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6), (4, 5, 7, 6), (2, 3, 1, 0)]
    mesh = bpy.data.meshes.new("Box")
    mesh.from_pydata([tuple(np.multiply(s, size)) for s in signs], [], faces)
    thing = bpy.data.objects.new("Box", mesh)
    thing.location = at
    asset.objects.link(thing)
    return thing


def face(asset: bpy.types.Collection, *corners: tuple[float, float, float]) -> bpy.types.Object:
    mesh = bpy.data.meshes.new("Face")
    mesh.from_pydata(corners, [], [range(len(corners))])
    thing = bpy.data.objects.new("Face", mesh)
    asset.objects.link(thing)
    return thing


def render(path: Path) -> NDArray[np.float64]:
    """The picture as (rows, columns, RGBA), row 0 below."""
    for _ in render_thumbnail("Asset", path, size=SIZE, samples=4):
        pass
    image = bpy.data.images.load(str(path))
    assert tuple(image.size) == (SIZE, SIZE)
    return np.array(image.pixels[:]).reshape(SIZE, SIZE, 4)


def fill(picture: NDArray[np.float64]) -> tuple[float, float]:
    """Width and height of what is not transparent, as parts of the picture's side."""
    shown = picture[..., 3] > 0.5
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    return (np.ptp(columns) + 1) / SIZE, (np.ptp(rows) + 1) / SIZE


def spread(asset: bpy.types.Collection) -> None:
    """Two instances of a collection, far apart, and nothing else."""
    prototype = bpy.data.collections.new("Prototype")
    box(prototype, (1, 1, 1))
    for x in (-4.0, 4.0):
        empty = bpy.data.objects.new("Instance", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", prototype
        empty.location.x = x
        asset.objects.link(empty)


def round_ball(asset: bpy.types.Collection) -> None:
    """A ball: its bounding box is much larger than its outline."""
    thing = box(asset, (2, 2, 2))
    thing.modifiers.new("Round", "SUBSURF").levels = 4
    thing.modifiers["Round"].render_levels = 4


def row_of_cubes(asset: bpy.types.Collection) -> None:
    """A tiny face whose node tree replaces it by ten cubes of its own, over 9 units."""
    tree = bpy.data.node_groups.new("Row", "GeometryNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")
    line = tree.nodes.new("GeometryNodeMeshLine")
    line.inputs["Offset"].default_value = (0, 0, 1)
    cube = tree.nodes.new("GeometryNodeMeshCube")
    cube.inputs["Size"].default_value = (0.5, 0.5, 0.5)
    instances = tree.nodes.new("GeometryNodeInstanceOnPoints")
    tree.links.new(line.outputs["Mesh"], instances.inputs["Points"])
    tree.links.new(cube.outputs["Mesh"], instances.inputs["Instance"])
    tree.links.new(instances.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    thing = face(asset, (0, 0, 0), (0.01, 0, 0), (0, 0.01, 0))
    thing.modifiers.new("Row", "NODES").node_group = tree


def wire(asset: bpy.types.Collection) -> None:
    """A thick straight curve."""
    curve = bpy.data.curves.new("Wire", "CURVE")
    curve.dimensions, curve.bevel_depth = "3D", 0.3
    spline = curve.splines.new("POLY")
    spline.points.add(1)
    spline.points[1].co = (3, 1, 2, 1)
    asset.objects.link(bpy.data.objects.new("Wire", curve))


SUBJECTS: dict[str, Callable[[bpy.types.Collection], object]] = {
    "cube": lambda asset: box(asset, (1, 1, 1)),
    "ball": round_ball,
    "one millimetre": lambda asset: box(asset, (0.001, 0.001, 0.001)),
    "one kilometre": lambda asset: box(asset, (1000, 1000, 300)),
    "lying plane": lambda asset: face(asset, (0, 0, 0), (2, 0, 0), (2, 1, 0), (0, 1, 0)),
    "standing plane": lambda asset: face(asset, (0, 0, 0), (2, 0, 0), (2, 0, 3), (0, 0, 3)),
    "far from the origin": lambda asset: box(asset, (1, 1, 1), (800, -500, 120)),
    "tall pole": lambda asset: box(asset, (0.5, 0.5, 20)),
    "collection instances": spread,
    "instances made in nodes": row_of_cubes,
    "bevelled curve": wire,
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_subject_fills_the_frame(
    subject: str, asset: bpy.types.Collection, tmp_path: Path
) -> None:
    SUBJECTS[subject](asset)
    picture = render(tmp_path / "picture.png")
    assert 0.6 <= max(fill(picture)) <= 0.9
    assert not picture[[0, 0, -1, -1], [0, -1, 0, -1], 3].any()
    shown = picture[..., 3] > 0.99
    assert 0.15 < picture[shown, :3].mean() < 0.95, "neither black nor burnt out"


def test_two_renders_are_byte_identical(asset: bpy.types.Collection, tmp_path: Path) -> None:
    box(asset, (1, 2, 1))
    render(tmp_path / "first.png")
    render(tmp_path / "second.png")
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


def test_what_does_not_render_is_not_in_the_picture(
    asset: bpy.types.Collection, tmp_path: Path
) -> None:
    box(asset, (1, 1, 1))
    alone = render(tmp_path / "alone.png")
    box(asset, (30, 1, 1)).hide_render = True
    excluded = bpy.data.collections.new("Excluded")
    asset.children.link(excluded)
    box(excluded, (1, 1, 30))
    layer = bpy.context.view_layer.layer_collection.children["Asset"]
    layer.children["Excluded"].exclude = True
    box(bpy.context.scene.collection, (9, 9, 9))
    np.testing.assert_array_equal(render(tmp_path / "picture.png"), alone)


def test_what_only_renders_is_framed(asset: bpy.types.Collection, tmp_path: Path) -> None:
    box(asset, (1, 1, 1))
    box(asset, (0.2, 0.2, 12)).hide_viewport = True
    assert fill(render(tmp_path / "picture.png"))[1] > 0.6


def test_lights_world_and_camera_of_the_scene_do_not_matter(
    asset: bpy.types.Collection, tmp_path: Path
) -> None:
    box(asset, (1, 1, 1))
    alone = render(tmp_path / "alone.png")
    light = bpy.data.lights.new("Sun", "SUN")
    light.energy, light.color = 50, (1, 0, 0)
    light.keyframe_insert("energy", frame=1)
    asset.objects.link(bpy.data.objects.new("Sun", light))
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    asset.objects.link(camera)
    bpy.context.scene.camera = camera
    world = bpy.data.worlds.new("Red")
    world.color = (1, 0, 0)
    bpy.context.scene.world = world
    np.testing.assert_array_equal(render(tmp_path / "lit.png"), alone)


def test_the_materials_show(asset: bpy.types.Collection, tmp_path: Path) -> None:
    material = bpy.data.materials.new("Red")
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (1, 0, 0, 1)
    box(asset, (1, 1, 1)).data.materials.append(material)
    picture = render(tmp_path / "picture.png")
    red, green, blue = picture[picture[..., 3] > 0.99, :3].mean(0)
    assert red > 1.5 * max(green, blue)


def test_the_file_holds_pixels_only(asset: bpy.types.Collection, tmp_path: Path) -> None:
    box(asset, (1, 1, 1))
    render(tmp_path / "picture.png")
    data, start, kinds = (tmp_path / "picture.png").read_bytes(), 8, set()
    while start < len(data):
        kinds.add(data[start + 4 : start + 8])
        start += 12 + int.from_bytes(data[start : start + 4], "big")
    assert kinds == {b"IHDR", b"IDAT", b"IEND"}


def test_progress_comes_before_the_long_step(asset: bpy.types.Collection, tmp_path: Path) -> None:
    box(asset, (1, 1, 1))
    path = tmp_path / "picture.png"
    job = render_thumbnail("Asset", path, size=16, samples=1)
    first = next(job)
    assert isinstance(first, Progress) and first.step == "thumbnail.frame"
    assert [event.step for event in job] == ["thumbnail.render", "thumbnail.write"]
    assert path.exists()


@pytest.mark.parametrize("content", ["nothing", "a light", "a hidden box", "loose points"])
def test_nothing_to_render_is_an_error(
    content: str, asset: bpy.types.Collection, tmp_path: Path
) -> None:
    if content == "a light":
        asset.objects.link(bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN")))
    if content == "a hidden box":
        box(asset, (1, 1, 1)).hide_render = True
    if content == "loose points":
        mesh = bpy.data.meshes.new("Loose")
        mesh.from_pydata([(0, 0, 0), (1, 1, 1)], [(0, 1)], [])
        asset.objects.link(bpy.data.objects.new("Loose", mesh))
    with pytest.raises(StagewrightError) as caught:
        render(tmp_path / "picture.png")
    assert caught.value.code == "nothing-to-render"
    assert "'Asset'" in caught.value.message
    assert not (tmp_path / "picture.png").exists()


def test_a_missing_collection_and_a_missing_folder_are_errors(
    asset: bpy.types.Collection, tmp_path: Path
) -> None:
    with pytest.raises(StagewrightError) as caught:
        list(render_thumbnail("Elsewhere", tmp_path / "picture.png"))
    assert caught.value.code == "no-collection"
    box(asset, (1, 1, 1))
    with pytest.raises(StagewrightError) as caught:
        list(render_thumbnail("Asset", tmp_path / "none" / "picture.png", size=16, samples=1))
    assert caught.value.code == "unwritable"


def test_a_render_that_blender_gives_up_is_an_error(
    asset: bpy.types.Collection, tmp_path: Path
) -> None:
    box(asset, (1, 1, 1))

    def take_the_place(scene: bpy.types.Scene, _: object) -> None:
        Path(scene.render.filepath).mkdir()

    bpy.app.handlers.render_pre.append(take_the_place)
    try:
        with pytest.raises(StagewrightError) as caught:
            render(tmp_path / "picture.png")
    finally:
        bpy.app.handlers.render_pre.remove(take_the_place)
    assert caught.value.code == "render-failed"
    assert not (tmp_path / "picture.png").exists()


def test_points_that_lie_nowhere_do_not_spoil_the_frame(
    asset: bpy.types.Collection, tmp_path: Path
) -> None:
    box(asset, (1, 1, 1))
    face(asset, (0, 0, 0), (0.1, 0, 0), (float("nan"), 0, 0), (float("inf"), 0, 0))
    assert 0.6 <= max(fill(render(tmp_path / "picture.png"))) <= 0.9
