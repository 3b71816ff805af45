# SPDX-License-Identifier: GPL-3.0-or-later
"""Many files: the list, retries, going on after a kill, and a cluster.

A small program stands in for Blender; tests/blender/test_publish_list.py has the real one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stagewright.pipeline.cli import parse

MAIN = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"
STAND_IN = """
import json, os, sys
from pathlib import Path
words = sys.argv[sys.argv.index("publish") + 1:]
blend = Path(words[0])
calls = Path(os.environ["CALLS"])
with calls.open("a") as file:
    file.write(json.dumps([os.getpid(), *words]) + "\\n")
def tell(event, **values):
    print(json.dumps({"event": event, "time": 0, **values}), flush=True)
def fail(code):
    tell("error", code=code, message=f"{blend.name} is {code}.", cure="", details={})
    sys.exit(1)
times = sum(json.loads(line)[1] == str(blend) for line in calls.read_text().splitlines())
tell("progress", step="a", fraction=0.5, message="Working")
if blend.stem.startswith("flaky") and times < 3:
    fail("server-down")
if blend.stem == "bad":
    fail("checks-failed")
if blend.stem == "dying":
    os._exit(3)
if blend.stem == "slow" and times == 1:
    sys.stdin.close()
    import signal
    signal.pause()
tell("result", value={"version": "v001", "path": f"/{blend.stem}.usda", "unchanged": False,
                      "queued": False})
"""


class Bench:
    """A folder with a list, and what was asked of Blender."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.list = folder / "list.csv"
        self.calls = folder / "calls"
        program = folder / "stand_in.py"
        program.write_text(STAND_IN)
        self.blender = folder / "blender"
        self.blender.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
        self.blender.chmod(0o755)

    def write(self, *rows: str) -> None:
        self.list.write_text("\n".join(rows) + "\n")
        for row in rows[1:]:
            (self.folder / row.partition(",")[0]).touch()

    @property
    def environment(self) -> dict[str, str]:
        paths = os.pathsep.join(sys.path)
        own = {"BLENDER_EXECUTABLE": str(self.blender), "CALLS": str(self.calls)}
        return os.environ | own | {"PYTHONPATH": paths}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, "publish", "--from", str(self.list), "--json", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def run(self, *words: str) -> tuple[int, list[dict[str, Any]]]:
        process = self.start(*words)
        out, err = process.communicate()
        assert "Traceback" not in err, err
        return process.returncode, [json.loads(line) for line in out.splitlines()]

    def called(self) -> list[list[str]]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [json.loads(line)[1:] for line in lines]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    if os.name != "posix":
        pytest.skip("the stand-in is a shell script")
    return Bench(tmp_path)


def states(lines: list[dict[str, Any]]) -> dict[str, str]:
    return {Path(row["file"]).stem: row["state"] for row in lines[-1]["value"]["rows"]}


def test_every_row_is_one_command_with_its_own_options_last(bench: Bench) -> None:
    bench.write(
        "file,product,frames,static,comment",
        'a.blend,usdHero,,yes,"Warmer, glass"',
        "b.blend,,1 24,,",
    )
    code, lines = bench.run("--library", "lib", "--product", "usdMain", "--jobs", "2")
    assert code == 0 and states(lines) == {"a": "published", "b": "published"}
    first, second = sorted(bench.called())
    shared = ["--library", "lib", "--product", "usdMain"]
    blend = str(bench.folder / "a.blend")
    own = ["--product=usdHero", "--static", "--comment=Warmer, glass"]
    assert first == [blend, *shared, *own, "--json"]
    assert second == [str(bench.folder / "b.blend"), *shared, "--frames", "1", "24", "--json"]
    assert parse(["publish", *first]).product == "usdHero"


def test_what_may_pass_is_tried_again_and_the_rest_is_named(bench: Bench) -> None:
    bench.write("file", "flaky.blend", "bad.blend", "good.blend", "dying.blend")
    code, lines = bench.run("--retries", "2", "--jobs", "4")
    assert code == 1
    rows = {Path(row["file"]).stem: row for row in lines[-1]["value"]["rows"]}
    assert [rows[name]["state"] for name in ("flaky", "bad", "good", "dying")] == [
        "published",
        "failed",
        "published",
        "failed",
    ]
    assert (rows["flaky"]["tries"], rows["bad"]["tries"], rows["dying"]["tries"]) == (3, 1, 3)
    assert (rows["bad"]["code"], rows["dying"]["code"]) == ("checks-failed", "child-died")
    fractions = [line["fraction"] for line in lines if line["event"] == "progress"]
    assert fractions[-1] == 1.0 and all(0 <= each <= 1 for each in fractions)


def test_run_again_only_what_is_not_done_is_done(bench: Bench) -> None:
    bench.write("file", "flaky.blend", "bad.blend", "good.blend")
    bench.run("--retries", "0")
    assert len(bench.called()) == 3
    _, lines = bench.run("--retries", "1")
    assert states(lines) == {"flaky": "published", "bad": "failed", "good": "before"}
    (bench.folder / "good.blend").write_text("changed")
    _, lines = bench.run()
    assert states(lines) == {"flaky": "before", "bad": "failed", "good": "published"}
    bench.write("file", "good.blend")
    _, lines = bench.run("--fresh")
    assert states(lines) == {"good": "published"}


def test_a_killed_list_goes_on_where_it_was(bench: Bench) -> None:
    bench.write("file", "a.blend", "slow.blend", "b.blend")
    process = bench.start()
    assert process.stdout is not None
    for line in process.stdout:
        if "slow.blend: Working" in line:
            process.kill()
            break
    process.communicate()
    for line in bench.calls.read_text().splitlines():
        pid, blend, *_ = json.loads(line)
        if "slow" in blend:
            os.kill(pid, signal.SIGKILL)  # nobody is left to end it
    results = bench.folder / "list.results.jsonl"
    results.write_text(results.read_text() + '{"torn')
    code, lines = bench.run()
    assert code == 0
    assert states(lines) == {"a": "before", "slow": "published", "b": "published"}
    code, lines = bench.run()
    assert set(states(lines).values()) == {"before"}


def test_a_cancelled_list_ends_its_blenders(bench: Bench) -> None:
    bench.write("file", "slow.blend")
    process = bench.start()
    assert process.stdout is not None
    for line in process.stdout:
        if "slow.blend: Working" in line:
            process.send_signal(signal.SIGTERM)
            break
    out, _ = process.communicate()
    assert process.returncode == 130
    assert json.loads(out.splitlines()[-1])["code"] == "cancelled"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["name", "a.blend"], 'no column "file"'),
        (["file,colour", "a.blend,red"], "line 2"),
        (["file,product", "a.blend"], "number of cells in line 2"),
        (["file,product", ",usdMain"], "no file in line 2"),
        (["file,step", "a.blend,often"], "line 2"),
    ],
)
def test_a_wrong_list_is_refused_before_anything_is_done(
    bench: Bench, rows: list[str], said: str
) -> None:
    bench.list.write_text("\n".join(rows) + "\n")
    code, lines = bench.run()
    assert (code, lines[-1]["code"]) == (2, "bad-list")
    assert said in lines[-1]["message"]
    assert bench.called() == []


def test_worker_processes_of_a_cluster_publish_the_list(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    bench.write("file", "flaky.blend", "flaky2.blend", "bad.blend", "good.blend")
    for name, value in bench.environment.items():
        monkeypatch.setenv(name, value)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        code, lines = bench.run("--scheduler", cluster.scheduler_address)
    assert code == 1
    assert states(lines) == {
        "flaky": "published",
        "flaky2": "published",
        "bad": "failed",
        "good": "published",
    }
    assert len(bench.called()) == 3 + 3 + 1 + 1


def test_a_scheduler_that_is_not_there_is_named(bench: Bench) -> None:
    pytest.importorskip("distributed")
    bench.write("file", "a.blend")
    code, lines = bench.run("--scheduler", "tcp://127.0.0.1:9")
    assert (code, lines[-1]["code"]) == (1, "no-scheduler")
