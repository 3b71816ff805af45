# SPDX-License-Identifier: GPL-3.0-or-later
"""What was published without the server, sent to it later."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ayon_api.server_api import ServerAPI
from pxr import Sdf, Usd

from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.entities import Version
from stagewright.ayon_bridge.home import PublishRequest, RepresentationFiles
from stagewright.ayon_bridge.library import Library
from stagewright.ayon_bridge.outbox import MARK, waiting
from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.publish import identity_of
from stagewright.pipeline.sync import SyncOrder, sync
from stagewright.usd_tools.identity import stamp_identity
from stagewright.usd_tools.references import move_references

MAIN = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"
PICTURE = b"\x89PNG\r\n\x1a\n"
MANY = [f"prop{number}" for number in range(8)]
REPORT = """<html><title>{0} {1}</title><h1>{0} <span>{1}</span></h1>
<dl><dt>File</dt><dd>{2}</dd></dl></html>
"""


def finish(job: Any) -> Any:
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


def publish(
    library: Library, name: str, content: str = "a", of: tuple[Version, ...] = ()
) -> Version:
    """Publish, to be sent later, an asset that references others of the library."""
    request = PublishRequest(
        project_name="show",
        project_code="local",
        folder_path=f"/assets/{name}",
        product_name="usdMain",
        author="ann",
        task_name="modeling",
        comment=f"{name} {content}",
        content_hash=content,
        data={MARK: True, "inputVersionIds": [each.id for each in of]},
    )
    with closing(library.publication(request)) as publication:
        finish(publication.open())
        sources = library.root.parent / "sources" / library.root.name
        sources.mkdir(parents=True, exist_ok=True)
        used = ""
        for number, each in enumerate(of):
            (usd,) = library.get_representations("show", None, ["usd"], [each.id])
            path = library.main_file(usd).as_posix()
            used += f'    def "part{number or ""}" (references = @{path}@) {{}}\n'
        root = (
            f'#usda 1.0\n(\ndefaultPrim = "{name}"\nsubLayers = [@./{name}_references.usda@]\n)\n'
        )
        (sources / "root").write_text(f'{root}def Xform "{name}" {{}}\n')
        layer = f'#usda 1.0\nover "{name}" {{\n{used}    string note = "{content}"\n}}\n'
        (sources / "references").write_text(layer)
        (sources / "picture").write_bytes(PICTURE)
        references, report = f"{name}_references.usda", publication.file_name("html", "report")
        html = REPORT.format(name, publication.version_name, publication.root_name)
        (sources / "report").write_text(html)
        files = {publication.root_name: "root", references: "references"}
        files |= {"thumbnail.png": "picture", report: "report"}
        finish(publication.stage({n: sources / source for n, source in files.items()}))
        move_references(publication.staging / references, sources, publication.folder)
        root_file = publication.staging / publication.root_name
        stamp_identity(root_file, identity_of(publication, name))
        main = publication.root_name
        made = [
            RepresentationFiles(name="usd", main=main, files=[main, references]),
            RepresentationFiles(name="report", main=report, files=[report], output="report"),
        ]
        return finish(publication.commit(made, thumbnail="thumbnail.png"))


@dataclass
class Studio:
    """A demo server, a folder for each of two machines, and a library."""

    demo: DemoServer
    admin: ServerAPI
    key: str
    folder: Path

    def environment(self, site: str) -> dict[str, str]:
        url = {"AYON_SERVER_URL": self.demo.url, "AYON_API_KEY": self.key, "AYON_SITE_ID": site}
        return url | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def product(self, name: str) -> str:
        folder = self.admin.get_folder_by_path("show", f"/assets/{name}")
        product = self.admin.get_product_by_name("show", "usdMain", folder["id"])
        return product["id"] if product else self.admin.create_product(
            "show", "usdMain", "usd", folder["id"]
        )  # fmt: skip

    def versions(self, name: str) -> list[dict[str, Any]]:
        found = self.admin.get_versions("show", product_ids=[self.product(name)])
        return sorted(found, key=lambda each: each["version"])

    def paths(self, version_id: str) -> dict[str, Path]:
        made = self.admin.get_representations("show", version_ids=[version_id])
        return {each["name"]: Path(each["attrib"]["path"]) for each in made}


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    with DemoServer() as demo:
        key = demo.add_user("ann", "artist")
        for name in ("AYON_SERVER_URL", "AYON_API_KEY", "AYON_SITE_ID"):
            monkeypatch.delenv(name, raising=False)
        admin = ServerAPI(demo.url, demo.add_user("admin", "admin"), site_id="one")
        admin.create_project("show", "shw")
        for site in ("one", "two"):
            (tmp_path / f"storage {site}").mkdir()
            roots = {"work": str(tmp_path / f"storage {site}")}
            admin.set_project_root_overrides("show", site, roots)
        assets = admin.create_folder("show", "assets")
        for name in ("crate", "shelf", *MANY):
            folder = admin.create_folder("show", name, folder_type="Asset", parent_id=assets)
            admin.create_task("show", "modeling", "Modeling", folder)
        made = Studio(demo, admin, key, tmp_path)
        for name, value in made.environment("one").items():
            if name.startswith("AYON"):
                monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "my libråry") as opened:
        yield opened


def run(library: Library, *arguments: Any) -> list[dict[str, Any]]:
    """The rows of a sync."""
    return finish(sync(SyncOrder(library.root, *arguments)))["rows"]


def test_a_version_arrives_as_it_is_under_its_ids(studio: Studio, library: Library) -> None:
    queued = publish(library, "crate")
    (row,) = run(library)
    assert (row["state"], row["queued"], row["version"]) == ("sent", "v001", "v001")
    (version,) = studio.versions("crate")
    assert version["id"] == queued.id and version["attrib"]["comment"] == "crate a"
    ours = library.get_representations("show", version_ids=[queued.id])
    theirs = list(studio.admin.get_representations("show", version_ids=[queued.id]))
    assert {each["id"] for each in theirs} == {each.id for each in ours}
    assert {each["name"] for each in theirs} == {"usd", "report"}
    picture = studio.admin.get_version_thumbnail("show", queued.id)
    assert picture.content == PICTURE
    assert MARK not in version["data"]
    assert run(library) == []
    assert finish(library.verify()) == []


def test_a_chain_is_rewritten_where_the_server_gained_versions(
    studio: Studio, library: Library
) -> None:
    crate = publish(library, "crate")
    shelf = publish(library, "shelf", of=(crate,))
    for number in (1, 2):
        studio.admin.create_version("show", number, studio.product("crate"))
    rows = run(library, "renumber")
    assert [(row["state"], row["queued"], row["version"]) for row in rows] == [
        ("sent", "v001", "v003"),
        ("sent", "v001", "v001"),
    ]
    assert [each["version"] for each in studio.versions("crate")] == [1, 2, 3]
    paths = studio.paths(crate.id)
    assert paths["usd"].name == "shw_crate_usdMain_v003.usda"
    html = paths["report"].read_text()
    assert "v001" not in html and "crate <span>v003" in html and paths["usd"].name in html
    stage = Usd.Stage.Open(str(studio.paths(shelf.id)["usd"]))
    used = stage.GetPrimAtPath("/shelf/part")
    assert used.GetAssetInfoByKey("version") == "v003"
    assert used.GetAssetInfoByKey("stagewright:versionId") == crate.id
    assert used.GetAttribute("note").Get() == "a"
    layers = [Path(layer.realPath) for layer in stage.GetUsedLayers() if layer.realPath]
    assert len(layers) == 4
    assert all(path.is_relative_to(studio.folder / "storage one") for path in layers)
    references = Sdf.Layer.OpenAsAnonymous(str(studio.paths(shelf.id)["usd"].parent
                                               / "shelf_references.usda"))  # fmt: skip
    assert str(studio.folder) not in references.ExportToString()
    links = studio.admin.get_version_links("show", shelf.id, link_direction="in")
    assert [each["entityId"] for each in links] == [crate.id]


def test_a_taken_number_is_a_choice(studio: Studio, library: Library) -> None:
    crate = publish(library, "crate")
    publish(library, "shelf", of=(crate,))
    theirs = studio.admin.create_version("show", 1, studio.product("crate"))
    kept = run(library)
    assert [row["state"] for row in kept] == ["waiting", "waiting"]
    assert "v001" in kept[0]["message"] and "not on the AYON server" in kept[1]["message"]
    assert [each["id"] for each in studio.versions("crate")] == [theirs]
    assert not [
        path for path in (studio.folder / "storage one" / "show").rglob("*") if path.is_file()
    ]
    assert len(waiting(library)) == 2
    skipped = run(library, "skip", (crate.id,))
    assert [row["state"] for row in skipped] == ["skipped"]
    # Its own number is free, but what it is made of is not there, and will never be.
    (row,) = run(library, "renumber")
    assert row["state"] == "waiting" and "refers to" in row["message"]
    assert studio.versions("shelf") == []
    assert finish(library.verify()) == []


def test_versions_that_need_no_other_go_together(studio: Studio, library: Library) -> None:
    parts = [publish(library, name) for name in MANY]
    shelf = publish(library, "shelf", of=tuple(parts[:2]))
    again = publish(library, MANY[0], "b")
    for name in MANY[2:4]:
        studio.admin.create_version("show", 1, studio.product(name))
    studio.demo.clear_log()
    rows = run(library)
    asked = [each.path for each in studio.demo.log if each.path == "/graphql"]
    batches = [each.path for each in studio.demo.log if each.path.endswith("/operations")]
    assert [row["state"] for row in rows] == ["sent"] * 2 + ["waiting"] * 2 + ["sent"] * 6
    assert all("somebody else" in row["message"] for row in rows[2:4])
    # The parts, then what needs one of them: what there is, what is sent already; the
    # inputs of the second.
    assert (len(asked), len(batches)) == (2 + 3, 2)
    assert [each["id"] for each in studio.versions(MANY[0])] == [parts[0].id, again.id]
    links = studio.admin.get_version_links("show", shelf.id, link_direction="in")
    assert {each["entityId"] for each in links} == {each.id for each in parts[:2]}
    rows = run(library, "renumber", (parts[2].id,))
    assert [(row["state"], row["version"]) for row in rows] == [("sent", "v002")]
    rows = run(library, "skip", (parts[3].id,))
    assert [row["state"] for row in rows] == ["skipped"]
    assert waiting(library) == []


def test_a_number_that_is_taken_in_the_last_moment_holds_no_other_up(
    studio: Studio, library: Library
) -> None:
    parts = [publish(library, name) for name in MANY[:3]]
    for choice, states in (("keep", ["waiting", "sent", "sent"]), ("renumber", ["sent"])):
        taken = False
        rows: list[dict[str, Any]] = []
        job = sync(SyncOrder(library.root, choice))  # type: ignore[arg-type]
        while True:
            try:
                event = next(job)
            except StopIteration as end:
                rows = end.value["rows"]
                break
            if getattr(event, "step", "") == "server.batch" and not taken:
                taken = True
                number = {"keep": 1, "renumber": 2}[choice]
                studio.admin.create_version("show", number, studio.product(MANY[0]))
        assert [row["state"] for row in rows] == states
    assert [each["version"] for each in studio.versions(MANY[0])] == [1, 2, 3]
    assert studio.versions(MANY[0])[-1]["id"] == parts[0].id
    stage = Usd.Stage.Open(str(studio.paths(parts[0].id)["usd"]))
    assert stage.GetDefaultPrim().GetAssetInfoByKey("version") == "v003"
    assert [len(studio.versions(name)) for name in MANY[1:3]] == [1, 1]


def test_a_damaged_file_is_not_sent_and_holds_nobody_else_up(
    studio: Studio, library: Library
) -> None:
    crate = publish(library, "crate")
    publish(library, "shelf")
    (usd,) = library.get_representations("show", None, ["usd"], [crate.id])
    library.main_file(usd).write_text("#usda 1.0\n")
    first, second = run(library)
    assert first["state"] == "waiting" and library.main_file(usd).name in first["message"]
    assert second["state"] == "sent"
    assert studio.versions("crate") == []


def test_without_the_server_everything_waits_on(studio: Studio, library: Library) -> None:
    publish(library, "crate")
    studio.demo.__exit__(None, None, None)
    with pytest.raises(StagewrightError) as caught:
        run(library)
    assert caught.value.code == "server-down"
    assert len(waiting(library)) == 1
    studio.demo.__init__()  # type: ignore[misc]
    studio.demo.__enter__()


def sync_process(studio: Studio, library: Path, site: str) -> subprocess.Popen[str]:
    words = ["ayon", "sync", "--library", str(library), "--on-conflict", "renumber", "--json"]
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | studio.environment(site),
    )


def test_six_machines_from_two_roots_lose_nothing(studio: Studio, tmp_path: Path) -> None:
    made: dict[str, str] = {}
    libraries = [tmp_path / f"library {number}" for number in range(6)]
    for number, folder in enumerate(libraries):
        with Library.open(folder) as library:
            crate = publish(library, "crate", f"by {number}")
            shelf = publish(library, "shelf", f"by {number}", of=(crate,))
            made |= {crate.id: f"by {number}", shelf.id: f"by {number}"}
    racers = [
        sync_process(studio, folder, ("one", "two")[number % 2])
        for number, folder in enumerate(libraries)
    ]
    for racer in racers:
        out, _ = racer.communicate()
        last = json.loads(out.splitlines()[-1])
        states = [row["state"] for row in last.get("value", {}).get("rows", [])]
        assert states == ["sent", "sent"], last
        assert racer.returncode == 0
    for name in ("crate", "shelf"):
        versions = studio.versions(name)
        assert [each["version"] for each in versions] == sorted(
            each["version"] for each in versions
        )
        assert len({each["version"] for each in versions}) == len(versions) == 6
        for version in versions:
            by = made.pop(version["id"])
            stage = Usd.Stage.Open(str(studio.paths(version["id"])["usd"]))
            assert stage.GetDefaultPrim().GetAttribute("note").Get() == by
            assert (
                stage.GetDefaultPrim().GetAssetInfoByKey("version") == f"v{version['version']:03}"
            )
            part = stage.GetPrimAtPath("/shelf/part")
            assert not part or part.GetAttribute("note").Get() == by
    assert made == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and kills")
def test_a_sync_killed_before_any_step_goes_on_where_it_was(
    studio: Studio, library: Library
) -> None:
    publish(library, "crate", "first")  # which makes folders, too
    run(library)
    publish(library, "crate", "second")
    steps = []
    for event in sync(SyncOrder(library.root)):
        steps.append(getattr(event, "step", ""))
    for number, step in enumerate(sorted(set(steps) - {""}), 3):
        queued = publish(library, "crate", step)
        pid = os.fork()
        if pid == 0:
            try:
                for event in sync(SyncOrder(library.root)):
                    if getattr(event, "step", "") == step:
                        os.kill(os.getpid(), signal.SIGKILL)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL, step
        run(library)
        assert waiting(library) == []
        versions = studio.versions("crate")
        assert [each["version"] for each in versions] == list(range(1, number + 1)), step
        assert versions[-1]["id"] == queued.id
        stage = Usd.Stage.Open(str(studio.paths(queued.id)["usd"]))
        assert stage.GetDefaultPrim().GetAttribute("note").Get() == step
        folder = studio.paths(queued.id)["usd"].parent
        assert {each.name for each in folder.parent.iterdir()} == {
            f"v{each:03}" for each in range(1, number + 1)
        }
