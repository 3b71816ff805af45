# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes, read back through UsdVol and OpenVDB."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import openvdb
import pytest
from pxr import Usd, UsdGeom, UsdShade, UsdVol

from stagewright.addon.scene.host import BlenderHost
from stagewright.pipeline.export import export_asset
from stagewright.pipeline.host import SceneRequest

from .scenes import finish
from .test_stream import grid, link, nodes, streamed


def smoke(file: Path, fill: float = 1.0, size: int = 4) -> None:
    density = openvdb.FloatGrid()
    density.copyFromArray(np.full((size, 4, 4), fill, np.float32))
    density.name, density.gridClass = "density", openvdb.GridClass.FOG_VOLUME
    speed = openvdb.Vec3SGrid()
    speed.copyFromArray(np.ones((2, 2, 2, 3), np.float32))
    speed.name, speed.transform = "flow speed", openvdb.createLinearTransform(0.5)
    openvdb.write(str(file), [density, speed])


def volume(name: str, file: Path) -> bpy.types.Object:
    data = bpy.data.volumes.new(name)
    data.filepath = str(file)
    item = link(bpy.data.objects.new(name, data))
    bpy.context.view_layer.update()
    return item


def fields(stage: Usd.Stage, path: str) -> dict[str, UsdVol.OpenVDBAsset]:
    paths = UsdVol.Volume(stage.GetPrimAtPath(path)).GetFieldPaths()
    return {n: UsdVol.OpenVDBAsset(stage.GetPrimAtPath(p)) for n, p in paths.items()}


def file_at(asset: UsdVol.OpenVDBAsset, frame: float = 0.0) -> str:
    return str(asset.GetFilePathAttr().Get(frame).path)


def test_a_volume_of_a_file_has_the_files_grids_as_fields(tmp_path: Path) -> None:
    smoke(tmp_path / "smoke.vdb")
    item = volume("Smoke", tmp_path / "smoke.vdb")
    item.data.materials.append(bpy.data.materials.new("Fog"))
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    found = fields(stage, "/root/Smoke/Smoke")
    assert sorted(found) == ["density", "flow_speed"]
    density, speed = found["density"], found["flow_speed"]
    assert file_at(density) == file_at(speed) == (tmp_path / "smoke.vdb").as_posix()
    assert density.GetFieldNameAttr().Get() == "density"
    assert speed.GetFieldNameAttr().Get() == "flow speed"
    assert density.GetFieldIndexAttr().Get() == 0
    assert density.GetFieldDataTypeAttr().Get() == "float"
    assert speed.GetFieldDataTypeAttr().Get() == "float3"
    assert density.GetFieldClassAttr().Get() == "fogVolume"
    prim = stage.GetPrimAtPath("/root/Smoke/Smoke")
    # Voxel centres go from 0 to 3; half a voxel more on each side.
    assert np.allclose(UsdGeom.Boundable(prim).GetExtentAttr().Get(), [[-0.5] * 3, [3.5] * 3])
    bound = UsdShade.MaterialBindingAPI(prim).GetDirectBinding().GetMaterialPath()
    assert bound == "/root/_materials/Fog"


def test_a_sequence_is_sampled_and_invisible_outside_its_frames(tmp_path: Path) -> None:
    for frame in (2, 3):
        smoke(tmp_path / f"smoke_{frame:04}.vdb", size=4 + frame)
    item = volume("Smoke", tmp_path / "smoke_0002.vdb")
    item.data.is_sequence, item.data.frame_start, item.data.frame_duration = True, 2, 2
    item.data.frame_offset = 1
    stage, warnings = streamed(frames=(1.0, 2.0, 3.0, 4.0))
    assert warnings == []
    prim = UsdGeom.Imageable(stage.GetPrimAtPath("/root/Smoke/Smoke"))
    seen = [prim.ComputeVisibility(frame) == "inherited" for frame in (1, 2, 3, 4)]
    assert seen == [False, True, True, False]
    density = fields(stage, "/root/Smoke/Smoke")["density"]
    for frame in (2, 3):
        assert file_at(density, frame) == (tmp_path / f"smoke_{frame:04}.vdb").as_posix()
        (_, high) = UsdGeom.Boundable(prim.GetPrim()).GetExtentAttr().Get(frame)
        assert high[0] == pytest.approx(4 + frame - 0.5)


def cube_of_fog(density: float) -> bpy.types.Object:
    item = grid()
    tree, add = nodes(item)
    cube = add("GeometryNodeVolumeCube", Density=density)
    out = add("NodeGroupOutput")
    tree.links.new(cube.outputs[0], out.inputs[0])
    bpy.context.view_layer.update()
    return item


def test_a_volume_made_by_nodes_is_saved_beside_the_layer(tmp_path: Path) -> None:
    cube_of_fog(0.75)
    stage, warnings = streamed(folder=tmp_path / "volumes")
    assert warnings == []
    (density,) = fields(stage, "/root/Grid/Grid").values()
    file = file_at(density)
    assert Path(file).parent == tmp_path / "volumes"
    read = openvdb.read(file, density.GetFieldNameAttr().Get())
    assert read.evalMinMax() == (pytest.approx(0.75), pytest.approx(0.75))
    low, high = UsdGeom.Boundable(stage.GetPrimAtPath("/root/Grid/Grid")).GetExtentAttr().Get()
    ends = [np.array(read.transform.indexToWorld(i)) for i in read.evalActiveVoxelBoundingBox()]
    voxel = np.array(read.transform.voxelSize())
    assert np.allclose([low, high], [ends[0] - voxel / 2, ends[1] + voxel / 2], atol=1e-6)
    assert not any(p.IsA(UsdGeom.Mesh) for p in stage.Traverse())


def test_a_changing_volume_of_nodes_has_a_file_for_every_frame(tmp_path: Path) -> None:
    item = cube_of_fog(0.0)
    socket = item.modifiers["Nodes"].node_group.nodes["Volume Cube"].inputs["Density"]
    for frame, value in ((1, 0.25), (3, 0.75)):
        socket.default_value = value
        socket.keyframe_insert("default_value", frame=frame)
    stage, _ = streamed(frames=(1.0, 1.5, 3.0), folder=tmp_path)
    (density,) = fields(stage, "/root/Grid/Grid").values()
    files = [file_at(density, frame) for frame in (1.0, 1.5, 3.0)]
    assert len(set(files)) == 3
    values = [openvdb.read(file, "density").evalMinMax()[1] for file in files]
    assert values[0] == pytest.approx(0.25)
    assert values[0] < values[1] < values[2] == pytest.approx(0.75)


def test_volumes_without_a_file_are_told(tmp_path: Path) -> None:
    volume("Gone", tmp_path / "gone.vdb")
    link(bpy.data.objects.new("Blank", bpy.data.volumes.new("Blank")))
    (tmp_path / "bad.vdb").write_bytes(b"no volume")
    volume("Bad", tmp_path / "bad.vdb")
    cube_of_fog(1.0)
    stage, warnings = streamed()
    assert sorted(w.partition(":")[0] for w in warnings) == ["Bad", "Blank", "Gone", "Grid"]
    for path in ("/root/Gone/Gone", "/root/Grid/Grid"):
        prim = stage.GetPrimAtPath(path)
        assert not UsdVol.Volume(prim).GetFieldPaths()
        assert UsdGeom.Imageable(prim).ComputeVisibility() == "invisible"


def test_an_asset_carries_the_volumes_that_nodes_made(tmp_path: Path) -> None:
    item = cube_of_fog(0.5)
    socket = item.modifiers["Nodes"].node_group.nodes["Volume Cube"].inputs["Density"]
    for frame, value in ((1, 0.25), (3, 0.75)):
        socket.default_value = value
        socket.keyframe_insert("default_value", frame=frame)
    request = SceneRequest("", "fog", engine="stagewright", frames=(1, 3))
    asset = finish(export_asset(BlenderHost(), request, tmp_path / "fog.usda", tmp_path, []))
    stage = Usd.Stage.Open(str(asset.files.root))
    (density,) = fields(stage, "/fog/Grid/Grid").values()
    for frame, value in ((1, 0.25), (3, 0.75)):
        path = density.GetFilePathAttr().Get(frame)
        assert not Path(path.path).is_absolute()
        assert Path(path.resolvedPath).parent == tmp_path / "fog_volumes"
        assert openvdb.read(path.resolvedPath, "density").evalMinMax()[1] == pytest.approx(value)
