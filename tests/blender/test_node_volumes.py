# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes by geometry nodes against the same ones through OpenVDB's module."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from stagewright.addon.fields import node_volumes
from stagewright.field_tools.field_files import read_field, write_field
from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.primitives import sampled, sphere

from .test_fields import add_ball, make, world_points

pytestmark = [
    pytest.mark.usefixtures("addon"),
    pytest.mark.skipif(bpy.app.version < (5, 0), reason="Blender 4.5 has no nodes for grids"),
]


def counts() -> dict[str, int]:
    kinds = ("objects", "meshes", "volumes", "pointclouds", "node_groups")
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}


def test_a_field_written_by_nodes_is_the_one_that_openvdb_reads(tmp_path: Path) -> None:
    values = np.random.default_rng(2).uniform(-2, 2, (5, 6, 7)).astype(np.float32)
    before = counts()
    node_volumes.write_grid(Grid(values, 0.25, (1.0, -2.0, 3.0)), tmp_path / "a.vdb", "surface")
    assert counts() == before
    found = read_field(tmp_path / "a.vdb")
    assert (found.name, found.is_level_set) == ("surface", True)
    assert np.array_equal(found.grid.values[1:-1, 1:-1, 1:-1], values)
    assert found.grid.voxel_size == pytest.approx(0.25)
    assert found.grid.index_to_world((1, 1, 1)) == pytest.approx([1.0, -2.0, 3.0])


def test_a_level_set_read_by_nodes_is_the_one_that_openvdb_wrote(tmp_path: Path) -> None:
    lattice = grid_over((-1, -1, -1), (1, 2, 1.5), 0.1)
    field = sampled(lambda points: np.clip(sphere(points, 0.7), -0.3, 0.3), lattice)
    write_field(tmp_path / "ball.vdb", field, level_set=True)
    bpy.ops.object.volume_import(filepath=str(tmp_path / "ball.vdb"))
    item = bpy.context.object
    item.location = (5, 0, 0)  # The object's own space is read.
    bpy.context.view_layer.update()
    before = counts()
    graph = bpy.context.evaluated_depsgraph_get()
    found = node_volumes.read_grid(item.evaluated_get(graph), "field")
    assert counts() == before
    first = np.rint(lattice.world_to_index(found.origin)).astype(int)
    part = tuple(slice(a, a + n) for a, n in zip(first, found.shape, strict=True))
    np.testing.assert_allclose(found.values, field.values[part], atol=1e-6)


def test_tiles_are_read_as_their_voxels(tmp_path: Path) -> None:
    import openvdb

    fog = openvdb.FloatGrid()
    fog.fill((0, 0, 0), (39, 23, 20), 0.75)
    fog.getAccessor().setValueOn((41, 1, 1), 0.5)
    fog.name, fog.gridClass = "density", openvdb.GridClass.FOG_VOLUME
    openvdb.write(str(tmp_path / "fog.vdb"), [fog])
    assert fog.activeVoxelCount() == 40 * 24 * 21 + 1 > 2 * fog.activeLeafVoxelCount()
    bpy.ops.object.volume_import(filepath=str(tmp_path / "fog.vdb"))
    graph = bpy.context.evaluated_depsgraph_get()
    found = node_volumes.read_grid(bpy.context.object.evaluated_get(graph), "density")
    expected = np.zeros(found.shape, np.float32)
    expected[1:41, 1:25, 1:22] = 0.75
    expected[42, 2, 2] = 0.5
    assert np.array_equal(found.values, expected)


@pytest.fixture
def without_openvdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both names of the module fail to import, here and in child processes."""
    for name in ("openvdb", "pyopenvdb"):
        (tmp_path / f"{name}.py").write_text("raise ImportError")
        monkeypatch.delitem(sys.modules, name, raising=False)
    bpy.utils.expose_bundled_modules()
    monkeypatch.setattr(bpy.utils, "expose_bundled_modules", lambda: None)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("without_openvdb")
def test_volumes_are_made_and_read_without_openvdb() -> None:
    assert node_volumes.are_needed()
    volume = make(add_ball(), output="VOLUME", detail="SIZE", voxel_size=0.05)
    assert Path(bpy.path.abspath(volume.data.filepath)).is_file()
    volume.location = (3, 0, 0)
    bpy.context.view_layer.update()
    made: Any = make(volume, output="MESH")
    away = np.linalg.norm(world_points(made) - [3, 0, 0], axis=1)
    assert np.abs(away - 1).max() < 0.01
