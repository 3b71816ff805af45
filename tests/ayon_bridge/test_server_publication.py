# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing to an AYON server: what comes of it, how often it asks, what a death leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from studio import PRODUCT_FOLDER, PROJECT, Studio

from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.faults import Fault
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.server import Server
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Message, Progress

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and kills")
MAIN = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"


def test_a_publish_by_an_artist(studio: Studio) -> None:
    version, events = studio.run()
    assert version is not None
    assert not [each for each in events if isinstance(each, Message)]
    (stored,) = studio.versions()
    assert (stored.id, stored.version, stored.author) == (version.id, 1, "ann")
    assert stored.attrib["comment"] == "Warmer glass"
    assert studio.broken() == [] and studio.folders() == {"v001"}
    report, usd = studio.admin.get_representations(PROJECT, version_ids=[version.id])
    path = studio.root / PRODUCT_FOLDER / "v001/shw_lantern_usdMain_v001.usda"
    assert usd.attrib["path"] == path.as_posix()
    assert usd.attrib["template"].startswith("{root[work]}/{project[name]}/{hierarchy}")
    assert "{@" not in usd.attrib["template"]
    assert usd.data["context"]["root"] == {"work": studio.root.as_posix()}
    assert usd.data["context"]["username"] == "ann"
    assert report.data["context"]["output"] == "report"
    picture = studio.admin.get_thumbnail(PROJECT, "version", version.id)
    assert picture is not None and picture.content.startswith(b"\x89PNG")
    links = studio.admin.connection.get_version_links(PROJECT, version.id, link_direction="in")
    assert {each["entityId"] for each in links} == set(studio.inputs)
    kinds = [
        each["activityType"]
        for each in studio.admin.connection.get_activities(PROJECT, entity_ids=[version.id])
    ]
    assert sorted(kinds) == ["comment", "reviewable"]


def test_how_many_requests_a_publish_takes(studio: Studio) -> None:
    counts = []
    for content in ("a", "b"):
        studio.demo.clear_log()
        version, _ = studio.run(content)
        assert version is not None
        counts.append(len(studio.demo.log))
    assert counts[0] <= 9 and counts[1] <= 8


def test_nothing_changed_is_noticed(studio: Studio) -> None:
    first, again = studio.run()[0], studio.run()[0]
    assert first is not None and again is not None
    assert again.id == first.id
    assert len(studio.versions()) == 1


@forks
def test_a_publish_killed_before_any_step_ends_in_one_version(
    studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    studio.run("first")  # which makes folders, too
    steps = [each.step for each in studio.run("old")[1] if isinstance(each, Progress)]
    histogram: Counter[str] = Counter()
    wanted = ["first", "old"]
    for index, step in enumerate(steps):
        studio.kill(f"{index}", lambda at, _, index=index: at == index)
        assert studio.broken() == []
        version, _ = studio.run(f"{index}")
        wanted.append(f"{index}")
        histogram[step] += 1
        versions = studio.versions()
        assert [each.data["contentHash"] for each in versions] == wanted
        assert studio.broken() == []
        assert studio.folders() == {each.name for each in versions}
        assert not list(studio.root.rglob("*unfinished*"))
        made = studio.admin.connection.get_activities(PROJECT, entity_ids=[version.id])
        assert sorted(each["activityType"] for each in made) == ["comment", "reviewable"]
    with capsys.disabled():
        print(f"\nkilled before each step: {json.dumps(histogram, indent=1)}")
    assert {"server.batch", "server.link", "server.finish", "library.rename"} <= set(histogram)


@pytest.mark.parametrize("moment", ["drop", "lost"])
def test_a_batch_whose_connection_ends(studio: Studio, moment: str) -> None:
    studio.demo.faults.add(Fault("POST", "operations", moment))  # type: ignore[arg-type]
    version, _ = studio.run()
    assert version is not None
    assert [each.id for each in studio.versions()] == [version.id]
    assert studio.broken() == [] and studio.folders() == {"v001"}


@pytest.mark.parametrize("status", [413, 500, 504])
def test_a_refused_batch_leaves_nothing(studio: Studio, status: int) -> None:
    studio.demo.faults.add(Fault("POST", "operations", "status", str(status)))
    with pytest.raises(StagewrightError):
        studio.run()
    assert studio.versions() == [] and studio.folders() == set()
    assert studio.run()[0] is not None and studio.folders() == {"v001"}


def test_a_number_that_somebody_took_meanwhile_is_renumbered(studio: Studio) -> None:
    studio.run("old")
    (product,) = studio.admin.get_products(PROJECT, product_names=["usdMain"])
    server = Server(studio.artist)
    job = studio.publish(server, "new")
    event = next(job)
    while not (isinstance(event, Progress) and event.step == "server.batch"):
        event = next(job)
    # From a machine with another storage, which the claimed folder does not hold back.
    studio.admin.connection.create_version(PROJECT, 2, product.id)
    with pytest.raises(StopIteration) as stop:
        while True:
            next(job)
    assert stop.value.value.version == 3
    assert [each.version for each in studio.versions()] == [1, 2, 3]
    assert studio.folders() == {"v001", "v003"}
    root = studio.root / PRODUCT_FOLDER / "v003/shw_lantern_usdMain_v003.usda"
    assert "# v003" in root.read_text()
    assert studio.broken() == ["v002 has no files"]


@forks
def test_a_dead_publish_whose_number_was_taken_is_taken_back(studio: Studio) -> None:
    studio.run("old")
    (product,) = studio.admin.get_products(PROJECT, product_names=["usdMain"])
    studio.kill("dead", lambda _, event: getattr(event, "step", "") == "server.batch")
    studio.admin.connection.create_version(PROJECT, 2, product.id)
    version, events = studio.run("new")
    assert version is not None and version.version == 3
    assert any(isinstance(each, Message) and "taken back" in each.text for each in events)
    assert studio.folders() == {"v001", "v003"}


def test_a_refused_extra_is_one_warning(studio: Studio) -> None:
    studio.demo.faults.add(Fault("POST", "links", "status", "403"))
    version, events = studio.run()
    assert version is not None
    warnings = [each for each in events if isinstance(each, Message)]
    assert len(warnings) == 1 and "a link" in warnings[0].text
    assert not list(studio.root.rglob("*unfinished*"))


def test_a_missing_folder_is_refused_before_anything_is_touched(studio: Studio) -> None:
    request = studio.child.make_request(folder_path="/assets/none")
    with Server(studio.artist) as server, closing(server.publication(request)) as publication:
        with pytest.raises(StagewrightError) as caught:
            for _ in publication.open():
                pass
    assert caught.value.code == "not-found" and "/assets/none" in caught.value.message
    assert not (studio.root / "show").exists()


def test_a_root_that_is_not_here_is_named(studio: Studio) -> None:
    studio.admin.connection.set_project_root_overrides(PROJECT, "bench", {"work": "/not/here"})
    with Server(studio.artist) as server, pytest.raises(StagewrightError) as caught:
        server.publication(studio.child.make_request())
    assert caught.value.code == "no-root"


@pytest.mark.parametrize("moment", ["before", "batch", "after"])
def test_a_server_that_dies_around_the_batch(
    tmp_path: Path, child: ModuleType, moment: str
) -> None:
    root, database = tmp_path / "projects", tmp_path / "server.db"
    root.mkdir()
    with DemoServer(database=database) as demo:
        key = demo.add_user("ann", "artist")
        admin_key = demo.add_user("admin", "admin")
        with Server(Credentials(demo.url, admin_key)) as admin:
            admin.create_project(PROJECT, "shw")
            admin.connection.set_project_root_overrides(PROJECT, "bench", {"work": str(root)})
            assets = admin.create_folder(PROJECT, "assets")
            lantern = admin.create_folder(PROJECT, "lantern", "Asset", assets.id)
            admin.create_task(PROJECT, "lookdev", "Lookdev", lantern.id)
    words = ["ayon", "demo-server", "--port", "0", "--database", str(database)]
    dying = subprocess.Popen(
        [sys.executable, "-c", MAIN, *words, "--fault", f"POST operations$ die={moment}"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert dying.stderr is not None
    url = next(line.split("=")[1].strip() for line in dying.stderr if "AYON_SERVER_URL=" in line)
    with dying, Server(Credentials(url, key, "bench")) as server:
        with pytest.raises(StagewrightError) as caught:
            for _ in child.publish(server, child.make_request(), child.make_sources(tmp_path)):
                pass
        dying.stderr.close()
    assert dying.returncode == 137 and caught.value.code == "server-down"
    with DemoServer(database=database) as demo, Server(Credentials(demo.url, admin_key)) as admin:
        studio = Studio(demo, admin, Credentials(demo.url, key, "bench"), root, child)
        with Server(studio.artist) as server:
            for _ in child.publish(server, child.make_request(), child.make_sources(tmp_path)):
                pass
        (version,) = studio.versions()
        assert version.version == 1 and studio.broken() == []
        assert studio.folders() == {"v001"} and not list(root.rglob("*unfinished*"))
