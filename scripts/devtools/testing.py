# SPDX-License-Identifier: GPL-3.0-or-later
"""The test command: plain Python, then every Blender, then one line for all."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .environment import (
    ROOT,
    Environment,
    SetupError,
    Version,
    call,
    environments,
    missing_environments,
    prepare,
)
from .local_models import prepare_models
from .packaging import download_wheels

# Inside Blender run the tests that need it, and those of the rooms that meet its pxr.
IN_BLENDER = ("tests/blender", "tests/usd_tools")
PLAIN_NEVER = "tests/blender"
# One plain Python is enough for these: the repository's files, publishes killed hundreds
# of times, and what Blender's Python 3.11 runs anyway with its own pxr.
ONCE = (
    "tests/house",
    "tests/ayon_bridge/test_crash.py",
    "tests/ayon_bridge/test_server_faults.py",
    "tests/usd_tools",
)
NO_TESTS_COLLECTED = 5


@dataclass(frozen=True)
class Leg:
    """One pytest process.

    Attributes:
        name: as the summary calls it.
        environment: where it runs.
        blender: whether it runs inside Blender.
        arguments: what it collects, as pytest takes it.
    """

    name: str
    environment: Environment
    blender: bool
    arguments: tuple[str, ...]


@dataclass
class Outcome:
    """What a leg came to; counts of tests."""

    exit_code: int
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        parts = [f"{self.passed} passed"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.skipped} skipped"] if self.skipped else []
        if self.exit_code and not self.failed:
            parts.append(f"ended with exit code {self.exit_code}")
        return ", ".join(parts)


def test(arguments: Sequence[str], pythons: Mapping[Version, str]) -> int:
    """Run all tests, or those that pytest arguments choose; returns the exit code.

    ``--all``, which pytest does not see, asks for those of local models, too.
    """
    missing = missing_environments(pythons)
    if missing and os.environ.get("STAGEWRIGHT_BOTH") == "1":
        raise SetupError(f"{'; '.join(missing)}, and STAGEWRIGHT_BOTH=1 asks for both Blenders.")
    if "--all" in arguments:
        arguments = [a for a in arguments if a != "--all"]
        lacking = prepare_models(pythons)
        missing += [lacking] if lacking else []
    paths = [a for a in arguments if (ROOT / a.partition("::")[0]).exists()]
    options = [a for a in arguments if a not in paths]
    ready = [prepare(e) for e in environments(pythons)]
    download_wheels(ready[0])  # no test needs a network
    legs = list(plan(ready, paths))
    if arguments:
        # A person works on something: let them see it as it happens.
        outcomes = {leg: run_aloud(leg, options) for leg in legs}
    else:
        outcomes = run_side_by_side(legs)
    return summarize(outcomes, missing)


def run_aloud(leg: Leg, options: Sequence[str]) -> Outcome:
    """Run one leg with its output on the terminal."""
    print(f"\n==== {leg.name} ====", flush=True)
    return run(leg, options, None)


def run_side_by_side(legs: Sequence[Leg]) -> dict[Leg, Outcome]:
    """Run the legs two at a time; print each output when it is whole."""
    printing = threading.Lock()

    def run_quietly(leg: Leg) -> Outcome:
        with tempfile.TemporaryFile() as output:
            outcome = run(leg, [], output)
            output.seek(0)
            with printing:
                print(f"\n==== {leg.name} ====", flush=True)
                sys.stdout.buffer.write(output.read())
                sys.stdout.flush()
        return outcome

    names = ", ".join(leg.name for leg in legs)
    print(f"Testing in {names}; each is shown when it is done …", flush=True)
    longest_first = sorted(legs, key=lambda leg: not leg.blender)
    with ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = dict(zip(longest_first, pool.map(run_quietly, longest_first), strict=True))
    return {leg: outcomes[leg] for leg in legs}


def plan(ready: Sequence[Environment], paths: Sequence[str]) -> Iterator[Leg]:
    """The legs for these environments and paths (none: everything)."""
    for environment in ready:
        python = "Python {}.{}".format(*environment.python)
        left_out = (PLAIN_NEVER, *(ONCE if environment != ready[0] else ()))
        outside = tuple(p for p in paths if not p.startswith(left_out))
        if outside or not paths:
            ignored = tuple(f"--ignore={p}" for p in left_out)
            yield Leg(python, environment, False, (*(outside or ["tests"]), *ignored))
        inside = tuple(p for p in paths or IN_BLENDER if p.startswith(IN_BLENDER))
        if inside:
            yield Leg(f"Blender {environment.blender}, {python}", environment, True, inside)


def run(leg: Leg, options: Sequence[str], output: IO[bytes] | None) -> Outcome:
    """Run one leg, with its output in a file or (None) on the terminal."""
    with tempfile.TemporaryDirectory(prefix="stagewright-test-") as temporary:
        results = Path(temporary, "results.xml")
        # pytest-blender caches Blender's version: one cache for each leg.
        cache = ROOT / ".cache" / f"pytest {leg.name}"
        command = [leg.environment.program("pytest")]
        if leg.blender:
            launcher = leg.environment.program("blender-headless")
            command += ["-p", "pytest-blender", "--blender-executable", launcher]
        command += ["-q", "-o", f"cache_dir={cache}", f"--junit-xml={results}"]
        command += [*options, *leg.arguments]
        if leg.blender:
            command += ["--", "--factory-startup", *real_blender_path(leg.environment)]
        start = time.monotonic()
        with folder_for_user_settings(temporary) as env:
            code = call(command, env=env, output=output)
        outcome = Outcome(code, time.monotonic() - start)
        read_counts(results, outcome)
    if code == NO_TESTS_COLLECTED:
        outcome.exit_code = 0
    return outcome


@contextmanager
def folder_for_user_settings(temporary: str) -> Iterator[dict[str, str]]:
    """Environment variables that keep tests away from the user's own settings."""
    folder = Path(temporary, "user")
    folder.mkdir()
    yield os.environ | {
        "BLENDER_USER_RESOURCES": str(folder / "blender"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "PYTHONSAFEPATH": "1",  # else `jobs`, `addon` … are importable as top-level names
    }


def real_blender_path(environment: Environment) -> list[str]:
    """Options that let a real Blender find pytest and the package behind its own modules."""
    if not os.environ.get("BLENDER_EXECUTABLE"):
        return []
    folders = [str(environment.source), str(environment.site_packages)]
    return ["--python-expr", f"import sys; sys.path += {folders!r}"]


def read_counts(results: Path, outcome: Outcome) -> None:
    """Fill in the counts from pytest's result file, if the run got so far."""
    if not results.is_file():
        return
    for suite in ElementTree.parse(results).getroot().iter("testsuite"):
        count = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
        failed = count["failures"] + count["errors"]
        outcome.failed += failed
        outcome.skipped += count["skipped"]
        outcome.passed += count["tests"] - failed - count["skipped"]


def summarize(outcomes: Mapping[Leg, Outcome], missing: Sequence[str]) -> int:
    """Print a line for each leg and one for all; returns the exit code."""
    width = max([len(leg.name) for leg in outcomes] + [0])
    print("\n==== summary ====")
    for leg, outcome in outcomes.items():
        print(f"{leg.name:{width}}  {outcome.seconds:6.1f} s  {outcome}")
    for line in missing:
        print(f"SKIPPED  {line}. A part of the promise is untested.")
    total = Outcome(0, 0.0)
    for outcome in outcomes.values():
        total.passed += outcome.passed
        total.failed += outcome.failed
        total.skipped += outcome.skipped
        total.exit_code = total.exit_code or outcome.exit_code
    if not total.passed and not total.failed and not total.exit_code:
        total.exit_code = NO_TESTS_COLLECTED
    print(total, flush=True)
    return total.exit_code
