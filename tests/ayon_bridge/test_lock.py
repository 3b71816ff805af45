# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks: who holds them, who may take them over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from stagewright.ayon_bridge.lock import Holder, Lock, acquire, refuse_if_held
from stagewright.ayon_bridge.processes import is_dead, machine, started
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Job

SUBJECT = 'the product "usdMain"'
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def take(path: Path, *, break_lock: bool = False) -> Lock:
    return value_of(acquire(path, SUBJECT, break_lock=break_lock))


def value_of(job: Job[Lock]) -> Lock:
    while True:
        try:
            next(job)
        except StopIteration as stop:
            return stop.value


def write_lock(path: Path, holder: Holder) -> None:
    path.mkdir(parents=True)
    (path / "holder.json").write_text(json.dumps(asdict(holder)))


def holder(pid: int, start: str | None = None, **changes: str) -> Holder:
    values = {"host": "renderbox", "since": "2026-01-02T03:04:05", "machine": machine()}
    return Holder(pid=pid, started=start, token="t", **(values | changes))


@pytest.fixture
def dead_pid() -> int:
    """The number of a process that has ended and is waited for."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "product"


def test_a_lock_names_its_holder(path: Path) -> None:
    lock = take(path)
    written = json.loads((path / "holder.json").read_text())
    assert written["pid"] == os.getpid()
    assert written["host"] and written["since"]
    assert lock.is_held()


def test_a_held_lock_is_refused_with_host_process_and_time(path: Path) -> None:
    write_lock(path, holder(os.getpid(), started(os.getpid())))
    with pytest.raises(StagewrightError) as caught:
        take(path)
    assert caught.value.code == "library-locked"
    assert caught.value.message == (
        f'The product "usdMain" is being published by process {os.getpid()} on renderbox '
        "since 2026-01-02T03:04:05."
    )
    assert "--break-lock" in caught.value.cure


def test_a_released_lock_can_be_taken_again_and_leaves_nothing(path: Path) -> None:
    take(path).release()
    lock = take(path)
    lock.release()
    lock.release()
    assert [each.name for each in path.parent.iterdir()] == ["guard"]


def test_a_dead_holder_is_taken_over_from(path: Path, dead_pid: int) -> None:
    write_lock(path, holder(dead_pid))
    assert take(path).is_held()


@linux
def test_a_number_in_use_by_a_later_process_counts_as_dead(path: Path) -> None:
    write_lock(path, holder(os.getpid(), "another start"))
    assert take(path).is_held()


def test_a_start_time_that_is_not_known_proves_nothing(path: Path) -> None:
    write_lock(path, holder(os.getpid(), None))
    with pytest.raises(StagewrightError):
        take(path)


def test_the_dead_of_another_machine_are_not_known_here(path: Path, dead_pid: int) -> None:
    write_lock(path, holder(dead_pid, machine="another"))
    with pytest.raises(StagewrightError, match="renderbox"):
        take(path)


def test_a_lock_that_cannot_be_read_is_held_by_somebody(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "holder.json").write_text("{")
    with pytest.raises(StagewrightError) as caught:
        take(path)
    assert str(path) in caught.value.message


def test_breaking_takes_a_lock_from_the_living_who_notice(path: Path) -> None:
    first = take(path)
    second = take(path, break_lock=True)
    assert second.is_held()
    assert not first.is_held()
    first.release()
    assert second.is_held()


def test_a_taker_stopped_at_any_step_leaves_nothing(path: Path) -> None:
    for count in range(1, 6):
        job = acquire(path, SUBJECT)
        for _ in range(count):
            next(job, None)
        job.close()
        if path.exists():
            break
        assert {each.name for each in path.parent.glob("*")} <= {"guard"}
    assert path.exists()


def test_two_jobs_of_one_process_do_not_wait_for_each_other_forever(path: Path) -> None:
    first = acquire(path, SUBJECT)
    while not list(path.parent.glob("new-*")):
        next(first)
    second = acquire(path, SUBJECT)
    steps = [next(second) for _ in range(3)]
    assert [getattr(step, "step", "") for step in steps] == ["library.wait"] * 3
    assert value_of(first).is_held()
    with pytest.raises(StagewrightError) as caught:
        value_of(second)
    assert caught.value.code == "library-locked"


CYCLER = """
import sys
from pathlib import Path
from stagewright.ayon_bridge.lock import acquire

for _ in range(60):
    job = acquire(Path(sys.argv[1]), "it")
    while True:
        try:
            next(job)
        except StopIteration as stop:
            stop.value.release()
            break
"""


def test_publishers_of_other_products_do_not_disturb_taking_and_releasing(path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    cyclers = [
        subprocess.Popen(
            [sys.executable, "-c", CYCLER, path.with_name(f"product {number}")],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for number in range(4)
    ]
    assert [cycler.communicate()[1] for cycler in cyclers] == [""] * 4
    assert [each.name for each in path.parent.iterdir()] == ["guard"]


def test_what_a_releaser_left_that_died_is_removed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = take(path)
    with monkeypatch.context() as dying:
        dying.setattr("shutil.rmtree", lambda path: None)
        lock.release()
    assert list(path.parent.glob("released-*"))
    take(path)
    assert not list(path.parent.glob("released-*"))


def test_a_look_at_a_lock_refuses_only_while_its_holder_lives(path: Path, dead_pid: int) -> None:
    refuse_if_held(path, SUBJECT)
    assert not path.parent.exists()
    lock = take(path)
    with pytest.raises(StagewrightError, match=str(os.getpid())):
        refuse_if_held(path, SUBJECT)
    lock.release()
    write_lock(path, holder(dead_pid))
    refuse_if_held(path, SUBJECT)
    assert path.exists()


RACER = """
import sys
from pathlib import Path
from stagewright.ayon_bridge.lock import acquire
from stagewright.jobs.errors import StagewrightError

print("ready", flush=True)
sys.stdin.readline()
try:
    for _ in acquire(Path(sys.argv[1]), "it"):
        pass
    print("taken", flush=True)
except StagewrightError as error:
    print(error.code, flush=True)
sys.stdin.readline()
"""


def test_of_many_takers_of_a_dead_lock_one_gets_it(path: Path, dead_pid: int) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for attempt in range(5):
        contested = path.with_name(f"product {attempt}")
        write_lock(contested, holder(dead_pid))
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", RACER, contested],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for _ in range(4)
        ]
        assert all(racer.stdout and racer.stdout.readline() == "ready\n" for racer in racers)
        for racer in racers:
            assert racer.stdin
            racer.stdin.write("go\n")
            racer.stdin.flush()
        answers = sorted(racer.stdout.readline().strip() for racer in racers if racer.stdout)
        for racer in racers:
            racer.communicate("end\n")
        assert answers == ["library-locked"] * 3 + ["taken"]


def test_a_running_process_is_not_dead_and_an_ended_one_is(dead_pid: int) -> None:
    assert not is_dead(os.getpid(), started(os.getpid()))
    assert not is_dead(os.getppid(), None)
    assert is_dead(dead_pid, None)


@linux
def test_a_zombie_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.read()  # its end is the process's
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(process.pid, started(process.pid))
    process.wait()


def test_a_holder_is_told_apart_by_its_token(path: Path) -> None:
    lock = take(path)
    assert not Lock(path, replace(lock.holder, token="other")).is_held()
