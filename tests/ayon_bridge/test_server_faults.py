# SPDX-License-Identifier: GPL-3.0-or-later
"""Client and server killed while they publish: nothing is lost, and nothing is half there.

A slice of it is run each time; all of it with STAGEWRIGHT_FAULTS=1.
"""

from __future__ import annotations

import os
import random
import select
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from studio import PROJECT, furnish

from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.home import RepresentationFiles
from stagewright.ayon_bridge.server import Server
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Progress

ALL = os.environ.get("STAGEWRIGHT_FAULTS") == "1"
REPEATS = 3 if ALL else 1
RANDOM_KILLS = 200 if ALL else 24
SEED = 5

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="forks, and waits for kills")


class ServerProcess:
    """A demo server in a process of its own, which keeps its data in a file."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.pid = 0
        self.url = ""

    def start(self) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(reading)
                with DemoServer(database=self.database) as demo:
                    os.write(writing, f"{demo.url}\n".encode())
                    os.close(writing)
                    signal.pause()
            finally:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading) as lines:
            self.url = lines.readline().strip()
        assert self.url

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0


class Shop:
    """A studio whose server dies and comes back."""

    def __init__(self, folder: Path, child: ModuleType) -> None:
        self.server = ServerProcess(folder / "server.db")
        root = folder / "prójects"
        root.mkdir()
        with DemoServer(database=self.server.database) as demo:
            self.studio = furnish(demo, root, child)
            self.admin_key = self.studio.admin_key
            self.studio.admin.close()
        self.contents: list[str] = []
        self.open()

    def open(self) -> None:
        """Start the server, if it is dead, and connect to it."""
        if not self.server.pid:
            self.server.start()
            url = self.server.url
            artist = Credentials(url, self.studio.artist.key, self.studio.artist.site)
            admin = Server(Credentials(url, self.admin_key))
            self.studio = replace(self.studio, admin=admin, artist=artist)

    def steps(self, content: str) -> list[str]:
        """Publish, and name the steps."""
        self.contents.append(content)
        return [e.step for e in self.studio.run(content)[1] if isinstance(e, Progress)]

    def publish_and_kill(self, content: str, victim: str, at: int, seconds: float = 0.0) -> str:
        """Publish in a process of its own; kill it, or the server, at a step, or a moment after.

        Returns:
            The step; "" when the publish was done before.
        """
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(reading)
                with Server(self.studio.artist) as server:
                    for event in self.studio.publish(server, content):
                        if isinstance(event, Progress):
                            os.write(writing, f"{event.step}\n".encode())
                            # Nothing goes on before the killer has seen the step.
                            if not seconds:
                                os.kill(os.getpid(), signal.SIGSTOP)
                code = 0
            except StagewrightError:
                code = 3
            finally:
                os._exit(code)
        os.close(writing)
        seen: list[str] = []
        with os.fdopen(reading) as lines:
            for line in lines:
                seen.append(line.strip())
                if not seconds:
                    os.waitpid(pid, os.WUNTRACED)
                if len(seen) == at + 1:
                    if seconds:
                        pidfd = os.pidfd_open(pid)
                        select.select([pidfd], [], [], seconds)
                        os.close(pidfd)
                    if victim == "server":
                        self.server.kill()
                    else:
                        os.kill(pid, signal.SIGKILL)
                if not seconds:
                    os.kill(pid, signal.SIGCONT)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code in (0, 3, -signal.SIGKILL), code
        return "" if code == 0 and victim == "client" else seen[min(at, len(seen) - 1)]

    def check(self, content: str) -> None:
        """What was there is there, whole; run again, the publish is one complete version."""
        self.open()
        assert self.studio.broken() == []
        version, _ = self.studio.run(content)
        self.contents.append(content)
        versions = self.studio.versions()
        assert [each.data["contentHash"] for each in versions] == self.contents
        assert self.studio.broken() == []
        assert self.studio.folders() == {each.name for each in versions}
        assert not list(self.studio.root.rglob("*unfinished*"))
        connection = self.studio.admin.connection
        made = connection.get_activities(PROJECT, entity_ids=[version.id])
        assert sorted(each["activityType"] for each in made) == ["comment", "reviewable"]
        links = connection.get_version_links(PROJECT, version.id, link_direction="in")
        assert {each["entityId"] for each in links} == set(self.studio.inputs)


@pytest.fixture
def shop(memory_path: Path, child: ModuleType) -> Iterator[Shop]:
    made = Shop(memory_path, child)
    yield made
    made.studio.admin.close()
    made.server.kill()


def show(capsys: pytest.CaptureFixture[str], title: str, histogram: Counter[str]) -> None:
    with capsys.disabled():
        print(f"\n{title}: {histogram.total()} kills")
        for step, count in sorted(histogram.items()):
            print(f"  {step:<28} {count:4}")


@pytest.mark.parametrize("victim", ["client", "server"])
def test_killed_at_every_named_step_a_publish_is_whole_or_not_there(
    shop: Shop, victim: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.steps("first")  # which makes folders, too
    steps = shop.steps("old")
    indices = range(len(steps)) if ALL else sorted({steps.index(step) for step in steps})
    histogram: Counter[str] = Counter()
    for index in indices:
        for again in range(REPEATS):
            content = f"{index} {again}"
            step = shop.publish_and_kill(content, victim, index)
            assert step == steps[index]
            histogram[step] += 1
            shop.check(content)
    show(capsys, f"{victim} killed at each step", histogram)
    assert min(histogram.values()) >= REPEATS
    assert {"server.batch", "server.link", "server.finish", "library.rename"} <= set(histogram)


def test_killed_at_random_moments_a_publish_is_whole_or_not_there(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    shop.steps("first")
    steps = shop.steps("old")
    integrate = steps.index("library.hash")
    histogram: Counter[str] = Counter()
    inside = 0
    while histogram.total() < RANDOM_KILLS:
        number = histogram.total()
        within = number % 2 == 0
        at = chance.randrange(integrate if within else 0, len(steps))
        victim = chance.choice(["client", "server"])
        content = f"random {number} {at}"
        step = shop.publish_and_kill(content, victim, at, chance.expovariate(1 / 0.002))
        if not step:  # it was faster
            shop.contents.append(content)
            continue
        histogram[f"{victim} {step}"] += 1
        inside += at >= integrate
        shop.check(content)
    show(
        capsys, f"killed at random moments (seed {SEED}), {inside} of them in integrate", histogram
    )
    assert inside >= RANDOM_KILLS / 2


def test_entering_the_version_before_its_files_are_there_would_be_noticed(
    shop: Shop, child: ModuleType
) -> None:
    studio = shop.studio
    source = child.make_sources(studio.root.parent)["root"]
    with (
        Server(studio.artist) as server,
        closing(server.publication(child.make_request("x"))) as publication,
    ):
        finish(publication.open())
        finish(publication.stage({publication.root_name: source}))
        main = publication.root_name
        finish(publication.seal([RepresentationFiles(name="usd", main=main, files=[main])]))
        for event in publication.enter():
            if getattr(event, "step", "") == "server.finish":
                break
        (missing,) = studio.broken()
        assert missing.endswith(f"v001/{main}")
        finish(publication.move())
        assert studio.broken() == []


def finish(job: Any) -> Any:
    while True:
        try:
            next(job)
        except StopIteration as stop:
            return stop.value
