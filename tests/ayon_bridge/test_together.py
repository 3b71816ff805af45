# SPDX-License-Identifier: GPL-3.0-or-later
"""Many versions entered with few requests, each still whole or not there."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from studio import PROJECT, Studio

from stagewright.ayon_bridge.demo.faults import Fault
from stagewright.ayon_bridge.home import PublishRequest, RepresentationFiles
from stagewright.ayon_bridge.publication import StagedPublication
from stagewright.ayon_bridge.server import Server
from stagewright.ayon_bridge.together import AT_ONCE, enter_together
from stagewright.jobs.errors import StagewrightError

COUNT = AT_ONCE + 5


def finish(job: Any) -> Any:
    while True:
        try:
            next(job)
        except StopIteration as stop:
            return stop.value


def requests(studio: Studio, count: int = COUNT) -> list[PublishRequest]:
    return [
        studio.child.make_request(f"content {number}", product_name=f"usd{number}")
        for number in range(count)
    ]


def stage(publication: StagedPublication, source: Path) -> list[RepresentationFiles]:
    """Everything but to enter it."""
    finish(publication.open())
    main = publication.root_name
    finish(publication.stage({main: source}))
    made = [RepresentationFiles(name="usd", main=main, files=[main])]
    finish(publication.seal(made))
    finish(publication.move())
    return made


def taken(studio: Studio, number: int) -> None:
    """Somebody publishes the first version of that product."""
    connection = studio.admin.connection
    folder = connection.get_folder_by_path(PROJECT, "/assets/lantern")["id"]
    product = connection.create_product(PROJECT, f"usd{number}", "usd", folder)
    connection.create_version(PROJECT, 1, product)


def stored(studio: Studio) -> dict[str, list[int]]:
    """Numbers of the versions of each product."""
    found: dict[str, list[int]] = {}
    for product in studio.admin.get_products(PROJECT):
        versions = studio.admin.get_versions(PROJECT, None, [product.id])
        found[product.name] = [each.version for each in versions]
    return found


def complete(studio: Studio) -> set[str]:
    """Ids of the versions that have representations, all of whose files are there."""
    made = studio.admin.get_representations(PROJECT)
    files = {each.id: [studio.root / f.path.split("}/", 1)[1] for f in each.files] for each in made}
    return {each.version_id for each in made if all(path.is_file() for path in files[each.id])}


def test_many_versions_take_few_requests(studio: Studio, tmp_path: Path) -> None:
    source = studio.child.make_sources(tmp_path)["root"]
    with Server(studio.artist) as server, ExitStack() as ending:
        publications = server.publications(requests(studio), StagedPublication)
        for each in publications:
            ending.enter_context(closing(each))
            stage(each, source)
        errors = finish(enter_together(publications))
        assert errors == [None] * COUNT
        ids = {each.ids.version for each in publications}
    # Two queries, two batches, and the roots.
    assert len(studio.demo.log) == 5
    assert complete(studio) == ids
    assert not list(studio.root.rglob("*unfinished*"))


def test_a_version_in_the_way_holds_no_other_up(studio: Studio, tmp_path: Path) -> None:
    source = studio.child.make_sources(tmp_path)["root"]
    with Server(studio.artist) as server, ExitStack() as ending:
        publications = server.publications(requests(studio), StagedPublication)
        made = [stage(ending.enter_context(closing(each)), source) for each in publications]
        for number in (0, 7, COUNT - 1):
            taken(studio, number)
        studio.demo.clear_log()
        errors = finish(enter_together(publications))
        # Two batches; and for each in the way whether it is there, why, and the rest once more.
        assert len(studio.demo.log) == 2 + 3 * 3
        codes = {index: error.code for index, error in enumerate(errors) if error is not None}
        assert codes == dict.fromkeys((0, 7, COUNT - 1), "version-taken")
        for index in codes:
            again = finish(publications[index].renumber(made[index]))
            assert finish(publications[index].commit(again)).version == 2
        assert len(studio.demo.log) == 2 + 3 * 3 + 3
        ids = {each.ids.version for each in publications}
    found = stored(studio)
    assert [found[f"usd{number}"] for number in (0, 1, 7)] == [[1, 2], [1], [1, 2]]
    assert complete(studio) == ids


def test_what_was_not_entered_is_taken_back(studio: Studio, tmp_path: Path) -> None:
    source = studio.child.make_sources(tmp_path)["root"]
    studio.demo.faults.add(Fault("POST", "operations", "status", "500"))
    with Server(studio.artist) as server, ExitStack() as ending:
        publications = server.publications(requests(studio, 3), StagedPublication)
        for each in publications:
            ending.enter_context(closing(each))
            stage(each, source)
        with pytest.raises(StagewrightError) as caught:
            finish(enter_together(publications))
    assert caught.value.code == "server-error"
    assert set(stored(studio)) == {"textureWood"} and complete(studio) == set()
    assert not [path for path in (studio.root / PROJECT).rglob("v001")]


def test_a_lost_answer_is_looked_up(studio: Studio, tmp_path: Path) -> None:
    source = studio.child.make_sources(tmp_path)["root"]
    studio.demo.faults.add(Fault("POST", "operations", "lost"))
    with Server(studio.artist) as server, ExitStack() as ending:
        publications = server.publications(requests(studio, 3), StagedPublication)
        for each in publications:
            ending.enter_context(closing(each))
            stage(each, source)
        assert finish(enter_together(publications)) == [None] * 3
        assert complete(studio) == {each.ids.version for each in publications}
