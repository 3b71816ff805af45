# SPDX-License-Identifier: GPL-3.0-or-later
"""The homes that the contract suite runs on."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ayon_api.server_api import ServerAPI

from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.home import Home
from stagewright.ayon_bridge.library import Library
from stagewright.ayon_bridge.server import Server

REAL_URL = os.environ.get("AYON_SERVER_URL", "")
REAL_KEY = os.environ.get("AYON_API_KEY", "")


@dataclass(frozen=True)
class Place:
    """A home to make things in, and the same home as a plain artist sees it.

    Attributes:
        home: where everything may be made.
        artist: where the rights end that a publish needs.
        storage: the folder that the projects' root is, or will be.
        show: name of a project that is the test's own.
        film: name of another.
        code: code of the first one.
    """

    home: Home
    artist: Home
    storage: Path
    show: str = "show"
    film: str = "film"
    code: str = field(default="shw")

    def create_show(self) -> None:
        """Make the project, its root being the storage."""
        if not isinstance(self.home, Server):
            self.home.create_project(self.show, self.code)
            return
        connection = self.home.connection
        anatomy = connection.get_project_anatomy_preset()
        systems = dict.fromkeys(("windows", "linux", "darwin"), self.storage.as_posix())
        anatomy["roots"] = [{"name": "work", **systems}]
        body = {"name": self.show, "code": self.code, "anatomy": anatomy}
        connection.post("projects", **body).raise_for_status()


@contextmanager
def library_place(folder: Path) -> Iterator[Place]:
    with Library.open(folder / "library") as library:
        yield Place(library, library, library.root)


@contextmanager
def demo_place(folder: Path) -> Iterator[Place]:
    with DemoServer() as demo:
        admin = Credentials(demo.url, demo.add_user("admin", "admin"))
        artist = Credentials(demo.url, demo.add_user("artist", "artist"))
        with Server(admin) as home, Server(artist) as seen:
            yield Place(home, seen, folder)


@contextmanager
def real_place(folder: Path) -> Iterator[Place]:
    """Projects and an artist of their own on the server that the environment names."""
    mark = uuid.uuid4().hex[:8]
    show, film, name, key = f"sw{mark}a", f"sw{mark}", f"sw_{mark}", uuid.uuid4().hex
    admin = ServerAPI(REAL_URL, REAL_KEY)
    try:
        # Without the list a server fails when it adds the first key.
        admin.put(f"users/{name}", data={"apiKeys": [], "defaultAccessGroups": ["artist"]})
        body = {"key": key, "label": "contract", "expires": int(time.time()) + 3600}
        admin.post(f"users/{name}/apikeys", **body).raise_for_status()
        with Server(Credentials(REAL_URL, REAL_KEY)) as home:
            with Server(Credentials(REAL_URL, key)) as seen:
                yield Place(home, seen, folder, show, film, f"s{mark}")
    finally:
        for project in (show, film):
            admin.delete(f"projects/{project}")
        admin.delete(f"users/{name}")


PLACES = {"library": library_place, "demo": demo_place}
if REAL_URL and REAL_KEY:
    PLACES["server"] = real_place
