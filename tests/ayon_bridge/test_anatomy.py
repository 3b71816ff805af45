# SPDX-License-Identifier: GPL-3.0-or-later
"""Anatomy templates, against strings written by hand and ones that AYON made."""

from __future__ import annotations

from typing import Any

import pytest

from stagewright.ayon_bridge.anatomy import DEFAULT_ANATOMY, expand, fill
from stagewright.jobs.errors import StagewrightError

VALUES: dict[str, Any] = {
    "root": {"work": "/srv/work"},
    "project": {"name": "sw_test", "code": "swt"},
    "hierarchy": "assets",
    "folder": {"name": "chair"},
    "product": {"name": "usdMain", "type": "usd"},
    "version": 3,
    "ext": "usdc",
}


def test_the_default_publish_path_is_the_one_that_ayon_makes() -> None:
    filled = DEFAULT_ANATOMY.fill_path(VALUES)
    assert filled.text == (
        "/srv/work/sw_test/assets/chair/publish/usd/usdMain/v003/swt_chair_usdMain_v003.usdc"
    )
    assert filled.used == VALUES


@pytest.mark.parametrize(
    ("more", "tail"),
    [
        ({"output": "b", "frame": 7}, "_b.0007.usdc"),
        ({"frame": 7}, ".0007.usdc"),
        ({"udim": 1001}, "_1001.usdc"),
        ({"output": None}, ".usdc"),
        ({"output": "h264"}, "_h264.usdc"),
        ({"frame": 12345}, ".12345.usdc"),
    ],
)
def test_optional_groups_come_and_go_with_their_values(more: dict[str, Any], tail: str) -> None:
    assert DEFAULT_ANATOMY.fill_file(VALUES | more) == f"swt_chair_usdMain_v003{tail}"


def test_the_stored_template_has_its_references_expanded() -> None:
    assert DEFAULT_ANATOMY.path == (
        "{root[work]}/{project[name]}/{hierarchy}/{folder[name]}"
        "/publish/{product[type]}/{product[name]}/v{version:0>3}"
        "/{project[code]}_{folder[name]}_{product[name]}_v{version:0>3}"
        "<_{output}><.{frame:0>4}><_{udim}>.{ext}"
    )


def test_an_empty_hierarchy_leaves_no_double_slash() -> None:
    directory = DEFAULT_ANATOMY.fill_directory(VALUES | {"hierarchy": ""})
    assert directory == "/srv/work/sw_test/chair/publish/usd/usdMain/v003"


def test_the_two_slashes_of_a_network_share_stay() -> None:
    values = VALUES | {"hierarchy": "", "root": {"work": "//server/share"}}
    directory = DEFAULT_ANATOMY.fill_directory(values)
    assert directory == "//server/share/sw_test/chair/publish/usd/usdMain/v003"


def test_a_rootless_path_comes_from_a_root_that_names_itself() -> None:
    values = VALUES | {"root": {"work": "{root[work]}"}}
    assert DEFAULT_ANATOMY.fill_directory(values).startswith("{root[work]}/sw_test/assets/")


def test_a_missing_key_is_named_with_its_template() -> None:
    with pytest.raises(StagewrightError) as caught:
        fill("{project[name]}/{shot}", VALUES)
    assert caught.value.code == "bad-template"
    assert '"{project[name]}/{shot}"' in caught.value.message
    assert '"{shot}"' in caught.value.message


def test_used_values_leave_out_dropped_groups_and_unused_keys() -> None:
    filled = fill("{folder[name]}<_{output}.{project[code]}>", VALUES)
    assert filled.text == "chair"
    assert filled.used == {"folder": {"name": "chair"}}


def test_groups_nest() -> None:
    template = "a<b{output}<c{frame}>>"
    assert fill(template, {}).text == "a"
    assert fill(template, {"output": 1}).text == "ab1"
    assert fill(template, {"output": 1, "frame": 2}).text == "ab1c2"
    assert fill(template, {"frame": 2}).text == "a"


def test_zero_is_a_value() -> None:
    assert fill("v{version:0>3}<_{take}>", {"version": 0, "take": 0}).text == "v000_0"


@pytest.mark.parametrize(
    "template", ["{a", "a}", "<a", "a>", "{a b}", "{a[}", "{}", "{name:0>x}", "{name:d}"]
)
def test_a_template_that_cannot_be_read_is_named(template: str) -> None:
    with pytest.raises(StagewrightError) as caught:
        fill(template, {"a": 1, "name": "text"})
    assert caught.value.code == "bad-template"
    assert template in caught.value.message


def test_references_resolve_through_one_another() -> None:
    common = {"a": "<{@b}>", "b": "{@c}{@c}", "c": "x"}
    assert expand("{@a}/{@b}", common) == "<xx>/xx"


@pytest.mark.parametrize("common", [{"a": "{@a}"}, {"a": "{@b}", "b": "{@a}"}, {"a": "{@zzz}"}])
def test_a_reference_in_a_circle_or_to_nothing_is_refused(common: dict[str, str]) -> None:
    with pytest.raises(StagewrightError) as caught:
        expand("{@a}", common)
    assert caught.value.code == "bad-template"
