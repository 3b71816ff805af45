# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo server answers the client that AYON ships as a real server does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from ayon_api import exceptions
from ayon_api.server_api import ServerAPI

from stagewright.ayon_bridge.demo.faults import Fault
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.jobs.errors import StagewrightError

Connect = Callable[[str], ServerAPI]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PROJECT = "Show"


def new_id() -> str:
    return uuid.uuid4().hex


def operation(kind: str, key: str, **data: object) -> dict[str, object]:
    return {"type": "create", "entityType": kind, "entityId": key, "data": {"id": key, **data}}


@pytest.fixture
def admin(connect: Connect) -> ServerAPI:
    """An admin, with the project Show made."""
    admin = connect("admin")
    admin.create_project(PROJECT, "sh")
    return admin


@pytest.fixture
def product(admin: ServerAPI) -> str:
    """The product usdMain of /assets/chair, by its id."""
    assets = admin.create_folder(PROJECT, "assets", folder_type="Folder")
    chair = admin.create_folder(PROJECT, "chair", folder_type="Asset", parent_id=assets)
    return admin.create_product(PROJECT, "usdMain", "usd", chair)


def test_connecting_takes_four_requests(demo: DemoServer, connect: Connect) -> None:
    connection = connect("artist")
    assert connection.has_valid_token
    assert [(each.method, each.path, each.status) for each in demo.log] == [
        ("GET", "/", 200),
        ("GET", "/api/info", 200),
        ("GET", "/api/users/me", 401),  # as a login's token
        ("GET", "/api/users/me", 200),  # as an API key
    ]
    assert connection.get_info()["version"] == "1.16.0"
    assert connection.get_user()["name"] == "artist"


def test_a_bad_key_is_told_late_and_looks_like_a_missing_project(
    demo: DemoServer, admin: ServerAPI
) -> None:
    connection = ServerAPI(demo.url, "no such key", site_id=None)
    assert not connection.has_valid_token
    assert connection.get_project(PROJECT) is None
    with pytest.raises(exceptions.UnauthorizedError):
        list(connection.get_folders(PROJECT))


def test_login(demo: DemoServer, admin: ServerAPI) -> None:
    admin.create_user("ann", password="swordfish")
    connection = ServerAPI(demo.url, site_id=None)
    with pytest.raises(exceptions.AuthenticationError):
        connection.login("ann", "wrong")
    connection.login("ann", "swordfish")
    assert connection.get_user()["name"] == "ann"


def test_the_first_api_key_of_a_user_needs_a_list(demo: DemoServer, admin: ServerAPI) -> None:
    admin.create_user("ann")
    body = {"key": new_id(), "label": "test", "expires": 9e9}
    assert admin.post("users/ann/apikeys", **body).status_code == 500
    admin.patch("users/ann", data={"apiKeys": []}).raise_for_status()
    admin.post("users/ann/apikeys", **body).raise_for_status()
    assert ServerAPI(demo.url, body["key"], site_id=None).get_user()["name"] == "ann"


def test_projects(admin: ServerAPI) -> None:
    assert admin.get_project_names() == [PROJECT]
    project = admin.get_project(PROJECT)
    assert project["code"] == "sh"
    assert project["config"]["templates"]["common"]["version_padding"] == 3
    assert admin.get_project("missing") is None
    with pytest.raises(ValueError, match="already exists"):
        admin.create_project(PROJECT.lower(), "other")
    with pytest.raises(exceptions.GraphQlQueryFailed, match="Project not found"):
        list(admin.get_folders("missing"))


def test_roots_of_a_site(demo: DemoServer, admin: ServerAPI) -> None:
    admin.set_site_id("bench")
    shared = admin.get_project_roots_by_platform(PROJECT, "linux")
    admin.set_project_root_overrides(PROJECT, "bench", {"work": "/srv/show"})
    own = admin.get_project_roots_by_platform(PROJECT, "linux")
    assert shared == {"work": "/mnt/share/projects"}
    assert own == {"work": "/srv/show"}


def test_entities_round_trip(admin: ServerAPI, product: str) -> None:
    folder = admin.get_folder_by_path(PROJECT, "/assets/chair")
    task = admin.create_task(PROJECT, "modeling", "Modeling", folder["id"])
    version = admin.create_version(
        PROJECT, 3, product, task_id=task, attrib={"fps": 24.0}, data={"contentHash": "ab"}
    )
    file = {"id": new_id(), "name": "a.usda", "path": "{root[work]}/a.usda", "size": 5, "hash": "x"}
    representation = admin.create_representation(
        PROJECT,
        "usd",
        version,
        files=[file],
        attrib={"path": "/a"},
        data={"context": {"ext": "usd"}},
    )
    assert folder["folderType"] == "Asset"
    assert admin.get_task_by_name(PROJECT, folder["id"], "modeling")["id"] == task
    assert admin.get_product_by_name(PROJECT, "usdMain", folder["id"])["id"] == product
    found = admin.get_version_by_id(PROJECT, version)
    assert (found["name"], found["taskId"], found["author"]) == ("v003", task, "admin")
    assert found["attrib"]["fps"] == 24.0
    assert found["data"] == {"contentHash": "ab"}
    (stored,) = admin.get_representations(PROJECT, version_ids=[version])
    assert stored["id"] == representation
    assert stored["context"] == {"ext": "usd"}
    assert stored["files"][0]["path"] == file["path"]
    assert admin.get_rest_representation(PROJECT, representation)["files"][0]["hashType"] == "md5"


def test_last_and_hero_versions(admin: ServerAPI, product: str) -> None:
    for number in (2, 10, 9, -10):
        admin.create_version(PROJECT, number, product)
    assert admin.get_last_version_by_product_id(PROJECT, product)["version"] == 10
    assert admin.get_hero_version_by_product_id(PROJECT, product)["name"] == "HERO"


def test_lists_come_in_pages_of_300(demo: DemoServer, admin: ServerAPI, product: str) -> None:
    created = [operation("version", new_id(), version=n, productId=product) for n in range(1, 302)]
    admin.send_batch_operations(PROJECT, created)
    demo.clear_log()
    versions = list(admin.get_versions(PROJECT, fields={"version"}))
    assert sorted(each["version"] for each in versions) == list(range(1, 302))
    assert sum(each.path == "/graphql" for each in demo.log) == 2


def refused(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(exceptions.HTTPRequestError) as caught:
        call()
    return caught.value.response.status_code, caught.value.response.json()["detail"]


def test_refusals(admin: ServerAPI, product: str) -> None:
    folder = admin.get_folder_by_path(PROJECT, "/assets/chair")["id"]
    version = admin.create_version(PROJECT, 1, product)
    admin.create_representation(PROJECT, "usd", version)
    for name in ("a b", "a/b", "stühle", "", "-a"):
        assert refused(lambda name=name: admin.create_folder(PROJECT, name, "Asset"))[0] == 400
    for call, text in (
        (lambda: admin.create_folder(PROJECT, "ASSETS", "Folder"), "already exists"),
        (lambda: admin.create_product(PROJECT, "USDMAIN", "usd", folder), "already exists"),
        (lambda: admin.create_representation(PROJECT, "USD", version), "already exists"),
        (lambda: admin.create_version(PROJECT, 1, product), "already exists"),
        (lambda: admin.create_version(PROJECT, 2, product, version_id=version), "already exists"),
        (lambda: admin.create_folder(PROJECT, "x", "Nothing"), "is not present in table"),
        (lambda: admin.create_folder(PROJECT, "x", "Asset", new_id()), "is not present in table"),
        (lambda: admin.create_task(PROJECT, "x", "Nothing", folder), "is not present in table"),
        (lambda: admin.create_version(PROJECT, 2, product, status="?"), "is not present in table"),
        (lambda: admin.create_version(PROJECT, 2, new_id()), "is not present in table"),
    ):
        status, detail = refused(call)
        assert (status, text in detail) == (409, True), detail
    assert refused(lambda: admin.create_folder("missing", "x", "Asset"))[0] == 404


def test_what_is_accepted_without_complaint(admin: ServerAPI, product: str) -> None:
    folder = admin.get_folder_by_path(PROJECT, "/assets/chair")["id"]
    admin.create_product(PROJECT, "odd", "no such type", folder)
    version = admin.create_version(PROJECT, 0, product, author="nobody", attrib={"unknown": 1})
    assert admin.get_version_by_id(PROJECT, version)["author"] == "nobody"


def test_updates_merge_data_and_drop_attributes(admin: ServerAPI, product: str) -> None:
    version = admin.create_version(PROJECT, 1, product, attrib={"fps": 24.0}, data={"a": 1})
    admin.update_version(PROJECT, version, attrib={"fps": None}, data={"b": 2})
    found = admin.get_rest_version(PROJECT, version)
    assert (found["attrib"], found["data"]) == ({}, {"a": 1, "b": 2})


def test_deleting_a_product_deletes_its_versions(admin: ServerAPI, product: str) -> None:
    version = admin.create_version(PROJECT, 1, product)
    admin.create_representation(PROJECT, "usd", version)
    admin.delete_product(PROJECT, product)
    assert list(admin.get_versions(PROJECT)) == []
    assert list(admin.get_representations(PROJECT)) == []


def test_a_batch_is_all_or_nothing(admin: ServerAPI, product: str) -> None:
    admin.create_version(PROJECT, 2, product)
    batch = [operation("version", new_id(), version=n, productId=product) for n in (1, 2)]
    results = admin.send_batch_operations(PROJECT, batch, raise_on_fail=False)
    assert [each["success"] for each in results] == [False, False]
    assert results[1]["status"] == 409
    assert [each["version"] for each in admin.get_versions(PROJECT)] == [2]
    admin.send_batch_operations(PROJECT, batch, can_fail=True, raise_on_fail=False)
    assert sorted(each["version"] for each in admin.get_versions(PROJECT)) == [1, 2]


def test_a_batch_runs_in_order(admin: ServerAPI, product: str) -> None:
    version = new_id()
    first = operation("version", version, version=1, productId=product)
    second = operation("representation", new_id(), name="usd", versionId=version)
    with pytest.raises(exceptions.FailedOperations, match="is not present in table"):
        admin.send_batch_operations(PROJECT, [second, first])
    admin.send_batch_operations(PROJECT, [first, second])
    assert len(list(admin.get_representations(PROJECT))) == 1


def test_thumbnails_links_comments_reviewables(
    admin: ServerAPI, product: str, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(PNG)
    versions = [admin.create_version(PROJECT, number, product) for number in (1, 2)]
    thumbnail = admin.create_thumbnail(PROJECT, str(picture))
    admin.update_version(PROJECT, versions[0], thumbnail_id=thumbnail)
    content = admin.get_thumbnail_by_id(PROJECT, thumbnail)
    assert (content.id, content.content, content.content_type) == (thumbnail, PNG, "image/png")
    link = admin.create_link(PROJECT, "reference", versions[0], "version", versions[1], "version")
    (shown,) = admin.get_version_links(PROJECT, versions[1])
    assert (shown["id"], shown["entityId"]) == (link["id"], versions[0])
    assert shown["direction"] == "in"
    itself = (versions[0], "version", versions[0], "version")
    assert refused(lambda: admin.create_link(PROJECT, "reference", *itself))[0] == 400
    missing = (versions[0], "version", new_id(), "version")
    assert refused(lambda: admin.create_link(PROJECT, "reference", *missing))[0] == 404
    comment = admin.create_activity(PROJECT, versions[0], "version", "comment", body="nice")
    activities = list(admin.get_activities(PROJECT, entity_ids=[versions[0]]))
    assert [(each["activityId"], each["body"]) for each in activities] == [(comment, "nice")]
    uploaded = admin.upload_reviewable(PROJECT, versions[0], str(picture)).json()
    assert set(uploaded) == {"fileId", "activityId", "mediaInfo"}


def test_what_is_no_picture_is_refused(admin: ServerAPI, product: str, tmp_path: Path) -> None:
    version = admin.create_version(PROJECT, 1, product)
    file = tmp_path / "a.gif"
    file.write_bytes(b"GIF89a")
    for status, upload in (
        (415, lambda: admin.create_thumbnail(PROJECT, str(file))),
        (400, lambda: admin.upload_reviewable(PROJECT, version, str(file))),
    ):
        with pytest.raises(requests.HTTPError) as caught:
            upload()
        assert caught.value.response.status_code == status


def test_what_an_artist_may_do(connect: Connect, admin: ServerAPI, product: str) -> None:
    artist = connect("artist")
    folder = artist.get_folder_by_path(PROJECT, "/assets/chair")["id"]
    artist.create_product(PROJECT, "mine", "usd", folder)
    version = artist.create_version(PROJECT, 1, product)
    artist.create_activity(PROJECT, version, "version", "comment", body="done")
    assert artist.get_link_types(PROJECT)
    for call in (
        lambda: artist.create_folder(PROJECT, "mine", "Asset"),
        lambda: artist.delete_version(PROJECT, version),
        lambda: artist.dispatch_event("my.topic", project_name=PROJECT),
        lambda: artist.create_link_type(PROJECT, "mine", "version", "version"),
    ):
        assert refused(call)[0] == 403
    with pytest.raises(ValueError, match="not allowed"):
        artist.create_project("Mine", "mi")
    assert admin.dispatch_event("my.topic", project_name=PROJECT)
    connect("manager").create_folder(PROJECT, "more", "Asset")


def test_only_a_service_acts_as_another(connect: Connect, admin: ServerAPI, product: str) -> None:
    connect("artist")
    service = connect("service")
    service.set_default_service_username("artist")
    version = service.create_version(PROJECT, 1, product)
    assert admin.get_version_by_id(PROJECT, version)["author"] == "artist"
    admin.set_default_service_username("artist")
    version = admin.create_version(PROJECT, 2, product)
    assert admin.get_version_by_id(PROJECT, version)["author"] == "admin"


def test_settings_need_a_bundle(admin: ServerAPI) -> None:
    response = admin.get("settings", project_name=PROJECT)
    assert (response.status_code, response.data["detail"]) == (404, "Bundle not found")


def test_planned_refusals(demo: DemoServer, admin: ServerAPI, product: str) -> None:
    for status in (413, 429, 500, 504):
        demo.faults.add(Fault("POST", "/versions$", "status", str(status)))
        assert refused(lambda: admin.create_version(PROJECT, 1, product))[0] == status
        demo.faults.add(Fault("POST", "/operations$", "status", str(status)))
        batch = [operation("version", new_id(), version=1, productId=product)]
        with pytest.raises(exceptions.FailedOperations):
            admin.send_batch_operations(PROJECT, batch)
    assert list(admin.get_versions(PROJECT)) == []


def test_a_lost_answer_leaves_the_work_done(
    demo: DemoServer, admin: ServerAPI, product: str
) -> None:
    batch = [operation("version", new_id(), version=1, productId=product)]
    admin.set_max_retries(1)
    demo.faults.add(Fault("POST", "/operations$", "lost"))
    with pytest.raises(exceptions.FailedOperations):
        admin.send_batch_operations(PROJECT, batch)
    demo.faults.add(Fault("POST", "/operations$", "drop"))
    with pytest.raises(exceptions.FailedOperations):
        admin.send_batch_operations(PROJECT, batch)
    (result,) = admin.send_batch_operations(PROJECT, batch, raise_on_fail=False)
    assert (result["status"], result["errorCode"]) == (409, "unique-violation")


def test_a_hanging_server_is_given_up(demo: DemoServer, admin: ServerAPI) -> None:
    admin.set_timeout(0.2)
    admin.set_max_retries(1)
    demo.faults.add(Fault("*", "projects", "hang"))
    assert admin.get_project(PROJECT) is None
    assert admin.get_project(PROJECT) is not None


def test_faults_are_described_or_refused() -> None:
    assert Fault.parse("* /graphql status=503 -1") == Fault("*", "/graphql", "status", "503", -1)
    for text in ("", "GET", "GET / explode", "GET / status", "GET / die=never", "GET / drop x"):
        with pytest.raises(StagewrightError) as caught:
            Fault.parse(text)
        assert caught.value.code == "bad-fault"


def test_a_taken_port_is_told(demo: DemoServer) -> None:
    with pytest.raises(StagewrightError) as caught:
        DemoServer(int(demo.url.rpartition(":")[2]))
    assert caught.value.code == "port-taken"


def serve(database: Path, *options: str) -> tuple[subprocess.Popen[str], str, dict[str, str]]:
    """A demo server in a process of its own, its address, and the keys it told."""
    words = ["ayon", "demo-server", "--port", "0", "--database", str(database), "--json", *options]
    code = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["text"].partition("=")[2]
    keys: dict[str, str] = {}
    while "service" not in keys:
        found = re.search(r"AYON_API_KEY=(\w+)  # (\w+)", process.stdout.readline())
        assert found
        keys[found[2]] = found[1]
    return process, url, keys


@pytest.mark.parametrize(("moment", "written"), [("before", 0), ("batch", 0), ("after", 2)])
def test_a_server_that_dies_keeps_whole_batches(tmp_path: Path, moment: str, written: int) -> None:
    database = tmp_path / "demo.db"
    process, url, keys = serve(database, "--fault", f"POST operations die={moment}")
    with process:
        admin = ServerAPI(url, keys["admin"], site_id=None, max_retries=1)
        admin.create_project(PROJECT, "sh")
        folder = admin.create_folder(PROJECT, "chair", "Asset")
        product = admin.create_product(PROJECT, "usdMain", "usd", folder)
        batch = [operation("version", new_id(), version=n, productId=product) for n in (1, 2)]
        with pytest.raises(exceptions.FailedOperations):
            admin.send_batch_operations(PROJECT, batch)
        assert process.wait(30) == 137
    with DemoServer(database=database) as server:
        admin = ServerAPI(server.url, keys["admin"], site_id=None)
        assert len(list(admin.get_versions(PROJECT))) == written


def test_the_verb_logs_requests_and_ends(tmp_path: Path) -> None:
    process, url, keys = serve(tmp_path / "demo.db", "--requests", "1")
    with process:
        assert requests.get(f"{url}/api/info", timeout=10).status_code == 200
        assert process.stdout is not None
        events = [json.loads(line) for line in process.stdout]
        assert process.wait(30) == 0
    assert events[0]["text"] == "GET /api/info 200"
    assert events[-1]["value"] == {"requests": 1}
    assert set(keys) == {"admin", "manager", "artist", "service"}
