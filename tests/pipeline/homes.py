# SPDX-License-Identifier: GPL-3.0-or-later
"""A library, and a demo server, with the project "show" and a folder to publish into."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.entities import Version
from stagewright.ayon_bridge.home import PublishRequest, RepresentationFiles
from stagewright.ayon_bridge.library import Library
from stagewright.ayon_bridge.server import Server

PROJECT = "show"
PICTURE = b"\x89PNG\r\n\x1a\n"


def finish(job: Generator[Any, None, Any]) -> Any:
    """Run a job to its end, unheard; returns its value."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


@dataclass
class Home:
    """Where a test publishes.

    Attributes:
        home: the library, or the server as a plain artist sees it.
        library: the folder that tasks are told; "" for the server.
        root: the folder that all files are below.
    """

    home: Library | Server
    library: str
    root: Path

    def publish(self, product: str, folder: str = "/assets/crate", **changes: Any) -> Version:
        """Publish a product of one small file with a picture."""
        values: dict[str, Any] = {
            "project_name": PROJECT,
            "project_code": "",
            "folder_path": folder,
            "product_name": product,
            "author": "ann",
            "content_hash": "",
            "force": True,
        }
        request = PublishRequest(**(values | changes))
        with closing(self.home.publication(request)) as publication:
            finish(publication.open())
            source = self.root / "source"
            source.write_bytes(PICTURE)
            name = publication.file_name(request.extension)
            finish(publication.stage({name: source, "thumbnail.png": source}))
            made = [RepresentationFiles(name=request.extension, main=name, files=[name])]
            version: Version = finish(publication.commit(made, thumbnail="thumbnail.png"))
        return version


@contextmanager
def library_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A library."""
    with Library.open(folder / "library") as library:
        library.create_project(PROJECT, "shw")
        yield Home(library, str(library.root), library.root)


@contextmanager
def server_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A demo server, asked with an artist's key."""
    with DemoServer() as demo:
        admin = Credentials(demo.url, demo.add_user("admin", "admin"), site="stage")
        key = demo.add_user("ann", "artist")
        with Server(admin) as managed:
            managed.create_project(PROJECT, "shw")
            managed.connection.set_project_root_overrides(PROJECT, "stage", {"work": str(folder)})
            assets = managed.create_folder(PROJECT, "assets")
            for name in ("crate", "shelf"):
                made = managed.create_folder(PROJECT, name, "Asset", assets.id)
                managed.create_task(PROJECT, "modeling", "Modeling", made.id)
        for name, value in (("SERVER_URL", demo.url), ("API_KEY", key), ("SITE_ID", "stage")):
            monkeypatch.setenv(f"AYON_{name}", value)
        with Server(Credentials(demo.url, key, site="stage")) as artist:
            yield Home(artist, "", folder)


HOMES = {"library": library_home, "server": server_home}
