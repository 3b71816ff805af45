# SPDX-License-Identifier: GPL-3.0-or-later
"""A demo server with a project, and publishes to it."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.entities import Version
from stagewright.ayon_bridge.home import RepresentationFiles
from stagewright.ayon_bridge.server import Server
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Event, Job

PROJECT = "show"
PRODUCT_FOLDER = "show/assets/lantern/publish/usd/usdMain"


@dataclass
class Studio:
    """A demo server with a project, whose root is a folder here, and an artist's key."""

    demo: DemoServer
    admin: Server
    artist: Credentials
    root: Path
    child: ModuleType
    inputs: tuple[str, ...] = ()
    admin_key: str = ""

    def publish(self, server: Server, content: str = "a") -> Job[Version]:
        """Publish the sources with picture, reviewable, comment and inputs."""
        request = self.child.make_request(
            content, comment="Warmer glass", data={"inputVersionIds": list(self.inputs)}
        )
        sources = self.child.make_sources(self.root.parent)
        with closing(server.publication(request)) as publication:
            yield from publication.open()
            if publication.unchanged is not None:
                return publication.unchanged
            root = publication.root_name
            files = {root if name == "root" else name: path for name, path in sources.items()}
            yield from publication.stage(files)
            report = publication.file_name("html", "report")
            for name in ("thumbnail.png", report):
                (publication.staging / name).write_bytes(b"\x89PNG\r\n\x1a\n")
            made = [
                RepresentationFiles(name="usd", main=root, files=tuple(files)),
                RepresentationFiles(name="report", main=report, files=[report], output="report"),
            ]
            while True:
                path = publication.staging / publication.root_name
                path.write_text(f"#usda 1.0\n# {publication.version_name}\n")
                try:
                    return (
                        yield from publication.commit(
                            made, thumbnail="thumbnail.png", reviewable="thumbnail.png"
                        )
                    )
                except StagewrightError as error:
                    if error.code != "version-taken":
                        raise
                made = yield from publication.renumber(made)

    def run(self, content: str = "a") -> tuple[Version, list[Event]]:
        """Publish over a fresh connection."""
        events: list[Event] = []
        with Server(self.artist) as server:
            job = self.publish(server, content)
            try:
                while True:
                    events.append(next(job))
            except StopIteration as stop:
                return stop.value, events

    def kill(self, content: str, reached: Callable[[int, Event], bool]) -> None:
        """Publish in a process of its own that is killed at the first event that is reached."""
        pid = os.fork()
        if pid == 0:
            try:
                for index, event in enumerate(self.publish(Server(self.artist), content)):
                    if reached(index, event):
                        os.kill(os.getpid(), signal.SIGKILL)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL

    def versions(self) -> list[Version]:
        """What the server holds."""
        (product,) = self.admin.get_products(PROJECT, product_names=["usdMain"]) or [None]
        return self.admin.get_versions(PROJECT, None, [product.id]) if product else []

    def broken(self) -> list[str]:
        """Files that the server names, and that are not there as named."""
        found = []
        for version in self.versions():
            made = self.admin.get_representations(PROJECT, version_ids=[version.id])
            found += [] if made else [f"{version.name} has no files"]
            for file in (file for each in made for file in each.files):
                path = Path(file.path.replace("{root[work]}", str(self.root)))
                good = path.is_file() and path.stat().st_size == file.size
                if not good or hashlib.sha256(path.read_bytes()).hexdigest() != file.hash:
                    found.append(str(path))
        return found

    def folders(self) -> set[str]:
        """The version folders, hidden ones included."""
        folder = self.root / PRODUCT_FOLDER
        return {each.name for each in folder.iterdir()} if folder.exists() else set()


def furnish(demo: DemoServer, root: Path, child: ModuleType) -> Studio:
    """Make the project, whose root is the folder ``root``, and its users."""
    artist = Credentials(demo.url, demo.add_user("ann", "artist"), site="bench")
    admin_key = demo.add_user("admin", "admin")
    admin = Server(Credentials(demo.url, admin_key))
    admin.create_project(PROJECT, "shw")
    admin.connection.set_project_root_overrides(PROJECT, "bench", {"work": str(root)})
    assets = admin.create_folder(PROJECT, "assets")
    lantern = admin.create_folder(PROJECT, "lantern", "Asset", assets.id)
    admin.create_task(PROJECT, "lookdev", "Lookdev", lantern.id)
    connection = admin.connection
    wood = connection.create_product(PROJECT, "textureWood", "texture", lantern.id)
    inputs = tuple(connection.create_version(PROJECT, n, wood) for n in (1, 2))
    demo.clear_log()
    return Studio(demo, admin, artist, root, child, inputs, admin_key)
