# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as an AYON server accepts them."""

from __future__ import annotations

import pytest

from stagewright.ayon_bridge.names import (
    check_name,
    check_project_code,
    check_project_name,
    check_same_case,
    check_type_name,
    clean_name,
    folder_names,
)
from stagewright.jobs.errors import StagewrightError


@pytest.mark.parametrize("name", ["chair", "usdMain", "_a", "a", "1", "a.b-c_d", "sh_010"])
def test_names_that_a_server_takes_pass(name: str) -> None:
    check_name("product", name)


@pytest.mark.parametrize(
    "name", ["", "my chair", "a/b", "stühle", "-a", "a-", ".a", "a.", "a\n", "a:b", "..", "椅子"]
)
def test_names_that_a_server_refuses_are_refused_by_name(name: str) -> None:
    with pytest.raises(StagewrightError) as caught:
        check_name("product", name)
    assert caught.value.code == "bad-name"
    assert caught.value.message == f'AYON refuses the product name "{name}".'
    assert caught.value.cure


@pytest.mark.parametrize("text", ["my chair", "stühle.", "-a-", "Old lamp!", "a/b\\c"])
def test_a_suggested_name_is_accepted(text: str) -> None:
    with pytest.raises(StagewrightError, match=clean_name(text)):
        check_name("product", text)
    check_name("product", clean_name(text))


@pytest.mark.parametrize("name", ["my-show", "show.2", "a b", "", "a\n"])
def test_project_names_take_no_dot_and_no_hyphen(name: str) -> None:
    check_project_name("my_show")
    with pytest.raises(StagewrightError, match="project"):
        check_project_name(name)


@pytest.mark.parametrize("code", ["a", "", "a-b", "ab\n"])
def test_project_codes_have_two_characters_at_least(code: str) -> None:
    check_project_code("ab")
    with pytest.raises(StagewrightError, match="project code"):
        check_project_code(code)


def test_type_names_may_hold_spaces_inside() -> None:
    check_type_name("task type", "Look Dev")
    with pytest.raises(StagewrightError, match="task type"):
        check_type_name("task type", " Look")


def test_a_folder_path_is_split_into_its_names() -> None:
    assert folder_names("/assets/props/chair") == ["assets", "props", "chair"]
    assert folder_names("/chair") == ["chair"]


@pytest.mark.parametrize("path", ["", "/", "assets/chair", "//chair", "/assets/", "/a b/chair"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(StagewrightError) as caught:
        folder_names(path)
    assert caught.value.code == "bad-name"


def test_names_that_differ_in_case_alone_are_refused() -> None:
    check_same_case("product", "usdMain", "usdMain")
    with pytest.raises(StagewrightError, match='"usdmain".*"usdMain"'):
        check_same_case("product", "usdmain", "usdMain")
