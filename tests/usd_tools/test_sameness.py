# SPDX-License-Identifier: GPL-3.0-or-later
"""Two exports are the same when they differ by rounding, and not by more."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pxr import Gf, Sdf

from stagewright.usd_tools.asset import AssetFiles, author_asset
from stagewright.usd_tools.identity import Identity, stamp_identity
from stagewright.usd_tools.sameness import same_asset

CORNER = Sdf.Path("/lantern/Plate/Mesh.points")


@pytest.fixture
def files(textured: Any, tmp_path: Path, finish: Callable[[Any], Any]) -> AssetFiles:
    native = textured.save()
    return finish(
        author_asset(native, tmp_path / "new" / "lantern.usda", name="lantern", materials=[])
    )


@pytest.fixture
def published(files: AssetFiles, tmp_path: Path) -> Path:
    """The same asset as a version of its own, under another root name."""
    folder = tmp_path / "v001"
    shutil.copytree(files.root.parent, folder)
    root = (folder / "lantern.usda").rename(folder / "loc_lantern_v001.usda")
    stamp_identity(root, Identity("lantern", "v001", root.name, "local", "f", "p", "v"))
    return root


def move_corner(files: AssetFiles, distance: float) -> None:
    path = files.root.with_name("lantern_geometry.usdc")
    layer = Sdf.Layer.OpenAsAnonymous(str(path))
    points = list(layer.GetAttributeAtPath(CORNER).default)
    points[0] += Gf.Vec3f(distance, 0, 0)
    layer.GetAttributeAtPath(CORNER).default = points
    layer.Export(str(path))


def test_an_identity_alone_makes_no_difference(files: AssetFiles, published: Path) -> None:
    assert same_asset(published, files)


def test_rounding_makes_no_difference(files: AssetFiles, published: Path) -> None:
    before = files.root.with_name("lantern_geometry.usdc").read_bytes()
    move_corner(files, 2.0**-23)
    assert files.root.with_name("lantern_geometry.usdc").read_bytes() != before
    assert same_asset(published, files)


def test_a_point_moved_by_more_makes_a_difference(files: AssetFiles, published: Path) -> None:
    move_corner(files, 1e-4)
    assert not same_asset(published, files)


def test_a_changed_texture_makes_a_difference(files: AssetFiles, published: Path) -> None:
    files.textures[0].write_bytes(files.textures[0].read_bytes() + b"\0")
    assert not same_asset(published, files)


def test_a_prim_more_makes_a_difference(files: AssetFiles, published: Path) -> None:
    path = files.root.with_name("lantern_look.usda")
    layer = Sdf.Layer.OpenAsAnonymous(str(path))
    Sdf.CreatePrimInLayer(layer, "/lantern/Extra")
    layer.Export(str(path))
    assert not same_asset(published, files)


def test_a_lost_file_makes_a_difference(files: AssetFiles, published: Path) -> None:
    published.with_name("lantern_look.usda").unlink()
    assert not same_asset(published, files)
