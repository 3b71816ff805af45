# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job to an AYON server over HTTP, read back through ayon-python-api as it is."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import pytest
from ayon_api.server_api import ServerAPI

from stagewright.addon import preferences, pump
from stagewright.addon.ayon import assets, known, loaded
from stagewright.addon.ayon.publish import STAGEWRIGHT_PT_publish
from stagewright.addon.scene.film import write_film
from stagewright.addon.scene.host import BlenderHost
from stagewright.addon.scene.thumbnail import render_thumbnail, render_turntable
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Job
from stagewright.pipeline.host import SceneRequest
from stagewright.pipeline.order import PublishOrder
from stagewright.pipeline.publish import publish_scene

from .recorder import draw
from .scenes import add_square, empty_scene, finish

STAGEWRIGHT = shutil.which("stagewright", path=str(Path(sys.executable).parent))


@dataclass
class Studio:
    """A demo server with a project whose root is a folder here, and an artist's key."""

    demo: DemoServer
    admin: ServerAPI
    key: str
    root: Path

    def order(self, name: str, **changes: Any) -> PublishOrder:
        values: dict[str, Any] = {
            "scene": SceneRequest("", name),
            "blend": Path("scene.blend"),
            "library": self.root.parent / "library",
            "to": "server",
            "project": "show",
            "project_code": "",
            "folder": f"/assets/{name}",
            "task": "modeling",
            "product": "usdMain",
            "comment": "Warmer glass",
        }
        return PublishOrder(**(values | changes))

    def publish(self, name: str, **changes: Any) -> dict[str, Any]:
        """Publish the whole scene, in this process."""
        return finish(publish_scene(QuickHost(), self.order(name, **changes)))

    def product(self, name: str) -> dict[str, Any]:
        folder = self.admin.get_folder_by_path("show", f"/assets/{name}")
        return self.admin.get_product_by_name("show", "usdMain", folder["id"])

    def versions(self, name: str) -> list[dict[str, Any]]:
        product = self.product(name)
        found = self.admin.get_versions("show", product_ids=[product["id"]])
        return sorted(found, key=lambda each: each["version"])


@pytest.fixture
def demo_log() -> list[Callable[[Any], None]]:
    """What hears of every request."""
    return []


@pytest.fixture
def studio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_log: list[Callable[[Any], None]]
) -> Iterator[Studio]:
    root = tmp_path / "prójects"
    root.mkdir()
    with DemoServer(on_access=lambda line: [hear(line) for hear in demo_log]) as demo:
        key = demo.add_user("ann", "artist")
        for name in ("AYON_SERVER_URL", "AYON_API_KEY", "AYON_SITE_ID"):
            monkeypatch.delenv(name, raising=False)
        admin = ServerAPI(demo.url, demo.add_user("admin", "admin"), site_id="stage")
        admin.create_project("show", "shw")
        admin.set_project_root_overrides("show", "stage", {"work": str(root)})
        assets = admin.create_folder("show", "assets")
        for name in ("crate", "shelf"):
            folder = admin.create_folder("show", name, folder_type="Asset", parent_id=assets)
            admin.create_task("show", "modeling", "Modeling", folder)
        monkeypatch.setenv("AYON_SERVER_URL", demo.url)
        monkeypatch.setenv("AYON_API_KEY", key)
        monkeypatch.setenv("AYON_SITE_ID", "stage")
        yield Studio(demo, admin, key, root)


class QuickHost(BlenderHost):
    """A Blender whose pictures are small and coarse."""

    def thumbnail(self, request: SceneRequest, path: Path) -> Job[Path]:
        return render_thumbnail(request.collection, path, size=32, samples=1)

    def film(self, request: SceneRequest, path: Path, frames: int) -> Job[Path]:
        turn = path.with_name("turn.png")
        name = request.collection
        pictures = yield from render_turntable(name, turn, frames, size=32, samples=1)
        write_film(pictures, path)
        return path


def save_crate(folder: Path) -> Path:
    empty_scene()
    add_square("Crate")
    path = folder / "crate.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    return path


@pytest.mark.skipif(STAGEWRIGHT is None, reason="needs the stagewright command")
def test_a_publish_from_the_command_line_is_read_back_by_ayons_own_client(
    studio: Studio, tmp_path: Path
) -> None:
    from pxr import Usd, UsdUtils

    words = ["publish", str(save_crate(tmp_path)), "--server", "--project", "show", "--json"]
    words += ["--comment", "Warmer glass"]
    done = subprocess.run([str(STAGEWRIGHT), *words], capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    assert not [line for line in lines if line.get("level") == "warning"]
    assert studio.key not in done.stdout + done.stderr
    value = lines[-1]["value"]
    reader = ServerAPI(studio.demo.url, studio.key, site_id="stage")
    (version,) = studio.versions("crate")
    assert (version["version"], version["author"]) == (1, "ann")
    assert version["id"] == value["identity"]["versionId"]
    assert reader.get_task_by_id("show", version["taskId"])["name"] == "modeling"
    made = {r["name"]: r for r in reader.get_representations("show", version_ids=[version["id"]])}
    assert set(made) == {"usd", "report"}
    assert made["usd"]["attrib"]["path"] == value["path"]
    for file in (file for each in made.values() for file in each["files"]):
        path = Path(file["path"].replace("{root[work]}", str(studio.root)))
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file["hash"]
    picture = reader.get_version_thumbnail("show", version["id"])
    assert picture.content.startswith(b"\x89PNG")
    (comment,) = reader.get_activities("show", [version["id"]], activity_types=["comment"])
    assert comment["body"] == "Warmer glass"
    (seen,) = reader.get_activities("show", [version["id"]], activity_types=["reviewable"])
    assert seen["entityId"] == version["id"]
    layers, _, unresolved = UsdUtils.ComputeAllDependencies(value["path"])
    assert len(layers) == 3 and not unresolved
    stage = Usd.Stage.Open(value["path"])
    assert stage.GetDefaultPrim().GetAssetInfoByKey("stagewright:versionId") == version["id"]


def test_a_second_publish_without_changes_makes_no_version(studio: Studio) -> None:
    empty_scene()
    add_square("Crate")
    first = studio.publish("crate")
    second = studio.publish("crate")
    assert (second["version"], second["unchanged"]) == ("v001", True)
    assert second["path"] == first["path"]
    add_square("Lid", 2.0)
    assert studio.publish("crate")["version"] == "v002"
    assert [each["version"] for each in studio.versions("crate")] == [1, 2]


def test_a_model_is_a_product_of_its_own_type(studio: Studio) -> None:
    empty_scene()
    add_square("Crate")
    value = studio.publish("crate", product="modelMain", product_type="model")
    (product,) = studio.admin.get_products("show", product_names=["modelMain"])
    assert product["productType"] == "model"
    assert "/publish/model/modelMain/v001/" in value["path"]
    with pytest.raises(StagewrightError) as caught:
        studio.publish("crate", product="modelMain", product_type="look")
    assert caught.value.code == "product-type-differs"


def add_published(identity: dict[str, Any]) -> None:
    """Show a published asset in the scene."""
    collection = bpy.data.collections.new(identity["product"])
    square = add_square("Square")
    collection.objects.link(square)
    bpy.context.scene.collection.objects.unlink(square)
    collection.stagewright.remember(identity)
    collection.stagewright.added = True
    user = bpy.data.objects.new("user", None)
    user.instance_type, user.instance_collection = "COLLECTION", collection
    bpy.context.scene.collection.objects.link(user)


@pytest.mark.usefixtures("addon")
def test_an_assembly_is_linked_to_what_it_is_made_of(studio: Studio) -> None:
    empty_scene()
    add_square("Crate")
    crate = studio.publish("crate")["identity"]
    empty_scene()
    add_published(crate)
    shelf = studio.publish("shelf")["identity"]
    links = studio.admin.get_version_links("show", shelf["versionId"], link_direction="in")
    assert [each["entityId"] for each in links] == [crate["versionId"]]


@pytest.mark.usefixtures("addon")
def test_how_often_a_whole_publish_asks_the_server(studio: Studio) -> None:
    empty_scene()
    add_square("Crate")
    parts = [studio.publish("crate", product=f"usd{part}")["identity"] for part in ("A", "B")]
    empty_scene()
    for part in parts:
        add_published(part)
    asked = []
    for number in (1, 2):
        studio.demo.clear_log()
        value = studio.publish("shelf", turntable=2)
        asked.append([f"{each.method} {each.path}" for each in studio.demo.log])
        assert value["version"] == f"v00{number}"
        add_square("Board", float(number))
    # Task and versions, roots; picture, batch; film, comment, two links.
    assert [len(each) for each in asked] == [8, 8], asked
    version = studio.versions("shelf")[-1]
    made = {
        each["name"]: each
        for each in studio.admin.get_representations("show", version_ids=[version["id"]])
    }
    assert set(made) == {"usd", "report", "h264_mp4"}
    assert version["attrib"]["comment"] == "Warmer glass" and version["thumbnailId"]
    links = studio.admin.get_version_links("show", version["id"], link_direction="in")
    assert {each["entityId"] for each in links} == {each["versionId"] for each in parts}
    film = made["h264_mp4"]
    assert film["context"]["output"] == "h264"
    path = Path(film["attrib"]["path"])
    assert path.name == "shw_shelf_usdMain_v002_h264.mp4"
    (seen,) = studio.admin.get_activities(
        "show", entity_ids=[version["id"]], activity_types=["reviewable"]
    )
    data = seen["activityData"]
    assert (data["mime"], data["reviewableLabel"]) == ("video/mp4", path.name)
    content = studio.admin.get(f"projects/show/files/{data['fileId']}").content
    assert content == path.read_bytes() and content[4:8] == b"ftyp"


def test_a_number_that_is_taken_during_the_publish_is_given_up_for_the_next(
    studio: Studio, demo_log: list[Callable[[Any], None]]
) -> None:
    from pxr import Sdf

    empty_scene()
    add_square("Crate")
    studio.publish("crate")
    add_square("Lid", 2.0)
    product = studio.product("crate")["id"]

    def take(line: Any) -> None:
        if line.path.endswith("/thumbnails"):
            demo_log.clear()
            studio.admin.create_version("show", 2, product)

    demo_log.append(take)
    value = studio.publish("crate")
    assert value["version"] == "v003" and "v003" in Path(value["report"]).read_text()
    layer = Sdf.Layer.OpenAsAnonymous(value["path"])
    info = layer.GetPrimAtPath(f"/{layer.defaultPrim}").assetInfo
    assert info["version"] == "v003" and info["identifier"].path == f"./{Path(value['path']).name}"
    assert [each["version"] for each in studio.versions("crate")] == [1, 2, 3]
    assert sorted(each.name for each in Path(value["folder"]).parent.iterdir()) == ["v001", "v003"]


def test_a_name_that_is_in_the_way_for_good_is_an_error(studio: Studio) -> None:
    empty_scene()
    add_square("Crate")
    studio.publish("crate")
    # Its id is derived from the path it had, and a new one there would have the same.
    studio.admin.update_product("show", studio.product("crate")["id"], name="usdOld")
    with pytest.raises(StagewrightError) as caught:
        studio.publish("crate")
    assert caught.value.code == "name-taken"


def test_a_folder_that_the_server_has_not_is_refused_before_the_export(studio: Studio) -> None:
    empty_scene()
    add_square("Crate")
    with pytest.raises(StagewrightError) as caught:
        next(publish_scene(BlenderHost(), studio.order("crate", folder="/assets/none")))
    assert caught.value.code == "not-found" and "/assets/none" in caught.value.message


@pytest.mark.usefixtures("addon", "online")
def test_a_chain_that_was_made_without_the_server_is_sent_by_a_button(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pxr import Usd

    empty_scene()
    add_square("Crate")
    with monkeypatch.context() as away:
        away.setenv("AYON_SERVER_URL", "http://127.0.0.1:9")
        crate = studio.publish("crate")
    assert crate["queued"] and not Path(crate["path"]).is_relative_to(studio.root)
    empty_scene()
    add_published(crate["identity"])
    shelf = studio.publish("shelf", to="queue")
    folder = studio.admin.get_folder_by_path("show", "/assets/crate")
    product = studio.admin.create_product("show", "usdMain", "usd", folder["id"])
    studio.admin.create_version("show", 1, product)
    machine = preferences.current()
    assert machine is not None
    machine.library = str(studio.root.parent / "library")
    bpy.context.scene.stagewright.home = "SERVER"
    assert bpy.ops.stagewright.sync() == {"FINISHED"}
    assert "Nothing waits" not in " ".join(draw(STAGEWRIGHT_PT_publish).texts)
    one = crate["identity"]["versionId"]
    assert bpy.ops.stagewright.sync(on_conflict="renumber", only=one) == {"FINISHED"}
    assert [each["version"] for each in studio.versions("crate")] == [1, 2]
    assert studio.admin.get_version_by_id("show", shelf["identity"]["versionId"]) is None
    assert bpy.ops.stagewright.sync() == {"FINISHED"}
    (version,) = studio.versions("shelf")
    assert version["id"] == shelf["identity"]["versionId"]
    made = studio.admin.get_representations(
        "show", representation_names=["usd"], version_ids=[version["id"]]
    )
    stage = Usd.Stage.Open(next(iter(made))["attrib"]["path"])
    used = [p.GetAssetInfoByKey("version") for p in stage.Traverse()]
    assert "v002" in used
    html = studio.admin.get_representations(
        "show", representation_names=["report"], version_ids=[crate["identity"]["versionId"]]
    )
    page = Path(next(iter(html))["attrib"]["path"]).read_text()
    assert "crate <span>v002</span>" in page and "_v001" not in page
    machine.library = ""


@pytest.fixture
def online() -> Iterator[None]:
    system = bpy.context.preferences.system
    before = system.use_online_access
    system.use_online_access = True
    yield
    system.use_online_access = before


@pytest.mark.usefixtures("addon", "online")
def test_the_panel_offers_what_the_server_has_and_publishes_there(
    studio: Studio, tmp_path: Path
) -> None:
    save_crate(tmp_path)
    chosen = bpy.context.scene.stagewright
    chosen.home, chosen.project, chosen.folder = "SERVER", "show", "/assets/crate"
    assert "Not asked yet" in draw(STAGEWRIGHT_PT_publish).texts
    assert bpy.ops.stagewright.look_at_server() == {"FINISHED"}
    assert known.projects() == ["show"]
    assert known.folders("show") == ["/assets", "/assets/crate", "/assets/shelf"]
    assert known.tasks("show", "/assets/crate") == ["modeling"]
    assert f"ann at {studio.demo.url}" in draw(STAGEWRIGHT_PT_publish).texts
    assert "library" not in draw(STAGEWRIGHT_PT_publish).properties
    assert bpy.ops.stagewright.publish() == {"FINISHED"}
    (version,) = studio.versions("crate")
    identity = bpy.context.scene.collection.stagewright
    assert identity.version_id == version["id"]
    assert Path(identity.path).is_relative_to(studio.root)


@pytest.mark.usefixtures("addon", "online")
def test_a_key_is_kept_where_nobody_else_reads_it_and_never_in_the_preferences(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AYON_SERVER_URL", "AYON_API_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    machine = preferences.current()
    assert machine is not None
    machine.server, machine.key = studio.demo.url, studio.key
    assert machine.key == studio.key
    assert bpy.ops.stagewright.log_in() == {"FINISHED"}
    assert machine.key == "" and known.told() == f"ann at {studio.demo.url}"
    assert studio.key in (tmp_path / "config/stagewright/ayon.json").read_text()
    machine.key = studio.key
    saved = Path(bpy.utils.user_resource("CONFIG", create=True)) / "userpref.blend"
    if saved.exists():
        pytest.skip("somebody's own preferences")
    bpy.ops.wm.save_userpref()
    data = saved.read_bytes()
    saved.unlink()
    assert studio.demo.url.encode() in data and studio.key.encode() not in data
    preferences.type_key("")


@pytest.mark.usefixtures("addon")
def test_without_online_access_nothing_is_asked(studio: Studio) -> None:
    add_square("Crate")
    chosen = bpy.context.scene.stagewright
    chosen.name, chosen.home = "crate", "SERVER"
    bpy.context.preferences.system.use_online_access = False
    studio.demo.clear_log()
    for operator in (bpy.ops.stagewright.look_at_server, bpy.ops.stagewright.publish):
        with pytest.raises(RuntimeError, match="Allow Online Access"):
            operator()
    assert studio.demo.log == []
    assert pump.last("server") is None


@pytest.mark.usefixtures("addon", "online")
def test_versions_of_the_server_are_added_updated_and_rolled_back(studio: Studio) -> None:
    for size in (1.0, 2.0, 3.0):
        empty_scene()
        add_square("Crate", size)
        studio.publish("crate", comment=f"size {size}")
    ids = [each["id"] for each in studio.versions("crate")]
    empty_scene()
    chosen = bpy.context.scene.stagewright
    chosen.home, chosen.project = "SERVER", "show"
    assert bpy.ops.stagewright.add_published_asset(version_id=ids[0]) == {"FINISHED"}
    user = bpy.context.active_object
    identity = user.instance_collection.stagewright
    assert (identity.version_id, identity.version, identity.added) == (ids[0], "v001", True)
    assert Path(identity.path).is_relative_to(studio.root)
    assert bpy.ops.stagewright.look_for_versions() == {"FINISHED"}
    assert "Get v003" in draw(assets.STAGEWRIGHT_PT_published_assets).texts
    bpy.ops.stagewright.update_published_asset(version_id=ids[0])
    assert user.instance_collection.stagewright.version_id == ids[2]
    bpy.ops.stagewright.update_published_asset(version_id=ids[2], to_version_id=ids[1])
    assert user.instance_collection.stagewright.version_id == ids[1]
    assert len(loaded.added_collections()) == 1
    result = bpy.ops.stagewright.add_published_asset(version_id=ids[1], how="APPEND")
    assert result == {"FINISHED"}
    (own,) = [c for c in bpy.context.scene.collection.children if not c.stagewright.added]
    assert own.stagewright.version_id == ""
    (mesh,) = [item for item in own.all_objects if item.type == "MESH"]
    assert max(mesh.dimensions) == pytest.approx(2.0)
    with pytest.raises(RuntimeError, match="AYON server's project show holds no version 0123"):
        bpy.ops.stagewright.add_published_asset(version_id="0123")
