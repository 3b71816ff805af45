# SPDX-License-Identifier: GPL-3.0-or-later
"""No room for a set's files: the system refuses the writing in a process of its own."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
from stagewright.pipeline.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main(sys.argv[1:]))
"""


def contents(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
def test_an_earlier_set_stays_as_it_was(tmp_path):
    words = ["texture", "make", "granite", "--size", "256", "--name", "g", "-o", str(tmp_path)]
    made = subprocess.run(
        [sys.executable, "-c", CODE.replace("20_000", "-1"), *words], capture_output=True
    )
    assert made.returncode == 0, made.stderr
    before = contents(tmp_path)
    assert len(before) == 7
    again = [*words, "--seed", "3", "--force"]
    refused = subprocess.run(
        [sys.executable, "-c", CODE, *again], capture_output=True, text=True, encoding="utf-8"
    )
    assert refused.returncode == 1
    assert "cannot be written" in refused.stderr and "Make room there" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert contents(tmp_path) == before
