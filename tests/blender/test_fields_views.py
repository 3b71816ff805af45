# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields made visible: slices, curvature, arrows and streamlines say what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from stagewright.addon.fields.showing import COLOURS, VALUES

from .test_fields import add_ball, attribute, world_points

pytestmark = pytest.mark.usefixtures("addon")


def show(item: bpy.types.Object, **settings: Any) -> list[bpy.types.Object]:
    """What the button makes, meshes first."""
    chosen = bpy.context.scene.stagewright_field
    for name, value in settings.items():
        setattr(chosen, name, value)
    item.select_set(True)
    bpy.context.view_layer.objects.active = item
    before = set(bpy.data.objects)
    assert bpy.ops.stagewright.show_field() == {"FINISHED"}
    made = set(bpy.data.objects) - before
    return sorted(made, key=lambda found: found.type, reverse=True)


def lines_of(item: bpy.types.Object) -> list[np.ndarray]:
    points = np.empty((len(item.data.points), 3), np.float32)
    item.data.points.foreach_get("position", points.reshape(-1))
    matrix = np.array(item.matrix_world)
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    sizes = [curve.points_length for curve in item.data.curves]
    return np.split(points, np.cumsum(sizes)[:-1])


def test_a_slice_has_the_distances_and_lines_of_equal_ones() -> None:
    ball = add_ball(at=(2, 0, 0))
    plane, lines = show(ball, view="SLICE", axis="Z", place=0.5, spacing=0.1, voxels=60)
    points = world_points(plane) - [2, 0, 0]
    assert np.ptp(points[:, 2]) < 1e-6 and abs(points[0, 2]) < 0.02
    exact = np.linalg.norm(points, axis=1) - 1
    near = np.abs(exact) < 0.4
    values = attribute(plane, VALUES, "value", 1).ravel()
    assert np.abs(values - exact)[near].max() < 0.01
    radii = [np.linalg.norm(line - [2, 0, 0], axis=1) for line in lines_of(lines)]
    levels = sorted({round(float(np.mean(r)), 1) for r in radii})
    assert {0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3} <= set(levels)
    inner = [r for r in radii if 0.65 < r.mean() < 1.35]
    assert max(np.abs(r - round(float(r.mean()), 1)).max() for r in inner) < 0.02
    colours = attribute(plane, COLOURS, "color", 4)
    assert (colours[values < -0.2, 2] > colours[values < -0.2, 0]).all()
    assert (colours[values > 0.2, 0] > colours[values > 0.2, 2]).all()


def test_curvature_is_that_of_a_ball() -> None:
    (mesh,) = show(add_ball(radius=2.0), view="CURVATURE", voxels=60)
    values = attribute(mesh, VALUES, "value", 1).ravel()
    assert np.median(values) == pytest.approx(0.5, rel=0.05)
    assert mesh.data.attributes.active_color_name == COLOURS
    assert mesh.data.materials[0].name == COLOURS


def test_arrows_point_away_from_the_surface() -> None:
    (arrows,) = show(add_ball(), view="ARROWS", spacing=0.3, voxels=60)
    lines = lines_of(arrows)
    assert len(lines) > 50
    for foot, head in lines:
        assert np.linalg.norm(foot) == pytest.approx(1, abs=0.02)
        way = (head - foot) / np.linalg.norm(head - foot)
        assert way @ (foot / np.linalg.norm(foot)) > 0.98


def swirl(tmp_path: Path) -> bpy.types.Object:
    """A volume of velocities that turn around the Z axis."""
    import openvdb

    grid = openvdb.Vec3SGrid()
    x, y, _z = np.meshgrid(*[np.linspace(-1, 1, 41)] * 3, indexing="ij")
    values = np.stack([-y, x, np.full_like(x, 1e-9)], axis=-1).astype(np.float32)
    grid.copyFromArray(np.ascontiguousarray(values))
    grid.name, grid.transform = "velocity", openvdb.createLinearTransform(0.05)
    openvdb.write(str(tmp_path / "swirl.vdb"), [grid])
    bpy.ops.object.volume_import(filepath=str(tmp_path / "swirl.vdb"))
    return bpy.context.object


def test_streamlines_of_a_swirl_are_circles(tmp_path: Path) -> None:
    (curves,) = show(swirl(tmp_path), view="STREAMLINES", spacing=0.4, length=1.0)
    lines = lines_of(curves)
    assert len(lines) > 20
    checked = 0
    for line in lines:
        radius = np.linalg.norm(line[:, :2] - 1, axis=1)
        if 0.2 < radius.mean() < 0.8:
            assert np.ptp(radius) < 0.02
            assert np.ptp(line[:, 2]) < 1e-4
            checked += 1
    assert checked > 10


def test_a_volume_of_vectors_is_no_solid(tmp_path: Path) -> None:
    item = swirl(tmp_path)
    item.select_set(True)
    with pytest.raises(RuntimeError, match="holds vectors, which have no surface"):
        bpy.ops.stagewright.make_field()
