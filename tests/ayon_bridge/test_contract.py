# SPDX-License-Identifier: GPL-3.0-or-later
"""What every home does alike: the library, the demo server, and a server of the studio's own.

The last is asked when AYON_SERVER_URL and the AYON_API_KEY of an admin are given:
projects and an artist of its own are made there, and taken away afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
from ayon_homes import Place

from stagewright.ayon_bridge.entities import Link, Version
from stagewright.ayon_bridge.home import Home
from stagewright.jobs.errors import StagewrightError

pytestmark = pytest.mark.contract


@pytest.fixture
def filled(place: Place) -> Home:
    """A home with two projects and a few folders and tasks."""
    home, show = place.home, place.show
    home.create_project(show, place.code)
    home.create_project(place.film, place.code + "2")
    assets = home.create_folder(show, "assets")
    chair = home.create_folder(show, "chair", "Asset", assets.id)
    home.create_folder(show, "lamp", "Asset", assets.id)
    home.create_task(show, "lookdev", "Lookdev", chair.id)
    home.create_task(show, "modeling", "Modeling", chair.id)
    home.create_folder(place.film, "assets")
    return home


def test_projects_are_told_apart(filled: Home, place: Place) -> None:
    names = [each.name for each in filled.get_projects()]
    assert [each for each in names if each in (place.show, place.film)] == [place.film, place.show]
    assert [each.path for each in filled.get_folders(place.film)] == ["/assets"]
    assert [each.path for each in filled.get_folders(place.show)] == [
        "/assets",
        "/assets/chair",
        "/assets/lamp",
    ]
    assert filled.get_project("none") is None


def test_every_filter_given_has_to_be_met(filled: Home, place: Place) -> None:
    (assets,) = filled.get_folders(place.show, folder_paths=["/assets"])
    children = filled.get_folders(place.show, parent_ids=[assets.id])
    assert [each.name for each in children] == ["chair", "lamp"]
    chair, lamp = children
    assert filled.get_folders(place.show, [chair.id, lamp.id], ["/assets/lamp", "/x"]) == [lamp]
    assert filled.get_folders(place.show, folder_ids=[]) == []
    assert filled.get_folders(place.film, folder_ids=[chair.id]) == []
    assert [each.name for each in filled.get_tasks(place.show, task_names=["lookdev"])] == [
        "lookdev"
    ]
    assert filled.get_tasks(place.show, folder_ids=[lamp.id]) == []


def test_a_folder_knows_its_path_and_type(filled: Home, place: Place) -> None:
    chair = filled.get_folder_by_path(place.show, "/assets/chair")
    assert chair is not None
    assert (chair.name, chair.folder_type) == ("chair", "Asset")
    assert filled.get_folder_by_path(place.show, "/assets/none") is None


def test_what_is_taken_in_another_case_is_taken(filled: Home, place: Place) -> None:
    (assets,) = filled.get_folders(place.show, folder_paths=["/assets"])
    chair = filled.get_folder_by_path(place.show, "/assets/chair")
    assert chair is not None
    for make in (
        lambda: filled.create_project(place.show.upper(), "other9x"),
        lambda: filled.create_project(place.show + "3", place.code.upper()),
        lambda: filled.create_folder(place.show, "Assets"),
        lambda: filled.create_folder(place.show, "CHAIR", "Asset", assets.id),
        lambda: filled.create_task(place.show, "LookDev", "Lookdev", chair.id),
    ):
        with pytest.raises(StagewrightError) as caught:
            make()
        assert caught.value.code == "name-taken"


def test_what_would_hang_in_the_air_is_refused(filled: Home, place: Place) -> None:
    for make in (
        lambda: filled.create_folder("none", "assets"),
        lambda: filled.create_folder(place.show, "chair", "Asset", "0" * 32),
        lambda: filled.create_task(place.show, "lookdev", "Lookdev", "0" * 32),
    ):
        with pytest.raises(StagewrightError) as caught:
            make()
        assert caught.value.code == "not-found"


def test_bad_names_are_refused(filled: Home, place: Place) -> None:
    for make in (
        lambda: filled.create_project("a b", "ab"),
        lambda: filled.create_project("ab", "a"),
        lambda: filled.create_folder(place.show, "a b"),
        lambda: filled.create_folder(place.show, "ab", "?"),
    ):
        with pytest.raises(StagewrightError) as caught:
            make()
        assert caught.value.code == "bad-name"


def test_a_publish_is_the_same_everywhere(
    place: Place, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    place.create_show()
    assets = place.home.create_folder(place.show, "assets")
    lantern = place.home.create_folder(place.show, "lantern", "Asset", assets.id)
    task = place.home.create_task(place.show, "lookdev", "Lookdev", lantern.id)

    def publish(content: str) -> Version:
        request = child.make_request(content, project_name=place.show, comment="Warmer")
        job = child.publish(place.artist, request, sources)
        while True:
            try:
                next(job)
            except StopIteration as stop:
                return stop.value

    first, again, second = publish("a"), publish("a"), publish("b")
    assert again.id == first.id
    product = place.artist.get_product_by_name(place.show, "usdMain", lantern.id)
    assert product is not None and product.product_type == "usd"
    stored = place.artist.get_versions(place.show, product_ids=[product.id])
    assert [(each.id, each.version) for each in stored] == [(first.id, 1), (second.id, 2)]
    assert [each.data["contentHash"] for each in stored] == ["a", "b"]
    assert {each.task_id for each in stored} == {task.id}
    assert stored[1].attrib["comment"] == "Warmer"
    last = place.artist.get_last_version_by_product_id(place.show, product.id)
    assert last is not None and last.id == second.id
    (usd,) = place.artist.get_representations(place.show, version_ids=[second.id])
    folder = place.storage / place.show / "assets/lantern/publish/usd/usdMain/v002"
    assert Path(usd.attrib["path"]) == folder / f"{place.code}_lantern_usdMain_v002.usda"
    assert usd.data["context"]["product"]["name"] == "usdMain"
    for file in usd.files:
        path = Path(file.path.replace("{root[work]}", str(place.storage)))
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.hash
        assert path.stat().st_size == file.size
    picture = place.artist.get_thumbnail(place.show, "version", second.id)
    assert picture is not None and picture.content == b"\x89PNG\r\n\x1a\n"


def published(place: Place, child: ModuleType, sources: Mapping[str, Path]) -> list[Version]:
    """Three versions of one product: the third one made with the first."""
    place.create_show()
    assets = place.home.create_folder(place.show, "assets")
    lantern = place.home.create_folder(place.show, "lantern", "Asset", assets.id)
    place.home.create_task(place.show, "lookdev", "Lookdev", lantern.id)
    made: list[Version] = []
    for content, comment in (("a", "Warmer"), ("b", ""), ("c", "Übel & <kühl>")):
        data = {"inputVersionIds": [made[0].id]} if content == "c" else {}
        request = child.make_request(content, project_name=place.show, comment=comment, data=data)
        job = child.publish(place.artist, request, sources)
        while True:
            try:
                next(job)
            except StopIteration as stop:
                made.append(stop.value)
                break
    return made


def test_what_a_version_is_made_of_is_found_from_both_ends(
    place: Place, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    first, second, third = published(place, child, sources)
    link = Link(first.id, third.id)
    ask = place.artist.get_versions_links
    assert ask(place.show, [third.id]) == ask(place.show, [first.id]) == [link]
    assert ask(place.show, [first.id, second.id, third.id]) == [link]
    assert ask(place.show, [second.id]) == ask(place.show, []) == []


def test_comments_are_told_oldest_first(
    place: Place, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    made = published(place, child, sources)
    found = place.artist.get_comments(place.show, [each.id for each in made])
    assert [(each.version_id, each.body) for each in found] == [
        (made[0].id, "Warmer"),
        (made[2].id, "Übel & <kühl>"),
    ]
    assert all(each.author and each.created_at[:2] == "20" for each in found)
    assert place.artist.get_comments(place.show, [made[1].id]) == []


def test_the_newest_version_of_every_product(
    place: Place, child: ModuleType, sources: Mapping[str, Path]
) -> None:
    made = published(place, child, sources)
    key = made[0].product_id
    newest = place.artist.get_last_versions(place.show)
    assert {product: each.id for product, each in newest.items()} == {key: made[2].id}
    assert place.artist.get_last_versions(place.show, [key]).keys() == {key}
    assert place.artist.get_last_versions(place.show, []) == {}


def test_workfiles_are_entered_once_and_found_by_their_task(place: Place) -> None:
    place.create_show()
    chair = place.home.create_folder(place.show, "chair", "Asset")
    tasks = [place.home.create_task(place.show, n, "Generic", chair.id) for n in ("a", "b")]
    templates = place.artist.work_anatomy(place.show)
    values = {
        "root": {"work": "{root[work]}"},
        "project": {"name": place.show, "code": place.code},
        "hierarchy": "",
        "folder": {"name": "chair"},
        "task": {"name": "a"},
        "version": 3,
        "ext": "blend",
    }
    path = templates.fill_path(values).text
    assert path == f"{{root[work]}}/{place.show}/chair/work/a/{place.code}_chair_a_v003.blend"
    attrib = {"extension": "blend", "description": "Blocked out"}
    enter = place.artist.create_workfile_entity
    made = enter(place.show, path, tasks[0].id, attrib, {"version": 3}, "ann")
    assert place.artist.get_workfiles_info(place.show, task_ids=[tasks[0].id]) == [made]
    assert place.artist.get_workfiles_info(place.show, paths=[path]) == [made]
    assert place.artist.get_workfiles_info(place.show, task_ids=[tasks[1].id]) == []
    assert (made.path, made.data["version"], made.attrib["description"]) == (
        path,
        3,
        "Blocked out",
    )
    assert made.created_by
    for code, task in (("name-taken", tasks[0].id), ("not-found", "0" * 32)):
        with pytest.raises(StagewrightError) as caught:
            enter(place.show, path if code == "name-taken" else f"{path}x", task, {}, {}, "ann")
        assert caught.value.code == code


def test_roots_are_folders_of_this_machine(place: Place) -> None:
    place.create_show()
    assert place.artist.roots(place.show)["work"] == place.storage.as_posix()
