# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing into the library: what comes of it, and what is left when it fails."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest

from stagewright.ayon_bridge.entities import Folder, Product, Project, Task, Version
from stagewright.ayon_bridge.home import Home, Publication, RepresentationFiles
from stagewright.ayon_bridge.library import Library
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Event, Job, Message, Progress

T = TypeVar("T")
Publish = Callable[..., Version]


def value_of(job: Job[T], events: list[Event] | None = None) -> T:
    while True:
        try:
            event = next(job)
        except StopIteration as stop:
            return stop.value
        if events is not None:
            events.append(event)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the database and the locks' guard, with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("stagewright.db", "guard")
    }


@pytest.fixture
def publish(library: Library, child: ModuleType, sources: Mapping[str, Path]) -> Publish:
    """Publish the sources: publish(content, **what differs in the request)."""

    def run(content: str = "content", **changes: object) -> Version:
        return value_of(child.publish(library, child.make_request(content, **changes), sources))

    return run


def test_a_version_lies_where_ayon_would_put_it(library: Library, publish: Publish) -> None:
    version = publish()
    folder = library.root / "show/assets/lantern/publish/usd/usdMain/v001"
    assert version.name == "v001"
    assert sorted(tree(folder)) == [
        ".stagewright.json",
        "lantern_geometry.usdc",
        "lantern_textures/wood.png",
        "shw_lantern_usdMain_v001.usda",
        "thumbnail.png",
    ]
    assert [each.name for each in folder.parent.iterdir()] == ["v001"]
    assert value_of(library.verify()) == []


def test_the_entities_are_those_of_a_publish_by_ayon(library: Library, publish: Publish) -> None:
    version = publish(comment="first", attrib={"fps": 24.0}, data={"host_name": "blender"})
    (representation,) = library.get_representations("show", version_ids=[version.id])
    project = library.get_project("show")
    folder = library.get_folder_by_path("show", "/assets/lantern")
    assert project is not None and folder is not None
    (task,) = library.get_tasks("show", folder_ids=[folder.id])
    product = library.get_product_by_name("show", "usdMain", folder.id)
    assert product is not None
    parent = library.get_folder_by_path("show", "/assets")
    assert parent is not None
    assert (parent.folder_type, folder.folder_type) == ("Folder", "Asset")
    assert folder.parent_id == parent.id
    assert (version.product_id, version.task_id) == (product.id, task.id)
    assert version.attrib == {"families": ["usd"], "comment": "first", "fps": 24.0}
    assert version.data == {"contentHash": "content", "host_name": "blender"}
    assert representation.attrib == {
        "path": f"{library.root.as_posix()}/show/assets/lantern/publish/usd/usdMain/v001"
        "/shw_lantern_usdMain_v001.usda",
        "template": "{root[work]}/{project[name]}/{hierarchy}/{folder[name]}/publish"
        "/{product[type]}/{product[name]}/v{version:0>3}/{project[code]}_{folder[name]}"
        "_{product[name]}_v{version:0>3}<_{output}><.{frame:0>4}><_{udim}>.{ext}",
    }
    assert representation.data["context"] == {
        "root": {"work": library.root.as_posix()},
        "project": {"name": "show", "code": "shw"},
        "hierarchy": "assets",
        "folder": {"name": "lantern", "type": "Asset", "path": "/assets/lantern"},
        "task": {"name": "lookdev", "type": "Generic"},
        "product": {"name": "usdMain", "type": "usd"},
        "version": 1,
        "representation": "usd",
        "ext": "usda",
        "username": "artist",
        "user": {"name": "artist"},
    }


def test_every_file_is_listed_with_its_size_and_hash(library: Library, publish: Publish) -> None:
    version = publish()
    (representation,) = library.get_representations("show", version_ids=[version.id])
    root = "{root[work]}/show/assets/lantern/publish/usd/usdMain/v001/"
    listed = {each.path.removeprefix(root): each for each in representation.files}
    content = tree(library.root / "show/assets/lantern/publish/usd/usdMain/v001")
    assert list(listed)[0] == "shw_lantern_usdMain_v001.usda"
    assert set(listed) == set(content) - {".stagewright.json", "thumbnail.png"}
    for name, file in listed.items():
        assert file.size == len(content[name])
        assert file.hash == hashlib.sha256(content[name]).hexdigest()
        assert file.hash_type == "sha256"


def test_the_ids_known_before_are_those_in_the_database(
    library: Library, child: ModuleType, publish: Publish
) -> None:
    version = publish()
    (root,) = library.root.rglob("*_v001.usda")
    assert f"# v001 {version.id}" in root.read_text()
    publication = library.publication(child.make_request("other"))
    with closing(publication):
        value_of(publication.open())
        ids = publication.ids
    assert ids.product == version.product_id
    assert ids.task == version.task_id
    assert library.get_folders("show", folder_ids=[ids.folder])[0].path == "/assets/lantern"
    assert ids.project == "show"


def test_the_thumbnail_of_a_version_can_be_had(library: Library, publish: Publish) -> None:
    version = publish()
    picture = library.get_thumbnail("show", "version", version.id)
    assert picture is not None
    assert (picture.content_type, picture.content) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert library.get_thumbnail("show", "version", "0" * 32) is None


def test_versions_count_up_and_leave_earlier_ones_as_they_are(
    library: Library, publish: Publish
) -> None:
    first = publish("a")
    before = tree(library.root)
    assert [publish(content).version for content in "bc"] == [2, 3]
    assert {name: tree(library.root)[name] for name in before} == before
    assert [each.version for each in library.get_versions("show")] == [1, 2, 3]
    last = library.get_last_version_by_product_id("show", first.product_id)
    assert last is not None and last.version == 3


def test_nothing_changed_is_noticed(library: Library, publish: Publish) -> None:
    first = publish("same")
    before = tree(library.root)
    assert publish("same") == first
    assert tree(library.root) == before


def test_force_publishes_what_did_not_change(publish: Publish) -> None:
    assert [publish("same", force=True).version for _ in range(2)] == [1, 2]


def test_a_return_to_earlier_content_is_a_change(publish: Publish) -> None:
    assert [publish(content).version for content in ("a", "b", "a")] == [1, 2, 3]


def test_a_version_that_lost_its_files_is_published_anew(
    library: Library, publish: Publish
) -> None:
    publish("same")
    shutil.rmtree(library.root / "show/assets/lantern/publish/usd/usdMain/v001")
    assert publish("same").version == 2


def test_a_number_that_a_folder_has_taken_is_not_used_again(
    library: Library, publish: Publish
) -> None:
    foreign = library.root / "show/assets/lantern/publish/usd/usdMain/v007"
    foreign.mkdir(parents=True)
    (foreign / "notes.txt").write_text("mine")
    assert publish().version == 8
    assert (foreign / "notes.txt").read_text() == "mine"


def test_a_library_can_be_moved(
    library: Library, child: ModuleType, sources: Mapping[str, Path], publish: Publish
) -> None:
    publish("a")
    library.close()
    moved = library.root.rename(library.root.with_name("moved"))
    with Library.open(moved) as there:
        assert value_of(there.verify()) == []
        (representation,) = there.get_representations("show")
        assert Path(representation.attrib["path"]).is_file()
        version = value_of(child.publish(there, child.make_request("b"), sources))
        assert version.version == 2


def test_a_folder_below_the_project_itself_needs_no_hierarchy(
    library: Library, publish: Publish
) -> None:
    publish(folder_path="/lantern")
    assert (library.root / "show/lantern/publish/usd/usdMain/v001").is_dir()
    assert value_of(library.verify()) == []


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"project_name": "SHOW"}, "name-differs-in-case", '"SHOW"'),
        ({"project_name": "other"}, "name-taken", '"shw"'),
        ({"folder_path": "/Assets/lantern"}, "name-differs-in-case", '"/Assets"'),
        ({"product_name": "usdmain"}, "name-differs-in-case", '"usdmain"'),
        ({"task_name": "LookDev"}, "name-differs-in-case", '"LookDev"'),
        ({"product_type": "model"}, "product-type-differs", '"model"'),
    ],
)
def test_what_ayon_would_refuse_is_refused_and_changes_nothing(
    library: Library, publish: Publish, changes: dict[str, str], code: str, named: str
) -> None:
    publish("a")
    before = tree(library.root)
    rows = entities(library)
    with pytest.raises(StagewrightError) as caught:
        publish("b", **changes)
    assert caught.value.code == code
    assert named in caught.value.message
    assert tree(library.root) == before
    assert entities(library) == rows


@pytest.mark.parametrize(
    "changes",
    [
        {"project_name": "my show"},
        {"project_code": "s"},
        {"folder_path": "/assets/my chair"},
        {"product_name": "größe"},
        {"task_name": "look dev"},
        {"product_type": "a/b"},
    ],
)
def test_a_bad_name_is_refused_before_anything_is_touched(
    child: ModuleType, changes: dict[str, str]
) -> None:
    with pytest.raises(StagewrightError) as caught:
        child.make_request("a", **changes)
    assert caught.value.code == "bad-name"


def entities(library: Library) -> list[object]:
    kinds = (Project, Folder, Task, Product, Version)
    return [each for kind in kinds for each in library.select(kind, "1")]


def steps_of(job: Job[object]) -> int:
    events: list[Event] = []
    value_of(job, events)
    return len(events)


def test_a_publish_cancelled_at_any_step_leaves_nothing(
    tmp_path: Path, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    with Library.open(tmp_path / "dry") as library:
        steps = steps_of(child.publish(library, child.make_request(), sources))
    for count in range(1, steps):  # the last step comes after the version
        with Library.open(tmp_path / f"at {count}") as library:
            job = child.publish(library, child.make_request(), sources)
            for _ in range(count):
                next(job)
            job.close()
            assert tree(library.root) == {}
            assert not (library.root / "show").exists()
            assert entities(library) == []
            assert value_of(library.verify()) == []


def test_a_later_publish_cancelled_at_any_step_leaves_the_earlier_version(
    library: Library, child: ModuleType, sources: Mapping[str, Path], publish: Publish
) -> None:
    publish("a")
    before, rows = tree(library.root), entities(library)
    count = 0
    while True:
        count += 1
        job = child.publish(library, child.make_request("b"), sources)
        events = [next(job) for _ in range(count)]
        job.close()
        if isinstance(events[-1], Progress) and events[-1].step == "library.unlock":
            break
        assert tree(library.root) == before
        assert entities(library) == rows
    assert len(library.get_versions("show")) == 2
    assert value_of(library.verify()) == []


def test_a_missing_source_is_named_and_leaves_nothing(
    library: Library, sources: dict[str, Path], publish: Publish
) -> None:
    missing = sources["lantern_textures/wood.png"]
    missing.unlink()
    with pytest.raises(StagewrightError) as caught:
        publish()
    assert caught.value.code == "missing-file"
    assert str(missing) in caught.value.message
    assert not (library.root / "show").exists()


def test_a_representation_of_files_that_are_not_staged_is_refused(
    library: Library, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    publication = library.publication(child.make_request())
    with pytest.raises(StagewrightError) as caught, closing(publication):
        value_of(publication.open())
        value_of(publication.stage({publication.root_name: sources["root"]}))
        usd = RepresentationFiles(
            name="usd", main=publication.root_name, files=(publication.root_name, "no.usda")
        )
        value_of(publication.commit([usd]))
    assert caught.value.code == "missing-file"
    assert not (library.root / "show").exists()


@pytest.mark.parametrize("name", ["../out", "/out", "a//b", "a\\b", "C:out", "", ".", "a/.."])
def test_a_file_name_that_leads_elsewhere_is_refused(
    library: Library, child: ModuleType, sources: Mapping[str, Path], name: str
) -> None:
    publication = library.publication(child.make_request())
    with pytest.raises(ValueError), closing(publication):
        value_of(publication.open())
        value_of(publication.stage({name: sources["root"]}))


def test_a_second_representation_is_told_apart_by_its_output(
    library: Library, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    publication = library.publication(child.make_request())
    with closing(publication):
        value_of(publication.open())
        root, report = publication.root_name, publication.file_name("html", "report")
        value_of(publication.stage({root: sources["root"], report: sources["root"]}))
        version = value_of(
            publication.commit(
                [
                    RepresentationFiles(name="usd", main=root, files=[root]),
                    RepresentationFiles(
                        name="report", main=report, files=[report], output="report"
                    ),
                ]
            )
        )
    found = library.get_representations("show", representation_names=["report"])
    assert found[0].version_id == version.id
    assert found[0].attrib["path"].endswith("/v001/shw_lantern_usdMain_v001_report.html")
    assert found[0].data["context"]["output"] == "report"


def test_a_broken_lock_ends_the_publish_that_held_it(
    library: Library, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    slow = child.publish(library, child.make_request("slow"), sources)
    while not any(isinstance(event, Progress) and event.step == "test.stamp" for event in slow):
        pass
    quick = child.publish(library, child.make_request("quick"), sources, break_lock=True)
    version = value_of(quick)
    with pytest.raises(StagewrightError):
        value_of(slow)
    assert library.get_versions("show") == [version]
    assert value_of(library.verify()) == []


def test_a_lock_broken_before_the_end_is_named(
    library: Library, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    job = child.publish(library, child.make_request(), sources)
    while next(job).step != "library.sync":
        pass
    (lock,) = (library.root / ".stagewright/locks").glob("*/holder.json")
    shutil.rmtree(lock.parent)
    with pytest.raises(StagewrightError) as caught:
        value_of(job)
    assert caught.value.code == "library-lock-lost"
    assert library.get_versions("show") == []


def test_a_finished_version_without_rows_is_entered_by_the_next_publish(
    library: Library, child: ModuleType, sources: Mapping[str, Path], publish: Publish
) -> None:
    published = publish("a")
    for table in ("representations", "versions", "thumbnails"):
        library.connection.execute(f"DELETE FROM {table}")
    assert [each.kind for each in value_of(library.verify())] == ["unknown-version"]
    events: list[Event] = []
    again = value_of(child.publish(library, child.make_request("a"), sources), events)
    assert again == published
    assert any(isinstance(event, Message) and "completed" in event.text for event in events)
    assert value_of(library.verify()) == []


def test_a_damaged_version_without_rows_is_not_entered(
    library: Library, child: ModuleType, sources: Mapping[str, Path], publish: Publish
) -> None:
    publish("a")
    for table in ("representations", "versions", "thumbnails"):
        library.connection.execute(f"DELETE FROM {table}")
    (texture,) = library.root.rglob("wood.png")
    texture.write_bytes(b"changed")
    events: list[Event] = []
    version = value_of(child.publish(library, child.make_request("a"), sources), events)
    assert version.version == 2
    assert any(isinstance(each, Message) and "wood.png" in each.text for each in events)


def test_verify_names_what_does_not_agree(library: Library, publish: Publish) -> None:
    publish("a")
    (texture,) = library.root.rglob("wood.png")
    (geometry,) = library.root.rglob("*.usdc")
    (picture,) = library.root.rglob("thumbnail.png")
    texture.unlink()
    content = bytearray(geometry.read_bytes())
    content[0] ^= 1
    geometry.write_bytes(content)
    picture.write_bytes(b"longer than before")
    product = library.root / "show/assets/lantern/publish/usd/usdMain"
    (product / f".v002.staging-{'0' * 8}").mkdir()
    (product / "v003").mkdir()
    found = {(each.kind, each.path) for each in value_of(library.verify())}
    assert found == {
        ("wrong-file", texture),
        ("wrong-file", geometry),
        ("wrong-file", picture),
        ("leftover", product / f".v002.staging-{'0' * 8}"),
        ("leftover", product / "v003"),
    }


def test_a_library_is_a_home_and_its_publication_too(library: Library, child: ModuleType) -> None:
    home: Home = library  # also checked by the type checker
    publication: Publication = home.publication(child.make_request())
    for interface, instance in ((Home, library), (Publication, publication)):
        names = [name for name in vars(interface) if not name.startswith("_")]
        assert names
        assert set(names) <= set(dir(instance))


needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="no file size limit on Windows")

LIMITED = """
import resource, sys
from pathlib import Path
import importlib.util
spec = importlib.util.spec_from_file_location("child", sys.argv[1])
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
folder = Path(sys.argv[2])
sources = child.make_sources(folder)
with child.Library.open(folder / "library") as library:
    for _ in child.publish(library, child.make_request("a"), sources):
        pass
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    try:
        for _ in child.publish(library, child.make_request("b"), sources):
            pass
    except child.StagewrightError as error:
        print(error.code, error)
"""


@needs_posix
@pytest.mark.parametrize("limit", [1, 100, 5000])
def test_a_drive_that_takes_no_more_is_named_and_nothing_is_half_written(
    tmp_path: Path, limit: int
) -> None:
    child = Path(__file__).with_name("child.py")
    limited = subprocess.run(
        [sys.executable, "-c", LIMITED, child, tmp_path, str(limit)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert limited.stdout.split(" ")[0] in ("file-too-large", "file-error", "disk-full")
    assert str(tmp_path / "library") in limited.stdout
    with Library.open(tmp_path / "library") as library:
        assert [each.version for each in library.get_versions("show")] == [1]
        assert value_of(library.verify()) == []
    assert not list((tmp_path / "library").rglob(".v*"))


@pytest.fixture
def small_drive(tmp_path: Path) -> Iterator[Path]:
    """A drive of 1 MB."""
    folder = tmp_path / "drive"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("mounting a small drive is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_drive_is_named_and_nothing_is_half_written(
    small_drive: Path, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    codes = set()
    with Library.open(small_drive / "library") as library:
        value_of(child.publish(library, child.make_request("first"), sources))
        before = tree(library.root)
        for pages in range(0, 24):
            ballast = small_drive / "ballast"
            with ballast.open("wb") as file:
                size = os.statvfs(small_drive).f_bavail - pages
                file.write(bytes(max(0, size) * os.statvfs(small_drive).f_bsize))
            try:
                value_of(child.publish(library, child.make_request("second"), sources))
                codes.add("published")
            except StagewrightError as error:
                codes.add(error.code)
                assert str(library.root) in error.message
                assert tree(library.root) == before
            ballast.unlink()
            assert value_of(library.verify()) == []
    assert codes == {"disk-full", "published"}


@pytest.mark.skipif(sys.platform == "win32", reason="permissions differ on Windows")
def test_a_library_that_may_not_be_written_is_named(
    small_drive: Path, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    with Library.open(small_drive / "library") as library:
        value_of(child.publish(library, child.make_request("a"), sources))
    subprocess.run(["mount", "-o", "remount,ro", str(small_drive)], check=True)
    with Library.open(small_drive / "library") as library:
        with pytest.raises(StagewrightError) as caught:
            value_of(child.publish(library, child.make_request("b"), sources))
        assert caught.value.code == "unwritable"
        assert [each.version for each in library.get_versions("show")] == [1]
        assert value_of(library.verify()) == []
    with pytest.raises(StagewrightError) as caught:
        Library.open(small_drive / "another")
    assert caught.value.code == "unwritable"
    assert "another" in caught.value.message


def test_projects_without_a_code_get_free_ones(library: Library, publish: Publish) -> None:
    for name in ("show_2025_ep1", "show_2025_ep2", "x", "_"):
        publish(project_name=name, project_code="")
    codes = {each.name: each.code for each in library.get_projects()}
    assert codes == {
        "show_2025_ep1": "show2025ep",
        "show_2025_ep2": "show2025ep2",
        "x": "prx",
        "_": "pr",
    }


def test_a_locked_product_is_refused_before_the_work(library: Library, child: ModuleType) -> None:
    request = child.make_request()
    early = library.publication(request)
    early.refuse_early()
    with closing(library.publication(request)) as other:
        value_of(other.open())
        with pytest.raises(StagewrightError) as caught:
            early.refuse_early()
        library.publication(request, break_lock=True).refuse_early()
    assert caught.value.code == "library-locked"
    early.refuse_early()
