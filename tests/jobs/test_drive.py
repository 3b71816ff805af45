# SPDX-License-Identifier: GPL-3.0-or-later
"""The background driver: every way a job can end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from stagewright.jobs import drive
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import (
    Event,
    Failure,
    Job,
    Message,
    Progress,
    Result,
    Waiting,
    from_json,
    to_json,
)


def test_events_reach_the_sink_in_order_and_the_result_comes_last() -> None:
    def job() -> Job[dict[str, int]]:
        yield Progress("one", 0.25)
        yield Message("two")
        return {"three": 3}

    told: list[Event] = []
    assert drive.drain(job(), told.append) == {"three": 3}
    assert told == [Progress("one", 0.25), Message("two"), Result({"three": 3})]


def test_a_value_that_is_no_mapping_is_returned_but_not_told() -> None:
    def job() -> Job[int]:
        yield Progress("one")
        return 7

    told: list[Event] = []
    assert drive.drain(job(), told.append) == 7
    assert told[-1] == Result({})


def test_jobs_compose_and_only_the_outermost_ends() -> None:
    def inner() -> Job[int]:
        yield Progress("inner")
        return 20

    def outer() -> Job[dict[str, int]]:
        first = yield from inner()
        second = yield from inner()
        return {"sum": first + second}

    told: list[Event] = []
    assert drive.drain(outer(), told.append) == {"sum": 40}
    assert told == [Progress("inner"), Progress("inner"), Result({"sum": 40})]


def test_a_job_that_waits_is_asked_again_and_its_waiting_is_not_told() -> None:
    def job() -> Job[dict[str, int]]:
        yield Waiting()
        yield Waiting()
        return {}

    told: list[Event] = []
    drive.drain(job(), told.append)
    assert told == [Result({})]


def test_a_failure_is_told_and_raised() -> None:
    def job() -> Job[dict[str, int]]:
        yield Progress("one")
        raise StagewrightError("no-luck", "The lamp is out.", "Light it.")

    told: list[Event] = []
    with pytest.raises(StagewrightError) as caught:
        drive.drain(job(), told.append)
    assert caught.value.code == "no-luck"
    assert told == [Progress("one"), Failure("no-luck", "The lamp is out.", "Light it.")]


def test_an_unexpected_exception_is_told_with_its_traceback_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def job() -> Job[dict[str, int]]:
        yield Progress("one")
        return {"never": 1 // 0}

    told: list[Event] = []
    with pytest.raises(StagewrightError) as caught:
        drive.drain(job(), told.append)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert isinstance(told[-1], Failure)
    assert told[-1].code == "unexpected"
    assert "ZeroDivisionError" in told[-1].message
    assert "1 // 0" in capsys.readouterr().err


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as at a terminal: a shell's background jobs start with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_inside_the_job_cancels_it() -> None:
    cleaned: list[str] = []

    def job() -> Job[dict[str, int]]:
        try:
            yield Progress("one")
            os.kill(os.getpid(), signal.SIGINT)
            yield Progress("never")
        finally:
            cleaned.append("job")
        return {}

    told: list[Event] = []
    with pytest.raises(StagewrightError) as caught:
        drive.drain(job(), told.append)
    assert caught.value.code == "cancelled"
    assert isinstance(told[-1], Failure)
    assert told[-1].code == "cancelled"
    assert cleaned == ["job"]


def test_an_interrupt_that_others_swallow_cancels_the_job_all_the_same() -> None:
    before = {
        n: signal.signal(n, signal.default_int_handler) for n in (signal.SIGINT, signal.SIGTERM)
    }
    drive.interrupt_on_termination()

    def job() -> Job[dict[str, int]]:
        yield Progress("render")
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            pass  # as a renderer's callback does
        yield Progress("publish")
        return {}

    told: list[Event] = []
    try:
        with pytest.raises(StagewrightError) as caught:
            drive.drain(job(), told.append)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert caught.value.code == "cancelled"
    assert isinstance(told[-1], Failure)


def test_an_interrupt_outside_the_job_reaches_it_and_it_may_wind_up() -> None:
    steps: list[str] = []

    def job() -> Job[dict[str, int]]:
        try:
            while True:
                yield Progress("turn")
        except KeyboardInterrupt:
            steps.append("told")
            yield Waiting()
            steps.append("wound up")
            raise

    told: list[Event] = []

    def sink(event: Event) -> None:
        told.append(event)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(StagewrightError) as caught:
        drive.drain(job(), sink)
    assert caught.value.code == "cancelled"
    assert steps == ["told", "wound up"]
    assert [type(event) for event in told] == [Progress, Progress, Failure]


def test_an_interrupt_while_the_ending_is_told_comes_too_late() -> None:
    def job() -> Job[dict[str, int]]:
        yield Progress("one")
        return {"two": 2}

    def sink(event: Event) -> None:
        if isinstance(event, Result):
            raise KeyboardInterrupt

    assert drive.drain(job(), sink) == {"two": 2}


def test_a_sink_that_fails_closes_the_job() -> None:
    cleaned: list[str] = []

    def job() -> Job[dict[str, int]]:
        try:
            yield Progress("one")
        finally:
            cleaned.append("job")
        return {}

    def sink(event: Event) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        drive.drain(job(), sink)
    assert cleaned == ["job"]


def test_termination_acts_as_an_interrupt() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def job() -> Job[dict[str, int]]:
        yield Progress("one")
        os.kill(os.getpid(), signal.SIGTERM)
        yield Progress("never")
        return {}

    told: list[Event] = []
    try:
        drive.interrupt_on_termination()
        with pytest.raises(StagewrightError):
            drive.drain(job(), told.append)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert isinstance(told[-1], Failure)
    assert told[-1].code == "cancelled"


@pytest.mark.parametrize(
    "event",
    [
        Progress("step", 0.5, "half — “done”"),
        Progress("step"),
        Message("read me", "warning"),
        Result({"path": "a/b", "list": [1, 2.5, None]}),
        Failure("code", "Message.", "Cure."),
        Failure("code", "Message.", "Cure.", {"checks": {"findings": []}}),
    ],
)
def test_events_survive_their_json_line(event: Event) -> None:
    line = to_json(event)
    assert "\n" not in line
    assert from_json(line) == event


@pytest.mark.parametrize(
    "line", ["", "text", "3", "[]", "{}", '{"event": "end"}', '{"event": "progress", "odd": 1}']
)
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(ValueError):
        from_json(line)
