# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published, as a browser sees it: alike in the library and on a server over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stagewright.ayon_bridge.entities import Version
from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.published import (
    PublishedVersion,
    one_version,
    pictures,
    products,
    versions_of_product,
    versions_of_same_products,
)

from .homes import HOMES, PICTURE, PROJECT, Home, finish


@pytest.fixture(params=HOMES)
def home(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    with HOMES[request.param](tmp_path, monkeypatch) as made:
        yield made


def test_the_newest_version_of_every_product_by_folder_and_name(home: Home) -> None:
    shelf = home.publish("usdMain", "/assets/shelf")
    home.publish("usdMain", comment="Old")
    crate = home.publish("usdMain", comment="Warmer")
    look = home.publish("vdbMain", product_type="vdbcache", extension="vdb")
    value = finish(products(home.library, PROJECT))
    assert value["projects"] == [PROJECT] and value["project"] == PROJECT
    found = [PublishedVersion.from_json(each) for each in value["versions"]]
    assert [(each.folder, each.product, each.version_id) for each in found] == [
        ("/assets/crate", "usdMain", crate.id),
        ("/assets/crate", "vdbMain", look.id),
        ("/assets/shelf", "usdMain", shelf.id),
    ]
    assert (found[0].name, found[0].version, found[0].comment) == ("crate", "v002", "Warmer")
    assert all(each.has_picture and each.author == "ann" and not each.files for each in found)
    assert finish(products(home.library, "none"))["project"] == ""


def test_more_products_than_a_server_answers_at_once(home: Home) -> None:
    versions = [home.publish(f"usd{number:03}") for number in range(3)]
    if home.library:
        for number in range(3, 310):
            _insert(home, number)
        value = finish(products(home.library, PROJECT))
        assert len(value["versions"]) == 310
    else:
        connection = home.home.connection
        folder = home.home.get_folder_by_path(PROJECT, "/assets/crate")
        assert folder is not None
        for number in range(3, 310):
            key = connection.create_product(PROJECT, f"usd{number:03}", "usd", folder.id)
            connection.create_version(PROJECT, 1, key)
        value = finish(products(home.library, PROJECT))
        assert len(value["versions"]) == 310
    assert {each.id for each in versions} < {each["version_id"] for each in value["versions"]}


def _insert(home: Home, number: int) -> None:
    from stagewright.ayon_bridge.database import insert
    from stagewright.ayon_bridge.entities import Product
    from stagewright.ayon_bridge.library import Library

    assert isinstance(home.home, Library)
    (folder,) = home.home.get_folders(PROJECT, folder_paths=["/assets/crate"])
    product = Product(
        project_name=PROJECT,
        name=f"usd{number:03}",
        folder_id=folder.id,
        product_type="usd",
        product_base_type="usd",
    )
    insert(home.home.connection, product)
    version = Version(project_name=PROJECT, version=1, product_id=product.id, author="ann")
    insert(home.home.connection, version)


def test_versions_comments_and_links_of_a_product_both_ways(home: Home) -> None:
    crate = home.publish("usdMain", comment="Warmer")
    newer = home.publish("usdMain")
    shelf = home.publish("usdMain", "/assets/shelf", data={"inputVersionIds": [crate.id]})
    value = finish(versions_of_product(home.library, PROJECT, crate.product_id))
    assert [each["version_id"] for each in value["versions"]] == [newer.id, crate.id]
    (said,) = value["comments"][crate.id]
    assert (said["author"], said["body"]) == ("ann", "Warmer")
    (used,) = value["outputs"][crate.id]
    assert (used["version_id"], used["name"], used["product"]) == (shelf.id, "shelf", "usdMain")
    assert newer.id not in value["outputs"] and value["inputs"] == {}
    back = finish(versions_of_product(home.library, PROJECT, shelf.product_id))
    assert [each["version_id"] for each in back["inputs"][shelf.id]] == [crate.id]
    assert back["outputs"] == {}
    files = PublishedVersion.from_json(value["versions"][0]).files
    assert files["USD"].is_file() and "v002" in files["USD"].name


def test_pictures_are_written_once(home: Home, tmp_path: Path) -> None:
    crate = home.publish("usdMain")
    folder = tmp_path / "cache" / "pictures"
    ask = lambda: finish(pictures(home.library, PROJECT, [crate.id, "0" * 32], str(folder)))  # noqa: E731
    value = ask()
    path = Path(value["pictures"][crate.id])
    assert path.read_bytes() == PICTURE and list(value["pictures"]) == [crate.id]
    path.write_bytes(b"kept")
    assert ask() == value and path.read_bytes() == b"kept"


def test_a_version_is_loaded_as_what_it_holds(home: Home) -> None:
    model = home.publish("modelMain", product_type="model", extension="blend")
    smoke = home.publish("vdbMain", product_type="vdbcache", extension="vdb")
    page = home.publish("docMain", product_type="report", extension="html")
    for made, kind in ((model, "BLEND"), (smoke, "VOLUME")):
        found = PublishedVersion.from_json(finish(one_version(home.library, PROJECT, made.id, "")))
        assert found.kinds == [kind] and found.files[kind].is_file()
        assert found == PublishedVersion.from_json(
            finish(one_version(home.library, "", made.id, kind))
        )
    for made, kind in ((page, ""), (model, "VOLUME")):
        with pytest.raises(StagewrightError) as caught:
            finish(one_version(home.library, PROJECT, made.id, kind))
        assert caught.value.code == "not-loadable"
    with pytest.raises(StagewrightError) as caught:
        finish(one_version(home.library, PROJECT, "0" * 32, ""))
    assert caught.value.code == "no-version"


def test_files_that_are_elsewhere_are_told_with_the_root(home: Home) -> None:
    model = home.publish("modelMain", product_type="model", extension="blend")
    found = PublishedVersion.from_json(finish(one_version(home.library, PROJECT, model.id, "")))
    found.files["BLEND"].unlink()
    with pytest.raises(StagewrightError) as caught:
        finish(one_version(home.library, PROJECT, model.id, ""))
    assert caught.value.code == "files-missing"
    assert str(found.files["BLEND"]) in caught.value.message
    assert f'"work" is {home.root}' in caught.value.message


def test_all_versions_of_what_is_shown_newest_first(home: Home) -> None:
    made = [home.publish("usdMain") for _ in range(3)]
    other = home.publish("modelMain", product_type="model", extension="blend")
    shown = [{"project": PROJECT, "versionId": key} for key in (made[1].id, other.id, "0" * 32)]
    shown.append({"project": "elsewhere", "versionId": made[0].id})
    told = finish(versions_of_same_products(home.library, shown))
    ids = {key: [each["version_id"] for each in listed] for key, listed in told.items()}
    assert ids == {made[1].id: [each.id for each in reversed(made)], other.id: [other.id]}
