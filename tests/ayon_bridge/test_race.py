# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes that run at once, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from stagewright.ayon_bridge.library import Library
from stagewright.jobs.errors import StagewrightError

RACER = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("child", sys.argv[1])
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
root, sources, product, pause = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], sys.argv[5]
names = ["root", "lantern_geometry.usdc", "lantern_textures/wood.png"]
files = {name: sources / f"source {number}" for number, name in enumerate(names)}
request = child.make_request(f"by {sys.argv[6]}", product_name=product)
print("ready", flush=True)
sys.stdin.readline()
try:
    with child.Library.open(root) as library:
        for event in child.publish(library, request, files):
            if getattr(event, "step", "") == pause:
                print("paused", flush=True)
                sys.stdin.readline()
    print("published", flush=True)
except child.StagewrightError as error:
    print(error.code, flush=True)
"""


class Racer:
    """A process that publishes when told to."""

    def __init__(self, root: Path, sources: Path, product: str, name: str, pause: str) -> None:
        child = Path(__file__).with_name("child.py")
        self.process = subprocess.Popen(
            [sys.executable, "-c", RACER, child, root, sources, product, pause, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self.answer() == "ready"

    def go(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: Path, child: ModuleType) -> Path:
    """A folder with files to publish, for a library below it."""
    child.make_sources(tmp_path)
    return tmp_path


@pytest.fixture
def racers(folder: Path) -> Iterator[list[Racer]]:
    started: list[Racer] = []
    yield started
    for racer in started:
        racer.end()


def verified(library: Library) -> object:
    job = library.verify()
    while True:
        try:
            next(job)
        except StopIteration as stop:
            return stop.value


def test_a_second_publish_of_a_product_is_told_who_holds_it(
    folder: Path, racers: list[Racer], child: ModuleType
) -> None:
    root = folder / "library"
    racers.append(Racer(root, folder, "usdMain", "first", "library.copy"))
    racers[0].go()
    assert racers[0].answer() == "paused"
    sources = child.make_sources(folder)
    with Library.open(root) as library:
        with pytest.raises(StagewrightError) as caught:
            for _ in child.publish(library, child.make_request("second"), sources):
                pass
        assert caught.value.code == "library-locked"
        assert f"process {racers[0].process.pid} on " in caught.value.message
        assert library.get_versions("show") == []
        racers[0].process.kill()
        racers[0].process.wait()
        for _ in child.publish(library, child.make_request("second"), sources):
            pass
        (version,) = library.get_versions("show")
        assert (version.version, version.data["contentHash"]) == (1, "second")
        assert verified(library) == []


def test_publishes_of_one_product_at_once_are_done_or_refused(
    folder: Path, racers: list[Racer]
) -> None:
    root = folder / "library"
    for number in range(4):
        racers.append(Racer(root, folder, "usdMain", str(number), ""))
    for racer in racers:
        racer.go()
    answers = Counter(racer.answer() for racer in racers)
    assert set(answers) <= {"published", "library-locked"}
    assert answers["published"] >= 1
    with Library.open(root) as library:
        numbers = [each.version for each in library.get_versions("show")]
        assert numbers == list(range(1, answers["published"] + 1))
        assert verified(library) == []


def test_publishes_of_different_products_at_once_all_succeed(
    folder: Path, racers: list[Racer]
) -> None:
    root = folder / "library"
    for number in range(4):
        racers.append(Racer(root, folder, f"usd{number}", str(number), ""))
    for racer in racers:
        racer.go()
    assert [racer.answer() for racer in racers] == ["published"] * 4
    with Library.open(root) as library:
        assert [each.name for each in library.get_products("show")] == [
            "usd0",
            "usd1",
            "usd2",
            "usd3",
        ]
        assert len(library.get_folders("show")) == 2
        assert [each.version for each in library.get_versions("show")] == [1] * 4
        assert verified(library) == []
