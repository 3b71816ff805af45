# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of prims while others come, go and change their order."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import bpy
import pytest
from pxr import Usd

from stagewright.addon.scene.host import BlenderHost
from stagewright.addon.scene.prim_names import keep_names, names_to_keep
from stagewright.pipeline.host import SceneRequest

from .streaming import link, streamed, triangle

STAGEWRIGHT = shutil.which("stagewright", path=str(Path(sys.executable).parent))
# Names that come to few ones in USD.
NAMES = ("Lid.001", "Lid 001", "Lid_001", "Lid-001", "Lid", "7", "_7", "Instances", "_materials")


def objects() -> list[bpy.types.Object]:
    return list(bpy.context.scene.objects)


def paths() -> dict[str, str]:
    """Paths of the prims by name in Blender, of objects and, with a slash, of their data."""
    stage, _ = streamed()
    found = {}
    for prim in stage.Traverse():
        name = prim.GetAttribute("userProperties:blender:object_name").Get()
        data = prim.GetAttribute("userProperties:blender:data_name").Get()
        if name:
            found[name] = str(prim.GetPath())
        elif data:
            owner = prim.GetParent().GetAttribute("userProperties:blender:object_name").Get()
            found[f"{owner}/{data}"] = str(prim.GetPath())
    return found


def some_object(choose: random.Random, number: int) -> bpy.types.Object:
    above = choose.choice([None, *objects()])
    item = triangle(f"{choose.choice(NAMES)}{choose.choice(['', '.', ' '])}", above)
    item.data.name = choose.choice(NAMES)
    item.data.materials.append(bpy.data.materials.new(choose.choice(NAMES)))
    return item


@pytest.mark.parametrize("seed", range(8))
def test_no_path_changes_when_others_come_go_and_are_reordered(seed: int) -> None:
    choose = random.Random(seed)
    for number in range(12):
        some_object(choose, number)
    keep_names(objects())
    before = paths()
    for number in range(12):
        leaves = [item for item in objects() if not item.children]
        edit = choose.choice(("add", "delete", "reorder", "copy"))
        if edit == "add":
            some_object(choose, number)
        elif edit == "delete" and leaves:
            bpy.data.objects.remove(choose.choice(leaves))
        elif edit == "copy":
            copied = choose.choice(objects())
            copy = copied.copy()
            copy.data = copied.data.copy()
            link(copy, copied.parent)
        elif edit == "reorder":
            moved = choose.choice(objects())
            bpy.context.scene.collection.objects.unlink(moved)
            bpy.context.scene.collection.objects.link(moved)
        keep_names(objects())
        after = paths()
        assert len(set(after.values())) == len(after)
        assert {k: v for k, v in after.items() if k in before} == {
            k: v for k, v in before.items() if k in after
        }
        before = after


def test_a_renamed_object_gets_the_path_of_its_new_name() -> None:
    item = triangle("Lid 001")
    triangle("Lid.001")
    keep_names(objects())
    assert paths()["Lid 001"] == "/root/Lid_001"
    item.name = "Cover"
    assert paths()["Cover"] == "/root/Cover"
    assert paths()["Lid.001"] == "/root/Lid_001_1"


def test_what_is_kept_is_no_custom_property_of_the_asset() -> None:
    triangle("Lid")
    keep_names(objects())
    stage, _ = streamed()
    names = stage.GetPrimAtPath("/root/Lid").GetPropertyNames()
    assert not [name for name in names if "stagewright" in name]


def test_names_in_an_instanced_collection_stay_when_one_is_deleted() -> None:
    collection = bpy.data.collections.new("Set")
    for name in ("Lid 001", "Lid.001"):
        item = triangle(name)
        bpy.context.scene.collection.objects.unlink(item)
        collection.objects.link(item)
    empty = link(bpy.data.objects.new("Empty", None))
    empty.instance_type, empty.instance_collection = "COLLECTION", collection
    bpy.context.view_layer.update()
    keep_names(objects())
    bpy.data.objects.remove(bpy.data.objects["Lid 001"])
    stage, _ = streamed()
    proxies = {str(prim.GetPath()) for prim in stage.Traverse(Usd.TraverseInstanceProxies())}
    assert "/root/Empty/Set/Lid_001_1/Lid_001" in proxies
    assert "/root/Empty/Set/Lid_001" not in proxies


def test_names_are_kept_in_the_file_on_request_alone(tmp_path: Path) -> None:
    for name in ("Lid 001", "Lid.001"):
        triangle(name)
    blend = tmp_path / "lids.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    untouched = blend.read_bytes()
    assert names_to_keep(objects()) == ["Lid.001"]
    host, request = BlenderHost(), SceneRequest("", "lids", engine="stagewright")
    host.open(blend)
    told = [getattr(event, "text", "") for event in host.export(request, tmp_path)]
    assert any("Lid.001" in text and "--save" in text for text in told)
    assert blend.read_bytes() == untouched
    host.remember(blend, request, None)
    host.open(blend)
    assert names_to_keep(objects()) == []
    bpy.data.objects.remove(bpy.data.objects["Lid 001"])
    assert paths()["Lid.001"] == "/root/Lid_001_1"


@pytest.mark.skipif(STAGEWRIGHT is None, reason="needs the stagewright command")
def test_processes_with_different_hash_seeds_write_the_same_bytes(tmp_path: Path) -> None:
    choose = random.Random(5)
    for number in range(20):
        some_object(choose, number)
    copied = link(bpy.data.objects.new("Copy", objects()[0].data))
    copied["b"], copied["a"] = 1, 2.5
    copied.keyframe_insert("location", frame=1)
    copied.location.z = 3
    copied.keyframe_insert("location", frame=4)
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 4
    blend = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    written = []
    for seed in ("1", "77"):
        folder = tmp_path / seed
        argv = [str(STAGEWRIGHT), "usd", "export", str(blend), "-o", str(folder / "a.usda")]
        done = subprocess.run(
            [*argv, "--engine", "stagewright", "--allow", "composition"],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (folder / "a.usda").exists(), done.stderr[-2000:]
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        written.append({path.name: path.read_bytes() for path in files})
    assert len(written[0]) == 3
    assert written[0] == written[1]
