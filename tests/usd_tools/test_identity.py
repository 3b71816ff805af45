# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a published root layer, and the hash of an asset."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pxr import Usd

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.asset import AssetFiles, author_asset, content_hash
from stagewright.usd_tools.check import check_asset
from stagewright.usd_tools.identity import Identity, stamp_identity

Finish = Callable[[Any], Any]


IDENTITY = Identity("lantern", "v003", "lantern_v003.usda", "demo", "f" * 32, "p" * 32, "e" * 32)


@pytest.fixture
def asset(textured: Any, tmp_path: Path, finish: Finish) -> Any:
    textured.save()
    root = tmp_path / "out" / "lantern.usda"
    return finish(author_asset(textured.path, root, name="lantern", materials=[]))


def test_usd_reads_a_stamped_identity(asset: AssetFiles, finish: Finish) -> None:
    stage = Usd.Stage.Open(str(asset.root))
    before = [p.GetPath() for p in stage.Traverse()]
    published = asset.root.rename(asset.root.with_name(IDENTITY.identifier))
    stamp_identity(published, IDENTITY)
    after = Usd.Stage.Open(str(published))
    model = Usd.ModelAPI(after.GetDefaultPrim())
    assert model.GetAssetVersion() == "v003"
    assert model.GetAssetName() == "lantern"
    assert model.GetAssetIdentifier().path == "./lantern_v003.usda"
    assert model.GetAssetInfo()["stagewright"] == {
        "projectName": "demo",
        "folderId": "f" * 32,
        "productId": "p" * 32,
        "versionId": "e" * 32,
    }
    report = finish(check_asset(published, None))
    assert not report.blocking
    assert [p.GetPath() for p in after.Traverse()] == before
    assert sorted(p.name for p in published.parent.iterdir()) == [
        "lantern_geometry.usdc",
        "lantern_look.usda",
        "lantern_textures",
        "lantern_v003.usda",
    ]


def test_equal_identities_give_equal_bytes_and_the_last_one_stays(asset: AssetFiles) -> None:
    stamp_identity(asset.root, IDENTITY)
    once = asset.root.read_bytes()
    stamp_identity(asset.root, dataclasses.replace(IDENTITY, version="v004"))
    assert '"v004"' in asset.root.read_text()
    stamp_identity(asset.root, IDENTITY)
    assert asset.root.read_bytes() == once


def test_what_is_no_root_layer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.usda").write_text("#usda 1.0\n(")
    (tmp_path / "bare.usda").write_text("#usda 1.0\n")
    for name in ("broken.usda", "bare.usda", "none.usda"):
        with pytest.raises(StagewrightError) as error:
            stamp_identity(tmp_path / name, IDENTITY)
        assert error.value.code == "asset-unreadable"
        assert name in error.value.message


def test_the_hash_is_of_names_and_bytes_wherever_the_asset_lies(
    asset: AssetFiles, tmp_path: Path
) -> None:
    def moved(folder: Any) -> Any:
        shutil.copytree(asset.root.parent, folder)
        place = [tuple(folder / f.relative_to(asset.root.parent) for f in files)
                 for files in ((asset.root,), asset.layers, asset.textures)]  # fmt: skip
        return AssetFiles(place[0][0], place[1], place[2])

    first = content_hash(asset)
    assert len(first) == 64
    elsewhere = moved(tmp_path / "elsewhere")
    assert content_hash(elsewhere) == first
    one, two, *_ = elsewhere.textures
    content = one.read_bytes(), two.read_bytes()
    one.write_bytes(content[1])
    two.write_bytes(content[0])
    assert content_hash(elsewhere) != first
    one.write_bytes(content[0])
    two.write_bytes(content[1])
    assert content_hash(elsewhere) == first
    one.unlink()
    with pytest.raises(StagewrightError):
        content_hash(elsewhere)
