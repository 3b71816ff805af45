# SPDX-License-Identifier: GPL-3.0-or-later
"""A list for the AYON server: asked for and entered many at a time, each version by itself whole.

A small program stands in for Blender: it publishes a file as it is, by the pipeline's own ways.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ayon_api.server_api import ServerAPI

from stagewright.ayon_bridge.demo.faults import Fault
from stagewright.ayon_bridge.demo.server import Access, DemoServer

MAIN = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"
STAND_IN = """
import sys
from pathlib import Path
from stagewright.ayon_bridge.home import RepresentationFiles
from stagewright.jobs.drive import drain
from stagewright.pipeline.cli import parse
from stagewright.pipeline.commands.publish import order_of
from stagewright.pipeline.committing import commit
from stagewright.pipeline.homes import publish_at
from stagewright.pipeline.order import request_of
import hashlib, json
from contextlib import closing

words = sys.argv[sys.argv.index("publish") :]
order = order_of(parse(words))
blend = order.blend

def publish(publication, queued):
    digest = hashlib.sha256(blend.read_bytes()).hexdigest()
    publication.complete(content_hash=digest, data={})
    with closing(publication):
        yield from publication.open()
        version = publication.unchanged
        entered = version is not None or publication.enters
        if version is None:
            name = publication.root_name
            yield from publication.stage({name: blend})
            made = [RepresentationFiles(name="usd", main=name, files=[name])]
            version = yield from commit(publication, made, lambda made: None)
        path = publication.main_files(version)["usd"]
    unchanged = publication.unchanged is not None
    return {"version": version.name, "path": str(path), "unchanged": unchanged,
            "queued": queued, "entered": entered}

def tell(event, **values):
    print(json.dumps({"event": event, "time": 0, **values}), flush=True)

from stagewright.jobs.errors import StagewrightError
try:
    value = drain(publish_at(order.to, order.library, request_of(order), publish,
                             break_lock=False, known=order.known), lambda event: None)
except StagewrightError as error:
    tell("error", code=error.code, message=error.message, cure=error.cure, details={})
    sys.exit(1)
tell("result", value=value)
"""


class Studio:
    """A demo server, a list of files for it, and a program in the place of Blender."""

    def __init__(
        self, folder: Path, demo: DemoServer, hearing: list[Callable[[Access], None]]
    ) -> None:
        self.hearing = hearing  # what hears of every request
        self.demo, self.folder, self.root = demo, folder, folder / "storage"
        self.root.mkdir()
        self.admin = ServerAPI(demo.url, demo.add_user("admin", "admin"), site_id="one")
        self.admin.create_project("show", "shw")
        self.admin.set_project_root_overrides("show", "one", {"work": str(self.root)})
        self.asset = self.admin.create_folder("show", "crate", folder_type="Asset")
        self.admin.create_task("show", "modeling", "Modeling", self.asset)
        program = folder / "stand_in.py"
        program.write_text(STAND_IN)
        blender = folder / "blender"
        blender.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
        blender.chmod(0o755)
        self.environment = os.environ | {
            "BLENDER_EXECUTABLE": str(blender),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "AYON_SERVER_URL": demo.url,
            "AYON_API_KEY": demo.add_user("ann", "artist"),
            "AYON_SITE_ID": "one",
        }
        self.list = folder / "list.csv"

    def write(self, count: int, product: str = "usd{}") -> None:
        rows = ["file,product"]
        for number in range(count):
            (self.folder / f"f{number}.blend").write_text(f"content {number}")
            rows.append(f"f{number}.blend,{product.format(number)}")
        self.list.write_text("\n".join(rows) + "\n")

    def start(self, *words: str) -> subprocess.Popen[str]:
        own = ["publish", "--from", str(self.list), "--server", "--project", "show", "--json"]
        own += ["--folder", "/crate", "--library", str(self.folder / "library"), *words]
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, *own],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment,
        )  # fmt: skip

    def run(self, *words: str) -> tuple[int, list[dict[str, Any]]]:
        self.demo.clear_log()
        process = self.start(*words)
        out, err = process.communicate()
        assert "Traceback" not in err, err
        last = json.loads(out.splitlines()[-1])
        assert last["event"] == "result", last
        return process.returncode, last["value"]["rows"]

    def take(self, name: str, number: int = 1) -> None:
        """Somebody elsewhere publishes a version of a product."""
        product = self.admin.create_product("show", name, "usd", self.asset)
        self.admin.create_version("show", number, product)

    def whole(self) -> dict[str, list[int]]:
        """Numbers of the versions of each product that have all of their files."""
        names = {each["id"]: each["name"] for each in self.admin.get_products("show")}
        versions = {each["id"]: each for each in self.admin.get_versions("show")}
        found: dict[str, list[int]] = {}
        for each in self.admin.get_representations("show"):
            version = versions[each["versionId"]]
            for file in each["files"]:
                path = Path(file["path"].replace("{root[work]}", str(self.root)))
                assert hashlib.sha256(path.read_bytes()).hexdigest() == file["hash"]
            found.setdefault(names[version["productId"]], []).append(version["version"])
        return found


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    if os.name != "posix":
        pytest.skip("the stand-in is a shell script")
    hearing: list[Callable[[Access], None]] = []
    with DemoServer(on_access=lambda line: [hear(line) for hear in hearing]) as demo:
        yield Studio(tmp_path, demo, hearing)


def test_a_list_takes_few_requests(studio: Studio) -> None:
    studio.write(4)
    code, rows = studio.run("--jobs", "2")
    log = [each.path for each in studio.demo.log]
    assert code == 0 and [row["state"] for row in rows] == ["published"] * 4
    assert studio.whole() == {f"usd{number}": [1] for number in range(4)}
    assert not list(studio.root.rglob("*unfinished*"))
    # However many rows there are, up to those that go together: before and after, the
    # roots and what there is; and the batch.
    assert (log.count("/graphql"), len(log)) == (2, 5), log


def test_a_version_in_the_way_is_published_again_by_itself(studio: Studio) -> None:
    studio.write(3)
    planted = iter(["usd1"])

    def plant(line: Access) -> None:
        # Elsewhere, when the list has been told what there is.
        if line.path.endswith("/siteRoots"):
            for name in planted:
                studio.take(name)

    studio.hearing.append(plant)
    code, rows = studio.run("--jobs", "2")
    assert code == 0 and [row["state"] for row in rows] == ["published"] * 3
    assert [row["tries"] for row in rows] == [1, 2, 1]
    assert studio.whole() == {"usd0": [1], "usd1": [2], "usd2": [1]}
    assert not list(studio.root.rglob("*unfinished*"))


def test_two_rows_of_one_product_are_two_versions(studio: Studio) -> None:
    studio.write(3, product="usdMain")
    code, rows = studio.run()
    assert code == 0 and [row["version"] for row in rows] == ["v001", "v002", "v003"]
    assert studio.whole() == {"usdMain": [1, 2, 3]}


def test_a_server_that_fails_at_the_batch_is_tried_again(studio: Studio) -> None:
    studio.write(2)
    studio.demo.faults.add(Fault("POST", "/operations$", "status", "500"))
    code, rows = studio.run()
    assert code == 0 and [row["state"] for row in rows] == ["published"] * 2
    assert studio.whole() == {"usd0": [1], "usd1": [1]}
