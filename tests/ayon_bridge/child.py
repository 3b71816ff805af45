# SPDX-License-Identifier: GPL-3.0-or-later
"""A publish to be killed: the program that crash and race tests start.

It reads one JSON request per line, and forks for each, so that hundreds of
publishes can die without hundreds of interpreter starts. Each answer names the
steps the publish came to. The tests load this file for its publish, too.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from stagewright.ayon_bridge.entities import Version
from stagewright.ayon_bridge.files import file_errors
from stagewright.ayon_bridge.home import PublishRequest, RepresentationFiles
from stagewright.ayon_bridge.library import Library
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Job, Progress


def make_request(content: str = "content", **changes: object) -> PublishRequest:
    """A request for the product usdMain of /assets/lantern in the project show."""
    values: dict[str, Any] = {
        "project_name": "show",
        "project_code": "shw",
        "folder_path": "/assets/lantern",
        "product_name": "usdMain",
        "author": "artist",
        "content_hash": content,
        "task_name": "lookdev",
    }
    return PublishRequest(**(values | changes))


def make_sources(folder: Path) -> dict[str, Path]:
    """Files to publish by name, the root's name being "root"."""
    contents = {
        "root": b"#usda 1.0\n",
        "lantern_geometry.usdc": bytes(range(256)) * 40,
        "lantern_textures/wood.png": b"wood" * 500,
    }
    sources = {}
    for number, (name, content) in enumerate(contents.items()):
        sources[name] = folder / f"source {number}"
        sources[name].write_bytes(content)
    return sources


def publish(
    library: Library,
    request: PublishRequest,
    sources: Mapping[str, Path],
    *,
    break_lock: bool = False,
    database_first: bool = False,
) -> Job[Version]:
    """Publish the sources; ``database_first`` is the order that must not be."""
    publication = library.publication(request, break_lock=break_lock)
    with closing(publication):
        yield from publication.open()
        if publication.unchanged is not None:
            return publication.unchanged
        root = publication.root_name
        files = {root if name == "root" else name: path for name, path in sources.items()}
        yield from publication.stage(files)
        yield Progress("test.stamp")
        with file_errors(publication.staging), (publication.staging / root).open("a") as file:
            file.write(f"# {publication.version_name} {publication.ids.version}\n")
        yield Progress("test.picture")
        with file_errors(publication.staging):
            (publication.staging / "thumbnail.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        usd = RepresentationFiles(name="usd", main=root, files=tuple(files))
        if not database_first:
            return (yield from publication.commit([usd], thumbnail="thumbnail.png"))
        record = yield from publication.seal([usd], "thumbnail.png")
        yield from publication.enter()
        yield from publication.move()
        return record.version


def _run(order: Mapping[str, Any], report: int) -> None:
    """Publish as ordered, reporting every step, and die where ordered."""
    with Library.open(Path(order["library"])) as library:
        job = publish(
            library,
            make_request(order["content"]),
            {name: Path(path) for name, path in order["sources"].items()},
            database_first=order.get("database_first", False),
        )
        for index, event in enumerate(job):
            step = event.step if isinstance(event, Progress) else "message"
            os.write(report, f"{step}\n".encode())
            if index == order.get("kill_at"):
                os.kill(os.getpid(), signal.SIGKILL)


def _serve(order: Mapping[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        status = 1
        try:
            _run(order, writing)
            status = 0
        except StagewrightError as error:
            print(error.code, error, file=sys.stderr)
        finally:
            os._exit(status)
    os.close(writing)
    steps = []
    with os.fdopen(reading, "r") as lines:
        for line in lines:
            steps.append(line.strip())
            if len(steps) == order.get("kill_after", {}).get("steps"):
                pidfd = os.pidfd_open(pid)
                select.select([pidfd], [], [], order["kill_after"]["seconds"])
                os.close(pidfd)
                os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return {"steps": steps, "killed": code == -signal.SIGKILL, "done": code == 0}


if __name__ == "__main__":
    for request_line in sys.stdin:
        print(json.dumps(_serve(json.loads(request_line))), flush=True)
