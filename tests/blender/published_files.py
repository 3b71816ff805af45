# SPDX-License-Identifier: GPL-3.0-or-later
"""A library, and a demo server over HTTP, with files published in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import pytest

from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.entities import Version
from stagewright.ayon_bridge.home import PublishRequest, RepresentationFiles
from stagewright.ayon_bridge.library import Library
from stagewright.ayon_bridge.server import Server
from stagewright.pipeline.cli import main
from stagewright.texture_lab.png import write_png

from .scenes import add_square, empty_scene, finish

PROJECT = "show"


@dataclass
class Home:
    """Where a test publishes and loads.

    Attributes:
        home: the library, or the server as a plain artist sees it.
        library: the folder that operators are told; "" for the server.
        root: the folder that all files are below.
        demo: the server, if it is one.
    """

    home: Library | Server
    library: str
    root: Path
    demo: DemoServer | None = None

    def choose(self) -> None:
        """Let the scene publish there."""
        chosen = bpy.context.scene.stagewright
        chosen.project = PROJECT
        chosen.home = "LIBRARY" if self.library else "SERVER"

    def publish(
        self,
        product: str,
        product_type: str,
        name: str,
        files: Sequence[Path],
        **changes: Any,
    ) -> Version:
        """Publish files as one representation; the first one is its main file."""
        values: dict[str, Any] = {
            "project_name": PROJECT,
            "project_code": "",
            "folder_path": "/assets/crate",
            "product_name": product,
            "product_type": product_type,
            "author": "ann",
            "content_hash": "",
            "task_name": "modeling",
            "extension": files[0].suffix[1:],
            "force": True,
        }
        request = PublishRequest(**(values | changes))
        with closing(self.home.publication(request)) as publication:
            finish(publication.open())
            main_file = publication.file_name(request.extension)
            named = {each.name: each for each in files[1:]} | {main_file: files[0]}
            picture = files[0].with_name("picture.png")
            write_png(picture, _red())
            finish(publication.stage({**named, "thumbnail.png": picture}))
            made = [RepresentationFiles(name=name, main=main_file, files=list(named))]
            version: Version = finish(publication.commit(made, thumbnail="thumbnail.png"))
        return version

    def main_file(self, version: Version) -> Path:
        """The file that a version's only representation opens."""
        (made,) = self.home.get_representations(PROJECT, version_ids=[version.id])
        return self.home.main_file(made)


def _red() -> Any:
    import numpy as np

    return np.full((32, 32, 3), (200, 30, 20), np.uint8)


@contextmanager
def library_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A library."""
    monkeypatch.setenv("STAGEWRIGHT_LIBRARY", str(folder / "library"))
    with Library.open(folder / "library") as library:
        library.create_project(PROJECT, "shw")
        yield Home(library, str(library.root), library.root)


@contextmanager
def server_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A demo server, asked with an artist's key."""
    system = bpy.context.preferences.system
    before = system.use_online_access
    root = folder / "prójects"
    root.mkdir()
    with DemoServer() as demo:
        admin = Credentials(demo.url, demo.add_user("admin", "admin"), site="stage")
        key = demo.add_user("ann", "artist")
        with Server(admin) as managed:
            managed.create_project(PROJECT, "shw")
            managed.connection.set_project_root_overrides(PROJECT, "stage", {"work": str(root)})
            assets = managed.create_folder(PROJECT, "assets")
            for name in ("crate", "shelf"):
                made = managed.create_folder(PROJECT, name, "Asset", assets.id)
                managed.create_task(PROJECT, "modeling", "Modeling", made.id)
        for name, value in (("SERVER_URL", demo.url), ("API_KEY", key), ("SITE_ID", "stage")):
            monkeypatch.setenv(f"AYON_{name}", value)
        system.use_online_access = True
        with Server(Credentials(demo.url, key, site="stage")) as artist:
            yield Home(artist, "", root, demo)
        system.use_online_access = before


HOMES = {"library": library_home, "server": server_home}


def blend_file(folder: Path, size: float, *collections: str) -> Path:
    """A .blend with a square in each collection, the second one inside the first, and so on."""
    empty_scene()
    parent = bpy.context.scene.collection
    for name in collections:
        item = add_square(f"{name} square", size)
        made = bpy.data.collections.new(name)
        made.objects.link(item)
        bpy.context.scene.collection.objects.unlink(item)
        parent.children.link(made)
        parent = made
    path = folder / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    empty_scene()
    return path


def texture_files(folder: Path, seed: int) -> list[Path]:
    """A texture set: its sidecar and its maps."""
    words = ["texture", "make", "red brick", "--size", "64", "--seed", str(seed), "--name", "b"]
    assert main([*words, "--force", "-o", str(folder)]) == 0
    sidecar = folder / "b.json"
    about: Mapping[str, Any] = json.loads(sidecar.read_text())
    return [sidecar, *(folder / name for name in about["maps"].values())]


def volume_file(folder: Path, size: float) -> Path:
    """A .vdb of a ball."""
    import numpy as np

    from stagewright.field_tools.grid import Grid
    from stagewright.field_tools.vdb import write_grid

    axis = np.linspace(-1, 1, 16)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    density = np.clip(size - np.sqrt(x * x + y * y + z * z), 0, None).astype(np.float32)
    path = folder / "ball.vdb"
    write_grid(path, Grid(density, 0.1, (0.0, 0.0, 0.0)), "density")
    return path
