# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of a publish with three representations, picture, reviewable, comment, two links."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ayon_api.server_api import ServerAPI

from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.home import PublishRequest, RepresentationFiles
from stagewright.ayon_bridge.server import Server
from stagewright.jobs.drive import drain

PROJECT = "show"
PICTURE = b"\x89PNG\r\n\x1a\n"
MOST = {"first": 9, "second": 8}


def prepare(demo: DemoServer, root: Path) -> tuple[str, str, list[str]]:
    """A project with a folder, a task and two versions to link; returns key, folder, versions."""
    admin = ServerAPI(demo.url, demo.add_user("admin", "admin"), site_id="bench")
    admin.create_project(PROJECT, "sh")
    admin.set_project_root_overrides(PROJECT, "bench", {"work": str(root)})
    folder = admin.create_folder(PROJECT, "lantern", folder_type="Asset")
    admin.create_task(PROJECT, "lookdev", "Lookdev", folder)
    wood = admin.create_product(PROJECT, "textureWood", "texture", folder)
    inputs = [admin.create_version(PROJECT, number, wood) for number in (1, 2)]
    return demo.add_user("artist", "artist"), folder, inputs


def _publish(credentials: Credentials, content: str, inputs: list[str], source: Path) -> None:
    request = PublishRequest(
        project_name=PROJECT,
        project_code="",
        folder_path="/lantern",
        product_name="usdMain",
        task_name="lookdev",
        author="",
        content_hash=content,
        comment="Warmer glass",
        data={"inputVersionIds": inputs},
    )
    with Server(credentials) as server, closing(server.publication(request)) as publication:
        drain(publication.open(), lambda event: None)
        names = {name: publication.file_name(name) for name in ("usda", "usdz", "blend")}
        staged = {name: source for name in (*names.values(), "thumbnail.png")}
        drain(publication.stage(staged), lambda event: None)
        made = [RepresentationFiles(name=n, main=f, files=[f]) for n, f in names.items()]
        drain(
            publication.commit(made, thumbnail="thumbnail.png", reviewable="thumbnail.png"),
            lambda event: None,
        )


def _natural(demo: DemoServer, key: str, folder: str, inputs: list[str], source: Path) -> None:
    """The same through the client's single calls."""
    client = ServerAPI(demo.url, key, site_id="bench")
    client.get_project(PROJECT)
    client.get_project_roots_by_platform(PROJECT)
    client.get_folder_by_path(PROJECT, "/lantern")
    client.get_task_by_name(PROJECT, folder, "lookdev")
    client.get_product_by_name(PROJECT, "usdNatural", folder)
    product = client.create_product(PROJECT, "usdNatural", "usd", folder)
    client.get_last_version_by_product_id(PROJECT, product)
    version = client.create_version(PROJECT, 1, product)
    for name in ("usd", "usdz", "blend"):
        client.create_representation(PROJECT, name, version, files=[])
    thumbnail = client.create_thumbnail(PROJECT, str(source))
    client.update_version(PROJECT, version, thumbnail_id=thumbnail)
    client.upload_reviewable(PROJECT, version, str(source))
    client.create_activity(PROJECT, version, "version", "comment", body="Warmer glass")
    for each in inputs:
        client.create_link(PROJECT, "reference", each, "version", version, "version")


def publish_requests(quick: bool) -> Iterator[dict[str, Any]]:
    """Requests of the first and the second publish of a product, each over a new connection."""
    with tempfile.TemporaryDirectory() as folder, DemoServer() as demo:
        root = Path(folder)
        source = root / "picture.png"
        source.write_bytes(PICTURE)
        key, asset, inputs = prepare(demo, root)
        demo.clear_log()
        _natural(demo, key, asset, inputs, source)
        natural = len(demo.log)
        for which, most in MOST.items():
            demo.clear_log()
            _publish(Credentials(demo.url, key, "bench"), which, inputs, source)
            note = f"{which} publish; the client's single calls: {natural}"
            yield {
                "task": "publish-requests",
                "value": len(demo.log),
                "baseline": most,
                "unit": "requests",
                "note": note,
            }


TASKS = {"publish-requests": publish_requests}
