# SPDX-License-Identifier: GPL-3.0-or-later
"""Published files found by AYON's URIs, through the client that AYON ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ayon_api.server_api import ServerAPI
from studio import PRODUCT_FOLDER, PROJECT, Studio

LANTERN = f"ayon+entity://{PROJECT}/assets/lantern"
USD = f"{LANTERN}?product=usdMain&version=v001&representation=usd"


def resolve(admin: ServerAPI, *uris: str, rooted: bool = False) -> Any:
    return admin.post("resolve", uris=list(uris), resolveRoots=rooted)


def test_a_published_file_is_found_by_its_uri(studio: Studio) -> None:
    version, _ = studio.run()
    admin = ServerAPI(studio.demo.url, studio.admin_key, site_id="bench")
    ((found,),) = (each["entities"] for each in resolve(admin, USD, rooted=True).data)
    path = studio.root / PRODUCT_FOLDER / "v001/shw_lantern_usdMain_v001.usda"
    assert Path(found["filePath"]) == path and path.is_file()
    assert (found["versionId"], found["target"]) == (version.id, "representation")
    (bare,) = resolve(admin, USD).data
    assert bare["entities"][0]["filePath"].startswith("{root[work]}/")
    ids = [found["representationId"]]
    told = admin.post(f"projects/{PROJECT}/uris", entityType="representation", ids=ids).data
    assert told == {"uris": [{"id": ids[0], "uri": USD}]}


def test_what_is_no_uri_is_told_or_fails_the_whole_request(studio: Studio) -> None:
    studio.run()
    admin = ServerAPI(studio.demo.url, studio.admin_key, site_id="bench")
    wrong, missing, good = resolve(
        admin, "http://example.com/a", f"{LANTERN}?product=none", USD
    ).data
    assert wrong["error"] and not wrong["entities"]
    assert missing["error"] is None and missing["entities"] == []
    assert good["entities"]
    assert resolve(admin, "http://example.com/a", USD, rooted=True).status_code == 500
    nowhere = ServerAPI(studio.demo.url, studio.admin_key, site_id=None)
    assert resolve(nowhere, USD, rooted=True).status_code == 400


def test_a_reference_in_a_stored_template_is_left_as_it_is(studio: Studio) -> None:
    version, _ = studio.run()
    made = studio.admin.connection.get_representation_by_name(PROJECT, "usd", version.id)
    template = "{root[work]}/{folder[name]}/{@version}.{ext}"
    attrib = {"template": template, "path": made["attrib"]["path"]}
    studio.admin.connection.update_representation(PROJECT, made["id"], attrib=attrib)
    admin = ServerAPI(studio.demo.url, studio.admin_key, site_id="bench")
    ((found,),) = (each["entities"] for each in resolve(admin, USD).data)
    assert found["filePath"] == "{root[work]}/lantern/{@version}.usda"
