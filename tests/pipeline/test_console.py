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

from stagewright.jobs.events import Failure, Message, Progress, Result
from stagewright.pipeline.console import terminal_sink


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


def test_a_terminal_gets_a_bar_that_is_redrawn_and_cleared_before_the_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    write = terminal_sink(summary, stream)
    write(Progress("a", 0.25, "Reading a name that is too long for the line"))
    write(Progress("a", None, "Writing"))
    write(Result({"n": 1}))
    first, second, last = stream.getvalue().split("\r\x1b[2K")[1:]
    assert first == "█" * 6 + "░" * 18 + "   25%  Reading"
    assert len(first) == 39
    assert second == "░" * 24 + "   ...  Writing"
    assert last == "made 1\n"


def test_a_terminal_that_knows_ascii_alone_gets_a_bar_too() -> None:
    class Ascii(Terminal):
        encoding = "ascii"

    stream = Ascii()
    terminal_sink(summary, stream)(Progress("a", 0.5, "Reading"))
    assert "#" * 12 + "-" * 12 + "   50%  Reading" in stream.getvalue()


def test_a_failure_is_one_line_with_its_cure() -> None:
    stream = io.StringIO()
    terminal_sink(summary, stream)(Failure("no-blend", "There is no x.", "Check it."))
    assert stream.getvalue() == "error: There is no x. Check it.\n"


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
