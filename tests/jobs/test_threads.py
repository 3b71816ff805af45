# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in a thread: what it returns, raises, and how it is waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest

from stagewright.jobs import threads
from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Waiting
from stagewright.jobs.threads import in_thread


def test_what_is_quick_is_done_in_the_first_step() -> None:
    with pytest.raises(StopIteration) as end:
        next(in_thread(lambda: 7))
    assert end.value.value == 7


def test_what_is_slow_is_waited_for_without_blocking() -> None:
    let_go = threading.Event()
    job = in_thread(let_go.wait)
    assert isinstance(next(job), Waiting)
    let_go.set()
    assert drain(job, lambda event: None) is True


def test_an_error_is_the_jobs() -> None:
    def fail() -> None:
        raise StagewrightError("no-luck", "The lamp is out.", "Light it.")

    with pytest.raises(StagewrightError, match="lamp"):
        drain(in_thread(fail), lambda event: None)


def test_cancelled_it_ends_while_the_thread_runs_on() -> None:
    let_go, ended = threading.Event(), threading.Event()

    def work() -> None:
        let_go.wait()
        ended.set()

    job = in_thread(work)
    next(job)
    with pytest.raises(KeyboardInterrupt):
        job.throw(KeyboardInterrupt())
    assert not ended.is_set()
    let_go.set()
    assert ended.wait(60)


@pytest.mark.parametrize("count", [1, 3])
def test_shared_work_is_done_once_each(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(threads, "thread_count", lambda: count)
    done: list[int] = []

    def work(items: Iterable[int]) -> None:
        for item in items:
            done.append(item)  # noqa: PERF402 - items come while others take theirs

    threads.share(range(100), work)
    assert sorted(done) == list(range(100))


@pytest.mark.parametrize("count", [1, 3])
def test_an_error_of_shared_work_is_raised(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(threads, "thread_count", lambda: count)

    def work(items: Iterable[int]) -> None:
        for _ in items:
            raise StagewrightError("no-luck", "The lamp is out.", "Light it.")

    with pytest.raises(StagewrightError, match="lamp"):
        threads.share(range(9), work)
