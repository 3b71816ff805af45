# SPDX-License-Identifier: GPL-3.0-or-later
"""Entities under AYON's field names."""

from __future__ import annotations

import json

from stagewright.ayon_bridge.entities import (
    FileInfo,
    Folder,
    Representation,
    Version,
    from_ayon,
    new_id,
    to_ayon,
)

FILE = FileInfo(id="f" * 32, name="a.usda", path="{root[work]}/a.usda", size=3, hash="ab")
REPRESENTATION = Representation(
    project_name="show", id="1" * 32, name="usd", version_id="2" * 32, files=(FILE,), created_at="t"
)


def test_fields_have_the_names_that_a_server_gives_them() -> None:
    assert to_ayon(REPRESENTATION) == {
        "projectName": "show",
        "attrib": {},
        "data": {},
        "createdAt": "t",
        "id": "1" * 32,
        "name": "usd",
        "versionId": "2" * 32,
        "files": [
            {
                "id": "f" * 32,
                "name": "a.usda",
                "path": "{root[work]}/a.usda",
                "size": 3,
                "hash": "ab",
                "hashType": "sha256",
            }
        ],
    }


def test_an_entity_survives_the_way_through_json() -> None:
    text = json.dumps(to_ayon(REPRESENTATION))
    assert from_ayon(Representation, json.loads(text)) == REPRESENTATION


def test_fields_of_a_server_that_are_not_known_here_are_left_out() -> None:
    wire = {"projectName": "show", "name": "chair", "path": "/chair", "folderType": "Asset"}
    folder = from_ayon(Folder, wire | {"hasReviewables": False, "status": "Not ready"})
    assert (folder.name, folder.path, folder.folder_type) == ("chair", "/chair", "Asset")


def test_ids_are_32_hexadecimal_digits_and_new_each_time() -> None:
    ids = {new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in ids)


def test_a_version_has_the_name_that_a_server_gives_it() -> None:
    def name(number: int) -> str:
        return Version(project_name="show", version=number, product_id="p", author="a").name

    assert [name(number) for number in (1, 42, 1234)] == ["v001", "v042", "v1234"]
