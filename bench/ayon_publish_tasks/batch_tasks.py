# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for the entities of many publishes together, beside those of as many single ones."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from ayon_api.server_api import ServerAPI
from request_tasks import PICTURE, PROJECT, prepare

from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.home import PublishRequest, RepresentationFiles
from stagewright.ayon_bridge.publication import StagedPublication
from stagewright.ayon_bridge.server import Server
from stagewright.ayon_bridge.together import enter_together
from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError

MOST = 0.15
PLANTED = 5


def _requests(kind: str, count: int) -> list[PublishRequest]:
    return [
        PublishRequest(
            project_name=PROJECT,
            project_code="",
            folder_path="/lantern",
            product_name=f"{kind}{number}",
            task_name="lookdev",
            author="",
            content_hash=f"{number}",
        )
        for number in range(count)
    ]


def _stage(publication: StagedPublication, source: Path) -> list[RepresentationFiles]:
    drain(publication.open(), lambda event: None)
    main = publication.root_name
    drain(publication.stage({main: source}), lambda event: None)
    return [RepresentationFiles(name="usd", main=main, files=[main])]


def _single(credentials: Credentials, count: int, source: Path) -> None:
    with Server(credentials) as server:
        for request in _requests("usdSingle", count):
            with closing(server.publication(request)) as publication:
                made = _stage(publication, source)
                drain(publication.commit(made), lambda event: None)


def _together(credentials: Credentials, count: int, source: Path, admin: ServerAPI) -> int:
    """Publish together while somebody takes some of the numbers; returns how many were retried."""
    folder = admin.get_folder_by_path(PROJECT, "/lantern")["id"]
    with Server(credentials) as server, ExitStack() as ending:
        publications = server.publications(_requests("usdBatch", count), StagedPublication)
        staged = []
        for each in publications:
            made = _stage(ending.enter_context(closing(each)), source)
            drain(each.seal(made), lambda event: None)
            drain(each.move(), lambda event: None)
            staged.append(made)
        for number in range(0, count, max(1, count // PLANTED))[:PLANTED]:
            product = admin.create_product(PROJECT, f"usdBatch{number}", "usd", folder)
            admin.create_version(PROJECT, 1, product)
        errors: list[StagewrightError | None] = drain(
            enter_together(publications), lambda event: None
        )
        for index, error in enumerate(errors):
            if error is not None:
                made = drain(publications[index].renumber(staged[index]), lambda event: None)
                drain(publications[index].commit(made), lambda event: None)
    return sum(error is not None for error in errors)


def _complete(admin: ServerAPI, prefix: str) -> int:
    """How many products of that name have exactly one version with files."""
    products = [p for p in admin.get_products(PROJECT) if p["name"].startswith(prefix)]
    owners = {v["id"]: v["productId"] for v in admin.get_versions(PROJECT)}
    whole = [owners[r["versionId"]] for r in admin.get_representations(PROJECT) if r["files"]]
    return sum(whole.count(product["id"]) == 1 for product in products)


def batch_requests_share(quick: bool) -> Iterator[dict[str, Any]]:
    """Requests of publishes together, in parts of those of single ones; retries counted."""
    count = 25 if quick else 100
    with tempfile.TemporaryDirectory() as folder, DemoServer() as demo:
        root = Path(folder)
        source = root / "picture.png"
        source.write_bytes(PICTURE)
        key, _, _ = prepare(demo, root)
        admin = ServerAPI(demo.url, demo.add_user("planter", "admin"), site_id="bench")
        credentials = Credentials(demo.url, key, "bench")
        demo.clear_log()
        _single(credentials, count, source)
        single = len(demo.log)
        before = _planting(admin, demo)
        demo.clear_log()
        retried = _together(credentials, count, source, admin)
        together = len(demo.log) - before
        complete = _complete(admin, "usdBatch")
    yield {
        "task": "batch-requests-share",
        "value": together / single,
        "baseline": MOST,
        "unit": "of single publishes",
        "agree": complete == count and retried == PLANTED,
        "note": f"{count} publishes: {together} requests against {single}; {retried} of {PLANTED} "
        f"planted conflicts retried, {complete} complete",
    }


def _planting(admin: ServerAPI, demo: DemoServer) -> int:
    """How many requests it takes to find the folder and to plant all conflicts."""
    demo.clear_log()
    folder = admin.get_folder_by_path(PROJECT, "/lantern")["id"]
    for number in range(PLANTED):
        product = admin.create_product(PROJECT, f"usdPlanting{number}", "usd", folder)
        admin.create_version(PROJECT, 1, product)
    return len(demo.log)


TASKS = {"batch-requests-share": batch_requests_share}
