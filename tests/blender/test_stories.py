# SPDX-License-Identifier: GPL-3.0-or-later
"""The four stories of docs/getting-started.md, told through the operators that an artist clicks."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import bpy
import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdShade, UsdVol

from stagewright.addon.usd import compare, looking
from stagewright.field_tools.vdb import read_vdb
from stagewright.texture_lab.images import read_image

pytestmark = pytest.mark.usefixtures("addon")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "My Library"


def publish(blend: Path, library: Path, collection: str, name: str) -> Usd.Stage:
    """Save the file, publish a collection of it and open the version's root layer."""
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    settings = bpy.context.scene.stagewright
    settings.collection = bpy.data.collections.get(collection)
    settings.name, settings.project, settings.project_code = name, "local", "local"
    settings.task = "modeling"
    assert bpy.ops.stagewright.publish(library=str(library)) == {"FINISHED"}
    note = (settings.collection or bpy.context.scene.collection).stagewright
    assert library in Path(note.path).parents
    return Usd.Stage.Open(note.path)


def texture_settings(prompt: str) -> None:
    settings = bpy.context.scene.stagewright_texture
    settings.prompt, settings.size = prompt, "256"


def test_a_lantern_is_exported_checked_and_published(library: Path, tmp_path: Path) -> None:
    for part in ("lantern.blend", "textures"):
        source = EXAMPLES / part
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, tmp_path / part)
    blend = tmp_path / "lantern.blend"
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    exported = tmp_path / "out" / "lantern.usda"
    assert bpy.ops.stagewright.export_usd(filepath=str(exported)) == {"FINISHED"}
    bpy.ops.stagewright.inspect_usd(filepath=str(exported))
    bpy.ops.stagewright.check_usd()
    found = bpy.context.window_manager.stagewright_checking.found.findings
    assert [f.check for f in found if f.severity == "error"] == []
    stage = publish(blend, library, "Lantern", "lantern")
    prim = stage.GetDefaultPrim()
    assert prim.GetAssetInfoByKey("version") == "v001"
    assert Usd.ModelAPI(prim).GetKind() == "component"
    meshes = [p for p in stage.Traverse(Usd.TraverseInstanceProxies()) if p.IsA(UsdGeom.Mesh)]
    assert len(meshes) > 10
    bpy.ops.stagewright.publish(library=str(library))  # nothing has changed: no second version
    assert [f.name for f in library.rglob("v[0-9]*") if f.is_dir()] == ["v001"]


def test_bricks_of_words_and_a_photos_maps_are_put_on_the_lantern(tmp_path: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(EXAMPLES / "lantern.blend"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "lantern.blend"))
    lantern = next(o for o in bpy.context.scene.objects if o.type == "MESH" and o.data.uv_layers)
    bpy.context.view_layer.objects.active = lantern
    texture_settings("mossy red bricks, wet")
    assert bpy.ops.stagewright.make_texture() == {"FINISHED"}
    bricks = lantern.active_material
    image = next(n.image for n in bricks.node_tree.nodes if n.type == "TEX_IMAGE")
    assert tuple(image.size) == (256, 256)
    assert tmp_path in Path(bpy.path.abspath(image.filepath)).parents  # beside the saved file
    photo = EXAMPLES / "textures" / "wood_base.png"
    assert bpy.ops.stagewright.texture_from_photo(filepath=str(photo)) == {"FINISHED"}
    wood = lantern.active_material
    assert wood == bricks and wood.name == "Wood base"  # the same material, another set
    names = {
        Path(bpy.path.abspath(n.image.filepath)) for n in wood.node_tree.nodes
        if n.type == "TEX_IMAGE"
    }  # fmt: skip
    base = next(path for path in names if "basecolor" in path.name.lower().replace("_", ""))
    made, taken = read_image(base), read_image(photo)
    # Light is taken out and the edges are cut, but wood keeps its colour.
    colours = [np.asarray(p[..., :3], float).reshape(-1, 3).mean(0) for p in (made, taken)]
    hues = [c / np.linalg.norm(c) for c in colours]
    assert float(np.dot(*hues)) > 0.95


def test_two_meshes_are_blended_through_a_field_and_published(
    library: Path, tmp_path: Path
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "drops.blend"))
    drops = []
    for x in (-0.6, 0.6):
        bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=5, radius=1.0, location=(x, 0, 0))
        drops.append(bpy.context.object)
    for drop in drops:
        drop.select_set(True)
    settings = bpy.context.scene.stagewright_field
    settings.operation, settings.boolean, settings.output = "BOOLEAN", "UNION", "VOLUME"
    settings.detail, settings.voxel_size, settings.blend = "SIZE", 0.05, 0.3
    assert bpy.ops.stagewright.make_field() == {"FINISHED"}
    volume = bpy.context.view_layer.objects.active
    assert volume.type == "VOLUME"
    field = read_vdb(bpy.path.abspath(volume.data.filepath)).grid
    axes = np.meshgrid(*field.centers(), indexing="ij")
    offset = volume.matrix_world.translation.x
    distances = [np.hypot(axes[0] + offset - x, np.hypot(*axes[1:])) - 1 for x in (-0.6, 0.6)]
    union = np.minimum(*distances)
    near, along = np.abs(union) < 0.1, np.abs(axes[0] + offset)
    # Far from the neck the balls are as they were, in it there is more than both.
    assert np.abs(field.values - union)[near & (along > 0.6)].max() < 0.005
    assert (field.values - union)[near & (along < 0.03)].max() < -0.01
    collection = bpy.data.collections.new("Drops")
    bpy.context.scene.collection.children.link(collection)
    collection.objects.link(volume)
    bpy.context.scene.collection.objects.unlink(volume)
    stage = publish(tmp_path / "drops.blend", library, "Drops", "drops")
    (published,) = (p for p in stage.Traverse() if p.IsA(UsdVol.Volume))
    (asset,) = (p for p in stage.Traverse() if p.IsA(UsdVol.OpenVDBAsset))
    file = asset.GetAttribute("filePath").Get().resolvedPath
    assert library in Path(file).parents
    assert np.array_equal(read_vdb(file).grid.values, field.values)
    assert UsdVol.Volume(published).GetFieldPaths()


def test_a_published_asset_is_opened_inspected_repaired_and_compared(
    library: Path, tmp_path: Path
) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name = "Crate"
    texture_settings("oak planks")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "crate.blend"))
    bpy.ops.stagewright.make_texture()
    stage = publish(tmp_path / "crate.blend", library, "", "crate")
    materials = [p for p in stage.Traverse() if p.IsA(UsdShade.Material)]
    assert materials
    copy = tmp_path / "copy"
    shutil.copytree(Path(stage.GetRootLayer().realPath).parent, copy)
    (root,) = copy.glob("*usdMain*.usda")
    (textures,) = copy.glob("*_textures")
    moved = textures.rename(copy / "elsewhere")

    bpy.ops.stagewright.inspect_usd(filepath=str(root))
    assert looking.session() is not None
    bpy.ops.stagewright.check_usd()
    checking = bpy.context.window_manager.stagewright_checking
    assert "missing-texture" in {f.check for f in checking.found.findings}
    repair = bpy.context.window_manager.stagewright_repair
    repair.how, repair.folder = "SEARCH", str(moved)
    bpy.ops.stagewright.find_paths()
    bpy.ops.stagewright.replace_paths()
    bpy.ops.stagewright.check_usd()
    assert [f.check for f in checking.found.findings if f.severity == "error"] == []
    chosen = bpy.context.window_manager.stagewright_compare
    chosen.other = stage.GetRootLayer().realPath
    bpy.ops.stagewright.compare_usd()
    # Only where the textures lie has changed.
    assert {c["how"] for c in compare.changes()} <= {"changed"}
    target = tmp_path / "crate.usdz"
    bpy.ops.stagewright.package_usdz(filepath=str(target))
    assert any(name.endswith(".png") for name in zipfile.ZipFile(target).namelist())
