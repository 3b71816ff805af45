# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as a part of a larger one."""

from __future__ import annotations

import pytest

from stagewright.jobs.compose import part
from stagewright.jobs.events import Job, Message, Progress


def steps(seen: list[str]) -> Job[str]:
    try:
        yield Progress("a", 0.5)
        yield Progress("b", None)
        yield Progress("c", 0.25)
        return "done"
    except KeyboardInterrupt:
        seen.append("interrupted")
        yield Message("winding up")
        raise
    finally:
        seen.append("closed")


def test_a_part_maps_fractions_never_backwards_and_hands_on_the_value() -> None:
    job = part(steps([]), 0.2, 0.6)
    fractions = []
    while True:
        try:
            event = next(job)
        except StopIteration as end:
            assert end.value == "done"
            break
        assert isinstance(event, Progress)
        fractions.append(event.fraction)
    assert fractions == pytest.approx([0.4, 0.4, 0.4])


def test_an_interrupt_reaches_the_inner_job_which_may_still_speak() -> None:
    seen: list[str] = []
    job = part(steps(seen), 0.0, 1.0)
    next(job)
    assert job.throw(KeyboardInterrupt()) == Message("winding up")
    with pytest.raises(KeyboardInterrupt):
        next(job)
    assert seen == ["interrupted", "closed"]


def test_closing_a_part_closes_the_inner_job() -> None:
    seen: list[str] = []
    job = part(steps(seen), 0.0, 1.0)
    next(job)
    job.close()
    assert seen == ["closed"]
