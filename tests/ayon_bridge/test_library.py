# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the library for entities, and making them."""

from __future__ import annotations

import pytest

from stagewright.ayon_bridge.library import Library
from stagewright.jobs.errors import StagewrightError


@pytest.fixture
def filled(library: Library) -> Library:
    """A library with two projects and a few folders and tasks."""
    library.create_project("show", "shw")
    library.create_project("film", "flm")
    assets = library.create_folder("show", "assets")
    chair = library.create_folder("show", "chair", "Asset", assets.id)
    library.create_folder("show", "lamp", "Asset", assets.id)
    library.create_task("show", "lookdev", "Look Dev", chair.id)
    library.create_task("show", "modeling", "Modeling", chair.id)
    library.create_folder("film", "assets")
    return library


def test_projects_are_told_apart(filled: Library) -> None:
    assert [each.name for each in filled.get_projects()] == ["film", "show"]
    assert [each.path for each in filled.get_folders("film")] == ["/assets"]
    assert [each.path for each in filled.get_folders("show")] == [
        "/assets",
        "/assets/chair",
        "/assets/lamp",
    ]
    assert filled.get_project("none") is None


def test_every_filter_given_has_to_be_met(filled: Library) -> None:
    (assets,) = filled.get_folders("show", folder_paths=["/assets"])
    children = filled.get_folders("show", parent_ids=[assets.id])
    assert [each.name for each in children] == ["chair", "lamp"]
    chair, lamp = children
    assert filled.get_folders("show", [chair.id, lamp.id], ["/assets/lamp", "/x"]) == [lamp]
    assert filled.get_folders("show", folder_ids=[]) == []
    assert filled.get_folders("film", folder_ids=[chair.id]) == []
    assert [each.name for each in filled.get_tasks("show", task_names=["lookdev"])] == ["lookdev"]
    assert filled.get_tasks("show", folder_ids=[lamp.id]) == []


def test_a_folder_knows_its_path_and_type(filled: Library) -> None:
    chair = filled.get_folder_by_path("show", "/assets/chair")
    assert chair is not None
    assert (chair.name, chair.folder_type) == ("chair", "Asset")
    assert filled.get_folder_by_path("show", "/assets/none") is None


def test_what_is_taken_in_another_case_is_taken(filled: Library) -> None:
    (assets,) = filled.get_folders("show", folder_paths=["/assets"])
    chair = filled.get_folder_by_path("show", "/assets/chair")
    assert chair is not None
    for make in (
        lambda: filled.create_project("SHOW", "other"),
        lambda: filled.create_project("other", "SHW"),
        lambda: filled.create_folder("show", "Assets"),
        lambda: filled.create_folder("show", "CHAIR", "Asset", assets.id),
        lambda: filled.create_task("show", "LookDev", "Look Dev", chair.id),
    ):
        with pytest.raises(StagewrightError) as caught:
            make()
        assert caught.value.code == "name-taken"


def test_what_would_hang_in_the_air_is_refused(filled: Library) -> None:
    for make in (
        lambda: filled.create_folder("none", "assets"),
        lambda: filled.create_folder("show", "chair", "Asset", "0" * 32),
        lambda: filled.create_task("show", "lookdev", "Look Dev", "0" * 32),
    ):
        with pytest.raises(StagewrightError) as caught:
            make()
        assert caught.value.code == "not-found"


def test_bad_names_are_refused(filled: Library) -> None:
    for make in (
        lambda: filled.create_project("a b", "ab"),
        lambda: filled.create_project("ab", "a"),
        lambda: filled.create_folder("show", "a b"),
        lambda: filled.create_folder("show", "ab", "?"),
    ):
        with pytest.raises(StagewrightError) as caught:
            make()
        assert caught.value.code == "bad-name"
