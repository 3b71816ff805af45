# SPDX-License-Identifier: GPL-3.0-or-later
"""The child that stays: its queue, its cancelling, its deaths."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Event, Job, Progress, Waiting
from stagewright.jobs.warm import Order, WarmChild

from .test_process import ROOT, TASKS, is_alive


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[WarmChild]:
    child = WarmChild(tmp_path)
    yield child
    child.close()


def order(task: str, **arguments: Any) -> Order:
    return Order(f"{TASKS}:{task}", arguments)


def run(warm: WarmChild, name: str, **arguments: Any) -> Mapping[str, Any]:
    return drain(warm.run(order(name, **arguments)), lambda event: None)


def progress(job: Job[Any]) -> Progress:
    """The job's next progress."""
    return next(event for event in job if isinstance(event, Progress))


def cancel(job: Job[Mapping[str, Any]]) -> None:
    """Cancel a job and see it end so."""
    with pytest.raises(KeyboardInterrupt):
        event = job.throw(KeyboardInterrupt())
        while isinstance(event, Waiting):
            event = next(job)


def test_one_process_does_many_jobs(warm: WarmChild, tmp_path: Path) -> None:
    told: list[Event] = []
    value = drain(warm.run(order("count", upto=4)), told.append)
    first = warm.pid
    assert value == {"sum": 6} and len(told) == 5
    assert run(warm, "surroundings")["path"] == [entry or os.getcwd() for entry in sys.path]
    assert run(warm, "count", upto=3) == {"sum": 3}
    assert warm.pid == first is not None
    assert not list(tmp_path.glob("order-*"))


def test_a_failed_job_leaves_the_child_as_it_was(warm: WarmChild) -> None:
    run(warm, "count", upto=1)
    first = warm.pid
    for task, code in (("fail", "no-luck"), ("stumble", "unexpected"), ("gone", "unexpected")):
        with pytest.raises(StagewrightError) as caught:
            run(warm, task)
        assert caught.value.code == code
    assert run(warm, "count", upto=4) == {"sum": 6}
    assert warm.pid == first


def test_jobs_wait_in_a_queue_that_can_be_changed(warm: WarmChild, tmp_path: Path) -> None:
    orders = [order("work_until_told", folder=str(tmp_path), name=name) for name in "abc"]
    jobs = [warm.run(each) for each in orders]
    for job in jobs:
        next(job)
    assert warm.queue == tuple(orders)
    warm.move(orders[2], 1)
    warm.move(orders[0], 2)  # It runs: it stays where it is.
    assert warm.queue == (orders[0], orders[2], orders[1])
    cancel(jobs[1])
    assert warm.queue == (orders[0], orders[2])
    ended = []
    for name, job in (("a", jobs[0]), ("c", jobs[2])):
        (tmp_path / name).touch()
        ended.append(drain(job, lambda event: None)["name"])
    assert ended == ["a", "c"] and warm.queue == ()


def test_cancelling_ends_the_job_and_keeps_the_child(warm: WarmChild, tmp_path: Path) -> None:
    for task in ("work_until_stopped", "work_in_one_step"):
        job = warm.run(order(task, folder=str(tmp_path)))
        progress(job)
        first = warm.pid
        cancel(job)
        assert not (tmp_path / "scratch").exists()
        assert run(warm, "count", upto=4) == {"sum": 6}
        assert warm.pid == first


def test_a_child_that_will_not_hear_is_killed_and_replaced(warm: WarmChild) -> None:
    job = warm.run(order("hear_nothing"))
    pid = int(progress(job).message)
    cancel(job)
    assert not is_alive(pid)
    assert run(warm, "count", upto=4) == {"sum": 6}


def test_a_killed_child_ends_the_job_with_an_error_and_is_replaced(warm: WarmChild) -> None:
    with pytest.raises(StagewrightError, match="SIGKILL.*tying a knot.*the rope is ready") as died:
        run(warm, "kill_itself")
    assert died.value.code == "child-died"
    assert run(warm, "count", upto=4) == {"sum": 6}
    idle = warm.pid
    assert idle is not None
    os.kill(idle, signal.SIGKILL)
    while warm.pid is not None:
        time.sleep(0.01)
    assert run(warm, "count", upto=4) == {"sum": 6}


def test_closing_ends_the_child_whatever_it_does(warm: WarmChild, tmp_path: Path) -> None:
    run(warm, "count", upto=1)
    idle = warm.pid
    warm.close()
    assert idle is not None and not is_alive(idle) and warm.pid is None
    job = warm.run(order("work_until_stopped", folder=str(tmp_path)))
    pid = int(progress(job).message)
    job.close()
    assert not is_alive(pid) and not (tmp_path / "scratch").exists()
    assert warm.queue == ()


def test_it_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    parent = f"""
import importlib.util, os, sys
root = {str(ROOT)!r}
spec = importlib.util.spec_from_file_location(
    "stagewright", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["stagewright"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["stagewright"])
from pathlib import Path
from stagewright.jobs.warm import Order, WarmChild
folder = {str(tmp_path)!r}
warm = WarmChild(Path(folder))
for event in warm.run(Order("{TASKS}:work_until_stopped", {{"folder": folder}})):
    if getattr(event, "message", ""):
        os._exit(0)
"""
    subprocess.run([sys.executable, "-c", parent], check=True, timeout=60)
    for _ in range(2000):
        if not (tmp_path / "scratch").exists():
            return
        time.sleep(0.01)
    raise AssertionError("it still runs")
