# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that two versions share: one file under two names, each as good as the other."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ayon_homes import Place

from stagewright.ayon_bridge.files import share_file
from stagewright.ayon_bridge.home import RepresentationFiles

WOOD = "lantern_textures/wood.png"
Publish = Callable[..., Path]


def finish(job: Any) -> Any:
    while True:
        try:
            next(job)
        except StopIteration as stop:
            return stop.value


@pytest.fixture
def publish(place: Place, child: ModuleType, tmp_path: Path) -> Publish:
    """Publish textures by name: publish(content, {name: bytes}); returns the version's folder."""
    place.create_show()
    assets = place.home.create_folder(place.show, "assets")
    lantern = place.home.create_folder(place.show, "lantern", "Asset", assets.id)
    place.home.create_task(place.show, "lookdev", "Lookdev", lantern.id)

    def publish(content: str, textures: Mapping[str, bytes], *, stop: bool = False) -> Path:
        request = child.make_request(content, project_name=place.show)
        folder = tmp_path / f"sources {content}"
        folder.mkdir()
        with closing(place.artist.publication(request)) as publication:
            finish(publication.open())
            sources = {publication.root_name: folder / "root"}
            (folder / "root").write_text("#usda 1.0\n")
            for number, (name, data) in enumerate(textures.items()):
                sources[name] = folder / f"{number}"
                sources[name].write_bytes(data)
            finish(publication.stage(sources, set(textures)))
            if stop:
                return publication.staging
            main = publication.root_name
            finish(
                publication.commit([RepresentationFiles(name="usd", main=main, files=[*sources])])
            )
            return publication.folder

    return publish


def inode(path: Path) -> int:
    return path.stat().st_ino


def test_an_unchanged_texture_is_one_file_in_both_versions(publish: Publish) -> None:
    wood, glass = b"wood" * 500, b"glas" * 500
    first = publish("a", {WOOD: wood, "lantern_textures/glass.png": glass})
    other = b"GLAS" * 500
    second = publish("b", {"lantern_textures/oak.png": wood, "lantern_textures/glass.png": other})
    assert inode(second / "lantern_textures/oak.png") == inode(first / WOOD)
    assert inode(next(second.glob("*.usda"))) != inode(next(first.glob("*.usda")))
    assert (second / "lantern_textures/glass.png").read_bytes() == other
    assert (first / "lantern_textures/glass.png").read_bytes() == glass


def test_a_version_that_goes_leaves_the_other_whole(publish: Publish) -> None:
    wood = b"wood" * 500
    first = publish("a", {WOOD: wood})
    staging = publish("b", {WOOD: wood}, stop=True)
    assert not staging.exists() and not (first.parent / "v002").exists()
    assert (first / WOOD).read_bytes() == wood and (first / WOOD).stat().st_nlink == 1
    second = publish("c", {WOOD: wood})
    assert (first / WOOD).stat().st_nlink == 2
    shutil.rmtree(first)
    assert (second / WOOD).read_bytes() == wood


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EXDEV, errno.EMLINK, errno.EOPNOTSUPP])
def test_where_a_drive_has_no_links_the_texture_is_copied(
    publish: Publish, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    tried = []

    def refuse(*paths: object) -> None:
        tried.append(paths)
        raise OSError(refusal, os.strerror(refusal))

    first = publish("a", {WOOD: b"wood" * 500})
    monkeypatch.setattr(os, "link", refuse)
    second = publish("b", {WOOD: b"wood" * 500})
    assert len(tried) == 1
    assert inode(second / WOOD) != inode(first / WOOD)
    assert (second / WOOD).read_bytes() == b"wood" * 500


def test_a_texture_that_was_damaged_since_is_not_taken_over(publish: Publish) -> None:
    first = publish("a", {WOOD: b"wood" * 500})
    (first / WOOD).write_bytes(b"worm" * 500)
    second = publish("b", {WOOD: b"wood" * 500})
    assert (second / WOOD).read_bytes() == b"wood" * 500
    assert (first / WOOD).read_bytes() == b"worm" * 500


def test_a_link_to_what_is_gone_is_a_copy(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"wood")
    known = {hashlib.sha256(b"wood").hexdigest(): tmp_path / "gone"}
    assert finish(share_file(source, target, known, 3, 7)) == 7
    assert target.read_bytes() == b"wood"
