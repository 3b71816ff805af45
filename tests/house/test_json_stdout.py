# SPDX-License-Identifier: GPL-3.0-or-later
"""What the launcher leaves on standard output when JSON lines are asked for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# What a command and Blender's C code do, without Blender.
PROGRAM = """
import os, sys
from stagewright.scripts.blender_headless import keep_stdout_for_json
keep_stdout_for_json(sys.argv[1:])
os.write(1, b"from C\\n")
print("from Python")
os.write(int(os.environ.get("STAGEWRIGHT_JSON_FD", 1)), b"{}\\n")
"""


def lines(*arguments: str, env: dict[str, str] | None = None) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={k: v for k, v in os.environ.items() if k != "STAGEWRIGHT_JSON_FD"} | (env or {}),
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("word", ["-c", "--command"])
def test_json_of_the_own_command_has_standard_output_for_itself(word: str) -> None:
    assert lines("-b", "a.blend", word, "stagewright", "publish", "--json") == ["{}"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--command", "stagewright", "publish"],
        ["--command", "extension", "list", "--json"],
        ["-b", "-P", "x.py", "--", "--json"],
    ],
)
def test_standard_output_stays_what_it_is_otherwise(arguments: list[str]) -> None:
    assert set(lines(*arguments)) == {"from C", "from Python", "{}"}


def test_descriptor_of_the_parent_is_kept() -> None:
    arguments = ["--command", "stagewright", "publish", "--json"]
    assert "from C" in lines(*arguments, env={"STAGEWRIGHT_JSON_FD": "1"})
