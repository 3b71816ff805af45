# SPDX-License-Identifier: GPL-3.0-or-later
"""A publish killed at any point never leaves a version without its files.

A child process publishes and is killed by SIGKILL before every one of its
steps, and at random moments inside them. After each kill the database is
compared with the files by code of its own; then the same publish is run again
and has to end well. Libraries lie in memory where there is such a folder: a
killed process leaves there what it leaves on a drive.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from stagewright.ayon_bridge.library import Library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, kills and waits by pidfd")

REPEATS = 3
RANDOM_KILLS = 100
SEED = 20260101


def broken_promises(root: Path) -> list[str]:
    """Every file that a version in the database names, and that is not there as named."""
    connection = sqlite3.connect(root / "stagewright.db")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if "thumbnails" not in tables:  # killed before the library had its schema
        return []
    listed = connection.execute("SELECT version_id, files FROM representations").fetchall()
    versions = {row[0] for row in connection.execute("SELECT id FROM versions")}
    pictures = connection.execute("SELECT id, file FROM thumbnails").fetchall()
    used = {row[0] for row in connection.execute("SELECT thumbnail_id FROM versions")}
    connection.close()
    broken = [f"version {each} has no files" for each in versions - {row[0] for row in listed}]
    broken += [f"thumbnail {each} has no version" for each in {row[0] for row in pictures} - used]
    files = [file for _, text in listed for file in json.loads(text)]
    for file in (*files, *(json.loads(text) for _, text in pictures)):
        path = Path(file["path"].replace("{root[work]}", str(root)))
        if not path.is_file():
            broken.append(f"{path} is missing")
        elif path.stat().st_size != file["size"]:
            broken.append(f"{path} has another size")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != file["hash"]:
            broken.append(f"{path} has another content")
    return broken


@dataclass(frozen=True)
class Crash:
    """Libraries to publish into, and a server of children that die on order."""

    folder: Path
    sources: Mapping[str, Path]
    server: subprocess.Popen[str]
    child: ModuleType

    def library(self, state: str) -> Path:
        """A fresh copy of a library in the named state."""
        target = self.folder / "library"
        shutil.rmtree(target, ignore_errors=True)
        if (self.folder / state).is_dir():
            shutil.copytree(self.folder / state, target)
        return target

    def order(self, library: Path, **order: object) -> dict[str, Any]:
        """Have a child publish as ordered; answers steps, killed, done."""
        sources = {name: str(path) for name, path in self.sources.items()}
        request = {"library": str(library), "sources": sources, "content": "new"} | order
        assert self.server.stdin and self.server.stdout
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()
        answer: dict[str, Any] = json.loads(self.server.stdout.readline())
        return answer

    def keep(self, state: str) -> None:
        """Keep the library as it is now under the name of a state."""
        shutil.copytree(self.folder / "library", self.folder / state)

    def check(self, root: Path, earlier: Mapping[str, bytes]) -> None:
        """What has to hold after a kill, and after the same publish has run again."""
        assert broken_promises(root) == []
        with Library.open(root) as library:
            for _ in self.child.publish(library, self.child.make_request("new"), self.sources):
                pass
            assert drained(library.verify()) == []
            contents = [each.data["contentHash"] for each in library.get_versions("show")]
        assert contents.count("new") == 1
        assert contents[-1] == "new"
        assert broken_promises(root) == []
        left = tree(root)
        assert {name: left[name] for name in earlier} == dict(earlier)
        product = root / "show/assets/lantern/publish/usd/usdMain"
        folders = {each.name for each in product.iterdir()}
        assert folders == {f"v{number:03d}" for number in range(1, len(contents) + 1)}
        assert [each.name for each in (root / ".stagewright/locks").iterdir()] == ["guard"]


def drained(job: Iterator[Any]) -> object:
    while True:
        try:
            next(job)
        except StopIteration as stop:
            return stop.value


def tree(root: Path) -> dict[str, bytes]:
    """Every file of finished versions, by its relative path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.glob("show/assets/lantern/publish/usd/usdMain/v*/**/*")
        if path.is_file()
    }


@pytest.fixture
def crash(memory_path: Path, child: ModuleType) -> Iterator[Crash]:
    server = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("child.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    crash = Crash(memory_path, child.make_sources(memory_path), server, child)
    with Library.open(crash.library("nothing")) as library:
        for _ in child.publish(library, child.make_request("old"), crash.sources):
            pass
    crash.keep("one version")
    steps = crash.order(crash.library("one version"))["steps"]
    for state, step in (("a dead copy", "library.record"), ("a dead rename", "library.begin")):
        last = len(steps) - 1 - steps[::-1].index(step)
        assert crash.order(crash.library("one version"), kill_at=last, content="dead")["killed"]
        crash.keep(state)
    yield crash
    server.communicate()


STATES = ("nothing", "one version", "a dead copy", "a dead rename")


def test_a_publish_killed_before_any_step_is_whole_or_not_there(
    crash: Crash, capsys: pytest.CaptureFixture[str]
) -> None:
    histogram: Counter[str] = Counter()
    for state in STATES:
        steps = crash.order(crash.library(state))["steps"]
        for index, step in enumerate(steps):
            for _ in range(REPEATS):
                root = crash.library(state)
                earlier = tree(root)
                answer = crash.order(root, kill_at=index)
                assert answer["killed"] and answer["steps"] == steps[: index + 1]
                histogram[step] += 1
                crash.check(root, earlier)
    show(capsys, "killed before each step", histogram)
    assert min(histogram.values()) >= 3
    assert {"library.rename", "library.insert", "library.commit", "library.copy"} <= set(histogram)


def test_a_publish_killed_at_random_moments_is_whole_or_not_there(
    crash: Crash, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    histogram: Counter[str] = Counter()
    all_steps = {state: crash.order(crash.library(state))["steps"] for state in STATES}
    while histogram.total() < RANDOM_KILLS:
        state = chance.choice(STATES)
        after = {
            "steps": chance.randint(1, len(all_steps[state])),
            "seconds": chance.expovariate(1 / 0.0005),
        }
        root = crash.library(state)
        earlier = tree(root)
        answer = crash.order(root, kill_after=after)
        assert answer["killed"] or answer["done"]
        if answer["killed"]:
            histogram[answer["steps"][-1]] += 1
        crash.check(root, earlier)
    show(capsys, f"killed at {RANDOM_KILLS} random moments (seed {SEED})", histogram)


def test_writing_the_database_first_is_caught(crash: Crash) -> None:
    steps = crash.order(crash.library("one version"), database_first=True)["steps"]
    broken = {}
    for index in range(len(steps)):
        root = crash.library("one version")
        assert crash.order(root, kill_at=index, database_first=True)["killed"]
        broken[index] = broken_promises(root)
        with Library.open(root) as library:
            assert bool(drained(library.verify())) >= bool(broken[index])
    rename = steps.index("library.rename")
    assert [index for index, each in broken.items() if each] == [rename]
    assert any("shw_lantern_usdMain_v002.usda is missing" in each for each in broken[rename])


def show(capsys: pytest.CaptureFixture[str], title: str, histogram: Counter[str]) -> None:
    """Print how often each step was hit, past pytest's capture."""
    with capsys.disabled():
        print(f"\n{title}: {histogram.total()} kills")
        for step, count in sorted(histogram.items()):
            print(f"  {step:<18} {count:4}")
