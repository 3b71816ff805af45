# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of published version in a scene, from the library and from a server over HTTP:
added, told to be out of date, updated, rolled back.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

from stagewright.addon.ayon import assets, loading
from stagewright.addon.ayon.loaded import loaded
from stagewright.jobs.events import Message
from stagewright.texture_lab.png import read_png

from .published_files import HOMES, Home, blend_file, texture_files, volume_file
from .recorder import draw
from .scenes import add_square

pytestmark = pytest.mark.usefixtures("addon")

KINDS = ("BLEND", "TEXTURES", "VOLUME")


@pytest.fixture(params=HOMES)
def home(
    request: pytest.FixtureRequest, addon: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    """A home of each kind, chosen by the scene."""
    with HOMES[request.param](tmp_path, monkeypatch) as made:
        yield made


def publish(home: Home, kind: str, folder: Path, number: int) -> str:
    """Publish a version of a kind, one that is told apart by its number; returns its id."""
    if kind == "BLEND":
        files = [blend_file(folder, float(number), "crate", "inner")]
        return home.publish("modelMain", "model", "blend", files).id
    if kind == "TEXTURES":
        return home.publish("textureSetMain", "textureSet", "set", texture_files(folder, number)).id
    return home.publish("vdbMain", "vdbcache", "vdb", [volume_file(folder, number / 4)]).id


def add(version_id: str, **how: Any) -> None:
    assert bpy.ops.stagewright.add_published_asset(version_id=version_id, **how) == {"FINISHED"}


def shown(kind: str) -> Any:
    """What tells the versions of a kind apart, as the scene shows it."""
    if kind == "BLEND":
        (user,) = [o for o in bpy.data.objects if o.instance_type == "COLLECTION"]
        (square,) = [o for o in user.instance_collection.all_objects if "crate" in o.name]
        return round(max(square.dimensions))
    if kind == "TEXTURES":
        tree = bpy.context.view_layer.objects.active.active_material.node_tree
        (node,) = [n for n in tree.nodes if n.get("stagewright_texture") == "basecolor"]
        return read_png(Path(node.image.filepath))[0].tobytes()
    (volume,) = bpy.data.volumes
    volume.grids.load()
    return Path(volume.filepath).read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_is_added_updated_and_rolled_back(home: Home, kind: str, tmp_path: Path) -> None:
    first, second = (publish(home, kind, tmp_path, number) for number in (1, 2))
    home.choose()
    item = add_square("Wall")
    bpy.context.view_layer.objects.active = item
    bpy.context.scene.cursor.location = (1, 2, 3)
    add(first)
    (thing,) = loaded()
    assert (thing.kind, thing.version_id) == (kind, first)
    assert thing.block.stagewright.version == "v001"
    before = shown(kind)
    if kind != "TEXTURES":
        assert tuple(bpy.context.active_object.location) == (1, 2, 3)
    assert bpy.ops.stagewright.look_for_versions() == {"FINISHED"}
    drawn = draw(assets.STAGEWRIGHT_PT_published_assets)
    assert "Get v002" in drawn.texts and "Update All" in drawn.texts
    assert bpy.ops.stagewright.update_published_asset() == {"FINISHED"}
    assert [each.version_id for each in loaded()] == [second]
    assert shown(kind) != before
    drawn = draw(assets.STAGEWRIGHT_PT_published_assets)
    assert "newest" in drawn.texts and "Update All" not in drawn.texts
    back = bpy.ops.stagewright.update_published_asset(version_id=second, to_version_id=first)
    assert back == {"FINISHED"} and shown(kind) == before
    assert [each.version_id for each in loaded()] == [first]
    assert "Get v002" in draw(assets.STAGEWRIGHT_PT_published_assets).texts


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_added_is_told_again_when_the_file_is_opened(
    home: Home, kind: str, tmp_path: Path
) -> None:
    first = publish(home, kind, tmp_path, 1)
    home.choose()
    bpy.context.view_layer.objects.active = add_square("Wall")
    add(first)
    path = str(tmp_path / "work.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True)
    assert loaded() == []
    bpy.ops.wm.open_mainfile(filepath=path)
    assert [(each.kind, each.version_id) for each in loaded()] == [(kind, first)]
    publish(home, kind, tmp_path, 2)
    bpy.ops.wm.open_mainfile(filepath=path)
    home.choose()
    bpy.ops.stagewright.look_for_versions()
    assert "Get v002" in draw(assets.STAGEWRIGHT_PT_published_assets).texts


def test_an_appended_file_is_the_scenes_own(home: Home, tmp_path: Path) -> None:
    first = publish(home, "BLEND", tmp_path, 1)
    home.choose()
    add(first, how="APPEND")
    (own,) = bpy.context.scene.collection.children
    assert own.name == "crate" and own.library is None and [c.name for c in own.children]
    assert loaded() == []


def test_files_that_are_not_on_this_machine_are_told_with_their_root(
    home: Home, tmp_path: Path
) -> None:
    first = publish(home, "VOLUME", tmp_path, 1)
    home.choose()
    lost = next(home.root.rglob("*.vdb"))
    shutil.move(lost, tmp_path / "elsewhere.vdb")
    with pytest.raises(RuntimeError) as caught:
        add(first)
    told = str(caught.value)
    assert str(lost) in told and f'"work" is {home.root}' in told and "AYON_SITE_ID" in told
    assert loaded() == [] and not bpy.data.volumes


def test_one_that_cannot_be_had_does_not_keep_the_others_from_their_update(
    home: Home, tmp_path: Path
) -> None:
    volume, _ = (publish(home, "VOLUME", tmp_path, number) for number in (1, 2))
    model, newer = (publish(home, "BLEND", tmp_path, number) for number in (1, 2))
    home.choose()
    add(volume)
    add(model)
    max(home.root.rglob("*.vdb")).unlink()
    job = loading.update(home.library, "It", {volume: "", model: ""})
    told = [event.text for event in job if isinstance(event, Message)]
    assert {each.version_id for each in loaded()} == {volume, newer}
    assert "not on this machine" in told[0] and "1 version could not be changed" in told[1]
    with pytest.raises(RuntimeError, match="not on this machine"):
        bpy.ops.stagewright.update_published_asset(version_id=volume)


def test_a_texture_set_leaves_other_materials_alone(home: Home, tmp_path: Path) -> None:
    first = publish(home, "TEXTURES", tmp_path, 1)
    home.choose()
    own = bpy.data.materials.new("Own")
    walls = [add_square(f"Wall {number}") for number in range(2)]
    for wall in walls:
        wall.data.materials.append(own)
    bpy.context.view_layer.objects.active = walls[0]
    add(first)
    assert walls[0].active_material != own and walls[1].active_material == own
    bpy.context.view_layer.objects.active = None
    with pytest.raises(RuntimeError, match="Choose an object that takes materials"):
        add(first)


def test_a_sequence_of_volumes_plays_as_it_is_numbered(home: Home, tmp_path: Path) -> None:
    first = publish(home, "VOLUME", tmp_path, 1)
    path = next(home.root.rglob("*.vdb"))
    home.choose()
    for number in (7, 8, 9):
        shutil.copyfile(path, path.with_name(f"smoke.{number:04}.vdb"))
    from stagewright.addon.ayon.loaded import frames_of

    assert frames_of(path.with_name("smoke.0007.vdb")) == (7, 9)
    assert frames_of(path) is None
    add(first)
    assert not bpy.data.volumes[0].is_sequence


def test_volumes_are_as_large_in_a_scene_in_centimetres(home: Home, tmp_path: Path) -> None:
    first = publish(home, "VOLUME", tmp_path, 1)
    home.choose()
    units = bpy.context.scene.unit_settings
    units.system, units.scale_length = "METRIC", 0.01
    add(first)
    assert tuple(bpy.context.active_object.scale) == pytest.approx((100, 100, 100))
