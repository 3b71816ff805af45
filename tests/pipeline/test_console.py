# SPDX-License-Identifier: GPL-3.0-or-later
"""Events as a person and as a program read them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from stagewright.jobs.events import Failure, Job, Message, Progress, Result
from stagewright.pipeline.console import part, terminal_sink


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def summary(value: Mapping[str, Any]) -> str:
    return f"made {value['n']}"


def test_a_pipe_gets_a_line_per_kind_of_work_and_no_control_codes() -> None:
    stream = io.StringIO()
    write = terminal_sink(summary, stream)
    for event in (
        Progress("scene.read", 0.0, "Reading frame 1"),
        Progress("scene.read", 0.01, "Reading frame 2"),
        Progress("scene.read", 0.5, "Reading frame 50"),
        Progress("asset.write", None, "Writing"),
        Message("mind the gap", "warning"),
        Result({"n": 3}),
    ):
        write(event)
    assert stream.getvalue() == (
        "   0%  Reading frame 1\n  50%  Reading frame 50\n  ...  Writing\n"
        "warning: mind the gap\nmade 3\n"
    )


def test_a_terminal_line_is_rewritten_and_cleared_before_the_result() -> None:
    stream = Terminal()
    write = terminal_sink(summary, stream)
    write(Progress("a", 0.25, "Reading"))
    write(Result({"n": 1}))
    assert stream.getvalue() == "\r\x1b[2K  25%  Reading\r\x1b[2Kmade 1\n"


def test_a_failure_is_one_line_with_its_cure() -> None:
    stream = io.StringIO()
    terminal_sink(summary, stream)(Failure("no-blend", "There is no x.", "Check it."))
    assert stream.getvalue() == "error: There is no x. Check it.\n"


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


NOISY = """
import os
from stagewright.jobs.events import Result
from stagewright.pipeline.console import claim_stdout, json_sink
write = json_sink(claim_stdout())
os.write(1, b"printed from C\\n")
print("printed from Python", flush=True)
write(Result({"n": 1}))
"""


def test_json_owns_standard_output_even_against_output_from_c() -> None:
    done = subprocess.run([sys.executable, "-c", NOISY], capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    event = json.loads(line)
    assert (event["event"], event["value"]) == ("result", {"n": 1})
    assert event["time"] > 0
    assert "printed from C" in done.stderr and "printed from Python" in done.stderr


def test_a_reader_that_is_gone_does_not_stop_the_work() -> None:
    code = NOISY + "write(Result({'n': 2}))\nraise SystemExit(7)\n"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as stream:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=stream, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 7, done.stderr.decode()
