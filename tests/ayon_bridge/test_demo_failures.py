# SPDX-License-Identifier: GPL-3.0-or-later
"""How requests fail at the demo server, as the client that AYON ships shows it."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from ayon_api import exceptions
from ayon_api.operations import OperationsSession
from ayon_api.server_api import ServerAPI

from stagewright.ayon_bridge.demo.faults import Fault
from stagewright.ayon_bridge.demo.server import DemoServer

Connect = Callable[[str], ServerAPI]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PROJECT = "Show"


def new_id() -> str:
    return uuid.uuid4().hex


def create(kind: str, **data: object) -> dict[str, object]:
    return {"type": "create", "entityType": kind, "entityId": new_id(), "data": data}


@pytest.fixture
def admin(connect: Connect) -> ServerAPI:
    """An admin, with the project Show made."""
    admin = connect("admin")
    admin.create_project(PROJECT, "sh")
    return admin


@pytest.fixture
def product(admin: ServerAPI) -> str:
    """The product usdMain of /chair, by its id."""
    chair = admin.create_folder(PROJECT, "chair", folder_type="Asset")
    return admin.create_product(PROJECT, "usdMain", "usd", chair)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    return path


def refusal(call: Callable[[], object]) -> tuple[int, dict[str, object]]:
    with pytest.raises(exceptions.HTTPRequestError) as caught:
        call()
    return caught.value.response.status_code, caught.value.response.json()


def test_a_server_that_is_down_fails_in_four_ways(admin: ServerAPI, picture: Path) -> None:
    demo = DemoServer()
    with demo:
        key = demo.add_user("ann", "admin")
        connection = ServerAPI(demo.url, key, site_id=None, max_retries=1)
        connection.create_project(PROJECT, "sh")
        port = int(demo.url.rpartition(":")[2])
    with pytest.raises(exceptions.ServerError):
        connection.create_folder(PROJECT, "chair")
    with pytest.raises(exceptions.ServerError):
        list(connection.get_folders(PROJECT))
    with pytest.raises(exceptions.FailedOperations):
        connection.send_batch_operations(PROJECT, [create("folder", name="a", folderType="Asset")])
    with pytest.raises(requests.exceptions.ConnectionError):
        connection.create_thumbnail(PROJECT, str(picture))
    with pytest.raises((requests.exceptions.ConnectionError, exceptions.ServerNotReached)):
        ServerAPI(demo.url, key, site_id=None)
    assert connection.get_project(PROJECT) is None
    with DemoServer(port) as again:
        connection.close_session()
        connection.set_token(again.add_user("ann", "admin"))
        assert connection.get_project_names() == []


def test_bad_names_are_refused_with_their_place(admin: ServerAPI) -> None:
    for name in ("a b", "a/b", "stühle"):
        status, body = refusal(lambda name=name: admin.create_folder(PROJECT, name))
        assert status == 400
        (error,) = body["errors"]  # type: ignore[misc]
        assert "name" in error["loc"] and error["msg"]
    with pytest.raises(ValueError, match="name"):
        admin.create_project("my show", "ms")


def test_statuses_of_uploads_and_of_queries(
    demo: DemoServer, admin: ServerAPI, picture: Path
) -> None:
    for status in (413, 429, 500, 504):
        demo.faults.add(Fault("POST", "/thumbnails$", "status", str(status)))
        with pytest.raises(requests.HTTPError) as caught:
            admin.create_thumbnail(PROJECT, str(picture))
        assert caught.value.response.status_code == status
        demo.faults.add(Fault("GET", f"/projects/{PROJECT}$", "status", str(status)))
        assert admin.get_project(PROJECT) is None


def test_503_is_tried_three_times_but_not_for_uploads(
    demo: DemoServer, admin: ServerAPI, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    demo.faults.add(Fault("POST", "/folders$", "status", "503", 2))
    demo.clear_log()
    assert admin.create_folder(PROJECT, "chair")
    tried = [each.status for each in demo.log if each.path.endswith("/folders")]
    assert tried == [503, 503, 201] and len(pauses) == 2
    demo.faults.add(Fault("POST", "/thumbnails$", "status", "503"))
    with pytest.raises(requests.HTTPError):
        admin.create_thumbnail(PROJECT, str(picture))


def test_what_may_be_looked_at(admin: ServerAPI, product: str, tmp_path: Path) -> None:
    version = admin.create_version(PROJECT, 1, product)
    contents = {
        "a.png": PNG,
        "a.jpg": b"\xff\xd8\xff\xe0" + bytes(64),
        "a.mp4": b"\x00\x00\x00\x18ftypisom" + bytes(64),
        "a.webp": b"RIFF\x00\x00\x00\x00WEBP" + bytes(64),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        answer = admin.upload_reviewable(PROJECT, version, str(tmp_path / name))
        assert set(answer.json()) == {"fileId", "activityId", "mediaInfo"}
    assert admin.create_thumbnail(PROJECT, str(tmp_path / "a.jpg"))
    for name in ("a.exr", "a.usdc", "a.txt"):
        (tmp_path / name).write_bytes(b"none of them")
        with pytest.raises(ValueError):
            admin.upload_reviewable(PROJECT, version, str(tmp_path / name))


def test_a_refused_batch_is_answered_200(admin: ServerAPI, product: str) -> None:
    admin.create_version(PROJECT, 1, product)
    operations = [create("version", version=1, productId=product)]
    for can_fail in (False, True):
        answer = admin.post(f"projects/{PROJECT}/operations", operations=operations,
                            canFail=can_fail)  # fmt: skip
        assert (answer.status_code, answer.data["success"]) == (200, False)
        (result,) = answer.data["operations"]
        assert result["status"] == 409 and "already exists" in result["detail"]
        assert {"id", "success", "errorCode"} <= set(result)


def test_a_batch_in_the_background(admin: ServerAPI, product: str, demo: DemoServer) -> None:
    session = OperationsSession(admin)
    session.create_version(PROJECT, 7, product)
    demo.clear_log()
    session.commit()
    assert [(each.method, each.path.partition("/operations")[2]) for each in demo.log][0] == (
        "POST",
        "/background",
    )
    assert [each["version"] for each in admin.get_versions(PROJECT)] == [7]


def test_of_six_who_take_a_number_one_gets_it(demo: DemoServer, connect: Connect) -> None:
    admin = connect("admin")
    admin.create_project(PROJECT, "sh")
    folder = admin.create_folder(PROJECT, "chair", folder_type="Asset")
    product = admin.create_product(PROJECT, "usdMain", "usd", folder)
    clients = [ServerAPI(demo.url, admin.get_headers()["X-Api-Key"], site_id=None)
               for _ in range(6)]  # fmt: skip

    def take(client: ServerAPI) -> int:
        answer = client.post(f"projects/{PROJECT}/versions", version=1, productId=product)
        return int(answer.status_code)

    with ThreadPoolExecutor(len(clients)) as pool:
        assert Counter(pool.map(take, clients)) == {201: 1, 409: 5}


def test_files_of_a_representation(admin: ServerAPI, product: str) -> None:
    version = admin.create_version(PROJECT, 1, product)
    good = {"id": "not hexadecimal", "name": "a", "path": "{root[work]}/a", "odd": 1}
    made = admin.create_representation(PROJECT, "usd", version, files=[good])
    (stored,) = admin.get_rest_representation(PROJECT, made)["files"]
    assert stored["id"] == good["id"] and "odd" not in stored
    for missing in ("id", "path"):
        bad = {name: value for name, value in good.items() if name != missing}
        status, _ = refusal(
            lambda bad=bad: admin.create_representation(PROJECT, "b", version, files=[bad])
        )
        assert status in (400, 422)


def test_a_product_has_one_hero(admin: ServerAPI, product: str) -> None:
    admin.create_version(PROJECT, -1, product)
    assert refusal(lambda: admin.create_version(PROJECT, -2, product))[0] == 409


def test_attributes_and_link_types_are_told(admin: ServerAPI) -> None:
    attributes = admin.get("attributes").data["attributes"]
    assert {"name", "scope", "data"} <= set(attributes[0])
    kinds = admin.get(f"projects/{PROJECT}/links/types").data["types"]
    assert any(each["name"] == "reference|version|version" for each in kinds)


def test_events_of_a_publish(
    demo: DemoServer, admin: ServerAPI, product: str, picture: Path
) -> None:
    versions = [admin.create_version(PROJECT, number, product) for number in (1, 2)]
    admin.create_representation(PROJECT, "usd", versions[0])
    thumbnail = admin.create_thumbnail(PROJECT, str(picture))
    admin.update_version(PROJECT, versions[0], thumbnail_id=thumbnail)
    admin.create_link(PROJECT, "reference", versions[0], "version", versions[1], "version")
    admin.upload_reviewable(PROJECT, versions[0], str(picture))
    admin.create_activity(PROJECT, versions[0], "version", "comment", body="nice")
    topics = {each["topic"] for each in admin.get_events()}
    assert topics >= {
        "entity.product.created",
        "entity.version.created",
        "entity.representation.created",
        "entity.version.thumbnail_changed",
        "link.created",
        "reviewable.created",
        "activity.created",
    }, json.dumps(sorted(topics))
