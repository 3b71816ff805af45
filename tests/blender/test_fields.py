# SPDX-License-Identifier: GPL-3.0-or-later
"""Solids through fields in Blender: what is read, made, and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from stagewright.addon import pump
from stagewright.addon.fields import making, writing
from stagewright.addon.fields.panels import STAGEWRIGHT_PT_fields, voxels_of
from stagewright.addon.fields.presets import (
    STAGEWRIGHT_OT_add_field_preset,
    STAGEWRIGHT_OT_add_field_view_preset,
)
from stagewright.field_tools.vdb import read_vdb
from stagewright.jobs.errors import StagewrightError

from .recorder import draw
from .scenes import add_mesh

pytestmark = pytest.mark.usefixtures("addon")


def add_ball(radius: float = 1.0, at: tuple[float, float, float] = (0, 0, 0)) -> bpy.types.Object:
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=5, radius=radius, location=at)
    return bpy.context.object


def add_box(size: float = 2.0, at: tuple[float, float, float] = (0, 0, 0)) -> bpy.types.Object:
    bpy.ops.mesh.primitive_cube_add(size=size, location=at)
    return bpy.context.object


def make(*items: bpy.types.Object, **settings: Any) -> bpy.types.Object:
    """What the button makes of ``items``, the first of them active."""
    for item in bpy.data.objects:
        item.select_set(item in items)
    bpy.context.view_layer.objects.active = items[0]
    chosen = bpy.context.scene.stagewright_field
    for name, value in settings.items():
        setattr(chosen, name, value)
    before = set(bpy.data.objects)
    assert bpy.ops.stagewright.make_field() == {"FINISHED"}
    (made,) = set(bpy.data.objects) - before
    return made


def refusal(*items: bpy.types.Object, **settings: Any) -> str:
    count = len(bpy.data.objects), len(bpy.data.meshes), len(bpy.data.volumes)
    with pytest.raises(RuntimeError) as caught:
        make(*items, **settings)
    assert (len(bpy.data.objects), len(bpy.data.meshes), len(bpy.data.volumes)) == count
    return str(caught.value)


def world_points(item: bpy.types.Object) -> np.ndarray:
    points = np.empty(len(item.data.vertices) * 3, np.float32)
    item.data.vertices.foreach_get("co", points)
    matrix = np.array(item.matrix_world)
    return points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def field_of(item: bpy.types.Object) -> Any:
    return read_vdb(bpy.path.abspath(item.data.filepath))


def is_closed(mesh: bpy.types.Mesh) -> bool:
    ends = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("edge_index", ends)
    return bool((np.bincount(ends) == 2).all())


def test_a_mesh_becomes_a_volume_of_exact_distances() -> None:
    box = add_box(at=(3, 1, 0))
    made = make(box, output="VOLUME", detail="SIZE", voxel_size=0.1)
    assert (made.type, made.name) == ("VOLUME", "Cube SDF")
    assert box.hide_get() and made.select_get()
    found = field_of(made)
    assert found.is_level_set and made.data.grids[0].name == "surface"
    axes = np.meshgrid(*found.grid.centers(), indexing="ij")
    away = np.abs(np.stack(axes, axis=-1)) - 1  # In the object's own space.
    exact = np.linalg.norm(np.maximum(away, 0), axis=-1) + np.minimum(away.max(axis=-1), 0)
    near = np.abs(exact) < 0.29
    assert np.abs(found.grid.values - exact)[near].max() < 1e-5
    assert tuple(made.location) == (3, 1, 0)


def test_modifiers_and_transforms_are_taken_as_they_are_evaluated() -> None:
    ball = add_ball()
    ball.scale, ball.rotation_euler, ball.location = (2, 2, -2), (1, 0.5, 0), (4, 0, 0)
    ball.modifiers.new("Thicker", "DISPLACE").strength = 1.0  # A radius of 1.5, times 2.
    bpy.context.view_layer.update()
    made = make(ball, detail="SIZE", voxel_size=0.2)
    away = np.linalg.norm(world_points(made) - [4, 0, 0], axis=1)
    assert np.abs(away - 3).max() < 0.02
    assert is_closed(made.data)
    assert np.allclose(made.matrix_world.to_scale(), 1)


def test_a_volume_becomes_a_mesh_where_it_stands() -> None:
    volume = make(add_ball(), output="VOLUME", voxels=40)
    volume.matrix_world = Matrix.LocRotScale((5, 0, 1), None, (2, 2, 2))
    bpy.context.view_layer.update()
    made = make(volume, output="MESH")
    away = np.linalg.norm(world_points(made) - [5, 0, 1], axis=1)
    assert np.abs(away - 2).max() < 0.01
    assert is_closed(made.data)


def test_a_fog_volume_becomes_a_mesh_at_its_threshold(tmp_path: Path) -> None:
    import openvdb

    x, y, z = np.meshgrid(*[np.linspace(-1, 1, 41)] * 3, indexing="ij")
    fog = openvdb.FloatGrid()
    fog.copyFromArray(np.maximum(1 - np.sqrt(x * x + y * y + z * z), 0).astype(np.float32))
    fog.name, fog.gridClass = "density", openvdb.GridClass.FOG_VOLUME
    fog.transform = openvdb.createLinearTransform(0.05)
    openvdb.write(str(tmp_path / "fog.vdb"), [fog])
    bpy.ops.object.volume_import(filepath=str(tmp_path / "fog.vdb"))
    made = make(bpy.context.object, threshold=0.5)
    away = np.linalg.norm(world_points(made) - 1, axis=1)
    assert np.abs(away - 0.5).max() < 0.01


@pytest.mark.parametrize(
    ("boolean", "inside", "outside"),
    [
        ("UNION", [(-0.5, 0, 0), (0.5, 0, 0), (1.5, 0, 0)], [(2.5, 0, 0)]),
        ("DIFFERENCE", [(-0.5, 0, 0)], [(0.5, 0, 0), (1.5, 0, 0)]),
        ("INTERSECTION", [(0.5, 0, 0)], [(-0.5, 0, 0), (1.5, 0, 0)]),
    ],
)
def test_booleans(boolean: str, inside: list[Any], outside: list[Any]) -> None:
    made = make(add_box(), add_box(at=(1, 0, 0)), operation="BOOLEAN", boolean=boolean, voxels=30)
    assert made.name.endswith("Boolean") and is_closed(made.data)
    for places, expected in ((inside, True), (outside, False)):
        for place in places:
            hits, start = 0, made.matrix_world.inverted() @ bpy_vector(place)
            while True:  # An odd number of faces along a ray: inside.
                hit, there, _normal, _face = made.ray_cast(start, (0.3, 0.2, 1))
                if not hit:
                    break
                hits, start = hits + 1, there + bpy_vector((0.3e-4, 0.2e-4, 1e-4))
            assert hits % 2 == expected, place


def bpy_vector(values: Any) -> Any:
    return Matrix.Translation(values).translation


@pytest.mark.parametrize(
    ("settings", "radii"),
    [
        ({"operation": "OFFSET", "distance": 0.5}, {1.5}),
        ({"operation": "OFFSET", "distance": -0.5}, {0.5}),
        ({"operation": "SHELL", "thickness": 0.4}, {0.8, 1.2}),
        ({"operation": "SMOOTH", "width": 0.1}, {1.0}),
    ],
)
def test_offsets_shells_and_smoothing(settings: dict[str, Any], radii: set[float]) -> None:
    made = make(add_ball(), detail="SIZE", voxel_size=0.05, **settings)
    away = np.linalg.norm(world_points(made), axis=1)
    distances = np.abs(away[:, None] - np.array(sorted(radii)))
    assert distances.min(axis=1).max() < 0.01
    assert set(np.array(sorted(radii))[np.unique(distances.argmin(axis=1))]) == radii
    assert is_closed(made.data)


def test_the_operation_works_on_volumes_too() -> None:
    volume = make(add_ball(), output="VOLUME", detail="SIZE", voxel_size=0.05)
    grown = make(volume, operation="OFFSET", distance=0.5)
    values = field_of(grown).grid
    axes = np.meshgrid(*values.centers(), indexing="ij")
    exact = np.linalg.norm(np.stack(axes, axis=-1), axis=-1) - 1.5
    near = np.abs(exact) < 0.1
    assert np.abs(values.values - exact)[near].max() < 0.01


def test_a_turned_volume_and_a_mesh_are_joined_where_they_stand() -> None:
    volume = make(add_box(), output="VOLUME", detail="SIZE", voxel_size=0.05)
    volume.rotation_euler, volume.scale = (0, 0, np.pi / 4), (2, 2, 2)
    bpy.context.view_layer.update()
    made = make(add_box(size=1, at=(5, 0, 0)), volume, operation="BOOLEAN", output="MESH")
    points = world_points(made)
    low, high = points.min(axis=0), points.max(axis=0)
    voxel = 0.05  # Where the box's edges lie among the voxels, its turn decides.
    assert np.abs(low - [-2 * np.sqrt(2), -2 * np.sqrt(2), -2]).max() < 0.2 * voxel
    assert np.abs(high - [5.5, 2 * np.sqrt(2), 2]).max() < 0.2 * voxel


def test_a_volume_with_faces_on_its_voxels_keeps_all_its_corners() -> None:
    volume = make(add_box(), output="VOLUME", detail="SIZE", voxel_size=0.05)
    made = make(volume, output="MESH")
    points = world_points(made)
    near = 0.05 * 0.05  # Of a voxel: as far as vertices are drawn to the middle of their crossings.
    assert np.abs(np.abs(points).max(axis=1) - 1).max() < near
    assert (np.abs(np.abs(points) - 1) < near).all(axis=1).sum() == 8


def distorted_ball(path: Path, how: str) -> bpy.types.Object:
    """A ball of radius 1 around (0.3, 0, 0), as other programs may leave it: no distances."""
    bpy.utils.expose_bundled_modules()
    import openvdb

    voxel, counts = 0.05, (60, 56, 56)
    x, y, z = (voxel * (np.arange(n) - (n - 1) / 2) for n in counts)
    x, y, z = np.meshgrid(x, y, z, indexing="ij")
    exact = np.sqrt((x - 0.3) ** 2 + y**2 + z**2) - 1
    fog = how == "mask"
    if how == "distorted":  # By x0.2 to x5.
        values = np.clip(exact * 5 ** np.sin(3 * x + 5 * y), -1, 1)
    else:
        values = (exact < 0).astype(np.float64)
    grid = openvdb.FloatGrid(0.0 if fog else 1.0)
    grid.copyFromArray(np.ascontiguousarray(values, np.float32))
    grid.name = "surface"
    grid.gridClass = openvdb.GridClass.FOG_VOLUME if fog else openvdb.GridClass.LEVEL_SET
    grid.transform = openvdb.createLinearTransform(voxel)
    grid.transform.postTranslate([-voxel * (n - 1) / 2 for n in counts])
    openvdb.write(str(path), [grid])
    bpy.ops.object.volume_import(filepath=str(path))
    return bpy.context.object


def distances_off_a_ball(volume: bpy.types.Object, centre: Any, radius: float, band: float) -> Any:
    """In voxels, near the surface and in the volume object's own space."""
    field = field_of(volume)
    assert field.is_level_set
    axes = np.meshgrid(*field.grid.centers(), indexing="ij")
    exact = np.linalg.norm(np.stack(axes, axis=-1) - centre, axis=-1) - radius
    size = field.grid.voxel_size
    near = np.abs(exact) < (band - 0.1) * size
    assert near.any(axis=(1, 2)).sum() > 2 * (radius / size + band - 1), "the band is whole"
    beyond = field.grid.values[np.abs(exact) > (band + 0.6) * size]
    np.testing.assert_allclose(np.abs(beyond), band * size, rtol=1e-5)
    return (field.grid.values - exact)[near] / size


@pytest.mark.parametrize(
    ("how", "band", "most", "mean"),
    [("distorted", 3.0, 0.4, 0.03), ("distorted", 5.0, 0.4, 0.03), ("mask", 5.0, 0.6, 0.1)],
)
def test_renormalizing_makes_distances_of_what_a_volume_holds(
    tmp_path: Path, how: str, band: float, most: float, mean: float
) -> None:
    volume = distorted_ball(tmp_path / "ball.vdb", how)
    before = (tmp_path / "ball.vdb").read_bytes()
    volume.location, volume.scale = (4, 0, 0), (2, 2, 2)
    bpy.context.view_layer.update()
    made = make(volume, operation="RENORMALIZE", half_width=band, threshold=0.5)
    assert (made.type, made.name) == ("VOLUME", "ball Renormalize")
    assert volume.hide_get() and (tmp_path / "ball.vdb").read_bytes() == before
    assert tuple(made.location) == (4, 0, 0) and np.allclose(made.matrix_world.to_scale(), 1)
    off = np.abs(distances_off_a_ball(made, (0.6, 0, 0), 2.0, band))
    assert off.max() < most and off.mean() < mean


def test_renormalizing_is_one_undo_step(tmp_path: Path) -> None:
    name = distorted_ball(tmp_path / "ball.vdb", "distorted").name
    bpy.ops.ed.undo_push(message="before")
    made = make(bpy.data.objects[name], operation="RENORMALIZE").name
    bpy.ops.ed.undo()
    assert made not in bpy.data.objects and not bpy.data.objects[name].hide_get()
    bpy.ops.ed.redo()
    assert bpy.data.objects[made].data.grids.load()


def test_renormalizing_can_be_cancelled(tmp_path: Path) -> None:
    volume = distorted_ball(tmp_path / "ball.vdb", "distorted")
    bpy.context.scene.stagewright_field.operation = "RENORMALIZE"
    options = bpy.context.scene.stagewright_field.options()
    task = pump.start(making.make([volume], options), making.KIND, "Renormalize")
    assert task.running
    pump.cancel(task.number)
    while task.running:
        pump.tick()
    assert task.failure is not None and task.failure.code == "cancelled"
    assert list(bpy.data.objects) == [volume]


def test_only_a_volume_is_renormalized() -> None:
    with pytest.raises(RuntimeError, match="Select a volume: Convert measures the distances"):
        make(add_ball(), operation="RENORMALIZE")


def test_a_mirrored_volume_is_mirrored(tmp_path: Path) -> None:
    volume = distorted_ball(tmp_path / "ball.vdb", "distorted")
    volume.scale = (-2, 2, 2)
    bpy.context.view_layer.update()
    made = make(volume, operation="CONVERT", output="MESH")
    away = np.linalg.norm(world_points(made) - [-0.6, 0, 0], axis=1)
    assert np.abs(away - 2).max() < 0.05


def test_vertices_become_a_surface_around_them() -> None:
    cloud = add_mesh("Cloud", [(0.0, 0, 0), (5.0, 0, 0)], [])
    made = make(cloud, source="POINTS", fluid="SPHERES", radius=0.5, detail="SIZE", voxel_size=0.1)
    points = world_points(made)
    away = np.minimum(*(np.linalg.norm(points - [x, 0, 0], axis=1) for x in (0, 5)))
    assert np.abs(away - 0.5).max() < 0.02


def test_particles_become_a_surface() -> None:
    bpy.ops.mesh.primitive_plane_add()
    plane = bpy.context.object
    plane.modifiers.new("Rain", "PARTICLE_SYSTEM")
    settings = plane.particle_systems[0].settings
    settings.count, settings.frame_start, settings.frame_end = 50, 1, 1
    settings.physics_type = "NO"
    bpy.context.scene.frame_set(2)
    made = make(plane, source="PARTICLES", fluid="SPHERES", radius=0.2, voxels=60)
    assert is_closed(made.data) and np.abs(world_points(made)[:, 2]).max() < 0.21


def test_rebuilding_keeps_the_object_and_follows_its_sources() -> None:
    ball = add_ball()
    made = make(ball, voxels=30)
    uid, mesh = made.session_uid, made.data
    ball.scale = (2, 2, 2)
    made.stagewright_field.voxels = 50
    bpy.context.view_layer.update()
    assert bpy.ops.stagewright.rebuild_field() == {"FINISHED"}
    assert (made.session_uid, made.data) == (uid, mesh)
    assert np.abs(np.linalg.norm(world_points(made), axis=1) - 2).max() < 0.02


def test_rebuilding_without_its_sources_is_refused() -> None:
    ball = add_ball()
    made = make(ball, voxels=20)
    bpy.data.objects.remove(ball)
    with pytest.raises(StagewrightError) as caught:
        making.sources_left(made)
    assert caught.value.code == "no-sources"


def test_the_result_is_one_undo_step() -> None:
    ball = add_ball()
    name = ball.name
    bpy.ops.ed.undo_push(message="before")
    made = make(ball, voxels=20).name
    bpy.ops.ed.undo()
    assert made not in bpy.data.objects and not bpy.data.objects[name].hide_get()
    bpy.ops.ed.redo()
    assert len(bpy.data.objects[made].data.polygons) > 100


def test_the_scene_may_be_emptied_while_the_child_works() -> None:
    ball = add_ball()
    options = bpy.context.scene.stagewright_field.options()
    job = making.make([ball], {**options, "voxels": 20})
    next(job)
    bpy.data.objects.remove(ball)
    while True:
        try:
            next(job)
        except StopIteration as stop:
            value = stop.value
            break
    assert len(bpy.data.objects[value["object"]].data.polygons) == value["faces"]


def test_cancelling_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    ball = add_ball()
    options = bpy.context.scene.stagewright_field.options()
    task = pump.start(making.make([ball], {**options, "voxels": 200}), making.KIND, "Make")
    pump.cancel(task.number)
    while task.running:
        pump.tick()
    assert task.failure is not None and task.failure.code == "cancelled"
    assert list(bpy.data.objects) == [ball]
    assert list(Path(bpy.app.tempdir).glob("stagewright-*")) == []


def test_what_cannot_be_done_is_one_sentence() -> None:
    ops = bpy.ops.stagewright
    with pytest.raises(RuntimeError, match="Select an object"):
        ops.make_field()
    empty = add_mesh("Nothing", [], [])
    assert "“Nothing” has no faces." in refusal(empty)
    assert "“Nothing” has no points" in refusal(empty, source="POINTS")
    broken = add_mesh("Broken", [(0, 0, 0), (1, 0, 0), (0, float("nan"), 0)], [(0, 1, 2)])
    assert "“Broken” has 1 of 3 points at no place" in refusal(broken, source="SURFACE")
    ball = add_ball()
    fine = {"detail": "SIZE", "voxel_size": 1e-5}
    assert "memory" in refusal(ball, **fine) or "numbered" in refusal(ball, **fine)
    with pytest.raises(RuntimeError, match="at least two objects"):
        make(ball, operation="BOOLEAN")
    volume = make(ball, operation="CONVERT", output="VOLUME", detail="COUNT", voxels=20)
    volume.scale = (1, 2, 1)
    bpy.context.view_layer.update()
    assert "is scaled by 1 x 2 x 1" in refusal(volume)
    volume.scale = (1, 1, 1)
    volume.data.filepath = "/nowhere/a.vdb"
    bpy.context.view_layer.update()
    assert "has no grids" in refusal(volume)


def test_volumes_lie_beside_the_saved_file_and_nothing_is_replaced(tmp_path: Path) -> None:
    first = make(add_ball(), output="VOLUME", voxels=20)
    assert Path(first.data.filepath).parent == Path(bpy.app.tempdir) / writing.KIND
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    kept = Path(bpy.path.abspath(first.data.filepath))
    assert kept.parent == tmp_path / writing.KIND and kept.is_file()
    second = make(add_ball(), output="VOLUME", voxels=20)
    assert Path(bpy.path.abspath(second.data.filepath)) != kept
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert bpy.data.volumes[0].grids.load()


def test_the_panel_shows_the_size_of_the_work_before_it_runs() -> None:
    add_box(size=2.0)
    chosen = bpy.context.scene.stagewright_field
    chosen.detail, chosen.voxels = "COUNT", 100
    counts, size = voxels_of(chosen, making.sources_of(bpy.context))
    assert size == pytest.approx(0.02)
    made = make(bpy.context.object, output="VOLUME")
    assert np.abs(np.array(counts) - field_of(made).grid.shape).max() <= 4
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    bpy.data.objects["Cube"].hide_set(False)
    bpy.data.objects["Cube"].select_set(True)
    texts = " ".join(draw(STAGEWRIGHT_PT_fields).texts)
    assert "108 × 108 × 108 voxels" in texts and "of memory" in texts


def attribute(item: bpy.types.Object, name: str, field: str, width: int) -> np.ndarray:
    data = item.data.attributes[name].data
    values = np.empty((len(data), width), np.float32)
    data.foreach_get(field, values.reshape(-1))
    return values


def test_remeshing_keeps_what_the_mesh_knows() -> None:
    box = add_box()
    for name in ("Oak", "Steel"):
        box.data.materials.append(bpy.data.materials.new(name))
    for face in box.data.polygons:
        face.material_index = int(face.center.z > 0.5)
    colours = box.data.color_attributes.new("Paint", "FLOAT_COLOR", "POINT")
    for number, vertex in enumerate(box.data.vertices):
        colours.data[number].color = (*(0.5 + x / 2 for x in vertex.co), 1.0)
    group = box.vertex_groups.new(name="Right")
    for vertex in box.data.vertices:
        group.add([vertex.index], 0.5 + vertex.co.x / 2, "REPLACE")
    box.location, box.scale = (1, 2, 3), (-1, 1, 1)  # Mirrored: the corners' order is another.
    bpy.context.view_layer.update()
    made = make(box, operation="REMESH", voxels=20)
    points = world_points(made) - [1, 2, 3]
    points[:, 0] *= -1  # The places in the box's own space.
    assert [slot.material.name for slot in made.material_slots] == ["Oak", "Steel"]
    tops = np.array([face.material_index for face in made.data.polygons])
    middles = np.array([np.mean([points[v] for v in face.vertices], axis=0)
                        for face in made.data.polygons])  # fmt: skip
    clear = np.abs(middles[:, 2] - 1) > 0.05
    assert (tops[clear] == 0).all() and tops.sum() > 100
    inside = np.clip(points, -1, 1)
    assert np.abs(attribute(made, "Paint", "color", 4)[:, :3] - (0.5 + inside / 2)).max() < 1e-3
    weights = [next((g.weight for g in v.groups), 0.0) for v in made.data.vertices]
    assert np.abs(np.array(weights) - (0.5 + inside[:, 0] / 2)).max() < 2e-3
    assert made.data.uv_layers.active.name == box.data.uv_layers.active.name
    # Each quad's UVs lie on one face of the box's unfolded cross: none is smeared.
    uvs = attribute(made, "UVMap", "vector", 2).reshape(-1, 4, 2)
    assert np.ptp(uvs, axis=1).max() < 0.25 * 1.5 / 20 + 0.01
    sharp = sum(edge.use_edge_sharp for edge in made.data.edges)
    assert 12 * 17 < sharp < 12 * 24
    assert box.hide_get()


def test_remeshing_keeps_edges() -> None:
    made = make(add_box(), operation="REMESH", voxels=20)
    points = np.abs(world_points(made))
    edge = np.sort(points, axis=1)[:, 1] > 0.99
    assert np.abs(points.max(axis=0) - 1).max() < 1e-3
    assert edge.sum() > 12 * 17


def test_an_image_moves_the_surface() -> None:
    image = bpy.data.images.new("Halves", 8, 4, float_buffer=True)
    pixels = np.zeros((4, 8, 4), np.float32)
    pixels[:, 4:] = 1.0  # White where x is above 0.
    image.pixels.foreach_set(pixels.ravel())
    box = add_box()
    settings = {"operation": "DISPLACE", "height": 0.2, "axis": "Z", "picture": image}
    made = make(box, detail="SIZE", voxel_size=0.05, hide=False, **settings)
    points = world_points(made)
    middle = np.abs(points[:, 1]) < 0.5
    for side, height in ((-0.6, 1.0), (0.6, 1.2)):
        above = middle & (np.abs(points[:, 0] - side) < 0.2) & (points[:, 2] > 0)
        assert above.sum() > 20 and np.abs(points[above, 2] - height).max() < 0.02
    assert made.stagewright_field.picture == image
    bpy.data.images.remove(image)
    with pytest.raises(RuntimeError, match="Choose the image"):
        make(box)
    with pytest.raises(RuntimeError, match="no pixels of the image"):
        bpy.context.view_layer.objects.active = made
        bpy.ops.stagewright.rebuild_field()


KEPT = {
    "field": ({"operation": "SHELL", "voxels": 77, "thickness": 0.25}, {"spacing": 0.3}),
    "field_view": ({"view": "ARROWS", "spacing": 0.7}, {"voxels": 33}),
}


@pytest.mark.parametrize("tool", KEPT)
def test_a_preset_brings_its_own_settings_back(
    tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLENDER_USER_SCRIPTS", str(tmp_path))
    chosen = bpy.context.scene.stagewright_field
    own, others = KEPT[tool]
    for name, value in own.items():
        setattr(chosen, name, value)
    add = getattr(bpy.ops.stagewright, f"add_{tool}_preset")
    assert add(name="Mine") == {"FINISHED"}
    (preset,) = Path(bpy.utils.user_resource("SCRIPTS")).rglob(f"{tool}/Mine.py")
    for name in own:
        chosen.property_unset(name)
    for name, value in others.items():
        setattr(chosen, name, value)
    menu = f"STAGEWRIGHT_PT_{tool}_presets"
    bpy.ops.script.execute_preset(filepath=str(preset), menu_idname=menu)
    for name, value in {**own, **others}.items():
        assert getattr(chosen, name) == (value if isinstance(value, str) else pytest.approx(value))
    assert add(name="Mine", remove_name=True) == {"FINISHED"} and not preset.exists()


def test_every_setting_of_the_panel_is_in_a_preset() -> None:
    chosen = bpy.context.scene.stagewright_field
    kept = {
        value.partition(".")[2]
        for cls in (STAGEWRIGHT_OT_add_field_preset, STAGEWRIGHT_OT_add_field_view_preset)
        for value in cls.preset_values
    }
    # An image belongs to its file.
    assert kept == set(chosen.options()) - {"picture"}
