# SPDX-License-Identifier: GPL-3.0-or-later
"""Other processes: their events, their deaths, and the child that runs a job."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import stagewright
from stagewright.jobs import process
from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Event, Job, Message, Progress, Result, Waiting

TASKS = "tests.jobs.tasks"
ROOT = Path(stagewright.__file__).resolve().parent


def python(source: str, folder: Path, **options: Any) -> Job[Mapping[str, Any]]:
    return process.run_program([sys.executable, "-c", source], folder=folder, **options)


def is_alive(pid: int) -> bool:
    """Whether this process's child runs, or is not yet waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def first_progress(job: Job[Any]) -> Progress:
    return next(event for event in job if isinstance(event, Progress))


def test_a_programs_events_and_result_arrive(tmp_path: Path) -> None:
    source = """
import json
print(json.dumps({"event": "progress", "time": 1, "step": "s", "fraction": 0.5, "message": "m"}))
print(json.dumps({"event": "result", "time": 2, "value": {"answer": 42}}))
"""
    told: list[Event] = []
    assert drain(python(source, tmp_path), told.append) == {"answer": 42}
    assert told == [Progress("s", 0.5, "m"), Result({"answer": 42})]


def test_output_that_is_no_event_is_kept_unheard(tmp_path: Path) -> None:
    source = """
import sys
print("Blender 5.2 says hello")
print('{"event": "result", "value": {}}')
print("to the log", file=sys.stderr)
"""
    told: list[Event] = []
    drain(python(source, tmp_path), told.append)
    assert told == [Result({})]
    assert "Blender 5.2 says hello" in (tmp_path / "events-1.jsonl").read_text()
    assert "to the log" in (tmp_path / "program-1.log").read_text()


def test_output_that_is_no_event_is_the_last_word_where_the_log_is_empty(tmp_path: Path) -> None:
    with pytest.raises(StagewrightError, match="Read blend failed"):
        drain(python("print('Read blend failed')", tmp_path), lambda event: None)


def test_standard_input_and_environment_reach_the_program(tmp_path: Path) -> None:
    source = """
import json, os, sys
value = {"stdin": sys.stdin.read(), "env": os.environ["STAGEWRIGHT_TEST"], "path": "PATH" in os.environ}
print(json.dumps({"event": "result", "value": value}))
"""  # noqa: E501
    text = "secret " * 20_000  # More than a pipe holds.
    value = drain(
        python(source, tmp_path, stdin=text, env={"STAGEWRIGHT_TEST": "yes"}), lambda event: None
    )
    assert value == {"stdin": text, "env": "yes", "path": True}
    assert not any(b"secret" in file.read_bytes()[:10] for file in tmp_path.iterdir())


def test_two_programs_may_share_a_folder(tmp_path: Path) -> None:
    for number in (1, 2):
        source = f"""print('{{"event": "result", "value": {{"n": {number}}}}}')"""
        assert drain(python(source, tmp_path), lambda event: None) == {"n": number}
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "events-1.jsonl",
        "events-2.jsonl",
        "program-1.log",
        "program-2.log",
    ]


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(StagewrightError, match="no-such-program") as caught:
        drain(process.run_program(["/no-such-program"], folder=tmp_path), lambda event: None)
    assert caught.value.code == "program-not-started"


def test_a_program_that_ends_without_a_result_is_a_failure_with_its_last_words(
    tmp_path: Path,
) -> None:
    with pytest.raises(StagewrightError) as caught:
        drain(python("import sys; sys.exit('no disk left')", tmp_path), lambda event: None)
    assert caught.value.code == "child-died"
    assert "code 1" in caught.value.message
    assert "no disk left" in caught.value.message


def test_a_step_never_waits_for_the_program(tmp_path: Path) -> None:
    # The program ends when its file appears, and that is after many steps.
    source = f"""
import os, time
while not os.path.exists({str(tmp_path / "go")!r}):
    time.sleep(0.01)
print('{{"event": "result", "value": {{}}}}')
"""
    job = python(source, tmp_path)
    assert all(isinstance(next(job), Waiting) for _ in range(50))
    (tmp_path / "go").touch()
    assert drain(job, lambda event: None) == {}


def test_a_child_runs_a_job_of_the_package(tmp_path: Path) -> None:
    told: list[Event] = []
    job = process.run_child(f"{TASKS}:count", {"upto": 4}, folder=tmp_path)
    assert drain(job, told.append) == {"sum": 6}
    assert told == [
        *(Progress("count", number / 4, f"number {number}") for number in range(4)),
        Result({"sum": 6}),
    ]


def test_a_child_has_this_search_path_and_a_group_of_its_own(tmp_path: Path) -> None:
    job = process.run_child(f"{TASKS}:surroundings", {}, folder=tmp_path)
    seen = drain(job, lambda event: None)
    assert seen["package"] == "stagewright"
    assert Path(seen["root"]) == ROOT
    assert seen["path"] == [entry or os.getcwd() for entry in sys.path]
    assert seen["bpy"] is False
    assert seen["group"] != os.getpgrp()


def test_a_child_finds_the_same_usd_library(tmp_path: Path) -> None:
    usd = pytest.importorskip("pxr.Usd")
    job = process.run_child(f"{TASKS}:usd_library", {}, folder=tmp_path)
    assert drain(job, lambda event: None) == {
        "version": list(usd.GetVersion()),
        "file": usd.__file__,
    }


def test_what_a_childs_libraries_print_does_not_disturb_its_events(tmp_path: Path) -> None:
    told: list[Event] = []
    drain(process.run_child(f"{TASKS}:chatter", {}, folder=tmp_path), told.append)
    assert told == [Message("said"), Result({})]
    log = (tmp_path / "program-1.log").read_text()
    assert "printed from Python" in log
    assert "written to descriptor 1" in log


@pytest.mark.parametrize(
    ("task", "code", "words"),
    [
        (f"{TASKS}:fail", "no-luck", "The “lamp” is out."),
        (f"{TASKS}:stumble", "unexpected", "ZeroDivisionError"),
        (f"{TASKS}:no_such_job", "unexpected", "no_such_job"),
        ("no_such_module:job", "unexpected", "no_such_module"),
    ],
)
def test_a_childs_failure_is_the_jobs_failure(
    tmp_path: Path, task: str, code: str, words: str
) -> None:
    with pytest.raises(StagewrightError) as caught:
        drain(process.run_child(task, {}, folder=tmp_path), lambda event: None)
    assert caught.value.code == code
    assert words in caught.value.message


def test_a_failures_details_arrive(tmp_path: Path) -> None:
    with pytest.raises(StagewrightError) as caught:
        drain(process.run_child(f"{TASKS}:fail", {}, folder=tmp_path), lambda event: None)
    assert caught.value.details == {"lamps": [0, 1]}


def test_a_killed_child_ends_the_job_and_says_what_it_was_at(tmp_path: Path) -> None:
    told: list[Event] = []
    with pytest.raises(StagewrightError) as caught:
        drain(process.run_child(f"{TASKS}:kill_itself", {}, folder=tmp_path), told.append)
    assert caught.value.code == "child-died"
    assert "SIGKILL" in caught.value.message
    assert "tying a knot" in caught.value.message
    assert "the rope is ready" in caught.value.message


def test_a_cancelled_child_cleans_up_and_is_gone_before_the_job_ends(tmp_path: Path) -> None:
    job = process.run_child(
        f"{TASKS}:work_until_stopped", {"folder": str(tmp_path)}, folder=tmp_path / "job"
    )
    pid = int(first_progress(job).message)
    assert is_alive(pid)
    with pytest.raises(KeyboardInterrupt):
        event = job.throw(KeyboardInterrupt())
        while isinstance(event, Waiting):
            event = next(job)
    assert not is_alive(pid)
    assert not (tmp_path / "scratch").exists()
    lines = (tmp_path / "job" / "events-1.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    assert (last["event"], last["code"]) == ("error", "cancelled")


def test_a_cancel_after_the_programs_result_does_not_undo_it(tmp_path: Path) -> None:
    source = """
import time
print('{"event": "result", "value": {"version": "v003"}}', flush=True)
time.sleep(60)
"""
    job = python(source, tmp_path)
    line = tmp_path / "events-1.jsonl"
    next(job)
    while not line.read_text():
        time.sleep(0.01)
    next(job)  # reads the result, and waits for the program's end
    with pytest.raises(StopIteration) as ended:
        job.throw(KeyboardInterrupt())
    assert ended.value.value == {"version": "v003"}


def test_closing_the_job_ends_the_child_too(tmp_path: Path) -> None:
    job = process.run_child(
        f"{TASKS}:work_until_stopped", {"folder": str(tmp_path)}, folder=tmp_path / "job"
    )
    pid = int(first_progress(job).message)
    job.close()
    assert not is_alive(pid)
    assert not (tmp_path / "scratch").exists()


def test_a_child_that_refuses_to_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.3)
    job = process.run_child(f"{TASKS}:ignore_termination", {}, folder=tmp_path)
    pid = int(first_progress(job).message)
    with pytest.raises(KeyboardInterrupt):
        event = job.throw(KeyboardInterrupt())
        while isinstance(event, Waiting):
            event = next(job)
    assert not is_alive(pid)


def test_a_child_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    parent = f"""
import os, sys
sys.path.insert(0, {str(ROOT.parent)!r})
import importlib.util
spec = importlib.util.spec_from_file_location(
    "stagewright", {str(ROOT / "__init__.py")!r}, submodule_search_locations=[{str(ROOT)!r}])
module = importlib.util.module_from_spec(spec)
sys.modules["stagewright"] = module
spec.loader.exec_module(module)
from pathlib import Path
from stagewright.jobs.process import run_child
folder = {str(tmp_path)!r}
job = run_child("{TASKS}:work_until_stopped", {{"folder": folder}}, folder=Path(folder, "job"))
for event in job:
    if getattr(event, "message", ""):
        print(event.message, flush=True)
        os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", parent], capture_output=True, text=True, check=True, timeout=60
    )
    scratch = tmp_path / "scratch"
    assert int(done.stdout)
    for _ in range(2000):
        if not scratch.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"process {done.stdout} still runs")


def test_a_child_works_from_a_folder_of_any_name(tmp_path: Path) -> None:
    """As an extension, or from a clone: the parent knows the package by another name."""
    copy = tmp_path / "my clone-2"
    copy.mkdir()
    shutil.copy(ROOT / "__init__.py", copy)
    shutil.copytree(ROOT / "jobs", copy / "jobs")
    shutil.copytree(ROOT / "tests" / "jobs", copy / "tests" / "jobs")
    name = "bl_ext_of_the_tests"
    spec = importlib.util.spec_from_file_location(
        name, copy / "__init__.py", submodule_search_locations=[str(copy)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(sys.modules[name])
        other = importlib.import_module(f"{name}.jobs.process")
        drive = importlib.import_module(f"{name}.jobs.drive")
        job = other.run_child(f"{TASKS}:surroundings", {}, folder=tmp_path / "job")
        seen = drive.drain(job, lambda event: None)
    finally:
        for module in [key for key in sys.modules if key.partition(".")[0] == name]:
            del sys.modules[module]
    assert seen["package"] == "stagewright"
    assert Path(seen["root"]) == copy
